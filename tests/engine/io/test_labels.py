"""Label files of every kind in, named and checked."""

from __future__ import annotations

import numpy as np
import pytest

from real_data import real_data
from spine_labels import ct_of, draw, grid_for
from vertebro.errors import InputError, MismatchError, ReadError, SettingsError
from vertebro.findings import Severity
from vertebro.imaging import Interpolation, Volume, VolumeGeometry, resample
from vertebro.io import load_nifti_array, read_labels, save_nifti


def codes(labels):
    return [item.code for item in labels.findings]


def one(labels, code):
    (found,) = [item for item in labels.findings if item.code == code]
    return found


@pytest.fixture
def saved(tmp_path):
    """Save an array as a label file and give its path."""

    def save(array, geometry, name="labels.nii.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_nifti(path, array, geometry)
        return path

    return save


# --- numberings --------------------------------------------------------------------------------


@pytest.mark.parametrize("codes_", ["LPS", "RAS", "PIR", "SLA", "IPL"])
@pytest.mark.parametrize("whole", [True, False])
def test_same_names_and_extent_in_any_axis_order(saved, codes_, whole):
    geometry = grid_for(3, codes=codes_)
    labels = read_labels(saved(draw([19, 20, 21], geometry, whole=whole), geometry))
    assert labels.names == {19: "T12", 20: "L1", 21: "L2"}
    assert labels.level_names == ("T12", "L1", "L2")
    assert labels.convention == "verse"
    assert labels.extent == ("vertebra" if whole else "body")
    assert labels.geometry.is_close(geometry)
    assert codes(labels) == ["labels.convention", "labels.extent"]


def test_totalsegmentator_names_are_ordered_from_cranial_to_caudal(saved):
    geometry = grid_for(4)
    labels = read_labels(saved(draw([32, 31, 30, 29], geometry), geometry))
    assert labels.level_names == ("T12", "L1", "L2", "L3")
    assert labels.convention == "totalsegmentator"


def test_convention_overrules_recognition(saved):
    geometry = grid_for(3)
    path = saved(draw([22, 21, 20], geometry), geometry)
    assert read_labels(path, convention="totalsegmentator-v1").names == {20: "L3", 21: "L2", 22: "L1"}
    overruled = read_labels(path, convention="verse")
    assert overruled.names == {20: "L1", 21: "L2", 22: "L3"}
    assert one(overruled, "labels.order").severity is Severity.BLOCK


def test_convention_that_knows_no_value_is_refused(saved):
    geometry = grid_for(2)
    with pytest.raises(ReadError) as caught:
        read_labels(saved(draw([20, 21], geometry), geometry), convention="subregions")
    assert caught.value.code == "labels.no_vertebra"


def test_unknown_convention_is_refused(saved):
    geometry = grid_for(1)
    with pytest.raises(SettingsError):
        read_labels(saved(draw([20], geometry), geometry), convention="my own")


def test_single_label_is_named_as_a_stated_guess(saved):
    geometry = grid_for(1)
    labels = read_labels(saved(draw([20], geometry), geometry))
    assert labels.names == {20: "L1"}
    assert one(labels, "labels.convention_ambiguous").severity is Severity.WARN


@pytest.mark.parametrize("value", [1, 255])
def test_plain_mask_is_not_given_a_name(saved, value):
    geometry = grid_for(1)
    labels = read_labels(saved(draw([value], geometry), geometry))
    assert labels.level_names == ("unnamed 1",)
    assert "labels.unnamed" in codes(labels)


def test_extra_vertebrae_stay_as_named(saved):
    geometry = grid_for(4)
    labels = read_labels(saved(draw([19, 28, 20, 21], geometry), geometry))
    assert labels.level_names == ("T12", "T13", "L1", "L2")
    assert one(labels, "labels.extra_vertebra").where == "T13"
    sixth = read_labels(saved(draw([23, 24, 25, 26], geometry), geometry))
    assert sixth.level_names == ("L4", "L5", "L6", "S1")


def test_float_file_with_whole_numbers_is_accepted(saved):
    geometry = grid_for(2)
    labels = read_labels(saved(draw([20, 21], geometry).astype(np.float32), geometry))
    assert labels.level_names == ("L1", "L2")
    assert labels.labels.dtype == np.uint8


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda a: a * 0, "labels.empty"),
        (lambda a: a.astype(np.float32) * 0.51, "labels.not_whole"),
        (lambda a: a - 1000, "labels.negative"),
        (lambda a: a.astype(np.float32) * 1e9, "labels.not_labels"),
        (lambda a: np.where(a > 0, np.nan, 0.0).astype(np.float32), "labels.not_labels"),
        (lambda a: np.where(a == 20, 300, 0), "labels.no_vertebra"),
    ],
)
def test_what_is_no_label_file_is_refused_with_its_reason(saved, change, code):
    geometry = grid_for(2)
    with pytest.raises(InputError) as caught:
        read_labels(saved(change(draw([20, 21], geometry)).astype(None), geometry))
    assert caught.value.code == code


