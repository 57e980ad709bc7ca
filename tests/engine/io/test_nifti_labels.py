"""Labels and CT out as NIfTI."""

from __future__ import annotations

import numpy as np
import pytest

from spine_labels import ct_of, draw, grid_for, labelled
from vertebro.imaging import LabelVolume, Volume
from vertebro.io import load_nifti_array, read_labels, write_ct_nifti, write_label_nifti
from vertebro.io.nifti_labels import verse_labels


def test_labels_are_renumbered_as_in_verse_and_read_back(tmp_path):
    geometry = grid_for(4, codes="RAS")
    drawn = draw([32, 31, 30, 29], geometry).astype(np.uint8)
    labels = LabelVolume(drawn, geometry, {32: "T12", 31: "L1", 30: "L2", 29: "L3"}, "totalsegmentator")
    write_label_nifti(tmp_path / "labels.nii.gz", labels)
    read = read_labels(tmp_path / "labels.nii.gz")
    assert (read.convention, read.names) == ("verse", {19: "T12", 20: "L1", 21: "L2", 22: "L3"})
    np.testing.assert_array_equal(read.labels == 20, drawn == 31)
    assert load_nifti_array(tmp_path / "labels.nii.gz")[2].description == "vertebro: vertebrae, VerSe numbers"


@pytest.mark.parametrize("names", [("T12", "T13", "L1"), ("L5", "L6", "S1")])
def test_extra_vertebrae_keep_their_names(tmp_path, names):
    write_label_nifti(tmp_path / "labels.nii.gz", labelled(names))
    assert read_labels(tmp_path / "labels.nii.gz").level_names == names


def test_unnamed_vertebrae_get_numbers_that_name_no_level():
    geometry = grid_for(1)
    labels = LabelVolume(draw([7], geometry).astype(np.uint8), geometry, {7: "unnamed 1"})
    array, names = verse_labels(labels)
    assert names == {101: "unnamed 1"}
    assert set(np.unique(array)) == {0, 101}


def test_ct_is_stored_whole_where_it_is_whole(tmp_path):
    geometry = grid_for(1, 4.0)
    volume = ct_of(draw([20], geometry), geometry)
    whole = Volume(volume.hu.astype(np.float32), geometry)
    broken = Volume(volume.hu.astype(np.float32) + np.float32(0.25), geometry)
    for name, ct, kind in (("a", volume, "int16"), ("b", whole, "int16"), ("c", broken, "float32")):
        write_ct_nifti(tmp_path / f"{name}.nii.gz", ct)
        array, grid, _, _ = load_nifti_array(tmp_path / f"{name}.nii.gz")
        assert array.dtype.name == kind
        assert grid.is_close(geometry)
        np.testing.assert_array_equal(array, ct.hu)


def test_same_labels_give_the_same_bytes(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_label_nifti(tmp_path / name, labelled(("L1", "L2")))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
