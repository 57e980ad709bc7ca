"""The body's back wall: does it bulge, and how much canal is left behind it.

Local frame, mm: y runs to anterior, so the canal lies at smaller y. The wall of one sagittal plane is
the body's most posterior surface at each height; its corners are the most posterior points in the
upper and lower 12 % of its height. The bulge is how far the wall stands behind the straight line
between the corners; a healthy wall is concave and its bulge negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.canal import CanalProfile, canal_profile, narrowest_mm
from vertebro.assessment.tissue_regions import local_axes_mm, spacing_mm
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import Estimate, PosteriorWall
from vertebro.findings import Finding, finding
from vertebro.geometry import apply_affine, invert_affine


@dataclass(frozen=True, eq=False, slots=True)
class WallProfile:
    """The back wall near the middle: planes by rows."""

    columns: NDArray[np.intp]
    """(m,): patch planes (right index) read."""
    rows: NDArray[np.intp]
    """(n,): patch rows (superior index) between the corners, ascending."""
    wall_mm: NDArray[np.float64]
    """(m, n): anterior coordinate of the wall."""
    behind_line_mm: NDArray[np.float64]
    """(m, n): how far the wall stands behind its corners' line; negative in front of it."""
    corners_mm: NDArray[np.float64]
    """(m, 2, 2): (anterior, superior) of the lower and the upper corner of each plane."""

    def share_behind(self, limit_mm: float) -> float:
        """Share of the wall that stands behind its corners' line by more than a limit."""
        return float((self.behind_line_mm > limit_mm).mean())

    def middle_corners_mm(self) -> NDArray[np.float64]:
        """(2, 2): (anterior, superior) of the lower and upper corner, median over the planes."""
        return np.asarray(np.median(self.corners_mm, axis=0))


def back_surface_mm(anatomy: LevelAnatomy) -> NDArray[np.float64]:
    """(x, z): anterior coordinate of the body's most posterior surface; NaN where there is no body.

    Read at half height of the slightly blurred mask, so it lies between voxels where the body does.
    """
    soft = ndimage.gaussian_filter(anatomy.body.astype(np.float32), 0.8)
    _, anterior, _ = local_axes_mm(anatomy)
    voxel_mm = spacing_mm(anatomy)
    is_in = soft > 0.5
    first = np.argmax(is_in, axis=1)
    has_body = is_in.any(axis=1)
    previous = np.maximum(first - 1, 0)
    high = np.take_along_axis(soft, first[:, None, :], axis=1)[:, 0]
    low = np.take_along_axis(soft, previous[:, None, :], axis=1)[:, 0]
    step = np.where(first > 0, (high - 0.5) / np.maximum(high - low, 1e-6), 0.5)
    return np.where(has_body, anterior[first] - step * voxel_mm, np.nan)


