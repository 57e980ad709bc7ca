"""Endplate surfaces with sub-voxel heights, and robust planes through them.

A surface is read column by column where the label's coverage falls through one half, from the
label alone: the grey values are not used. Planes are fitted by Huber's method with the rim left out,
so that osteophytes do not pull them, and with a collapsed middle taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import edt
import numpy as np
from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
HUBER_ITERATIONS = 30
WHOLE_WITHIN = 0.9
"""Squared radius, of the outline's, within which an endplate is fitted as a whole (assumed: the rim out)."""
RING_FROM = 0.6
"""Squared radius at which the ring begins: it is 3–4 mm wide in a body 30–35 mm deep (assumed)."""
RING_WITHIN = 0.95
MIDDLE_WITHIN = 0.1
"""Squared radius of the middle whose depth below the ring is the hollow (assumed)."""
VOXEL_SCATTER = 0.27
"""Scatter that a label's steps give its surface, as a share of a voxel (uniform: 0.29, less the blur).
Chosen between 0.25 and 0.30 so that heights of one real CT repeat when it is turned and two label files of
another agree; both just do, so it is fitted, not known."""
ROUGHNESS_MM = 0.25
"""Scatter of a sound ring about its plane; twice as much is a broken ring (chosen on the same two real
CTs: the sound levels of one had 0.1–0.9 mm, its fractured one 1.6 mm)."""
OUTLINE_SHARE = 0.2
"""How far inward of an endplate, of the body's height, its outline is taken: rims round off before."""
FALL_STEPS = 4
"""How many patch voxels beyond a body's last one its surface is sought in a column near the rim."""
SHORT_COLUMN = 0.25
"""Columns lower than this share of the middle ones are lips and spurs, not body (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class ColumnSurfaces:
    """Upper and lower surface of a body over a grid of columns in its local frame."""

    x_mm: NDArray[np.float64]
    """(nx,) to right."""
    y_mm: NDArray[np.float64]
    """(ny,) to anterior."""
    top_mm: NDArray[np.float64]
    """(nx, ny), NaN outside the body."""
    bottom_mm: NDArray[np.float64]
    rim_distance_mm: NDArray[np.float64]
    """(nx, ny) distance of a column from the endplate's outline; 0 outside."""
    first_z_mm: float
    """Height of the patch's lowest voxels."""
    step_mm: float


@dataclass(frozen=True, slots=True)
class LocalPlane:
    """``z = offset_mm + slope_x·x + slope_y·y`` in a local frame, with how well it fits."""

    offset_mm: float
    slope_x: float
    slope_y: float
    residual_mm: float
    """Median absolute residual."""

    def at(self, x_mm: float, y_mm: float) -> float:
        """Height of the plane at a place, mm."""
        return self.offset_mm + self.slope_x * x_mm + self.slope_y * y_mm

    def over(self, surfaces: ColumnSurfaces) -> NDArray[np.float64]:
        """(nx, ny): height of the plane over a body's columns, mm."""
        x, y = surfaces.x_mm[:, None], surfaces.y_mm[None, :]
        return np.asarray(self.offset_mm + self.slope_x * x + self.slope_y * y)

    def normal(self) -> NDArray[np.float64]:
        """Unit normal towards superior, local frame."""
        direction = np.array([-self.slope_x, -self.slope_y, 1.0])
        return np.asarray(direction / np.linalg.norm(direction))


