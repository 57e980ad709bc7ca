"""Pictures of a planned needle: sections of the CT that contain it, X-ray views, placement steps.

Sections follow the rules of all pictures of a level: patient's right on the left side, axial ones
seen from the feet, sagittal ones with the front on the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import (
    Approach,
    CArmPose,
    LevelAssessment,
    NeedlePath,
    Picture,
    Placement,
    PlacementStage,
    PlacementStep,
    PlanView,
)
from vertebro.imaging import LabelVolume, Volume
from vertebro.reporting.figure import Dot, Figure, Path, Point, Raster, Shape, Text, words_width_mm
from vertebro.reporting.numbers import plain_number
from vertebro.reporting.planes import Section, grey_from_hu, outlines, slab_mean, values_at
from vertebro.reporting.reformats import scale_bar
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words, tone_of

NEEDLE = "image-needle"
SHEET_WIDTH_MM = 44.0
"""Width of a section or view on the sheet: four stand side by side on A4."""
VIEW_HALF_MM = 62.0
"""Half the width of a view in the report, at the isocentre: a level with its neighbours."""
_STEP_SHEET_MM, _GAP_MM, _HEAD_MM = 43.0, 1.6, 4.6
_OUTSIDE_MM = 200.0
"""How far a cannula is drawn backwards; the picture's edge cuts it."""


@dataclass(frozen=True, slots=True)
class NeedlePicture:
    """What is needed to draw the sections along one needle."""

    volume: Volume
    labels: LabelVolume | None
    level: LevelAssessment
    path: NeedlePath
    radius_mm: float | None
    """Of the cannula; None where its size is not known, and only its axis is drawn."""
    words: Words
    settings: ReportSettings


def needle_section(level: LevelAssessment, path: NeedlePath, view: str, settings: ReportSettings) -> Section:
    """The section that contains a needle and a direction of the patient.

    That direction is left-right in ``"axial"`` and up-down in ``"sagittal"``.

    Returns
    -------
    Section
        Its middle lies on the needle.
    """
    right, _, superior = level.lps_from_vertebra[:3, :3].T
    backwards = path.entry_bone_lps_mm - path.target_lps_mm
    fixed = -right if view == "axial" else -superior
    free = backwards - (backwards @ fixed) * fixed
    free = free / np.linalg.norm(free)
    rightwards, downwards = (fixed, free) if view == "axial" else (free, fixed)
    middle = path.target_lps_mm + 0.45 * backwards
    if view == "axial":  # on the midline of the body, so that both pedicles show
        middle = middle + ((level.lps_from_vertebra[:3, 3] - middle) @ right) * right
    return Section(
        centre_lps_mm=middle,
        rightwards_lps=rightwards,
        downwards_lps=downwards,
        width_mm=settings.picture_width_mm,
        height_mm=settings.picture_width_mm,
        sheet_per_mm=SHEET_WIDTH_MM / settings.picture_width_mm,
    )


def section_figure(picture: NeedlePicture, view: str, key: str) -> Figure:
    """A section of the CT that contains the needle, with cannula, entry, tip and canal."""
    words, settings, path = picture.words["plan"], picture.settings, picture.path
    section = needle_section(picture.level, path, view, settings)
    sheet = SHEET_WIDTH_MM
    hu = slab_mean(picture.volume, section, spacing_mm=settings.pixel_mm, slab_mm=0.0)
    grey = grey_from_hu(hu, settings.window_low_hu, settings.window_high_hu)
    shapes: list[Shape] = [Raster(0.0, 0.0, sheet, sheet, grey)]
    shapes += _vertebra_outline(picture, section)
    shapes += _cannula(picture, section)
    shapes += _marks(picture, section)
    if view == "axial":
        shapes += _canal_word(picture, section)
    letters = ("R", "L", "A", "P") if view == "axial" else ("A", "P", "S", "I")
    side = words[path.side.value]
    name = words["section_name"].format(level=picture.level.name, side=side, view=words[f"{view}_section"])
    shapes += _letters(letters, name, (0.0, 0.0), sheet)
    shapes += scale_bar(sheet - 2.5, sheet - 2.5, 20.0, section.sheet_per_mm)
    value = path.margins_mm.get(path.tightest)
    said = words["margin_missing"] if value is None else mm_text(value)
    description = words[f"{view}_description"].format(level=picture.level.name, side=side, value=said)
    return Figure(key, sheet, sheet, words[f"{view}_section"], description, tuple(shapes), is_image=True)


