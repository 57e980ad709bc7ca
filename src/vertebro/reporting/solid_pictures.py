"""The plan in three dimensions: the vertebra's surface with the cannulas in it, from three sides.

Drawn here, without a graphics library: the label is laid on lines of sight, each shows the first
surface it meets. Cannulas are shapes over it, so that they keep their colour: strong where they lie
before the bone, faint where it hides them. Parallel projection; lengths hold across the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import LevelAssessment, NeedlePath
from vertebro.imaging import LabelVolume, VolumeGeometry
from vertebro.imaging.lift import coverage_on, crop_mask, local_points
from vertebro.numerics.surface_shading import first_surface, shaded
from vertebro.reporting.figure import Dot, Figure, Path, Raster, Shape
from vertebro.reporting.needle_pictures import NEEDLE, SHEET_WIDTH_MM, plated_words
from vertebro.reporting.planes import Section
from vertebro.reporting.reformats import scale_bar
from vertebro.reporting.wording import Words

SOLID_VIEWS = ("behind", "oblique", "side")
_TO_VIEWER = {"behind": (0.0, 15.0), "oblique": (-52.0, 28.0), "side": (-90.0, 0.0)}
"""Turn from behind towards the patient's right (negative: left), and height above the level, degrees."""
PIXEL_MM = 0.5
_MARGIN_MM = 4.0
_BEHIND_MM = 32.0
"""Of a cannula, so much is shown before it enters the bone."""
_BLUR_VOXELS, _BLUR_MM = 0.7, 0.5
_BACKGROUND, _DARKEST, _BRIGHTEST = 10, 30.0, 240.0
_STEP_MM = 0.5
_VISIBLE, _HIDDEN = 0.95, 0.42


@dataclass(frozen=True, eq=False, slots=True)
class Solid:
    """One vertebra with its cannulas."""

    labels: LabelVolume
    level: LevelAssessment
    needles: tuple[tuple[NeedlePath, float], ...]
    """Each path with its cannula's radius, mm."""
    words: Words


@dataclass(frozen=True, eq=False, slots=True)
class _Sight:
    """A solid as seen from one side."""

    section: Section
    first_mm: NDArray[np.float64]
    """(rows, columns): how far behind the section's plane the bone begins, mm; infinite without bone."""
    grey: NDArray[np.uint8]


def solid_figure(solid: Solid, view: str, key: str) -> Figure | None:
    """The vertebra with its cannulas from one of :data:`SOLID_VIEWS`; None where it has no label."""
    seen = _sight(solid, view)
    if seen is None:
        return None
    text, sheet = solid.words["plan"], SHEET_WIDTH_MM
    shapes: list[Shape] = [Raster(0.0, 0.0, sheet, sheet, seen.grey)]
    for path, radius_mm in solid.needles:
        shapes += _cannula(seen, path, radius_mm)
    name = text[f"solid_{view}"]
    shapes += plated_words(1.0, 3.6, text["view_name"].format(level=solid.level.name, view=name))
    shapes += scale_bar(sheet - 2.5, sheet - 2.5, 20.0, seen.section.sheet_per_mm)
    description = text["solid_description"].format(level=solid.level.name, view=name)
    return Figure(key, sheet, sheet, name, description, tuple(shapes), is_image=True)


def _axes(level: LevelAssessment, view: str) -> tuple[NDArray[np.float64], ...]:
    """World directions to the right and down the picture, and away from the viewer."""
    turn, height = np.radians(_TO_VIEWER[view])
    to_viewer = np.array([np.sin(turn) * np.cos(height), -np.cos(turn) * np.cos(height), np.sin(height)])
    rightwards = np.cross([0.0, 0.0, 1.0], to_viewer)
    rightwards /= np.linalg.norm(rightwards)
    down = np.cross(rightwards, to_viewer)
    linear = level.lps_from_vertebra[:3, :3]
    return linear @ rightwards, linear @ down, -(linear @ to_viewer)


