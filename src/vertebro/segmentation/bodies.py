"""All bodies of a column: outlined one by one, then made to agree about the discs between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vertebro.progress import Progress, map_in_threads, silent
from vertebro.segmentation.body_surface import (
    CANAL_RADIUS_MM,
    SURE_LIMIT,
    UNSURE_LIMIT,
    BodySurface,
    Forbidden,
    outline_body,
)
from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.level_frame import LevelFrame, WorldPlane, frame_between
from vertebro.segmentation.ray_kernels import near_line
from vertebro.segmentation.working_grid import WorkingImage

OVERLAP_MM = 0.3
"""Two bodies that claim the same bone deeper than this on average are solved against each other."""


@dataclass(frozen=True, eq=False, slots=True)
class Neighbours:
    """What a body must not reach into."""

    canal_lps_mm: NDArray[np.float64]
    """(n, 3): points of the canal's middle line near the body."""
    bodies: tuple[BodySurface, ...]

    def __call__(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(...,): whether positions lie in the canal or in another body."""
        points = np.ascontiguousarray(points_lps_mm.reshape(-1, 3))
        barred = near_line(points, self.canal_lps_mm, CANAL_RADIUS_MM)
        for body in self.bodies:
            barred |= body.contains(points, 0.7)
        return np.asarray(barred.reshape(points_lps_mm.shape[:-1]))


def canal_points(column: Column) -> NDArray[np.float64]:
    """(n, 3): the canal's middle line, 1 mm apart along the column."""
    s_mm = np.arange(len(column.curve), dtype=np.float64)
    return column.curve.at(np.zeros(len(s_mm)), column.canal_v_mm, s_mm)


def near_canal(canal_lps_mm: NDArray[np.float64], frame: LevelFrame) -> NDArray[np.float64]:
    """The part of the canal's line that a body could touch, every other point."""
    origin = frame.lps_from_level[:3, 3]
    reach = 1.6 * frame.half_depth_mm + frame.half_height_mm + 10.0
    close = np.linalg.norm(canal_lps_mm - origin, axis=1) < reach
    return np.ascontiguousarray(canal_lps_mm[close][::2])


def outline_bodies(
    image: WorkingImage,
    column: Column,
    planes: list[WorldPlane],
    s_mm: list[float],
    progress: Progress = silent,
) -> list[BodySurface]:
    """Outline the bodies between consecutive planes, from caudal to cranial.

    Parameters
    ----------
    image : WorkingImage
        On the fine grid.
    column : Column
    planes : list of WorldPlane
        One more than there are bodies.
    s_mm : list of float
        Places of the planes along the column.
    progress : Progress

    Returns
    -------
    list of BodySurface
    """
    canal = canal_points(column)
    places = [0.5 * (a + b) for a, b in pairwise(s_mm)]

    def frames(chosen: list[WorldPlane]) -> list[LevelFrame]:
        return [
            frame_between(column, chosen[index], chosen[index + 1], place)
            for index, place in enumerate(places)
        ]

    def guess(frame: LevelFrame) -> BodySurface:
        return outline_body(image, frame, Neighbours(near_canal(canal, frame), ()), limit=UNSURE_LIMIT)

    def solve(pair: tuple[LevelFrame, Forbidden]) -> BodySurface:
        return outline_body(image, pair[0], pair[1], limit=SURE_LIMIT)

    first = map_in_threads(guess, frames(planes), progress, lambda _: "outlining bodies")
    settled = list(first)
    for index in range(len(settled) - 1):
        settled[index], settled[index + 1] = settle_pair(image, canal, settled[index], settled[index + 1])
    agreed = list(planes)
    for index in range(1, len(planes) - 1):
        agreed[index] = plane_between(settled[index - 1], settled[index], planes[index])
    return map_in_threads(
        solve,
        [
            (frame, _against(near_canal(canal, frame), settled, index))
            for index, frame in enumerate(frames(agreed))
        ],
        progress,
        lambda _: "outlining bodies again",
    )


def settle_pair(
    image: WorkingImage, canal: NDArray[np.float64], lower: BodySurface, upper: BodySurface
) -> tuple[BodySurface, BodySurface]:
    """Two neighbours that do not claim the same bone: the cheaper of giving it to either."""
    if overlap_mm(lower, upper) <= OVERLAP_MM:
        return lower, upper
    lower_yields = outline_body(
        image, lower.frame, Neighbours(near_canal(canal, lower.frame), (upper,)), limit=UNSURE_LIMIT
    )
    upper_yields = outline_body(
        image, upper.frame, Neighbours(near_canal(canal, upper.frame), (lower,)), limit=UNSURE_LIMIT
    )
    if lower_yields.cost - lower.cost <= upper_yields.cost - upper.cost:
        return lower_yields, upper
    return lower, upper_yields


def overlap_mm(lower: BodySurface, upper: BodySurface) -> float:
    """Mean depth by which either body's endplate stands inside the other, mm."""
    above = np.maximum(-upper.excess(lower.cap_points(is_top=True)), 0.0)
    below = np.maximum(-lower.excess(upper.cap_points(is_top=False)), 0.0)
    return float(max(above.mean(), below.mean()))


def plane_between(lower: BodySurface, upper: BodySurface, start: WorldPlane) -> WorldPlane:
    """The plane midway between two facing endplates."""
    facing = np.vstack([_flat(lower.cap_points(is_top=True)), _flat(upper.cap_points(is_top=False))])
    axes = _axes(start)
    local = (facing - start.point_lps_mm) @ axes
    design = np.column_stack([np.ones(len(local)), local[:, 0], local[:, 1]])
    weight = np.ones(len(local))
    answer: NDArray[np.float64] = np.zeros(3)
    for _ in range(4):
        solved = np.linalg.lstsq(design * weight[:, None], local[:, 2] * weight, rcond=None)[0]
        answer = np.asarray(solved, dtype=np.float64)
        away = np.abs(local[:, 2] - design @ answer)
        weight = 1.0 / np.sqrt(1.0 + (away / 4.0) ** 2)
    normal = axes @ np.array([-answer[1], -answer[2], 1.0])
    point = start.point_lps_mm + axes @ np.array([0.0, 0.0, answer[0]])
    return WorldPlane(point, normal / np.linalg.norm(normal))


def _flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points.reshape(-1, 3)


def _axes(plane: WorldPlane) -> NDArray[np.float64]:
    """(3, 3): columns are two directions in the plane and its normal."""
    forward = np.array([0.0, -1.0, 0.0])
    forward = forward - plane.normal_lps * float(forward @ plane.normal_lps)
    forward /= np.linalg.norm(forward)
    return np.stack([np.cross(forward, plane.normal_lps), forward, plane.normal_lps], axis=1)


def _against(canal: NDArray[np.float64], bodies: list[BodySurface], index: int) -> Neighbours:
    return Neighbours(canal, tuple(bodies[i] for i in (index - 1, index + 1) if 0 <= i < len(bodies)))
