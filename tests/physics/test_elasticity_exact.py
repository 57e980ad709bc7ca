"""Elasticity on bricks where the solution is known exactly: errors are those of rounding alone."""

from __future__ import annotations

import numpy as np
import pytest

from elasticity_bodies import TIGHT, hold_field, node_places, outer_nodes, pressed
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    IsotropicMaterial,
    NodeConditions,
    OrthotropicMaterial,
    element_strain,
    element_stress_mpa,
    resultant,
    solve_elasticity,
    strain_energy_density_mpa,
)
from vertebro.numerics.elasticity_material import voigt

pytestmark = pytest.mark.physics

SHAPE, SPACING_MM = (6, 5, 7), (1.0, 0.7, 1.2)
GRADIENT = np.array([[2e-3, -1e-3, 5e-4], [3e-4, -4e-3, 7e-4], [-6e-4, 2e-4, 1e-3]])
UNIFORM = np.array(
    [
        GRADIENT[0, 0],
        GRADIENT[1, 1],
        GRADIENT[2, 2],
        GRADIENT[1, 2] + GRADIENT[2, 1],
        GRADIENT[0, 2] + GRADIENT[2, 0],
        GRADIENT[0, 1] + GRADIENT[1, 0],
    ]
)


def _uniform(kind: str, shape: tuple[int, int, int]) -> IsotropicMaterial | OrthotropicMaterial:
    young = np.full(shape, 1000.0)
    if kind == "isotropic":
        return IsotropicMaterial(young, 0.3)
    return OrthotropicMaterial.transversely_isotropic(young, 2)


@pytest.mark.parametrize("kind", ["isotropic", "transversely isotropic"])
def test_a_uniform_strain_stays_uniform(kind: str) -> None:
    material = _uniform(kind, SHAPE)
    exact = np.einsum("ab,bijk->aijk", GRADIENT, node_places(SHAPE, SPACING_MM))
    conditions = hold_field(NodeConditions.free(SHAPE), outer_nodes(SHAPE), exact)
    problem = ElasticityProblem(material, SPACING_MM, conditions)

    solution = solve_elasticity(problem, TIGHT)

    stress = voigt(material.constants_mpa()[:, 0, 0, 0]) @ UNIFORM
    assert np.abs(solution.displacement_mm - exact).max() <= 1e-10 * np.abs(exact).max()
    strain = element_strain(problem, solution.displacement_mm)
    assert np.abs(strain - UNIFORM[:, None, None, None]).max() <= 1e-10 * np.abs(UNIFORM).max()
    found = element_stress_mpa(problem, solution.displacement_mm)
    assert np.abs(found - stress[:, None, None, None]).max() <= 1e-10 * np.abs(stress).max()
    density = strain_energy_density_mpa(problem, solution.displacement_mm)
    assert density == pytest.approx(0.5 * stress @ UNIFORM, rel=1e-10)
    volume = float(np.prod(SHAPE) * np.prod(SPACING_MM))
    assert solution.strain_energy_mj == pytest.approx(0.5 * stress @ UNIFORM * volume, rel=1e-10)


def test_a_bar_is_as_stiff_as_area_times_modulus_over_length() -> None:
    _, solution, top = pressed(IsotropicMaterial(np.full((4, 6, 10), 1200.0), 0.3), -0.01, SPACING_MM)

    force_n, moment_nmm = resultant(solution, top, (2.0, 2.1, 12.0))

    assert force_n == pytest.approx([0.0, 0.0, -1200.0 * 0.01 * 4.0 * 4.2], rel=1e-10, abs=1e-9)
    assert moment_nmm == pytest.approx([0.0, 0.0, 0.0], abs=1e-8)


def test_a_confined_bar_is_stiffer_by_the_known_factor() -> None:
    _, solution, top = pressed(IsotropicMaterial(np.full((4, 4, 6), 1000.0), 0.3), -0.01, is_confined=True)

    factor = resultant(solution, top)[0][2] / (-1000.0 * 0.01 * 16.0)

    assert factor == pytest.approx(0.7 / (1.3 * 0.4), rel=1e-10)  # 1.346


def test_columns_side_by_side_add() -> None:
    young = np.full((6, 3, 5), 200.0)
    young[4:] = 2000.0

    _, solution, top = pressed(IsotropicMaterial(young, 0.3), -0.01)

    assert resultant(solution, top)[0][2] == pytest.approx(-0.01 * (200.0 * 12 + 2000.0 * 6), rel=1e-10)


def test_layers_on_top_of_each_other_give_way_in_turn() -> None:
    young = np.full((3, 3, 8), 200.0)
    young[:, :, 6:] = 2000.0

    _, solution, top = pressed(IsotropicMaterial(young, 0.0), -0.01)

    assert resultant(solution, top)[0][2] == pytest.approx(-0.08 * 9.0 / (6 / 200.0 + 2 / 2000.0), rel=1e-10)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_transversely_isotropic_bar_has_its_moduli(axis: int) -> None:
    shape = (5, 4, 6)
    material = OrthotropicMaterial.transversely_isotropic(np.full(shape, 900.0), 2)

    problem, solution, high = pressed(material, -0.01, axis=axis)

    young = 900.0 if axis == 2 else 0.333 * 900.0
    area = np.prod(shape) / shape[axis]
    assert resultant(solution, high)[0][axis] == pytest.approx(-0.01 * young * area, rel=1e-9)
    strain = element_strain(problem, solution.displacement_mm)
    ratio = 0.333 / (2 * 0.121) - 1.0 if axis < 2 else 0.3123
    other = 1 - axis if axis < 2 else 0
    assert -strain[other] / strain[axis] == pytest.approx(ratio, rel=1e-8)


