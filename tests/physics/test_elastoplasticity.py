"""Bodies pressed beyond yield against closed forms: bars, shear, softening on any grid, damage."""

from __future__ import annotations

import numpy as np
import pytest

from elasticity_bodies import hold_field, node_places, outer_nodes
from vertebro.errors import InputError
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    IsotropicMaterial,
    NodeConditions,
    OrthotropicMaterial,
    solve_elasticity,
)
from vertebro.numerics.elastoplasticity import (
    LoadCurve,
    NonlinearSettings,
    PlasticMaterial,
    StepStatus,
    solve_load_path,
)

pytestmark = pytest.mark.physics
CUBE = (1.0, 1.0, 1.0)
HARDENING = PlasticMaterial(hardening_ratio=0.05, max_damage=0.0)


def _pressed(
    young: np.ndarray,
    strain: float,
    plastic: PlasticMaterial,
    factors: np.ndarray,
    h: float = 1.0,
    **more: object,
) -> LoadCurve:
    material = IsotropicMaterial(young, 0.3)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    length = young.shape[2] * h
    conditions = (
        NodeConditions.free(young.shape)
        .hold(bottom, (2,))
        .hold(top, (2,), strain * length)
        .pin_rigid_motion(bottom)
    )
    problem = ElasticityProblem(material, (h, h, h), conditions)
    return solve_load_path(problem, plastic, factors, monitor=top, **more)  # type: ignore[arg-type]


def _bar_stress(strain: np.ndarray, young: float, law: PlasticMaterial, yield_strain: float) -> np.ndarray:
    """Closed form of a bar: elastic, then hardening, times what damage leaves."""
    plastic = np.maximum(strain - yield_strain, 0.0) / (1.0 + law.hardening_ratio)
    damage = -law.max_damage * np.expm1(-plastic / law.softening_strain)
    return (1.0 - damage) * young * (strain - plastic)


@pytest.mark.parametrize(("sign", "yield_strain"), [(-1.0, 0.0084), (1.0, 0.0078)])
def test_a_hardening_bar_follows_the_closed_form(sign: float, yield_strain: float) -> None:
    factors = np.linspace(0.1, 1.0, 10)

    curve = _pressed(np.full((3, 2, 4), 1000.0), sign * 0.03, HARDENING, factors)

    # in tension the flow is slower: H is the slope in compression, σt/σc of it squared away in between
    strain = 0.03 * factors
    plastic_slope = 0.05 * (yield_strain / 0.0084) ** 2
    plastic = np.maximum(strain - yield_strain, 0.0) / (1.0 + plastic_slope)
    expected = 6.0 * 1000.0 * (strain - plastic)
    assert set(curve.status) == {StepStatus.CONVERGED}
    assert sign * curve.force_n[:, 2] == pytest.approx(expected, rel=2e-4)
    assert curve.displacement_mm[:, 2] == pytest.approx(sign * strain * 4.0, rel=1e-9)


def test_a_softening_bar_follows_the_closed_form() -> None:
    law, factors = PlasticMaterial(softening_strain=0.03), np.linspace(0.05, 1.0, 20)

    # one layer of bricks: a longer bar would crush in one layer and spring back in the others
    curve = _pressed(np.full((2, 2, 1), 800.0), -0.05, law, factors)

    expected = 4.0 * _bar_stress(0.05 * factors, 800.0, law, 0.0084)
    assert -curve.force_n[:, 2] == pytest.approx(expected, rel=1e-2)
    assert -curve.force_n[-1, 2] < 0.9 * -curve.force_n[:, 2].min()


def test_equal_yield_strains_make_von_mises() -> None:
    """Pure shear yields at E·ε/√3."""
    shape = (3, 3, 3)
    places = node_places(shape, CUBE)
    exact = np.zeros_like(places)
    exact[0] = 0.05 * places[1]
    conditions = hold_field(NodeConditions.free(shape), outer_nodes(shape), exact)
    material = IsotropicMaterial(np.full(shape, 1000.0), 0.25)
    law = PlasticMaterial(0.01, 0.01, hardening_ratio=1e-3, max_damage=0.0)
    side = np.zeros((4, 4, 4), dtype=bool)
    side[:, -1] = True

    curve = solve_load_path(
        ElasticityProblem(material, CUBE, conditions), law, np.linspace(0.1, 1.0, 10), monitor=side
    )

    shear = curve.force_n[:, 0] / 9.0
    assert shear[1] == pytest.approx(400.0 * 0.01, rel=1e-6)
    assert shear[-1] == pytest.approx(10.0 / np.sqrt(3.0), rel=0.01)


def _force_after_the_peak(n: int, reference_size_mm: float) -> np.ndarray:
    """A column of 1×1×4 mm sheared sideways, one layer weak, ``n`` bricks to the millimetre.

    Nodes move sideways only, so that the layers do not hinder one another.
    """
    shape = (n, n, 4 * n)
    strains = np.full(shape, 0.0084)
    strains[:, :, 2 * n] = 0.0078
    weak = PlasticMaterial(
        strains, strains, hardening_ratio=1e-3, softening_strain=0.03, reference_size_mm=reference_size_mm
    )
    material = IsotropicMaterial(np.full(shape, 1000.0), 0.3)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    conditions = (
        NodeConditions.free(shape).hold(material.active_nodes(), (1, 2)).hold(bottom).hold(top, (0,), 0.12)
    )
    problem = ElasticityProblem(material, (1.0 / n,) * 3, conditions)
    curve = solve_load_path(problem, weak, np.linspace(0.05, 1.0, 20), monitor=top)
    force = curve.force_n[:, 0]
    return force[int(np.argmax(force)) + 1 :] / force.max()


