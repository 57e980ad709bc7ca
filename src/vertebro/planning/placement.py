"""The steps in which a needle is placed, and what each looks like on the pedicle.

A needle is advanced under two views: in AP the tip must not cross the inner border of the pedicle
before it has passed the back wall of the body in the lateral view; otherwise it is in the canal.

References
----------
.. [1] Mathis JM, Deramond H, Belkoff SM (eds). Percutaneous Vertebroplasty and Kyphoplasty, 2nd ed.,
   Springer 2006: the transpedicular approach.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import (
    Approach,
    Assessment,
    LevelAssessment,
    NeedlePath,
    Picture,
    Placement,
    PlacementStage,
    PlacementStep,
    Side,
)
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import LabelVolume, sample_at

_GRID_MM = 0.5
"""Pixel of the section on which the pedicle is outlined: finer than labels are."""
_HALF_WINDOW_MM = 20.0
"""A pedicle is at most about 20 mm high or wide (Zindrick et al., Spine 1987;12:160)."""
_PEDICLE_BEHIND_MM = 8.0
"""A path beside a pedicle meets the body about so far before the pedicle's narrowest section
(assumed: half of a pedicle's length)."""
_ALONG_MM = 0.25
_NEAR_MIDDLE = 0.35
"""Share of the ring's radius within which a tip has no hour (assumed: below what is told apart in a view)."""


def placement_of(
    path: NeedlePath,
    labels: LabelVolume,
    assessment: Assessment,
    level_name: str,
    frontal_matrix: NDArray[np.float64],
) -> Placement:
    """The four steps of a needle: at the bone, mid-pedicle, back wall, final.

    Parameters
    ----------
    path : NeedlePath
    labels : LabelVolume
        Whole vertebrae; with bodies only, no pedicle can be outlined.
    assessment : Assessment
    level_name : str
    frontal_matrix : (3, 4) array
        Projection of the AP view (column, row from LPS): what a step says of the pedicle is what this
        view shows, the beam's divergence included.

    Returns
    -------
    Placement
        Without pictures. Steps are in the order of depth.
    """
    level = assessment.levels[level_name]
    ring = pedicle_ring(path, labels, level)
    entry, target = path.entry_bone_lps_mm, path.target_lps_mm
    length = float(np.linalg.norm(target - entry))
    direction = (target - entry) / length
    pedicle_mm = float(np.clip((path.isthmus_lps_mm - entry) @ direction, 0.0, length))
    wall_mm = _wall_depth(entry, direction, length, pedicle_mm, assessment, level)
    depths = {
        PlacementStage.ENTRY: 0.0,
        PlacementStage.PEDICLE: pedicle_mm,
        PlacementStage.WALL: wall_mm,
        PlacementStage.FINAL: length,
    }
    frontal = Picture(np.zeros((1, 1), np.uint8), frontal_matrix)
    steps = tuple(
        _step(stage, (entry + depth * direction, depth, wall_mm), path.side, frontal, ring)
        for stage, depth in depths.items()
    )
    back_wall = level.height_lines_lps_mm.get("posterior")
    return Placement(level_name, path.side, steps, ring, back_wall, path.approach)


def pedicle_ring(path: NeedlePath, labels: LabelVolume, level: LevelAssessment) -> NDArray[np.float64] | None:
    """Outline of the pedicle where the path crosses its narrowest section.

    Drawn in the level's coronal plane there, which is how an AP view shows the pedicle.

    Returns
    -------
    (n, 3) array, LPS mm, or None
        None where no bone lies at the path's isthmus, or where the outline does not close.
    """
    from skimage.measure import find_contours  # noqa: PLC0415 - only when steps are drawn

    count = round(2 * _HALF_WINDOW_MM / _GRID_MM) + 1
    offsets = (np.arange(count) - count // 2) * _GRID_MM
    centre = apply_affine(invert_affine(level.lps_from_vertebra), path.isthmus_lps_mm)
    if path.approach is Approach.PARAPEDICULAR:  # that point lies on the body, before the pedicle
        centre[1] -= _PEDICLE_BEHIND_MM
    local = np.zeros((count, count, 3))
    local[..., 0] = centre[0] + offsets[None, :]
    local[..., 1] = centre[1]
    local[..., 2] = centre[2] + offsets[:, None]
    inside = _share_inside(labels, level.label, apply_affine(level.lps_from_vertebra, local))
    parts, n_parts = ndimage.label(inside > 0.5)
    if n_parts == 0:
        return None
    distance = np.hypot(offsets[None, :], offsets[:, None]) + np.where(parts > 0, 0.0, np.inf)
    nearest = np.unravel_index(int(np.argmin(distance)), distance.shape)
    if distance[nearest] > _HALF_WINDOW_MM / 2:
        return None
    own = np.where(parts == parts[nearest], inside, 0.0)
    if max(own[0].max(), own[-1].max(), own[:, 0].max(), own[:, -1].max()) > 0.5:
        return None  # more than a pedicle: the section runs into arch or body
    outline = max(find_contours(own, 0.5), key=len)
    points = np.empty((len(outline), 3))
    points[:, 0] = centre[0] + (outline[:, 1] - count // 2) * _GRID_MM
    points[:, 1] = centre[1]
    points[:, 2] = centre[2] + (outline[:, 0] - count // 2) * _GRID_MM
    return np.asarray(apply_affine(level.lps_from_vertebra, points))


def _share_inside(labels: LabelVolume, label: int, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of each position lies inside a label; positions outside the grid hold none."""
    index = apply_affine(labels.geometry.voxel_from_lps, positions.reshape(-1, 3))
    low = np.maximum(np.floor(index.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 2, labels.geometry.shape)
    if np.any(high <= low):
        return np.zeros(positions.shape[:-1])
    part = labels.labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]] == label
    window = labels.geometry.crop(
        (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))
    )
    return np.asarray(sample_at(part, window, positions, outside=0.0), dtype=np.float64)


def _wall_depth(
    entry: NDArray[np.float64],
    direction: NDArray[np.float64],
    length_mm: float,
    pedicle_mm: float,
    assessment: Assessment,
    level: LevelAssessment,
) -> float:
    """How deep the tip is when it enters the body, at or past the pedicle's narrowest section."""
    depths = np.arange(pedicle_mm, length_mm, _ALONG_MM)
    if not len(depths):
        return length_mm
    index = np.rint(
        apply_affine(assessment.geometry.voxel_from_lps, entry + depths[:, None] * direction)
    ).astype(int)
    is_inside = np.all((index >= 0) & (index < assessment.geometry.shape), axis=1)
    index = np.where(is_inside[:, None], index, 0)
    in_body = is_inside & (assessment.bodies[tuple(index.T)] == level.label)
    return float(depths[int(np.argmax(in_body))]) if in_body.any() else length_mm


def _step(
    stage: PlacementStage,
    place: tuple[NDArray[np.float64], float, float],
    side: Side,
    frontal: Picture,
    ring: NDArray[np.float64] | None,
) -> PlacementStep:
    """A step from its tip, the tip's depth and the back wall's depth."""
    tip, depth_mm, wall_mm = place
    outward = 1.0 if side is Side.LEFT else -1.0  # AP shows the patient's left on the right
    gap: float | None = None
    hour: int | None = None
    if ring is not None:
        own, edge = frontal.project(tip), frontal.project(ring)
        gap = float(outward * own[0] - (outward * edge[:, 0]).min()) * _mm_per_pixel(ring, edge)
        hour = _clock_hour(own, edge)
    return PlacementStep(stage, tip, depth_mm, gap, wall_mm - depth_mm, hour)


def _mm_per_pixel(ring_lps_mm: NDArray[np.float64], edge: NDArray[np.float64]) -> float:
    """What a pixel of the view spans at the pedicle."""
    strides = np.linalg.norm(np.diff(ring_lps_mm, axis=0), axis=1).sum()
    return float(strides / np.linalg.norm(np.diff(edge, axis=0), axis=1).sum())


def _clock_hour(tip: NDArray[np.float64], edge: NDArray[np.float64]) -> int | None:
    """The hour at which the tip stands on the ring, both as column and row of the AP view."""
    middle = (edge.min(axis=0) + edge.max(axis=0)) / 2
    half = np.maximum((edge.max(axis=0) - edge.min(axis=0)) / 2, 0.5)
    across, up = (tip[0] - middle[0]) / half[0], -(tip[1] - middle[1]) / half[1]
    if np.hypot(across, up) < _NEAR_MIDDLE:
        return None
    hour = round(float(np.degrees(np.arctan2(across, up))) / 30.0) % 12
    return hour or 12
