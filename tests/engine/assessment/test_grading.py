"""Genant grade and shape from losses."""

from __future__ import annotations

import pytest

from vertebro.assessment.grading import grade_level, grade_of, ungraded
from vertebro.assessment.settings import AssessmentSettings
from vertebro.case import Estimate, FractureShape, GenantGrade, Heights


def heights(anterior: float, middle: float, posterior: float, half: float = 0.1) -> Heights:
    return Heights(
        *(Estimate.symmetric(value, half, "mm", "from neighbours") for value in (anterior, middle, posterior))
    )


@pytest.mark.parametrize(
    ("loss", "grade"),
    [(-5.0, 0), (0.0, 0), (19.99, 0), (20.0, 1), (24.99, 1), (25.0, 2), (40.0, 2), (40.01, 3), (95.0, 3)],
)
def test_classes_share_borders_as_documented(loss, grade):
    assert grade_of(loss, AssessmentSettings()) == grade


@pytest.mark.parametrize(
    ("measured", "shape", "grade"),
    [
        ((25.0, 25.0, 25.0), FractureShape.NONE, GenantGrade.NORMAL),
        ((17.0, 21.0, 25.0), FractureShape.WEDGE, GenantGrade.MODERATE),
        ((24.0, 19.5, 25.0), FractureShape.BICONCAVE, GenantGrade.MILD),
        ((14.0, 14.5, 15.0), FractureShape.CRUSH, GenantGrade.SEVERE),
        ((14.0, 16.0, 19.5), FractureShape.WEDGE, GenantGrade.SEVERE),
    ],
)
def test_shape_follows_the_height_that_is_lost(measured, shape, grade):
    grading = grade_level(heights(*measured), heights(25.0, 25.0, 25.0), AssessmentSettings())

    assert grading.shape is shape
    assert grading.grade is grade


def test_largest_loss_decides_and_names_its_height():
    grading = grade_level(heights(18.0, 22.0, 25.0), heights(25.0, 25.0, 25.0), AssessmentSettings())

    assert grading.loss_percent.value == pytest.approx(28.0)
    assert "anterior" in grading.loss_percent.basis


def test_grade_is_uncertain_where_the_interval_spans_a_threshold():
    sharp = grade_level(heights(18.0, 25.0, 25.0), heights(25.0, 25.0, 25.0), AssessmentSettings())
    blurred = grade_level(heights(18.0, 25.0, 25.0, 2.0), heights(25.0, 25.0, 25.0), AssessmentSettings())

    assert sharp.is_certain
    assert not blurred.is_certain


def test_site_can_move_a_threshold():
    settings = AssessmentSettings(genant_mild_percent=15.0)

    grading = grade_level(heights(21.0, 25.0, 25.0), heights(25.0, 25.0, 25.0), settings)

    assert grading.grade is GenantGrade.MILD


def test_without_expectation_there_is_no_grade_but_a_reason():
    missing = Estimate.missing("mm", "no neighbour")
    grading = grade_level(heights(20.0, 20.0, 20.0), Heights(missing, missing, missing), AssessmentSettings())

    assert grading.grade is None
    assert "no height" in grading.loss_percent.basis


def test_ungraded_says_why():
    assert ungraded("cut").loss_percent.basis == "cut"
    assert ungraded("cut").grade is None
