"""The two ends of the chain: levels that the scan or the sacrum cuts off."""

from __future__ import annotations

import numpy as np

from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.disc_planes import DiscEvidence, DiscPlane

LEAST_SHARE = 0.25
"""A level beyond the last disc is outlined where at least this share of its usual height is in view."""
NOT_SEEN = -9.0
"""Strength of a plane that was put where the image ends."""


def with_ends(discs: tuple[DiscPlane, ...], evidence: DiscEvidence, column: Column) -> list[DiscPlane]:
    """Discs with a plane beyond the first and the last where part of a further level is in view.

    Parameters
    ----------
    discs : tuple of DiscPlane
    evidence : DiscEvidence
    column : Column

    Returns
    -------
    list of DiscPlane
        The added ones have strength ``NOT_SEEN``.
    """
    seen = evidence.s_mm[evidence.is_seen]
    if not discs or len(seen) == 0:
        return list(discs)
    planes = list(discs)
    for is_top in (False, True):
        end = planes[-1] if is_top else planes[0]
        spacing = _spacing(planes, evidence, is_top)
        limit = float(seen[-1] if is_top else seen[0])
        room = abs(limit - end.s_mm)
        if room < LEAST_SHARE * spacing:
            continue
        place = end.s_mm + (spacing if is_top else -spacing)
        added = DiscPlane(place, 0.5 * end.tilt_rad, NOT_SEEN, 0.0)
        planes = [*planes, added] if is_top else [added, *planes]
    return planes


def _spacing(planes: list[DiscPlane], evidence: DiscEvidence, is_top: bool) -> float:
    """Spacing to expect beyond an end: the usual one there, led by the level beside it."""
    end = planes[-1] if is_top else planes[0]
    usual = float(np.interp(end.s_mm, evidence.s_mm, evidence.expected_mm))
    if len(planes) < 2:
        return usual
    beside = abs(planes[-1].s_mm - planes[-2].s_mm) if is_top else abs(planes[1].s_mm - planes[0].s_mm)
    return float(np.sqrt(usual * max(beside, 0.7 * usual)))
