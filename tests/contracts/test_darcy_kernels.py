"""Compiled kernels of the flow solver against their plain versions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from vertebro.numerics import darcy_reference as plain
from vertebro.numerics import front_kernels, front_planes_kernels
from vertebro.numerics.darcy_assembly import connect, evening_flux
from vertebro.numerics.darcy_medium import DarcyMedium, FlowNetwork
from vertebro.numerics.darcy_multigrid import Bands, NodeLinks
from vertebro.numerics.darcy_pressure import FlowMatrix, SolverStatus, preconditioner, solve_pressure


def _medium(seed: int = 0, contrast: float = 1e4) -> DarcyMedium:
    """A random medium with holes, layers, direction-dependent permeability, a closed side and pipes."""
    rng = np.random.default_rng(seed)
    shape = (13, 10, 11)
    size = int(np.prod(shape))
    porosity = rng.uniform(0.3, 0.9, shape) * (rng.random(shape) > 0.15)
    k = 0.04 * contrast ** rng.uniform(-0.5, 0.5, (3, *shape))
    layers = tuple(np.where(rng.random(shape) > 0.7, rng.choice([1e3, np.inf], shape), 0.0) for _ in range(3))
    some = np.flatnonzero(porosity)[[100, 400, 700, 900]]
    network = FlowNetwork(
        volume_mm3=[2.0, 3.0, np.inf, 1.0],
        held_pressure_mpa=[np.nan, np.nan, 1e-3, np.nan],
        resident_viscosity_mpa_s=[4e-9] * 4,
        first=[some[0], some[1], size, size + 1, some[2], some[3]],
        second=[size, size + 1, size + 1, size + 2, size + 2, size + 3],
        connectivity_mm3=[0.1, 2.0, 0.5, 0.4, 0.03, 0.2],
    )
    return DarcyMedium(0.8, porosity, k, layers, (0.0, 2e-3, None, 0.0, 0.0, 0.0), network)


def _connected(medium: DarcyMedium) -> tuple[FlowMatrix, np.ndarray, np.ndarray]:
    plan = medium.plan
    rng = np.random.default_rng(9)
    viscosity = np.where(plan.is_active, 10.0 ** rng.uniform(-5, -3, plan.is_active.shape), 1.0)
    connections = connect(plan, viscosity, plan.node_viscosity_mpa_s, Bands(1))
    q = connections.held_cells.copy()
    q.reshape(-1)[np.flatnonzero(plan.is_active)[300]] += 25.0
    return connections.matrix, q, connections.held_nodes


@pytest.mark.parametrize("n_threads", [1, 3])
def test_pressure_agrees_with_a_direct_solver(n_threads: int) -> None:
    matrix, q, q_nodes = _connected(_medium())
    bands = Bands(n_threads)

    found = solve_pressure(matrix, (q, q_nodes), None, preconditioner(matrix, bands), bands, tolerance=1e-12)

    cells, nodes = plain.pressure(matrix, (q, q_nodes))
    assert found.status is SolverStatus.CONVERGED
    np.testing.assert_allclose(found.cells, cells, rtol=1e-6, atol=1e-8 * cells.max())
    np.testing.assert_allclose(found.nodes, nodes, rtol=1e-6, atol=1e-8 * cells.max())


def test_a_start_near_the_solution_costs_fewer_steps_and_gives_the_same() -> None:
    matrix, q, q_nodes = _connected(_medium(1))
    bands = Bands(1)
    grid = preconditioner(matrix, bands)
    cold = solve_pressure(matrix, (q, q_nodes), None, grid, bands, tolerance=1e-10)

    warm = solve_pressure(
        matrix, (q, q_nodes), (cold.cells * 1.0001, cold.nodes * 1.0001), grid, bands, tolerance=1e-10
    )

    assert warm.iterations < cold.iterations
    np.testing.assert_allclose(warm.cells, cold.cells, rtol=1e-3, atol=1e-5 * cold.cells.max())


def test_too_few_iterations_are_told() -> None:
    matrix, q, q_nodes = _connected(_medium(2))
    bands = Bands(1)

    found = solve_pressure(matrix, (q, q_nodes), None, preconditioner(matrix, bands), bands, max_iterations=1)

    assert found.status is SolverStatus.TOO_MANY_ITERATIONS
    assert found.relative_residual > 1e-8
    assert "iterations" in found.status.remedy


def test_threads_change_nothing_but_the_last_digits() -> None:
    n = 47
    rng = np.random.default_rng(3)
    faces = []
    for axis in range(3):
        t = np.zeros((n + 2,) * 3)
        place = [slice(1, -1)] * 3
        place[axis] = slice(1, -2)
        t[tuple(place)] = 10.0 ** rng.uniform(-2, 2, t[tuple(place)].shape)
        faces.append(t)
    active = np.zeros((n + 2,) * 3, bool)
    active[1:-1, 1:-1, 1:-1] = True
    sink = np.where(active & (np.arange(n + 2) == n), 1.0, 0.0)
    none = NodeLinks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    matrix = FlowMatrix(*faces, sink, none, csc_matrix((0, 0)), active)
    q = np.where(active, rng.standard_normal(active.shape), 0.0)

    one, two = (
        solve_pressure(matrix, (q, np.zeros(0)), None, preconditioner(matrix, bands), bands)
        for bands in (Bands(1), Bands(2))
    )

    np.testing.assert_allclose(one.cells, two.cells, rtol=1e-5, atol=1e-7 * np.abs(one.cells).max())


def test_transmissibilities_agree_with_the_plain_ones() -> None:
    plan = _medium(4).plan
    viscosity = np.where(plan.is_active, 1e-4, 1.0)

    matrix = connect(plan, viscosity, plan.node_viscosity_mpa_s, Bands(1)).matrix

    for axis, t in enumerate((matrix.tx, matrix.ty, matrix.tz)):
        expected = plain.join_cells(viscosity, plan.half[axis], plan.layer[axis], axis)
        np.testing.assert_allclose(t, expected, rtol=1e-13)


def test_evening_fluxes_agree_with_the_plain_ones() -> None:
    matrix, q, _ = _connected(_medium(5))
    p = np.where(matrix.is_active, np.random.default_rng(1).random(q.shape), 0.0)

    flux = evening_flux(matrix, p, Bands(1))

    for axis, (c, t) in enumerate(
        zip((flux.x, flux.y, flux.z), (matrix.tx, matrix.ty, matrix.tz), strict=True)
    ):
        np.testing.assert_allclose(c, plain.even_out(p, t, axis), rtol=1e-9, atol=1e-12 * np.abs(t).max())


@pytest.mark.parametrize("seed", range(5))
def test_volume_below_a_plane_agrees_with_counted_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = rng.dirichlet([1.0, 1.0, 1.0])
    a = rng.uniform(0.0, 1.0)
    points = (np.arange(80) + 0.5) / 80
    inside = m[0] * points[:, None, None] + m[1] * points[:, None] + m[2] * points < a

    found = front_planes_kernels.volume_below(a, *m)

    assert found == pytest.approx(inside.mean(), abs=2e-3)
    assert front_planes_kernels.offset_of_volume(found, *m) == pytest.approx(a, abs=1e-6)


@pytest.mark.parametrize("is_far", [True, False])
@pytest.mark.parametrize("depth", [0.1, 0.6, 3.0])
def test_slab_behind_a_plane_agrees_with_counted_points(is_far: bool, depth: float) -> None:
    m, a = np.array([0.5, 0.2, 0.3]), 0.55
    points = (np.arange(120) + 0.5) / 120
    inside = m[0] * points[:, None, None] + m[1] * points[:, None] + m[2] * points < a
    slab = points > 1.0 - depth if is_far else points < depth

    found = front_planes_kernels.slab_share(a, *m, is_far, depth)

    assert found == pytest.approx((inside & slab[:, None, None]).mean(), abs=3e-3)


def test_planes_of_a_tilted_front_are_found() -> None:
    normal = np.array([0.6, 0.3, 0.1])
    parts = (np.arange(10) + 0.5) / 10 - 0.5
    axis = (np.arange(12)[:, None] + parts).reshape(-1)
    below = normal[0] * axis[:, None, None] + normal[1] * axis[:, None] + normal[2] * axis < 5.6
    part = below.reshape(12, 10, 12, 10, 12, 10).mean(axis=(1, 3, 5))
    inner = np.zeros_like(part, bool)
    inner[2:-2, 2:-2, 2:-2] = True
    mixed = np.flatnonzero((part > 0.01) & (part < 0.99) & inner)
    planes = np.zeros((mixed.size, 4))

    front_planes_kernels.fit_planes(part, mixed, planes)

    assert mixed.size > 30
    np.testing.assert_allclose(planes[:, :3], np.broadcast_to(normal, (mixed.size, 3)), atol=0.06)


def test_pistons_agree_with_the_plain_version() -> None:
    rng = np.random.default_rng(6)
    shape = (8, 7, 6)
    n = int(np.prod(shape))
    inner = np.zeros(shape, bool)
    inner[1:-1, 1:-1, 1:-1] = True
    cells = np.flatnonzero(inner)
    p = np.zeros(n + 1)
    p[cells] = rng.random(cells.size) + 1.0
    strides = (shape[1] * shape[2], shape[2], 1)
    fluxes, f3 = [], np.zeros((3, n))
    for axis, stride in enumerate(strides):
        for cell in cells:
            if inner.reshape(-1)[cell + stride]:
                f = rng.random() * (p[cell] - p[cell + stride])
                f3[axis, cell] = f
                fluxes.append((cell, cell + stride, f) if f > 0 else (cell + stride, cell, -f))
    outlet_cells = cells[:3]
    row_of = np.full(n + 1, -1, np.int32)
    row_of[outlet_cells] = np.arange(3)
    row_t = rng.random(3)
    fluxes += [(cell, n, t * (p[cell] - p[n])) for cell, t in zip(outlet_cells, row_t, strict=True)]
    capacity = np.append(np.where(inner.reshape(-1), 1.0, 0.0), np.inf)
    volume = np.append(np.where(inner.reshape(-1), rng.random(n), 0.0), 0.0)
    volume[cells[40]] += 30.0
    found = volume.copy()

    front_kernels.push_pistons(
        found, capacity, p, f3, strides[:2], row_of, np.arange(4), np.full(3, n), row_t,
        np.flatnonzero(volume > capacity), np.empty(n + 1), np.empty(n + 1, np.int64),
        np.zeros(n + 1, np.int32), 1.0, np.full(n + 1, -1, np.int32), np.zeros((0, 4)),
    )  # fmt: skip

    np.testing.assert_allclose(found, plain.push_pistons(volume, capacity, p, fluxes), rtol=1e-12, atol=1e-13)
    assert found.sum() == pytest.approx(volume.sum(), rel=1e-14)
