from __future__ import annotations

import math

import numpy as np
import pytest

from vertebro.errors import SettingsError
from vertebro.materials.curing import CuringLaw


def test_logistic_when_both_orders_are_one():
    law = CuringLaw(
        pre_exponential_per_s=0.01,
        activation_energy_j_mol=0.0,
        order_m=1.0,
        order_n=1.0,
        initial_conversion=0.02,
        limit_at_37=1.0,
        limit_slope_per_k=0.0,
    )
    seconds = np.array([0.0, 100.0, 300.0, 600.0])

    exact = 1.0 / (1.0 + 0.98 / 0.02 * np.exp(-0.01 * seconds))

    assert law.conversion_at(seconds, 37.0) == pytest.approx(exact, rel=1e-4)


def test_first_order_without_autocatalysis():
    law = CuringLaw(
        pre_exponential_per_s=0.01,
        activation_energy_j_mol=0.0,
        order_m=0.0,
        order_n=1.0,
        initial_conversion=0.0,
        limit_at_37=1.0,
        limit_slope_per_k=0.0,
    )

    assert float(law.conversion_at(120.0, 20.0)) == pytest.approx(1.0 - math.exp(-1.2), rel=1e-4)


def test_setting_time_is_met_at_its_temperature_and_warmth_hastens_it():
    law = CuringLaw.from_setting_time(660.0, at_degc=37.0)

    assert float(law.conversion_at(660.0, 37.0)) == pytest.approx(0.5, abs=1e-3)
    assert float(law.conversion_at(660.0, 21.0)) < 0.1
    assert float(law.conversion_at(300.0, 60.0)) > 0.8


def test_conversion_ends_at_the_limit_of_the_temperature():
    law = CuringLaw()

    assert float(law.conversion_at(1e7, 37.0)) == pytest.approx(law.limit_at_37, abs=1e-3)
    assert float(law.limit(120.0)) == 1.0
    assert float(law.rate_per_s(0.95, 37.0)) == 0.0


def test_default_constants_are_those_of_the_setting_time_that_they_name():
    assert CuringLaw().pre_exponential_per_s == pytest.approx(
        CuringLaw.from_setting_time(660.0).pre_exponential_per_s, rel=1e-3
    )


@pytest.mark.parametrize("seconds", [0.0, float("nan"), 1e6])
def test_impossible_setting_times_are_refused(seconds: float):
    with pytest.raises(SettingsError) as caught:
        CuringLaw.from_setting_time(seconds)

    assert caught.value.code == "material.range"
