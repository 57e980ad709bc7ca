"""The whole spine in one picture: a mid-sagittal section that follows it from side to side.

A spine is rarely straight. Each row of the picture lies at one height of the world frame and passes
through the middle of the body there, so that every body is cut through its centre. Distances along
the picture are true front-to-back and up-down; a lean to the side is straightened.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Assessment, LevelAssessment
from vertebro.imaging import Volume
from vertebro.reporting.figure import Figure, Path, Raster, Shape, Text, words_width_mm
from vertebro.reporting.planes import grey_from_hu, outlines, values_at
from vertebro.reporting.reformats import scale_bar
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words, grade_text, tone_of

MAX_WIDTH_MM, MAX_HEIGHT_MM = 66.0, 108.0
"""Largest size of the picture on the sheet."""
_NAME_SIZE_MM = 2.7
_TALLEST_MM = 45.0
"""No part of a body lies further above or below its centre than this."""
_FRONT_MM, _BEHIND_MM, _BEYOND_MM = 52.0, 62.0, 26.0
"""How far the picture reaches in front of, behind, and above or below the bodies' centres."""


def overview_figure(
    volume: Volume, assessment: Assessment, words: Words, settings: ReportSettings
) -> Figure | None:
    """The spine with every body's outline and name in the colour of its grade.

    Returns
    -------
    Figure or None
        None where no level stands in the assessment.
    """
    levels = list(assessment.levels.values())
    if not levels:
        return None
    names = {level.name: _said(level, words) for level in levels}
    positions, corner_yz, pixel_mm = _curved_positions(volume, levels, max(names.values(), key=len), settings)
    rows, columns = positions.shape[:2]
    scale = min(MAX_WIDTH_MM / (columns * pixel_mm), MAX_HEIGHT_MM / (rows * pixel_mm))
    width, height = columns * pixel_mm * scale, rows * pixel_mm * scale
    hu = _slab(volume, positions, settings.slab_mm)
    grey = grey_from_hu(hu, settings.window_low_hu, settings.window_high_hu)
    shapes: list[Shape] = [Raster(0.0, 0.0, width, height, grey)]
    words_on_top: list[Text] = []
    for level in levels:
        role = f"image-{tone_of(level)}"
        found = _outlines_of(level, assessment, positions, pixel_mm * scale)
        shapes += [Path(points, role, width_mm=0.4, closed=True, note=level.name) for points in found]
        words_on_top.append(_name(level, found, corner_yz, scale, names[level.name]))
    shapes += spread_apart(words_on_top, 3.5, height - 2.0)
    shapes += [
        Text(1.6, height - 9.0, "A", "image-ink", size_mm=2.8, bold=True, on_image=True),
        Text(
            width - 1.6, height - 9.0, "P", "image-ink", size_mm=2.8, anchor="end", bold=True, on_image=True
        ),
        *scale_bar(width - 2.5, height - 2.5, 50.0, scale),
    ]
    said = ", ".join(f"{level.name} {grade_text(level, words)}" for level in levels)
    return Figure(
        key="overview",
        width_mm=width,
        height_mm=height,
        caption=words["figures"]["overview_caption"],
        description=words["figures"]["overview_description"].format(levels=said),
        shapes=tuple(shapes),
        is_image=True,
    )


def _curved_positions(
    volume: Volume, levels: list[LevelAssessment], longest_name: str, settings: ReportSettings
) -> tuple[NDArray[np.float64], tuple[float, float], float]:
    """(rows, columns, 3) world positions, the picture's upper front corner (y, z), the pixel size."""
    centres = np.array([level.lps_from_vertebra[:3, 3] for level in levels])
    corners = volume.geometry.corners_lps_mm
    front = max(centres[:, 1].min() - _FRONT_MM, corners[:, 1].min())
    back = min(centres[:, 1].max() + _BEHIND_MM, corners[:, 1].max())
    top = min(centres[:, 2].max() + _BEYOND_MM, corners[:, 2].max())
    bottom = max(centres[:, 2].min() - _BEYOND_MM, corners[:, 2].min())
    patient_per_sheet = (top - bottom) / MAX_HEIGHT_MM
    room_for_names = 20.0 + (words_width_mm(longest_name, _NAME_SIZE_MM) + 4.0) * patient_per_sheet
    front = min(front, centres[:, 1].min() - room_for_names)
    pixel = settings.pixel_mm * 1.5
    columns, rows = max(2, round((back - front) / pixel)), max(2, round((top - bottom) / pixel))
    y = front + (np.arange(columns) + 0.5) * pixel
    z = top - (np.arange(rows) + 0.5) * pixel
    order = np.argsort(centres[:, 2])
    x = np.interp(z, centres[order, 2], centres[order, 0])
    positions = np.empty((rows, columns, 3))
    positions[..., 0], positions[..., 1], positions[..., 2] = x[:, None], y[None, :], z[:, None]
    return positions, (float(front), float(top)), pixel


