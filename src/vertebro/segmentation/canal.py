"""Finding the spinal canal: the soft tube that bone surrounds, with bodies in front of it.

On a 3 mm grid every soft voxel is given a score from four facts: how many rays in the axial plane meet
bone, whether a bright body lies in front, whether that body is brighter than what lies beside it, and
whether left and right mirror each other (which tells the canal from the marrow of hips, ribs and arms).
The best path through neighbouring slices is then found exactly; it may begin and end anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.segmentation.canal_kernels import best_path, enclosure, mirror_likeness
from vertebro.segmentation.working_grid import WorkingImage

COARSE_STEP_MM = 3.0
SOFT_HU = (-60.0, 190.0)
"""Thecal sac, cord and fat around them, blurred with the bone beside them (assumed)."""
BONE_HU = 170.0
"""Blurred lamina and wall, osteoporotic ones included (assumed)."""
REACH_STEPS = 7
"""Rays end after 21 mm: canals are at most some 30 mm wide (assumed)."""
BODY_AHEAD_STEPS = 7
"""The middle of a body lies about 21 mm in front of the canal's middle (assumed)."""
WEIGHTS = {"enclosed": 0.5, "body": 0.3, "mirrored": 0.4, "threshold": 0.68}
"""Chosen by looking at where paths should end; the threshold makes the path stop (assumed)."""
STEP_COST = 0.05


@dataclass(frozen=True, eq=False, slots=True)
class CanalPath:
    """The canal's middle, slice by slice."""

    points_lps_mm: NDArray[np.float64]
    """(n, 3), from caudal to cranial, 3 mm apart in height."""
    scores: NDArray[np.float64]
    """(n,): above 0 where the surroundings look like a spine."""

    @property
    def length_mm(self) -> float:
        """Height that the path spans."""
        if len(self.points_lps_mm) < 2:
            return 0.0
        return float(np.linalg.norm(np.diff(self.points_lps_mm, axis=0), axis=1).sum())


def canal_score(image: WorkingImage) -> NDArray[np.float32]:
    """How much each voxel looks like the middle of the spinal canal.

    Parameters
    ----------
    image : WorkingImage
        On the coarse grid.

    Returns
    -------
    (i, j, k) float32 array, above 0 where likely.
    """
    clipped = np.clip(image.hu, -200.0, 350.0)
    smooth = ndimage.gaussian_filter(clipped, 0.6)
    ahead = _shifted(ndimage.uniform_filter(clipped, (7, 6, 1)), BODY_AHEAD_STEPS, -200.0)
    flank = _shifted(
        ndimage.uniform_filter(np.clip(image.hu, -50.0, 250.0), (5, 6, 1)), BODY_AHEAD_STEPS, -50.0
    )
    beside = np.full_like(flank, -50.0)
    beside[:-13] += 0.5 * (flank[13:] + 50.0)
    beside[13:] += 0.5 * (flank[:-13] + 50.0)
    body = np.clip((ahead - 40.0) / 100.0, 0.0, 1.0) * np.clip((ahead - beside - 20.0) / 80.0, 0.0, 1.0)
    soft = (smooth > SOFT_HU[0]) & (smooth < SOFT_HU[1]) & (ahead > 50.0)
    around = enclosure(smooth, soft, _rays(16, REACH_STEPS), BONE_HU, 1)
    likely = soft & (around > 0.3)
    window = ndimage.gaussian_filter(np.clip(image.hu, -100.0, 250.0), 1.0)
    mirrored = mirror_likeness(window, likely, 12, 9, 80.0)
    score = (
        WEIGHTS["enclosed"] * around
        + WEIGHTS["body"] * body
        + WEIGHTS["mirrored"] * mirrored
        - WEIGHTS["threshold"]
    )
    return np.where(likely, score, -0.35).astype(np.float32)


def trace_canal(image: WorkingImage) -> CanalPath:
    """Trace the canal through a coarse CT.

    Parameters
    ----------
    image : WorkingImage
        On a 3 mm grid.

    Returns
    -------
    CanalPath
        Without points where nothing looks like a canal.
    """
    score = canal_score(image)
    path = best_path(score, STEP_COST)
    values = score[tuple(path.T)].astype(np.float64)
    return CanalPath(image.points_lps(path.astype(np.float64)), values)


def _rays(count: int, steps: int) -> NDArray[np.int32]:
    angle = 2.0 * np.pi * np.arange(count) / count
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(
        np.round(direction[:, None, :] * np.arange(1, steps + 1)[None, :, None]), dtype=np.int32
    )


def _shifted(array: NDArray[np.float32], steps: int, fill: float) -> NDArray[np.float32]:
    """Each voxel gets the value ``steps`` further to anterior."""
    result = np.full_like(array, fill)
    result[:, steps:] = array[:, :-steps]
    return result
