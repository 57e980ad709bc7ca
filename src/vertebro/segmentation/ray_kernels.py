"""Compiled sampling along the rays of a level, and quick tests of where positions lie against a surface.

A level's frame is passed as ``shape``: half width, half depth, then the three numbers of the lower and
of the upper disc plane (z = c + gx·x + gy·y).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

PLANE_REACH = 1.3
"""Planes are followed this many half axes outward and continue level beyond."""
LEAST_HALF_HEIGHT_MM = 4.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _planes(x: float, y: float, shape: NDArray[np.float64]) -> tuple[float, float]:
    """Middle between the disc planes at a place, and half the distance."""
    limit_x, limit_y = PLANE_REACH * shape[0], PLANE_REACH * shape[1]
    x = min(max(x, -limit_x), limit_x)
    y = min(max(y, -limit_y), limit_y)
    bottom = shape[2] + shape[3] * x + shape[4] * y
    top = shape[5] + shape[6] * x + shape[7] * y
    return 0.5 * (top + bottom), max(0.5 * (top - bottom), LEAST_HALF_HEIGHT_MM)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trilinear(hu: NDArray[np.float32], a: float, b: float, c: float, outside: float) -> float:
    i, j, k = math.floor(a), math.floor(b), math.floor(c)
    if i < 0 or j < 0 or k < 0 or i + 1 >= hu.shape[0] or j + 1 >= hu.shape[1] or k + 1 >= hu.shape[2]:
        return outside
    u, v, w = a - i, b - j, c - k
    low = (hu[i, j, k] * (1.0 - w) + hu[i, j, k + 1] * w) * (1.0 - v) + (
        hu[i, j + 1, k] * (1.0 - w) + hu[i, j + 1, k + 1] * w
    ) * v
    high = (hu[i + 1, j, k] * (1.0 - w) + hu[i + 1, j, k + 1] * w) * (1.0 - v) + (
        hu[i + 1, j + 1, k] * (1.0 - w) + hu[i + 1, j + 1, k + 1] * w
    ) * v
    return float(low * (1.0 - u) + high * u)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sample_rays(
    hu: NDArray[np.float32],
    voxel_from_level: NDArray[np.float64],
    shape: NDArray[np.float64],
    unit: NDArray[np.float64],
    radius: NDArray[np.float64],
    outward: NDArray[np.float64],
    offsets_mm: NDArray[np.float64],
) -> NDArray[np.float32]:
    """CT values at every radius of every direction, and at some offsets along the outward directions.

    Parameters
    ----------
    hu : (i, j, k) float32 array
    voxel_from_level : (4, 4) float array
    shape : (8,) float array
    unit : (n, 3) float array
        Directions in box coordinates.
    radius : (n, m) float array
        In box coordinates.
    outward : (n, 3) float array
        Unit directions in the level frame.
    offsets_mm : (q,) float array

    Returns
    -------
    (q, n, m) float32 array
        −1024 outside the grid.
    """
    n, m = radius.shape
    q = len(offsets_mm)
    result = np.empty((q, n, m), dtype=np.float32)
    t = voxel_from_level
    for s in range(n):
        da = t[0, 0] * outward[s, 0] + t[0, 1] * outward[s, 1] + t[0, 2] * outward[s, 2]
        db = t[1, 0] * outward[s, 0] + t[1, 1] * outward[s, 1] + t[1, 2] * outward[s, 2]
        dc = t[2, 0] * outward[s, 0] + t[2, 1] * outward[s, 1] + t[2, 2] * outward[s, 2]
        for r in range(m):
            x = unit[s, 0] * radius[s, r] * shape[0]
            y = unit[s, 1] * radius[s, r] * shape[1]
            middle, half = _planes(x, y, shape)
            z = middle + unit[s, 2] * radius[s, r] * half
            a = t[0, 0] * x + t[0, 1] * y + t[0, 2] * z + t[0, 3]
            b = t[1, 0] * x + t[1, 1] * y + t[1, 2] * z + t[1, 3]
            c = t[2, 0] * x + t[2, 1] * y + t[2, 2] * z + t[2, 3]
            for e in range(q):
                o = offsets_mm[e]
                result[e, s, r] = _trilinear(hu, a + o * da, b + o * db, c + o * dc, -1024.0)
    return result


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def excess_at(
    points: NDArray[np.float64],
    level_from_points: NDArray[np.float64],
    shape: NDArray[np.float64],
    table: NDArray[np.float64],
    half_height: float,
) -> NDArray[np.float64]:
    """Roughly how far outside (+) or inside (−) a surface positions lie, mm; at most 20.

    Parameters
    ----------
    points : (n, 3) float array
    level_from_points : (4, 4) float array
    shape : (8,) float array
    table : (181, 360) float array
        Radius in box coordinates at every degree of polar angle and longitude.
    half_height : float, mm

    Returns
    -------
    (n,) float array
    """
    n = len(points)
    result = np.full(n, 20.0)
    largest = table.max() + 0.6
    t = level_from_points
    degrees = 180.0 / math.pi
    for index in range(n):
        p, q, r = points[index, 0], points[index, 1], points[index, 2]
        x = t[0, 0] * p + t[0, 1] * q + t[0, 2] * r + t[0, 3]
        y = t[1, 0] * p + t[1, 1] * q + t[1, 2] * r + t[1, 3]
        z = t[2, 0] * p + t[2, 1] * q + t[2, 2] * r + t[2, 3]
        middle, half = _planes(x, y, shape)
        a, b, c = x / shape[0], y / shape[1], (z - middle) / half
        distance = math.sqrt(a * a + b * b + c * c)
        if distance >= largest:
            continue
        if distance < 1e-6:
            result[index] = -0.5 * half_height
            continue
        a, b, c = a / distance, b / distance, c / distance
        polar = round(math.acos(min(max(c, -1.0), 1.0)) * degrees)
        longitude = round(math.atan2(b, a) * degrees) % 360
        length = math.sqrt((a * shape[0]) ** 2 + (b * shape[1]) ** 2 + (c * half_height) ** 2)
        result[index] = min((distance - table[polar, longitude]) * length, 20.0)
    return result


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def near_line(points: NDArray[np.float64], line: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    """(n,): whether positions lie within ``radius`` of any of some points."""
    n = len(points)
    result = np.zeros(n, dtype=np.bool_)
    limit = radius * radius
    for index in range(n):
        for other in range(len(line)):
            a = points[index, 0] - line[other, 0]
            b = points[index, 1] - line[other, 1]
            c = points[index, 2] - line[other, 2]
            if a * a + b * b + c * c <= limit:
                result[index] = True
                break
    return result