@pytest.mark.parametrize(("row", "first", "second"), [(3, 1, 2), (4, 0, 2), (5, 0, 1)])
def test_a_transversely_isotropic_block_has_its_shear_moduli(row: int, first: int, second: int) -> None:
    shape = (4, 4, 4)
    material = OrthotropicMaterial.transversely_isotropic(np.full(shape, 900.0), 2)
    places = node_places(shape, (1.0, 1.0, 1.0))
    exact = np.zeros_like(places)
    exact[first] = 0.01 * places[second]
    problem = ElasticityProblem(
        material, (1.0, 1.0, 1.0), hold_field(NodeConditions.free(shape), outer_nodes(shape), exact)
    )

    stress = element_stress_mpa(problem, solve_elasticity(problem, TIGHT).displacement_mm)

    modulus = 0.121 * 900.0 if row == 5 else 0.157 * 900.0
    assert stress[row] == pytest.approx(0.01 * modulus, rel=1e-9)
    assert np.abs(np.delete(stress, row, axis=0)).max() <= 1e-9


def _bone(shape: tuple[int, int, int], seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.1, 0.0, rng.uniform(50.0, 2000.0, shape))


def test_reactions_equal_the_load() -> None:
    shape = (9, 8, 10)
    material = IsotropicMaterial(_bone(shape), 0.3)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    conditions = NodeConditions.free(shape).hold(bottom).push(top, (30.0, -20.0, -500.0))

    solution = solve_elasticity(ElasticityProblem(material, (1.0, 1.0, 1.0), conditions), TIGHT)

    force_n, moment_nmm = resultant(solution, bottom)
    assert force_n == pytest.approx([-30.0, 20.0, 500.0], rel=1e-9)
    arms = np.argwhere(top).astype(float)
    pushed = np.cross(arms, np.array([30.0, -20.0, -500.0])).mean(axis=0)
    assert moment_nmm == pytest.approx(-pushed, rel=1e-9)
    assert solution.strain_energy_mj == pytest.approx(
        0.5 * float((conditions.force_n * solution.displacement_mm).sum()), rel=1e-9
    )


def test_a_turned_body_gives_turned_results() -> None:
    young = _bone((7, 8, 9))
    _, upright, top = pressed(IsotropicMaterial(young, 0.3), -0.01)

    _, lying, high = pressed(
        IsotropicMaterial(np.ascontiguousarray(np.moveaxis(young, 2, 0)), 0.3), -0.01, axis=0
    )

    assert resultant(lying, high)[0][0] == pytest.approx(resultant(upright, top)[0][2], rel=1e-9)
    assert lying.strain_energy_mj == pytest.approx(upright.strain_energy_mj, rel=1e-9)


def test_a_mirrored_body_gives_mirrored_displacements() -> None:
    shape = (8, 7, 9)
    young = _bone(shape)

    def displacement(moduli: np.ndarray) -> np.ndarray:
        material = IsotropicMaterial(moduli, 0.3)
        bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
        conditions = NodeConditions.free(shape).hold(bottom).hold(top).hold(top, (2,), -0.1)
        return solve_elasticity(
            ElasticityProblem(material, (1.0, 1.0, 1.0), conditions), TIGHT
        ).displacement_mm

    mirrored = displacement(np.ascontiguousarray(young[::-1]))[:, ::-1]
    mirrored[0] *= -1.0

    assert np.abs(mirrored - displacement(young)).max() <= 1e-11


def test_a_turned_plane_answers_with_the_bending_moment() -> None:
    shape, angle = (6, 4, 20), 2e-3
    material = IsotropicMaterial(np.full(shape, 1000.0), 0.0)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    middle = (3.0, 2.0, 20.0)
    conditions = (
        NodeConditions.free(shape)
        .hold(bottom, (2,))
        .pin_rigid_motion(bottom)
        .hold_rigid(
            top, spacing_mm=(1.0, 1.0, 1.0), rotation_rad=(0.0, angle, 0.0), about_mm=middle, components=(2,)
        )
    )

    solution = solve_elasticity(ElasticityProblem(material, (1.0, 1.0, 1.0), conditions), TIGHT)

    force_n, moment_nmm = resultant(solution, top, middle)
    assert force_n == pytest.approx([0.0, 0.0, 0.0], abs=1e-8)
    # a brick can only bend by shearing as well: G·A·h²/12 joins E·I, h the length of a brick
    rigidity = 1000.0 * 4.0 * 6.0**3 / 12.0 + 500.0 * 24.0 / 12.0
    assert moment_nmm[1] == pytest.approx(rigidity * angle / 20.0, rel=1e-9)