def mm_text(value: float) -> str:
    """Millimetres with one decimal."""
    return f"{plain_number(value, 1)}\u00a0mm"


def _vertebra_outline(picture: NeedlePicture, section: Section) -> list[Shape]:
    if picture.labels is None:
        return []
    spacing = picture.settings.pixel_mm
    values = values_at(
        picture.labels.labels,
        picture.labels.geometry,
        section.positions(spacing),
        outside=0.0,
        label=picture.level.label,
    )
    rows, columns = values.shape
    step = np.array([section.width_mm / columns, section.height_mm / rows]) * section.sheet_per_mm
    role = f"image-{tone_of(picture.level)}"
    return [
        Path(points, role, width_mm=0.3, closed=True, note=picture.level.name)
        for points in outlines(values, lambda pixel: (pixel + 0.5) * step)
    ]


def _cannula(picture: NeedlePicture, section: Section) -> list[Shape]:
    """The cannula's outline, cut where it leaves the skin or the picture."""
    path = picture.path
    backwards = path.entry_bone_lps_mm - path.target_lps_mm
    backwards = backwards / np.linalg.norm(backwards)
    across = np.cross(backwards, section.normal_lps)
    start = path.entry_skin_lps_mm
    if start is None:
        start = path.target_lps_mm + _OUTSIDE_MM * backwards
    limit = section.width_mm * section.sheet_per_mm - 0.3
    offsets = (0.0,) if picture.radius_mm is None else (picture.radius_mm, -picture.radius_mm)
    sides: list[tuple[Point, Point]] = []
    for offset in offsets:
        ends = section.sheet_from_lps(np.stack([path.target_lps_mm, start]) + offset * across)
        sides.append(_clipped(ends[0], ends[1], limit))
    if len(sides) == 1:
        return [Path(sides[0], NEEDLE, width_mm=0.5)]
    (tip_a, far_a), (tip_b, far_b) = sides
    return [
        Path((far_a, tip_a, tip_b, far_b), NEEDLE, filled=True, opacity=0.22),
        Path((far_a, tip_a, tip_b, far_b), NEEDLE, width_mm=0.4),
    ]


def _clipped(inside: NDArray[np.float64], outside: NDArray[np.float64], limit: float) -> tuple[Point, Point]:
    """The stroke from a point on the sheet towards another one, up to the sheet's edge."""
    share = 1.0
    step = outside - inside
    for axis in (0, 1):
        if step[axis] > 1e-9:
            share = min(share, (limit - inside[axis]) / step[axis])
        elif step[axis] < -1e-9:
            share = min(share, (0.3 - inside[axis]) / step[axis])
    return _point(inside), _point(inside + max(share, 0.0) * step)


def _marks(picture: NeedlePicture, section: Section) -> list[Shape]:
    """Entry on bone, tip, and where the least bone is left."""
    words, path = picture.words["plan"], picture.path
    entry, tip, tight = section.sheet_from_lps(
        np.stack([path.entry_bone_lps_mm, path.target_lps_mm, path.tightest_lps_mm])
    )
    towards_edge = 1.0 if entry[0] > SHEET_WIDTH_MM / 2 else -1.0
    is_steep = abs(float(entry[1] - tip[1])) > abs(float(entry[0] - tip[0]))
    anchor = ("start" if towards_edge > 0 else "end") if is_steep else "middle"
    entry_at = (float(entry[0]), float(entry[1]) + 4.2)
    value_at = (float(tight[0]), float(tight[1]) - 3.4)
    if is_steep:
        entry_at = (float(entry[0]) + 2.6 * towards_edge, float(entry[1]) + 0.8)
        value_at = (float(tight[0]) + 2.8 * towards_edge, float(tight[1]) - 0.8)
    shapes: list[Shape] = [
        Dot(*_point(entry), 0.75, NEEDLE, note=words["entry"]),
        Dot(*_point(tip), 0.75, NEEDLE, note=words["tip"]),
        _ring(_point(tight), 1.9),
        Text(*entry_at, words["entry"], NEEDLE, 2.4, anchor, on_image=True),
        Text(float(tip[0]), float(tip[1]) - 1.9, words["tip"], NEEDLE, 2.4, "middle", on_image=True),
    ]  # fmt: skip
    value = path.margins_mm.get(path.tightest)
    if value is not None:
        said = words["tightest"].format(value=mm_text(value))
        shapes.append(Text(*value_at, said, "image-ink", 2.4, anchor, on_image=True))
    return shapes


