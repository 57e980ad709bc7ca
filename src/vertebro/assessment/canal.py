"""Depth of the spinal canal behind a body, front to back, along the middle.

In each sagittal plane near the middle and at each height, the canal reaches from the body's back
surface to the first bone behind it. Where the gap between two laminae leaves no bone, the canal's
back is the straight line between the laminae's edges, which is where the yellow ligament runs; above
or below the only lamina it keeps that lamina's edge.
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
    """(n,): anterior coordinate of the canal's back."""
    is_bony: NDArray[np.bool_]
    """(n,): whether a lamina was seen in that row; otherwise the back is interpolated."""
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
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    settings: TissueSettings,
) -> CanalProfile:
    """Follow the canal behind a body.

    Parameters
    ----------
    anatomy : LevelAnatomy
    wall_mm : (x, z) array
        Anterior coordinate of the body's back surface on the whole patch; NaN where there is none.
    rows : (n,) int array
        Patch rows (superior index) between the wall's corners, ascending.
    columns : (m,) int array
        Patch planes (right index) to read.
    settings : TissueSettings

    Returns
    -------
    CanalProfile
        With a reason and empty arrays where too little of the lamina is seen.
    """
    rows = rows[np.isfinite(wall_mm[np.ix_(columns, rows)]).any(axis=0)]
    soft = _bone_behind(anatomy, settings)
    _, anterior, superior = local_axes_mm(anatomy)
    voxel_mm = spacing_mm(anatomy)
    back = np.full((columns.size, rows.size), np.nan)
    front = wall_mm[np.ix_(columns, rows)]
    for i, column in enumerate(columns):
        for j, row in enumerate(rows):
            if np.isfinite(front[i, j]):
                back[i, j] = _first_bone(soft[column, :, row], anterior, front[i, j], voxel_mm, settings)
    seen = np.isfinite(back)
    if seen.any():  # a spinous process seen through the gap between laminae is not the canal's back
        seen &= back >= np.nanpercentile(back, 90) - settings.canal_back_spread_mm
    is_bony = seen.mean(axis=0) >= 0.5
    n_needed = max(2.0, settings.canal_min_rows_percent / 100.0 * rows.size)
    if is_bony.sum() < n_needed:
        source = "on the CT" if anatomy.is_body_only else "in the labels"
        return _missing(f"no lamina {source} behind the body within {settings.canal_max_mm:.0f} mm")
    heights = superior[rows]
    rows_back = np.array([np.median(back[seen[:, j], j]) if is_bony[j] else np.nan for j in range(rows.size)])
    rows_back = np.interp(heights, heights[is_bony], rows_back[is_bony])
    rows_front = np.nanmedian(front, axis=0)
    return CanalProfile(heights, rows_front, rows_back, is_bony)


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
