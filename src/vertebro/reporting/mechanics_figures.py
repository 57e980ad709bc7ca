"""Figures of a level: strain before and after, load against shortening, everyday loads against strength."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Estimate, LevelMechanics
from vertebro.geometry import apply_affine
from vertebro.reporting.figure import Dot, Figure, Path, Raster, Shape, Text
from vertebro.reporting.wording import Words

STRAIN_STEPS = ((0.2, "image-normal"), (0.4, "image-moderate"), (0.7, "image-severe"))
"""Effective strain in percent from which a colour is laid over the bone; bone fails near 0.7."""
_SHEET_WIDTH = 58.0
_CHART_WIDTH, _CHART_HEIGHT = 84.0, 56.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 14.0, 3.0, 7.0, 10.0
_GREY_TOP_MG_CC = 450.0
"""Density shown as white."""


def strain_figure(
    level: LevelMechanics, centre_lps_mm: NDArray[np.float64], name: str, words: Words, key: str
) -> Figure:
    """The middle sagittal section: density in grey, strain under 1000 N laid over it, front to the left."""
    told = words["mechanics"]
    state = level.after if name == "after" and level.after is not None else level.before
    plane = _middle_plane(level, centre_lps_mm)
    density, strain = _sagittal(level.density.values, plane), _sagittal(state.strain.values, plane)
    rows, columns = density.shape
    scale = _SHEET_WIDTH / columns
    height = rows * scale
    grey = np.clip(25.0 + 230.0 * density / _GREY_TOP_MG_CC, 0.0, 255.0)
    grey[density <= 0.0] = 0.0
    shapes: list[Shape] = [Raster(0.0, 0.0, _SHEET_WIDTH, height, grey.astype(np.uint8))]
    for index, (least, role) in enumerate(STRAIN_STEPS):
        top = STRAIN_STEPS[index + 1][0] if index + 1 < len(STRAIN_STEPS) else np.inf
        shapes += _cells((strain >= least) & (strain < top) & (density != 0.0), role, scale)
    if level.cement is not None and state is level.after:
        shapes += _cells(_sagittal(level.cement.values, plane) >= 0.5, "image-cement", scale, opacity=0.35)
    shapes.append(Text(2.0, 4.5, f"{level.name} {told[name]}", "image-ink", size_mm=3.0, on_image=True))
    shapes += _strain_key(height, told)
    return Figure(
        key=key,
        width_mm=_SHEET_WIDTH,
        height_mm=height,
        caption=told[name],
        description=told["strain_description"].format(level=level.name, state=told[name]),
        shapes=tuple(shapes),
        is_image=True,
    )


def _middle_plane(level: LevelMechanics, centre_lps_mm: NDArray[np.float64]) -> int:
    """Index of the sagittal plane through the body's centre."""
    index = apply_affine(level.density.geometry.voxel_from_lps, centre_lps_mm)
    return int(np.clip(round(float(index[0])), 0, level.density.values.shape[0] - 1))


def _sagittal(values: NDArray[np.float32], plane: int) -> NDArray[np.float64]:
    """(rows, columns) of one sagittal plane: front to the left, top up."""
    middle = values[plane].astype(np.float64)
    return np.ascontiguousarray(middle[::-1, ::-1].T)


def _cells(mask: NDArray[np.bool_], role: str, scale: float, *, opacity: float = 0.55) -> list[Shape]:
    """Filled rectangles over the mask, one for each run of cells in a row."""
    shapes: list[Shape] = []
    for row in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(np.int8), [0]])))
        for start, stop in edges.reshape(-1, 2):
            x0, x1 = float(start) * scale, float(stop) * scale
            y0, y1 = row * scale, (row + 1) * scale
            corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
            shapes.append(Path(corners, role, closed=True, filled=True, opacity=opacity))
    return shapes


def _strain_key(height: float, told: Words) -> list[Shape]:
    shapes: list[Shape] = []
    for index, (least, role) in enumerate(STRAIN_STEPS):
        y = height - 3.0 - 3.4 * (len(STRAIN_STEPS) - 1 - index)
        box = ((2.0, y - 2.2), (4.6, y - 2.2), (4.6, y), (2.0, y))
        shapes.append(Path(box, role, closed=True, filled=True))
        label = told["strain_from"].format(percent=f"{least:g}")
        shapes.append(Text(5.6, y, label, "image-ink", size_mm=2.4, on_image=True))
    return shapes


def curve_figure(level: LevelMechanics, words: Words, key: str) -> Figure | None:
    """Load against shortening, before and after; None where neither was loaded until it failed."""
    told = words["mechanics"]
    lines = [
        (state.curve, role, told[name])
        for state, role, name in ((level.before, "severe", "before"), (level.after, "normal", "after"))
        if state is not None and state.curve
    ]
    if not lines:
        return None
    far = max(point.displacement_mm for curve, _, _ in lines for point in curve)
    high = max(point.force_n for curve, _, _ in lines for point in curve)
    chart = _Chart(_nice(far), _nice(high))
    shapes = chart.frame(told["axis_shortening"], told["axis_load"])
    for index, (curve, role, name) in enumerate(lines):
        points = tuple(chart.place(point.displacement_mm, point.force_n) for point in curve)
        shapes.append(Path(points, role, width_mm=0.6, note=name))
        peak = max(curve, key=lambda point: point.force_n)
        shapes.append(Dot(*chart.place(peak.displacement_mm, peak.force_n), 0.9, role, note=name))
        x = _LEFT + 3.0
        y = _TOP + 3.0 + 3.6 * index
        shapes.append(Text(x, y, f"{name}: {peak.force_n:.0f} N", role, size_mm=2.6, bold=True))
    return Figure(
        key,
        _CHART_WIDTH,
        _CHART_HEIGHT,
        told["curve_caption"],
        told["curve_description"].format(
            level=level.name, peaks="; ".join(f"{n}: {max(p.force_n for p in c):.0f} N" for c, _, n in lines)
        ),
        tuple(shapes),
    )


