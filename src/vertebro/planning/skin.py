"""Following a needle backwards from the bone to the skin through the CT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.imaging import Volume, sample_at

STEP_MM = 0.5
AIR_HU = -300.0
"""Between fat (−100) and air (−1000): half of the way, where a partial-volume edge lies."""
GAP_MM = 1.5
"""Shorter stretches below that value are noise, not air."""
LOOK_AHEAD_MM = 50.0
BODY_MM = 25.0
"""With so much tissue within that way behind it, air was lung or bowel; a table's shells are thinner."""
OTHER_BONE_HU = 300.0
"""Bone that is not the level's own: ribs, neighbours (assumed: above muscle and vessels)."""
UNMEASURED_HU = -4000.0


@dataclass(frozen=True, eq=False, slots=True)
class SkinPassage:
    """What lies between bone and skin along a needle."""

    entry_lps_mm: NDArray[np.float64] | None
    """None where the scan ends before the skin."""
    length_mm: float | None
    other_bone_mm: float
    """Length through bone that is not the level's own."""
    air_mm: float
    """Length through lung or bowel gas."""


def find_skin(
    volume: Volume,
    entry_bone_lps_mm: NDArray[np.float64],
    backwards_lps: NDArray[np.float64],
    reach_mm: float,
) -> SkinPassage:
    """Walk from the bone towards the skin.

    Parameters
    ----------
    volume : Volume
    entry_bone_lps_mm : (3,) float array
    backwards_lps : (3,) float array
        Unit direction from the bone to the skin.
    reach_mm : float
        How far to walk.

    Returns
    -------
    SkinPassage
    """
    way_mm = np.arange(2.0, reach_mm, STEP_MM)
    points = entry_bone_lps_mm + way_mm[:, None] * backwards_lps
    hu = sample_at(volume.hu, volume.geometry, points, outside=UNMEASURED_HU)
    left_scan = np.flatnonzero(hu < -3000.0)
    stop = int(left_scan[0]) if len(left_scan) else len(hu)
    is_air = hu[:stop] < AIR_HU
    skin = _skin_index(is_air)
    through = slice(0, stop if skin is None else skin)
    other_bone = float((hu[through] > OTHER_BONE_HU).sum()) * STEP_MM
    air = float(is_air[through].sum()) * STEP_MM
    if skin is None:
        return SkinPassage(None, None, other_bone, air)
    return SkinPassage(points[skin], float(way_mm[skin]), other_bone, air)


def _skin_index(is_air: NDArray[np.bool_]) -> int | None:
    """Start of the first stretch of air that no body follows, a table at most; None where there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_air, [False]]).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    for start, stop in zip(starts, stops, strict=True):
        if (stop - start) * STEP_MM < GAP_MM:
            continue
        following = is_air[stop : stop + int(LOOK_AHEAD_MM / STEP_MM)]
        if float((~following).sum()) * STEP_MM < BODY_MM:
            return int(start)
    return None
