"""Pictures of balloons: before and after, cavities from the feet, pressure against volume.

Sections follow the rules of all pictures of a level: the patient's right on the left side, axial ones
seen from the feet, sagittal ones with the front on the left. The picture "after" is the CT itself, carried
along with the predicted heights: a drawing of a prediction, not an image of a patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import BalloonInflation, Heights, LevelAssessment, LevelInflation
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import ScalarVolume, Volume
from vertebro.reporting.figure import Dot, Figure, Path, Point, Raster, Shape, Text
from vertebro.reporting.needle_pictures import plated_words
from vertebro.reporting.numbers import plain_number
from vertebro.reporting.planes import Section, grey_from_hu, outlines, values_at
from vertebro.reporting.reformats import scale_bar
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words

CAVITY = "image-needle"
RIM = "image-moderate"
SHEET_MM = 58.0
_WIDTH_MM = 76.0
_PLACES = (0.05, 0.5, 0.95)
_PARTS = ("posterior", "middle", "anterior")
_DENSE_FROM = 1.3
"""Bone at least this much denser than before is drawn as compacted."""
_CHART = (112.0, 62.0)
_INK = {"left": "normal", "right": "moderate"}


@dataclass(frozen=True, slots=True)
class BalloonPicture:
    """What is needed to draw one level's balloons."""

    volume: Volume
    level: LevelAssessment
    inflation: LevelInflation
    words: Words
    settings: ReportSettings