def test_image_taken_for_labels_is_refused(saved):
    geometry = grid_for(2)
    image = np.random.default_rng(1).integers(0, 2000, geometry.shape).astype(np.int16)
    with pytest.raises(ReadError, match="looks like an image"):
        read_labels(saved(image, geometry))


def test_one_mask_over_the_whole_spine_is_refused(saved):
    geometry = grid_for(5)
    drawn = draw([20, 21, 22, 23, 24], geometry)
    with pytest.raises(ReadError) as caught:
        read_labels(saved((drawn > 0).astype(np.uint8), geometry))
    assert caught.value.code == "labels.not_vertebrae"


def test_path_without_a_file_is_refused(tmp_path):
    with pytest.raises(ReadError) as caught:
        read_labels(tmp_path / "nothing.nii.gz")
    assert caught.value.code == "labels.not_found"


# --- implausible names -------------------------------------------------------------------------


def test_gap_in_the_names(saved):
    geometry = grid_for(3)
    labels = read_labels(saved(draw([20, 22, 23], geometry), geometry))
    assert one(labels, "labels.gap").where == "L2"


def test_exchanged_names(saved):
    geometry = grid_for(4)
    labels = read_labels(saved(draw([20, 22, 21, 23], geometry), geometry))
    found = one(labels, "labels.order")
    assert (found.severity, found.evidence["n_inverted"]) == (Severity.WARN, 1)
    assert labels.level_names == ("L1", "L2", "L3", "L4")


def test_two_vertebrae_under_one_label(saved):
    geometry = grid_for(4)
    drawn = draw([19, 20, 21, 22], geometry)
    drawn[drawn == 21] = 20
    labels = read_labels(saved(drawn, geometry))
    assert one(labels, "labels.pieces").where == "L1"
    assert one(labels, "labels.pieces").evidence["distance_mm"] == pytest.approx(34.0, abs=2.0)


def test_neighbours_far_apart(saved):
    geometry = grid_for(4)
    drawn = draw([19, 20, 30, 21], geometry)
    drawn[drawn == 30] = 0
    labels = read_labels(saved(drawn, geometry))
    assert one(labels, "labels.spacing").where == "L2"


def test_values_outside_the_convention_are_ignored(saved):
    geometry = grid_for(4)
    drawn = draw([19, 20, 21, 22], geometry)
    drawn[:4, :4, :4] = 77
    labels = read_labels(saved(drawn, geometry))
    assert labels.level_names == ("T12", "L1", "L2", "L3")
    assert 77 not in np.unique(labels.labels)
    assert one(labels, "labels.unknown_values").evidence["values"] == "77"


def test_organs_of_totalsegmentator_are_passed_over(saved):
    geometry = grid_for(4)
    drawn = draw([31, 30, 29, 28], geometry)
    drawn[:4, :4, :4], drawn[-4:, :4, -4:] = 5, 52
    labels = read_labels(saved(drawn, geometry))
    assert labels.level_names == ("L1", "L2", "L3", "L4")
    assert one(labels, "labels.other_structures").severity is Severity.INFO


# --- against the CT ----------------------------------------------------------------------------


def test_labels_that_fit_the_ct_raise_no_word(saved):
    geometry = grid_for(3)
    drawn = draw([20, 21, 22], geometry)
    labels = read_labels(saved(drawn, geometry), ct_of(drawn, geometry))
    assert codes(labels) == ["labels.convention", "labels.extent"]


def test_label_grid_may_differ_from_the_ct(saved):
    fine, coarse = grid_for(3, 1.5), grid_for(3, 3.0, "PIR")
    labels = read_labels(saved(draw([20, 21, 22], coarse), coarse), ct_of(draw([20, 21, 22], fine), fine))
    assert labels.geometry.is_close(coarse)
    assert codes(labels) == ["labels.convention", "labels.extent"]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirrored_file_is_noticed(saved, axis):
    whole = grid_for(3)
    start = (6, 0, 6)  # the spine stands off the middle, as spines do
    geometry = whole.crop(start, whole.shape)
    drawn = draw([20, 21, 22], geometry)
    wrong = np.flip(drawn, axis)
    convention = "verse" if axis == 2 else None
    labels = read_labels(saved(wrong, geometry), ct_of(drawn, geometry), convention=convention)
    sides = ("left and right", "front and back", "head and foot")[axis]
    assert one(labels, "labels.mirrored").evidence["exchanged"] == sides
    assert one(labels, "labels.mirrored").severity is Severity.BLOCK


