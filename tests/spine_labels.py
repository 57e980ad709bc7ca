"""Small labelled spines for tests: boxes with an arch, drawn in the world, on any grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vertebro.geometry import apply_affine
from vertebro.imaging import LabelVolume, Volume, VolumeGeometry
from vertebro.io.label_conventions import verse_numbers

PITCH_MM = 34.0
"""Distance between the centres of neighbouring vertebrae."""


def grid_for(n_levels: int, spacing_mm: float = 2.0, codes: str = "LPS") -> VolumeGeometry:
    """A grid with room for ``n_levels``, its array axes running to ``codes``."""
    size_mm = {"L": 90.0, "P": 90.0, "S": n_levels * PITCH_MM + 16.0}
    axis_of = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
    low = np.array([-45.0, -30.0, -10.0])
    affine, shape, origin = np.eye(4), [], low.copy()
    affine[:3, :3] = 0.0
    for column, letter in enumerate(codes):
        axis = axis_of[letter]
        length = size_mm["LPS"[axis]]
        count = round(length / spacing_mm)
        sign = 1.0 if letter in "LPS" else -1.0
        affine[axis, column] = sign * spacing_mm
        if sign < 0:
            origin[axis] = low[axis] + (count - 1) * spacing_mm
        shape.append(count)
    affine[:3, 3] = origin
    return VolumeGeometry((shape[0], shape[1], shape[2]), affine)


def draw(
    values: Sequence[int], geometry: VolumeGeometry, *, whole: bool = True, pitch_mm: float = PITCH_MM
) -> np.ndarray:
    """Vertebrae of the given values, the first one uppermost; a little lopsided so that sides differ."""
    index = np.indices(geometry.shape).reshape(3, -1).T
    points = apply_affine(geometry.lps_from_voxel, index)
    labels = np.zeros(len(points), np.int16)
    x, y, z = points.T
    for position, value in enumerate(reversed(values)):
        up = z - (position * pitch_mm + 8.0)
        within = (up > -12.0) & (up < 12.0)
        body = within & (np.abs(x) < 22.0) & (np.abs(y) < 15.0)
        pedicle = (up > 0.0) & (up < 10.0) & (np.abs(np.abs(x) - 14.0) < 5.0) & (y > 10.0) & (y < 34.0)
        arch = (up > -8.0) & (up < 8.0) & (np.abs(x) < 18.0) & (y >= 30.0) & (y < 36.0)
        spine = (up > -10.0) & (up < 4.0) & (np.abs(x) < 3.0) & (y >= 34.0) & (y < 56.0)
        left = (up > 0.0) & (up < 8.0) & (x > 12.0) & (x < 42.0) & (np.abs(y - 26.0) < 4.0)
        right = (up > 0.0) & (up < 8.0) & (x < -12.0) & (x > -34.0) & (np.abs(y - 26.0) < 4.0)
        mask = body | ((pedicle | arch | spine | left | right) if whole else np.zeros_like(body))
        labels[mask] = value
    return labels.reshape(geometry.shape)


def ct_of(labels: np.ndarray, geometry: VolumeGeometry) -> Volume:
    """A CT in which the labelled voxels are bone and everything else is soft tissue."""
    return Volume(np.where(labels > 0, 250, 30).astype(np.int16), geometry)


def labelled(names: Sequence[str], *, whole: bool = True, spacing_mm: float = 2.0) -> LabelVolume:
    """A drawn spine as a LabelVolume in VerSe's numbers."""
    geometry = grid_for(len(names), spacing_mm)
    numbers = [verse_numbers()[name] for name in names]
    drawn = draw(numbers, geometry, whole=whole).astype(np.uint8)
    extent = "vertebra" if whole else "body"
    return LabelVolume(drawn, geometry, dict(zip(numbers, names, strict=True)), "verse", extent)
