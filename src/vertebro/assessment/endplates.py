"""Endplate surfaces with sub-voxel heights, and robust planes through them.

A surface is read column by column where the label's coverage falls through one half, from the
label alone: the grey values are not used. Planes are fitted by Huber's method to a ring of columns
inside the rim, so that neither osteophytes nor a central depression pull them.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
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
    back_mm: NDArray[np.float64]
    """(nx,) back wall at mid-height, NaN outside the body."""
    front_mm: NDArray[np.float64]
    """(nx,) front wall at mid-height."""


@dataclass(frozen=True, slots=True)
class LocalPlane:
    """``z = offset_mm + slope_x·x + slope_y·y`` in a local frame, with how well it fits."""

    offset_mm: float
    slope_x: float
    slope_y: float
    residual_mm: float
    """Median absolute residual."""
    standard_error_mm: float
    """Of the plane at the centre of its columns."""
    n_columns: int

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
    mid_index = 0.5 * float(np.median(top[keep]) + np.median(bottom[keep]))
    back, front = (
        first_mm[1] + step_mm * wall for wall in _walls_at_mid_height(body, coverage, mid_index)
    )
    return ColumnSurfaces(
        x_mm=first_mm[0] + step_mm * np.arange(body.shape[0]),
        y_mm=first_mm[1] + step_mm * np.arange(body.shape[1]),
        top_mm=np.where(keep, first_mm[2] + step_mm * top, np.nan),
        bottom_mm=np.where(keep, first_mm[2] + step_mm * bottom, np.nan),
        rim_distance_mm=rim,
        back_mm=back,
        front_mm=front,
    )


def _walls_at_mid_height(
    body: NDArray[np.bool_], coverage: NDArray[np.float32], mid_index: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Back and front wall of each sagittal row at mid-height, in fractional voxels; NaN where none.

    The back wall may be a cut through pedicles, so its sub-voxel place is only refined where the
    coverage falls there.
    """
    k = int(np.clip(round(mid_index), 0, body.shape[2] - 1))
    layers = range(max(k - 1, 0), min(k + 2, body.shape[2]))
    backs, fronts = [], []
    for layer in layers:
        here, cover = body[:, :, layer], coverage[:, :, layer]
        has = here.any(axis=1)
        last = here.shape[1] - 1 - np.argmax(here[:, ::-1], axis=1)
        first = np.argmax(here, axis=1)
        padded = cover[:, :, None].transpose(0, 2, 1)
        front = last + _crossing(padded, last[:, None], +1)[:, 0]
        back = first - _crossing(padded, first[:, None], -1)[:, 0]
        backs.append(np.where(has, back, np.nan))
        fronts.append(np.where(has, front, np.nan))
    return _nan_median(np.array(backs)), _nan_median(np.array(fronts))


def _nan_median(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over the first axis that skips NaN, NaN where there is nothing."""
    result = np.full(rows.shape[1], np.nan)
    some = np.isfinite(rows).any(axis=0)
    result[some] = np.nanmedian(rows[:, some], axis=0)
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


def huber_plane(
    x_mm: NDArray[np.float64],
    y_mm: NDArray[np.float64],
    z_mm: NDArray[np.float64],
    threshold: float,
    iterations: int = 20,
) -> LocalPlane | None:
    """A plane through points by iteratively reweighted least squares with Huber's weights.

    Returns None for fewer than six points or points on a line.

    Examples
    --------
    >>> x, y = (part.ravel() for part in np.meshgrid(np.arange(10.0), np.arange(10.0)))
    >>> z = 1.0 + 0.1 * y
    >>> z[:5] += 30.0
    >>> round(huber_plane(x, y, z, 1.345).slope_y, 2)
    0.1
    """
    if len(z_mm) < 6:
        return None
    centre = (float(x_mm.mean()), float(y_mm.mean()))
    design = np.column_stack([np.ones(len(z_mm)), x_mm - centre[0], y_mm - centre[1]])
    if np.linalg.matrix_rank(design, tol=1e-6 * len(z_mm)) < 3:
        return None
    weights = np.ones(len(z_mm))
    solution = np.zeros(3)
    scale = 0.0
    for _ in range(iterations):
        root = np.sqrt(weights)[:, None]
        previous = solution
        solution = np.linalg.lstsq(design * root, z_mm * root[:, 0], rcond=None)[0]
        residual = z_mm - design @ solution
        scale = max(MAD_TO_SIGMA * float(np.median(np.abs(residual))), 1e-6)
        weights = np.minimum(1.0, threshold * scale / np.maximum(np.abs(residual), 1e-12))
        if np.abs(solution - previous).max() < 1e-6:
            break
    return LocalPlane(
        offset_mm=float(solution[0] - solution[1] * centre[0] - solution[2] * centre[1]),
        slope_x=float(solution[1]),
        slope_y=float(solution[2]),
        residual_mm=float(np.median(np.abs(z_mm - design @ solution))),
        standard_error_mm=float(scale / np.sqrt(weights.sum())),
        n_columns=len(z_mm),
    )


def ring_plane(
    surfaces: ColumnSurfaces, which: str, *, rim_margin_mm: float, ring_inner_fraction: float, threshold: float
) -> LocalPlane | None:
    """The plane of one endplate, from the ring of columns between its rim and its middle.

    Parameters
    ----------
    surfaces : ColumnSurfaces
    which : "top" or "bottom"
    rim_margin_mm : float
        Outermost columns left out.
    ring_inner_fraction : float
        Columns deeper inside than this fraction of the way to the rim are left out, as long as the
        ring that remains has enough columns.
    threshold : float
        Huber's.
    """
    heights = surfaces.top_mm if which == "top" else surfaces.bottom_mm
    deepest = float(surfaces.rim_distance_mm.max())
    margin = min(rim_margin_mm, 0.3 * deepest)
    ring = surfaces.rim_distance_mm >= margin
    inner = ring & (surfaces.rim_distance_mm <= max((1.0 - ring_inner_fraction) * deepest, margin + 1.0))
    chosen = inner if inner.sum() >= 40 else ring
    ix, iy = np.nonzero(chosen & np.isfinite(heights))
    return huber_plane(surfaces.x_mm[ix], surfaces.y_mm[iy], heights[ix, iy], threshold)
