"""Each level's own frame between its two disc planes, and a box-like coordinate in it.

Frame: x to the patient's right, y anterior, z superior, millimetres, origin midway between the discs.
Box coordinates ``q``: x over the half width, y over the half depth, and z so that the upper disc's plane
is +1 and the lower one's −1 at every x and y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine, invert_affine
from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.disc_planes import DiscPlane
from vertebro.segmentation.ray_kernels import LEAST_HALF_HEIGHT_MM, PLANE_REACH

LocalPlane = tuple[float, float, float]
"""z = c + gx·x + gy·y in a level's frame."""


@dataclass(frozen=True, eq=False, slots=True)
class LevelFrame:
    """Where one level lies."""

    lps_from_level: NDArray[np.float64]
    half_width_mm: float
    half_depth_mm: float
    bottom: LocalPlane
    """The disc plane below."""
    top: LocalPlane
    s_mm: float
    """Place along the column's curve."""
    expected_mm: float
    """Usual distance between discs here."""

    @property
    def level_from_lps(self) -> NDArray[np.float64]:
        """World to level frame."""
        return invert_affine(self.lps_from_level)

    @property
    def shape(self) -> NDArray[np.float64]:
        """(8,): half width, half depth and both planes, as compiled loops want them."""
        return np.array([self.half_width_mm, self.half_depth_mm, *self.bottom, *self.top])

    @property
    def half_height_mm(self) -> float:
        """Half the distance between the disc planes at the origin."""
        return max(0.5 * (self.top[0] - self.bottom[0]), LEAST_HALF_HEIGHT_MM)

    def _middle_and_half(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = np.clip(x, -PLANE_REACH * self.half_width_mm, PLANE_REACH * self.half_width_mm)
        y = np.clip(y, -PLANE_REACH * self.half_depth_mm, PLANE_REACH * self.half_depth_mm)
        top = self.top[0] + self.top[1] * x + self.top[2] * y
        bottom = self.bottom[0] + self.bottom[1] * x + self.bottom[2] * y
        return 0.5 * (top + bottom), np.maximum(0.5 * (top - bottom), LEAST_HALF_HEIGHT_MM)

    def level_from_box(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) level coordinates in mm from box coordinates."""
        x, y = q[..., 0] * self.half_width_mm, q[..., 1] * self.half_depth_mm
        middle, half = self._middle_and_half(x, y)
        return np.stack([x, y, middle + q[..., 2] * half], axis=-1)

    def box_from_level(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) box coordinates from level coordinates in mm."""
        middle, half = self._middle_and_half(p[..., 0], p[..., 1])
        return np.stack(
            [p[..., 0] / self.half_width_mm, p[..., 1] / self.half_depth_mm, (p[..., 2] - middle) / half],
            axis=-1,
        )

    def lps_from_box(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) world positions from box coordinates."""
        return apply_affine(self.lps_from_level, self.level_from_box(q))

    def box_from_lps(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) box coordinates from world positions."""
        return self.box_from_level(apply_affine(self.level_from_lps, points_lps_mm))


@dataclass(frozen=True, eq=False, slots=True)
class WorldPlane:
    """A plane in the world."""

    point_lps_mm: NDArray[np.float64]
    normal_lps: NDArray[np.float64]
    """To cranial."""


def world_plane(column: Column, disc: DiscPlane) -> WorldPlane:
    """A disc's plane in the world."""
    zero = np.zeros(1)
    point = column.curve.at(zero, zero, np.array([disc.s_mm]))[0]
    k = int(np.clip(round(disc.s_mm), 0, len(column.curve) - 1))
    along, forward = column.curve.along[k], column.curve.anterior[k]
    return WorldPlane(point, along * np.cos(disc.tilt_rad) - forward * np.sin(disc.tilt_rad))


def frame_between(column: Column, below: WorldPlane, above: WorldPlane, s_mm: float) -> LevelFrame:
    """The frame of the level between two planes, near a place along the column."""
    k = int(np.clip(round(s_mm), 0, len(column.curve) - 1))
    up = below.normal_lps + above.normal_lps
    up = up / np.linalg.norm(up)
    forward = column.curve.anterior[k] - up * float(column.curve.anterior[k] @ up)
    forward = forward / np.linalg.norm(forward)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = np.cross(forward, up), forward, up
    pose[:3, 3] = 0.5 * (below.point_lps_mm + above.point_lps_mm)
    half_width = float(column.half_width_mm[k])
    return LevelFrame(
        lps_from_level=pose,
        half_width_mm=half_width,
        half_depth_mm=float(column.half_depth_mm[k]),
        bottom=_local(pose, below),
        top=_local(pose, above),
        s_mm=s_mm,
        expected_mm=0.73 * 2.0 * half_width,
    )


def _local(pose: NDArray[np.float64], plane: WorldPlane) -> LocalPlane:
    normal = pose[:3, :3].T @ plane.normal_lps
    point = pose[:3, :3].T @ (plane.point_lps_mm - pose[:3, 3])
    gx, gy = -normal[0] / normal[2], -normal[1] / normal[2]
    return float(point[2] - gx * point[0] - gy * point[1]), float(gx), float(gy)
