"""Everyday loads: the equation by hand, its trends, and measured disc pressures."""

from __future__ import annotations

import math

import pytest

from vertebro.case import Estimate
from vertebro.mechanics.activity_loads import (
    activities,
    activity_loads,
    compression_n,
    factor_of_risk,
    ratio_of,
    strength_threshold,
)
from vertebro.mechanics.settings import PersonSettings

WILKE = PersonSettings(weight_kg=70.0, height_cm=174.0)
DISC_MM2, PRESSURE_RATIO = 1800.0, 1.5


def test_equation_by_hand() -> None:
    weight, load = 70.0 * 9.81, 20.0 * 9.81
    expected = (
        0.0167 * weight * 174.0 * math.sin(math.radians(75.0))
        + 0.145 * load * 40.0
        + 0.8 * (weight / 2 + load)
        + 23.0
    )

    assert compression_n(activities()["lifting_20_kg_stooped"], 70.0, 174.0) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["standing", "walking", "lifting_20_kg_stooped"])
def test_measured_disc_pressures_lie_within_the_interval(name: str) -> None:
    measured = activities()[name].measured_mpa
    assert measured is not None
    measured_n = measured * DISC_MM2 / PRESSURE_RATIO

    load = activity_loads("L5", WILKE)[name]

    assert (load.lower or 0.0) <= measured_n <= (load.upper or 0.0)


def test_loads_grow_with_weight_stoop_and_down_the_spine() -> None:
    light = activity_loads("L2", PersonSettings(weight_kg=50.0, height_cm=165.0))["standing"].require()
    heavy = activity_loads("L2", PersonSettings(weight_kg=90.0, height_cm=165.0))["standing"].require()
    bent = PersonSettings(weight_kg=50.0, height_cm=165.0, extra_stoop_deg=20.0)

    assert heavy > 1.5 * light
    assert activity_loads("L2", bent)["standing"].require() > 1.3 * light
    assert activity_loads("T8", bent)["standing"].require() < activity_loads("L4", bent)["standing"].require()


def test_unknown_weight_widens_the_interval() -> None:
    def width(person: PersonSettings) -> float:
        load = activity_loads("L2", person)["bending"]
        return (load.upper or 0.0) / load.require()

    assert width(PersonSettings()) > width(PersonSettings(weight_kg=70.0, height_cm=165.0))


def test_risk_is_missing_without_strength() -> None:
    loads = activity_loads("L2", WILKE)

    risks = factor_of_risk(loads, Estimate.missing("N", "no curve"))

    assert not any(risk.is_known for risk in risks.values())
    assert risks["standing"].basis == "no curve"


def test_ratio_of_intervals_is_wider_than_either() -> None:
    top = Estimate(100.0, 80.0, 125.0, "N", "")
    ratio = ratio_of(top, top, "same")

    assert ratio.value == 1.0
    assert (ratio.upper or 0.0) == pytest.approx(math.exp(math.hypot(math.log(1.25), math.log(1.25))))


def test_thresholds_differ_by_sex() -> None:
    women, men = strength_threshold("F"), strength_threshold("M")

    assert women is not None
    assert men is not None
    assert (women.fragile_n, men.fragile_n) == (4500.0, 6500.0)
