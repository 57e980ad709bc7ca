"""The plan in three dimensions: where the bone stands in the picture, and what hides a cannula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reporting_cases import fracture_case
from vertebro.case import Approach, NeedlePath, Side
from vertebro.geometry import apply_affine
from vertebro.reporting.figure import Path, Raster
from vertebro.reporting.needle_pictures import NEEDLE
from vertebro.reporting.solid_pictures import SOLID_VIEWS, Solid, solid_figure
from vertebro.reporting.wording import load_words

RADIUS_MM = 1.6


@pytest.fixture(scope="module")
def case():
    return fracture_case()


def needle(level, start, target) -> NeedlePath:
    """A cannula between two points of the level's own frame; the start lies on the skin."""
    skin, tip = (apply_affine(level.lps_from_vertebra, np.array(place, float)) for place in (start, target))
    entry = skin + 0.5 * (tip - skin)
    return NeedlePath(
        side=Side.RIGHT,
        approach=Approach.TRANSPEDICULAR,
        device="11 G cannula",
        access="bipedicular",
        recommended=True,
        entry_skin_lps_mm=skin,
        entry_bone_lps_mm=entry,
        isthmus_lps_mm=entry,
        target_lps_mm=tip,
        margins_mm={},
        tightest="medial",
        tightest_lps_mm=entry,
        gertzbein_robbins="A",
        axial_angle_deg=0.0,
        sagittal_angle_deg=0.0,
        end_on_view_deg=(0.0, 0.0),
        length_tissue_mm=float(np.linalg.norm(entry - skin)),
        length_bone_mm=10.0,
        tolerance_deg=1.0,
        tolerance_mm=1.0,
        pedicle_width_mm=8.0,
        pedicle_height_mm=10.0,
        score=0.0,
    )


def drawn(case, view, needles=()):
    _, labels, assessment = case
    figure = solid_figure(Solid(labels, assessment.levels["L1"], tuple(needles), load_words("en")), view, "k")
    assert figure is not None
    return figure


def stretches(figure):
    return [shape for shape in figure.shapes if isinstance(shape, Path) and shape.role == NEEDLE]


@pytest.mark.parametrize("view", SOLID_VIEWS)
def test_the_bone_is_lit_on_a_dark_ground(case, view):
    (raster,) = [shape for shape in drawn(case, view).shapes if isinstance(shape, Raster)]

    assert raster.grey[0].max() == raster.grey[-1].max() == 10
    is_bone = raster.grey > 10
    assert 0.05 < is_bone.mean() < 0.9
    assert raster.grey[is_bone].min() >= 30
    assert np.ptp(raster.grey[is_bone].astype(int)) > 40  # shading, not a silhouette


def test_the_patients_right_stands_on_the_right_from_behind(case):
    level = case[2].levels["L1"]
    path = needle(level, (30.0, -80.0, 0.0), (10.0, 0.0, 0.0))

    shapes = stretches(drawn(case, "behind", [(path, RADIUS_MM)]))

    start, tip = shapes[0].points[0], shapes[-1].points[1]
    assert start[0] > tip[0]


def test_a_cannula_is_faint_only_where_bone_hides_it(case):
    level = case[2].levels["L1"]
    into = needle(level, (0.0, -90.0, 30.0), (0.0, 2.0, 0.0))
    before = needle(level, (-60.0, -90.0, 10.0), (-60.0, 20.0, 0.0))

    hidden = stretches(drawn(case, "side", [(into, RADIUS_MM)]))
    free = stretches(drawn(case, "side", [(before, RADIUS_MM)]))

    assert len({shape.opacity for shape in hidden}) == 2
    assert hidden[-1].opacity < hidden[0].opacity  # the tip is in the body, the hub is not
    assert len({shape.opacity for shape in free}) == 1
    assert free[0].opacity > 0.9


def test_a_cannula_keeps_its_width(case):
    level = case[2].levels["L1"]
    path = needle(level, (0.0, -90.0, 30.0), (0.0, 2.0, 0.0))

    figure = drawn(case, "side", [(path, RADIUS_MM)])

    (bar,) = [s for s in figure.shapes if isinstance(s, Path) and s.width_mm == 0.6]
    sheet_per_mm = abs(bar.points[1][0] - bar.points[0][0]) / 20.0
    corners = np.array(stretches(figure)[0].points)
    assert np.linalg.norm(corners[0] - corners[3]) == pytest.approx(2.0 * RADIUS_MM * sheet_per_mm, rel=0.01)


def test_a_level_without_a_label_has_no_picture(case):
    _, labels, assessment = case
    level = replace(assessment.levels["L1"], label=99)

    assert solid_figure(Solid(labels, level, (), load_words("en")), "side", "k") is None
