"""From the working grid back to the CT's own grid: labels, parts, canal, skin and confidence."""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine, compose
from vertebro.imaging import VolumeGeometry
from vertebro.segmentation.body_surface import BodySurface
from vertebro.segmentation.subregions import subregions_at
from vertebro.segmentation.working_grid import WorkingImage

AIR_HU = -300.0
CANAL_SEARCH_MM = 16.0
CANAL_BONE_HU = 180.0


@dataclass(frozen=True, eq=False, slots=True)
class LiftedMasks:
    """Arrays on the CT's grid."""

    numbers: NDArray[np.uint8]
    """1…n from caudal to cranial, 0 background."""
    subregions: NDArray[np.uint8]
    confidence: NDArray[np.float32]


def lift_labels(
    painted: NDArray[np.uint8], image: WorkingImage, bodies: list[BodySurface], geometry: VolumeGeometry
) -> LiftedMasks:
    """Carry labels of the working grid to the CT's grid, smoothing their steps.

    Parameters
    ----------
    painted : (i, j, k) uint8 array
        1…n on the working grid.
    image : WorkingImage
    bodies : list of BodySurface
    geometry : VolumeGeometry
        The CT's.

    Returns
    -------
    LiftedMasks
    """
    numbers = np.zeros(geometry.shape, dtype=np.uint8)
    parts = np.zeros(geometry.shape, dtype=np.uint8)
    best = np.full(geometry.shape, np.float32(0.0), dtype=np.float32)
    boxes = ndimage.find_objects(painted, max_label=len(bodies))
    for number, (box, body) in enumerate(zip(boxes, bodies, strict=True), start=1):
        if box is None:
            continue
        wide = tuple(
            slice(max(part.start - 3, 0), min(part.stop + 3, size))
            for part, size in zip(box, painted.shape, strict=True)
        )
        soft = ndimage.gaussian_filter((painted[wide] == number).astype(np.float32), 0.6, mode="nearest")
        target = _part_under(image.geometry, wide, geometry)
        if target is None:
            continue
        share = _sample(soft, image.geometry, wide, geometry, target)
        here = share > np.maximum(best[target], 0.5)
        best[target] = np.maximum(best[target], share)
        numbers[target][here] = number
        origin = np.array([part.start for part in target])
        points = apply_affine(geometry.lps_from_voxel, np.argwhere(here) + origin)
        parts[target][here] = subregions_at(body, points)
    confidence = np.where(best > 0.0, 0.5 + np.abs(best - 0.5), 1.0).astype(np.float32)
    return LiftedMasks(numbers, parts, confidence)


def canal_mask(
    image: WorkingImage,
    line_lps_mm: NDArray[np.float64],
    painted: NDArray[np.uint8],
    geometry: VolumeGeometry,
) -> NDArray[np.uint8]:
    """1 in the spinal canal: soft voxels around its middle line that no bone parts from it."""
    result = np.zeros(geometry.shape, dtype=np.uint8)
    if len(line_lps_mm) == 0:
        return result
    index = apply_affine(image.geometry.voxel_from_lps, line_lps_mm)
    reach = CANAL_SEARCH_MM / image.step_mm
    lower = np.maximum(np.floor(index.min(axis=0) - reach).astype(int), 0)
    upper = np.minimum(np.ceil(index.max(axis=0) + reach).astype(int) + 1, image.hu.shape)
    if np.any(upper <= lower):
        return result
    box = tuple(slice(int(a), int(b)) for a, b in zip(lower, upper, strict=True))
    away = np.ones(tuple(upper - lower), dtype=bool)
    on_line = np.clip(np.rint(index - lower).astype(int), 0, upper - lower - 1)
    away[tuple(on_line.T)] = False
    near = np.asarray(edt.edt(away, parallel=1)) * image.step_mm
    smooth = ndimage.gaussian_filter(image.hu[box], 0.7)
    soft = (smooth < CANAL_BONE_HU) & (smooth > AIR_HU) & (painted[box] == 0) & (near <= CANAL_SEARCH_MM)
    opened = ndimage.binary_erosion(soft, iterations=max(1, round(2.0 / image.step_mm)))
    core = opened | (soft & (near <= 4.0))
    marks, _ = ndimage.label(core)
    kept = np.unique(marks[(near <= 4.0) & soft])
    inside = np.isin(marks, kept[kept > 0]) & (near <= 12.0)
    grown = ndimage.binary_dilation(inside, iterations=max(1, round(2.0 / image.step_mm))) & soft
    target = _part_under(image.geometry, box, geometry)
    if target is None:
        return result
    share = _sample(
        ndimage.gaussian_filter(grown.astype(np.float32), 0.6), image.geometry, box, geometry, target
    )
    result[target] = share > 0.5
    return result


def skin_mask(coarse: WorkingImage, geometry: VolumeGeometry) -> NDArray[np.uint8]:
    """1 inside the skin: the largest piece that is not air, its holes filled slice by slice."""
    body = ndimage.binary_opening(coarse.hu > AIR_HU, iterations=1)
    marks, count = ndimage.label(body)
    if count == 0:
        return np.zeros(geometry.shape, dtype=np.uint8)
    sizes = np.bincount(marks.ravel())
    sizes[0] = 0
    largest = marks == int(sizes.argmax())
    for k in range(largest.shape[2]):
        largest[:, :, k] = ndimage.binary_fill_holes(largest[:, :, k])
    coarse_from_ct = compose(coarse.geometry.voxel_from_lps, geometry.lps_from_voxel)
    filled = ndimage.affine_transform(
        largest.astype(np.uint8),
        coarse_from_ct[:3, :3],
        offset=coarse_from_ct[:3, 3],
        output_shape=geometry.shape,
        order=0,
        mode="nearest",
    )
    return np.asarray(filled, dtype=np.uint8)


def _part_under(
    source: VolumeGeometry, box: tuple[slice, ...], target: VolumeGeometry
) -> tuple[slice, slice, slice] | None:
    """The part of the target grid that a box of the source grid covers; None where none."""
    corners = np.array(
        [
            [i, j, k]
            for i in (box[0].start, box[0].stop - 1)
            for j in (box[1].start, box[1].stop - 1)
            for k in (box[2].start, box[2].stop - 1)
        ]
    )
    index = apply_affine(compose(target.voxel_from_lps, source.lps_from_voxel), corners)
    start = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    stop = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, target.shape)
    if np.any(stop <= start):
        return None
    return slice(start[0], stop[0]), slice(start[1], stop[1]), slice(start[2], stop[2])


def _sample(
    values: NDArray[np.float32],
    source: VolumeGeometry,
    box: tuple[slice, ...],
    target: VolumeGeometry,
    part: tuple[slice, slice, slice],
) -> NDArray[np.float32]:
    """Linear samples of a boxed array at a part of another grid, 0 outside."""
    source_from_target = compose(source.voxel_from_lps, target.lps_from_voxel)
    linear = source_from_target[:3, :3]
    start = np.array([piece.start for piece in part], dtype=np.float64)
    offset = linear @ start + source_from_target[:3, 3] - np.array([piece.start for piece in box])
    shape = tuple(piece.stop - piece.start for piece in part)
    return np.asarray(
        ndimage.affine_transform(
            values, linear, offset=offset, output_shape=shape, order=1, mode="constant", cval=0.0
        ),
        dtype=np.float32,
    )
