"""Elasticity on bricks against beams and spheres: the error falls as theory says.

Sphere formulas: J. N. Goodier, J Appl Mech 1 (1933) 39 (cavity); J. D. Eshelby, Proc R Soc A 241
(1957) 376 (inclusion).
"""

from __future__ import annotations

import numpy as np
import pytest

from elasticity_bodies import hold_field, node_places, outer_nodes, pressed
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    IsotropicMaterial,
    NodeConditions,
    element_stress_mpa,
    resultant,
    solve_elasticity,
)

pytestmark = pytest.mark.physics
FINE = ElasticitySettings(tolerance=1e-9)


def _cantilever_tip_mm(n: int) -> float:
    """Deflection of a beam 16×2×2 mm of 1000 MPa and ν 0 under 1 N, with ``n`` bricks across."""
    h = 2.0 / n
    shape = (8 * n, n, n)
    material = IsotropicMaterial(np.full(shape, 1000.0), 0.0)
    root, tip = material.end_nodes(0, -1), material.end_nodes(0, 1)
    conditions = NodeConditions.free(shape).hold(root)
    # the force on the end as the shear stress of the beam, a parabola over the height
    height = node_places(shape, (h, h, h))[2]
    share = np.where(tip, 1.0 - (height - 1.0) ** 2 + 1e-12, 0.0)
    share[:, [0, -1], :] *= 0.5
    force = conditions.force_n.copy()
    force[2] = -share / share.sum()
    problem = ElasticityProblem(
        material, (h, h, h), NodeConditions(conditions.is_held, conditions.value_mm, force)
    )
    solution = solve_elasticity(problem, FINE)
    return -float(solution.displacement_mm[2][tip].mean())


def test_a_cantilever_bends_as_timoshenko_says_with_second_order() -> None:
    inertia, area, shear = 2.0 * 2.0**3 / 12.0, 4.0, 500.0
    exact = 16.0**3 / (3 * 1000.0 * inertia) + 16.0 / (5.0 / 6.0 * shear * area)

    tips = [_cantilever_tip_mm(n) for n in (2, 4, 8)]

    order = np.log2((tips[1] - tips[0]) / (tips[2] - tips[1]))
    limit = tips[2] + (tips[2] - tips[1]) / 3.0
    assert 1.8 < order < 2.2
    assert tips[2] == pytest.approx(exact, rel=0.02)
    assert limit == pytest.approx(exact, rel=0.005)


def test_pure_bending_converges_with_second_order() -> None:
    curvature, ratio = 0.01, 0.3

    def error(n: int) -> float:
        h = 4.0 / n
        shape = (n, n, n)
        x, y, z = node_places(shape, (h, h, h))
        # exact: strain zz = curvature·x, the anticlastic field around it
        exact = curvature * np.stack([-(z**2 + ratio * (x**2 - y**2)) / 2.0, -ratio * x * y, x * z])
        material = IsotropicMaterial(np.full(shape, 1000.0), ratio)
        conditions = hold_field(NodeConditions.free(shape), outer_nodes(shape), exact)
        solution = solve_elasticity(ElasticityProblem(material, (h, h, h), conditions), FINE)
        energy = 0.5 * 1000.0 * curvature**2 * 4.0**3 / 3.0 * 16.0
        assert np.abs(solution.displacement_mm - exact).max() < 1e-3 * np.abs(exact).max()
        return solution.strain_energy_mj / energy - 1.0

    errors = np.array([error(n) for n in (4, 8, 16)])

    assert (errors > 0.0).all()
    assert np.log2(errors[:-1] / errors[1:]) == pytest.approx([2.0, 2.0], abs=0.05)


def _octant(n: int, radius: float) -> np.ndarray:
    """(n, n, n): distance of each brick's middle from the corner, over the radius in bricks."""
    middle = np.arange(n) + 0.5
    return np.sqrt(middle[:, None, None] ** 2 + middle[:, None] ** 2 + middle**2) / radius


