"""A strength that nobody ever measured is told as one."""

from __future__ import annotations

import pytest

from vertebro.case import AugmentationGain, Estimate
from vertebro.mechanics.load_vertebrae import _beyond_experience


def gain_of(strength_of_intact: Estimate) -> AugmentationGain:
    ratio = Estimate.symmetric(1.5, 0.2, "1", "made for the test")
    return AugmentationGain(
        cement_ml=5.0,
        fill_percent=20.0,
        stiffness_ratio=ratio,
        strength_ratio=ratio,
        stiffness_of_intact=ratio,
        strength_of_intact=strength_of_intact,
        stiffness_gain_per_ml=Estimate.symmetric(900.0, 100.0, "N/mm per mL", "made for the test"),
    )


def test_five_times_the_unbroken_strength_is_not_to_be_relied_on():
    (item,) = _beyond_experience("L1", gain_of(Estimate.symmetric(5.4, 1.0, "1", "made for the test")))

    assert item.code == "mechanics.beyond_experience"
    assert "5.4 times" in item.message


@pytest.mark.parametrize(
    "strength",
    [Estimate.symmetric(1.4, 0.3, "1", "made for the test"), Estimate.missing("1", "not modelled")],
)
def test_usual_or_unknown_strengths_say_nothing(strength):
    assert _beyond_experience("L1", gain_of(strength)) == []


def test_no_cement_says_nothing():
    assert _beyond_experience("L1", None) == []
