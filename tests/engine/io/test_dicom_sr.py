"""The structured report: strict, repeatable, and saying what was measured and nothing else."""

from __future__ import annotations

import subprocess
from datetime import datetime

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.coding import Code

from external_tools import require_tool
from spine_labels import ct_of, labelled
from vertebro.case import (
    Assessment,
    BodyDimensions,
    BoneDensity,
    Cleft,
    Estimate,
    FractureShape,
    GenantGrade,
    Heights,
    LevelAssessment,
    OfSuggestion,
    PosteriorWall,
)
from vertebro.errors import InputError
from vertebro.io import write_sr

WHEN = datetime(2026, 1, 2, 3, 4, 5)
ONE = Code("1", "UCUM", "no units")


def mm(value, half=0.5):
    return Estimate.symmetric(value, half, "mm", "test")


def missing(unit="mm"):
    return Estimate.missing(unit, "not in this test")


def level(name, label, *, complete=True, cleft=True):
    """A level whose numbers differ from each other, with a few missing."""
    heights = Heights(mm(14.25), mm(17.5, 0.75), mm(22.0) if complete else missing())
    none = Heights(missing(), missing(), missing())
    loss = Estimate(35.25, 30.0, 42.0, "percent", "test")
    core = Estimate.symmetric(95.0, 8.0, "hu", "test")
    bmd = Estimate.symmetric(80.0, 12.0, "mg/cc", "test")
    return LevelAssessment(
        name=name,
        label=label,
        complete=complete,
        lps_from_vertebra=np.eye(4),
        superior_endplate=None,
        inferior_endplate=None,
        height_lines_lps_mm={"anterior": np.array([[1.0, 2.0, 3.0], [1.0, 2.5, 17.0]])},
        heights_mm=heights,
        heights_right_mm=none,
        heights_left_mm=none,
        expected_heights_mm=none,
        dimensions=BodyDimensions(*[missing()] * 6, missing("ml")),
        height_loss_percent=loss if complete else missing("percent"),
        genant_grade=GenantGrade.MODERATE if complete else None,
        genant_shape=FractureShape.WEDGE if complete else FractureShape.NONE,
        grade_is_certain=False,
        wedge_angle_deg=Estimate.symmetric(18.5, 1.5, "deg", "test"),
        kyphosis_deg=missing("deg"),
        cleft=Cleft(cleft, Estimate.symmetric(1.25, 0.2, "ml", "test") if cleft else missing("ml")),
        posterior_wall=PosteriorWall(mm(2.0), mm(14.0), missing("percent")),
        density=BoneDensity(core, bmd, "internal"),
        of_suggestion=OfSuggestion("undetermined", (), ()),
        summary="",
    )


@pytest.fixture
def case():
    labels = labelled(("T12", "L1"), spacing_mm=4.0)
    levels = {"T12": level("T12", 19, complete=False, cleft=None), "L1": level("L1", 20)}
    return ct_of(labels.labels, labels.geometry), Assessment(levels, labels.geometry, labels.labels)


def groups(path):
    report = highdicom.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(path))
    return {g.tracking_identifier: g for g in report.content.get_image_measurement_groups()}


def test_report_passes_the_validator(tmp_path, case):
    write_sr(tmp_path / "sr.dcm", *case, when=WHEN)
    tool = require_tool("dciodvfy", "apt-get install dicom3tools")
    run = subprocess.run([tool, tmp_path / "sr.dcm"], capture_output=True, text=True, check=False)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
    assert (run.returncode, lines) == (0, [])


