"""4×4 affine transforms between named frames, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Affine = NDArray[np.float64]
"""A 4×4 matrix whose last row is (0, 0, 0, 1)."""
Points = NDArray[np.float64]
"""Points as rows: (n, 3), or one point (3,)."""


def apply_affine(a_from_b: Affine, points_b: ArrayLike) -> Points:
    """Carry points from frame b to frame a.

    Parameters
    ----------
    a_from_b : (4, 4) float array
    points_b : (..., 3) array_like

    Returns
    -------
    (..., 3) float array in frame a.

    Examples
    --------
    >>> apply_affine(translation([1.0, 2.0, 3.0]), [0.0, 0.0, 1.0]).tolist()
    [1.0, 2.0, 4.0]
    """
    points = np.asarray(points_b, dtype=np.float64)
    return np.asarray(points @ a_from_b[:3, :3].T + a_from_b[:3, 3])


def apply_direction(a_from_b: Affine, directions_b: ArrayLike) -> Points:
    """Carry directions (no translation; length is changed where the affine scales).

    Examples
    --------
    >>> apply_direction(translation([9.0, 9.0, 9.0]), [0.0, 0.0, 1.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.asarray(np.asarray(directions_b, dtype=np.float64) @ a_from_b[:3, :3].T)


def invert_affine(a_from_b: Affine) -> Affine:
    """``b_from_a``; the last row of the result is exactly (0, 0, 0, 1).

    Examples
    --------
    >>> invert_affine(translation([1.0, 0.0, 0.0]))[0].tolist()
    [1.0, 0.0, 0.0, -1.0]
    """
    inverse = np.linalg.inv(a_from_b)
    inverse[3] = (0.0, 0.0, 0.0, 1.0)
    return np.asarray(inverse, dtype=np.float64)


def compose(*chain: Affine) -> Affine:
    """Multiply a chain ``a_from_b, b_from_c, …`` into ``a_from_z``.

    Examples
    --------
    >>> compose(translation([1.0, 0.0, 0.0]), translation([0.0, 2.0, 0.0]))[:3, 3].tolist()
    [1.0, 2.0, 0.0]
    """
    result = np.eye(4)
    for link in chain:
        result = result @ link
    return result


def translation(offset: ArrayLike) -> Affine:
    """A pure translation by ``offset`` (3,).

    Examples
    --------
    >>> translation([1.0, 2.0, 3.0])[:3, 3].tolist()
    [1.0, 2.0, 3.0]
    """
    result = np.eye(4)
    result[:3, 3] = np.asarray(offset, dtype=np.float64)
    return result


def rotation_about_axis(axis: ArrayLike, angle_rad: float, centre: ArrayLike = (0.0, 0.0, 0.0)) -> Affine:
    """Rotation by ``angle_rad`` about ``axis`` through ``centre`` (right-hand rule, Rodrigues).

    Examples
    --------
    >>> apply_affine(rotation_about_axis([0, 0, 1], np.pi / 2), [1.0, 0.0, 0.0]).round(12).tolist()
    [0.0, 1.0, 0.0]
    """
    unit = np.asarray(axis, dtype=np.float64)
    length = np.linalg.norm(unit)
    assert length > 0.0, "an axis of rotation needs a direction"
    unit = unit / length
    cross = np.array([[0.0, -unit[2], unit[1]], [unit[2], 0.0, -unit[0]], [-unit[1], unit[0], 0.0]])
    linear = np.eye(3) + np.sin(angle_rad) * cross + (1.0 - np.cos(angle_rad)) * (cross @ cross)
    middle = np.asarray(centre, dtype=np.float64)
    result = np.eye(4)
    result[:3, :3] = linear
    result[:3, 3] = middle - linear @ middle
    return result


def rigid_from_axes(origin_a: ArrayLike, axes_a: ArrayLike) -> Affine:
    """``a_from_local`` of a local frame given by its origin and unit axes in frame a.

    Parameters
    ----------
    origin_a : (3,) array_like
    axes_a : (3, 3) array_like
        Rows are the local x, y and z axes, orthonormal and right-handed, in frame a.

    Examples
    --------
    >>> rigid_from_axes([1.0, 0.0, 0.0], np.eye(3))[:3, 3].tolist()
    [1.0, 0.0, 0.0]
    """
    result = np.eye(4)
    result[:3, :3] = np.asarray(axes_a, dtype=np.float64).T
    result[:3, 3] = np.asarray(origin_a, dtype=np.float64)
    return result


def is_rigid(a_from_b: Affine, tolerance: float = 1e-6) -> bool:
    """Whether a transform is a proper rotation plus a translation.

    Examples
    --------
    >>> is_rigid(np.diag([1.0, 1.0, -1.0, 1.0]))
    False
    """
    linear = a_from_b[:3, :3]
    orthonormal = np.allclose(linear @ linear.T, np.eye(3), atol=tolerance)
    return bool(orthonormal and np.linalg.det(linear) > 0.0)
