"""Cement's flow by age, shear and warmth."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.cement.site import rheology_of
from vertebro.devices.cements import cement_names, load_cement
from vertebro.errors import InputError
from vertebro.materials.cement_rheology import (
    SET_VISCOSITY_PA_S,
    CementRheology,
    RheologyPoint,
    apparent_viscosity_pa_s,
)

POINTS = (RheologyPoint(120.0, 40.0, 0.6), RheologyPoint(360.0, 160.0, 0.5, 20.0))


def test_consistency_grows_geometrically_between_points() -> None:
    rheology = CementRheology(POINTS)

    assert rheology.at_age(240.0).consistency_pa_s == pytest.approx(80.0)
    assert rheology.at_age(240.0).flow_index == pytest.approx(0.55)
    assert rheology.at_age(240.0).yield_stress_pa == pytest.approx(10.0)


@pytest.mark.parametrize("name", cement_names())
def test_every_product_thickens_with_age_until_it_is_set(name: str) -> None:
    rheology = rheology_of(load_cement(name))
    ages = np.linspace(0.0, 1.2 * rheology.set_age_s, 200)

    viscosity = [float(rheology.viscosity_pa_s(age, 1.0)) for age in ages]

    assert np.all(np.diff(viscosity) >= 0.0)
    assert viscosity[-1] == pytest.approx(SET_VISCOSITY_PA_S, rel=1e-6)
    assert rheology.is_set(rheology.set_age_s)
    assert not rheology.is_set(0.9 * rheology.set_age_s)


@pytest.mark.parametrize("name", cement_names())
def test_every_product_thins_with_shear(name: str) -> None:
    rheology = rheology_of(load_cement(name))

    viscosity = rheology.viscosity_pa_s(300.0, [0.001, 0.1, 1.0, 10.0, 100.0])

    assert np.all(np.diff(viscosity[2:]) < 0.0)
    assert viscosity[0] == viscosity[1] == viscosity[2]


def test_a_yield_stress_adds_to_the_viscosity_and_stays_finite_at_rest() -> None:
    with_yield = apparent_viscosity_pa_s(RheologyPoint(0.0, 100.0, 0.5, 50.0), [0.0, 1.0])
    without = apparent_viscosity_pa_s(RheologyPoint(0.0, 100.0, 0.5), [0.0, 1.0])

    assert np.all(np.isfinite(with_yield))
    assert with_yield[1] - without[1] == pytest.approx(50.0, rel=1e-3)


def test_warm_cement_ages_faster() -> None:
    rheology = rheology_of(load_cement("generic"))

    rates = rheology.ageing_rate([15.0, 22.0, 37.0])

    assert rates[1] == pytest.approx(1.0)
    assert rates[0] < 1.0 < 2.0 < rates[2] < 3.5


def test_a_scaled_cement_is_thicker_at_every_age() -> None:
    rheology = CementRheology(POINTS)

    thicker = rheology.scaled(3.0)

    for age in (0.0, 120.0, 300.0):
        assert float(thicker.viscosity_pa_s(age, 2.0)) == pytest.approx(
            3.0 * float(rheology.viscosity_pa_s(age, 2.0))
        )


@pytest.mark.parametrize(
    "points",
    [
        (POINTS[0],),
        (POINTS[1], POINTS[0]),
        (RheologyPoint(0.0, -1.0, 0.5), RheologyPoint(9.0, 1.0, 0.5)),
        (RheologyPoint(0.0, 1.0, 0.5), RheologyPoint(2000.0, 2.0, 0.5)),
    ],
)
def test_a_flow_curve_that_makes_no_sense_is_refused(points: tuple[RheologyPoint, ...]) -> None:
    with pytest.raises(InputError) as refused:
        CementRheology(points)
    assert refused.value.code == "cement.rheology"


def test_a_negative_age_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        CementRheology(POINTS).at_age(-1.0)
    assert refused.value.code == "cement.age"