@pytest.mark.slow
def test_softening_depends_little_on_the_grid() -> None:
    """The weak layer alone gives way, with the same energy whether it is 1 or 0.5 mm thick."""
    coarse = _force_after_the_peak(1, 1.0)
    fine = _force_after_the_peak(2, 1.0)
    unregularised = _force_after_the_peak(2, 0.5)

    n = min(len(coarse), len(fine), len(unregularised))
    difference = np.abs(fine[:n] - coarse[:n]).max()
    assert coarse[-1] < 0.8
    assert difference < 0.1
    assert difference < 0.5 * np.abs(unregularised[:n] - coarse[:n]).max()


def test_damage_at_the_start_takes_stiffness_and_strength() -> None:
    young, factors = np.full((2, 2, 3), 1000.0), np.linspace(0.1, 1.0, 10)

    whole = _pressed(young, -0.02, HARDENING, factors)
    broken = _pressed(young, -0.02, HARDENING, factors, damage=np.full(young.shape, 0.4))

    assert broken.force_n[:, 2] == pytest.approx(0.6 * whole.force_n[:, 2], rel=1e-3)
    assert broken.damage == pytest.approx(0.4, abs=1e-9)


def test_before_yield_the_curve_is_the_linear_solution() -> None:
    young = np.random.default_rng(3).uniform(100.0, 1500.0, (6, 5, 7))
    material = IsotropicMaterial(young, 0.3)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    conditions = NodeConditions.free(young.shape).hold(bottom).hold(top).hold(top, (2,), -0.01)
    problem = ElasticityProblem(material, CUBE, conditions)

    curve = solve_load_path(
        problem, PlasticMaterial(), [0.5, 1.0], NonlinearSettings(tolerance=1e-8), monitor=top
    )

    linear = solve_elasticity(problem, ElasticitySettings(tolerance=1e-10))
    force = linear.reactions_n[:, top].sum(axis=1)
    assert curve.force_n[1] == pytest.approx(force, rel=1e-6, abs=1e-6 * abs(force[2]))
    assert curve.force_n[0] == pytest.approx(0.5 * force, rel=1e-6, abs=1e-6 * abs(force[2]))
    assert not curve.plastic_length.any()


def test_elements_that_never_yield_stay_elastic() -> None:
    young = np.full((3, 3, 6), 500.0)
    strains = np.full(young.shape, 0.0084)
    strains[:, :, :2] = np.inf

    curve = _pressed(young, -0.03, PlasticMaterial(strains, strains), np.linspace(0.1, 1.0, 10))

    assert not curve.plastic_length[:, :, :2].any()
    assert (curve.plastic_length[:, :, 3:] > 0.0).all()
    assert -curve.force_n[-1, 2] == pytest.approx(9 * 500 * 0.0084, rel=0.06)


def test_a_bone_of_random_bricks_yields_smoothly_to_three_percent() -> None:
    rng = np.random.default_rng(5)
    young = np.where(rng.random((10, 9, 8)) < 0.1, 0.0, 50.0 * 40.0 ** rng.random((10, 9, 8)))

    curve = _pressed(young, -0.03, PlasticMaterial(), np.linspace(0.1, 1.0, 10))

    force = -curve.force_n[:, 2]
    assert all(status.is_usable for status in curve.status)
    assert (np.diff(force)[:2] > 0.0).all()
    stiffness = force[0] / 0.003
    peak = force.max() / (stiffness * 0.0084)
    assert 0.7 < peak < 1.1
    assert ((curve.damage >= 0.0) & (curve.damage <= 0.9)).all()


def test_a_body_that_no_load_reaches_has_an_empty_curve() -> None:
    young = np.full((3, 3, 5), 500.0)
    young[:, :, 2] = 0.0

    curve = _pressed(young, -0.01, PlasticMaterial(), np.array([1.0]))

    assert curve.status == ()
    assert curve.force_n.shape == (0, 3)


def test_wrong_loads_and_materials_are_refused() -> None:
    young = np.full((2, 2, 2), 500.0)
    with pytest.raises(InputError, match="do not rise"):
        _pressed(young, -0.01, PlasticMaterial(), np.array([0.5, 0.5]))
    with pytest.raises(InputError, match="outside 0 to below 1"):
        _pressed(young, -0.01, PlasticMaterial(), np.array([1.0]), damage=np.ones((2, 2, 2)))
    with pytest.raises(InputError, match="not above 0"):
        PlasticMaterial(yield_strain_tension=0.0)
    material = OrthotropicMaterial.transversely_isotropic(young)
    top = material.end_nodes(2, 1)
    problem = ElasticityProblem(material, CUBE, NodeConditions.free((2, 2, 2)).hold(top))
    with pytest.raises(InputError, match="orthotropic"):
        solve_load_path(problem, PlasticMaterial(), [1.0], monitor=top)