def _sight(solid: Solid, view: str) -> _Sight | None:
    boxes = ndimage.find_objects((solid.labels.labels == solid.level.label).astype(np.uint8), max_label=1)
    if not boxes or boxes[0] is None:
        return None
    crop = crop_mask(solid.labels.labels, solid.level.label, boxes[0], solid.labels.geometry)
    rightwards, down, away = _axes(solid.level, view)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([rightwards, down, away], axis=1)
    points = local_points(crop, frame)
    shown = np.vstack([points, _shown_needles(solid) @ frame[:3, :3]])
    low, high = shown.min(axis=0) - _MARGIN_MM, shown.max(axis=0) + _MARGIN_MM
    size_mm = float(max(high[0] - low[0], high[1] - low[1]))
    middle = 0.5 * (low + high)
    near = float(points[:, 2].min()) - _MARGIN_MM
    section = Section(
        centre_lps_mm=frame[:3, :3] @ np.array([middle[0], middle[1], near]),
        rightwards_lps=rightwards,
        downwards_lps=down,
        width_mm=size_mm,
        height_mm=size_mm,
        sheet_per_mm=SHEET_WIDTH_MM / size_mm,
    )
    n_across = round(size_mm / PIXEL_MM)
    n_deep = int((points[:, 2].max() + _MARGIN_MM - near) / PIXEL_MM) + 1
    step = size_mm / n_across
    affine = np.eye(4)
    affine[:3, :3] = np.stack([down, rightwards, away], axis=1) * step
    affine[:3, 3] = section.centre_lps_mm - 0.5 * (n_across - 1) * step * (down + rightwards)
    grid = VolumeGeometry((n_across, n_across, n_deep), affine)
    field = coverage_on(crop, grid, _BLUR_VOXELS, _BLUR_MM)
    depth = first_surface(field)
    bright = shaded(field, depth)
    is_bone = np.isfinite(depth)
    grey = np.where(is_bone, _DARKEST + (_BRIGHTEST - _DARKEST) * bright, _BACKGROUND)
    return _Sight(section, np.where(is_bone, depth * step, np.inf), grey.astype(np.uint8))


def _shown_needles(solid: Solid) -> NDArray[np.float64]:
    """(n, 3) ends of the parts of the cannulas that the picture must hold."""
    ends = [np.empty((0, 3))]
    for path, _ in solid.needles:
        ends.append(np.stack([path.target_lps_mm, _start(path)]))
    return np.vstack(ends)


def _start(path: NeedlePath) -> NDArray[np.float64]:
    """Where the drawing of a cannula begins: at the skin, or some way before the bone."""
    backwards = path.entry_bone_lps_mm - path.target_lps_mm
    before_mm = _BEHIND_MM if path.length_tissue_mm is None else min(path.length_tissue_mm, _BEHIND_MM)
    return np.asarray(path.entry_bone_lps_mm + before_mm * backwards / np.linalg.norm(backwards))


def _cannula(seen: _Sight, path: NeedlePath, radius_mm: float) -> list[Shape]:
    """The cannula in its true width, in stretches that bone hides or does not."""
    section, start = seen.section, _start(path)
    way = path.target_lps_mm - start
    n_steps = max(int(np.linalg.norm(way) / _STEP_MM), 2)
    points = start + np.linspace(0.0, 1.0, n_steps + 1)[:, None] * way
    at = section.sheet_from_lps(points)
    away = (points - section.centre_lps_mm) @ section.normal_lps
    n_rows = seen.first_mm.shape[0]
    pixel = np.clip((at / SHEET_WIDTH_MM * n_rows).astype(int), 0, n_rows - 1)
    is_hidden = seen.first_mm[pixel[:, 1], pixel[:, 0]] < away - radius_mm
    flat = at[-1] - at[0]
    length = float(np.linalg.norm(flat))
    radius = radius_mm * section.sheet_per_mm
    if length < 2.0 * radius:
        return [Dot(float(at[-1][0]), float(at[-1][1]), radius, NEEDLE)]
    aside = radius * np.array([-flat[1], flat[0]]) / length
    edges = np.flatnonzero(np.diff(is_hidden)) + 1
    shapes: list[Shape] = []
    for first, last in zip([0, *edges], [*edges, n_steps], strict=True):
        corners = (at[first] + aside, at[last] + aside, at[last] - aside, at[first] - aside)
        outline = tuple((float(x), float(y)) for x, y in corners)
        opacity = _HIDDEN if is_hidden[first] else _VISIBLE
        shapes.append(Path(outline, NEEDLE, filled=True, closed=True, opacity=opacity))
    tip = at[-1]
    return [*shapes, Dot(float(tip[0]), float(tip[1]), 0.7, NEEDLE)]
