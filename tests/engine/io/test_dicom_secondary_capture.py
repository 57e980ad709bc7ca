"""Simulated views as DICOM: strict, repeatable, in the CT's study, oriented as they are shown."""

from __future__ import annotations

import subprocess
from datetime import datetime

import numpy as np
import pydicom
import pytest

from external_tools import require_tool
from vertebro.case import CArmPose, Picture, PlanView, Side, ViewDose, ViewKind
from vertebro.imaging import ImageFacts, Volume, VolumeGeometry
from vertebro.io.dicom_secondary_capture import write_secondary_captures

WHEN = datetime(2026, 1, 2, 3, 4, 5)


def ct():
    grid = VolumeGeometry.from_spacing((6, 5, 4), (2.0, 2.0, 3.0))
    facts = ImageFacts(patient_name="Doe^Jane", patient_id="7", study_date="20250102")
    return Volume(np.arange(120, dtype=np.int16).reshape(6, 5, 4), grid, facts)


def view(kind=ViewKind.AP, side=None, seed=0, shape=(9, 7)):
    pixels = np.random.default_rng(seed).integers(0, 255, shape).astype(np.uint8)
    matrix = np.hstack([np.eye(3), np.ones((3, 1))])
    pose = CArmPose.parse("ap", (1.0, 2.0, 3.0))
    dose = ViewDose(0.1, 0.02, 0.5, 80.0, 30.0)
    return PlanView(
        "L1", kind, side, Picture(pixels, matrix), pose, "mobile_c_arm", 0.25, ("L", "F"), 80.0, dose
    )


VIEWS = [view(), view(ViewKind.BARREL, Side.LEFT, seed=1)]


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "a.dcm", tmp_path / "b.dcm"]
    write_secondary_captures(paths, ct(), VIEWS, when=WHEN)
    return paths


def test_each_passes_the_validator(files):
    tool = require_tool("dciodvfy", "apt-get install dicom3tools")
    for path in files:
        run = subprocess.run([tool, path], capture_output=True, text=True, check=False)
        errors = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
        assert (run.returncode, errors) == (0, [])


def test_pixels_come_back_and_odd_sizes_are_padded(files):
    for path, entry in zip(files, VIEWS, strict=True):
        read = pydicom.dcmread(path)
        assert np.array_equal(read.pixel_array, entry.picture.pixels)
        assert len(read.PixelData) % 2 == 0


def test_they_are_one_series_in_the_patients_study(files):
    first, second = (pydicom.dcmread(path) for path in files)
    assert first.PatientName == "Doe^Jane"
    assert first.StudyDate == "20250102"
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert (first.InstanceNumber, second.InstanceNumber) == (1, 2)


def test_a_viewer_is_told_side_scale_and_that_nothing_was_exposed(files):
    read = pydicom.dcmread(files[1])
    assert list(read.PatientOrientation) == ["L", "F"]
    assert [float(x) for x in read.PixelSpacing] == [0.25, 0.25]
    assert "SIMULATED" in read.ImageComments
    assert "left needle" in read.ImageComments


def test_same_input_gives_same_bytes(files, tmp_path):
    again = [tmp_path / "c.dcm", tmp_path / "d.dcm"]
    write_secondary_captures(again, ct(), VIEWS, when=WHEN)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


def test_another_picture_gets_another_name(tmp_path, files):
    other = tmp_path / "other.dcm"
    write_secondary_captures([other], ct(), [view(seed=9)], when=WHEN)
    assert pydicom.dcmread(other).SOPInstanceUID != pydicom.dcmread(files[0]).SOPInstanceUID
