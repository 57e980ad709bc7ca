"""A CT series out: strict, and the same image when read again."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import datetime

import numpy as np
import pydicom
import pytest

from external_tools import require_tool
from spine_labels import ct_of, draw, grid_for
from vertebro.errors import InputError
from vertebro.imaging import ImageFacts, Interpolation, Volume, VolumeGeometry, resample
from vertebro.io import read_ct, write_ct_series
from vertebro.io.dicom_ct_series import slice_stack


def case(codes="LPS"):
    geometry = grid_for(2, 3.0, codes)
    return ct_of(draw([20, 21], geometry), geometry)


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR", "SLA"])
def test_series_reads_back_as_the_same_image(tmp_path, codes):
    volume = case(codes)
    files = write_ct_series(tmp_path / "ct", volume)
    heights = [float(pydicom.dcmread(file).ImagePositionPatient[2]) for file in files]
    assert heights == sorted(heights)
    read = read_ct(tmp_path / "ct")
    moved = resample(read.hu, read.geometry, volume.geometry, interpolation=Interpolation.NEAREST)
    np.testing.assert_array_equal(moved, volume.hu)


@pytest.mark.parametrize("part", ["", "LSPINE", "KNEE", "Wirbelsäule"])
def test_every_image_passes_the_validator(tmp_path, part):
    facts = ImageFacts(
        source_kind="nifti", body_part=part, kvp_kv=120.0, age_years=71.4, sex="F", patient_name="A^B"
    )
    files = write_ct_series(tmp_path, replace(case(), facts=facts), when=datetime(2026, 1, 2, 3, 4, 5))
    tool = require_tool("dciodvfy", "apt-get install dicom3tools")
    run = subprocess.run([tool, files[0]], capture_output=True, text=True, check=False)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
    assert (run.returncode, lines) == (0, [])


def test_same_volume_gives_the_same_bytes_and_another_other_uids(tmp_path):
    first = write_ct_series(tmp_path / "a", case())
    again = write_ct_series(tmp_path / "b", case())
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]
    changed = Volume(case().hu + np.int16(1), case().geometry)
    other = write_ct_series(tmp_path / "c", changed)
    assert pydicom.dcmread(other[0]).SeriesInstanceUID != pydicom.dcmread(first[0]).SeriesInstanceUID


def test_values_are_rounded_and_held_in_range(tmp_path):
    grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    hu = np.array([-40000.0, 40000.0, 12.6, -3.4, 0, 0, 0, 0], np.float32).reshape(2, 2, 2)
    write_ct_series(tmp_path, Volume(hu, grid))
    stored = sorted(set(pydicom.dcmread(tmp_path / "CT00001.dcm").pixel_array.ravel().tolist()))
    stored += sorted(set(pydicom.dcmread(tmp_path / "CT00002.dcm").pixel_array.ravel().tolist()))
    assert set(stored) == {-32768, 32767, 13, -3, 0}


def test_oblique_grid_keeps_its_place(tmp_path):
    turn = np.eye(4)
    angle = np.deg2rad(20.0)
    turn[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    volume = replace(case(), geometry=case().geometry.transformed(turn))
    write_ct_series(tmp_path / "ct", volume)
    read = read_ct(tmp_path / "ct")
    assert np.abs(read.geometry.corners_lps_mm - volume.geometry.corners_lps_mm).max() < 1e-3


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    files = write_ct_series(tmp_path, case())
    assert (tmp_path / "note.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"note.txt", *(file.name for file in files)}


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        write_ct_series(tmp_path / "file" / "ct", case())
    assert caught.value.code == "dicom.not_writable"


def test_slice_stack_places_every_voxel_where_it_was():
    rng = np.random.default_rng(3)
    for codes in ("LPS", "RAS", "PIR", "SLA", "IPL"):
        geometry = grid_for(2, 3.0, codes)
        values = rng.integers(0, 1000, geometry.shape)
        for axis in (None, 0, 1, 2):
            stack = slice_stack(geometry, slice_axis=axis)
            arranged = stack.arrange(values)
            back = resample(
                arranged.astype(np.int16), stack.geometry, geometry, interpolation=Interpolation.NEAREST
            )
            np.testing.assert_array_equal(back, values)
