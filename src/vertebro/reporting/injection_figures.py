"""Figures of an injection: sections with the cement, its course over time, and the risk by dose."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case import LevelInjection
from vertebro.geometry import apply_affine
from vertebro.imaging import ScalarVolume
from vertebro.reporting.figure import Dot, Figure, Path, Point, Raster, Shape, Text
from vertebro.reporting.planes import Section, grey_from_hu, outlines, slab_mean, values_at
from vertebro.reporting.reformats import LevelPicture, body_outline, picture_frame, section_of
from vertebro.reporting.wording import Words

CEMENT = "image-cement"
CHANCE_LEVELS = (0.1, 0.5)
"""Shares of the runs whose outlines the map of chances shows."""
SHOWN_SHARE = 0.25
"""Share of a voxel that is cement from which it is drawn."""
_SHEET_MM = 58.0
_CHART_WIDTH, _CHART_HEIGHT = 84.0, 52.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 13.0, 3.0, 7.0, 10.0


def cement_figure(picture: LevelPicture, injection: LevelInjection, view: str, key: str) -> Figure:
    """A section through the middle of the cement: body, fill, where routes leave the bone."""
    words = picture.words
    section = _through_cement(picture, injection.cement_fraction, view)
    shapes = _base(picture, section)
    shapes += _fill(injection.cement_fraction, section, picture.settings.pixel_mm)
    for route in injection.routes:
        offset = abs(float((np.array(route.exit_lps_mm) - section.centre_lps_mm) @ section.normal_lps))
        if route.volume_ml >= 0.005 and offset < 8.0:
            x, y = section.sheet_from_lps(route.exit_lps_mm)
            note = f"{words['injection'][route.kind.value]}: {route.volume_ml:.2f} mL"
            shapes.append(Dot(float(x), float(y), 1.0, "image-severe", note=note))
    name = words["figures"]["view"].format(level=injection.name, view=words["figures"][view])
    shapes += picture_frame(section, view, name)
    return Figure(
        key=key,
        width_mm=_SHEET_MM,
        height_mm=section.height_mm * section.sheet_per_mm,
        caption=words["figures"][view],
        description=words["injection"]["picture_description"].format(level=injection.name, view=view),
        shapes=tuple(shapes),
        is_image=True,
    )


def chance_figure(picture: LevelPicture, injection: LevelInjection, view: str, key: str) -> Figure | None:
    """A section with the outlines within which cement came to lie in a tenth and in half of the runs."""
    probability = injection.leak_probability
    if probability is None:
        return None
    words = picture.words
    section = _through_cement(picture, injection.cement_fraction, view)
    shapes = _base(picture, section)
    values = _sampled(probability.map, section, picture.settings.pixel_mm)
    for level, dashed in zip(CHANCE_LEVELS, (True, False), strict=True):
        note = f"{100 * level:.0f} %"
        for points in _outline(values, level, section):
            shapes.append(Path(points, CEMENT, width_mm=0.45, closed=True, dashed=dashed, note=note))
    for place in probability.places:
        offset = abs(float((np.array(place.exit_lps_mm) - section.centre_lps_mm) @ section.normal_lps))
        if offset < 10.0 and place.share_of_runs >= 0.02:
            x, y = section.sheet_from_lps(place.exit_lps_mm)
            note = f"{words['injection'][place.kind.value]}: {100 * place.share_of_runs:.0f} %"
            radius = 0.6 + 2.0 * math.sqrt(place.share_of_runs)
            shapes.append(Dot(float(x), float(y), radius, "image-severe", note=note))
            shapes.append(
                Text(
                    float(x) + radius + 0.5,
                    float(y) + 0.9,
                    f"{100 * place.share_of_runs:.0f} %",
                    "image-ink",
                    size_mm=2.4,
                    on_image=True,
                )
            )
    name = words["figures"]["view"].format(level=injection.name, view=words["figures"][view])
    shapes += picture_frame(section, view, name)
    return Figure(
        key=key,
        width_mm=_SHEET_MM,
        height_mm=section.height_mm * section.sheet_per_mm,
        caption=words["figures"][view],
        description=words["injection"]["chance_description"].format(level=injection.name, view=view),
        shapes=tuple(shapes),
        is_image=True,
    )


def course_figures(injection: LevelInjection, words: Words, stem: str) -> tuple[Figure, ...]:
    """Pressure over time, and volume over time; empty where nothing was injected."""
    series, told = injection.series, words["injection"]
    time = series["time_s"]
    if len(time) < 2 or float(time[-1]) <= 0.0:
        return ()
    pressure = _chart(
        (time, told["axis_time"], told["axis_pressure"]),
        (
            (series["syringe_pressure_kpa"], "severe", told["syringe"]),
            (series["tissue_pressure_kpa"], "normal", told["tissue"]),
        ),
    )
    volume = _chart(
        (time, told["axis_time"], told["axis_volume"]),
        (
            (series["inside_ml"], "normal", told["inside_line"]),
            (series["outside_ml"], "severe", told["outside_line"]),
        ),
    )
    return (
        Figure(
            f"{stem}-pressure",
            _CHART_WIDTH,
            _CHART_HEIGHT,
            told["pressure_caption"],
            told["pressure_description"].format(peak=f"{injection.peak_syringe_pressure_kpa:.0f}"),
            pressure,
        ),
        Figure(
            f"{stem}-volume",
            _CHART_WIDTH,
            _CHART_HEIGHT,
            told["volume_caption"],
            told["volume_description"].format(injected=f"{injection.injected_ml:.1f}"),
            volume,
        ),
    )


def dose_figure(injection: LevelInjection, words: Words, key: str) -> Figure | None:
    """The share of runs with a leak as the dose rises, with its interval."""
    probability = injection.leak_probability
    if probability is None:
        return None
    told = words["injection"]
    doses = np.array([point.volume_ml for point in probability.dose])
    lines = []
    bands = []
    for name, role, label in (
        ("any_leak", "severe", told["dose_any"]),
        ("canal_or_foramen", "normal", told["dose_canal"]),
    ):
        estimates = [getattr(point, name) for point in probability.dose]
        lines.append((100.0 * np.array([entry.value or 0.0 for entry in estimates]), role, label))
        low = 100.0 * np.array([entry.lower or 0.0 for entry in estimates])
        high = 100.0 * np.array([entry.upper or 0.0 for entry in estimates])
        bands.append((low, high))
    shapes = _chart((doses, told["axis_dose"], told["axis_share"]), lines, bands=bands, top=100.0)
    return Figure(key, _CHART_WIDTH, _CHART_HEIGHT, told["dose_caption"], told["dose_description"], shapes)


def _through_cement(picture: LevelPicture, field: ScalarVolume, view: str) -> Section:
    """The level's section of that view, moved to the middle of the cement along its normal."""
    section = section_of(picture.level, view, picture.settings)
    index = np.argwhere(field.values >= SHOWN_SHARE)
    if not len(index):
        return section
    weights = field.values[tuple(index.T)].astype(np.float64)
    middle = apply_affine(field.geometry.lps_from_voxel, np.average(index, axis=0, weights=weights))
    normal = section.normal_lps
    shift = float((middle - section.centre_lps_mm) @ normal) * normal
    return replace(section, centre_lps_mm=section.centre_lps_mm + shift)


