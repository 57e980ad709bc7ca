"""The CT on grids of its own: coarse for finding, finer for outlining. Axes left, posterior, superior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine
from vertebro.imaging import Volume, VolumeGeometry, resample


@dataclass(frozen=True, eq=False, slots=True)
class WorkingImage:
    """CT values on an isotropic grid along left, posterior and superior."""

    hu: NDArray[np.float32]
    geometry: VolumeGeometry
    source_mm: float = 1.0
    """Mean voxel size of the CT that it was made from."""

    @property
    def step_mm(self) -> float:
        """Distance between voxel centres."""
        return self.geometry.spacing_mm[0]

    def points_lps(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """World positions of voxel indices."""
        return apply_affine(self.geometry.lps_from_voxel, index)

    def sample(self, points_lps_mm: NDArray[np.float64], outside: float = -1024.0) -> NDArray[np.float32]:
        """(...,) values at (..., 3) world positions, linear, ``outside`` beyond the grid."""
        shape = points_lps_mm.shape[:-1]
        index = apply_affine(self.geometry.voxel_from_lps, points_lps_mm.reshape(-1, 3)).T
        values = ndimage.map_coordinates(
            self.hu, index, order=1, mode="constant", cval=outside, output=np.float32, prefilter=False
        )
        return np.asarray(values.reshape(shape), dtype=np.float32)


def isotropic_grid(geometry: VolumeGeometry, step_mm: float) -> VolumeGeometry:
    """A grid along left, posterior and superior that covers another grid's box.

    Examples
    --------
    >>> isotropic_grid(VolumeGeometry.from_spacing((10, 10, 4), (1.0, 1.0, 3.0)), 3.0).shape
    (4, 4, 4)
    """
    corners = geometry.corners_lps_mm
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    count = np.maximum(np.floor((upper - lower) / step_mm).astype(int) + 1, 2)
    affine = np.diag([step_mm, step_mm, step_mm, 1.0])
    affine[:3, 3] = 0.5 * (lower + upper) - 0.5 * (count - 1) * step_mm
    return VolumeGeometry((int(count[0]), int(count[1]), int(count[2])), affine)


def to_working_grid(volume: Volume, step_mm: float) -> WorkingImage:
    """Resample a CT, averaging first along axes that are much finer than the new grid.

    Parameters
    ----------
    volume : Volume
    step_mm : float

    Returns
    -------
    WorkingImage
    """
    target = isotropic_grid(volume.geometry, step_mm)
    hu, geometry = volume.hu, volume.geometry
    sigma = [0.42 * np.sqrt(max((step_mm / spacing) ** 2 - 1.0, 0.0)) for spacing in geometry.spacing_mm]
    if max(sigma) > 0.3:
        hu = ndimage.gaussian_filter(hu.astype(np.float32), sigma, truncate=2.5)
    values = resample(hu, geometry, target, outside=-1024.0)
    source_mm = float(np.mean(geometry.spacing_mm))
    return WorkingImage(np.asarray(values, dtype=np.float32), target, source_mm)
