"""Endplate surfaces with sub-voxel heights, and robust planes through them.

A surface is read column by column where the label's coverage falls through one half, from the
label alone: the grey values are not used. Planes are fitted by Huber's method with the rim left out,
so that osteophytes do not pull them, and with a collapsed middle taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
HUBER_ITERATIONS = 30
LEAST_SQUARES = 1e9
"""A Huber threshold that no residual reaches."""
NATURAL_HOLLOW_MM = 1.6
"""Depth of a healthy endplate's hollow that a plane through all columns averages in (assumed; the
six bodies of one older man measured 0.2–2.3 mm)."""
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
    hollow_mm: float = 0.0
    """Multiple of the hollow's profile fitted beside the plane, upwards."""

    def at(self, x_mm: float, y_mm: float) -> float:
        """Height of the plane at a place, mm."""
        return self.offset_mm + self.slope_x * x_mm + self.slope_y * y_mm

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
    top = top_index + _crossing(coverage, top_index, +1)
    bottom = bottom_index - _crossing(coverage, bottom_index, -1)
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
    top, bottom = planes
    step = surfaces.step_mm
    x, y = surfaces.x_mm[:, None], surfaces.y_mm[None, :]
    shape = surfaces.top_mm.shape
    usual = np.nanmedian(surfaces.top_mm), np.nanmedian(surfaces.bottom_mm)
    upper = top.offset_mm + top.slope_x * x + top.slope_y * y if top else np.full(shape, usual[0])
    lower = bottom.offset_mm + bottom.slope_x * x + bottom.slope_y * y if bottom else np.full(shape, usual[1])
    backs, fronts = [], []
    for share in (0.25, 0.5, 0.75):
        z = lower + share * (upper - lower)
        layer = np.clip(np.round((z - surfaces.first_z_mm) / step).astype(int), 0, body.shape[2] - 1)[
            :, :, None
        ]
        here = np.take_along_axis(body, layer, axis=2)[:, :, 0]
        cover = np.take_along_axis(coverage, layer, axis=2)[:, :, 0]
        back, front = _ends_along_rows(here, cover)
        backs.append(back)
        fronts.append(front)
    back = surfaces.y_mm[0] + step * _nan_reduce(np.array(backs), np.nanmax)
    front = surfaces.y_mm[0] + step * _nan_reduce(np.array(fronts), np.nanmin)
    return back, front


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
    profile: NDArray[np.float64] | None = None,
) -> LocalPlane | None:
    """A plane through points by iteratively reweighted least squares with Huber's weights.

    With ``profile`` a multiple of it is fitted beside the plane (``hollow_mm`` of the result).
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
    columns = [np.ones(len(z_mm)), x_mm - centre[0], y_mm - centre[1]]
    if profile is not None:
        columns.append(profile)
    design = np.column_stack(columns)
    if np.linalg.cond(design) > 1e6:
        return None
    weights = np.ones(len(z_mm))
    solution: NDArray[np.float64] = np.zeros(len(columns))
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
        hollow_mm=float(solution[3]) if profile is not None else 0.0,
    )


@dataclass(frozen=True, slots=True)
class EndplateFit:
    """How one endplate was described."""

    plane: LocalPlane
    """The endplate's plane: its usual shallow hollow averaged in, a deep one taken out."""
    rim_plane: LocalPlane
    """The plane its outer part lies on, the hollow modelled apart."""
    hollow_mm: float
    """Depth of the middle below the outer part; negative where it stands out."""
    profile_plane: LocalPlane
    """The plane that the same columns would make of a hollow's profile of depth one."""
    deepest_mm: float
    """Rim distance of the innermost column, where the profile is one."""
    usual_hollow_mm: float
    """How much of the hollow left in the plane is surely the endplate's own shape."""
    inward: float
    """−1 for an upper endplate, 1 for a lower one: the way its hollow goes."""

    def surface_at(self, x_mm: float, y_mm: float, rim_distance_mm: float) -> float:
        """The endplate's surface near its edge: the plane, with the usual hollow put back.

        A plane through all columns lies below the rim by a share of the hollow; for a hollow that is
        surely the endplate's own shape that share is given back.
        """
        inside = float(np.clip(rim_distance_mm / max(self.deepest_mm, 1e-6), 0.0, 1.0))
        profile = inside * inside * (3.0 - 2.0 * inside)
        lowered = self.profile_plane.at(x_mm, y_mm) - profile
        return self.plane.at(x_mm, y_mm) - self.inward * self.usual_hollow_mm * lowered


def fit_endplate(
    surfaces: ColumnSurfaces, which: str, *, rim_margin_mm: float, deep_hollow_mm: float, threshold: float
) -> EndplateFit | None:
    """A robust plane for one endplate that a collapsed middle does not pull down.

    First a plane plus a hollow of smooth profile (0 at the outline, 1 in the middle) is fitted by
    Huber's method. A hollow up to ``deep_hollow_mm`` is the endplate's own shape: the plane is then
    Huber's through all columns. Of a deeper one only ``NATURAL_HOLLOW_MM`` is left in before that
    plane is fitted; in between the part left in shrinks gradually, so that no small change makes a
    jump.

    Parameters
    ----------
    surfaces : ColumnSurfaces
    which : "top" or "bottom"
    rim_margin_mm : float
        Outermost columns left out.
    deep_hollow_mm : float
        Hollows deeper than this are collapse.
    threshold : float
        Huber's.
    """
    heights = surfaces.top_mm if which == "top" else surfaces.bottom_mm
    inward = -1.0 if which == "top" else 1.0
    deepest = float(surfaces.rim_distance_mm.max())
    chosen = (surfaces.rim_distance_mm >= min(rim_margin_mm, 0.3 * deepest)) & np.isfinite(heights)
    ix, iy = np.nonzero(chosen)
    x, y, z = surfaces.x_mm[ix], surfaces.y_mm[iy], heights[ix, iy]
    inside = surfaces.rim_distance_mm[ix, iy] / max(deepest, 1e-6)
    profile = inside * inside * (3.0 - 2.0 * inside)
    whole = huber_plane(x, y, z, threshold)
    rim = huber_plane(x, y, z, threshold, profile)
    averaged = huber_plane(x, y, profile, LEAST_SQUARES)
    if whole is None or rim is None or averaged is None:
        return None
    depth = inward * rim.hollow_mm
    if depth <= deep_hollow_mm:
        usual = _usual_part(depth, deep_hollow_mm)
        return EndplateFit(whole, rim, depth, averaged, deepest, usual, inward)
    left = max(deep_hollow_mm - 2.0 * (depth - deep_hollow_mm), min(NATURAL_HOLLOW_MM, deep_hollow_mm))
    plane = huber_plane(x, y, z - inward * (depth - left) * profile, threshold)
    if plane is None:
        return None
    return EndplateFit(plane, rim, depth, averaged, deepest, _usual_part(left, deep_hollow_mm), inward)


def _usual_part(hollow_mm: float, deep_mm: float) -> float:
    """How much of a hollow is surely natural: all of a shallow one, nothing of one that nears collapse."""
    doubtful_mm = 1.5 * NATURAL_HOLLOW_MM
    trust = np.clip((deep_mm - hollow_mm) / max(deep_mm - doubtful_mm, 0.5), 0.0, 1.0)
    return float(np.clip(hollow_mm, 0.0, NATURAL_HOLLOW_MM) * trust)