def column_surfaces(
    body: NDArray[np.bool_], coverage: NDArray[np.float32], first_mm: NDArray[np.float64], step_mm: float
) -> ColumnSurfaces | None:
    """Upper and lower surface of a body.

    Parameters
    ----------
    body : (i, j, k) bool array
        Axes to right, anterior, superior.
    coverage : (i, j, k) float32 array
        0 to 1; the surface lies where it crosses 0.5.
    first_mm : (3,) float array
        Local position of voxel (0, 0, 0).
    step_mm : float

    Returns
    -------
    ColumnSurfaces or None
        None where the body is empty.
    """
    has = body.any(axis=2)
    if not has.any():
        return None
    top_index = body.shape[2] - 1 - np.argmax(body[:, :, ::-1], axis=2)
    bottom_index = np.argmax(body, axis=2)
    level = 0.5 * np.minimum(np.where(body, coverage, 0.0).max(axis=2), 1.0)
    top = _fall(coverage, top_index, level, +1)
    bottom = _fall(coverage, bottom_index, level, -1)
    height = np.where(has, (top - bottom) * step_mm, np.nan)
    typical = float(np.nanmedian(height[height >= np.nanmedian(height)])) if has.any() else 0.0
    keep = has & (np.nan_to_num(height) >= SHORT_COLUMN * typical)
    if not keep.any():
        return None
    rim = np.asarray(edt.edt(np.pad(keep, 1), parallel=1))[1:-1, 1:-1] * step_mm
    return ColumnSurfaces(
        x_mm=first_mm[0] + step_mm * np.arange(body.shape[0]),
        y_mm=first_mm[1] + step_mm * np.arange(body.shape[1]),
        top_mm=np.where(keep, first_mm[2] + step_mm * top, np.nan),
        bottom_mm=np.where(keep, first_mm[2] + step_mm * bottom, np.nan),
        rim_distance_mm=rim,
        first_z_mm=float(first_mm[2]),
        step_mm=step_mm,
    )


