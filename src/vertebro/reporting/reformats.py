"""Pictures of one level along its own axes: sagittal, coronal and axial, with what was measured.

Radiological convention: in coronal and axial pictures the patient's right is on the left side of the
picture; axial pictures are seen from the feet, front at the top; in sagittal pictures the front is
on the left. All three share one scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Assessment, EndplatePlane, Estimate, LevelAssessment, level_order
from vertebro.geometry import apply_affine
from vertebro.imaging import Volume
from vertebro.reporting.figure import Figure, Path, Point, Raster, Shape, Text, words_width_mm
from vertebro.reporting.numbers import number_text, with_interval
from vertebro.reporting.planes import Section, grey_from_hu, outlines, slab_mean, values_at
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words, tone_of

SHEET_WIDTH_MM = 58.0
"""Width of each of the three pictures on the sheet: three stand side by side on A4."""

_AXES: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float], tuple[str, str, str, str]]] = {
    # rightwards, downwards and centre in the level's frame (right, anterior, superior); letters: left
    # edge, right edge, top, bottom
    "sagittal": ((0, -1, 0), (0, 0, -1), (0, -1, 0), ("A", "P", "S", "I")),
    "coronal": ((-1, 0, 0), (0, 0, -1), (0, 0, 0), ("R", "L", "S", "I")),
    "axial": ((-1, 0, 0), (0, -1, 0), (0, -1, 0), ("R", "L", "A", "P")),
}
_CENTRE_SHIFT_MM = 9.0
"""How far behind the body's centre sagittal and axial pictures are centred, to show the canal."""
_PART_LETTERS = {"anterior": "A", "middle": "M", "posterior": "P"}


@dataclass(frozen=True, slots=True)
class LevelPicture:
    """What is needed to draw one picture of one level."""

    volume: Volume
    assessment: Assessment
    level: LevelAssessment
    words: Words
    settings: ReportSettings


def section_of(level: LevelAssessment, view: str, settings: ReportSettings) -> Section:
    """The section of a view (``"sagittal"``, ``"coronal"``, ``"axial"``) through a level.

    Returns
    -------
    Section
        Along the level's own axes, through its body's centre (shifted within the section only).

    Examples
    --------
    See :func:`level_figure`.
    """
    rightwards, downwards, shift, _ = _AXES[view]
    linear = level.lps_from_vertebra[:3, :3]
    centre = apply_affine(level.lps_from_vertebra, np.array(shift, dtype=np.float64) * _CENTRE_SHIFT_MM)
    return Section(
        centre_lps_mm=centre,
        rightwards_lps=linear @ np.array(rightwards, dtype=np.float64),
        downwards_lps=linear @ np.array(downwards, dtype=np.float64),
        width_mm=settings.picture_width_mm,
        height_mm=settings.picture_height_mm,
        sheet_per_mm=SHEET_WIDTH_MM / settings.picture_width_mm,
    )


def level_figure(picture: LevelPicture, view: str, key: str) -> Figure:
    """One picture of one level with its outline, endplates, height lines, letters and scale bar.

    Parameters
    ----------
    picture : LevelPicture
    view : str
        ``"sagittal"``, ``"coronal"`` or ``"axial"``.
    key : str
        Key of the figure in the report.
    """
    level, words, settings = picture.level, picture.words, picture.settings
    section = section_of(level, view, settings)
    sheet_height = settings.picture_height_mm * section.sheet_per_mm
    hu = slab_mean(picture.volume, section, spacing_mm=settings.pixel_mm, slab_mm=settings.slab_mm)
    grey = grey_from_hu(hu, settings.window_low_hu, settings.window_high_hu)
    shapes: list[Shape] = [Raster(0.0, 0.0, SHEET_WIDTH_MM, sheet_height, grey)]
    shapes += body_outline(picture.assessment, level, section, f"image-{tone_of(level)}", settings.pixel_mm)
    if view != "axial":
        shapes += _endplate_lines(level, section)
    if view == "sagittal":
        shapes += _neighbour_endplates(picture.assessment, level, section)
        shapes += _neighbour_names(picture.assessment, level, section)
        shapes += _height_lines(level, section, words)
        shapes += _angle_words(level, words, sheet_height)
    name = words["figures"]["view"].format(level=level.name, view=words["figures"][view])
    shapes += _frame_of_picture(section, _AXES[view][3], name, sheet_height)
    return Figure(
        key=key,
        width_mm=SHEET_WIDTH_MM,
        height_mm=sheet_height,
        caption=words["figures"][view],
        description=_description(level, view, words),
        shapes=tuple(shapes),
        is_image=True,
    )


