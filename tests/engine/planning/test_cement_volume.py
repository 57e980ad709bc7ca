"""The planning range of cement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tissue_bodies import heights, known
from tissue_levels import make_level
from vertebro.case import Cleft, Estimate
from vertebro.planning.cement_volume import CementVolumeSettings, plan_cement_ml

SETTINGS = CementVolumeSettings()


def _level(volume_ml: float | None, **changes):  # type: ignore[no-untyped-def]
    level = make_level("L1")
    estimate = Estimate.missing("ml", "not measured") if volume_ml is None else known(volume_ml, "ml")
    return replace(level, dimensions=replace(level.dimensions, volume_ml=estimate), **changes)


def test_the_range_is_shares_of_the_bodys_volume() -> None:
    amount, findings = plan_cement_ml(_level(30.0), SETTINGS)

    assert (amount.lower, amount.value, amount.upper) == pytest.approx((3.0, 4.86, 8.94))
    assert findings == ()


def test_a_collapsed_body_counts_with_its_healthy_volume() -> None:
    level = _level(20.0, heights_mm=heights(15.0, 15.0, 15.0), expected_heights_mm=heights(30.0, 30.0, 30.0))

    amount, _ = plan_cement_ml(level, SETTINGS)

    assert amount.value == pytest.approx(0.162 * 40.0)


def test_a_clefts_volume_is_added() -> None:
    without, _ = plan_cement_ml(_level(30.0), SETTINGS)
    with_cleft, _ = plan_cement_ml(_level(30.0, cleft=Cleft(True, known(1.5, "ml"))), SETTINGS)

    assert with_cleft.value == pytest.approx(without.value + 1.5)


def test_more_than_seven_millilitres_are_warned_of() -> None:
    _, findings = plan_cement_ml(_level(50.0), SETTINGS)

    assert [item.code for item in findings] == ["plan.much_cement"]
    assert findings[0].evidence["planned_ml"] == pytest.approx(8.1)


def test_an_unmeasured_body_has_no_range_but_a_reason() -> None:
    amount, findings = plan_cement_ml(_level(None), SETTINGS)

    assert amount.value is None
    assert amount.basis == "not measured"
    assert findings == ()