@dataclass(frozen=True, eq=False, slots=True)
class _Lift:
    """How far each place of the section is raised."""

    vertebra_from_lps: NDArray[np.float64]
    lps_from_vertebra: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    """(3,): posterior, middle, anterior."""
    lower_mm: NDArray[np.float64]
    upper_mm: NDArray[np.float64]
    gain_mm: NDArray[np.float64]

    def origin_of(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where what is seen at points of the picture after stood before."""
        flat = points_lps_mm.reshape(-1, 3)
        seen = apply_affine(self.vertebra_from_lps, flat)
        z = seen[:, 2].copy()
        low = np.interp(seen[:, 1], self.y_mm, self.lower_mm)
        high = np.interp(seen[:, 1], self.y_mm, self.upper_mm)
        gain = np.interp(seen[:, 1], self.y_mm, self.gain_mm)
        share = np.clip((seen[:, 2] - low) / np.maximum(high + gain - low, 1e-6), 0.0, 1.0)
        z -= gain * share
        seen = np.column_stack([seen[:, :2], z])
        return apply_affine(self.lps_from_vertebra, seen).reshape(points_lps_mm.shape)


def balloon_figures(picture: BalloonPicture, stem: str) -> tuple[tuple[Figure, ...], Figure]:
    """Before, after and from the feet; and the pressures."""
    words = picture.words["balloon"]
    return (
        (
            _sagittal(picture, f"{stem}-before", after=False),
            _sagittal(picture, f"{stem}-after", after=True),
            _axial(picture, f"{stem}-axial"),
        ),
        pressure_figure(picture.inflation, words, f"{stem}-pressure"),
    )


def _sagittal(picture: BalloonPicture, key: str, *, after: bool) -> Figure:
    words, level = picture.words["balloon"], picture.level
    balloon = picture.inflation.balloons[0]
    frame = level.lps_from_vertebra
    right, anterior, superior = frame[:3, :3].T
    across = float((balloon.centre_lps_mm - frame[:3, 3]) @ right)
    section = _section(frame[:3, 3] + across * right, -anterior, -superior)
    positions = section.positions(picture.settings.pixel_mm)
    if after:
        positions = _lift(picture).origin_of(positions)
    shapes = [_raster(picture, positions)]
    if after:
        shapes += _balloon_outlines(picture, positions, section)
    shapes += _height_lines(picture, section, after=after)
    heading = words["after" if after else "before"].format(level=level.name)
    shapes += _frame(("A", "P", "S", "I"), heading, section)
    side = words[balloon.side.value]
    said = words["after_description" if after else "before_description"].format(
        level=level.name, side=side, heights=_heights_said(picture, words, after=after)
    )
    return Figure(key, SHEET_MM, SHEET_MM, heading, said, tuple(shapes), is_image=True)


def _axial(picture: BalloonPicture, key: str) -> Figure:
    words, level = picture.words["balloon"], picture.level
    right, anterior, _ = level.lps_from_vertebra[:3, :3].T
    centre = np.mean([balloon.centre_lps_mm for balloon in picture.inflation.balloons], axis=0)
    section = _section(centre, -right, -anterior)
    positions = section.positions(picture.settings.pixel_mm)
    shapes = [_raster(picture, positions)]
    shapes += _balloon_outlines(picture, positions, section)
    heading = words["axial"].format(level=level.name)
    shapes += _frame(("R", "L", "A", "P"), heading, section)
    said = words["axial_description"].format(
        level=level.name, volume=plain_number(picture.inflation.cavity_ml, 1)
    )
    return Figure(key, SHEET_MM, SHEET_MM, heading, said, tuple(shapes), is_image=True)


def _section(
    centre: NDArray[np.float64], rightwards: NDArray[np.float64], downwards: NDArray[np.float64]
) -> Section:
    return Section(
        centre_lps_mm=centre,
        rightwards_lps=rightwards,
        downwards_lps=downwards,
        width_mm=_WIDTH_MM,
        height_mm=_WIDTH_MM,
        sheet_per_mm=SHEET_MM / _WIDTH_MM,
    )


def _raster(picture: BalloonPicture, positions: NDArray[np.float64]) -> Shape:
    hu = values_at(picture.volume.hu, picture.volume.geometry, positions)
    grey = grey_from_hu(hu, picture.settings.window_low_hu, picture.settings.window_high_hu)
    return Raster(0.0, 0.0, SHEET_MM, SHEET_MM, grey)


def _balloon_outlines(
    picture: BalloonPicture, positions: NDArray[np.float64], section: Section
) -> list[Shape]:
    """The compacted bone with the cavity in it: thin veils with their outlines."""

    def values(field: ScalarVolume, outside: float) -> NDArray[np.float32]:
        return values_at(np.asarray(field.values), field.geometry, positions, outside=outside)

    cavity = values(picture.inflation.cavity, 0.0)
    dense = (values(picture.inflation.density_ratio, 1.0) - 1.0) / (2.0 * (_DENSE_FROM - 1.0))
    rows, columns = cavity.shape
    step = np.array([section.width_mm / columns, section.height_mm / rows]) * section.sheet_per_mm
    shapes: list[Shape] = []
    for field, role, veil in (
        (np.maximum(np.clip(dense, 0.0, 1.0), cavity), RIM, 0.25),
        (cavity, CAVITY, 0.5),
    ):
        for points in outlines(field, lambda pixel: (pixel + 0.5) * step):
            shapes.append(Path(points, role, filled=True, opacity=veil))
            shapes.append(Path(points, role, width_mm=0.35, closed=True))
    return shapes


def _lift(picture: BalloonPicture) -> _Lift:
    """The predicted raise, from the heights before and after."""
    level, inflation = picture.level, picture.inflation
    inverse = invert_affine(level.lps_from_vertebra)
    ends = [apply_affine(inverse, np.asarray(level.height_lines_lps_mm[part])) for part in _PARTS]
    before, after = inflation.heights_before_mm, inflation.heights_after_mm
    gains = [(getattr(after, part).value or 0.0) - (getattr(before, part).value or 0.0) for part in _PARTS]
    return _Lift(
        inverse,
        level.lps_from_vertebra,
        np.array([end[:, 1].mean() for end in ends]),
        np.array([end[:, 2].min() for end in ends]),
        np.array([end[:, 2].max() for end in ends]),
        np.array(gains),
    )


def _height_lines(picture: BalloonPicture, section: Section, *, after: bool) -> list[Shape]:
    """The three heights as lines, their upper ends raised in the picture after."""
    if not all(part in picture.level.height_lines_lps_mm for part in _PARTS):
        return []
    lift = _lift(picture)
    heights: Heights = picture.inflation.heights_after_mm if after else picture.inflation.heights_before_mm
    shapes: list[Shape] = []
    for index, part in enumerate(_PARTS):
        top = lift.upper_mm[index] + (lift.gain_mm[index] if after else 0.0)
        ends = [[0.0, lift.y_mm[index], lift.lower_mm[index]], [0.0, lift.y_mm[index], top]]
        sheet = section.sheet_from_lps(apply_affine(lift.lps_from_vertebra, np.array(ends)))
        line: tuple[Point, ...] = tuple((float(x), float(y)) for x, y in sheet)
        shapes.append(Path(line, f"image-{part}", width_mm=0.45))
        value = getattr(heights, part).value
        if value is not None:
            x, y = min(line, key=lambda point: point[1])
            shapes.append(
                Text(x, y - 1.0, plain_number(value, 1), f"image-{part}", 2.6, "middle", on_image=True)
            )
    return shapes


def _frame(letters: tuple[str, str, str, str], heading: str, section: Section) -> list[Shape]:
    left, right, top, bottom = letters
    middle, low = SHEET_MM / 2, SHEET_MM - 1.8

    def letter(x: float, y: float, word: str, anchor: str) -> Text:
        return Text(x, y, word, "image-ink", 3.0, anchor, bold=True, on_image=True)

    return [
        letter(1.8, middle, left, "start"),
        letter(SHEET_MM - 1.8, middle, right, "end"),
        letter(middle, 8.4, top, "middle"),
        letter(middle, low, bottom, "middle"),
        *plated_words(1.0, 3.6, heading),
        *scale_bar(SHEET_MM - 2.5, SHEET_MM - 2.5, 20.0, section.sheet_per_mm),
    ]


def _heights_said(picture: BalloonPicture, words: Words, *, after: bool) -> str:
    heights = picture.inflation.heights_after_mm if after else picture.inflation.heights_before_mm
    told = []
    for part in reversed(_PARTS):
        value = getattr(heights, part).value
        if value is not None:
            told.append(f"{words[part]} {plain_number(value, 1)} mm")
    return ", ".join(told)


def pressure_figure(inflation: LevelInflation, words: Words, key: str) -> Figure:
    """Pressure against volume for each balloon, with the rated limits and why it was stopped."""
    width, height = _CHART
    left, right, top, bottom = 14.0, 4.0, 6.0, 11.0
    most_ml = max(1.0, *(balloon.rated_volume_ml for balloon in inflation.balloons))
    most_kpa = 500.0 * np.ceil(
        max(max(b.rated_pressure_kpa, b.pressure_kpa) for b in inflation.balloons) / 500.0
    )

    def at(volume_ml: float, pressure_kpa: float) -> Point:
        x = left + volume_ml / most_ml * (width - left - right)
        return float(x), float(height - bottom - pressure_kpa / most_kpa * (height - top - bottom))

    shapes: list[Shape] = []
    for volume in range(int(most_ml) + 1):
        shapes.append(Path((at(volume, 0.0), at(volume, most_kpa)), "grid", width_mm=0.2))
        shapes.append(Text(at(volume, 0.0)[0], height - bottom + 3.6, str(volume), "muted", 2.4, "middle"))
    for pressure in range(0, int(most_kpa) + 1, 500):
        shapes.append(Path((at(0.0, pressure), at(most_ml, pressure)), "grid", width_mm=0.2))
        shapes.append(Text(left - 1.4, at(0.0, pressure)[1] + 0.8, str(pressure), "muted", 2.4, "end"))
    limit = min(balloon.rated_pressure_kpa for balloon in inflation.balloons)
    shapes.append(Path((at(0.0, limit), at(most_ml, limit)), "severe", width_mm=0.4, dashed=True))
    said = words["rated"].format(pressure=f"{limit:.0f}", psi=f"{limit / 6.895:.0f}")
    shapes.append(Text(at(most_ml, limit)[0], at(0.0, limit)[1] - 1.2, said, "severe", 2.4, "end"))
    for balloon in inflation.balloons:
        shapes += _curve(balloon, words, at)
    shapes.append(
        Text(left + (width - left - right) / 2, height - 1.6, words["volume_axis"], "ink", 2.6, "middle")
    )
    shapes.append(Text(1.0, 3.4, words["pressure_axis"], "ink", 2.6))
    told = "; ".join(
        words["curve_description"].format(
            side=words[balloon.side.value],
            volume=plain_number(balloon.volume_ml, 1),
            pressure=f"{balloon.pressure_kpa:.0f}",
            stop=words[f"stop_{balloon.stop.value}"],
        )
        for balloon in inflation.balloons
    )
    return Figure(key, width, height, words["pressure_caption"], told, tuple(shapes))


def _curve(balloon: BalloonInflation, words: Words, at: object) -> list[Shape]:
    assert callable(at)
    role = _INK[balloon.side.value]
    points = tuple(at(step.volume_ml, step.pressure_kpa) for step in balloon.steps)
    shapes: list[Shape] = [Path(points, role, width_mm=0.6)]
    for step, point in zip(balloon.steps, points, strict=True):
        note = f"{words[balloon.side.value]}: {step.volume_ml:.1f} mL, {step.pressure_kpa:.0f} kPa"
        shapes.append(Dot(point[0], point[1], 0.8, role, note=note))
    x, y = points[-1]
    is_left = balloon.side.value == "left"
    label = f"{words[balloon.side.value]}: {words[f'stop_{balloon.stop.value}']}"
    shapes.append(Text(x + 1.6, y + (4.0 if is_left else -1.6), label, role, 2.5, bold=True))
    return shapes