def risk_figure(
    level: LevelMechanics, loads_n: Sequence[tuple[str, Estimate]], words: Words, key: str
) -> Figure | None:
    """Bars of everyday loads against the strength before and after; None without any strength."""
    told = words["mechanics"]
    strengths = [
        (state.strength_n, role, told[name])
        for state, role, name in ((level.before, "severe", "before"), (level.after, "normal", "after"))
        if state is not None and state.strength_n.is_known
    ]
    if not strengths or not loads_n:
        return None
    left, pitch = 40.0, 6.0
    height = _TOP + pitch * len(loads_n) + _BOTTOM + 4.0
    most = max([load.upper or 0.0 for _, load in loads_n] + [s.require() for s, _, _ in strengths])
    span = _CHART_WIDTH + 12.0 - left - _RIGHT
    limit = _nice(most * 1.05)
    shapes: list[Shape] = []

    def across(force: float) -> float:
        return left + span * min(force, limit) / limit

    bottom = _TOP + pitch * len(loads_n)
    for tick in _ticks(limit):
        x = across(tick)
        shapes.append(Path(((x, _TOP), (x, bottom)), "grid", width_mm=0.2))
        shapes.append(Text(x, bottom + 3.5, f"{tick:g}", "muted", size_mm=2.3, anchor="middle"))
    shapes.append(
        Text(left + span / 2, bottom + 7.5, told["axis_load"], "muted", size_mm=2.4, anchor="middle")
    )
    for index, (name, load) in enumerate(loads_n):
        y = _TOP + pitch * (index + 0.5)
        x = across(load.require())
        bar = ((left, y - 1.6), (x, y - 1.6), (x, y + 1.6), (left, y + 1.6))
        shapes.append(Path(bar, "band-edge", closed=True, filled=True, opacity=0.9, note=name))
        whisker = ((across(load.lower or 0.0), y), (across(load.upper or 0.0), y))
        shapes.append(Path(whisker, "ink", width_mm=0.25))
        shapes.append(Text(left - 1.5, y + 0.9, name, "ink", size_mm=2.3, anchor="end"))
    for index, (strength, role, name) in enumerate(strengths):
        x = across(strength.require())
        shapes.append(Path(((x, _TOP - 1.0), (x, bottom)), role, width_mm=0.6))
        words_here = f"{told['strength']} {name}: {strength.require():.0f} N"
        anchor = "end" if x > left + span * 0.5 else "start"
        offset = -1.0 if anchor == "end" else 1.0
        shapes.append(
            Text(
                x + offset, _TOP - 1.5 - 3.0 * index, words_here, role, size_mm=2.3, anchor=anchor, bold=True
            )
        )
    return Figure(
        key,
        _CHART_WIDTH + 12.0,
        height,
        told["risk_caption"],
        told["risk_description"].format(
            level=level.name, loads="; ".join(f"{n} {load.require():.0f} N" for n, load in loads_n)
        ),
        tuple(shapes),
    )


class _Chart:
    """Axes from 0 to a limit each."""

    def __init__(self, right: float, top: float) -> None:
        self.right, self.top = right, top

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Sheet position of a value pair."""
        wide, high = _CHART_WIDTH - _LEFT - _RIGHT, _CHART_HEIGHT - _TOP - _BOTTOM
        return (_LEFT + wide * x / self.right, _CHART_HEIGHT - _BOTTOM - high * y / self.top)

    def frame(self, x_title: str, y_title: str) -> list[Shape]:
        """Grid, numbers and titles."""
        shapes: list[Shape] = []
        for tick in _ticks(self.top):
            left, right = self.place(0.0, tick), self.place(self.right, tick)
            shapes.append(Path((left, right), "grid", width_mm=0.2))
            shapes.append(Text(left[0] - 1.2, left[1] + 0.8, f"{tick:g}", "muted", size_mm=2.3, anchor="end"))
        for tick in _ticks(self.right):
            low = self.place(tick, 0.0)
            shapes.append(Text(low[0], low[1] + 3.4, f"{tick:g}", "muted", size_mm=2.3, anchor="middle"))
        middle = _LEFT + (_CHART_WIDTH - _LEFT - _RIGHT) / 2
        shapes.append(Text(middle, _CHART_HEIGHT - 2.0, x_title, "muted", size_mm=2.4, anchor="middle"))
        shapes.append(Text(1.0, _TOP - 3.0, y_title, "muted", size_mm=2.4))
        return shapes


def _nice(value: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten, in fifths.

    Examples
    --------
    >>> _nice(3321.0), _nice(0.8)
    (4000.0, 0.8)
    """
    if value <= 0.0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    for step in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0):
        if value <= step * power * (1.0 + 1e-9):
            return float(step * power)
    return float(10.0 * power)


def _ticks(limit: float) -> list[float]:
    return [float(f"{limit * n / 4:.6g}") for n in range(5)]
