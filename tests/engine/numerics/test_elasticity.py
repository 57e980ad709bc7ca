"""Odd bodies and odd loads: always an answer with a status, never NaN, never a hang."""

from __future__ import annotations

import numpy as np
import pytest

from elasticity_bodies import pressed
from vertebro.errors import InputError, MismatchError, SettingsError, SolverError
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    ElasticityStatus,
    IsotropicMaterial,
    NodeConditions,
    OrthotropicMaterial,
    resultant,
    solve_elasticity,
)
from vertebro.numerics.elasticity_layout import Layout

CUBE = (1.0, 1.0, 1.0)


def _loaded(young: np.ndarray, settings: ElasticitySettings | None = None):  # type: ignore[no-untyped-def]
    material = IsotropicMaterial(young, 0.3)
    conditions = (
        NodeConditions.free(young.shape)
        .hold(material.end_nodes(2, -1))
        .hold(material.end_nodes(2, 1), (2,), -0.1)
    )
    return solve_elasticity(ElasticityProblem(material, CUBE, conditions), settings)


def test_a_loose_crumb_is_left_out_and_counted() -> None:
    young = np.zeros((8, 8, 8))
    young[:5, :5, :] = 500.0
    whole = _loaded(young)
    young[6:, 6:, 3:5] = 900.0

    solution = _loaded(young)

    assert solution.status is ElasticityStatus.CONVERGED
    assert (solution.statistics.n_pieces, solution.statistics.n_dropped_pieces) == (2, 1)
    assert int(solution.dropped_elements.sum()) == 8
    assert np.isfinite(solution.displacement_mm).all()
    assert solution.strain_energy_mj == pytest.approx(whole.strain_energy_mj, rel=1e-9)


def test_a_bone_in_two_halves_carries_nothing() -> None:
    young = np.full((5, 5, 8), 500.0)
    young[:, :, 4] = 0.0

    solution = _loaded(young)

    assert solution.status is ElasticityStatus.NOTHING_TO_DO
    assert "one piece" in solution.status.remedy
    assert not solution.reactions_n.any()


def test_columns_between_two_plates_all_carry_though_one_could_still_turn() -> None:
    young = np.zeros((9, 3, 6))
    young[:3] = 500.0
    young[6:] = 1000.0

    _, solution, top = pressed(IsotropicMaterial(young, 0.3), -0.01)

    assert solution.statistics.n_loose_pieces >= 1
    assert solution.statistics.n_iterations < 60
    assert resultant(solution, top)[0][2] == pytest.approx(-0.01 * 9 * 1500.0, rel=1e-9)


def test_one_voxel_carries_a_whole_bone() -> None:
    young = np.full((15, 15, 20), 1000.0)
    young[:, :, 10] = 0.0
    young[7, 7, 10] = 1000.0

    solution = _loaded(young)

    assert solution.status is ElasticityStatus.CONVERGED
    assert 0.0 < solution.strain_energy_mj < 0.1 * _loaded(np.full((15, 15, 20), 1000.0)).strain_energy_mj


@pytest.mark.parametrize("contrast", [1e2, 1e4, 1e6])
def test_a_great_contrast_of_moduli_converges(contrast: float) -> None:
    rng = np.random.default_rng(1)
    young = 10.0 * contrast ** rng.integers(0, 2, (14, 13, 15))

    solution = _loaded(young)

    assert solution.status is ElasticityStatus.CONVERGED
    assert solution.statistics.n_iterations < 400


def test_an_empty_grid_says_so() -> None:
    material = IsotropicMaterial(np.zeros((3, 3, 3)), 0.3)

    solution = solve_elasticity(ElasticityProblem(material, CUBE, NodeConditions.free((3, 3, 3))))

    assert solution.status is ElasticityStatus.NO_MATERIAL
    with pytest.raises(InputError, match="no element has stiffness"):
        material.end_nodes(2, 1)


def test_a_force_that_nothing_resists_says_so() -> None:
    material = IsotropicMaterial(np.full((3, 3, 3), 100.0), 0.3)
    conditions = NodeConditions.free((3, 3, 3)).push(material.end_nodes(2, 1), (0.0, 0.0, -1.0))
    problem = ElasticityProblem(material, CUBE, conditions)

    assert solve_elasticity(problem).status is ElasticityStatus.UNSUPPORTED
    with pytest.raises(SolverError, match="Hold that piece"):
        solve_elasticity(problem, throw=True)


