"""The two ends of the chain: levels that the scan or the sacrum cuts off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.disc_planes import DiscEvidence, DiscPlane
from vertebro.segmentation.level_frame import WorldPlane, world_plane

LEAST_SHARE = 0.25
"""A level beyond the last disc is outlined where at least this share of its usual height is in view."""
NOT_SEEN = -9.0
"""Strength of a plane that was put where the image ends."""
SEARCH_SHARE = (0.65, 1.3)
"""A disc beyond the last one is looked for between these shares of the usual distance (assumed)."""
CLEAR = 0.8
"""Standardised endplate cue above which such a disc is believed (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class Boundaries:
    """The planes between levels, from caudal to cranial, those at the ends included."""

    discs: tuple[DiscPlane, ...]
    planes: tuple[WorldPlane, ...]


def with_ends(discs: tuple[DiscPlane, ...], evidence: DiscEvidence, column: Column) -> Boundaries:
    """Discs with a plane beyond the first and the last where part of a further level is in view.

    Parameters
    ----------
    discs : tuple of DiscPlane
    evidence : DiscEvidence
    column : Column

    Returns
    -------
    Boundaries
        Discs that were added without being seen have strength ``NOT_SEEN``; their planes continue the
        last disc's along its normal, so that the sacrum is met however steep it stands.
    """
    seen = evidence.s_mm[evidence.is_seen]
    chain = list(discs)
    planes = [world_plane(column, disc) for disc in chain]
    if not chain or len(seen) == 0:
        return Boundaries(tuple(chain), tuple(planes))
    for is_top in (False, True):
        sign = 1.0 if is_top else -1.0
        end = chain[-1] if is_top else chain[0]
        spacing = _spacing(chain, evidence, is_top)
        room = sign * (float(seen[-1] if is_top else seen[0]) - end.s_mm)
        if room < LEAST_SHARE * spacing:
            continue
        found = _seen_disc(end, spacing, sign, evidence)
        if found is not None:
            added, plane = found, world_plane(column, found)
        else:
            added = DiscPlane(end.s_mm + sign * spacing, end.tilt_rad, NOT_SEEN, 0.0)
            last = planes[-1] if is_top else planes[0]
            plane = WorldPlane(last.point_lps_mm + sign * spacing * last.normal_lps, last.normal_lps)
        chain = [*chain, added] if is_top else [added, *chain]
        planes = [*planes, plane] if is_top else [plane, *planes]
    return Boundaries(tuple(chain), tuple(planes))


def _seen_disc(end: DiscPlane, spacing: float, sign: float, evidence: DiscEvidence) -> DiscPlane | None:
    """A disc near the place where the next one is due, if one is clearly seen."""
    away = sign * (evidence.s_mm - end.s_mm) / spacing
    likely = evidence.is_seen & (away > SEARCH_SHARE[0]) & (away < SEARCH_SHARE[1])
    if not likely.any():
        return None
    cue = np.where(likely, evidence.endplates - 1.5 * np.abs(np.log(np.maximum(away, 0.1))), -np.inf)
    k = int(cue.argmax())
    if evidence.endplates[k] < CLEAR:
        return None
    return DiscPlane(
        float(evidence.s_mm[k]),
        float(evidence.tilt_rad[k]),
        float(evidence.endplates[k]),
        float(evidence.foramina[k]),
    )


def _spacing(chain: list[DiscPlane], evidence: DiscEvidence, is_top: bool) -> float:
    """Spacing to expect beyond an end: the usual one there, led by the level beside it."""
    end = chain[-1] if is_top else chain[0]
    usual = float(np.interp(end.s_mm, evidence.s_mm, evidence.expected_mm))
    if len(chain) < 2:
        return usual
    beside = abs(chain[-1].s_mm - chain[-2].s_mm) if is_top else abs(chain[1].s_mm - chain[0].s_mm)
    return float(np.sqrt(usual * max(beside, 0.7 * usual)))
