"""Regions of a lifted vertebra that several tissue measurements share."""

from __future__ import annotations

from dataclasses import replace

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.geometry import compose, invert_affine
from vertebro.imaging import VolumeGeometry

OUTSIDE_HU = -1023.5
"""Patch voxels at or below this and open to the patch's border lie outside the scan."""


def spacing_mm(anatomy: LevelAnatomy) -> float:
    """Edge of a patch voxel."""
    return anatomy.patch.spacing_mm[0]


def near_body(anatomy: LevelAnatomy, margin_mm: float) -> LevelAnatomy:
    """The same level on the part of its patch that holds the body and a margin, for speed.

    A body without a voxel is returned whole.
    """
    box = ndimage.find_objects(anatomy.body.view(np.uint8))
    if not box:
        return anatomy
    margin = max(1, round(margin_mm / spacing_mm(anatomy)))
    start = [max(0, part.start - margin) for part in box[0]]
    stop = [min(count, part.stop + margin) for part, count in zip(box[0], anatomy.patch.shape, strict=True)]
    part = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    return replace(
        anatomy,
        patch=anatomy.patch.crop((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])),
        hu=anatomy.hu[part],
        vertebra=anatomy.vertebra[part],
        body=anatomy.body[part],
        other_bone=anatomy.other_bone[part],
    )


def local_axes_mm(
    anatomy: LevelAnatomy,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Positions of the patch's planes along right, anterior and superior, in the local frame."""
    vertebra_from_patch = compose(invert_affine(anatomy.lps_from_vertebra), anatomy.patch.lps_from_voxel)
    right, anterior, superior = (
        vertebra_from_patch[axis, axis] * np.arange(count) + vertebra_from_patch[axis, 3]
        for axis, count in enumerate(anatomy.patch.shape)
    )
    return right, anterior, superior


def source_spacing_along_axes(
    geometry: VolumeGeometry, lps_from_vertebra: NDArray[np.float64]
) -> tuple[float, float, float]:
    """How coarse a grid is along a local frame's axes: the voxel's extent seen along each.

    Parameters
    ----------
    geometry : VolumeGeometry
    lps_from_vertebra : (4, 4) array

    Returns
    -------
    (right, anterior, superior), mm: root of the squared, projected edges.

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((9, 9, 9), (3.0, 1.0, 2.0))
    >>> source_spacing_along_axes(grid, np.eye(4))
    (3.0, 1.0, 2.0)
    """
    edges = geometry.lps_from_voxel[:3, :3]
    extents = np.linalg.norm(lps_from_vertebra[:3, :3].T @ edges, axis=1)
    return float(extents[0]), float(extents[1]), float(extents[2])


def depth_inside_mm(mask: NDArray[np.bool_], voxel_mm: float) -> NDArray[np.float32]:
    """Distance of each voxel of a mask to the nearest voxel outside it, from face to centre.

    The patch's border counts as outside.

    Examples
    --------
    >>> depth_inside_mm(np.ones((5, 5, 5), bool), 1.0)[2, 2, 2].item()
    2.5
    """
    distance = edt.edt(np.ascontiguousarray(mask), anisotropy=(voxel_mm,) * 3, black_border=True)
    return np.asarray(np.maximum(distance - voxel_mm / 2.0, 0.0), dtype=np.float32)


def outside_scan(hu: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Patch voxels that the scan does not hold: fill values open to the patch's border."""
    fill = hu <= OUTSIDE_HU
    if not fill.any():
        return np.zeros(hu.shape, dtype=bool)
    shell = np.ones(hu.shape, dtype=bool)
    shell[1:-1, 1:-1, 1:-1] = False
    return np.asarray(ndimage.binary_propagation(fill & shell, mask=fill), dtype=bool)


def smoothed_hu(anatomy: LevelAnatomy, sigma_mm: float) -> NDArray[np.float32]:
    """CT of the patch after a Gaussian blur."""
    return np.asarray(ndimage.gaussian_filter(anatomy.hu, sigma_mm / spacing_mm(anatomy)), dtype=np.float32)


def large_components(mask: NDArray[np.bool_], min_voxels: float) -> NDArray[np.bool_]:
    """The parts of a mask (joined through faces) that hold at least ``min_voxels`` voxels.

    Examples
    --------
    >>> mask = np.zeros((6, 1, 1), bool); mask[[0, 1, 4]] = True
    >>> large_components(mask, 2)[:, 0, 0].astype(int).tolist()
    [1, 1, 0, 0, 0, 0]
    """
    labels, count = ndimage.label(mask)
    if count == 0:
        return np.zeros(mask.shape, dtype=bool)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    keep = sizes >= max(min_voxels, 1.0)
    keep[0] = False
    return np.asarray(keep[labels], dtype=bool)


def dense_implant(
    anatomy: LevelAnatomy, depth_mm: NDArray[np.float32], threshold_hu: float, min_ml: float
) -> NDArray[np.bool_]:
    """Earlier cement or metal inside the spongy bone: bright blobs that are not cortex."""
    voxel_ml = spacing_mm(anatomy) ** 3 / 1000.0
    bright = (smoothed_hu(anatomy, 0.7) > threshold_hu) & (depth_mm > 3.0)
    return large_components(bright, min_ml / voxel_ml)
