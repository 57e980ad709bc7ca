"""Lifting: resample labels and CT into a patch along a vertebra's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine, compose, invert_affine
from vertebro.imaging import VolumeGeometry, resample


@dataclass(frozen=True, eq=False, slots=True)
class MaskCrop:
    """One label cut out of its volume with an empty border around it."""

    mask: NDArray[np.bool_]
    geometry: VolumeGeometry


def crop_mask(
    labels: NDArray[np.uint8] | NDArray[np.int16],
    label: int,
    box: tuple[slice, slice, slice],
    geometry: VolumeGeometry,
    border: int = 3,
) -> MaskCrop:
    """A label's mask with ``border`` empty voxels on every side.

    The border lies outside the scan where the label touches the scan's edge.
    """
    inner = labels[box] == label
    padded = np.pad(inner, border)
    start = np.array([part.start for part in box], dtype=np.float64) - border
    affine = geometry.lps_from_voxel.copy()
    affine[:3, 3] = apply_affine(geometry.lps_from_voxel, start)
    return MaskCrop(padded, VolumeGeometry(padded.shape, affine))


def patch_grid(
    lps_from_vertebra: NDArray[np.float64],
    lower_mm: NDArray[np.float64],
    upper_mm: NDArray[np.float64],
    spacing_mm: float,
) -> VolumeGeometry:
    """An isotropic grid along a local frame that covers the local box ``lower_mm`` to ``upper_mm``.

    A voxel centre lies on the frame's origin plane of every axis, so that mirrored cases get
    mirrored grids.
    """
    first = np.floor(np.asarray(lower_mm) / spacing_mm)
    last = np.ceil(np.asarray(upper_mm) / spacing_mm)
    shape = (last - first + 1).astype(int)
    vertebra_from_patch = np.diag([spacing_mm] * 3 + [1.0])
    vertebra_from_patch[:3, 3] = first * spacing_mm
    return VolumeGeometry(
        (int(shape[0]), int(shape[1]), int(shape[2])), compose(lps_from_vertebra, vertebra_from_patch)
    )


def coverage_on(
    crop: MaskCrop, target: VolumeGeometry, blur_voxels: float, fine_blur_mm: float
) -> NDArray[np.float32]:
    """How much of each target voxel's surroundings the mask covers, 0 to 1; its 0.5 surface is the mask's.

    The mask is blurred in its own voxels, which turns its steps into a slope without moving flat
    faces, and interpolated linearly.
    """
    soft = crop.mask.astype(np.float32)
    if blur_voxels > 0.0:
        spacing = np.array(crop.geometry.spacing_mm)
        sigma = np.maximum(blur_voxels, np.minimum(1.0, fine_blur_mm / spacing))
        soft = ndimage.gaussian_filter(soft, sigma, truncate=3.0)
    return np.asarray(resample(soft, crop.geometry, target, outside=0.0), dtype=np.float32)


def hu_on(
    hu: NDArray[np.float32] | NDArray[np.int16], geometry: VolumeGeometry, target: VolumeGeometry
) -> NDArray[np.float32]:
    """CT on the patch; only the part of the CT under the patch is touched."""
    cut = _part_under(geometry, target)
    if cut is None:
        return np.full(target.shape, -1024.0, dtype=np.float32)
    start, stop = cut
    part = hu[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    values = resample(part, geometry.crop(start, stop), target, outside=-1024.0)
    return np.asarray(values, dtype=np.float32)


def nearest_on(
    labels: NDArray[np.uint8] | NDArray[np.int16], geometry: VolumeGeometry, target: VolumeGeometry
) -> NDArray[np.int16]:
    """Label values on the patch, nearest voxel, 0 outside."""
    cut = _part_under(geometry, target)
    if cut is None:
        return np.zeros(target.shape, dtype=np.int16)
    start, stop = cut
    part = labels[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    grid = geometry.crop(start, stop)
    source_from_target = compose(grid.voxel_from_lps, target.lps_from_voxel)
    output = np.zeros(target.shape, dtype=np.int16)
    ndimage.affine_transform(
        part.astype(np.int16),
        source_from_target[:3, :3],
        offset=source_from_target[:3, 3],
        output_shape=target.shape,
        output=output,
        order=0,
        mode="grid-constant",
        cval=0,
    )
    return output


def inside_scan(geometry: VolumeGeometry, target: VolumeGeometry, margin_voxels: float) -> NDArray[np.bool_]:
    """(target.shape): whether a patch voxel is at least ``margin_voxels`` inside the grid's border."""
    source_from_target = compose(geometry.voxel_from_lps, target.lps_from_voxel)
    axes = [np.arange(n, dtype=np.float64) for n in target.shape]
    inside = np.ones(target.shape, dtype=bool)
    for row in range(3):
        linear = source_from_target[row]
        index = (
            linear[0] * axes[0][:, None, None]
            + linear[1] * axes[1][None, :, None]
            + linear[2] * axes[2][None, None, :]
            + linear[3]
        )
        inside &= (index >= margin_voxels - 0.5) & (index <= geometry.shape[row] - 0.5 - margin_voxels)
    return inside


def local_points(crop: MaskCrop, lps_from_vertebra: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3): centres of a mask's voxels in a local frame, mm."""
    index = np.argwhere(crop.mask)
    vertebra_from_voxel = compose(invert_affine(lps_from_vertebra), crop.geometry.lps_from_voxel)
    return apply_affine(vertebra_from_voxel, index)


def _part_under(
    geometry: VolumeGeometry, target: VolumeGeometry
) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """Index range of the source that the target's box touches, one voxel wider; None if none."""
    last = [n - 1 for n in target.shape]
    corners = np.array([[i, j, k] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
    index = apply_affine(compose(geometry.voxel_from_lps, target.lps_from_voxel), corners)
    start = np.maximum(np.floor(index.min(axis=0)).astype(int) - 1, 0)
    stop = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 2, geometry.shape)
    if np.any(stop <= start):
        return None
    return (int(start[0]), int(start[1]), int(start[2])), (int(stop[0]), int(stop[1]), int(stop[2]))
