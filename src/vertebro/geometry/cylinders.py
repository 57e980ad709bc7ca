"""Surfaces of straight round things: needles, cannulas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cylinder_mesh(
    start_mm: NDArray[np.float64], end_mm: NDArray[np.float64], radius_mm: float, n_around: int = 32
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Closed surface of a cylinder between the centres of its two ends, normals outwards.

    Parameters
    ----------
    start_mm, end_mm : (3,) float arrays
        Apart from each other; the surface is in their frame.
    radius_mm : float
    n_around : int
        Corners of the polygon that stands for the circle; they lie on it.

    Returns
    -------
    vertices_mm : (2 n_around + 2, 3) float array
        The two rims, then the two centres.
    faces : (4 n_around, 3) int array
        Vertex indices, counter-clockwise seen from outside.

    Examples
    --------
    >>> vertices, faces = cylinder_mesh(np.zeros(3), np.array([0.0, 0.0, 10.0]), 1.5)
    >>> vertices.shape, faces.shape
    ((66, 3), (128, 3))
    """
    along = (end_mm - start_mm) / np.linalg.norm(end_mm - start_mm)
    least = np.eye(3)[int(np.argmin(np.abs(along)))]
    first = np.cross(along, least)
    first /= np.linalg.norm(first)
    second = np.cross(along, first)
    angle = 2.0 * np.pi * np.arange(n_around) / n_around
    rim = radius_mm * (np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second)
    vertices = np.vstack([start_mm + rim, end_mm + rim, start_mm, end_mm])
    here = np.arange(n_around)
    following = (here + 1) % n_around
    there, beyond = here + n_around, following + n_around
    bottom, top = np.full(n_around, 2 * n_around), np.full(n_around, 2 * n_around + 1)
    faces = np.vstack(
        [
            np.stack([here, following, beyond], axis=1),
            np.stack([here, beyond, there], axis=1),
            np.stack([bottom, following, here], axis=1),
            np.stack([top, there, beyond], axis=1),
        ]
    )
    return vertices, faces.astype(np.int64)
