"""The outline of a vertebral body: the best closed surface about its middle.

For each direction of a mesh, and each of some sixty radii along it, the CT says how much brighter it is
just inside than just outside. The surface that collects most of this, departs little from a rounded box
between the discs and bends little against it is found by message passing
(:mod:`vertebro.segmentation.surface_kernels`). Gas inside is read as bone, so that a cleft does not
break a collapsed body. A second pass takes its expectation from the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.segmentation.directions import DirectionMesh, direction_mesh
from vertebro.segmentation.level_frame import LevelFrame
from vertebro.segmentation.ray_kernels import excess_at, sample_rays
from vertebro.segmentation.surface_kernels import best_radii
from vertebro.segmentation.working_grid import WorkingImage

DIVISIONS = 12
SHARES = np.arange(0.5, 1.5, 0.0175)
"""Radii, as shares of the expected radius."""
ROUNDS = 8
REACH = 6
EDGE_WEIGHT = 6.0
REGION_WEIGHT = 0.02
BEND = 0.03
OFFSETS_MM = np.array([-0.7, -2.0, 0.0, 0.8, 2.2])
"""Just inside, further inside, at the radius, just outside, further outside."""
FIRST_SPREAD, SECOND_SPREAD = 0.25, 0.15
"""Spread of radii about the expected shape in the two passes (assumed)."""
SECTION_POWER, SIDE_POWER = 2.4, 6.0
SECTION_SIZE, HEIGHT_SIZE = 0.95, 0.83
"""A rounded box of this size in box coordinates is expected: endplates lie within the disc planes."""
GAS_HU = -100.0
INSET_MM, INSET_PER_MM = 0.5, 0.15
"""How far inside the steepest fall bone ends in 1 mm voxels, and what each further mm of voxel adds.
Fitted: between phantoms, whose bone is known and ends 0.9 to 1.2 mm inside, and outlines drawn on real
scans by people, which end about 0.3 mm inside."""
SURE_LIMIT, UNSURE_LIMIT = 1.03, 1.3
"""How far endplates may reach where disc planes are settled, and where they are a first guess."""
CANAL_RADIUS_MM = 5.0
"""No body reaches nearer to the canal's middle; canals are at least 13 mm wide (Zindrick 1987 [recall])."""

Forbidden = Callable[[NDArray[np.float64]], NDArray[np.bool_]]
"""Whether world positions (n, 3) may not belong to the body."""


