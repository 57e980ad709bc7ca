"""A solid as the eye sees it: where each line of sight meets it first, and how light falls on it there.

The solid is a field sampled on lines of sight: axis 0 runs down the picture, axis 1 to the right,
axis 2 away from the viewer; samples are equally spaced in all three. Lengths are in samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

LIGHT = np.array([-0.5, -0.45, -0.74])
"""Direction to the light: from above, from the left, and from the viewer (as drawings are lit)."""
AMBIENT = 0.28
"""Share of light that comes from everywhere."""
SHADOW_SAMPLES = 6.0
"""Hollows up to about this wide are darkened."""
SHADOW_STRENGTH = 0.05
"""Darkening for each sample that a surface lies behind its surroundings."""


def first_surface(field: NDArray[np.float32], level: float = 0.5) -> NDArray[np.float64]:
    """Where lines of sight meet a solid.

    Parameters
    ----------
    field : (rows, columns, depth) float array
        At least ``level`` inside the solid.
    level : float

    Returns
    -------
    (rows, columns) float array, samples from the viewer
        Interpolated between samples; NaN where a line meets nothing.

    Examples
    --------
    >>> wall = np.zeros((1, 2, 5), np.float32)
    >>> wall[0, 0, 3:] = 1.0
    >>> first_surface(wall).tolist()
    [[2.5, nan]]
    """
    inside = field >= level
    hit = np.argmax(inside, axis=2)
    rows, columns = np.indices(hit.shape)
    here = field[rows, columns, hit].astype(np.float64)
    before = field[rows, columns, np.maximum(hit - 1, 0)].astype(np.float64)
    share = np.where(hit > 0, (here - level) / np.maximum(here - before, 1e-9), 0.0)
    return np.where(inside.any(axis=2), hit - share, np.nan)


def shaded(field: NDArray[np.float32], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness of a solid's first surface.

    Parameters
    ----------
    field : (rows, columns, depth) float array
        Smooth near its surface: its gradient gives the surface's direction.
    depth : (rows, columns) float array
        From :func:`first_surface`.

    Returns
    -------
    (rows, columns) float array, 0 to 1
        0 where there is nothing.

    Examples
    --------
    >>> ramp = np.clip(np.arange(8.0) - 3.5, 0.0, 1.0).astype(np.float32)
    >>> wall = np.broadcast_to(ramp, (9, 9, 8)).copy()
    >>> bright = shaded(wall, first_surface(wall))
    >>> bool(0.7 < bright[4, 4] < 0.9)  # lit at 42 degrees
    True
    """
    is_hit = np.isfinite(depth)
    if not is_hit.any():
        return np.zeros(depth.shape)
    rows, columns = np.indices(depth.shape)
    place = np.stack([rows, columns, np.where(is_hit, depth, 0.0)]).reshape(3, -1)
    smooth = ndimage.gaussian_filter(field, 1.0)
    normal = np.stack(
        [
            -ndimage.map_coordinates(slope, place, order=1, mode="nearest").reshape(depth.shape)
            for slope in np.gradient(smooth)
        ],
        axis=-1,
    )
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    normal = np.divide(normal, length, out=np.zeros_like(normal), where=length > 1e-9)
    lit = np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), 0.0, 1.0)
    bright = (AMBIENT + (1.0 - AMBIENT) * lit) * _hollows(depth, is_hit)
    return np.where(is_hit, np.clip(bright, 0.0, 1.0), 0.0)


def _hollows(depth: NDArray[np.float64], is_hit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of light left where a surface lies behind what surrounds it."""
    weight = ndimage.gaussian_filter(is_hit.astype(np.float64), SHADOW_SAMPLES)
    around = ndimage.gaussian_filter(np.where(is_hit, depth, 0.0), SHADOW_SAMPLES)
    around = np.divide(around, weight, out=np.zeros_like(around), where=weight > 1e-6)
    behind = np.where(is_hit, depth - around, 0.0)
    return np.clip(1.0 - SHADOW_STRENGTH * np.maximum(behind, 0.0), 0.45, 1.0)
