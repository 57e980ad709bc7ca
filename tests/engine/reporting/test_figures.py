"""Figures: what is drawn stands where it was measured, in the colours that were promised."""

from __future__ import annotations

import io
import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from reporting_cases import cut_off, fracture_case, fractured, spine, with_level
from vertebro.reporting import compose_report, write_figures
from vertebro.reporting.figure import Dot, Figure, Path, Raster, Text
from vertebro.reporting.overview import spread_apart
from vertebro.reporting.pdf import png_from_figure
from vertebro.reporting.svg import PAPER, page_colour, png_from_grey, svg_from_figure

PPI = 254.0
PIXELS_PER_MM = PPI / 25.4


def figures_of(case) -> dict[str, Figure]:
    volume, labels, assessment = case
    return dict(compose_report(volume, assessment, labels=labels).figures)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    return figures_of(fracture_case())


def pixels(figure: Figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png_from_figure(figure, PPI))).convert("RGB")).astype(int)


def is_colour(image: np.ndarray, role: str, tolerance: int = 40) -> np.ndarray:
    wanted = np.array([int(PAPER[role][i : i + 2], 16) for i in (1, 3, 5)])
    return np.abs(image - wanted).max(axis=-1) <= tolerance


def lines(figure: Figure, role: str) -> list[Path]:
    return [shape for shape in figure.shapes if isinstance(shape, Path) and shape.role == role]


def said(figure: Figure) -> list[str]:
    return [shape.words for shape in figure.shapes if isinstance(shape, Text)]


def test_sagittal_height_lines_stand_where_they_were_measured(figures):
    figure = figures["01-L1-sagittal"]
    scale = figure.width_mm / 92.0
    bars = {
        part: max(lines(figure, f"image-{part}"), key=lambda bar: np.ptp([y for _, y in bar.points]))
        for part in ("anterior", "middle", "posterior")
    }

    lengths = {part: np.ptp([y for _, y in bar.points]) / scale for part, bar in bars.items()}
    x_mm = {part: bar.points[0][0] / scale for part, bar in bars.items()}

    assert lengths == pytest.approx({"anterior": 24.0, "middle": 24.0, "posterior": 24.0})
    assert x_mm["middle"] - x_mm["anterior"] == pytest.approx(12.0)
    assert x_mm["posterior"] - x_mm["middle"] == pytest.approx(12.0)


def test_sagittal_picture_shows_its_lines_as_pixels(figures):
    figure = figures["01-L1-sagittal"]
    image = pixels(figure)

    for role in ("image-anterior", "image-middle", "image-posterior", "image-severe", "image-endplate"):
        for path in lines(figure, role)[:3]:
            start, stop = np.array(path.points[0]), np.array(path.points[1])
            along = start + np.linspace(0.0, 1.0, 40)[:, None] * (stop - start)
            columns, rows = np.round(along * PIXELS_PER_MM).astype(int).T
            assert is_colour(image[rows, columns], role).any(), (role, start, stop)


def test_values_and_angles_are_written_with_their_intervals(figures):
    words = [text.replace("\u00a0", " ") for text in said(figures["01-L1-sagittal"])]

    assert {"A 13.3 mm", "M 17.0 mm", "P 22.2 mm"} <= set(words)
    assert {"wedge 15.5° (14.0–17.0)", "kyphosis 3.4° (1.9–4.9)"} <= set(words)
    assert {"T12", "L2"} <= set(words)


@pytest.mark.parametrize(
    ("view", "left", "right", "top", "bottom"),
    [("sagittal", "A", "P", "S", "I"), ("coronal", "R", "L", "S", "I"), ("axial", "R", "L", "A", "P")],
)
def test_orientation_letters_stand_at_the_right_edges(figures, view, left, right, top, bottom):
    figure = figures[f"01-L1-{view}"]
    letters = [shape for shape in figure.shapes if isinstance(shape, Text) and len(shape.words) == 1]

    leftmost, rightmost = (f(letters, key=lambda letter: letter.x_mm) for f in (min, max))
    topmost, lowest = (f(letters, key=lambda letter: letter.y_mm) for f in (min, max))

    assert [letter.words for letter in (leftmost, rightmost, topmost, lowest)] == [left, right, top, bottom]


@pytest.mark.parametrize("key", ["01-L1-sagittal", "01-L1-coronal", "01-L1-axial", "overview"])
def test_scale_bar_is_as_long_as_it_says(figures, key):
    figure = figures[key]
    (text,) = [words for words in said(figure) if words.endswith(" mm") and words[0].isdigit()]
    (bar,) = [path for path in lines(figure, "image-ink") if path.width_mm == 0.6]
    raster = next(shape for shape in figure.shapes if isinstance(shape, Raster))
    mm_per_pixel = 0.4 if key != "overview" else 0.6

    length = (bar.points[1][0] - bar.points[0][0]) / raster.width_mm * raster.grey.shape[1] * mm_per_pixel

    assert length == pytest.approx(float(text.split()[0]), rel=0.005)