def test_another_toolkit_reads_the_same_numbers_and_units(tmp_path, case):
    write_sr(tmp_path / "sr.dcm", *case, when=WHEN)
    group = groups(tmp_path / "sr.dcm")["L1"]
    numbers = {m.name.value: (m.value, m.unit.value) for m in group.get_measurements()}
    assert numbers == {
        "ANTERIOR_HEIGHT": (14.25, "mm"),
        "MIDDLE_HEIGHT": (17.5, "mm"),
        "POSTERIOR_HEIGHT": (22.0, "mm"),
        "HEIGHT_LOSS": (35.25, "%"),
        "WEDGE_ANGLE": (18.5, "deg"),
        "WALL_BULGE": (2.0, "mm"),
        "CLEFT_VOLUME": (1.25, "ml"),
        "CORE_BMD": (80.0, "mg/cm3"),
        "112181": (95.0, "[hnsf'U]"),
    }
    assert group.finding_sites[0].value.value == "66794005"


def test_uncertainty_and_measured_line_stand_with_the_number(tmp_path, case):
    write_sr(tmp_path / "sr.dcm", *case, when=WHEN)
    loss = next(
        m for m in groups(tmp_path / "sr.dcm")["L1"].get_measurements() if m.name.value == "HEIGHT_LOSS"
    )
    parts = {item.name.value: item.value for item in loss[0].ContentSequence}
    assert (parts["371886008"], parts["371885007"]) == (6.75, 5.25)
    dataset = pydicom.dcmread(tmp_path / "sr.dcm")
    lines = [element.value for element in dataset.iterall() if element.keyword == "GraphicData"]
    np.testing.assert_allclose(lines[0], [1.0, 2.0, 3.0, 1.0, 2.5, 17.0])


def test_what_is_missing_is_left_out_and_grades_are_codes(tmp_path, case):
    write_sr(tmp_path / "sr.dcm", *case, when=WHEN)
    found = groups(tmp_path / "sr.dcm")
    names = {m.name.value for m in found["T12"].get_measurements()}
    assert names == {
        "ANTERIOR_HEIGHT", "MIDDLE_HEIGHT", "WEDGE_ANGLE", "WALL_BULGE", "CORE_BMD", "112181",
    }  # fmt: skip
    marks = {
        name: {e.name.value: e.value.value for e in group.get_qualitative_evaluations()}
        for name, group in found.items()
    }
    assert marks["T12"] == {
        "GENANT_GRADE": "GENANT_NOT_GRADED",
        "COMPLETENESS": "CUT",
        "GAS_CLEFT": "NOT_JUDGED",
    }
    assert marks["L1"] == {
        "GENANT_GRADE": "GENANT_2",
        "GENANT_SHAPE": "SHAPE_WEDGE",
        "GRADE_CERTAINTY": "UNCERTAIN",
        "COMPLETENESS": "COMPLETE",
        "GAS_CLEFT": "PRESENT",
    }


def test_private_scheme_algorithm_and_source_images_are_identified(tmp_path, case):
    write_sr(tmp_path / "sr.dcm", *case, when=WHEN)
    dataset = pydicom.dcmread(tmp_path / "sr.dcm")
    assert dataset.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99VERTEBRO"
    used = {element.value for element in dataset.iterall() if element.keyword == "CodingSchemeDesignator"}
    assert used == {"99VERTEBRO", "DCM", "SCT", "UCUM", "LN", "RFC5646"}
    names = [e.value for e in dataset.iterall() if e.keyword == "TextValue"]
    assert names.count("vertebro") >= 3
    n_referred = sum(e.keyword == "ReferencedSOPInstanceUID" for e in dataset.iterall())
    assert n_referred == case[0].shape[2]


def test_same_input_and_moment_give_the_same_bytes(tmp_path, case):
    for name in ("a.dcm", "b.dcm"):
        write_sr(tmp_path / name, *case, when=WHEN)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_no_levels_is_refused(tmp_path, case):
    volume, assessment = case
    with pytest.raises(InputError) as caught:
        write_sr(
            tmp_path / "sr.dcm", volume, Assessment({}, assessment.geometry, assessment.bodies), when=WHEN
        )
    assert caught.value.code == "sr.no_levels"
