"""One contract for the compiled product with the stiffness and its assembled NumPy/SciPy reference."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse.linalg import spsolve

from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    IsotropicMaterial,
    NodeConditions,
    OrthotropicMaterial,
    solve_elasticity,
)
from vertebro.numerics.elasticity_layout import Layout, filled_tiles
from vertebro.numerics.elasticity_material import Material
from vertebro.numerics.elasticity_multigrid import nodal_diagonal, spectrum_bound
from vertebro.numerics.elasticity_reference import assembled_stiffness

SPACING_MM = (1.0, 0.8, 1.3)


def _material(kind: str, shape: tuple[int, int, int], seed: int = 3) -> Material:
    rng = np.random.default_rng(seed)
    young = rng.uniform(50.0, 2000.0, shape) * (rng.random(shape) > 0.2)
    if kind == "isotropic":
        return IsotropicMaterial(young, 0.3)
    if kind == "several ratios":
        return IsotropicMaterial(young, rng.uniform(0.0, 0.45, shape))
    return OrthotropicMaterial.transversely_isotropic(young, 1)


def _bands(n_planes: int) -> list[tuple[int, int]]:
    """Three uneven parts, so that every plane's neighbours are met across an edge somewhere."""
    edges = [0, n_planes // 3, n_planes - n_planes // 4, n_planes]
    return list(pairwise(edges))


KINDS = pytest.mark.parametrize("kind", ["isotropic", "several ratios", "transversely isotropic"])


def _in_rows(packed: np.ndarray, layout: Layout) -> np.ndarray:
    return packed[:, :, : layout.n_nodes[1] * layout.n_nodes[2]].ravel()


@KINDS
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 4), (7, 9, 30), (6, 14, 30)])
def test_the_product_is_the_assembled_matrix_times_the_vector(kind, shape) -> None:  # type: ignore[no-untyped-def]
    from vertebro.numerics import elasticity_kernels as kernels  # noqa: PLC0415 - loads the compiler

    layout = Layout(shape, SPACING_MM)
    constants = _material(kind, shape).reduced()
    packed = layout.pack_elements(constants, np.float64)
    field = np.random.default_rng(5).normal(size=(3, *layout.n_nodes))
    u, out = layout.pack(field), layout.zeros()

    inner = sum(
        kernels.product(
            packed,
            filled_tiles(packed),
            u,
            layout.pack(np.ones_like(field), np.float32),
            True,
            first,
            stop,
            layout.width,
            layout.steps(np.float64),
            out,
        )
        for first, stop in _bands(shape[0] + 1)
    )

    expected = assembled_stiffness(constants, SPACING_MM) @ _in_rows(u, layout)
    assert np.abs(_in_rows(out, layout) - expected).max() <= 1e-12 * np.abs(expected).max()
    assert inner == pytest.approx(expected @ _in_rows(u, layout), rel=1e-12)


@KINDS
def test_the_solution_is_that_of_a_direct_solver(kind) -> None:  # type: ignore[no-untyped-def]
    shape = (9, 7, 11)
    material = _material(kind, shape)
    bottom, top = np.zeros((2, 10, 8, 12), dtype=bool)
    bottom[:, :, 0] = True
    top[:, :, -1] = True
    conditions = NodeConditions.free(shape).hold(bottom).hold(top, (2,), -0.1).push(top, (30.0, 5.0, 0.0))
    problem = ElasticityProblem(material, SPACING_MM, conditions)

    solution = solve_elasticity(problem, ElasticitySettings(tolerance=1e-12))

    layout = problem.layout
    stiffness = assembled_stiffness(material.without(solution.dropped_elements).reduced(), SPACING_MM)
    held = _in_rows(layout.pack(conditions.is_held), layout) > 0
    u = _in_rows(layout.pack(conditions.value_mm), layout).copy()
    solvable = ~held & (stiffness.diagonal() > 0.0)
    right = _in_rows(layout.pack(conditions.force_n), layout) - stiffness @ u
    u[solvable] = spsolve(stiffness.tocsc()[solvable][:, solvable], right[solvable])
    found = _in_rows(layout.pack(solution.displacement_mm), layout)
    active = stiffness.diagonal() > 0.0
    assert solution.status.name == "CONVERGED"
    assert np.abs(found - u)[active].max() <= 1e-9 * np.abs(u).max()
    reactions = _in_rows(layout.pack(solution.reactions_n), layout)
    forces = stiffness @ u - _in_rows(layout.pack(conditions.force_n), layout)
    assert np.abs(reactions - np.where(held, forces, 0.0)).max() <= 1e-8 * np.abs(forces[held]).max()


@KINDS
def test_the_diagonal_and_the_bound_of_the_spectrum_hold(kind) -> None:  # type: ignore[no-untyped-def]
    shape = (5, 6, 4)
    constants = _material(kind, shape).reduced()
    layout = Layout(shape, SPACING_MM)
    stiffness = assembled_stiffness(constants, SPACING_MM).toarray()

    diagonal = _in_rows(layout.pack(nodal_diagonal(constants, SPACING_MM)), layout)

    assert np.allclose(diagonal, np.diag(stiffness), rtol=1e-12)
    scale = np.divide(1.0, np.sqrt(diagonal), out=np.zeros_like(diagonal), where=diagonal > 0)
    largest = np.linalg.eigvalsh(stiffness * scale * scale[:, None])[-1]
    assert 0.4 * spectrum_bound(constants, SPACING_MM) < largest <= spectrum_bound(constants, SPACING_MM)
