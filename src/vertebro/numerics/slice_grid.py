"""Summing a volume's slices on a grid that each slice meets by a scale and a shift alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.ray_volume import RayVolume
from vertebro.numerics.value_ramps import ValueRamps

BAND_ROWS = 64
"""Grid rows worked on at a time; a band's rows stay in the processor's second-level cache."""

SHARED_WORK_PIXELS = 200_000
"""Images below this many pixels are worked on by one thread: starting more would cost more."""


@dataclass(frozen=True, eq=False)
class SliceGrid:
    """Where a grid's points lie in every slice of a volume.

    Grid point (row q, column p) meets slice k at voxel coordinates ``lines[0, k] + p·lines[1, k]``
    along the column axis and ``lines[2, k] + q·lines[3, k]`` along the row axis.
    """

    axes: tuple[int, int, int]
    """Column, row and slice axis of the original array; the column axis is contiguous in memory."""
    lines: NDArray[np.float64]
    """(4, n)."""
    slices: tuple[int, int]
    """First slice, and one past the last, that count."""
    polygon: NDArray[np.float64]
    """(v, 2): corners (column, row) of the convex part of the grid that is wanted."""
    shape: tuple[int, int]
    """Rows and columns."""


def sum_slices(
    volume: RayVolume, where: SliceGrid, ramps: ValueRamps, pool: ThreadPoolExecutor | None
) -> NDArray[np.float32]:
    """Sum of bilinear samples of every slice, for each map.

    Returns
    -------
    (m, rows, columns) float32 array
        Only points within the polygon (and some around it) are computed; the rest stay 0.
    """
    from vertebro.numerics import ray_casting_kernels as kernels  # noqa: PLC0415 - loads the compiler

    layout = volume.layout_for(where.axes[2])
    is_second_axis = layout.axes.index(where.axes[2]) == 1
    extents = layout.extents
    if ramps.lowest_knot < volume.floor:
        extents = np.zeros_like(extents)
        extents[..., 1] = layout.values.shape[2]
    knots, slopes = ramps.padded()
    is_short = layout.values.dtype == np.int16
    shorts = layout.values if is_short else np.empty((0, 0, 0), np.int16)
    floats = np.empty((0, 0, 0), np.float32) if is_short else layout.values
    grid = np.zeros((ramps.n_outputs, *where.shape), dtype=np.float32)

    def band(first: int) -> None:
        stop = min(first + BAND_ROWS, where.shape[0])
        left, right = column_span(where.polygon, first, stop, where.shape[1])
        if right > left and where.slices[1] > where.slices[0]:
            bounds = (*where.slices, first, stop, left, right)
            kernels.accumulate_band(
                shorts, floats, (is_short, is_second_axis), extents, knots, slopes, where.lines, bounds, grid
            )

    run_bands(pool, band, where.shape[0])
    return grid


@contextmanager
def threads(n_threads: int, work_size: int) -> Iterator[ThreadPoolExecutor | None]:
    """A pool of threads, or None where there is too little work to share out."""
    if n_threads <= 1 or work_size < SHARED_WORK_PIXELS:
        yield None
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            yield pool


def run_bands(pool: ThreadPoolExecutor | None, work: Callable[[int], None], n_rows: int) -> None:
    """Call ``work`` with the first row of every band, in threads; the first error is raised."""
    for _ in (map if pool is None else pool.map)(work, range(0, n_rows, BAND_ROWS)):
        pass


def column_span(polygon: NDArray[np.float64], first: int, stop: int, n_columns: int) -> tuple[int, int]:
    """Columns that a convex polygon covers within rows ``[first, stop)``, with a margin of 3.

    Examples
    --------
    >>> column_span(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]), 5, 6, 100)
    (0, 12)
    >>> column_span(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]), 50, 60, 100)
    (0, 0)
    """
    low, high = first - 3.0, stop + 2.0
    start, end = polygon, np.roll(polygon, -1, axis=0)
    rise = end[:, 1] - start[:, 1]
    is_level = np.abs(rise) < 1e-12
    safe = np.where(is_level, 1.0, rise)
    enter = np.where(is_level, 0.0, np.clip((low - start[:, 1]) / safe, 0.0, 1.0))
    leave = np.where(is_level, 1.0, np.clip((high - start[:, 1]) / safe, 0.0, 1.0))
    places = np.concatenate([start + (end - start) * t[:, None] for t in (enter, leave)])
    inside = (places[:, 1] >= low - 1e-9) & (places[:, 1] <= high + 1e-9)
    if not inside.any():
        return (0, 0)
    columns = places[inside, 0]
    left = max(math.floor(float(columns.min())) - 3, 0)
    return left, max(min(math.ceil(float(columns.max())) + 4, n_columns), left)