def wall_profile(anatomy: LevelAnatomy, settings: TissueSettings) -> WallProfile | None:
    """The back wall near the middle; None where the body has none (a stray or cut label)."""
    right, _, superior = local_axes_mm(anatomy)
    surface = back_surface_mm(anatomy)
    planes = np.flatnonzero(np.abs(right) <= settings.wall_half_width_mm)
    spans = [_span(anatomy, int(column), surface[column]) for column in planes]
    kept = [(int(column), span) for column, span in zip(planes, spans, strict=True) if span is not None]
    if len(kept) < max(1, planes.size // 2):
        return None
    low = int(np.median([span[0] for _, span in kept]))
    high = int(np.median([span[1] for _, span in kept]))
    rows = np.arange(low, high + 1)
    columns = np.array([column for column, _ in kept], dtype=np.intp)
    wall = _filled(surface[np.ix_(columns, rows)])
    if rows.size < 4 or wall is None:
        return None
    wall = ndimage.median_filter(wall, size=(3, 1), mode="nearest")
    heights = superior[rows]
    n_corner = max(1, round(settings.wall_corner_percent / 100.0 * rows.size))
    lower_at = np.argmin(wall[:, :n_corner], axis=1)
    upper_at = rows.size - n_corner + np.argmin(wall[:, -n_corner:], axis=1)
    each = np.arange(columns.size)
    lower = np.stack([wall[each, lower_at], heights[lower_at]], axis=1)
    upper = np.stack([wall[each, upper_at], heights[upper_at]], axis=1)
    slope = (upper[:, 0] - lower[:, 0]) / (upper[:, 1] - lower[:, 1])
    line = lower[:, :1] + slope[:, None] * (heights[None, :] - lower[:, 1:])
    return WallProfile(columns, rows, wall, line - wall, np.stack([lower, upper], axis=1))


def _span(anatomy: LevelAnatomy, column: int, surface: NDArray[np.float64]) -> tuple[int, int] | None:
    """First and last row of the wall in one plane: the endplates' height just in front of the wall."""
    plane = anatomy.body[column]
    has_rows = np.flatnonzero(np.isfinite(surface))
    if has_rows.size < 4:
        return None
    middle = has_rows[has_rows.size // 4 : 3 * has_rows.size // 4 + 1]
    wall_mm = float(np.median(surface[middle]))
    _, anterior, _ = local_axes_mm(anatomy)
    strip = np.flatnonzero((anterior >= wall_mm + 1.0) & (anterior <= wall_mm + 5.0))
    strip = strip[plane[strip].any(axis=1)]
    if strip.size == 0:
        return None
    depth = plane.shape[1]
    top = depth - 1 - np.argmax(plane[strip, ::-1], axis=1)
    bottom = np.argmax(plane[strip], axis=1)
    return int(np.median(bottom)), int(np.median(top))


def _filled(wall: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Rows without a wall at the ends of a plane take the nearest row's; None if much is missing."""
    known = np.isfinite(wall)
    if known.mean() < 0.8 or not known.any(axis=1).all():
        return None
    filled = wall.copy()
    at = np.arange(wall.shape[1])
    for plane, has in zip(filled, known, strict=True):
        plane[~has] = np.interp(at[~has], at[has], plane[has])
    return filled


def _middle_band(profile: WallProfile, settings: TissueSettings) -> NDArray[np.float64]:
    """The part of ``behind_line_mm`` between the corners' own rounding."""
    count = profile.rows.size
    cut = min(round(settings.wall_bulge_band_percent / 100.0 * count), (count - 1) // 2)
    return profile.behind_line_mm[:, cut : count - cut]


def _outline_error_mm(anatomy: LevelAnatomy) -> float:
    """95 % error of an outline's place along the depth: rounding of source voxels, twice its deviation."""
    return 2.0 * max(anatomy.source_spacing_mm[1], spacing_mm(anatomy)) / math.sqrt(12.0)


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
    profile = wall_profile(anatomy, settings)
    if profile is None:
        return _all_missing("no continuous back wall was found in the label"), ()
    band = ndimage.median_filter(_middle_band(profile, settings), size=3, mode="nearest")
    bulge = float(band.max())
    spread = float(np.std(band.max(axis=1)))
    error = math.hypot(math.sqrt(1.5) * _outline_error_mm(anatomy), spread)
    bulge_mm = Estimate.symmetric(
        bulge,
        error,
        "mm",
        f"largest distance behind the line between the wall's corners, planes within "
        f"{settings.wall_half_width_mm:.0f} mm of the middle; negative is concave",
    )
    canal = _canal(anatomy, settings)
    depth = _depth_estimate(anatomy, canal)
    encroachment = _encroachment(depth, [_canal_depth(level, settings) for level in (above, below)])
    wall = PosteriorWall(bulge_mm, depth, encroachment)
    return wall, _wall_findings(anatomy, wall, _step_mm(anatomy, profile, above, below, settings), settings)


def _all_missing(reason: str) -> PosteriorWall:
    return PosteriorWall(
        Estimate.missing("mm", reason), Estimate.missing("mm", reason), Estimate.missing("percent", reason)
    )


def _canal(anatomy: LevelAnatomy, settings: TissueSettings) -> CanalProfile | None:
    profile = wall_profile(anatomy, settings)
    if profile is None:
        return None
    right, _, _ = local_axes_mm(anatomy)
    columns = np.flatnonzero(np.abs(right) <= settings.canal_half_width_mm)
    return canal_profile(anatomy, back_surface_mm(anatomy), profile.rows, columns, settings)


def _depth_estimate(anatomy: LevelAnatomy, canal: CanalProfile | None) -> Estimate:
    if canal is None:
        return Estimate.missing("mm", "no continuous back wall was found in the label")
    if not canal.is_known:
        return Estimate.missing("mm", canal.reason)
    error = math.sqrt(2.0) * _outline_error_mm(anatomy)
    value = narrowest_mm(canal)
    bony = 100.0 * float(canal.is_bony.mean())
    return Estimate(
        value,
        max(min(value, 0.0), value - error),
        value + error,
        "mm",
        f"back wall to lamina along the middle, narrowest height of the body; lamina seen at {bony:.0f} % of "
        "heights, straight line between laminae elsewhere",
    )


def _canal_depth(anatomy: LevelAnatomy | None, settings: TissueSettings) -> Estimate:
    if anatomy is None:
        return Estimate.missing("mm", "no such level")
    if not anatomy.complete:
        return Estimate.missing("mm", f"{anatomy.name} is cut by the field of view")
    return _depth_estimate(anatomy, _canal(anatomy, settings))


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
    natural = 8.0 if len(known) == 2 else 12.0
    error = math.sqrt((100.0 / reference) ** 2 * (own**2 + others**2) + natural**2)
    return Estimate(
        value,
        value - error,
        max(value, min(value + error, 100.0)),
        "percent",
        f"against the mean of {len(known)} neighbouring level{'s' if len(known) > 1 else ''} "
        f"({reference:.1f} mm); includes {natural:.0f} % natural difference between levels (assumed)",
    )


def _step_mm(
    anatomy: LevelAnatomy,
    profile: WallProfile,
    above: LevelAnatomy | None,
    below: LevelAnatomy | None,
    settings: TissueSettings,
) -> float | None:
    """How far the wall stands behind the line from the wall above to the wall below; None unknown."""
    ends = []
    for level, which in ((below, 1), (above, 0)):
        if level is None or not level.complete:
            return None
        other = wall_profile(level, settings)
        if other is None:
            return None
        y_mm, z_mm = other.middle_corners_mm()[which]
        world = apply_affine(level.lps_from_vertebra, [0.0, y_mm, z_mm])
        ends.append(apply_affine(invert_affine(anatomy.lps_from_vertebra), world))
    (_, y_low, z_low), (_, y_high, z_high) = ends
    _, _, superior = local_axes_mm(anatomy)
    heights = superior[profile.rows]
    line = y_low + (y_high - y_low) * (heights - z_low) / (z_high - z_low)
    return float(np.max(line - np.median(profile.wall_mm, axis=0)))


def _wall_findings(
    anatomy: LevelAnatomy, wall: PosteriorWall, step_mm: float | None, settings: TissueSettings
) -> tuple[Finding, ...]:
    found = []
    bulge = wall.bulge_mm.require()
    if bulge > settings.bulge_finding_mm:
        found.append(
            finding(
                "tissue.wall_bulge",
                f"The back wall stands {bulge:.1f} mm behind the line between its corners.",
                where=anatomy.name,
                evidence={"bulge_mm": round(bulge, 2)},
            )
        )
    if step_mm is not None and step_mm > settings.corner_step_finding_mm:
        found.append(
            finding(
                "tissue.wall_step",
                f"The back wall reaches {step_mm:.1f} mm behind the line from the wall above to the "
                "wall below: a displaced corner or a local kyphosis.",
                where=anatomy.name,
                evidence={"step_mm": round(step_mm, 2)},
            )
        )
    return tuple(found)
