"""The plain ray caster: every ray by itself, in NumPy, as the definition of the right answer.

Joseph's method: a ray is sampled once in every slice across the voxel axis that it follows most
closely, bilinearly in the slice, and the sum is multiplied by the ray's length between slices.
Where two axes nearly tie, both samplings are mixed. Slow; used by tests and where no compiler is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.beams import ConeBeam, FanBeam
from vertebro.numerics.ray_volume import RayVolume
from vertebro.numerics.value_ramps import ValueRamps


def cast_cone_plainly(
    volume: RayVolume, beam: ConeBeam, ramps: ValueRamps, tie_band: float
) -> NDArray[np.float32]:
    """Line integrals of a cone beam, shape (m, rows, columns)."""
    mapped = ramps(volume.values)
    rows, columns = beam.shape
    image = np.zeros((ramps.n_outputs, rows, columns), dtype=np.float32)
    for row in range(rows):
        pixels = beam.pixel_mm(float(row), np.arange(columns))
        image[:, row] = _along(mapped, volume, beam.source_mm, pixels, tie_band)
    return image


def cast_fan_plainly(volume: RayVolume, beam: FanBeam, ramps: ValueRamps) -> NDArray[np.float32]:
    """Line integrals of a fan that moves along the table, shape (m, rows, columns)."""
    mapped = ramps(volume.values)
    rows, columns = beam.shape
    image = np.zeros((ramps.n_outputs, rows, columns), dtype=np.float32)
    across = beam.first_pixel_mm + np.arange(columns)[:, None] * beam.column_step_mm
    for row in range(rows):
        shift = row * beam.row_step_mm
        image[:, row] = _along(mapped, volume, beam.source_mm + shift, across + shift, 1e-9)
    return image


def _along(
    mapped: NDArray[np.float32],
    volume: RayVolume,
    source_mm: NDArray[np.float64],
    pixels_mm: NDArray[np.float64],
    tie_band: float,
) -> NDArray[np.float64]:
    """(m, n) integrals from one source to ``n`` pixels (n, 3)."""
    to_voxel = volume.voxel_from_lps
    source = to_voxel[:3, :3] @ source_mm + to_voxel[:3, 3]
    directions = pixels_mm @ to_voxel[:3, :3].T + to_voxel[:3, 3] - source
    magnitude = np.abs(directions)
    weights = np.maximum(magnitude / magnitude.max(axis=1, keepdims=True) - 1.0 + tie_band, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    result = np.zeros((mapped.shape[0], len(directions)))
    for axis in range(3):
        chosen = np.flatnonzero(weights[:, axis] > 0.0)
        if chosen.size:
            steps = directions[chosen] / directions[chosen, axis][:, None]
            length_mm = np.linalg.norm(steps @ volume.lps_from_voxel[:3, :3].T, axis=1)
            ahead = np.sign(directions[chosen, axis])
            total = _sum_over_slices(mapped, axis, source, steps, ahead)
            result[:, chosen] += total * length_mm * weights[chosen, axis]
    return result


def _sum_over_slices(
    mapped: NDArray[np.float32],
    axis: int,
    source: NDArray[np.float64],
    steps: NDArray[np.float64],
    ahead: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(m, n): sum of bilinear samples in every slice in front of the source; 0 outside the volume."""
    first, second = (other for other in range(3) if other != axis)
    slices = np.moveaxis(mapped, axis + 1, 0)
    total = np.zeros((mapped.shape[0], len(steps)))
    for k, plane in enumerate(slices):
        depth = k - source[axis]
        reached = depth * ahead > 0.5
        padded = np.pad(plane, ((0, 0), (1, 1), (1, 1)))
        x = source[first] + depth * steps[:, first] + 1.0
        y = source[second] + depth * steps[:, second] + 1.0
        i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        inside = reached & (i >= 0) & (j >= 0) & (i < padded.shape[1] - 1) & (j < padded.shape[2] - 1)
        i, j, u, v = i[inside], j[inside], (x - i)[inside], (y - j)[inside]
        total[:, inside] += (
            (1 - u) * (1 - v) * padded[:, i, j]
            + u * (1 - v) * padded[:, i + 1, j]
            + (1 - u) * v * padded[:, i, j + 1]
            + u * v * padded[:, i + 1, j + 1]
        )
    return total
