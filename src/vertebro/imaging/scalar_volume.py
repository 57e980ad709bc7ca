"""A scalar field on a grid: cement share, temperature, density, strain; each with its name and unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.imaging.volume_geometry import VolumeGeometry


@dataclass(frozen=True, eq=False)
class ScalarVolume:
    """One quantity at every voxel of a grid.

    Parameters
    ----------
    values : (i, j, k) float32 array
        Mean of the quantity over the voxel. Made read-only.
    geometry : VolumeGeometry
    quantity : str
        What it is, in words: ``"cement share of the voxel"``, ``"highest temperature"``.
    unit : str
        ``"1"`` for a share or a ratio, else ``"degC"``, ``"mg/cc"``, ``"MPa"`` and the like.

    Raises
    ------
    GeometryError
        If the array's shape is not the grid's (``scalar.shape``).
    TypeError
        If the array is not float32.

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> ScalarVolume(np.full((2, 2, 2), 0.5, np.float32), grid, "cement share of the voxel").integral_ml()
    0.004
    """

    values: NDArray[np.float32]
    geometry: VolumeGeometry
    quantity: str
    unit: str = "1"

    def __post_init__(self) -> None:
        if tuple(self.values.shape) != self.geometry.shape:
            raise GeometryError(
                "scalar.shape",
                got=f"an array of shape {tuple(self.values.shape)}",
                needed=f"the grid's shape {self.geometry.shape}",
                remedy="Pass the geometry that belongs to the array.",
            )
        if self.values.dtype != np.float32:
            raise TypeError(f"values must be float32, not {self.values.dtype}")
        view = self.values.view()
        view.setflags(write=False)
        object.__setattr__(self, "values", view)

    def integral_ml(self) -> float:
        """Sum of the values times the voxel volume, in millilitres: the volume of a share."""
        return float(self.values.sum(dtype=np.float64)) * self.geometry.voxel_volume_mm3 / 1000.0
