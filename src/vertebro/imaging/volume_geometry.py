"""Where a voxel grid lies in the world, without any voxels.

The 4×4 affine ``lps_from_voxel`` is the only authority on axes: no code may assume that the
first array axis runs left–right or that slices go upwards. Voxel coordinates are continuous,
with integers at voxel *centres*.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.geometry import apply_affine, invert_affine
from vertebro.geometry.transforms import Affine, Points

MAX_VOXELS = 2**31
"""No grid above this many voxels is made (8 GB of float32)."""

MAX_DISTANCE_MM = 1e6
"""No grid farther than this (a kilometre) from the world's origin is made: its header is damaged."""


@dataclass(frozen=True, eq=False)
class VolumeGeometry:
    """A voxel grid's shape and place.

    Parameters
    ----------
    shape : (int, int, int)
        Number of voxels along each array axis.
    lps_from_voxel : (4, 4) float64 array
        World position (DICOM LPS, mm) of a voxel centre from its index. Columns may be sheared
        or mirrored; they may not be degenerate.

    Raises
    ------
    GeometryError
        If the affine is not finite, absurd or not invertible (``geometry.affine``), or the shape is not
        three positive numbers within reason (``geometry.shape``).

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((10, 20, 30), (1.0, 1.0, 2.0))
    >>> grid.spacing_mm
    (1.0, 1.0, 2.0)
    >>> grid.axis_codes
    'LPS'
    """

    shape: tuple[int, int, int]
    lps_from_voxel: Affine

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1 or float(np.prod([float(n) for n in shape])) > MAX_VOXELS:
            raise GeometryError(
                "geometry.shape",
                got=f"a grid of {shape} voxels",
                needed=f"three positive sizes and at most {MAX_VOXELS} voxels",
                remedy="Check that the file is complete and is an image of a body.",
            )
        affine = np.array(self.lps_from_voxel, dtype=np.float64)
        if affine.shape != (4, 4) or not np.all(np.abs(affine) <= MAX_DISTANCE_MM):
            raise GeometryError(
                "geometry.affine",
                got="a grid whose position or orientation is not a number, or absurdly far away",
                needed=f"a 4×4 affine of numbers no larger than {MAX_DISTANCE_MM:g} mm",
                remedy="Export the image again; its header is damaged.",
            )
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        degenerate = lengths.min() < 1e-3 or lengths.max() > 100.0
        if degenerate or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
            raise GeometryError(
                "geometry.affine",
                got=f"voxel axes of lengths {np.round(lengths, 6).tolist()} mm that do not span space",
                needed="three independent axes of 0.001 to 100 mm",
                remedy="Export the image again; its spacing or orientation is damaged.",
            )
        affine[3] = (0.0, 0.0, 0.0, 1.0)
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "lps_from_voxel", affine)

    @classmethod
    def from_spacing(
        cls,
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
        origin_lps_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> VolumeGeometry:
        """A grid whose axes run to left, posterior and superior from the centre of voxel (0, 0, 0)."""
        affine = np.diag([*spacing_mm, 1.0])
        affine[:3, 3] = origin_lps_mm
        return cls(shape, affine)

    def __eq__(self, other: object) -> bool:
        """Same shape and the very same affine."""
        if not isinstance(other, VolumeGeometry):
            return NotImplemented
        return self.shape == other.shape and bool(np.array_equal(self.lps_from_voxel, other.lps_from_voxel))

    __hash__ = None  # type: ignore[assignment]

    def is_close(self, other: VolumeGeometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether two grids have the same shape and no voxel centre differs by more than the tolerance."""
        if self.shape != other.shape:
            return False
        return float(np.abs(self.corners_lps_mm - other.corners_lps_mm).max()) <= tolerance_mm

    @cached_property
    def voxel_from_lps(self) -> Affine:
        """Continuous voxel coordinates from a world position."""
        inverse = invert_affine(self.lps_from_voxel)
        inverse.setflags(write=False)
        return inverse

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each array axis."""
        lengths = np.linalg.norm(self.lps_from_voxel[:3, :3], axis=0)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.lps_from_voxel[:3, :3])))

    @property
    def axis_directions_lps(self) -> NDArray[np.float64]:
        """(3, 3): row i is the unit direction of array axis i."""
        linear = self.lps_from_voxel[:3, :3]
        return np.asarray((linear / np.linalg.norm(linear, axis=0)).T)

    @property
    def axis_codes(self) -> str:
        """Anatomical letter that each array axis runs towards, e.g. ``"LPS"`` or ``"PIR"``."""
        letters = (("L", "R"), ("P", "A"), ("S", "I"))
        directions = self.axis_directions_lps
        best, codes = -1.0, ""
        for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
            score = sum(abs(float(directions[axis, world])) for axis, world in enumerate(order))
            if score > best + 1e-9:
                best = score
                codes = "".join(letters[w][int(directions[a, w] < 0.0)] for a, w in enumerate(order))
        return codes

    @property
    def corners_lps_mm(self) -> Points:
        """(8, 3): world positions of the eight corner voxels' centres."""
        last = [n - 1 for n in self.shape]
        index = np.array([[i, j, k] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
        return apply_affine(self.lps_from_voxel, index)

    @property
    def centre_lps_mm(self) -> Points:
        """(3,): world position of the middle of the grid."""
        return apply_affine(self.lps_from_voxel, (np.array(self.shape) - 1) / 2.0)

    def crop(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> VolumeGeometry:
        """The geometry of ``array[start[0]:stop[0], …]``."""
        affine = self.lps_from_voxel.copy()
        affine[:3, 3] = apply_affine(self.lps_from_voxel, start)
        shape = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
        return VolumeGeometry(shape, affine)

    def transformed(self, new_from_lps: Affine) -> VolumeGeometry:
        """The same grid after the world is moved by ``new_from_lps`` (e.g. the patient rotated)."""
        return VolumeGeometry(self.shape, new_from_lps @ self.lps_from_voxel)
