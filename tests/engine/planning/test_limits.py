"""Each hard limit of a path's tip and way, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from made_vertebra import made_vertebra
from vertebro.case import Side
from vertebro.devices.cannulas import cannula_named
from vertebro.planning.judge import Axis, judge
from vertebro.planning.obstacles import find_cleft
from vertebro.planning.search import Aim, find_axis
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import Site

SETTINGS = AccessSettings()
CANNULA = cannula_named("11 G cannula")
# the block's body: back −16, front 16, bottom −13, top 13; pedicle's middle at x 15, z 3


@pytest.fixture(scope="module")
def site() -> Site:
    return made_vertebra(15.0, 0.0, (5.0, 6.5))[0]


def _axis(tip: tuple[float, float, float]) -> Axis:
    return Axis(Side.RIGHT, np.array([16.0, -20.0, 3.0]), np.array(tip), -28.0)


def _broken(site: Site, tip: tuple[float, float, float]) -> tuple[str, ...]:
    return judge(site, _axis(tip), CANNULA, SETTINGS).broken


def test_a_path_to_the_middle_breaks_nothing(site: Site) -> None:
    verdict = judge(site, _axis((4.0, 6.0, 2.0)), CANNULA, SETTINGS)

    assert verdict.broken == ()
    assert verdict.margins_mm["superior_endplate"] == pytest.approx(
        site.top_mm - 2.0 - CANNULA.radius_mm, abs=0.35
    )
    assert verdict.margins_mm["inferior_endplate"] == pytest.approx(
        2.0 - site.bottom_mm - CANNULA.radius_mm, abs=0.35
    )
    assert verdict.margins_mm["cleft"] is None


@pytest.mark.parametrize(("z", "which"), [(11.0, "upper"), (-11.0, "lower")])
def test_a_tip_near_an_endplate_breaks_a_limit(site: Site, z: float, which: str) -> None:
    broken = _broken(site, (4.0, 6.0, z))

    (said,) = (text for text in broken if "endplate" in text)
    to_plate = site.top_mm - z if z > 0.0 else z - site.bottom_mm
    lack = SETTINGS.endplate_margin_mm + CANNULA.radius_mm - to_plate
    assert said.endswith(f"too near the {which} endplate")
    assert float(said.split()[3]) == pytest.approx(lack, abs=0.35)


def test_a_tip_beyond_an_endplate_breaks_it_by_the_whole_way(site: Site) -> None:
    margins = judge(site, _axis((4.0, 6.0, 15.0)), CANNULA, SETTINGS).margins_mm

    assert margins["superior_endplate"] == pytest.approx(-2.0 - CANNULA.radius_mm, abs=0.4)


def test_a_tip_in_the_foremost_quarter_breaks_a_limit(site: Site) -> None:
    at_limit = site.back_mm + SETTINGS.deepest_fraction * site.depth_mm

    assert not _broken(site, (4.0, at_limit - 0.1, 2.0))
    assert _broken(site, (4.0, at_limit + 1.0, 2.0)) == (
        "the tip lies 1.0 mm further forward than 75 % of the body's depth",
    )


@pytest.mark.parametrize(
    ("z", "is_off"), [(-4.0, True), (-1.0, False), (0.5, False), (3.0, True), (7.0, False), (10.0, True)]
)
def test_a_tip_may_lie_beside_or_in_a_cleft_but_not_in_its_wall(site: Site, z: float, is_off: bool) -> None:
    centres = site.vertebra_from_patch[2, 3] + site.spacing_mm * np.arange(site.bone.shape[2])
    gas = np.zeros(site.bone.shape, bool)
    gas[:, :, (centres > 0.0) & (centres < 6.5)] = True
    with_cleft = replace(site, cleft=find_cleft(gas, site.body, site.vertebra_from_patch))

    broken = _broken(with_cleft, (4.0, 6.0, z))

    assert any("cleft" in text for text in broken) != is_off


def test_a_small_bubble_is_no_cleft(site: Site) -> None:
    gas = np.zeros(site.bone.shape, bool)
    middle = tuple(n // 2 for n in site.bone.shape)
    gas[middle[0] : middle[0] + 3, middle[1] : middle[1] + 3, middle[2] : middle[2] + 3] = True

    assert not find_cleft(gas, site.body, site.vertebra_from_patch).is_there


def test_a_search_keeps_the_tip_off_a_cleft(site: Site) -> None:
    aim = Aim(Side.RIGHT, 0.0, 12.0, 6.0)
    plain, _ = find_axis(site, site.pedicles[Side.RIGHT], aim, CANNULA, SETTINGS) or (None, 0.0)
    assert plain is not None
    centres = site.vertebra_from_patch[2, 3] + site.spacing_mm * np.arange(site.bone.shape[2])
    gas = np.zeros(site.bone.shape, bool)
    gas[:, :, np.abs(centres - plain.tip_v[2]) < 1.5] = True
    with_cleft = replace(site, cleft=find_cleft(gas, site.body, site.vertebra_from_patch))

    moved, _ = find_axis(with_cleft, site.pedicles[Side.RIGHT], aim, CANNULA, SETTINGS) or (None, 0.0)

    assert any("cleft" in text for text in judge(with_cleft, plain, CANNULA, SETTINGS).broken)
    assert moved is not None
    assert judge(with_cleft, moved, CANNULA, SETTINGS).broken == ()


def test_a_way_through_a_neighbour_breaks_a_limit(site: Site) -> None:
    axis = _axis((4.0, 6.0, 2.0))
    entry = judge(site, axis, CANNULA, SETTINGS).entry_bone_v
    y = site.vertebra_from_patch[1, 3] + site.spacing_mm * np.arange(site.bone.shape[1])
    neighbour = np.zeros(site.bone.shape, bool)
    neighbour[:, (y < entry[1] - 0.5) & (y > entry[1] - 4.0)] = True

    broken = judge(replace(site, neighbour=neighbour), axis, CANNULA, SETTINGS).broken

    (said,) = (text for text in broken if "neighbouring bone" in text)
    assert float(said.split()[6]) == pytest.approx(3.5, abs=0.6)


def test_a_way_below_the_pedicle_enters_the_opening_of_a_nerve(site: Site) -> None:
    below = Axis(Side.RIGHT, np.array([16.0, -20.0, -8.0]), np.array([4.0, 6.0, -6.0]), -28.0)

    verdict = judge(site, below, CANNULA, SETTINGS)

    foramen = verdict.margins_mm["foramen"]
    assert foramen is not None
    assert foramen < -CANNULA.radius_mm
    assert any("opening of a nerve" in text for text in verdict.broken)