def test_picture_of_a_tilted_level_shows_its_box_upright():
    volume, labels, assessment = spine(("T12", "L1", "L2"), tilt_deg=20.0, spacing_mm=1.0)
    assessment = with_level(assessment, fractured(assessment.levels["L1"]))
    figure = figures_of((volume, labels, assessment))["01-L1-sagittal"]
    scale = figure.width_mm / 92.0

    (outline,) = lines(figure, "image-severe")

    size = np.ptp(np.array(outline.points), axis=0) / scale
    assert size == pytest.approx([30.0, 24.0], abs=1.5)  # an upright box; tilted by 20° it would be 36 × 33


def test_overview_outlines_every_level_in_the_colour_of_its_grade(figures):
    figure = figures["overview"]

    assert [path.note for path in lines(figure, "image-normal")] == ["T12"]
    assert [path.note for path in lines(figure, "image-severe")] == ["L1"]
    assert [path.note for path in lines(figure, "image-ungraded")] == ["L2"]
    assert {"T12", "L1 severe", "L2 cut off"} <= set(said(figure))


def test_names_on_the_overview_keep_off_each_other_and_on_the_picture():
    names = [Text(5.0, y, str(y), "ink") for y in (-20.0, 1.0, 2.0, 30.0, 59.0, 70.0)]

    moved = spread_apart(names, 3.5, 58.0)

    baselines = [name.y_mm for name in moved]
    assert baselines[0] >= 3.0
    assert baselines[-1] == 58.0
    assert baselines[3] == 30.0
    assert all(after - before >= 3.3 for before, after in itertools.pairwise(baselines))
    assert [name.words for name in moved] == [name.words for name in names]


def test_profile_places_dots_by_height_and_bands_by_expectation(figures):
    figure = figures["height-profile"]
    dots = [shape for shape in figure.shapes if isinstance(shape, Dot) and shape.note]
    band = lines(figure, "band")[0]
    anterior = {dot.note.split()[0]: dot for dot in dots if "Anterior" in dot.note}

    mm_per_sheet = (24.0 - 13.3) / (anterior["T12"].x_mm - anterior["L1"].x_mm)
    edges = [x for x, _ in band.points]

    assert mm_per_sheet > 0
    assert (max(edges) - min(edges)) * mm_per_sheet == pytest.approx(1.0, abs=0.01)  # 23.7 to 24.7
    assert min(edges) < anterior["T12"].x_mm < max(edges)
    assert anterior["T12"].role == "normal"
    assert anterior["L1"].role == "severe"
    assert said(figure).count("cut off") == 3


def test_profile_of_levels_without_heights_is_left_out():
    volume, labels, assessment = spine(("L1",))
    assessment = with_level(assessment, cut_off(assessment.levels["L1"]))

    assert sorted(figures_of((volume, labels, assessment))) == ["overview"]


def test_figures_are_written_as_svg_and_png_the_same_each_time(tmp_path):
    volume, labels, assessment = fracture_case()
    report = compose_report(volume, assessment, labels=labels)

    first = write_figures(report, tmp_path / "a")
    second = write_figures(report, tmp_path / "b")

    assert [path.name for path in first] == [
        f"{key}.{kind}" for key in report.figures for kind in ("svg", "png")
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_svg_is_well_formed_and_escapes_what_it_is_given():
    words = '</svg><script>"&\x00\ud800'
    figure = Figure("k", 10, 10, words, words, (Text(1, 1, words, "ink"), Dot(1, 1, 1, "ink", note=words)))

    root = ET.fromstring(svg_from_figure(figure))

    safe = '</svg><script>"&\ufffd\ufffd'
    assert root.get("aria-label") == safe
    assert [node.text for node in root.iter() if node.text] == [safe, safe]


def test_svg_in_the_page_follows_the_pages_colours_except_on_pictures():
    shapes = (Dot(1, 1, 1, "severe"), Dot(2, 2, 1, "image-severe"))

    text = svg_from_figure(Figure("k", 10, 10, "", "", shapes), colour=page_colour, standalone=False)

    assert "fill:var(--fig-severe)" in text
    assert f"fill:{PAPER['image-severe']}" in text
    assert "width=" not in text


def test_png_gives_back_the_grey_it_was_given():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)

    again = np.asarray(Image.open(io.BytesIO(png_from_grey(grey))))

    assert np.array_equal(again, grey)
