"""Numbers with their interval and basis."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from vertebro.case import Estimate


def test_an_estimate_holds_what_it_was_given() -> None:
    height = Estimate(18, 17, 19, "mm", "caliper")

    assert (height.value, height.lower, height.upper, height.unit, height.basis) == (
        18.0,
        17.0,
        19.0,
        "mm",
        "caliper",
    )
    assert height.is_known
    assert all(isinstance(number, float) for number in (height.value, height.lower, height.upper))


def test_a_missing_estimate_says_why_and_has_no_number() -> None:
    cut = Estimate.missing("mm", "the level is cut by the field of view")

    assert not cut.is_known
    assert (cut.value, cut.lower, cut.upper) == (None, None, None)
    with pytest.raises(ValueError, match="no value: the level is cut by the field of view"):
        cut.require()


def test_require_gives_the_value() -> None:
    assert Estimate(2.0, 1.0, 3.0, "mm", "ruler").require() == 2.0


@pytest.mark.parametrize(
    "numbers",
    [
        (1.0, 2.0, 3.0),
        (4.0, 2.0, 3.0),
        (2.5, 3.0, 2.0),
        (math.nan, 1.0, 2.0),
        (1.5, -math.inf, 2.0),
        (1.5, 1.0, math.inf),
        (None, 1.0, 2.0),
        (1.5, None, 2.0),
        (1.5, 1.0, None),
    ],
)
def test_senseless_numbers_are_refused(numbers: tuple[float | None, ...]) -> None:
    with pytest.raises(ValueError, match="an estimate needs"):
        Estimate(*numbers, "mm", "wrong")  # type: ignore[arg-type]


def test_a_degenerate_interval_is_allowed() -> None:
    assert Estimate(0.0, 0.0, 0.0, "percent", "identical").is_known


@pytest.mark.parametrize("half_width", [0.5, -0.5])
def test_symmetric_interval(half_width: float) -> None:
    estimate = Estimate.symmetric(2.0, half_width, "mm", "ruler")

    assert (estimate.lower, estimate.upper) == (1.5, 2.5)


def test_json_is_rounded_and_has_no_negative_zero() -> None:
    data = Estimate(-0.00004, -1.23456, 2.71828, "deg", "fit").to_json()

    assert data == {"value": 0.0, "lower": -1.235, "upper": 2.718, "unit": "deg", "basis": "fit"}
    assert json.dumps(data["value"]) == "0.0"


def test_json_of_a_missing_estimate_is_null() -> None:
    data = Estimate.missing("ml", "no cleft").to_json()

    assert json.loads(json.dumps(data)) == {
        "value": None,
        "lower": None,
        "upper": None,
        "unit": "ml",
        "basis": "no cleft",
    }


def test_json_keeps_more_decimals_on_request() -> None:
    assert Estimate(1.23456, 1.0, 2.0, "mm", "fit").to_json(decimals=4)["value"] == 1.2346


def test_an_estimate_cannot_be_changed() -> None:
    estimate = Estimate(2.0, 1.0, 3.0, "mm", "ruler")

    with pytest.raises(dataclasses.FrozenInstanceError):
        estimate.value = 5.0  # type: ignore[misc]
    assert dataclasses.replace(estimate, value=1.5).value == 1.5
    with pytest.raises(ValueError, match="lower <= value <= upper"):
        dataclasses.replace(estimate, value=5.0)