def test_labels_on_soft_tissue_are_noticed(saved):
    geometry = grid_for(3)
    drawn = draw([20, 21, 22], geometry)
    labels = read_labels(saved(drawn, geometry), ct_of(np.zeros_like(drawn), geometry))
    assert one(labels, "labels.not_on_bone").severity is Severity.BLOCK


def test_labels_outside_the_ct_are_an_error(saved):
    geometry = grid_for(3)
    drawn = draw([20, 21, 22], geometry)
    moved = geometry.transformed(np.array([[1.0, 0, 0, 500.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    with pytest.raises(MismatchError) as caught:
        read_labels(saved(drawn, moved), ct_of(drawn, geometry))
    assert caught.value.code == "labels.outside"


def test_labels_partly_outside_the_ct_are_named(saved):
    geometry = grid_for(3)
    drawn = draw([20, 21, 22], geometry)
    half = ct_of(drawn, geometry).crop((0, 0, 30), geometry.shape)
    found = [item for item in read_labels(saved(drawn, geometry), half).findings if "outside" in item.code]
    assert [item.where for item in found] == ["L2", "L3"]
    assert found[1].evidence["inside_fraction"] == 0.0


# --- folders and subregions --------------------------------------------------------------------


def test_folder_of_single_masks(saved, tmp_path):
    geometry = grid_for(3)
    drawn = draw([31, 30, 29], geometry)
    for value, name in (
        (31, "vertebrae_L1"),
        (30, "vertebrae_L2"),
        (29, "vertebrae_L3"),
        (99, "vertebrae_C1"),
    ):
        saved((drawn == value).astype(np.uint8), geometry, f"seg/{name}.nii.gz")
    saved(np.ones(geometry.shape, np.uint8), geometry, "seg/liver.nii.gz")
    labels = read_labels(tmp_path / "seg")
    assert labels.names == {31: "L1", 30: "L2", 29: "L3"}
    np.testing.assert_array_equal(labels.labels, drawn)


def test_folder_of_single_masks_on_different_grids(saved, tmp_path):
    fine, coarse = grid_for(2, 2.0), grid_for(2, 4.0, "RAS")
    saved((draw([31, 30], fine) == 31).astype(np.uint8), fine, "seg/vertebrae_L1.nii.gz")
    saved((draw([31, 30], coarse) == 30).astype(np.uint8), coarse, "seg/vertebrae_L2.nii.gz")
    labels = read_labels(tmp_path / "seg")
    assert labels.level_names == ("L1", "L2")
    assert "labels.grids_differ" in codes(labels)


def test_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(ReadError) as caught:
        read_labels(tmp_path)
    assert caught.value.code == "labels.no_labels"


def test_folder_with_two_candidates_is_refused(saved, tmp_path):
    geometry = grid_for(1)
    for name in ("vertebrae_a.nii.gz", "vertebrae_b.nii.gz"):
        saved(draw([20], geometry), geometry, f"two/{name}")
    with pytest.raises(ReadError) as caught:
        read_labels(tmp_path / "two")
    assert caught.value.code == "labels.several_files"


def test_folder_of_vertebrae_and_subregions(saved, tmp_path):
    geometry = grid_for(2)
    drawn = draw([20, 21], geometry)
    parts = np.where(draw([20, 21], geometry, whole=False) > 0, 50, np.where(drawn > 0, 41, 0))
    saved(drawn, geometry, "both/vertebrae.nii.gz")
    saved(parts.astype(np.uint8), geometry, "both/subregions.nii.gz")
    labels = read_labels(tmp_path / "both")
    np.testing.assert_array_equal(labels.subregions, parts)
    alone = read_labels(tmp_path / "both" / "subregions.nii.gz")
    assert alone.level_names == ("unnamed 1", "unnamed 2")
    np.testing.assert_array_equal(alone.labels == 101, drawn == 20)


def test_subregions_of_another_scan_are_left_out(saved, tmp_path):
    geometry = grid_for(2)
    drawn = draw([20, 21], geometry)
    saved(drawn, geometry, "both/vertebrae.nii.gz")
    saved(np.where(drawn > 0, 0, 41).astype(np.uint8), geometry, "both/subregions.nii.gz")
    labels = read_labels(tmp_path / "both")
    assert labels.subregions is None
    assert "labels.subregions_mismatch" in codes(labels)


# --- real data ---------------------------------------------------------------------------------


def real_volume(*parts):
    array, geometry, _, _ = load_nifti_array(real_data(*parts))
    return Volume(array.astype(np.int16), geometry)


@pytest.mark.real_data
def test_real_verse_labels():
    volume = real_volume("verse012-L1-fracture", "ct.nii.gz")
    labels = read_labels(real_data("verse012-L1-fracture", "vertebrae.nii.gz"), volume)
    assert labels.names == {17: "T10", 18: "T11", 19: "T12", 20: "L1", 21: "L2", 22: "L3"}
    assert (labels.convention, labels.extent) == ("verse", "vertebra")
    assert codes(labels) == ["labels.convention", "labels.extent"]


@pytest.mark.real_data
def test_real_totalsegmentator_and_verse_labels_name_the_same_vertebrae_the_same():
    volume = real_volume("abdomen-3mm", "ct.nii.gz")
    whole = read_labels(real_data("abdomen-3mm", "totalsegmentator_labels.nii.gz"), volume)
    bodies = read_labels(real_data("abdomen-3mm", "vertebrae_verse_labels.nii.gz"), volume)
    assert (whole.convention, whole.extent) == ("totalsegmentator", "vertebra")
    assert (bodies.convention, bodies.extent) == ("verse", "body")
    assert whole.level_names == ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")
    assert bodies.level_names == ("T12", "L1", "L2", "L3", "L4", "L5")
    for name in bodies.level_names:
        body = bodies.labels == bodies.label_of(name)
        names = whole.labels[body]
        assert np.bincount(names[names > 0]).argmax() == whole.label_of(name)


@pytest.mark.real_data
def test_real_subregions_split_into_the_given_vertebrae():
    folder = read_labels(
        real_data("lumbar-crop-subregions"), real_volume("lumbar-crop-subregions", "ct.nii.gz")
    )
    assert folder.level_names == ("L2", "L3", "L4")
    assert set(np.unique(folder.subregions)) == {0, *range(41, 51)}
    alone = read_labels(real_data("lumbar-crop-subregions", "subregions.nii.gz"))
    for unnamed, given in zip((101, 102, 103), (21, 22, 23), strict=True):
        a, b = alone.labels == unnamed, folder.labels == given
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.998


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (("verse004-L2-calibrated", "regions.nii.gz"), "labels.not_vertebrae"),
        (("verse004-L2-calibrated", "density.nii.gz"), "labels.negative"),
        (("abdomen-3mm", "vertebral_bodies.nii.gz"), "labels.not_vertebrae"),
        (("verse012-L1-fracture", "ct.nii.gz"), "labels.negative"),
        (("verse012-L1-fracture", "centroids.json"), "nifti.header"),
        (("thorax-dicom",), "labels.no_labels"),
    ],
)
def test_real_files_that_hold_no_vertebra_labels_are_refused(parts, code):
    with pytest.raises(InputError) as caught:
        read_labels(real_data(*parts))
    assert caught.value.code == code


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("axis", "side"), [(0, "left and right"), (1, "front and back"), (2, "head and foot")]
)
def test_real_labels_mirrored_are_noticed(saved, axis, side):
    volume = real_volume("verse012-L1-fracture", "ct.nii.gz")
    array, geometry, _, _ = load_nifti_array(real_data("verse012-L1-fracture", "vertebrae.nii.gz"))
    labels = read_labels(saved(np.flip(array, axis), geometry), volume, convention="verse")
    assert one(labels, "labels.mirrored").evidence["exchanged"] == side


@pytest.mark.real_data
def test_real_labels_of_another_patient_are_an_error():
    with pytest.raises(MismatchError):
        read_labels(
            real_data("verse012-L1-fracture", "vertebrae.nii.gz"), real_volume("abdomen-3mm", "ct.nii.gz")
        )


def test_labels_resampled_to_a_rotated_grid_keep_their_names(saved):
    geometry = grid_for(3)
    turn = np.eye(4)
    angle = np.deg2rad(12.0)
    turn[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    oblique = VolumeGeometry(geometry.shape, turn @ geometry.lps_from_voxel)
    drawn = draw([20, 21, 22], geometry).astype(np.uint8)
    moved = resample(drawn, geometry, oblique, interpolation=Interpolation.NEAREST)
    labels = read_labels(saved(moved, oblique), ct_of(drawn, geometry))
    assert labels.level_names == ("L1", "L2", "L3")
    assert "labels.not_on_bone" not in codes(labels)
