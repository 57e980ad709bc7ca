"""Posterior elements: the bone behind the bodies, shared out among the levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine, compose
from vertebro.segmentation.body_surface import BodySurface
from vertebro.segmentation.growth_kernels import grow_levels
from vertebro.segmentation.level_frame import LevelFrame
from vertebro.segmentation.surroundings import rib_evidence
from vertebro.segmentation.working_grid import WorkingImage

BONE_FROM_HU, BONE_SURE_HU = 170.0, 380.0
"""Between soft tissue and thin, blurred cortex; and compact bone (assumed)."""
MISFIT_WEIGHT, DARK_WEIGHT = 4.0, 8.0
LONGEST_WAY = 260.0
MARROW_MM, MARROW_HU = 3.0, 0.0
"""Marrow spaces up to twice this across, not darker than fatty marrow mixed with bone (assumed)."""


def paint_bodies(bodies: list[BodySurface], image: WorkingImage) -> NDArray[np.uint8]:
    """(i, j, k): label 1…n of the body that each voxel of the working grid lies in, 0 for none."""
    labels = np.zeros(image.hu.shape, dtype=np.uint8)
    depth = np.zeros(image.hu.shape, dtype=np.float32)
    for number, body in enumerate(bodies, start=1):
        box = box_of(body.frame, image, (1.6, 1.6, 1.5))
        if box is None:
            continue
        points = grid_points(image, box)
        excess = body.excess(points.reshape(-1, 3)).reshape(points.shape[:3])
        here = (excess <= 0.0) & (excess < depth[box])
        labels[box][here] = number
        depth[box][here] = excess[here]
    return labels


def box_of(
    frame: LevelFrame, image: WorkingImage, reach: tuple[float, float, float]
) -> tuple[slice, slice, slice] | None:
    """The part of the working grid within ``reach`` box coordinates; None where it is outside."""
    corners = np.array([[i, j, k] for i in (-1.0, 1.0) for j in (-1.0, 1.0) for k in (-1.0, 1.0)]) * np.array(
        reach
    )
    index = apply_affine(image.geometry.voxel_from_lps, frame.lps_from_box(corners))
    lower = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    upper = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, image.hu.shape)
    if np.any(upper <= lower):
        return None
    return slice(lower[0], upper[0]), slice(lower[1], upper[1]), slice(lower[2], upper[2])


def grid_points(image: WorkingImage, box: tuple[slice, slice, slice]) -> NDArray[np.float64]:
    """(a, b, c, 3): world positions of a part of the working grid."""
    axes = np.meshgrid(*[np.arange(part.start, part.stop) for part in box], indexing="ij")
    return image.points_lps(np.stack(axes, axis=-1).astype(np.float64))


def bone_likeness(image: WorkingImage) -> NDArray[np.float32]:
    """How surely each voxel is bone, 0 to 1; small marrow spaces between bone count as bone."""
    smooth = ndimage.gaussian_filter(image.hu, 0.5 / image.step_mm)
    closed = ndimage.grey_closing(smooth, size=(3, 3, 3))
    likeness = (np.maximum(smooth, 0.9 * closed) - BONE_FROM_HU) / (BONE_SURE_HU - BONE_FROM_HU)
    return np.asarray(np.clip(likeness, 0.0, 1.0) * (smooth > -300.0), dtype=np.float32)


def thoracic_share(body: BodySurface) -> float:
    """How much a level is built like a thoracic one, by its half width: 0 from 21 mm, 1 up to 16 mm."""
    return float(np.clip((21.0 - body.waist_mm[0]) / 5.0, 0.0, 1.0))


def grow_posterior(
    image: WorkingImage, bodies: list[BodySurface], painted: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Whole vertebrae on the working grid: bodies and the posterior elements that belong to them.

    Parameters
    ----------
    image : WorkingImage
        On the fine grid.
    bodies : list of BodySurface
    painted : (i, j, k) uint8 array
        Body labels 1…n.

    Returns
    -------
    (i, j, k) uint8 array
    """
    bone = bone_likeness(image)
    frames = np.stack([compose(body.frame.level_from_lps, image.geometry.lps_from_voxel) for body in bodies])
    sizes = np.array(
        [
            [
                body.waist_mm[0],
                body.frame.half_height_mm,
                body.waist_mm[1],
                thoracic_share(body),
                LONGEST_WAY,
                rib_evidence(image, body),
            ]
            for body in bodies
        ]
    )
    weights = np.array([image.step_mm, MISFIT_WEIGHT, DARK_WEIGHT])
    labels, _ = grow_levels(bone, painted, frames, sizes, weights)
    return _filled(labels, painted, image, len(bodies))


def _filled(
    labels: NDArray[np.uint8], painted: NDArray[np.uint8], image: WorkingImage, count: int
) -> NDArray[np.uint8]:
    """Labels with the marrow inside their arches, and without pieces that hang on nothing."""
    result = painted.copy()
    reach = max(1, round(MARROW_MM / image.step_mm))
    for number, box in enumerate(ndimage.find_objects(labels, max_label=count), start=1):
        if box is None:
            continue
        wide = tuple(
            slice(max(part.start - reach - 1, 0), min(part.stop + reach + 1, size))
            for part, size in zip(box, labels.shape, strict=True)
        )
        own = labels[wide] == number
        bone = own & (painted[wide] == 0)
        closed = ndimage.binary_closing(np.pad(own, reach), iterations=reach)
        closed = closed[reach:-reach, reach:-reach, reach:-reach]
        marrow = closed & (labels[wide] == 0) & (image.hu[wide] > MARROW_HU)
        bone = ndimage.binary_opening(bone | marrow, iterations=1) | (bone & _thick(bone))
        whole = bone | (painted[wide] == number)
        marks, pieces = ndimage.label(whole, np.ones((3, 3, 3)))
        if pieces > 1:
            sizes = np.bincount(marks.ravel())
            sizes[0] = 0
            whole = marks == int(sizes.argmax())
        place = result[wide]
        place[whole & (place == 0)] = number
    return result


def _thick(bone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bone voxels with most of their neighbours in bone: thin plates stay, single voxels go."""
    return np.asarray(ndimage.uniform_filter(bone.astype(np.float32), 3) > 0.33)
