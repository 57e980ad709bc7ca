"""The whole assessment on phantoms with known truth, on real CTs and on odd labels."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import nibabel as nib
import numpy as np
import pytest

from real_data import real_data
from vertebro.assessment import AssessmentSettings, assess_levels, cobb_deg
from vertebro.case import Assessment, FractureShape, GenantGrade
from vertebro.errors import Cancelled, SettingsError
from vertebro.geometry import rotation_about_axis
from vertebro.imaging import Interpolation, LabelVolume, Volume, VolumeGeometry, resample
from vertebro.phantoms import Fracture, Phantom, PhantomSettings, make_phantom

VERSE = {17: "T10", 18: "T11", 19: "T12", 20: "L1", 21: "L2", 22: "L3", 23: "L4", 24: "L5"}
TOTALSEGMENTATOR = {26: "S1", 27: "L5", 28: "L4", 29: "L3", 30: "L2", 31: "L1", 32: "T12", 33: "T11"}
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
NAMES = ("anterior", "middle", "posterior")


def geometry_of(image) -> VolumeGeometry:
    return VolumeGeometry(image.shape, RAS_TO_LPS @ image.affine)


def load_ct(*parts: str) -> Volume:
    image = nib.load(real_data(*parts))
    return Volume(np.asanyarray(image.dataobj).astype(np.int16), geometry_of(image))


def load_labels(*parts: str, names: dict[int, str]) -> LabelVolume:
    image = nib.load(real_data(*parts))
    values = np.asanyarray(image.dataobj).astype(np.uint8)
    present = {int(value): names[int(value)] for value in np.unique(values) if int(value) in names}
    return LabelVolume(values, geometry_of(image), present)


@cache
def phantom(fractures: tuple[Fracture, ...] = (), **options) -> Phantom:
    settings = PhantomSettings(
        levels=("T11", "T12", "L1", "L2", "L3"),
        fractures=fractures,
        spacing_mm=(1.0, 1.0, 1.0),
        field_of_view_mm=(110, 130),
        with_soft_tissue=False,
        with_table=False,
    )
    return make_phantom(replace(settings, **options))


def assess(patient: Phantom, settings: AssessmentSettings | None = None) -> Assessment:
    return assess_levels(patient.volume, patient.labels, settings)


def heights_of(level) -> list[float]:
    return [getattr(level.heights_mm, name).value for name in NAMES]


@pytest.mark.parametrize(("shape", "loss"), [("wedge", 32.0), ("biconcave", 33.0), ("crush", 46.0)])
def test_fracture_is_graded_and_its_neighbours_are_not(shape, loss):
    patient = phantom((Fracture("L1", shape, loss),))

    levels = assess(patient).levels

    assert levels["L1"].genant_grade == patient.truth.levels["L1"].genant_grade
    assert levels["L1"].genant_shape.value == shape
    assert {levels[name].genant_grade for name in ("T11", "T12", "L2", "L3")} == {GenantGrade.NORMAL}


def test_sound_spine_has_the_heights_it_was_made_with():
    patient = phantom()

    levels = assess(patient).levels

    errors = []
    for name, truth in patient.truth.levels.items():
        error = np.array(heights_of(levels[name])) - [getattr(truth.heights_mm, key) for key in NAMES]
        errors.append(error)
        assert np.abs(error[[0, 2]]).max() <= 0.5
        # a flat endplate along the voxels is only known to half a voxel, and there are two
        assert abs(error[1]) <= 1.0
        assert levels[name].wedge_angle_deg.value == pytest.approx(truth.wedge_angle_deg, abs=1.5)
        assert levels[name].genant_shape is FractureShape.NONE
    assert np.abs(np.mean(errors, axis=0)).max() <= 0.3


def test_kyphosis_and_cobb_match_the_spine_as_made():
    patient = phantom()
    assessment = assess(patient)

    for name in ("T12", "L1", "L2"):
        wanted = patient.truth.levels[name].kyphosis_deg
        assert assessment.levels[name].kyphosis_deg.value == pytest.approx(wanted, abs=2.0)
    cobb = cobb_deg(assessment, upper="T12", lower="L2")
    assert cobb.value == pytest.approx(assessment.levels["L1"].kyphosis_deg.value, abs=0.5)
    assert not assessment.levels["T11"].kyphosis_deg.is_known


def test_mirrored_patient_gets_mirrored_result():
    fracture = (Fracture("L1", "wedge", 30.0),)
    plain = assess(phantom(fracture, side_asymmetry_mm=2.0)).levels["L1"]
    mirrored = assess(phantom(fracture, side_asymmetry_mm=2.0, mirror=True)).levels["L1"]

    assert heights_of(mirrored) == pytest.approx(heights_of(plain), abs=0.1)
    assert mirrored.genant_grade == plain.genant_grade
    for name in NAMES:
        right = getattr(plain.heights_right_mm, name).value
        assert getattr(mirrored.heights_left_mm, name).value == pytest.approx(right, abs=0.15)


def test_axis_order_of_the_files_does_not_matter():
    plain = assess(phantom())
    other = assess(phantom(axis_codes="PIR"))

    for name, level in plain.levels.items():
        assert heights_of(other.levels[name]) == pytest.approx(heights_of(level), abs=0.2)


def test_two_runs_give_the_same_numbers():
    patient = phantom((Fracture("L1", "wedge", 30.0),))

    assert assess(patient).to_json() == assess(patient).to_json()


def test_bodies_lie_inside_the_labels_they_came_from():
    patient = phantom()

    bodies = assess(patient).bodies

    assert np.array_equal(bodies[bodies > 0], np.asarray(patient.labels.labels)[bodies > 0])


def test_chosen_levels_are_reported_with_all_as_neighbours():
    patient = phantom((Fracture("L1", "crush", 40.0),))

    only = assess_levels(patient.volume, patient.labels, levels=["l1", "L5"])

    assert list(only.levels) == ["L1"]
    assert only.levels["L1"].genant_shape is FractureShape.CRUSH
    assert "assess.not_found" in {item.code for item in only.findings}


def test_level_name_that_is_none_is_refused():
    patient = phantom()

    with pytest.raises(SettingsError) as caught:
        assess_levels(patient.volume, patient.labels, levels=["X9"])

    assert caught.value.fields == ("levels",)


def test_progress_can_cancel():
    def stop(fraction: float, text: str) -> None:
        raise Cancelled(text)

    with pytest.raises(Cancelled):
        assess_levels(phantom().volume, phantom().labels, progress=stop)


def labels_like(
    values: np.ndarray, names: dict[int, str], spacing=(1.0, 1.0, 1.0)
) -> tuple[Volume, LabelVolume]:
    grid = VolumeGeometry.from_spacing(values.shape, spacing)
    ct = Volume(np.where(values > 0, 150, 0).astype(np.int16), grid)
    return ct, LabelVolume(values.astype(np.uint8), grid, names)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 3, 3), (40, 40, 3), (3, 40, 40), (60, 1, 60)])
@pytest.mark.parametrize("fill", [0, 20])
def test_tiny_and_flat_volumes_give_findings_not_errors(shape, fill):
    assessment = assess_levels(*labels_like(np.full(shape, fill), {20: "L1"}))

    for level in assessment.levels.values():
        assert level.genant_grade is None
    assert assessment.levels or "assess.no_body" in {item.code for item in assessment.findings}


def test_single_voxel_and_empty_labels_are_told_of():
    values = np.zeros((30, 30, 30))
    values[4, 4, 4] = 20

    assessment = assess_levels(*labels_like(values, {20: "L1", 21: "L2", 25: "S1"}))

    assert assessment.levels == {}
    codes = [item.code for item in assessment.findings]
    assert codes.count("assess.no_body") == 2
    assert codes.count("assess.skipped") == 1


def test_no_labels_at_all():
    assessment = assess_levels(*labels_like(np.zeros((9, 9, 9)), {}))

    assert assessment.levels == {}
    assert not assessment.bodies.any()


def test_body_of_unknown_name_is_measured():
    values = np.zeros((60, 60, 50))
    values[10:50, 15:45, 10:35] = 7

    assessment = assess_levels(*labels_like(values, {7: "vertebra 7"}))

    assert assessment.levels["vertebra 7"].heights_mm.middle.value == pytest.approx(25.0, abs=0.1)
    assert "assess.unknown_level" in {item.code for item in assessment.findings}


def test_label_in_two_pieces_is_measured_at_its_larger_piece():
    values = np.zeros((60, 60, 90))
    values[10:50, 15:45, 10:35] = 20
    values[20:30, 20:30, 70:76] = 20

    level = assess_levels(*labels_like(values, {20: "L1"})).levels["L1"]

    assert level.heights_mm.middle.value == pytest.approx(25.0, abs=0.3)


def test_labels_beyond_the_ct_are_cut_not_an_error():
    patient = phantom()
    stop = tuple(int(n) for n in np.array(patient.volume.shape) - [0, 0, 60])

    assessment = assess_levels(patient.volume.crop((0, 0, 0), stop), patient.labels)

    assert "T11" in assessment.levels
    assert not assessment.levels["T11"].complete
    assert assessment.levels["T11"].genant_grade is None


@pytest.mark.real_data
def test_fractured_l1_of_a_real_ct():
    ct = load_ct("verse012-L1-fracture", "ct.nii.gz")
    labels = load_labels("verse012-L1-fracture", "vertebrae.nii.gz", names=VERSE)

    levels = assess_levels(ct, labels).levels

    worst = levels["L1"]
    assert worst.genant_grade in (GenantGrade.MODERATE, GenantGrade.SEVERE)
    assert 21.0 <= worst.heights_mm.posterior.value <= 24.0
    assert 15.0 <= worst.heights_mm.middle.value <= 19.0
    assert 12.0 <= worst.heights_mm.anterior.value <= 17.5
    assert worst.height_loss_percent.value == max(
        level.height_loss_percent.value for level in levels.values()
    )
    for name in ("T10", "T11", "T12", "L2"):
        assert levels[name].genant_grade in (GenantGrade.NORMAL, GenantGrade.MILD)
    assert levels["L3"].complete


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
@pytest.mark.parametrize("degrees", [-10.0, 10.0])
def test_turning_the_patient_moves_no_height(axis, degrees):
    ct = load_ct("verse012-L1-fracture", "ct.nii.gz")
    labels = load_labels("verse012-L1-fracture", "vertebrae.nii.gz", names=VERSE)
    still = assess_levels(ct, labels).levels
    turn = rotation_about_axis(axis, np.deg2rad(degrees), ct.geometry.centre_lps_mm)
    grid = enclosing(ct.geometry, turn)
    turned_ct = Volume(resample(ct.hu, ct.geometry.transformed(turn), grid), grid)
    values = resample(
        labels.labels, labels.geometry.transformed(turn), grid, interpolation=Interpolation.NEAREST
    )

    turned = assess_levels(turned_ct, LabelVolume(values, grid, labels.names)).levels

    for name, level in still.items():
        assert heights_of(turned[name]) == pytest.approx(heights_of(level), abs=0.3)


def enclosing(geometry: VolumeGeometry, turn: np.ndarray) -> VolumeGeometry:
    """A grid along the same axes that holds the turned one."""
    corners = geometry.transformed(turn).corners_lps_mm
    index = corners @ geometry.voxel_from_lps[:3, :3].T + geometry.voxel_from_lps[:3, 3]
    first, last = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int)
    affine = geometry.lps_from_voxel.copy()
    affine[:3, 3] = geometry.lps_from_voxel[:3, :3] @ first + geometry.lps_from_voxel[:3, 3]
    return VolumeGeometry(tuple(int(n) for n in last - first + 1), affine)


@pytest.mark.real_data
def test_whole_vertebrae_and_bodies_only_agree_within_a_voxel():
    ct = load_ct("abdomen-3mm", "ct.nii.gz")
    whole = load_labels("abdomen-3mm", "totalsegmentator_labels.nii.gz", names=TOTALSEGMENTATOR)
    bodies = load_labels("abdomen-3mm", "vertebrae_verse_labels.nii.gz", names=VERSE)

    from_whole, from_bodies = assess_levels(ct, whole).levels, assess_levels(ct, bodies).levels

    for name in ("L1", "L2", "L3", "L4", "L5"):
        assert heights_of(from_whole[name]) == pytest.approx(heights_of(from_bodies[name]), abs=3.0)
    assert not from_whole["T12"].complete
    assert not from_bodies["T12"].complete
    assert from_whole["T12"].genant_grade is None


@pytest.mark.real_data
def test_levels_cut_by_a_crop_are_marked_and_the_whole_one_is_not():
    ct = load_ct("lumbar-crop-subregions", "ct.nii.gz")
    labels = load_labels("lumbar-crop-subregions", "vertebrae.nii.gz", names=VERSE)

    levels = assess_levels(ct, labels).levels

    assert [levels[name].complete for name in ("L2", "L3", "L4")] == [False, True, False]
    assert "assess.no_neighbour" in {item.code for item in levels["L3"].findings}


@pytest.mark.real_data
def test_body_split_agrees_with_given_subregions():
    ct = load_ct("lumbar-crop-subregions", "ct.nii.gz")
    labels = load_labels("lumbar-crop-subregions", "vertebrae.nii.gz", names=VERSE)
    parts = np.asanyarray(nib.load(real_data("lumbar-crop-subregions", "subregions.nii.gz")).dataobj)
    given = np.isin(parts, (49, 50)) & (labels.labels > 0)
    ours = assess_levels(ct, labels).bodies > 0

    dice = 2.0 * (given & ours).sum() / (given.sum() + ours.sum())

    assert dice >= 0.93
