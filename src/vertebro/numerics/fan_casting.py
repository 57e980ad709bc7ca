"""Casting the rays of a localizer: a fan within each row, rows parallel along the table.

Rows of the image are planes through the volume, so the intermediate grid's columns can be the
image rows themselves; only the fan direction needs taking from the grid to the detector.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.errors import GeometryError
from vertebro.numerics.beams import FanBeam
from vertebro.numerics.ray_volume import RayVolume
from vertebro.numerics.slice_grid import SliceGrid, sum_slices, threads
from vertebro.numerics.value_ramps import ValueRamps

_MARGIN = 3


def cast_fan(volume: RayVolume, beam: FanBeam, ramps: ValueRamps, n_threads: int) -> NDArray[np.float32]:
    """Line integrals of a fan that moves along the volume's contiguous axis.

    Rays are cast along the voxel axis that the middle of the fan follows.

    Returns
    -------
    (m, rows, columns) float32 array, mapped value × mm.

    Raises
    ------
    GeometryError
        If the fan does not move along the volume's ``fast_axis`` or is not across it
        (``rays.fan_axis``).
    """
    in_voxels = beam.transformed(volume.voxel_from_lps)
    table = volume.fast_axis
    across = in_voxels.first_pixel_mm - in_voxels.source_mm
    rows, columns = beam.shape
    directions = across + np.arange(columns)[:, None] * in_voxels.column_step_mm
    middle = directions[columns // 2]
    _require_along_table(in_voxels, directions, table)
    slice_axis = max((a for a in range(3) if a != table), key=lambda a: abs(float(middle[a])))
    axes = volume.casting_axes(slice_axis)
    row_axis = axes[1]
    slopes = directions[:, row_axis] / directions[:, slice_axis]
    pitch = float(np.abs(np.diff(slopes)).min()) if columns > 1 else 1.0
    corner = float(slopes.min()) - _MARGIN * pitch
    n_rows = int(np.ceil((slopes.max() - corner) / pitch)) + _MARGIN + 2
    depth = np.arange(volume.values.shape[slice_axis]) - in_voxels.source_mm[slice_axis]
    lines = np.stack(
        [
            np.full_like(depth, in_voxels.source_mm[table]),
            np.full_like(depth, in_voxels.row_step_mm[table]),
            in_voxels.source_mm[row_axis] + corner * depth,
            pitch * depth,
        ]
    )
    ahead = np.flatnonzero(depth * np.sign(middle[slice_axis]) > 0.5)
    slices = (int(ahead[0]), int(ahead[-1]) + 1) if ahead.size else (0, 0)
    outline = np.array([[0, 0], [rows, 0], [rows, n_rows], [0, n_rows]], dtype=np.float64)
    with threads(n_threads, rows * columns) as pool:
        grid = sum_slices(volume, SliceGrid(axes, lines, slices, outline, (n_rows, rows)), ramps, pool)
    steps = directions / directions[:, [slice_axis]]
    length_mm = np.linalg.norm(steps @ volume.lps_from_voxel[:3, :3].T, axis=1)
    image = _onto_columns(grid, (slopes - corner) / pitch)
    image *= length_mm.astype(np.float32)
    return image


def _require_along_table(beam: FanBeam, directions: NDArray[np.float64], table: int) -> None:
    step = np.abs(beam.row_step_mm)
    tilt = np.abs(directions[:, table]) / np.abs(directions).max(axis=1)
    others = np.delete(step, table)
    if step[table] <= 0.0 or others.max() > 1e-3 * step[table] or float(tilt.max()) > 1e-3:
        raise GeometryError(
            "rays.fan_axis",
            got="a fan that does not move straight along the volume's table axis",
            needed="a localizer taken along the axis of the CT",
            remedy="Resample the CT so that one of its axes runs along the table.",
            fields=("beam",),
        )


def _onto_columns(grid: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Grid (m, q, rows) at fractional grid rows ``places`` (columns,), as (m, rows, columns)."""
    result = np.empty((grid.shape[0], grid.shape[2], places.size), dtype=np.float32)
    at = np.stack(np.meshgrid(places, np.arange(grid.shape[2], dtype=np.float64), indexing="xy"))
    for target, source in zip(result, grid, strict=True):
        ndimage.map_coordinates(source, at, order=3, mode="nearest", output=target)
    return result
