"""Needle paths against pedicles whose best axis is known."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.case import Side
from vertebro.devices.cannulas import cannula_named
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop
from vertebro.planning.judge import Axis, judge
from vertebro.planning.search import Aim, cost_of, find_axis
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import make_site

STEP_MM = 0.4
"""Voxel of the made bodies. The margins are those of a stepped surface, so the best axis differs from
the true one by up to a quarter of this: on 0.5 mm voxels a tilted ellipse misses 0.1 mm by 0.03 mm."""
SETTINGS = AccessSettings(patch_spacing_mm=STEP_MM)


def _vertebra(inclination_deg: float, tilt_deg: float, radii_mm: tuple[float, float]):  # type: ignore[no-untyped-def]
    """A block of a body, two straight pedicles of elliptic section, and an arch behind them.

    Frame: right, anterior, superior. The pedicles' axes cross the body's back wall 15 mm beside the
    midline and incline to it by ``inclination_deg``, to caudal by ``tilt_deg``.
    """
    x, y, z = np.meshgrid(*(np.arange(-n, n + STEP_MM, STEP_MM) for n in (34.0, 52.0, 22.0)), indexing="ij")
    body = (np.abs(x) <= 22.0) & (np.abs(y) <= 16.0) & (np.abs(z) <= 13.0)
    bone = body.copy()
    axes = {}
    for side, sign in ((Side.RIGHT, 1.0), (Side.LEFT, -1.0)):
        direction = np.array(
            [-sign * np.tan(np.radians(inclination_deg)), 1.0, -np.tan(np.radians(tilt_deg))]
        )
        direction /= np.linalg.norm(direction)
        point = np.array([sign * 15.0, -16.0, 3.0])
        across = np.cross(direction, [0.0, 0.0, 1.0])
        across /= np.linalg.norm(across)
        upward = np.cross(across, direction)
        offset = np.stack([x, y, z], axis=-1) - point
        inside = ((offset @ across) / radii_mm[0]) ** 2 + ((offset @ upward) / radii_mm[1]) ** 2 <= 1.0
        bone |= inside & (y < 0.0) & (y > -30.0)
        axes[side] = (point, direction)
    arch = (np.abs(x) <= 26.0) & (y <= -30.0) & (y >= -36.0) & (np.abs(z) <= 12.0)
    bone |= arch
    grid = VolumeGeometry.from_spacing(bone.shape, (STEP_MM,) * 3)
    frame = np.eye(4)
    frame[:3, 3] = (34.0, 52.0, 22.0)  # the block's centre; local axes along the array's
    site = make_site("L1", MaskCrop(bone, grid), MaskCrop(body, grid), frame, SETTINGS.patch_spacing_mm)
    assert site is not None
    return site, axes


@pytest.mark.parametrize(
    ("inclination_deg", "tilt_deg", "radii_mm"),
    [(0.0, 0.0, (5.0, 5.0)), (12.0, 0.0, (4.5, 4.5)), (15.0, 8.0, (4.5, 7.0)), (5.0, -6.0, (4.0, 6.5))],
    ids=["straight cylinder", "inclined cylinder", "tilted ellipse", "raised ellipse"],
)
def test_the_path_is_the_pedicles_axis(inclination_deg, tilt_deg, radii_mm) -> None:  # type: ignore[no-untyped-def]
    site, axes = _vertebra(inclination_deg, tilt_deg, radii_mm)

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
    site, _ = _vertebra(0.0, 0.0, (5.0, 5.0))
    cannula = cannula_named("11")
    found = find_axis(site, site.pedicles[Side.LEFT], Aim(Side.LEFT, -20.0, 20.0, 8.0), cannula, SETTINGS)

    assert found is not None
    verdict = judge(site, found[0], cannula, SETTINGS)
    for name in ("medial", "lateral", "superior", "inferior"):
        assert verdict.margins_mm[name] == pytest.approx(5.0 - cannula.radius_mm, abs=0.3)
    assert verdict.gertzbein_robbins == "A"
    assert verdict.broken == ()
