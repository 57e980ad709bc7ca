"""The nouns of an assessment as JSON."""

from __future__ import annotations

import json
from types import MappingProxyType

import numpy as np
import pytest

from vertebro.case import (
    Assessment,
    BodyDimensions,
    BoneDensity,
    Cleft,
    EndplatePlane,
    Estimate,
    FractureShape,
    GenantGrade,
    Heights,
    LevelAssessment,
    OfSuggestion,
    PosteriorWall,
)
from vertebro.findings import finding
from vertebro.imaging import VolumeGeometry

GRID = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))


def _mm(value: float) -> Estimate:
    return Estimate.symmetric(value, 0.5, "mm", "made for a test")


def _heights(anterior: float, middle: float, posterior: float) -> Heights:
    return Heights(_mm(anterior), _mm(middle), _mm(posterior))


def _level(name: str = "L1", grade: GenantGrade | None = GenantGrade.MODERATE) -> LevelAssessment:
    plane = EndplatePlane(np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.2)
    return LevelAssessment(
        name=name,
        label=20,
        complete=True,
        lps_from_vertebra=np.diag([-1.0, -1.0, 1.0, 1.0]),
        superior_endplate=plane,
        inferior_endplate=None,
        height_lines_lps_mm={"anterior": np.zeros((2, 3))},
        heights_mm=_heights(15.0, 18.0, 22.0),
        heights_right_mm=_heights(15.5, 18.0, 22.0),
        heights_left_mm=_heights(14.5, 18.0, 22.0),
        expected_heights_mm=_heights(23.0, 23.0, 24.0),
        dimensions=BodyDimensions(*[_mm(40.0)] * 6, Estimate.symmetric(30.0, 1.0, "ml", "voxels")),
        height_loss_percent=Estimate(34.8, 31.0, 38.0, "percent", "anterior"),
        genant_grade=grade,
        genant_shape=FractureShape.WEDGE,
        grade_is_certain=True,
        wedge_angle_deg=Estimate.symmetric(12.0, 1.0, "deg", "endplates"),
        kyphosis_deg=Estimate.missing("deg", "T12 is not labelled"),
        cleft=Cleft(True, Estimate.symmetric(0.4, 0.1, "ml", "gas"), touches_superior_endplate=True),
        posterior_wall=PosteriorWall(_mm(1.0), _mm(15.0), Estimate.missing("percent", "no neighbours")),
        density=BoneDensity(
            Estimate.symmetric(90.0, 5.0, "hu", "core"), Estimate.missing("mg/cm3", "no calibration"), "none"
        ),
        of_suggestion=OfSuggestion("OF 3", ("posterior wall involved",), ("MRI for oedema",)),
        summary="L1 is moderately wedged.",
        findings=(finding("image.metal", "Metal beside L1.", where="L1"),),
    )


def test_level_json_has_the_documented_shape() -> None:
    data = json.loads(json.dumps(_level().to_json(), allow_nan=False))

    assert data["genant"] == {"grade": 2, "shape": "wedge", "certain": True}
    assert data["heights_mm"]["anterior"]["value"] == 15.0
    assert data["heights_left_mm"]["anterior"]["value"] == 14.5
    assert data["kyphosis_deg"] == {
        "value": None,
        "lower": None,
        "upper": None,
        "unit": "deg",
        "basis": "T12 is not labelled",
    }
    assert data["cleft"]["present"] is True
    assert data["cleft"]["touches_superior_endplate"] is True
    assert data["posterior_wall"]["canal_depth_mm"]["value"] == 15.0
    assert data["density"]["calibration"] == "none"
    assert data["of_suggestion"]["still_needed"] == ["MRI for oedema"]
    assert data["dimensions"]["volume_ml"]["unit"] == "ml"
    assert data["findings"][0]["where"] == "L1"
    assert data["complete"] is True


def test_frame_in_json_is_rounded_without_negative_zeros() -> None:
    text = json.dumps(_level().to_json()["lps_from_vertebra"])

    assert (
        text == "[[-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]"
    )


def test_a_level_that_is_not_graded_has_a_null_grade() -> None:
    assert _level(grade=None).to_json()["genant"] == {"grade": None, "shape": "wedge", "certain": True}


def test_assessment_json_keeps_the_order_of_levels_and_its_schema_version() -> None:
    levels = MappingProxyType({"T12": _level("T12"), "L1": _level("L1")})
    assessment = Assessment(levels, GRID, np.zeros((2, 2, 2), np.uint8))

    data = assessment.to_json()

    assert list(data) == ["schema_version", "levels", "findings"]
    assert data["schema_version"] == 1
    assert list(data["levels"]) == ["T12", "L1"]  # type: ignore[call-overload]


def test_the_same_assessment_gives_the_same_bytes() -> None:
    first = Assessment({"L1": _level()}, GRID, np.zeros((2, 2, 2), np.uint8))
    second = Assessment({"L1": _level()}, GRID, np.zeros((2, 2, 2), np.uint8))

    assert json.dumps(first.to_json()) == json.dumps(second.to_json())


@pytest.mark.parametrize(
    ("lower", "higher"), [("NORMAL", "MILD"), ("MILD", "MODERATE"), ("MODERATE", "SEVERE")]
)
def test_grades_are_ordered(lower: str, higher: str) -> None:
    assert GenantGrade[lower] < GenantGrade[higher]
