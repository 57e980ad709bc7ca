"""The column's cross-section beside the canal: where bodies and discs end, averaged over a level's height.

Averaging the straightened CT over more than a level turns walls, discs and endplates into one bright
ring; its outer edge is found by dynamic programming in polar coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.segmentation.canal import CanalPath
from vertebro.segmentation.column import Curve, Straightened, smooth_curve, straighten
from vertebro.segmentation.working_grid import WorkingImage

CANAL_STIFFNESS = 300.0
COLUMN_STIFFNESS = 2000.0
AVERAGED_MM = 40.0
"""Longest usual distance from disc to disc (assumed)."""
N_ANGLES = 48
RADII_MM = np.arange(8.0, 34.0, 0.75)
WALL_BEHIND_MM = 4.0
"""The back wall stands at least this far in front of the canal's middle (assumed)."""
USUAL_RADIUS_MM = 19.0


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """The column's curve and its half width and half depth at every millimetre."""

    curve: Curve
    half_width_mm: NDArray[np.float64]
    half_depth_mm: NDArray[np.float64]
    canal_v_mm: NDArray[np.float64]
    """(n,): position of the canal's middle on the forward axis; negative."""


def trace_column(image: WorkingImage, canal: CanalPath) -> Column:
    """The curve through the middles of bodies and discs, from a canal path."""
    beside_canal = smooth_curve(canal.points_lps_mm, CANAL_STIFFNESS)
    u_mm, v_mm = np.arange(-45.0, 45.1, 1.5), np.arange(-15.0, 66.1, 1.5)
    straight = straighten(image, beside_canal, u_mm, v_mm, 1.5)
    window = max(3, min(round(AVERAGED_MM / 1.5), straight.hu.shape[2]))
    ring = ndimage.uniform_filter1d(np.clip(straight.hu, -100.0, 400.0), window, axis=2, mode="nearest")
    picked = np.unique(np.round(np.linspace(0, len(straight.s_mm) - 1, max(6, len(straight.s_mm) // 4))))
    rows = [_outline(ndimage.gaussian_filter(ring[:, :, int(k)], 0.7), straight) for k in picked]
    s_mm, table = straight.s_mm[picked.astype(int)], np.array(rows)
    table = ndimage.median_filter(table, size=(min(7, len(table) | 1), 1), mode="nearest")
    table = ndimage.gaussian_filter1d(table, 2.0, axis=0, mode="nearest")
    middles = beside_canal.at(table[:, 0], table[:, 1], s_mm)
    forward = middles - beside_canal.at(0.0 * s_mm, 0.0 * s_mm, s_mm)
    curve = smooth_curve(middles, COLUMN_STIFFNESS, forward)
    nearest = _nearest(curve.points_lps_mm, middles)
    order = np.argsort(nearest)
    at = np.arange(len(curve), dtype=np.float64)

    def along_curve(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(at, nearest[order].astype(np.float64), values[order])

    return Column(curve, along_curve(table[:, 2]), along_curve(table[:, 3]), along_curve(-table[:, 1]))


def _outline(ring: NDArray[np.float32], straight: Straightened) -> tuple[float, float, float, float]:
    """Centre (u, v) and half axes of the outer edge of a ring-shaped section, mm."""
    centre = np.array([0.0, 26.0])
    for _ in range(2):
        angle, radius = _closed_contour(ring, straight, centre)
        u = centre[0] + radius * np.cos(angle)
        v = centre[1] + radius * np.sin(angle)
        cross = u * np.roll(v, -1) - np.roll(u, -1) * v
        centre = np.array([np.sum((u + np.roll(u, -1)) * cross), np.sum((v + np.roll(v, -1)) * cross)])
        centre /= 3.0 * cross.sum()
    half_width = 0.5 * float(np.percentile(u, 97) - np.percentile(u, 3))
    half_depth = 0.5 * float(np.percentile(v, 97) - np.percentile(v, 3))
    return float(centre[0]), float(centre[1]), half_width, half_depth


def _closed_contour(
    ring: NDArray[np.float32], straight: Straightened, centre: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The closed contour of steepest fall from inside to outside about a centre."""
    angle = 2.0 * np.pi * np.arange(N_ANGLES) / N_ANGLES
    direction = np.stack([np.cos(angle), np.sin(angle)])[:, :, None]
    origin = np.array([straight.u_mm[0], straight.v_mm[0]])[:, None, None]
    step = straight.u_mm[1] - straight.u_mm[0]

    def at(offset_mm: float) -> NDArray[np.float64]:
        place = (centre[:, None, None] + (RADII_MM + offset_mm) * direction - origin) / step
        return np.asarray(ndimage.map_coordinates(ring, place, order=1, mode="nearest"))

    fall = at(-1.5) - at(2.0)
    cost = -np.clip(fall, -50.0, 200.0) / 100.0 + 0.0006 * (RADII_MM - USUAL_RADIUS_MM) ** 2
    cost = cost + np.where(centre[1] + RADII_MM * np.sin(angle)[:, None] < WALL_BEHIND_MM, 3.0, 0.0)
    index = np.arange(len(RADII_MM))
    bend = 0.12 * (index[:, None] - index[None, :]) ** 2
    total, back = cost[0].copy(), []
    for turn in list(range(1, N_ANGLES)) + list(range(N_ANGLES)):
        through = total[None, :] + bend
        came = through.argmin(axis=1)
        back.append(came)
        total = through[index, came] + cost[turn]
    path = [int(total.argmin())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    # the middle turn is the one that feels both ends: the contour closes there
    middle = path[::-1][N_ANGLES // 2 : N_ANGLES // 2 + N_ANGLES]
    return angle, RADII_MM[np.roll(middle, N_ANGLES // 2)]


def _nearest(points: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.int64]:
    distance = np.linalg.norm(points[None, :, :] - targets[:, None, :], axis=2)
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)