def _base(picture: LevelPicture, section: Section) -> list[Shape]:
    settings = picture.settings
    hu = slab_mean(picture.volume, section, spacing_mm=settings.pixel_mm, slab_mm=0.0)
    grey = grey_from_hu(hu, settings.window_low_hu, settings.window_high_hu)
    shapes: list[Shape] = [Raster(0.0, 0.0, _SHEET_MM, section.height_mm * section.sheet_per_mm, grey)]
    outline = body_outline(picture.assessment, picture.level, section, "image-ink", settings.pixel_mm)
    return [*shapes, *outline]


def _sampled(field: ScalarVolume, section: Section, pixel_mm: float) -> NDArray[np.float32]:
    return values_at(field.values, field.geometry, section.positions(pixel_mm), outside=0.0)


def _fill(field: ScalarVolume, section: Section, pixel_mm: float) -> list[Shape]:
    values = _sampled(field, section, pixel_mm)
    shapes: list[Shape] = []
    for points in _outline(values, SHOWN_SHARE, section):
        shapes.append(Path(points, CEMENT, filled=True, closed=True, opacity=0.55))
        shapes.append(Path(points, CEMENT, width_mm=0.3, closed=True))
    return shapes


def _outline(values: NDArray[np.float32], level: float, section: Section) -> tuple[tuple[Point, ...], ...]:
    rows, columns = values.shape
    step = np.array([section.width_mm / columns, section.height_mm / rows]) * section.sheet_per_mm
    shifted = np.clip(values * np.float32(0.5 / level), 0.0, 1.0)
    return outlines(shifted, lambda pixel: (pixel + 0.5) * step)