def _pulled_octant(young: np.ndarray) -> tuple[ElasticityProblem, np.ndarray, float]:
    """An eighth of a cube pulled along z: the problem, σzz of every brick, and the mean stress."""
    n = young.shape[0]
    material = IsotropicMaterial(young, 0.3)
    conditions = NodeConditions.free(young.shape)
    for axis in range(3):
        plane = np.zeros(conditions.is_held.shape[1:], dtype=bool)
        plane[tuple(0 if a == axis else slice(None) for a in range(3))] = True
        conditions = conditions.hold(plane, (axis,))
    top = material.end_nodes(2, 1)
    problem = ElasticityProblem(material, (1.0, 1.0, 1.0), conditions.hold(top, (2,), 0.01 * n))
    solution = solve_elasticity(problem, ElasticitySettings(tolerance=1e-7))
    remote = float(resultant(solution, top)[0][2]) / n**2
    return problem, element_stress_mpa(problem, solution.displacement_mm)[2], remote


@pytest.mark.slow
def test_stress_beside_a_spherical_cavity() -> None:
    n = 60
    distance = _octant(n, 12.0)
    young = np.where(distance < 1.0, 0.0, 1000.0)
    radius = (6.0 / np.pi * np.count_nonzero(young == 0.0)) ** (1 / 3)

    _, stress, remote = _pulled_octant(young)

    # around the equator; the bricks that touch the steps of the surface are left out
    reach = (distance * 12.0 / radius)[:, :, 0]
    ring = (reach > 1.2) & (reach < 2.5)
    table = np.stack([np.ones(ring.sum()), reach[ring] ** -3.0, reach[ring] ** -5.0], axis=1)
    fit = np.linalg.lstsq(table, stress[:, :, 0][ring] / remote, rcond=None)[0]
    assert fit.sum() == pytest.approx((27 - 15 * 0.3) / (2 * (7 - 5 * 0.3)), rel=0.05)  # 2.045
    pole = (distance * 12.0 / radius)[0, 0]
    assert abs(stress[0, 0][pole > 1.0][0] / remote) < 0.1  # the free surface carries nothing along z


@pytest.mark.slow
@pytest.mark.parametrize(("matrix_mpa", "stress_ratio"), [(100.0, 1.867), (300.0, 1.738)])
def test_stress_in_a_stiff_sphere(matrix_mpa: float, stress_ratio: float) -> None:
    inside = _octant(50, 10.0) < 1.0

    _, stress, remote = _pulled_octant(np.where(inside, 2500.0, matrix_mpa))

    core = _octant(50, 10.0) < 0.6  # the corners of the stepped surface catch stress of their own
    assert stress[core].mean() / remote == pytest.approx(stress_ratio, rel=0.01)
    assert stress[core].std() / stress[core].mean() < 0.02  # the same everywhere within


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_mixture_lies_between_the_bounds_of_voigt_and_reuss(seed: int) -> None:
    young = np.where(np.random.default_rng(seed).random((8, 8, 8)) < 0.3, 2500.0, 100.0)

    _, solution, top = pressed(IsotropicMaterial(young, 0.3), -0.01, settings=FINE)

    apparent = resultant(solution, top)[0][2] / (-0.01 * 64.0)
    assert 1.0 / (1.0 / young).mean() < apparent < young.mean()


def test_a_finer_grid_of_the_same_body_is_never_stiffer() -> None:
    young = np.random.default_rng(4).uniform(50.0, 2000.0, (5, 5, 5))

    forces = []
    for factor in (1, 2, 4):
        fine = young.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2)
        h = 1.0 / factor
        _, solution, top = pressed(IsotropicMaterial(fine, 0.3), -0.01, (h, h, h), settings=FINE)
        forces.append(-float(resultant(solution, top)[0][2]))

    assert forces[0] > forces[1] > forces[2] > 0.97 * forces[1]
