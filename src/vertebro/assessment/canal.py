"""Depth of the spinal canal behind a body, front to back, along the middle.

The canal's front is the body's back surface. Its back is the straight line through the foremost
point of the lamina, parallel to the line between the wall's corners: the spinolaminar line, along
which dural sac and yellow ligament run also where the gap between two laminae leaves no bone.
Local frame, mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.tissue_regions import local_axes_mm, smoothed_hu, spacing_mm
from vertebro.assessment.tissue_settings import TissueSettings


@dataclass(frozen=True, eq=False, slots=True)
class CanalProfile:
    """The canal's front and back along the middle, by height."""

    heights_mm: NDArray[np.float64]
    """(n,): superior coordinate of each row."""
    front_mm: NDArray[np.float64]
    """(n,): anterior coordinate of the body's back surface."""
    back_mm: NDArray[np.float64]
    """(n,): anterior coordinate of the spinolaminar line."""
    is_bony: NDArray[np.bool_]
    """(n,): whether a lamina was seen in that row."""
    reason: str = ""
    """Why there is no profile; empty when there is one."""

    @property
    def is_known(self) -> bool:
        """Whether the canal could be followed."""
        return not self.reason

    @property
    def depth_mm(self) -> NDArray[np.float64]:
        """(n,): front-to-back depth by height."""
        return self.front_mm - self.back_mm


def _missing(reason: str) -> CanalProfile:
    empty = np.empty(0)
    return CanalProfile(empty, empty, empty, np.empty(0, dtype=bool), reason)


def _bone_behind(anatomy: LevelAnatomy, settings: TissueSettings) -> NDArray[np.float32]:
    """Posterior elements on the patch as a soft mask: 0.5 is their surface.

    Where the labels cover them, a surface needs both label and bone on CT, because labels of coarse
    scans often take in the yellow ligament.
    """
    on_ct = 0.5 + (smoothed_hu(anatomy, 0.5) - settings.canal_bone_hu) / 400.0
    if anatomy.is_body_only:
        return np.asarray(on_ct, dtype=np.float32)
    labelled = (anatomy.vertebra | anatomy.other_bone) & ~anatomy.body
    soft = ndimage.gaussian_filter(labelled.astype(np.float32), 0.6)
    return np.asarray(np.minimum(soft, on_ct), dtype=np.float32)


def canal_profile(
    anatomy: LevelAnatomy,
    wall_mm: NDArray[np.float64],
    line_mm: NDArray[np.float64],
    rows: NDArray[np.intp],
    settings: TissueSettings,
) -> CanalProfile:
    """Follow the canal behind a body.

    Parameters
    ----------
    anatomy : LevelAnatomy
    wall_mm : (x, z) array
        Anterior coordinate of the body's back surface on the whole patch; NaN where there is none.
    line_mm : (n,) array
        Anterior coordinate of the line between the wall's corners, by row.
    rows : (n,) int array
        Patch rows (superior index) between the wall's corners, ascending.
    settings : TissueSettings

    Returns
    -------
    CanalProfile
        With a reason and empty arrays where too little of the lamina is seen.
    """
    right, anterior, superior = local_axes_mm(anatomy)
    columns = np.flatnonzero(np.abs(right) <= settings.canal_half_width_mm)
    front = wall_mm[np.ix_(columns, rows)]
    kept = np.isfinite(front).any(axis=0)
    front, rows, line_mm = front[:, kept], rows[kept], line_mm[kept]
    soft = _bone_behind(anatomy, settings)
    back = np.full(front.shape, np.nan)
    for i, j in np.argwhere(np.isfinite(front)):
        ray = soft[columns[i], :, rows[j]]
        back[i, j] = _first_bone(ray, anterior, front[i, j], spacing_mm(anatomy), settings)
    is_bony = np.isfinite(back).mean(axis=0) >= 0.5
    if is_bony.sum() < max(3.0, settings.canal_min_rows_percent / 100.0 * rows.size):
        source = "on the CT" if anatomy.is_body_only else "in the labels"
        return _missing(f"no lamina {source} behind the body within {settings.canal_max_mm:.0f} mm")
    lamina = np.array([float(np.nanmedian(back[:, j])) for j in np.flatnonzero(is_bony)])
    from_line = ndimage.median_filter(lamina - line_mm[is_bony], size=3, mode="nearest")
    return CanalProfile(
        superior[rows], np.nanmedian(front, axis=0), line_mm + float(from_line.max()), is_bony
    )


def _first_bone(
    soft: NDArray[np.float32],
    anterior_mm: NDArray[np.float64],
    front_mm: float,
    voxel_mm: float,
    settings: TissueSettings,
) -> float:
    """Anterior coordinate of the first bone surface behind the wall on one ray; NaN without."""
    start = int(np.searchsorted(anterior_mm, front_mm - settings.canal_min_mm, side="right")) - 1
    stop = int(np.searchsorted(anterior_mm, front_mm - settings.canal_max_mm))
    if start < stop + 1:
        return float("nan")
    ray = soft[stop : start + 1][::-1]
    if ray[0] > 0.5:  # still in the wall's own spur: leave it first
        free = np.flatnonzero(ray <= 0.5)
        if free.size == 0:
            return float("nan")
        offset = int(free[0])
    else:
        offset = 0
    hits = np.flatnonzero(ray[offset:] > 0.5)
    if hits.size == 0:
        return float("nan")
    index = offset + int(hits[0])
    before, after = float(ray[index - 1]), float(ray[index])
    share = (0.5 - before) / (after - before)
    return float(anterior_mm[start - index + 1] - share * voxel_mm)


def narrowest_mm(profile: CanalProfile) -> float:
    """Least depth of a known profile, after a median over neighbouring rows against single outliers.

    Examples
    --------
    >>> rows = np.arange(5.0)
    >>> back = np.array([-16.0, -16.0, -3.0, -15.0, -16.0])
    >>> narrowest_mm(CanalProfile(rows, np.zeros(5), back, np.ones(5, bool)))
    15.0
    """
    depth = profile.depth_mm
    size = min(3, depth.size)
    return float(ndimage.median_filter(depth, size=size, mode="nearest").min())
