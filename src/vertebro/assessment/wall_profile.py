"""The course of a body's back wall, its corners, and the line from which a bulge is read.

Local frame, mm: y runs to anterior, so the canal lies at smaller y. The wall of one sagittal plane is
the body's most posterior surface at each height; its corners are where it would meet the endplates
were they not rounded. A fragment can carry a corner backwards with it, so a corner counts only as
far back as the smooth curve through the neighbours' corners allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.tissue_regions import local_axes_mm, spacing_mm
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.geometry import apply_affine, invert_affine

_CURVE_SCALE_MM = 20.0
"""Heights are divided by this before a cubic is fitted, for the sake of the numbers only."""


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
    """(m, n): how far the wall stands behind the line between its corners; negative in front of it."""
    corners_mm: NDArray[np.float64]
    """(m, 2, 2): (anterior, superior) of the lower and the upper corner of each plane, as they are."""
    corner_step_mm: tuple[float, float] | None
    """How far the lower and the upper corner stand behind the neighbours' curve; None without both."""

    @property
    def line_mm(self) -> NDArray[np.float64]:
        """(n,): anterior coordinate of the reference line, median over the planes."""
        return np.asarray(np.median(self.wall_mm + self.behind_line_mm, axis=0))

    def share_behind(self, limit_mm: float) -> float:
        """Share of the wall that stands behind its line by more than a limit."""
        return float((self.behind_line_mm > limit_mm).mean())

    def middle_corners_mm(self) -> NDArray[np.float64]:
        """(2, 2): (anterior, superior) of the lower and upper corner, median over the planes."""
        return np.asarray(np.median(self.corners_mm, axis=0))


def outline_error_mm(anatomy: LevelAnatomy) -> float:
    """95 % error of an outline's place along the depth: a source voxel, for drawn and learnt outlines."""
    return max(anatomy.source_spacing_mm[1], spacing_mm(anatomy))


def back_surface_mm(anatomy: LevelAnatomy) -> NDArray[np.float64]:
    """(x, z): anterior coordinate of the body's most posterior surface; NaN where there is no body.

    Read at half height of the slightly blurred mask, so it lies between voxels where the body does.
    """
    soft = ndimage.gaussian_filter(anatomy.body.astype(np.float32), 0.6)
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


def wall_profile(
    anatomy: LevelAnatomy,
    settings: TissueSettings,
    above: LevelAnatomy | None = None,
    below: LevelAnatomy | None = None,
) -> WallProfile | None:
    """The back wall near the middle.

    Parameters
    ----------
    anatomy : LevelAnatomy
    settings : TissueSettings
    above, below : LevelAnatomy, optional
        The adjacent levels. Where both are complete, their walls tell how far back a corner belongs.

    Returns
    -------
    WallProfile, or None where the body has no continuous wall (a stray or cut label).
    """
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
    if rows.size < 5 or wall is None:
        return None
    wall = ndimage.median_filter(wall, size=(3, 1), mode="nearest")
    heights = superior[rows]
    lower = _virtual_corner(wall, heights, settings)
    upper = _virtual_corner(wall[:, ::-1], heights[::-1], settings)
    curve = _neighbour_curve(anatomy, above, below, settings)
    steps = None
    reference = [lower[:, 0], upper[:, 0]]
    if curve is not None:
        belongs = np.polyval(curve, np.array([heights[0], heights[-1]]) / _CURVE_SCALE_MM)
        steps = (
            float(belongs[0] - np.median(lower[:, 0])),
            float(belongs[1] - np.median(upper[:, 0])),
        )
        slack = max(settings.wall_corner_slack_mm, outline_error_mm(anatomy) / 2.0)
        reference = [np.maximum(own, at - slack) for own, at in zip(reference, belongs, strict=True)]
    share = (heights - heights[0]) / (heights[-1] - heights[0])
    line = reference[0][:, None] * (1.0 - share) + reference[1][:, None] * share
    return WallProfile(columns, rows, wall, line - wall, np.stack([lower, upper], axis=1), steps)


def _virtual_corner(
    wall: NDArray[np.float64], heights: NDArray[np.float64], settings: TissueSettings
) -> NDArray[np.float64]:
    """(m, 2): (anterior, superior) where the wall would meet its first row were the corner not rounded.

    The wall's course between the two ends of ``wall_corner_percent`` is carried on straight to the end.
    """
    near, far = (share / 100.0 * (heights.size - 1) for share in settings.wall_corner_percent)
    first = max(1, round(near))
    last = min(max(first + 1, round(far)), heights.size - 1)
    place = slice(first, last + 1)
    offset = np.polyfit(heights[place] - heights[0], wall[:, place].T, 1)[1]
    limit = settings.wall_corner_reach_mm
    corner = np.clip(offset, wall[:, first] - limit, wall[:, first] + limit)
    return np.stack([corner, np.full_like(corner, heights[0])], axis=1)


def _neighbour_curve(
    anatomy: LevelAnatomy,
    above: LevelAnatomy | None,
    below: LevelAnatomy | None,
    settings: TissueSettings,
) -> NDArray[np.float64] | None:
    """Cubic through the four back corners of the neighbours, in this level's frame; None without both.

    It follows the spine's own bend, which a straight line from the wall above to the wall below cuts.
    """
    points = []
    for level in (below, above):
        profile = wall_profile(level, settings) if level is not None and level.complete else None
        if level is None or profile is None:
            return None
        corners = profile.middle_corners_mm()
        local = np.column_stack([np.zeros(2), corners])
        world = apply_affine(level.lps_from_vertebra, local)
        points.append(apply_affine(invert_affine(anatomy.lps_from_vertebra), world))
    y_mm, z_mm = np.concatenate(points)[:, 1:].T
    if np.any(np.diff(z_mm) < 2.0):  # overlapping or upside-down neighbours carry no curve
        return None
    return np.asarray(np.polyfit(z_mm / _CURVE_SCALE_MM, y_mm, 3))


def _span(anatomy: LevelAnatomy, column: int, surface: NDArray[np.float64]) -> tuple[int, int] | None:
    """First and last row of the wall in one plane: the endplates' height just in front of the wall."""
    plane = anatomy.body[column]
    has_rows = np.flatnonzero(np.isfinite(surface))
    if has_rows.size < 5:
        return None
    inner = has_rows[has_rows.size // 8 : has_rows.size - has_rows.size // 8]
    foremost_mm = float(np.percentile(surface[inner], 80))
    _, anterior, _ = local_axes_mm(anatomy)
    strip = np.flatnonzero((anterior >= foremost_mm + 1.0) & (anterior <= foremost_mm + 5.0))
    strip = strip[plane[strip].any(axis=1)]
    if strip.size == 0:
        return None
    last = plane.shape[1] - 1
    top = last - np.argmax(plane[strip, ::-1], axis=1)
    bottom = np.argmax(plane[strip], axis=1)
    return int(np.median(bottom)), int(np.median(top))


def _filled(wall: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Rows without a wall at the ends of a plane take the nearest row's; None if much is missing."""
    known = np.isfinite(wall)
    if known.size == 0 or known.mean() < 0.8 or not known.any(axis=1).all():
        return None
    filled = wall.copy()
    at = np.arange(wall.shape[1])
    for plane, has in zip(filled, known, strict=True):
        plane[~has] = np.interp(at[~has], at[has], plane[has])
    return filled
