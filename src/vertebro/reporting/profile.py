"""Heights along the spine: one column for each of anterior, middle and posterior, levels as rows.

Levels run from cranial at the top to caudal at the bottom, as in the patient. The shaded band is the
height expected without a fracture; dots are what was measured, with their intervals.
"""

from __future__ import annotations

import math

from vertebro.case import Assessment, Estimate, LevelAssessment
from vertebro.reporting.figure import Dot, Figure, Path, Point, Shape, Text
from vertebro.reporting.numbers import number_text, with_interval
from vertebro.reporting.wording import Words, grade_text, tone_of

WIDTH_MM = 112.0
_GUTTER_MM, _GAP_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 12.0, 6.0, 3.0, 9.0, 12.0
_PARTS = ("anterior", "middle", "posterior")


def profile_figure(assessment: Assessment, words: Words) -> Figure | None:
    """The height profile of a spine.

    Returns
    -------
    Figure or None
        None where no level has a measured height.
    """
    levels = list(assessment.levels.values())
    known = [estimate for level in levels for estimate in _all_heights(level) if estimate.is_known]
    if not known:
        return None
    low = 5.0 * math.floor(min(estimate.lower or 0.0 for estimate in known) / 5.0)
    high = 5.0 * math.ceil(max(estimate.upper or 0.0 for estimate in known) / 5.0)
    pitch = min(9.0, max(4.6, 84.0 / len(levels)))
    height = _TOP_MM + pitch * len(levels) + _BOTTOM_MM
    column = (WIDTH_MM - _GUTTER_MM - _RIGHT_MM - 2 * _GAP_MM) / 3
    shapes: list[Shape] = _level_names(levels, pitch)
    for index, part in enumerate(_PARTS):
        left = _GUTTER_MM + index * (column + _GAP_MM)
        shapes += _facet(levels, part, (left, column), (low, high), pitch, words)
    shapes += _legend(height, words)
    said = "; ".join(_said(level, words) for level in levels)
    return Figure(
        key="height-profile",
        width_mm=WIDTH_MM,
        height_mm=height,
        caption=words["figures"]["profile_caption"],
        description=words["figures"]["profile_description"].format(levels=said),
        shapes=tuple(shapes),
    )


def _all_heights(level: LevelAssessment) -> list[Estimate]:
    return [
        getattr(heights, part) for heights in (level.heights_mm, level.expected_heights_mm) for part in _PARTS
    ]


def _row_y(index: int, pitch: float) -> float:
    return _TOP_MM + (index + 0.5) * pitch


def _level_names(levels: list[LevelAssessment], pitch: float) -> list[Shape]:
    names: list[Shape] = []
    for index, level in enumerate(levels):
        tone = tone_of(level)
        role = "ink" if tone == "normal" else tone
        y = _row_y(index, pitch) + 1.0
        names.append(
            Text(
                _GUTTER_MM - 3.0,
                y,
                level.name,
                role,
                size_mm=2.8,
                anchor="end",
                bold=tone not in ("normal", "ungraded"),
            )
        )
    return names


def _facet(
    levels: list[LevelAssessment],
    part: str,
    place: tuple[float, float],
    limits: tuple[float, float],
    pitch: float,
    words: Words,
) -> list[Shape]:
    left, width = place
    low, high = limits
    bottom = _TOP_MM + pitch * len(levels)

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * width

    shapes: list[Shape] = [Text(left, _TOP_MM - 3.2, words["columns"][part], "ink", size_mm=2.8, bold=True)]
    ticks = range(int(low), int(high) + 1, 5)
    for value in ticks:
        shapes.append(Path(((x_of(value), _TOP_MM), (x_of(value), bottom)), "grid", width_mm=0.2))
        if value % 10 == 0:
            shapes.append(Text(x_of(value), bottom + 3.2, str(value), "muted", size_mm=2.4, anchor="middle"))
    shapes += _bands(levels, part, pitch, x_of)
    for index, level in enumerate(levels):
        shapes += _mark(level, part, _row_y(index, pitch), (left, x_of), words)
    return shapes


def _bands(levels: list[LevelAssessment], part: str, pitch: float, x_of: object) -> list[Shape]:
    """The expected interval as one band over each run of levels that have one."""
    assert callable(x_of)
    runs: list[list[tuple[int, Estimate]]] = [[]]
    for index, level in enumerate(levels):
        estimate = getattr(level.expected_heights_mm, part)
        if estimate.is_known:
            runs[-1].append((index, estimate))
        elif runs[-1]:
            runs.append([])
    shapes: list[Shape] = []
    for run in runs:
        if not run:
            continue
        lows: list[Point] = []
        highs: list[Point] = []
        middles: list[Point] = []
        for order, (index, estimate) in enumerate(run):
            y = _row_y(index, pitch)
            edge = 0.35 * pitch
            rows = [y]
            if order == 0:
                rows.insert(0, y - edge)
            if order == len(run) - 1:
                rows.append(y + edge)
            for row in rows:
                lows.append((x_of(estimate.lower), row))
                highs.append((x_of(estimate.upper), row))
                middles.append((x_of(estimate.value), row))
        shapes.append(Path((*lows, *reversed(highs)), "band", filled=True))
        shapes.append(Path(tuple(middles), "band-edge", width_mm=0.3))
    return shapes


def _mark(
    level: LevelAssessment, part: str, y: float, axis: tuple[float, object], words: Words
) -> list[Shape]:
    left, x_of = axis
    assert callable(x_of)
    estimate: Estimate = getattr(level.heights_mm, part)
    tone = tone_of(level)
    if not estimate.is_known:
        said = words["grade"]["cut_short"] if not level.complete else words["measures"]["missing"]
        return [Text(left + 1.0, y + 0.8, said, "ungraded", size_mm=2.3)]
    number = number_text(estimate, missing="")
    note = f"{level.name} {words['columns'][part]} {with_interval(number)}"
    low, high = x_of(estimate.lower), x_of(estimate.upper)
    return [
        Path(((low, y), (high, y)), tone, width_mm=0.5, note=note),
        Path(((low, y - 0.8), (low, y + 0.8)), tone, width_mm=0.35),
        Path(((high, y - 0.8), (high, y + 0.8)), tone, width_mm=0.35),
        Dot(x_of(estimate.value), y, 1.05, tone, note=note),
    ]


def _legend(height: float, words: Words) -> list[Shape]:
    y = height - 2.4
    x = _GUTTER_MM
    figures = words["figures"]
    return [
        Text(WIDTH_MM - 0.5, y, figures["profile_axis"], "muted", size_mm=2.4, anchor="end"),
        Path(((x, y - 2.0), (x + 6, y - 2.0), (x + 6, y + 0.4), (x, y + 0.4)), "band", filled=True),
        Path(((x + 3, y - 2.0), (x + 3, y + 0.4)), "band-edge", width_mm=0.3),
        Text(x + 7.2, y, figures["expected"], "muted", size_mm=2.4),
        Path(((x + 26, y - 0.8), (x + 32, y - 0.8)), "normal", width_mm=0.5),
        Dot(x + 29, y - 0.8, 1.05, "normal"),
        Text(x + 33.2, y, figures["measured"], "muted", size_mm=2.4),
    ]


def _said(level: LevelAssessment, words: Words) -> str:
    def text(part: str) -> str:
        return number_text(getattr(level.heights_mm, part), missing=words["measures"]["missing"]).value

    said = words["figures"]["profile_level"].format(
        level=level.name, anterior=text("anterior"), middle=text("middle"), posterior=text("posterior")
    )
    return f"{said} ({grade_text(level, words)})"
