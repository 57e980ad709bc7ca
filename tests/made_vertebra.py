"""A vertebra of simple shapes, whose best needle axes are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Side
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop
from vertebro.planning.site import Site, make_site

Axes = Mapping[Side, tuple[NDArray[np.float64], NDArray[np.float64]]]


def made_vertebra(
    inclination_deg: float,
    tilt_deg: float,
    radii_mm: tuple[float, float],
    *,
    step_mm: float = 0.6,
    right_radii_mm: tuple[float, float] | None = None,
    sides: tuple[Side, ...] = tuple(Side),
    with_arch: bool = True,
    name: str = "L1",
) -> tuple[Site, Axes]:
    """A block of a body, straight pedicles of elliptic section, and an arch behind them.

    Frame: right, anterior, superior. The pedicles' axes cross the body's back wall 15 mm beside the
    midline and incline to it by ``inclination_deg``, to caudal by ``tilt_deg``. Returns the site and, by
    side, a point of each axis and its direction.
    """
    x, y, z = np.meshgrid(*(np.arange(-n, n + step_mm, step_mm) for n in (34.0, 52.0, 22.0)), indexing="ij")
    body = (np.abs(x) <= 22.0) & (np.abs(y) <= 16.0) & (np.abs(z) <= 13.0)
    bone = body.copy()
    axes = {}
    for side in sides:
        sign = 1.0 if side is Side.RIGHT else -1.0
        direction = np.array(
            [-sign * np.tan(np.radians(inclination_deg)), 1.0, -np.tan(np.radians(tilt_deg))]
        )
        direction /= np.linalg.norm(direction)
        point = np.array([sign * 15.0, -16.0, 3.0])
        across = np.cross(direction, [0.0, 0.0, 1.0])
        across /= np.linalg.norm(across)
        upward = np.cross(across, direction)
        offset = np.stack([x, y, z], axis=-1) - point
        wide, high = right_radii_mm if right_radii_mm and side is Side.RIGHT else radii_mm
        inside = ((offset @ across) / wide) ** 2 + ((offset @ upward) / high) ** 2 <= 1.0
        bone |= inside & (y < 0.0) & (y > -30.0)
        axes[side] = (point, direction)
    if with_arch:
        bone |= (np.abs(x) <= 26.0) & (y <= -30.0) & (y >= -36.0) & (np.abs(z) <= 12.0)
    grid = VolumeGeometry.from_spacing(bone.shape, (step_mm,) * 3)
    frame = np.eye(4)
    frame[:3, 3] = (34.0, 52.0, 22.0)  # the block's centre; local axes along the array's
    site = make_site(name, MaskCrop(bone, grid), MaskCrop(body, grid), frame, step_mm)
    assert site is not None
    return site, axes
