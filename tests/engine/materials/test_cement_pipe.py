"""Closed forms of pressure lost in cannulas, against each other and against quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from vertebro.materials.cement_pipe import (
    Tube,
    delivery_pressure_mpa,
    double_diameter_saving,
    hagen_poiseuille_mpa,
    herschel_bulkley_mpa,
    herschel_bulkley_rate_mm3_s,
    power_law_mpa,
)
from vertebro.materials.cement_rheology import RheologyPoint

TUBE = Tube(125.0, 2.39)
RATE = 4000.0 / 60.0


def test_a_power_law_of_index_one_is_hagen_poiseuille() -> None:
    assert power_law_mpa(TUBE, RATE, 200e-6, 1.0) == pytest.approx(
        hagen_poiseuille_mpa(TUBE, RATE, 200e-6), rel=1e-12
    )


@pytest.mark.parametrize(
    ("bore", "newtonian", "thinning"),
    [(2.69, 1.30, 0.245), (2.39, 2.08, 0.330), (1.80, 6.47, 0.670), (3.43, 0.491, 0.134)],
)
def test_pressures_of_the_usual_cannulas(bore: float, newtonian: float, thinning: float) -> None:
    tube = Tube(125.0, bore)

    assert hagen_poiseuille_mpa(tube, RATE, 200e-6) == pytest.approx(newtonian, rel=0.01)
    assert power_law_mpa(tube, RATE, 200e-6, 0.5) == pytest.approx(thinning, rel=0.01)


@pytest.mark.parametrize("yield_mpa", [0.0, 20e-6, 200e-6])
@pytest.mark.parametrize("index", [0.3, 0.5, 1.0])
def test_herschel_bulkley_agrees_with_quadrature_of_its_velocity(index: float, yield_mpa: float) -> None:
    k, pressure, radius = 200e-6, 0.8, TUBE.radius_mm

    def shear(r: float) -> float:
        stress = pressure * r / (2.0 * TUBE.length_mm)
        return max((stress - yield_mpa) / k, 0.0) ** (1.0 / index)

    plug = 2.0 * TUBE.length_mm * yield_mpa / pressure
    flow = np.pi * quad(lambda r: r * r * shear(r), plug, radius, epsabs=0.0, epsrel=1e-11)[0]

    assert herschel_bulkley_rate_mm3_s(TUBE, pressure, k, index, yield_mpa) == pytest.approx(flow, rel=1e-8)
    assert herschel_bulkley_mpa(TUBE, flow, k, index, yield_mpa) == pytest.approx(pressure, rel=1e-8)


def test_nothing_flows_below_the_yield() -> None:
    least = 2.0 * TUBE.length_mm * 100e-6 / TUBE.radius_mm

    assert herschel_bulkley_rate_mm3_s(TUBE, 0.999 * least, 200e-6, 0.5, 100e-6) == 0.0
    assert herschel_bulkley_rate_mm3_s(TUBE, 1.01 * least, 200e-6, 0.5, 100e-6) > 0.0


def test_doubling_two_thirds_of_the_bore_saves_what_was_measured() -> None:
    """Baroud and Steffen 2005: 63 % with the double bore over 67.2 % of the length."""
    share, curve = 0.672, RheologyPoint(0.0, 200.0, 1.0)
    plain = delivery_pressure_mpa([TUBE], RATE, curve)
    wide = delivery_pressure_mpa(
        [Tube(share * 125.0, 2 * 2.39), Tube((1 - share) * 125.0, 2.39)], RATE, curve
    )

    assert 1.0 - wide / plain == pytest.approx(0.63, rel=0.01)
    assert double_diameter_saving(share) == pytest.approx(1.0 - wide / plain, rel=1e-9)


@pytest.mark.parametrize("index", [0.4, 0.7])
def test_the_saving_of_a_shear_thinning_cement(index: float) -> None:
    curve = RheologyPoint(0.0, 200.0, index)
    plain = delivery_pressure_mpa([Tube(100.0, 2.0)], RATE, curve)
    wide = delivery_pressure_mpa([Tube(50.0, 4.0), Tube(50.0, 2.0)], RATE, curve)

    assert double_diameter_saving(0.5, index) == pytest.approx(1.0 - wide / plain, rel=1e-9)


def test_pressure_changes_sign_with_the_rate() -> None:
    assert power_law_mpa(TUBE, -RATE, 200e-6, 0.5) == -power_law_mpa(TUBE, RATE, 200e-6, 0.5)
    assert power_law_mpa(TUBE, 0.0, 200e-6, 0.5) == 0.0