@dataclass(frozen=True, eq=False, slots=True)
class BodySurface:
    """A body's surface in box coordinates of its level's frame."""

    frame: LevelFrame
    radius: NDArray[np.float64]
    """(n,): distance from the origin in box coordinates, for each direction of the mesh."""
    edge: NDArray[np.float64]
    """(n,): fall of CT values across the surface over the level's usual fall."""
    core_hu: float
    """Median inside."""
    shell_hu: float
    """Seventieth percentile just inside the surface: cortex and endplates where it is a vertebra."""
    inset_mm: float
    """How far inside the steepest fall the bone's surface is taken to lie."""
    cost: float
    """Of the surface, for comparing solutions of the same level."""

    def contains(self, points_lps_mm: NDArray[np.float64], grown_mm: float = 0.0) -> NDArray[np.bool_]:
        """(n,): whether world positions lie inside, or within ``grown_mm`` of it."""
        return self.excess(points_lps_mm) <= grown_mm

    def excess(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(...,): roughly how far outside (+) or inside (−) the bone's surface positions lie, mm; at most 20.

        The steepest fall lies outside the bone's true surface, since thin cortex is blurred: by
        :data:`INSET_MM` and more for coarse voxels.
        """
        shape = points_lps_mm.shape[:-1]
        points = np.ascontiguousarray(points_lps_mm.reshape(-1, 3), dtype=np.float64)
        steepest = excess_at(
            points, self.frame.level_from_lps, self.frame.shape, self.table, self.frame.half_height_mm
        )
        return np.asarray(steepest.reshape(shape) + self.inset_mm)

    @property
    def table(self) -> NDArray[np.float64]:
        """(181, 360): radius at every degree of polar angle and longitude."""
        return mesh().table(self.radius)

    @property
    def waist_mm(self) -> tuple[float, float, float]:
        """Half width at mid-height, and y of the back and front walls, in the level frame."""
        unit = mesh().unit
        points = self.frame.level_from_box(unit * self.radius[:, None])
        middle = np.abs(unit[:, 2]) < 0.35
        left, right = np.percentile(points[middle, 0], [3, 97])
        near = middle & (np.abs(points[:, 0]) < 0.35 * self.frame.half_width_mm)
        back = np.median(points[near & (unit[:, 1] < 0.0), 1])
        front = np.median(points[near & (unit[:, 1] > 0.0), 1])
        return 0.5 * float(right - left), float(back), float(front)

    def cap_points(self, is_top: bool) -> NDArray[np.float64]:
        """(m, 3): world positions of the surface's points on the upper or lower endplate."""
        unit = mesh().unit
        section = np.hypot(unit[:, 0], unit[:, 1])
        up = unit[:, 2] > 0.0 if is_top else unit[:, 2] < 0.0
        chosen = up & (section * self.radius < 0.8)
        return self.frame.lps_from_box(unit[chosen] * self.radius[chosen, None])


def mesh() -> DirectionMesh:
    """The directions that every body's surface uses."""
    return direction_mesh(DIVISIONS)


def expected_radius() -> NDArray[np.float64]:
    """(n,): radius of the rounded box for each direction of the mesh."""
    unit = np.abs(mesh().unit)
    section = (unit[:, 0] ** SECTION_POWER + unit[:, 1] ** SECTION_POWER) ** (1.0 / SECTION_POWER)
    value = (section / SECTION_SIZE) ** SIDE_POWER + (unit[:, 2] / HEIGHT_SIZE) ** SIDE_POWER
    return np.asarray(value ** (-1.0 / SIDE_POWER))


def smoothed(values: NDArray[np.float64], rounds: int) -> NDArray[np.float64]:
    """Values of the mesh, averaged with their neighbours some times over."""
    neighbours = mesh().neighbours
    known = neighbours >= 0
    for _ in range(rounds):
        around = np.where(known, values[neighbours], 0.0).sum(axis=1) / known.sum(axis=1)
        values = 0.5 * values + 0.5 * around
    return values


def outline_body(
    image: WorkingImage,
    frame: LevelFrame,
    forbidden: Forbidden | None = None,
    shape: NDArray[np.float64] | None = None,
    limit: float = SURE_LIMIT,
) -> BodySurface:
    """Find a body's surface in two passes.

    Parameters
    ----------
    image : WorkingImage
        On the fine grid.
    frame : LevelFrame
    forbidden : callable, optional
        Places that belong to something else.
    shape : (n,) float array, optional
        Expected radii; the first pass is left out when given.
    limit : float
        How far endplates may reach, in shares of the way to the disc planes.

    Returns
    -------
    BodySurface
    """
    if shape is None:
        shape = expected_radius()
        first = _solve(image, frame, shape, FIRST_SPREAD, forbidden, limit)
        shape = shape * smoothed(first.radius / shape, 8)
    return _solve(image, frame, shape, SECOND_SPREAD, forbidden, limit)


def _solve(
    image: WorkingImage,
    frame: LevelFrame,
    shape: NDArray[np.float64],
    spread: float,
    forbidden: Forbidden | None,
    limit: float,
) -> BodySurface:
    directions = mesh()
    unit = directions.unit
    radius = shape[:, None] * SHARES[None, :]
    step = frame.level_from_box(unit * (1.05 * shape)[:, None]) - frame.level_from_box(
        unit * (0.95 * shape)[:, None]
    )
    length = np.linalg.norm(step, axis=1)
    core = image.sample(frame.lps_from_box(unit[::4] * 0.45))
    solid = core > GAS_HU
    core_hu = float(np.median(core[solid])) if solid.any() else 150.0
    voxel_from_level = image.geometry.voxel_from_lps @ frame.lps_from_level
    sampled = sample_rays(
        image.hu, voxel_from_level, frame.shape, unit, radius, step / length[:, None], OFFSETS_MM
    )
    np.clip(sampled, -150.0, 600.0, out=sampled)
    gas = (radius < 0.9 * shape[:, None])[None] & (sampled[:3] < GAS_HU)
    sampled[:3][gas] = core_hu
    near_in, far_in, here, near_out, far_out = sampled
    fall = 0.6 * near_in + 0.4 * np.maximum(near_in, far_in) - 0.6 * near_out - 0.4 * far_out
    usual = max(float(np.percentile(fall.max(axis=1), 60)), 60.0)
    divide = float(np.clip(0.5 * (core_hu + 45.0), 30.0, 120.0))
    outside_like = np.clip((divide - here) / 80.0, -1.0, 1.0)
    travel = (SHARES[1] - SHARES[0]) * 10.0 * length[:, None] * np.ones_like(radius)
    cost = -EDGE_WEIGHT * np.clip(fall, -60.0, 1.2 * usual) / usual
    cost += REGION_WEIGHT * np.cumsum(outside_like * travel, axis=1)
    cost += 0.5 * ((SHARES[None, :] - 1.0) / spread) ** 2
    cost += np.where(np.abs(unit[:, 2:3] * radius) > limit, 5.0, 0.0)
    if forbidden is not None:
        barred = forbidden(frame.lps_from_box(unit[:, None, :] * radius[..., None]))
        cost += 4.0 * np.minimum(np.cumsum(barred, axis=1), 5)
    best = best_radii(cost.astype(np.float32), directions.neighbours, directions.reverse, BEND, REACH, ROUNDS)
    row = np.arange(len(best))
    return BodySurface(
        frame,
        SHARES[best] * shape,
        fall[row, best] / usual,
        core_hu,
        _bright_seen(np.maximum(near_in, far_in)[row, best]),
        INSET_MM + INSET_PER_MM * (image.source_mm - 1.0),
        float(cost[row, best].mean()),
    )


def _bright_seen(values: NDArray[np.float64]) -> float:
    """Seventieth percentile of what was measured."""
    seen = values[values > -140.0]
    return float(np.percentile(seen, 70)) if seen.size else -150.0
