"""Needle paths against pedicles whose best axis is known."""

from __future__ import annotations

import numpy as np
import pytest

from made_vertebra import made_vertebra
from vertebro.case import Side
from vertebro.devices.cannulas import cannula_named
from vertebro.planning.judge import Axis, judge
from vertebro.planning.search import Aim, cost_of, find_axis
from vertebro.planning.settings import AccessSettings

STEP_MM = 0.4
"""Voxel of the made bodies. The margins are those of a stepped surface, so the best axis differs from
the true one by up to a quarter of this: on 0.5 mm voxels a tilted ellipse misses 0.1 mm by 0.03 mm."""
SETTINGS = AccessSettings(patch_spacing_mm=STEP_MM)


@pytest.mark.parametrize(
    ("inclination_deg", "tilt_deg", "radii_mm"),
    [(0.0, 0.0, (5.0, 5.0)), (12.0, 0.0, (4.5, 4.5)), (15.0, 8.0, (4.5, 7.0)), (5.0, -6.0, (4.0, 6.5))],
    ids=["straight cylinder", "inclined cylinder", "tilted ellipse", "raised ellipse"],
)
def test_the_path_is_the_pedicles_axis(inclination_deg, tilt_deg, radii_mm) -> None:  # type: ignore[no-untyped-def]
    site, axes = made_vertebra(inclination_deg, tilt_deg, radii_mm, step_mm=STEP_MM)

    for side, (point, direction) in axes.items():
        aim = Aim(side, -20.0, 20.0, 8.0)
        found = find_axis(site, site.pedicles[side], aim, cannula_named("13"), SETTINGS)

        assert found is not None
        axis, cost = found
        angle_deg = np.degrees(np.arccos(np.clip(axis.direction_v @ direction, -1.0, 1.0)))
        offset = axis.through_v - point
        distance_mm = np.linalg.norm(offset - (offset @ direction) * direction)
        assert angle_deg <= 0.5
        assert distance_mm <= 0.1
        reach_mm = (axis.tip_v[1] - point[1]) / direction[1]
        true = Axis(side, point + direction, point + reach_mm * direction, axis.rear_mm)
        arguments = (aim, cannula_named("13"), SETTINGS)
        assert cost <= cost_of(site, site.pedicles[side], true, *arguments) + 0.001


def test_margins_of_a_centred_path_are_the_pedicles_radius_less_the_cannulas() -> None:
    site, _ = made_vertebra(0.0, 0.0, (5.0, 5.0), step_mm=STEP_MM)
    cannula = cannula_named("11")
    found = find_axis(site, site.pedicles[Side.LEFT], Aim(Side.LEFT, -20.0, 20.0, 8.0), cannula, SETTINGS)

    assert found is not None
    verdict = judge(site, found[0], cannula, SETTINGS)
    for name in ("medial", "lateral", "superior", "inferior"):
        assert verdict.margins_mm[name] == pytest.approx(5.0 - cannula.radius_mm, abs=0.3)
    assert verdict.gertzbein_robbins == "A"
    assert verdict.broken == ()
