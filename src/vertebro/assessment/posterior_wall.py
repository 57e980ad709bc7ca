"""The body's back wall: does it bulge, and how much canal is left behind it.

Local frame, mm. The bulge is how far the wall stands behind the straight line between its corners
(:mod:`vertebro.assessment.wall_profile`); a healthy wall is concave and its bulge negative.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.canal import CanalProfile, canal_profile, narrowest_mm
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.assessment.wall_profile import WallProfile, back_surface_mm, outline_error_mm, wall_profile
from vertebro.case import Estimate, PosteriorWall
from vertebro.findings import Finding, finding


def _middle_band(profile: WallProfile, settings: TissueSettings) -> NDArray[np.float64]:
    """The part of ``behind_line_mm`` between the corners' own rounding."""
    count = profile.rows.size
    cut = min(round(settings.wall_bulge_band_percent / 100.0 * count), (count - 1) // 2)
    return profile.behind_line_mm[:, cut : count - cut]


def measure_posterior_wall(
    anatomy: LevelAnatomy,
    above: LevelAnatomy | None,
    below: LevelAnatomy | None,
    settings: TissueSettings,
) -> tuple[PosteriorWall, tuple[Finding, ...]]:
    """Bulge of the back wall, depth of the canal, and its loss against the neighbours.

    Parameters
    ----------
    anatomy : LevelAnatomy
    above, below : LevelAnatomy or None
        The adjacent levels; None where there is none.
    settings : TissueSettings

    Returns
    -------
    PosteriorWall
        What could not be measured is missing with its reason.
    findings : tuple of Finding
        ``tissue.wall_bulge``, ``tissue.wall_step``.

    Notes
    -----
    The bulge is the largest over planes within ``wall_half_width_mm`` of the middle, after a 3 × 3
    median. Its interval is the outline's error against a line through two such points,
    √1.5 of one point's, and the spread between planes.
    """
    if not anatomy.complete:
        return _all_missing("the level is cut by the field of view"), ()
    profile = wall_profile(anatomy, settings, above, below)
    if profile is None:
        return _all_missing("no continuous back wall was found in the label"), ()
    band = ndimage.median_filter(_middle_band(profile, settings), size=3, mode="nearest")
    bulge = float(band.max())
    if bulge > settings.wall_bulge_max_mm:
        return _all_missing(
            f"the label's back outline stands {bulge:.0f} mm behind its corners, more than a back wall can: "
            "part of the vertebra is not labelled"
        ), ()
    spread = float(np.std(band.max(axis=1)))
    error = math.hypot(math.sqrt(1.5) * outline_error_mm(anatomy), spread)
    bulge_mm = Estimate.symmetric(
        bulge,
        error,
        "mm",
        f"largest distance behind the line between the wall's corners, planes within "
        f"{settings.wall_half_width_mm:.0f} mm of the middle; negative is concave"
        + _corner_words(anatomy, profile, settings),
    )
    depth = _depth_estimate(anatomy, _canal(anatomy, profile, settings))
    encroachment = _encroachment(depth, [_canal_depth(level, settings) for level in (above, below)])
    wall = PosteriorWall(bulge_mm, depth, encroachment)
    return wall, _wall_findings(anatomy, wall, profile, settings)


def _all_missing(reason: str) -> PosteriorWall:
    return PosteriorWall(
        Estimate.missing("mm", reason), Estimate.missing("mm", reason), Estimate.missing("percent", reason)
    )


def _corner_words(anatomy: LevelAnatomy, profile: WallProfile, settings: TissueSettings) -> str:
    if profile.corner_step_mm is None:
        return "; no neighbours on both sides to tell whether a corner is displaced"
    moved = [
        name
        for name, step in zip(("lower", "upper"), profile.corner_step_mm, strict=True)
        if step > max(settings.wall_corner_slack_mm, outline_error_mm(anatomy) / 2.0)
    ]
    if not moved:
        return ""
    return f"; {' and '.join(moved)} corner displaced, taken where the neighbours' walls put it"


def _canal(
    anatomy: LevelAnatomy, profile: WallProfile | None, settings: TissueSettings
) -> CanalProfile | None:
    if profile is None:
        return None
    return canal_profile(anatomy, back_surface_mm(anatomy), profile.line_mm, profile.rows, settings)


def _depth_estimate(anatomy: LevelAnatomy, canal: CanalProfile | None) -> Estimate:
    if canal is None:
        return Estimate.missing("mm", "no continuous back wall was found in the label")
    if not canal.is_known:
        return Estimate.missing("mm", canal.reason)
    error = math.sqrt(2.0) * outline_error_mm(anatomy)
    value = narrowest_mm(canal)
    bony = 100.0 * float(canal.is_bony.mean())
    return Estimate(
        value,
        max(min(value, 0.0), value - error),
        value + error,
        "mm",
        "narrowest distance from the back wall to the line through the foremost lamina, along the middle; "
        f"lamina seen at {bony:.0f} % of the body's heights",
    )


def _canal_depth(anatomy: LevelAnatomy | None, settings: TissueSettings) -> Estimate:
    if anatomy is None:
        return Estimate.missing("mm", "no such level")
    if not anatomy.complete:
        return Estimate.missing("mm", f"{anatomy.name} is cut by the field of view")
    return _depth_estimate(anatomy, _canal(anatomy, wall_profile(anatomy, settings), settings))


def _encroachment(depth: Estimate, neighbours: list[Estimate]) -> Estimate:
    """Loss of depth against the mean of the known neighbours, percent; negative where it is deeper."""
    known = [item for item in neighbours if item.is_known]
    if not depth.is_known:
        return Estimate.missing("percent", depth.basis)
    if not known:
        reasons = "; ".join(dict.fromkeys(item.basis for item in neighbours))
        return Estimate.missing("percent", f"no neighbouring canal to compare with ({reasons})")
    reference = float(np.mean([item.require() for item in known]))
    value = 100.0 * (reference - depth.require()) / reference
    own = (depth.upper or 0.0) - depth.require()
    others = math.sqrt(sum(((item.upper or 0.0) - item.require()) ** 2 for item in known)) / len(known)
    natural = 12.0 if len(known) == 2 else 18.0
    error = math.sqrt((100.0 / reference) ** 2 * (own**2 + others**2) + natural**2)
    return Estimate(
        value,
        value - error,
        max(value, min(value + error, 100.0)),
        "percent",
        f"against the mean of {len(known)} neighbouring level{'s' if len(known) > 1 else ''} "
        f"({reference:.1f} mm); includes {natural:.0f} % natural difference between levels (assumed)",
    )


def _wall_findings(
    anatomy: LevelAnatomy, wall: PosteriorWall, profile: WallProfile, settings: TissueSettings
) -> tuple[Finding, ...]:
    found = []
    bulge = wall.bulge_mm.require()
    if bulge > settings.bulge_finding_mm and (wall.bulge_mm.lower or 0.0) > settings.bulge_surely_mm:
        found.append(
            finding(
                "tissue.wall_bulge",
                f"The back wall stands {bulge:.1f} mm behind the line between its corners.",
                where=anatomy.name,
                evidence={"bulge_mm": round(bulge, 2)},
            )
        )
    for name, step in zip(("lower", "upper"), profile.corner_step_mm or (), strict=False):
        if step > settings.corner_step_finding_mm + outline_error_mm(anatomy):
            found.append(
                finding(
                    "tissue.wall_step",
                    f"The {name} back corner stands {step:.1f} mm behind the curve of the neighbours' walls.",
                    where=anatomy.name,
                    evidence={"corner": name, "step_mm": round(step, 2)},
                )
            )
    return tuple(found)