def test_a_pair_of_forces_needs_no_support() -> None:
    material = IsotropicMaterial(np.full((3, 3, 6), 100.0), 0.3)
    conditions = (
        NodeConditions.free((3, 3, 6))
        .push(material.end_nodes(2, 1), (0.0, 0.0, 90.0))
        .push(material.end_nodes(2, -1), (0.0, 0.0, -90.0))
    )

    solution = solve_elasticity(ElasticityProblem(material, CUBE, conditions))

    assert solution.status is ElasticityStatus.CONVERGED
    work = 0.5 * float((conditions.force_n * solution.displacement_mm).sum())
    assert solution.strain_energy_mj == pytest.approx(work, rel=1e-9)
    assert work > 0.5 * 90.0 * 0.6  # even traction would stretch it by 0.6 mm; equal node forces by more
    assert not solution.reactions_n.any()


def test_no_load_leaves_the_body_as_it_is() -> None:
    material = IsotropicMaterial(np.full((3, 3, 3), 100.0), 0.3)
    conditions = NodeConditions.free((3, 3, 3)).hold(material.end_nodes(2, -1))

    solution = solve_elasticity(ElasticityProblem(material, CUBE, conditions))

    assert solution.status is ElasticityStatus.NOTHING_TO_DO
    assert solution.status.is_usable
    assert not solution.displacement_mm.any()


def test_too_few_iterations_are_told() -> None:
    young = np.random.default_rng(1).uniform(10.0, 1000.0, (10, 10, 10))

    solution = _loaded(young, ElasticitySettings(max_iterations=2))

    assert solution.status is ElasticityStatus.NOT_CONVERGED
    assert "more iterations" in solution.status.remedy
    assert len(solution.statistics.residuals) == 3


def test_a_near_solution_as_a_start_saves_iterations() -> None:
    young = np.random.default_rng(1).uniform(10.0, 1000.0, (10, 10, 10))
    first = _loaded(young)
    material = IsotropicMaterial(young * 1.0001, 0.3)
    conditions = (
        NodeConditions.free(young.shape)
        .hold(material.end_nodes(2, -1))
        .hold(material.end_nodes(2, 1), (2,), -0.1001)
    )

    again = solve_elasticity(ElasticityProblem(material, CUBE, conditions), start=first)

    assert again.status is ElasticityStatus.CONVERGED
    assert again.statistics.n_iterations < first.statistics.n_iterations
    assert again.strain_energy_mj == pytest.approx(first.strain_energy_mj * 1.0001 * 1.001**2, rel=1e-7)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    young = np.random.default_rng(1).uniform(10.0, 1000.0, (50, 48, 44))
    assert len(Layout(young.shape, CUBE).bands()) > 1  # large enough to be shared out

    one, two = (_loaded(young, ElasticitySettings(tolerance=1e-4, n_threads=n)) for n in (1, 2))

    assert np.array_equal(one.displacement_mm, two.displacement_mm)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match="negative"):
        IsotropicMaterial(np.full((2, 2, 2), -1.0), 0.3)
    with pytest.raises(InputError, match="not a number"):
        IsotropicMaterial(np.full((2, 2, 2), np.nan), 0.3)
    with pytest.raises(InputError, match="Poisson"):
        IsotropicMaterial(np.ones((2, 2, 2)), 0.5)
    with pytest.raises(InputError, match="no real material"):
        OrthotropicMaterial(np.full((9, 2, 2, 2), 1.0))
    with pytest.raises(MismatchError, match="elements \\+ 1"):
        ElasticityProblem(IsotropicMaterial(np.ones((2, 2, 2))), CUBE, NodeConditions.free((3, 2, 2)))
    with pytest.raises(InputError, match="spacing"):
        ElasticityProblem(
            IsotropicMaterial(np.ones((2, 2, 2))), (1.0, 0.0, 1.0), NodeConditions.free((2, 2, 2))
        )
    with pytest.raises(SettingsError):
        ElasticitySettings(tolerance=0.5)
    with pytest.raises(MismatchError, match="not elements"):
        NodeConditions.free((2, 2, 2)).hold(np.ones((2, 2, 2), dtype=bool))


def test_materials_join_where_told() -> None:
    bone = IsotropicMaterial(np.full((4, 4, 4), 300.0), 0.3)
    cement = np.zeros((4, 4, 4), dtype=bool)
    cement[1:3, 1:3] = True

    treated = bone.where(cement, IsotropicMaterial(np.full((4, 4, 4), 2500.0), 0.35))

    assert isinstance(treated, IsotropicMaterial)
    assert treated.young_mpa[1, 1, 0] == 2500.0
    assert np.asarray(treated.poisson)[0, 0, 0] == 0.3
    trabecular = OrthotropicMaterial.transversely_isotropic(np.full((4, 4, 4), 300.0))
    mixed = trabecular.where(cement, treated)
    assert np.array_equal(mixed.stiffness_mpa[:, 1, 1, 0], treated.constants_mpa()[:, 1, 1, 0])
    assert np.array_equal(mixed.stiffness_mpa[:, 0, 0, 0], trabecular.stiffness_mpa[:, 0, 0, 0])