def _ring(centre: Point, radius_mm: float, role: str = "image-ink") -> Path:
    turns = np.linspace(0.0, 2.0 * np.pi, 33)[:-1]
    points = tuple(
        (centre[0] + radius_mm * float(np.cos(t)), centre[1] + radius_mm * float(np.sin(t))) for t in turns
    )
    return Path(points, role, width_mm=0.25, closed=True)


def _canal_word(picture: NeedlePicture, section: Section) -> list[Shape]:
    """The word for the canal, in the middle behind the body at the height where the needle passes it."""
    level, path = picture.level, picture.path
    right = level.lps_from_vertebra[:3, 0]
    on_needle = path.isthmus_lps_mm
    middle = on_needle + ((level.lps_from_vertebra[:3, 3] - on_needle) @ right) * right
    x, y = _point(section.sheet_from_lps(middle))
    word = picture.words["plan"]["canal"]
    return [Text(x, y + 0.9, word, "image-ink", 2.4, "middle", bold=True, on_image=True)]


def _letters(letters: tuple[str, str, str, str], name: str, corner: Point, size_mm: float) -> list[Shape]:
    """Name and orientation letters of a square picture: left, right, top, bottom."""
    x, y = corner
    left, right, top, bottom = letters
    side_y, middle_x = y + 0.27 * size_mm, x + 0.7 * size_mm
    shapes: list[Shape] = [
        Text(x + 1.8, side_y, left, "image-ink", 3.0, bold=True, on_image=True),
        Text(x + size_mm - 1.8, side_y, right, "image-ink", 3.0, "end", bold=True, on_image=True),
    ]
    if name:
        shapes += plated_words(x + 1.0, y + 3.6, name)
    if top:
        shapes.append(Text(middle_x, y + 7.4, top, "image-ink", 3.0, "middle", bold=True, on_image=True))
    if bottom:
        shapes.append(
            Text(middle_x, y + size_mm - 1.6, bottom, "image-ink", 3.0, "middle", bold=True, on_image=True)
        )
    return shapes


def plated_words(x: float, baseline: float, words: str) -> list[Shape]:
    """A line of words on a dark plate, to be read on dark and bright parts of a picture."""
    size = 2.2
    right, top, bottom = x + 0.9 * words_width_mm(words, size), baseline - size, baseline + 0.8
    plate = ((x, top), (right, top), (right, bottom), (x, bottom))
    return [
        Path(plate, "image-rim", filled=True, opacity=0.72),
        Text(x + 0.6, baseline, words, "image-ink", size),
    ]


def whole_degrees(pose: CArmPose) -> str:
    """A pose in whole degrees: no machine is set finer.

    Examples
    --------
    >>> whole_degrees(CArmPose(179.7, -12.8, (0.0, 0.0, 0.0)))
    'AP CAU 13'
    """
    return CArmPose(float(round(pose.lao_deg)), float(round(pose.cra_deg)), (0.0, 0.0, 0.0)).label


