"""Sorting the rays of a cone by the voxel axis that they follow, each sort with its own grid.

Seen from the focal spot the six faces of a cube with edges along the voxel axes share out all
directions. A detector usually lies within one face; at oblique angles within two, seldom three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.beams import ConeBeam
from vertebro.numerics.ray_volume import RayVolume
from vertebro.numerics.slice_grid import SliceGrid

TIE_BAND = 0.08
"""Faces are mixed where the second-largest direction component is within this of the largest."""
_MARGIN = 3
"""Grid points kept around the detector's footprint, for the cubic interpolation."""


@dataclass(frozen=True, eq=False)
class Face:
    """The rays that follow one voxel axis in one direction."""

    grid: SliceGrid
    rays: NDArray[np.float64]
    """(6, 3): direction of the ray to pixel (0, 0), its change per column and per row, as voxel
    steps along (column, row, slice) axis; then the world vectors (mm) of those three steps."""
    frame: NDArray[np.float64]
    """(5,): slope at grid column 0, slope per column, slope at grid row 0, slope per row, sign."""


def cone_faces(volume: RayVolume, beam: ConeBeam, density: float) -> Iterator[Face]:
    """The faces that a detector's rays fall into.

    Parameters
    ----------
    volume : RayVolume
    beam : ConeBeam
    density : float
        Grid points for each detector pixel, along each axis.
    """
    in_voxels = beam.transformed(volume.voxel_from_lps)
    for slice_axis in range(3):
        axes = volume.casting_axes(slice_axis)
        order = list(axes)
        directions = np.stack(
            [
                (in_voxels.first_pixel_mm - in_voxels.source_mm)[order],
                in_voxels.column_step_mm[order],
                in_voxels.row_step_mm[order],
            ]
        )
        rays = np.vstack([directions, volume.lps_from_voxel[:3, :3].T[order]])
        depth = np.arange(volume.values.shape[slice_axis]) - in_voxels.source_mm[slice_axis]
        for sign in (1.0, -1.0):
            pixels = _pixels_of_face(directions, beam.shape, sign)
            if len(pixels):
                frame, corners, shape = _frame(directions, pixels, sign, density)
                lines = np.stack(
                    [
                        in_voxels.source_mm[axes[0]] + frame[0] * depth,
                        frame[1] * depth,
                        in_voxels.source_mm[axes[1]] + frame[2] * depth,
                        frame[3] * depth,
                    ]
                )
                ahead = np.flatnonzero(depth * sign > 0.5)
                slices = (int(ahead[0]), int(ahead[-1]) + 1) if ahead.size else (0, 0)
                yield Face(SliceGrid(axes, lines, slices, corners, shape), rays, frame)


def _frame(
    directions: NDArray[np.float64], pixels: NDArray[np.float64], sign: float, density: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """A grid in slope space that covers a part of the detector at the pixels' own density.

    Where the detector is parallel to the slices and aligned with them, grid points are pixels.

    Returns
    -------
    frame : (5,)
        See :class:`Face`.
    corners : (v, 2)
        The part's corners in grid coordinates.
    shape : (int, int)
        Grid rows and columns.
    """
    at_corner = directions[0] + pixels @ directions[1:]
    depth = at_corner[:, 2:]
    slopes = at_corner[:, :2] / depth
    per_pixel = np.stack([(step[:2] - slopes * step[2]) / depth for step in directions[1:]])
    pitch = np.sqrt((per_pixel**2).sum(axis=0)).min(axis=0) / density
    first = directions[0]
    anchor = first[:2] / first[2] if sign * first[2] > 1e-9 else slopes[0]
    lowest = np.floor((slopes.min(axis=0) - anchor) / pitch) - _MARGIN
    corner = anchor + lowest * pitch
    corners = (slopes - corner) / pitch
    n_columns, n_rows = (int(n) for n in np.ceil(corners.max(axis=0)) + _MARGIN + 2)
    return np.array([corner[0], pitch[0], corner[1], pitch[1], sign]), corners, (n_rows, n_columns)


def _pixels_of_face(
    directions: NDArray[np.float64], shape: tuple[int, int], sign: float
) -> NDArray[np.float64]:
    """(v, 2): corners (column, row) of the part of the detector whose rays follow the slice axis."""
    bottom, right = shape[0] - 0.5, shape[1] - 0.5
    polygon = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])
    for other in (0, 1):
        for side in (1.0, -1.0):
            # keep  sign·d_slice − (1 − tie)·side·d_other ≥ 0, which is linear over the detector
            plane = sign * directions[:, 2] - (1.0 - TIE_BAND) * side * directions[:, other]
            polygon = _clipped(polygon, plane)
            if len(polygon) == 0:
                return polygon
    return polygon


def _clipped(polygon: NDArray[np.float64], plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of a convex polygon where ``plane[0] + plane[1]·x + plane[2]·y ≥ 0`` (Sutherland–Hodgman)."""
    height = plane[0] + polygon @ plane[1:]
    kept: list[NDArray[np.float64]] = []
    for index in range(len(polygon)):
        here, there = polygon[index - 1], polygon[index]
        a, b = height[index - 1], height[index]
        if (a >= 0.0) != (b >= 0.0):
            kept.append(here + (there - here) * (a / (a - b)))
        if b >= 0.0:
            kept.append(there)
    return np.array(kept).reshape(-1, 2)
