"""A voxel array laid out for ray casting.

Casting is fastest when the voxels of one column along the *table* (the axis that X-ray beams in
spine work are least often parallel to) lie next to each other in memory. The layout is made once
for a volume and used for every view of it; a second layout is made, once, if a view ever looks
along the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RowLayout:
    """Voxels with one axis contiguous, and where each of its rows has anything in it."""

    axes: tuple[int, int, int]
    """Array axes of the original volume, slowest to fastest in memory."""
    values: NDArray[np.int16] | NDArray[np.float32]
    """(n0, n1, n2) C-contiguous."""
    extents: NDArray[np.int32]
    """(n0, n1, 2): first voxel of a row above the floor, and one past the last; (0, 0) if none."""


@dataclass(frozen=True, eq=False)
class RayVolume:
    """A volume prepared for casting many views.

    Parameters
    ----------
    values : (i, j, k) int16 or float32 array
    lps_from_voxel : (4, 4) float array
        World position (mm) of a voxel centre; any invertible affine, sheared ones included.
    floor : float
        Voxels at or below this value count as empty. Maps used with the volume must be zero there.
    fast_axis : int
        Array axis to lay out contiguously: the one most nearly along the table.
    """

    values: NDArray[np.int16] | NDArray[np.float32]
    lps_from_voxel: NDArray[np.float64]
    floor: float = 0.0
    fast_axis: int = 2

    def __post_init__(self) -> None:
        if self.values.dtype not in (np.dtype(np.int16), np.dtype(np.float32)):
            raise TypeError(f"values must be int16 or float32, not {self.values.dtype}")
        if self.values.ndim != 3:
            raise TypeError(f"values must have three axes, not {self.values.ndim}")
        affine = np.array(self.lps_from_voxel, dtype=np.float64)
        affine.setflags(write=False)
        object.__setattr__(self, "lps_from_voxel", affine)

    @cached_property
    def voxel_from_lps(self) -> NDArray[np.float64]:
        """Continuous voxel index from a world position."""
        return np.asarray(np.linalg.inv(self.lps_from_voxel))

    @cached_property
    def _table_layout(self) -> RowLayout:
        """The usual layout, contiguous along ``fast_axis``."""
        slow = [axis for axis in range(3) if axis != self.fast_axis]
        return self._laid_out((slow[0], slow[1], self.fast_axis))

    @cached_property
    def _cross_layout(self) -> RowLayout:
        """The layout for views along ``fast_axis``."""
        slow = [axis for axis in range(3) if axis != self.fast_axis]
        return self._laid_out((self.fast_axis, slow[0], slow[1]))

    def layout_for(self, slice_axis: int) -> RowLayout:
        """A layout in which ``slice_axis`` is not the contiguous one; made on first use."""
        return self._cross_layout if slice_axis == self.fast_axis else self._table_layout

    def casting_axes(self, slice_axis: int) -> tuple[int, int, int]:
        """Column (contiguous), row and slice axis for rays that follow ``slice_axis``."""
        slow = [axis for axis in range(3) if axis != self.fast_axis]
        if slice_axis == self.fast_axis:
            return (slow[1], slow[0], slice_axis)
        return (self.fast_axis, slow[0] if slice_axis == slow[1] else slow[1], slice_axis)

    def _laid_out(self, axes: tuple[int, int, int]) -> RowLayout:
        values = np.ascontiguousarray(self.values.transpose(axes))
        extents = np.zeros((*values.shape[:2], 2), dtype=np.int32)
        length = values.shape[2]
        for slab, rows in zip(values, extents, strict=True):
            filled = slab > self.floor
            has_any = filled.any(axis=1)
            rows[:, 0] = np.where(has_any, filled.argmax(axis=1), 0)
            rows[:, 1] = np.where(has_any, length - filled[:, ::-1].argmax(axis=1), 0)
        return RowLayout(axes, cast("NDArray[np.int16] | NDArray[np.float32]", values), extents)