def view_figure(view: PlanView, level: LevelAssessment, words: Words, key: str) -> Figure:
    """A simulated X-ray view, cut to the level and its neighbours."""
    text = words["plan"]
    whole = view.picture
    column, row = whole.project(level.lps_from_vertebra[:3, 3])
    shown = whole.cropped((float(column), float(row)), round(VIEW_HALF_MM / view.pixel_at_isocentre_mm))
    sheet = SHEET_WIDTH_MM
    said = text[f"view_{view.kind.value}"]
    if view.side is not None:
        said = said.format(side=text[view.side.value])
    shapes: list[Shape] = [Raster(0.0, 0.0, sheet, sheet, shown.pixels)]
    shapes += _letters(
        _edge_letters(view), text["view_name"].format(level=level.name, view=said), (0.0, 0.0), sheet
    )
    pose = whole_degrees(view.pose)
    shapes += plated_words(1.0, sheet - 1.8, pose)
    sheet_per_mm = sheet / (shown.pixels.shape[1] * view.pixel_at_isocentre_mm)
    shapes += scale_bar(sheet - 2.5, sheet - 2.5, 20.0, sheet_per_mm)
    description = text["view_description"].format(level=level.name, view=said, pose=pose)
    return Figure(key, sheet, sheet, said, description, tuple(shapes), is_image=True)


_OPPOSITE: Mapping[str, str] = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def _edge_letters(view: PlanView) -> tuple[str, str, str, str]:
    """Left, right, top and bottom of a view; head and foot are said as S and I like elsewhere."""
    right, down = (letters[:1] for letters in view.orientation)
    names = {"H": "S", "F": "I"}
    return tuple(names.get(sign, sign) for sign in (_OPPOSITE[right], right, _OPPOSITE[down], down))  # type: ignore[return-value]


def steps_figure(placement: Placement, words: Words, key: str) -> Figure | None:
    """The steps of one needle, AP above lateral; None where there are no pictures."""
    text = words["plan"]
    shapes: list[Shape] = []
    for column, step in enumerate(placement.steps):
        x = column * (_STEP_SHEET_MM + _GAP_MM)
        for row, picture in enumerate((step.ap, step.lateral)):
            if picture is None:
                return None
            y = row * (_STEP_SHEET_MM + _GAP_MM)
            shapes += _step_shapes(picture, step, placement, (x, y), is_ap=row == 0)
            name = approach_words(text, f"step_{step.stage.value}", placement.approach) if row == 0 else ""
            letters = ("R", "L", "", "") if row == 0 else ("A", "P", "", "")
            shapes += _letters(letters, name, (x, y), _STEP_SHEET_MM)
    width = len(placement.steps) * (_STEP_SHEET_MM + _GAP_MM) - _GAP_MM
    height = 2 * _STEP_SHEET_MM + _GAP_MM
    side = text[placement.side.value]
    description = text["steps_description"].format(side=side, level=placement.level)
    return Figure(key, width, height, text["steps_caption"], description, tuple(shapes), is_image=True)


def approach_words(text: Mapping[str, str], key: str, approach: Approach) -> str:
    """The words of an approach where it has its own, those of all approaches otherwise."""
    return text.get(f"{key}_{approach.value}") or text[key]


def _step_shapes(
    picture: Picture, step: PlacementStep, placement: Placement, corner: Point, *, is_ap: bool
) -> list[Shape]:
    size = picture.pixels.shape[1]
    scale = _STEP_SHEET_MM / size

    def on_sheet(points: NDArray[np.float64]) -> list[Point]:
        place = (picture.project(points) + 0.5) * scale + np.array(corner)
        return [_point(row) for row in np.atleast_2d(place)]

    shapes: list[Shape] = [Raster(*corner, _STEP_SHEET_MM, _STEP_SHEET_MM, picture.pixels)]
    if is_ap and placement.pedicle_ring_lps_mm is not None:
        ring = on_sheet(placement.pedicle_ring_lps_mm)
        shapes.append(Path(tuple(ring), "image-mild", width_mm=0.35, dashed=True, closed=True))
    if not is_ap and placement.back_wall_lps_mm is not None:
        wall = on_sheet(placement.back_wall_lps_mm)
        shapes.append(Path(tuple(wall), "image-mild", width_mm=0.35, dashed=True))
    (tip,) = on_sheet(step.tip_lps_mm)
    is_final = step.stage is PlacementStage.FINAL
    shapes.append(_ring(tip, 1.5, "image-normal" if is_final else NEEDLE))
    return shapes


def _point(position: NDArray[np.float64]) -> Point:
    return float(position[0]), float(position[1])
