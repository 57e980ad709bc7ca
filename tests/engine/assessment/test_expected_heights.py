"""Heights expected of an unfractured body."""

from __future__ import annotations

import pytest

from vertebro.assessment.expected_heights import (
    LevelMeasure,
    expected_heights,
    is_own_expectation,
    loss_percent,
    spine_order,
    typical_heights,
)
from vertebro.assessment.settings import AssessmentSettings
from vertebro.case import Estimate, Level

SETTINGS = AssessmentSettings()


def level(name: str, order: int, size: float = 1.0, *, usable: bool = True, **lost: float) -> LevelMeasure:
    """A level of typical shape, with a share of some heights lost."""
    heights = {
        key: Estimate.symmetric(size * value * (1.0 - lost.get(key, 0.0)), 0.4, "mm", "made")
        for key, value in typical_heights()[name].items()
    }
    return LevelMeasure(name, order, heights, usable)


def test_every_assessable_level_has_typical_heights():
    wanted = {item.value for item in Level if item.is_assessable}

    assert wanted <= set(typical_heights())


def test_sound_spine_expects_what_it_measures():
    spine = [level(name, order, 1.1) for order, name in enumerate(("T11", "T12", "L1", "L2"))]

    expected, suspects = expected_heights(spine, SETTINGS)

    assert suspects == frozenset()
    for item in spine:
        for key, height in item.heights_mm.items():
            assert getattr(expected[item.name], key).value == pytest.approx(height.value, rel=1e-6)


def test_fractured_level_does_not_pull_its_neighbours_down():
    spine = [
        level("T11", 0),
        level("T12", 1),
        level("L1", 2, anterior=0.5, middle=0.4, posterior=0.25),
        level("L2", 3),
        level("L3", 4),
    ]

    expected, suspects = expected_heights(spine, SETTINGS)

    assert suspects == frozenset({"L1"})
    assert expected["T12"].posterior.value == pytest.approx(typical_heights()["T12"]["posterior"])
    assert expected["L1"].anterior.value == pytest.approx(typical_heights()["L1"]["anterior"], rel=0.02)


def test_two_adjacent_fractures_are_both_found():
    spine = [
        level("T10", 0),
        level("T11", 1),
        level("T12", 2, anterior=0.35),
        level("L1", 3, anterior=0.45, middle=0.3),
        level("L2", 4),
        level("L3", 5),
    ]

    expected, suspects = expected_heights(spine, SETTINGS)

    assert suspects == frozenset({"T12", "L1"})
    loss = loss_percent(spine[3].heights_mm["anterior"], expected["L1"].anterior)
    assert loss is not None
    assert loss.value == pytest.approx(45.0, abs=1.5)


def test_level_cut_by_the_scan_is_no_witness():
    cut = level("L2", 1, 0.5, usable=False)

    expected, _ = expected_heights([level("L1", 0), cut], SETTINGS)

    assert is_own_expectation(expected["L1"])
    assert expected["L2"].posterior.value == pytest.approx(typical_heights()["L2"]["posterior"])


def test_lone_level_has_a_wide_interval_and_says_so():
    alone, _ = expected_heights([level("L1", 0)], SETTINGS)
    together, _ = expected_heights([level("T12", 0), level("L1", 1), level("L2", 2)], SETTINGS)

    def width(estimate: Estimate) -> float:
        return estimate.upper - estimate.lower

    assert "no complete unfractured neighbour" in alone["L1"].posterior.basis
    assert width(alone["L1"].posterior) > 3.0 * width(together["L1"].posterior)


def test_unknown_level_is_compared_without_ratios_and_with_more_doubt():
    known, _ = expected_heights([level("L1", 0), level("L2", 1), level("L3", 2)], SETTINGS)
    stranger = LevelMeasure("extra", 1, level("L2", 1).heights_mm, True)

    expected, _ = expected_heights([level("L1", 0), stranger, level("L3", 2)], SETTINGS)

    assert expected["extra"].posterior.value == pytest.approx(23.8, abs=0.1)
    assert expected["extra"].posterior.upper - expected["extra"].posterior.lower > (
        known["L2"].posterior.upper - known["L2"].posterior.lower
    )


def test_loss_needs_both_heights():
    assert loss_percent(Estimate.missing("mm", "cut"), Estimate.symmetric(20.0, 1.0, "mm", "")) is None


@pytest.mark.parametrize(
    ("names", "orders"),
    [
        (["T11", "T12", "L1"], [0, 1, 2]),
        (["T12", "L2"], [0, 2]),
        (["T12", "T13", "L1"], [0, 1, 2]),
        (["a", "b"], [0, 1]),
    ],
)
def test_gaps_between_levels_are_kept(names, orders):
    assert spine_order(names) == orders
