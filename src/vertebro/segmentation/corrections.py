"""Corrections by a person: only the levels that a correction touches are outlined again.

A position tells *which* level or disc is meant; where exactly it lies is still read from the CT near
there, so that a careless click costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vertebro.case.correction import (
    AddLevel,
    Correction,
    MergeLevels,
    MoveDisc,
    NameEnd,
    NameLevel,
    Paint,
    Position,
    RemoveLevel,
    SplitLevel,
)
from vertebro.case.level import level_order
from vertebro.case.segmentation import SpineSegmentation
from vertebro.errors import InputError
from vertebro.geometry import apply_affine
from vertebro.imaging import Volume
from vertebro.progress import Progress, scaled, silent
from vertebro.segmentation.bodies import Neighbours, canal_points, near_canal, plane_between, settle_pair
from vertebro.segmentation.body_surface import SURE_LIMIT, UNSURE_LIMIT, BodySurface, outline_body
from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.disc_planes import DiscEvidence, DiscPlane
from vertebro.segmentation.level_frame import LevelFrame, LocalPlane, WorldPlane, frame_between, world_plane
from vertebro.segmentation.posterior import grow_posterior, paint_bodies
from vertebro.segmentation.segment import finish
from vertebro.segmentation.settings import SegmentationSettings
from vertebro.segmentation.work import SpineWork

GivenName = tuple[NDArray[np.float64], str]
"""A world position and the name of the level there."""
SEARCH_MM = 6.0
"""A disc is looked for this far from where a person put it (assumed: a careless click is 5 mm off)."""
SLACK_MM = 4.0
"""Distance from the click at which a cue of one standard unit is given up (assumed)."""
_DEFAULT = SegmentationSettings()


def correct(
    volume: Volume,
    segmentation: SpineSegmentation,
    corrections: Sequence[Correction],
    settings: SegmentationSettings = _DEFAULT,
    *,
    progress: Progress = silent,
) -> SpineSegmentation:
    """Apply a person's corrections, in order, to a segmentation of the same CT.

    Parameters
    ----------
    volume : Volume
        The CT that was segmented.
    segmentation : SpineSegmentation
        As :func:`~vertebro.segmentation.segment_spine` or an earlier correction returned it, with its
        intermediate results.
    corrections : sequence of Correction
    settings : SegmentationSettings
    progress : Progress

    Returns
    -------
    SpineSegmentation

    Raises
    ------
    InputError
        If nothing was segmented (``segment.nothing_to_correct``) or a position points at nothing
        (``segment.click_nowhere``); the segmentation is then as it was.
    """
    work = segmentation.work
    if not isinstance(work, SpineWork):
        raise InputError(
            "segment.nothing_to_correct",
            got="a segmentation without vertebrae, or one that was read from a file",
            needed="a segmentation of this run, with at least one vertebra",
            remedy="Segment the CT first; draw labels in another program where nothing is found.",
        )
    chain = _Chain.of(work)
    names, strokes = list(work.given), list(work.strokes)
    for item in corrections:
        match item:
            case NameLevel():
                names = chain.with_name(names, (np.asarray(item.at_lps_mm), item.name))
            case NameEnd():
                names = chain.with_name(names, (chain.end(item.end), item.name))
            case Paint():
                strokes.append(item)
            case _:
                chain.apply(item)
    progress(0.05, "outlining what changed")
    changed = chain.outline(work)
    work = replace(work, given=tuple(names), strokes=tuple(strokes))
    if changed:
        bodies = tuple(body for body in chain.bodies if body is not None)
        painted = grow_posterior(work.fine, list(bodies), paint_bodies(list(bodies), work.fine))
        work = replace(work, discs=tuple(chain.discs), bodies=bodies, painted=painted)
    work = replace(work, kept=tuple(index for index, kept in enumerate(chain.kept) if kept))
    progress(0.6, "drawing labels")
    answer = finish(volume, work, settings, work.given, scaled(progress, 0.6, 1.0))
    return _with_strokes(answer, strokes)


@dataclass(slots=True)
class _Chain:
    """Planes from caudal to cranial and the bodies between them; None where one must be outlined."""

    column: Column
    evidence: DiscEvidence
    discs: list[DiscPlane]
    planes: list[WorldPlane]
    bodies: list[BodySurface | None]
    kept: list[bool]

    @classmethod
    def of(cls, work: SpineWork) -> _Chain:
        frames = [body.frame for body in work.bodies]
        planes = [_to_world(frame.lps_from_level, frame.bottom) for frame in frames]
        planes.append(_to_world(frames[-1].lps_from_level, frames[-1].top))
        kept = [index in work.kept for index in range(len(frames))]
        return cls(work.column, work.evidence, list(work.discs), planes, list(work.bodies), kept)

    def apply(self, item: AddLevel | RemoveLevel | MergeLevels | SplitLevel | MoveDisc) -> None:
        match item:
            case AddLevel(at):
                self._add(at)
            case RemoveLevel(at):
                self.kept[self._level(at)] = False
            case MergeLevels(at, other):
                low, high = sorted((self._level(at), self._level(other)))
                del self.planes[low + 1 : high + 1], self.discs[low + 1 : high + 1]
                self.bodies[low : high + 1] = [None]
                self.kept[low : high + 1] = [True]
            case SplitLevel(at):
                index = self._level(at)
                self._insert(index + 1, self._disc_near(at))
                self.bodies[index : index + 1] = [None, None]
                self.kept[index : index + 1] = [True, True]
            case MoveDisc(at, to):
                index = int(np.argmin([abs(_above(plane, at)) for plane in self.planes]))
                self.discs[index] = self._disc_near(to)
                self.planes[index] = world_plane(self.column, self.discs[index])
                for beside in (index - 1, index):
                    if 0 <= beside < len(self.bodies):
                        self.bodies[beside] = None

    def end(self, which: str) -> NDArray[np.float64]:
        """The middle of the highest or lowest level that is kept."""
        indices = [index for index, kept in enumerate(self.kept) if kept]
        index = indices[-1] if which == "highest" else indices[0]
        return 0.5 * (self.planes[index].point_lps_mm + self.planes[index + 1].point_lps_mm)

    def with_name(self, names: list[GivenName], new: GivenName) -> list[GivenName]:
        """The names that a person gave, with a new one; earlier ones that it contradicts are dropped.

        Two answers can both hold where they stand in order with as many levels between them as there
        are in a spine, or one more or fewer (T13, L6, no T12).
        """
        place, order = self._nearest(new[0]), level_order(new[1])
        kept = []
        for position, name in names:
            apart, named_apart = place - self._nearest(position), level_order(name) - order
            if apart * named_apart > 0 and abs(apart - named_apart) <= 1:
                kept.append((position, name))
        return [*kept, new]

    def _nearest(self, position: NDArray[np.float64]) -> int:
        """The kept body nearest to a position, counted from caudal."""
        middles = [0.5 * (a.point_lps_mm + b.point_lps_mm) for a, b in pairwise(self.planes)]
        away = [
            float(np.linalg.norm(m - position)) if k else np.inf
            for m, k in zip(middles, self.kept, strict=True)
        ]
        return int(np.argmin(away))

    def _level(self, at: Position) -> int:
        """The interval between planes in which a position lies."""
        for index in range(len(self.bodies)):
            if _above(self.planes[index], at) >= 0.0 > _above(self.planes[index + 1], at):
                return index
        raise InputError(
            "segment.click_nowhere",
            got=f"the position {', '.join(f'{value:g}' for value in at)}",
            needed="a position in or beside a vertebra that was found",
            remedy="Use 'add' for a vertebra above the first or below the last one.",
            fields=("click",),
        )

    def _add(self, at: Position) -> None:
        """Keep the level at a position, with further levels at an end until it is reached."""
        for _ in range(3):
            if _above(self.planes[0], at) < 0.0:
                self._extend(is_top=False)
            elif _above(self.planes[-1], at) >= 0.0:
                self._extend(is_top=True)
            else:
                break
        index = self._level(at)
        self.kept[index] = True

    def _extend(self, *, is_top: bool) -> None:
        sign = 1.0 if is_top else -1.0
        end = self.discs[-1 if is_top else 0]
        usual = float(np.interp(end.s_mm, self.evidence.s_mm, self.evidence.expected_mm))
        disc = self._disc_at(end.s_mm + sign * usual, 0.35 * usual)
        plane = world_plane(self.column, disc)
        if is_top:
            self.discs.append(disc)
            self.planes.append(plane)
            self.bodies.append(None)
            self.kept.append(False)
        else:
            self.discs.insert(0, disc)
            self.planes.insert(0, plane)
            self.bodies.insert(0, None)
            self.kept.insert(0, False)

    def _insert(self, index: int, disc: DiscPlane) -> None:
        self.discs.insert(index, disc)
        self.planes.insert(index, world_plane(self.column, disc))

    def _disc_near(self, at: Position) -> DiscPlane:
        curve = self.column.curve
        points = curve.at(np.zeros(1), np.zeros(1), self.evidence.s_mm)
        along = curve.along[np.clip(self.evidence.s_mm.astype(int), 0, len(curve) - 1)]
        ahead = np.abs(np.sum((np.asarray(at) - points) * along, axis=1))
        near = np.linalg.norm(np.asarray(at) - points, axis=1) < 80.0
        return self._disc_at(float(self.evidence.s_mm[np.where(near, ahead, np.inf).argmin()]), SEARCH_MM)

    def _disc_at(self, s_mm: float, search_mm: float) -> DiscPlane:
        """The best place for a disc near one along the column."""
        away = np.abs(self.evidence.s_mm - s_mm)
        cue = self.evidence.endplates - (away / SLACK_MM) ** 2
        index = int(np.where(away <= search_mm, cue, -np.inf).argmax())
        return DiscPlane(
            float(self.evidence.s_mm[index]),
            float(self.evidence.tilt_rad[index]),
            float(self.evidence.endplates[index]),
            float(self.evidence.foramina[index]),
            is_given=True,
        )

    def outline(self, work: SpineWork) -> bool:
        """Outline the bodies that are missing: alone, then agreed with each other, then for good."""
        missing = [index for index, body in enumerate(self.bodies) if body is None]
        canal = canal_points(self.column)
        for index in missing:
            frame = self._frame(index)
            alone = Neighbours(near_canal(canal, frame), ())
            self.bodies[index] = outline_body(work.fine, frame, alone, limit=UNSURE_LIMIT)
        for index in missing:
            lower, upper = self.bodies[index], self.bodies[index + 1] if index + 1 in missing else None
            if lower is not None and upper is not None:
                lower, upper = settle_pair(work.fine, canal, lower, upper)
                self.bodies[index], self.bodies[index + 1] = lower, upper
                self.planes[index + 1] = plane_between(lower, upper, self.planes[index + 1])
        for index in missing:
            frame = self._frame(index)
            beside = [self.bodies[i] for i in (index - 1, index + 1) if 0 <= i < len(self.bodies)]
            barred = Neighbours(near_canal(canal, frame), tuple(body for body in beside if body is not None))
            self.bodies[index] = outline_body(work.fine, frame, barred, limit=SURE_LIMIT)
        return bool(missing)

    def _frame(self, index: int) -> LevelFrame:
        place = 0.5 * (self.discs[index].s_mm + self.discs[index + 1].s_mm)
        return frame_between(self.column, self.planes[index], self.planes[index + 1], place)


def _to_world(lps_from_level: NDArray[np.float64], plane: LocalPlane) -> WorldPlane:
    offset, gx, gy = plane
    normal = lps_from_level[:3, :3] @ np.array([-gx, -gy, 1.0])
    point = apply_affine(lps_from_level, np.array([0.0, 0.0, offset]))
    return WorldPlane(point, normal / np.linalg.norm(normal))


def _above(plane: WorldPlane, at: Position) -> float:
    """How far a position lies cranial of a plane, mm."""
    return float((np.asarray(at) - plane.point_lps_mm) @ plane.normal_lps)


def _with_strokes(segmentation: SpineSegmentation, strokes: Sequence[Paint]) -> SpineSegmentation:
    """The segmentation with what a person painted and erased drawn over it."""
    if not strokes:
        return segmentation
    labels = segmentation.labels.labels.copy()
    geometry = segmentation.labels.geometry
    subregions = segmentation.labels.subregions
    regions = None if subregions is None else subregions.copy()
    for stroke in strokes:
        number = segmentation.levels[stroke.level].label if stroke.level in segmentation.levels else 0
        if stroke.level and not number:
            raise InputError(
                "segment.click",
                got=f"paint for the level {stroke.level}",
                needed=f"one of the levels that were found: {', '.join(segmentation.levels)}",
                remedy="Name the levels first, or use the name that is shown.",
                fields=("click",),
            )
        centre = apply_affine(geometry.voxel_from_lps, np.asarray(stroke.at_lps_mm))
        reach = stroke.radius_mm / np.asarray(geometry.spacing_mm)
        start = np.clip(np.floor(centre - reach).astype(int), 0, np.array(geometry.shape))
        stop = np.clip(np.ceil(centre + reach).astype(int) + 1, 0, np.array(geometry.shape))
        axes = [np.arange(a, b) for a, b in zip(start, stop, strict=True)]
        index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float64)
        world = apply_affine(geometry.lps_from_voxel, index)
        inside = np.linalg.norm(world - np.asarray(stroke.at_lps_mm), axis=-1) <= stroke.radius_mm
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        labels[box][inside] = number
        if regions is not None:
            regions[box][inside] = 0
    painted = replace(segmentation.labels, labels=labels, subregions=regions)
    return replace(segmentation, labels=painted)
