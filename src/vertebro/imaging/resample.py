"""Interpolating images at world positions and onto other grids.

Trilinear for CT values, nearest for labels. Points outside the grid get ``outside``; within half a
voxel of its border the nearest voxel's value is used, since a voxel fills its cell.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine, compose
from vertebro.imaging.volume_geometry import VolumeGeometry


class Interpolation(StrEnum):
    """How values between voxel centres are found."""

    NEAREST = "nearest"
    LINEAR = "linear"
    CUBIC = "cubic"


_ORDER = {Interpolation.NEAREST: 0, Interpolation.LINEAR: 1, Interpolation.CUBIC: 3}


def sample_at(
    array: NDArray[np.generic],
    geometry: VolumeGeometry,
    points_lps_mm: ArrayLike,
    *,
    interpolation: Interpolation = Interpolation.LINEAR,
    outside: float = -1024.0,
) -> NDArray[np.float32]:
    """Values of an image at world positions.

    Parameters
    ----------
    array : (i, j, k) array
    geometry : VolumeGeometry
        The array's grid.
    points_lps_mm : (..., 3) array_like
    interpolation : Interpolation
    outside : float
        Value for points more than half a voxel outside the grid.

    Returns
    -------
    (...) float32 array

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((2, 1, 1), (1.0, 1.0, 1.0))
    >>> float(sample_at(np.array([[[0.0]], [[10.0]]]), grid, [0.25, 0.0, 0.0]))
    2.5
    """
    points = np.asarray(points_lps_mm, dtype=np.float64)
    index = apply_affine(geometry.voxel_from_lps, points.reshape(-1, 3)).T
    limits = np.array(geometry.shape, dtype=np.float64)[:, None]
    is_inside = np.all((index >= -0.5 - 1e-9) & (index <= limits - 0.5 + 1e-9), axis=0)
    values = np.full(index.shape[1], outside, dtype=np.float32)
    if is_inside.any():
        source = array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
        values[is_inside] = ndimage.map_coordinates(
            source, index[:, is_inside], order=_ORDER[interpolation], mode="nearest", output=np.float32
        )
    return values.reshape(points.shape[:-1])


def resample(
    array: NDArray[np.generic],
    geometry: VolumeGeometry,
    target: VolumeGeometry,
    *,
    interpolation: Interpolation = Interpolation.LINEAR,
    outside: float | None = None,
) -> NDArray[np.generic]:
    """An image on another grid.

    Parameters
    ----------
    array : (i, j, k) array
    geometry : VolumeGeometry
        The array's grid.
    target : VolumeGeometry
        The grid wanted.
    interpolation : Interpolation
        Use ``NEAREST`` for labels.
    outside : float, optional
        Value for voxels more than half a source voxel outside the source grid; −1024 for CT
        values and 0 for ``NEAREST`` unless given.

    Returns
    -------
    array of ``target.shape``; the source's dtype for ``NEAREST``, float32 otherwise.

    Notes
    -----
    No smoothing is done before going to a coarser grid.

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((3, 3, 3), (1.0, 1.0, 1.0))
    >>> ones = np.ones((3, 3, 3), np.uint8)
    >>> int(resample(ones, grid, grid, interpolation=Interpolation.NEAREST).sum())
    27
    """
    source_from_target = compose(geometry.voxel_from_lps, target.lps_from_voxel)
    is_nearest = interpolation is Interpolation.NEAREST
    dtype = array.dtype if is_nearest else np.dtype(np.float32)
    padded = np.pad(array if is_nearest else array.astype(np.float32), 1, mode="edge")
    shifted = source_from_target[:3, 3] + 1.0
    output = np.empty(target.shape, dtype=dtype)
    ndimage.affine_transform(
        padded,
        source_from_target[:3, :3],
        offset=shifted,
        output_shape=target.shape,
        output=output,
        order=_ORDER[interpolation],
        mode="nearest",
    )
    fill = outside if outside is not None else (0 if is_nearest else -1024.0)
    output[~_inside(source_from_target, geometry.shape, target.shape)] = fill
    return output


def _inside(
    source_from_target: NDArray[np.float64],
    source_shape: tuple[int, int, int],
    target_shape: tuple[int, int, int],
) -> NDArray[np.bool_]:
    """(target_shape) mask of target voxels whose centre lies within the source grid's cells."""
    linear, offset = source_from_target[:3, :3], source_from_target[:3, 3]
    axes = [np.arange(n, dtype=np.float64) for n in target_shape]
    mask = np.ones(target_shape, dtype=bool)
    for row in range(3):
        index = (
            linear[row, 0] * axes[0][:, None, None]
            + linear[row, 1] * axes[1][None, :, None]
            + linear[row, 2] * axes[2][None, None, :]
            + offset[row]
        )
        mask &= (index >= -0.5 - 1e-9) & (index <= source_shape[row] - 0.5 + 1e-9)
    return mask