def walls_between(
    body: NDArray[np.bool_],
    coverage: NDArray[np.float32],
    surfaces: ColumnSurfaces,
    planes: tuple[LocalPlane | None, LocalPlane | None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Back and front wall of each sagittal row (local mm), NaN where there is none.

    Looked at a quarter, half and three quarters of the way between the endplates; the innermost
    counts, so that neither a rim nor a wall that bulges or buckles outward adds to the depth.
    """
    ends = [_ends_along_rows(*_layer(body, coverage, surfaces, planes, share)) for share in (0.25, 0.5, 0.75)]
    step = surfaces.step_mm
    back = surfaces.y_mm[0] + step * _nan_reduce(np.array([back for back, _ in ends]), np.nanmax)
    front = surfaces.y_mm[0] + step * _nan_reduce(np.array([front for _, front in ends]), np.nanmin)
    return back, front


def outline_near(
    body: NDArray[np.bool_],
    coverage: NDArray[np.float32],
    surfaces: ColumnSurfaces,
    planes: tuple[LocalPlane | None, LocalPlane | None],
    which: str,
) -> Outline | None:
    """The ellipse that a body fills a little inward of its upper ("top") or lower endplate.

    Depth from the middle quarter of its width, width from the middle of its depth; None where
    nothing is there.
    """
    share = 1.0 - OUTLINE_SHARE if which == "top" else OUTLINE_SHARE
    here, cover = _layer(body, coverage, surfaces, planes, share)
    backs, fronts = _ends_along_rows(here, cover)
    rights = _ends_along_rows(here.T, cover.T)
    known = np.flatnonzero(np.isfinite(backs))
    if len(known) < 3:
        return None
    middle = 0.5 * float(surfaces.x_mm[known[0]] + surfaces.x_mm[known[-1]])
    reach = 0.125 * float(surfaces.x_mm[known[-1]] - surfaces.x_mm[known[0]]) + surfaces.step_mm
    rows = known[np.abs(surfaces.x_mm[known] - middle) <= reach]
    back, front = (
        float(surfaces.y_mm[0] + surfaces.step_mm * np.median(ends[rows])) for ends in (backs, fronts)
    )
    centre_y, half_depth = 0.5 * (back + front), 0.5 * (front - back)
    near = np.isfinite(rights[0]) & (np.abs(surfaces.y_mm - centre_y) <= 0.4 * half_depth)
    if half_depth <= 0.0 or not near.any():
        return None
    left, right = (float(surfaces.x_mm[0] + surfaces.step_mm * np.median(ends[near])) for ends in rights)
    if right <= left:
        return None
    return Outline(0.5 * (left + right), centre_y, 0.5 * (right - left), half_depth)


def _layer(
    body: NDArray[np.bool_],
    coverage: NDArray[np.float32],
    surfaces: ColumnSurfaces,
    planes: tuple[LocalPlane | None, LocalPlane | None],
    share: float,
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Body and coverage on the surface a share of the way from the lower to the upper endplate."""
    upper, lower = (
        plane.over(surfaces) if plane else np.full(heights.shape, np.nanmedian(heights))
        for plane, heights in zip(planes, (surfaces.top_mm, surfaces.bottom_mm), strict=True)
    )
    z = lower + share * (upper - lower)
    index = np.round((z - surfaces.first_z_mm) / surfaces.step_mm).astype(int)
    index = np.clip(index, 0, body.shape[2] - 1)[:, :, None]
    here = np.take_along_axis(body, index, axis=2)[:, :, 0]
    return here, np.take_along_axis(coverage, index, axis=2)[:, :, 0]


def _ends_along_rows(
    here: NDArray[np.bool_], cover: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last place along axis 1 where the coverage passes one half, in voxels; NaN for empty rows."""
    has = here.any(axis=1)
    last = here.shape[1] - 1 - np.argmax(here[:, ::-1], axis=1)
    first = np.argmax(here, axis=1)
    rows = cover[:, None, :]
    front = last + _crossing(rows, last[:, None], +1)[:, 0]
    back = first - _crossing(rows, first[:, None], -1)[:, 0]
    return np.where(has, back, np.nan), np.where(has, front, np.nan)


def _nan_reduce(rows: NDArray[np.float64], reduce: Callable[..., NDArray[np.float64]]) -> NDArray[np.float64]:
    """A reduction over the first axis that skips NaN, NaN where there is nothing."""
    result = np.full(rows.shape[1], np.nan)
    some = np.isfinite(rows).any(axis=0)
    result[some] = reduce(rows[:, some], axis=0)
    return result


def _crossing(coverage: NDArray[np.float32], index: NDArray[np.intp], direction: int) -> NDArray[np.float64]:
    """How far beyond voxel ``index`` the coverage falls through 0.5, in voxels (0 to 1)."""
    n = coverage.shape[2]
    here = np.take_along_axis(coverage, index[:, :, None], axis=2)[:, :, 0].astype(np.float64)
    beyond_index = np.clip(index + direction, 0, n - 1)
    beyond = np.take_along_axis(coverage, beyond_index[:, :, None], axis=2)[:, :, 0].astype(np.float64)
    drop = here - beyond
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(drop > 1e-6, (here - 0.5) / drop, 0.5)
    return np.asarray(np.clip(part, 0.0, 1.0))


def _fall(
    coverage: NDArray[np.float32], index: NDArray[np.intp], level: NDArray[np.float32], direction: int
) -> NDArray[np.float64]:
    """Where, outward from voxel ``index`` of each column, the coverage falls through the column's level."""
    n = coverage.shape[2]
    place = index.astype(np.float64) + direction * _crossing(coverage, index, direction)
    beyond = np.take_along_axis(coverage, index[:, :, None], axis=2)[:, :, 0].astype(np.float64)
    pending = np.ones(index.shape, dtype=bool)
    for step in range(1, FALL_STEPS + 1):
        here = beyond
        at = np.clip(index + direction * step, 0, n - 1)
        beyond = np.take_along_axis(coverage, at[:, :, None], axis=2)[:, :, 0].astype(np.float64)
        found = pending & (beyond < level)
        drop = np.maximum(here - beyond, 1e-6)
        part = np.clip((here - level) / drop, 0.0, 1.0)
        place = np.where(found, index + direction * (step - 1 + part), place)
        pending &= ~found
    return np.asarray(place)


def huber_mean(values: NDArray[np.float64], threshold: float) -> tuple[float, float]:
    """Huber's robust mean of values and their robust standard deviation.

    Examples
    --------
    >>> huber_mean(np.array([1.0, 2.0, 3.0, 2.0, 2.0, 90.0]), 1.345)[0] < 3.0
    True
    """
    mean = float(np.median(values))
    scale = max(MAD_TO_SIGMA * float(np.median(np.abs(values - mean))), 1e-6)
    for _ in range(HUBER_ITERATIONS):
        weights = np.minimum(1.0, threshold * scale / np.maximum(np.abs(values - mean), 1e-12))
        previous, mean = mean, float((weights * values).sum() / weights.sum())
        if abs(mean - previous) < 1e-6:
            break
    return mean, scale


def huber_plane(
    x_mm: NDArray[np.float64],
    y_mm: NDArray[np.float64],
    z_mm: NDArray[np.float64],
    threshold: float,
) -> LocalPlane | None:
    """A plane through points by iteratively reweighted least squares with Huber's weights.

    Returns None for fewer than eight points or points on a line.

    Examples
    --------
    >>> x, y = (part.ravel() for part in np.meshgrid(np.arange(10.0), np.arange(10.0)))
    >>> z = 1.0 + 0.1 * y
    >>> z[:5] += 30.0
    >>> round(huber_plane(x, y, z, 1.345).slope_y, 2)
    0.1
    """
    if len(z_mm) < 8:
        return None
    centre = (float(x_mm.mean()), float(y_mm.mean()))
    design = np.column_stack([np.ones(len(z_mm)), x_mm - centre[0], y_mm - centre[1]])
    if np.linalg.cond(design) > 1e6:
        return None
    weights = np.ones(len(z_mm))
    solution: NDArray[np.float64] = np.zeros(3)
    scale = 0.0
    for _ in range(HUBER_ITERATIONS):
        weighted = design * weights[:, None]
        previous = solution
        solution = np.asarray(np.linalg.solve(weighted.T @ design, weighted.T @ z_mm), dtype=np.float64)
        residual = np.abs(z_mm - design @ solution)
        scale = max(MAD_TO_SIGMA * float(np.median(residual)), 1e-6)
        weights = np.minimum(1.0, threshold * scale / np.maximum(residual, 1e-12))
        if np.abs(solution - previous).max() < 1e-6:
            break
    return LocalPlane(
        offset_mm=float(solution[0] - solution[1] * centre[0] - solution[2] * centre[1]),
        slope_x=float(solution[1]),
        slope_y=float(solution[2]),
        residual_mm=float(np.median(np.abs(z_mm - design @ solution))),
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """The ellipse that a body fills a little inward of one endplate (local mm)."""

    centre_x_mm: float
    centre_y_mm: float
    half_width_mm: float
    half_depth_mm: float

    def radius_squared(self, surfaces: ColumnSurfaces) -> NDArray[np.float64]:
        """(nx, ny): 0 at the centre, 1 on the ellipse."""
        across = (surfaces.x_mm[:, None] - self.centre_x_mm) / self.half_width_mm
        along = (surfaces.y_mm[None, :] - self.centre_y_mm) / self.half_depth_mm
        return np.asarray(across**2 + along**2)


@dataclass(frozen=True, slots=True)
class EndplateFit:
    """How one endplate was described."""

    plane: LocalPlane
    """The endplate's plane: its ring's, or the whole endplate's as far as the ring is broken."""
    ring_plane: LocalPlane
    """Robust plane through the endplate's outer ring, which a sunken middle does not pull."""
    whole_plane: LocalPlane
    """Robust plane through the whole endplate."""
    ring_scatter_mm: float
    """Standard deviation of the ring about its plane."""
    ring_doubt: float
    """0 where the ring lies in a plane as well as its voxels can tell, 1 where it is broken."""
    hollow_mm: float
    """Depth of the middle below the ring; negative where it stands out."""


def fit_endplate(
    surfaces: ColumnSurfaces,
    which: str,
    outline: Outline,
    *,
    rim_margin_mm: float,
    voxel_mm: float,
    threshold: float,
) -> EndplateFit | None:
    """Robust planes through one endplate's outer ring and through the whole of it.

    The ring (the ring apophysis) keeps its height when the middle collapses. An ellipse that is
    symmetric from front to back is used for both, so that a hollow in the middle tilts neither.

    Parameters
    ----------
    surfaces : ColumnSurfaces
    which : "top" or "bottom"
    outline : Outline
        Of the body near this endplate.
    rim_margin_mm : float
        Outermost columns left out.
    voxel_mm : float
        Size of the label's voxels, whose steps explain a part of the scatter.
    threshold : float
        Huber's.

    Returns
    -------
    EndplateFit or None
        None where there are too few columns.
    """
    heights = surfaces.top_mm if which == "top" else surfaces.bottom_mm
    deepest = float(surfaces.rim_distance_mm.max())
    usable = (surfaces.rim_distance_mm >= min(rim_margin_mm, 0.3 * deepest)) & np.isfinite(heights)
    radius2 = outline.radius_squared(surfaces)
    whole = _plane_where(surfaces, heights, usable & (radius2 < WHOLE_WITHIN), threshold)
    in_ring = usable & (radius2 >= RING_FROM) & (radius2 < RING_WITHIN)
    ring = _plane_where(surfaces, heights, in_ring, threshold)
    if whole is None:
        return None
    if ring is None:
        return EndplateFit(whole, whole, whole, whole.residual_mm, 1.0, 0.0)
    scatter = float(np.std((heights - ring.over(surfaces))[in_ring]))
    doubt = _ring_doubt(scatter, voxel_mm)
    inward = -1.0 if which == "top" else 1.0
    middle = usable & (radius2 < MIDDLE_WITHIN)
    hollow = inward * float(np.median((heights - ring.over(surfaces))[middle])) if middle.any() else 0.0
    ring = _steadied(ring, whole, surfaces, np.where(in_ring, heights, np.nan), (hollow, voxel_mm))
    return EndplateFit(_between(ring, whole, doubt), ring, whole, scatter, doubt, hollow)


def _plane_where(
    surfaces: ColumnSurfaces, heights: NDArray[np.float64], chosen: NDArray[np.bool_], threshold: float
) -> LocalPlane | None:
    ix, iy = np.nonzero(chosen)
    return huber_plane(surfaces.x_mm[ix], surfaces.y_mm[iy], heights[ix, iy], threshold)


def _steadied(
    ring: LocalPlane,
    whole: LocalPlane,
    surfaces: ColumnSurfaces,
    ring_heights_mm: NDArray[np.float64],
    sizes_mm: tuple[float, float],
) -> LocalPlane:
    """The ring's plane with a tilt that leans on the whole endplate where its own is less certain.

    A voxel's steps tilt a narrow ring more than a whole endplate; a hollow (first of ``sizes_mm``)
    that is not quite central tilts the whole endplate. Each tilt counts against the other by the
    square of what disturbs it; the ring's height stays its own.
    """
    hollow_mm, voxel_mm = sizes_mm
    share = voxel_mm**2 / (voxel_mm**2 + hollow_mm**2)
    leaning = _between(ring, whole, share)
    offset, _ = huber_mean((ring_heights_mm - leaning.over(surfaces))[np.isfinite(ring_heights_mm)], 1.345)
    return replace(leaning, offset_mm=leaning.offset_mm + offset, residual_mm=ring.residual_mm)


def _ring_doubt(scatter_mm: float, voxel_mm: float) -> float:
    """How far a ring's scatter exceeds what the label's voxels and an endplate's roughness explain."""
    unexplained = np.sqrt(max(scatter_mm**2 - (VOXEL_SCATTER * voxel_mm) ** 2, 0.0))
    rough = ROUGHNESS_MM * max(voxel_mm, 1.0)
    return float(np.clip((unexplained - rough) / rough, 0.0, 1.0))


def _between(first: LocalPlane, second: LocalPlane, share: float) -> LocalPlane:
    """A plane between two, ``share`` of the way from the first to the second."""
    parts = (
        (1.0 - share) * getattr(first, name) + share * getattr(second, name)
        for name in ("offset_mm", "slope_x", "slope_y", "residual_mm")
    )
    return LocalPlane(*parts)