def _outlines_of(
    level: LevelAssessment, assessment: Assessment, positions: NDArray[np.float64], sheet_per_pixel: float
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """A body's outlines on the picture, looked for only in the rows near it."""
    near = np.abs(positions[:, 0, 2] - level.lps_from_vertebra[2, 3]) < _TALLEST_MM
    rows = np.flatnonzero(near)
    if len(rows) == 0:
        return ()
    values = values_at(
        assessment.bodies,
        assessment.geometry,
        positions[rows[0] : rows[-1] + 1],
        outside=0.0,
        label=level.label,
    )
    shift = np.array([0.5, rows[0] + 0.5])
    return outlines(values, lambda pixel: (pixel + shift) * sheet_per_pixel)


def _slab(volume: Volume, positions: NDArray[np.float64], slab_mm: float) -> NDArray[np.float32]:
    total = np.zeros(positions.shape[:2], dtype=np.float32)
    for offset in (-slab_mm / 3, 0.0, slab_mm / 3):
        total += values_at(volume.hu, volume.geometry, positions + np.array([offset, 0.0, 0.0]))
    return total / np.float32(3.0)


def spread_apart(names: list[Text], first_y_mm: float, last_y_mm: float) -> list[Text]:
    """Names moved up or down just enough to stay on the picture and off each other.

    Parameters
    ----------
    names : list of Text
        From top to bottom.
    first_y_mm, last_y_mm : float
        Highest and lowest baseline allowed on the sheet.
    """
    pitch = 1.25 * _NAME_SIZE_MM
    baselines = [min(max(name.y_mm, first_y_mm), last_y_mm) for name in names]
    for index in range(1, len(baselines)):
        baselines[index] = max(baselines[index], baselines[index - 1] + pitch)
    if baselines:
        baselines[-1] = min(baselines[-1], last_y_mm)
    for index in range(len(baselines) - 2, -1, -1):
        baselines[index] = min(baselines[index], baselines[index + 1] - pitch)
    return [replace(name, y_mm=y) for name, y in zip(names, baselines, strict=True)]


def _said(level: LevelAssessment, words: Words) -> str:
    """The level's name, with its grade where it is not normal."""
    tone = tone_of(level)
    if tone == "normal":
        return level.name
    grade = words["grade"]["cut_short"] if tone == "ungraded" and not level.complete else words["grade"][tone]
    return str(words["figures"]["overview_level"]).format(level=level.name, grade=grade)


def _name(
    level: LevelAssessment,
    found: tuple[tuple[tuple[float, float], ...], ...],
    corner_yz: tuple[float, float],
    scale: float,
    said: str,
) -> Text:
    """The level's name in front of its body."""
    centre = level.lps_from_vertebra[:3, 3]
    y_mm = (corner_yz[1] - float(centre[2])) * scale
    x_mm = (float(centre[1]) - corner_yz[0]) * scale - 18.0 * scale
    if found:
        points = np.array([point for outline in found for point in outline])
        near = points[np.abs(points[:, 1] - y_mm) < 5.0 * scale]
        x_mm = float((near if len(near) else points)[:, 0].min())
    x_mm = max(x_mm - 1.6, 1.0 + words_width_mm(said, _NAME_SIZE_MM))
    return Text(
        x_mm,
        y_mm + 0.9,
        said,
        f"image-{tone_of(level)}",
        size_mm=_NAME_SIZE_MM,
        anchor="end",
        bold=True,
        on_image=True,
    )