def body_outline(
    assessment: Assessment, level: LevelAssessment, section: Section, role: str, pixel_mm: float
) -> list[Shape]:
    """The outline of a level's body on a section."""
    values = values_at(
        assessment.bodies,
        assessment.geometry,
        section.positions(pixel_mm),
        outside=0.0,
        label=level.label,
    )
    rows, columns = values.shape
    step = np.array([section.width_mm / columns, section.height_mm / rows]) * section.sheet_per_mm
    return [
        Path(points, role, width_mm=0.35, closed=True, note=level.name)
        for points in outlines(values, lambda pixel: (pixel + 0.5) * step)
    ]


def _endplate_lines(level: LevelAssessment, section: Section) -> list[Shape]:
    return [
        Path(_trace(plane, level, section), "image-endplate", width_mm=0.25, dashed=True)
        for plane in (level.superior_endplate, level.inferior_endplate)
        if plane is not None
    ]


def _neighbour_endplates(assessment: Assessment, level: LevelAssessment, section: Section) -> list[Shape]:
    """The two endplates that the kyphosis is measured between."""
    if not level.kyphosis_deg.is_known:
        return []
    above, below = neighbours(assessment, level)
    lines: list[Shape] = []
    for other, plane in (
        (above, above.superior_endplate if above else None),
        (below, below.inferior_endplate if below else None),
    ):
        if other is None or plane is None:
            continue
        trace = _trace(plane, other, section)
        limit = section.height_mm * section.sheet_per_mm
        if any(0.0 < y < limit for _, y in trace):
            lines.append(Path(trace, "image-ungraded", width_mm=0.2, dashed=True, note=f"{other.name}"))
    return lines


def neighbours(
    assessment: Assessment, level: LevelAssessment
) -> tuple[LevelAssessment | None, LevelAssessment | None]:
    """The level above and the level below, where the assessment has them."""
    names = sorted(assessment.levels, key=level_order)
    place = names.index(level.name)
    above = assessment.levels[names[place - 1]] if place > 0 else None
    below = assessment.levels[names[place + 1]] if place + 1 < len(names) else None
    return above, below


def _trace(plane: EndplatePlane, level: LevelAssessment, section: Section) -> tuple[Point, Point]:
    """The line in which an endplate's plane cuts a section, 24 mm to either side of the body's axis."""
    direction = np.cross(plane.normal_lps, section.normal_lps)
    length = float(np.linalg.norm(direction))
    if length < 1e-6:
        direction, length = section.rightwards_lps, 1.0
    direction = direction / length
    middle = _on_both(plane, section, level.lps_from_vertebra[:3, 3])
    ends = section.sheet_from_lps(np.stack([middle - 24.0 * direction, middle + 24.0 * direction]))
    return _point(ends[0]), _point(ends[1])