Line = tuple[NDArray[np.float64], str, str]


def _chart(
    axis: tuple[NDArray[np.float64], str, str],
    lines: Sequence[Line],
    *,
    bands: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]] = (),
    top: float | None = None,
) -> tuple[Shape, ...]:
    """Lines over a common axis, with a grid, ticks and the lines' names."""
    x, x_name, y_name = axis
    high = top if top is not None else nice_top(max(float(values.max()) for values, _, _ in lines))
    right = nice_top(float(x[-1]))
    width, height = _CHART_WIDTH - _LEFT - _RIGHT, _CHART_HEIGHT - _TOP - _BOTTOM

    def at(px: float, py: float) -> Point:
        return (_LEFT + px / right * width, _TOP + height - min(py, high) / high * height)

    shapes: list[Shape] = [Text(_LEFT - 10.0, 3.4, y_name, "ink", size_mm=2.5)]
    shapes += _grid(at, right, high)
    shapes.append(Text(_CHART_WIDTH - _RIGHT, _CHART_HEIGHT - 1.2, x_name, "ink", size_mm=2.5, anchor="end"))
    for low, upper in bands:
        around = [at(float(a), float(b)) for a, b in zip(x, low, strict=True)]
        around += [at(float(a), float(b)) for a, b in zip(x[::-1], upper[::-1], strict=True)]
        shapes.append(Path(tuple(around), "band", filled=True, opacity=0.6))
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), 160)).astype(int))
    for number, (values, role, name) in enumerate(lines):
        points = tuple(at(float(x[i]), float(values[i])) for i in kept)
        shapes.append(Path(points, role, width_mm=0.55, note=name))
        shapes.append(Text(_LEFT + 2.0, _TOP + 3.2 + 3.4 * number, name, role, size_mm=2.6, bold=True))
    return tuple(shapes)


def _grid(at: Callable[[float, float], Point], right: float, high: float) -> list[Shape]:
    shapes: list[Shape] = []
    for number in range(5):
        y, x = high * number / 4, right * number / 4
        shapes.append(Path((at(0.0, y), at(right, y)), "grid", width_mm=0.2))
        left = at(0.0, y)
        shapes.append(Text(left[0] - 1.0, left[1] + 0.9, f"{y:g}", "muted", size_mm=2.4, anchor="end"))
        bottom = at(x, 0.0)
        shapes.append(Text(bottom[0], bottom[1] + 3.4, f"{x:g}", "muted", size_mm=2.4, anchor="middle"))
    return shapes


def nice_top(value: float) -> float:
    """The least of 1, 2, 4 or 8 times a power of ten, or 6, that is not below a value.

    Examples
    --------
    >>> nice_top(369.0), nice_top(3.9), nice_top(0.0)
    (400.0, 4.0, 1.0)
    """
    if value <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        step * power for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0) if step * power >= value * (1 - 1e-9)
    )
