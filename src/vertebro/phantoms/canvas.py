"""The arrays of a phantom while it is being painted, in canonical axis order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine, compose, invert_affine
from vertebro.geometry.transforms import Affine

WATER_HU = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Canvas:
    """Image, labels and masks being painted (changed in place), on axes to left, posterior, superior."""

    hu: NDArray[np.float32]
    labels: NDArray[np.uint8]
    subregions: NDArray[np.uint8]
    canal: NDArray[np.uint8]
    skin: NDArray[np.uint8]
    patient_from_voxel: Affine

    @classmethod
    def empty(cls, shape: tuple[int, int, int], patient_from_voxel: Affine) -> Canvas:
        """Water everywhere and nothing in it."""
        labels, subregions, canal = (np.zeros(shape, dtype=np.uint8) for _ in range(3))
        water = np.full(shape, WATER_HU, dtype=np.float32)
        return cls(water, labels, subregions, canal, np.ones(shape, dtype=np.uint8), patient_from_voxel)

    def lowest_z_mm(self) -> float:
        """Smallest patient z in the image."""
        last = np.array(self.hu.shape) - 1
        corners = np.array([[i, j, k] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
        return float(apply_affine(self.patient_from_voxel, corners)[:, 2].min())

    def box(
        self, patient_from_local: Affine, lower: tuple[float, ...], upper: tuple[float, ...]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Affine]:
        """Voxel range ``[start, stop)`` that holds a box in a local frame, and ``local_from_voxel``."""
        corners = np.array(
            [
                [x, y, z]
                for x in (lower[0], upper[0])
                for y in (lower[1], upper[1])
                for z in (lower[2], upper[2])
            ]
        )
        voxel_from_local = compose(invert_affine(self.patient_from_voxel), patient_from_local)
        index = apply_affine(voxel_from_local, corners)
        start = np.clip(np.floor(index.min(axis=0)), 0, self.hu.shape).astype(np.int64)
        stop = np.clip(np.ceil(index.max(axis=0)) + 1, start, self.hu.shape).astype(np.int64)
        return start, stop, invert_affine(voxel_from_local)
