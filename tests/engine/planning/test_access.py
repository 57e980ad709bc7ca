"""One needle or two, through the pedicle or beside it, and what is said where neither works."""

from __future__ import annotations

import numpy as np
import pytest

from made_vertebra import made_vertebra
from vertebro.case import Approach, Side
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.planning.access import plan_access
from vertebro.planning.settings import AccessSettings

SETTINGS = AccessSettings()


def _best(plan, side):  # type: ignore[no-untyped-def]
    return next((path for path in plan.paths if path.side is side and path.recommended), None)


def test_wide_inclined_pedicles_need_one_needle() -> None:
    site, _ = made_vertebra(22.0, 0.0, (5.0, 6.5))

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    assert plan.access == "unipedicular"
    assert "reaches the midline" in plan.reason
    for side in Side:
        assert abs(_best(plan, side).target_lps_mm[0] - 34.0) <= SETTINGS.unipedicular_offset_mm + 0.3
        assert _best(plan, side).access == "unipedicular"


def test_straight_slender_pedicles_need_two() -> None:
    site, _ = made_vertebra(0.0, 0.0, (3.0, 5.0))

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    assert plan.access == "bipedicular"
    assert all(_best(plan, side).access == "bipedicular" for side in Side)
    assert all(_best(plan, side).approach is Approach.TRANSPEDICULAR for side in Side)


def test_a_single_open_side_is_used_and_the_other_is_explained() -> None:
    site, _ = made_vertebra(22.0, 0.0, (5.0, 6.5), right_radii_mm=(0.9, 1.5))

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    assert plan.access == "unipedicular"
    assert "from the left" in plan.reason
    assert _best(plan, Side.LEFT).access == "unipedicular"
    assert _best(plan, Side.RIGHT) is None
    assert [item.code for item in plan.findings if "right" in item.message] == ["plan.no_pedicle"]


def test_a_single_side_reaches_the_midline_beside_a_pedicle_that_does_not_lead_there() -> None:
    site, _ = made_vertebra(0.0, 0.0, (3.0, 5.0), right_radii_mm=(0.9, 1.5))

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    best = _best(plan, Side.LEFT)
    assert plan.access == "unipedicular"
    assert best.approach is Approach.PARAPEDICULAR
    assert abs(best.target_lps_mm[0] - 34.0) <= SETTINGS.unipedicular_offset_mm + 0.1


def test_a_single_needle_that_stops_short_of_the_midline_is_not_recommended() -> None:
    site, _ = made_vertebra(0.0, 0.0, (3.0, 5.0), right_radii_mm=(0.9, 1.5))
    grid = VolumeGeometry.from_spacing((134, 144, 54), (2.0, 2.0, 2.0), (-100.0, -100.0, -32.0))
    hu = np.full(grid.shape, 40, np.int16)
    hu[(np.abs(np.arange(134) * 2.0 - 134.0) > 30.0) & (np.abs(np.arange(134) * 2.0 - 134.0) < 60.0)] = -1000
    with_lung = Volume(hu, grid)  # beside the spine: only the straight way is open

    plan = plan_access(site, "vertebroplasty", with_lung, SETTINGS)

    short = [path for path in plan.paths if path.access == "bipedicular"]
    assert plan.access == "none"
    assert "no needle from there reaches the midline" in plan.reason
    assert not any(path.recommended for path in plan.paths)
    assert any("mm too far" in text for path in short for text in path.broken_limits)


def test_beside_a_pedicle_too_narrow_for_any_cannula() -> None:
    site, _ = made_vertebra(10.0, 0.0, (1.2, 4.0))

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    through = [path for path in plan.paths if path.approach is Approach.TRANSPEDICULAR]
    beside = [path for path in plan.paths if path.approach is Approach.PARAPEDICULAR]
    assert beside
    assert all(path.broken_limits for path in through)
    assert all(path.margins_mm["canal"] > 0.0 for path in beside if path.recommended)
    assert all(path.pedicle_width_mm < 4.0 for path in beside)


def test_labels_without_an_arch_give_a_finding_and_no_path() -> None:
    site, _ = made_vertebra(0.0, 0.0, (3.0, 5.0), sides=(), with_arch=False)

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    assert plan.access == "none"
    assert plan.paths == ()
    assert [item.code for item in plan.findings] == ["plan.no_canal"]


@pytest.mark.parametrize(
    ("use", "gauge"), [("vertebroplasty", "11 G cannula"), ("kyphoplasty", "10 G cannula")]
)
def test_the_cannula_suits_the_procedure(use: str, gauge: str) -> None:
    site, _ = made_vertebra(15.0, 0.0, (5.0, 6.5))

    plan = plan_access(site, use, None, SETTINGS)

    assert {path.device for path in plan.paths} == {gauge}


def test_at_most_one_path_of_a_side_is_recommended_and_it_comes_first() -> None:
    site, _ = made_vertebra(12.0, 5.0, (4.0, 6.0))

    plan = plan_access(site, "vertebroplasty", None, SETTINGS)

    for side in Side:
        flags = [path.recommended for path in plan.paths if path.side is side]
        assert flags[0]
        assert sum(flags) == 1