def _on_both(
    plane: EndplatePlane, section: Section, start_lps_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The point of plane ∩ section that is nearest to a start point."""
    normals = np.stack([plane.normal_lps, section.normal_lps])
    offsets = np.array(
        [
            float(plane.normal_lps @ plane.point_lps_mm),
            float(section.normal_lps @ section.centre_lps_mm),
        ]
    )
    correction, *_ = np.linalg.lstsq(normals, offsets - normals @ start_lps_mm, rcond=None)
    return np.asarray(start_lps_mm + correction)


def _height_lines(level: LevelAssessment, section: Section, words: Words) -> list[Shape]:
    shapes: list[Shape] = []
    tick = section.rightwards_lps * 1.6
    for part, ends in level.height_lines_lps_mm.items():
        estimate: Estimate = getattr(level.heights_mm, part)
        role = f"image-{part}"
        lower, upper = np.asarray(ends[0]), np.asarray(ends[1])
        strokes = [(lower, upper), (lower - tick, lower + tick), (upper - tick, upper + tick)]
        number = number_text(estimate, missing=words["measures"]["missing"])
        note = f"{words['columns'][part]} {with_interval(number)}"
        for start, stop in strokes:
            sheet = section.sheet_from_lps(np.stack([start, stop]))
            shapes.append(Path((_point(sheet[0]), _point(sheet[1])), role, width_mm=0.45, note=note))
        ends_on_sheet = section.sheet_from_lps(np.stack([lower, upper]))
        shapes += _height_label(part, number.value, role, ends_on_sheet)
    return shapes


def _height_label(part: str, value: str, role: str, sheet: NDArray[np.float64]) -> list[Shape]:
    """A height's letter and value: in front of the body, behind it, or below it for the middle."""
    words = f"{_PART_LETTERS.get(part, part[:1].upper())} {value}"
    size = 2.6
    middle_y = float(sheet[:, 1].mean()) + 0.9
    if part == "anterior":
        x = max(float(sheet[:, 0].min()) - 3.0, 1.0 + words_width_mm(words, size))
        return [Text(x, middle_y, words, role, size_mm=size, anchor="end", bold=True, on_image=True)]
    if part == "posterior":
        x = float(sheet[:, 0].max()) + 3.0
        return [Text(x, middle_y, words, role, size_mm=size, bold=True, on_image=True)]
    x, y = float(sheet[:, 0].mean()), float(sheet[:, 1].max()) + 4.4
    return [Text(x, y, words, role, size_mm=size, anchor="middle", bold=True, on_image=True)]


def _neighbour_names(assessment: Assessment, level: LevelAssessment, section: Section) -> list[Shape]:
    """The names of the levels above and below, where their bodies lie on the picture."""
    shapes: list[Shape] = []
    limits = np.array([section.width_mm, section.height_mm]) * section.sheet_per_mm - 4.0
    for other in neighbours(assessment, level):
        if other is None:
            continue
        x, y = section.sheet_from_lps(other.lps_from_vertebra[:3, 3])
        if 4.0 < x < limits[0] and 4.0 < y < limits[1]:
            shapes.append(
                Text(
                    float(x),
                    float(y) + 0.9,
                    other.name,
                    "image-ungraded",
                    size_mm=2.6,
                    anchor="middle",
                    bold=True,
                    on_image=True,
                )
            )
    return shapes


def _angle_words(level: LevelAssessment, words: Words, sheet_height_mm: float) -> list[Shape]:
    rows = []
    for key, estimate in (("wedge", level.wedge_angle_deg), ("kyphosis", level.kyphosis_deg)):
        if estimate.is_known:
            number = number_text(estimate, missing="")
            rows.append(words["figures"][key].format(value=with_interval(number)))
    if not rows:
        return []
    size, pitch = 2.15, 3.2
    top = sheet_height_mm - 3.0 - pitch * len(rows)
    right = 2.6 + max(words_width_mm(row, size) for row in rows) * 0.84
    bottom = sheet_height_mm - 1.6
    plate = ((1.2, top - 0.4), (right, top - 0.4), (right, bottom), (1.2, bottom))
    shapes: list[Shape] = [Path(plate, "image-rim", filled=True, opacity=0.72)]
    return shapes + [
        Text(2.0, top + pitch * (index + 0.8), row, "image-ink", size_mm=size)
        for index, row in enumerate(rows)
    ]


def picture_frame(section: Section, view: str, name: str) -> list[Shape]:
    """Name, orientation letters and scale bar of a section along the level's axes."""
    return _frame_of_picture(section, _AXES[view][3], name, section.height_mm * section.sheet_per_mm)


def _frame_of_picture(
    section: Section, letters: tuple[str, str, str, str], name: str, sheet_height_mm: float
) -> list[Shape]:
    """Name, orientation letters and scale bar."""
    width = section.width_mm * section.sheet_per_mm
    letter_x, letter_y = 0.655 * width, 0.27 * sheet_height_mm
    left, right, top, bottom = letters
    shapes: list[Shape] = [
        Text(2.0, 4.2, name, "image-ink", size_mm=2.6, on_image=True),
        Text(1.8, letter_y, left, "image-ink", size_mm=3.0, bold=True, on_image=True),
        Text(width - 1.8, letter_y, right, "image-ink", size_mm=3.0, anchor="end", bold=True, on_image=True),
        Text(letter_x, 4.2, top, "image-ink", size_mm=3.0, anchor="middle", bold=True, on_image=True),
        Text(
            letter_x,
            sheet_height_mm - 1.6,
            bottom,
            "image-ink",
            size_mm=3.0,
            anchor="middle",
            bold=True,
            on_image=True,
        ),
    ]
    return shapes + scale_bar(width - 2.5, sheet_height_mm - 2.5, 20.0, section.sheet_per_mm)


def scale_bar(right_mm: float, bottom_mm: float, length_mm: float, sheet_per_mm: float) -> list[Shape]:
    """A scale bar whose right end stands at a sheet position."""
    left = right_mm - length_mm * sheet_per_mm
    return [
        Path(((left, bottom_mm), (right_mm, bottom_mm)), "image-rim", width_mm=1.1),
        Path(((left, bottom_mm), (right_mm, bottom_mm)), "image-ink", width_mm=0.6),
        Text(
            (left + right_mm) / 2,
            bottom_mm - 1.2,
            f"{length_mm:g} mm",
            "image-ink",
            size_mm=2.3,
            anchor="middle",
            on_image=True,
        ),
    ]


def _description(level: LevelAssessment, view: str, words: Words) -> str:
    def said(estimate: Estimate) -> str:
        return with_interval(number_text(estimate, missing=words["measures"]["missing"]))

    return str(words["figures"][f"{view}_description"]).format(
        level=level.name,
        anterior=said(level.heights_mm.anterior),
        middle=said(level.heights_mm.middle),
        posterior=said(level.heights_mm.posterior),
        wedge=said(level.wedge_angle_deg),
        kyphosis=said(level.kyphosis_deg),
    )


def _point(position: NDArray[np.float64]) -> Point:
    return float(position[0]), float(position[1])
