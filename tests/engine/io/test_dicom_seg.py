"""DICOM segmentations out and in: strict, repeatable, and the same labels in the world."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.seg import Segmentation, segread

from external_tools import require_tool
from real_data import real_data
from spine_labels import ct_of, draw, grid_for, labelled
from vertebro.errors import GeometryError, InputError, MismatchError, ReadError, SettingsError
from vertebro.imaging import (
    ImageFacts,
    Interpolation,
    LabelVolume,
    Volume,
    VolumeGeometry,
    resample,
)
from vertebro.io import load_nifti_array, read_ct, read_labels, write_ct_series, write_seg
from vertebro.io.dicom_ct_series import reference_images
from vertebro.io.dicom_seg import level_from_text
from vertebro.io.dicom_seg_writer import make_seg, quiet_toolkit, vertebra_code

PLAIN = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
RLE = "1.2.840.10008.1.2.5"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = ("T12", "L1", "L2")


def verify(path):
    """Error lines of dciodvfy, and that it agrees by its exit code."""
    tool = require_tool("dciodvfy", "apt-get install dicom3tools")
    run = subprocess.run([tool, path], capture_output=True, text=True, check=False)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
    assert (run.returncode, lines) == (0, [])


def same_in_world(read: LabelVolume, written: LabelVolume) -> None:
    moved = resample(read.labels, read.geometry, written.geometry, interpolation=Interpolation.NEAREST)
    for name in written.level_names:
        np.testing.assert_array_equal(
            moved == read.label_of(name), written.labels == written.label_of(name), err_msg=name
        )


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR", "SLA"])
def test_round_trip_in_any_axis_order(tmp_path, codes):
    geometry = grid_for(3, codes=codes)
    drawn = draw([19, 20, 21], geometry).astype(np.uint8)
    labels = LabelVolume(drawn, geometry, {19: "T12", 20: "L1", 21: "L2"}, "verse", "vertebra")
    write_seg(tmp_path / "levels.dcm", ct_of(drawn, geometry), labels, when=WHEN)
    verify(tmp_path / "levels.dcm")
    read = read_labels(tmp_path / "levels.dcm", ct_of(drawn, geometry))
    assert read.names == {19: "T12", 20: "L1", 21: "L2"}
    assert (read.convention, read.extent) == ("dicom-seg", "vertebra")
    same_in_world(read, labels)


def test_another_toolkit_reads_the_same_geometry_and_pixels(tmp_path):
    labels = labelled(NAMES)
    write_seg(tmp_path / "levels.dcm", ct_of(labels.labels, labels.geometry), labels, when=WHEN)
    volume = segread(tmp_path / "levels.dcm").get_volume(combine_segments=True)
    moved = resample(
        volume.array,
        VolumeGeometry(volume.spatial_shape, volume.affine),
        labels.geometry,
        interpolation=Interpolation.NEAREST,
    )
    expected = np.zeros_like(labels.labels)
    for number, name in enumerate(NAMES, start=1):
        expected[labels.labels == labels.label_of(name)] = number
    np.testing.assert_array_equal(moved, expected)


def test_segments_carry_the_codes_of_their_vertebrae(tmp_path):
    labels = labelled(("L4", "L5", "L6", "S1"))
    write_seg(tmp_path / "levels.dcm", ct_of(labels.labels, labels.geometry), labels, when=WHEN)
    verify(tmp_path / "levels.dcm")
    segments = pydicom.dcmread(tmp_path / "levels.dcm").SegmentSequence
    codes = [item.SegmentedPropertyTypeCodeSequence[0].CodeValue for item in segments]
    assert codes == ["11994002", "49668003", "51282000", "54735007"]
    assert [item.SegmentLabel for item in segments] == ["L4", "L5", "L6", "S1"]
    assert read_labels(tmp_path / "levels.dcm").level_names == ("L4", "L5", "L6", "S1")


def test_bodies_only_are_said_to_be_bodies(tmp_path):
    labels = labelled(NAMES, whole=False)
    write_seg(tmp_path / "levels.dcm", ct_of(labels.labels, labels.geometry), labels, when=WHEN)
    assert pydicom.dcmread(tmp_path / "levels.dcm").SegmentSequence[0].SegmentLabel == "T12 body"
    read = read_labels(tmp_path / "levels.dcm")
    assert (read.level_names, read.extent) == (NAMES, "body")


def test_same_input_and_moment_give_the_same_bytes_and_other_content_other_uids(tmp_path):
    labels = labelled(NAMES)
    volume = ct_of(labels.labels, labels.geometry)
    for name in ("a.dcm", "b.dcm"):
        write_seg(tmp_path / name, volume, labels, when=WHEN)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    changed = labels.labels.copy()
    changed[0, 0, 0] = 20
    other = make_seg(volume, replace(labels, labels=changed), when=WHEN)
    assert other.SOPInstanceUID != pydicom.dcmread(tmp_path / "a.dcm").SOPInstanceUID


def test_coarser_labels_than_the_ct(tmp_path):
    fine = grid_for(3, 1.5)
    labels = labelled(NAMES, spacing_mm=3.0)
    volume = ct_of(draw([19, 20, 21], fine), fine)
    write_seg(tmp_path / "levels.dcm", volume, labels, when=WHEN)
    verify(tmp_path / "levels.dcm")
    read = read_labels(tmp_path / "levels.dcm", volume)
    assert read.geometry.spacing_mm == pytest.approx((3.0, 3.0, 3.0))
    same_in_world(read, labels)


def test_images_written_as_a_series_are_the_ones_referred_to(tmp_path):
    labels = labelled(NAMES, spacing_mm=3.0)
    volume = ct_of(labels.labels, labels.geometry)
    files = write_ct_series(tmp_path / "ct", volume, when=WHEN)
    write_seg(tmp_path / "levels.dcm", volume, labels, when=WHEN)
    verify(files[0])
    uids = {pydicom.dcmread(file).SOPInstanceUID for file in files}
    referred = {uid for *_, uid in segread(tmp_path / "levels.dcm").get_source_image_uids()}
    assert referred == uids
    series = read_ct(tmp_path / "ct")
    again = resample(series.hu, series.geometry, volume.geometry, interpolation=Interpolation.NEAREST)
    np.testing.assert_array_equal(again, volume.hu)
    read = read_labels(tmp_path / "levels.dcm", series)
    assert [item.code for item in read.findings] == ["labels.convention", "labels.extent"]


def test_dicom_ct_is_referred_to_by_its_own_identifiers(tmp_path):
    labels = labelled(NAMES, spacing_mm=3.0)
    files = write_ct_series(tmp_path / "ct", ct_of(labels.labels, labels.geometry))
    series = read_ct(tmp_path / "ct")
    images = reference_images(series)
    assert [image.SOPInstanceUID for image in images] == list(series.facts.sop_instance_uids)
    for image, file in zip(
        sorted(images, key=lambda i: float(i.ImagePositionPatient[2])), files, strict=True
    ):
        stored = pydicom.dcmread(file)
        assert image.SOPInstanceUID == stored.SOPInstanceUID
        np.testing.assert_allclose(image.ImagePositionPatient, stored.ImagePositionPatient, atol=1e-6)
        assert image.SeriesInstanceUID == stored.SeriesInstanceUID
    write_seg(tmp_path / "levels.dcm", series, labels, when=WHEN)
    verify(tmp_path / "levels.dcm")
    same_in_world(read_labels(tmp_path / "levels.dcm", series), labels)


def test_sheared_grid_is_refused(tmp_path):
    affine = np.eye(4)
    affine[1, 2] = 0.3
    grid = VolumeGeometry((4, 4, 4), affine)
    labels = LabelVolume(np.full((4, 4, 4), 20, np.uint8), grid, {20: "L1"})
    with pytest.raises(GeometryError) as caught:
        write_seg(tmp_path / "x.dcm", Volume(np.zeros((4, 4, 4), np.int16), grid), labels, when=WHEN)
    assert caught.value.code == "dicom.sheared"


def test_nothing_to_write_is_refused(tmp_path):
    labels = labelled(("L1",))
    empty = replace(labels, labels=np.zeros_like(labels.labels))
    with pytest.raises(InputError) as caught:
        write_seg(tmp_path / "x.dcm", ct_of(empty.labels, empty.geometry), empty, when=WHEN)
    assert caught.value.code == "labels.empty"


def test_place_that_cannot_be_written_is_named_without_a_traceback(tmp_path):
    labels = labelled(("L1",))
    with pytest.raises(InputError) as caught:
        write_seg(tmp_path / "no" / "x.dcm", ct_of(labels.labels, labels.geometry), labels, when=WHEN)
    assert caught.value.code == "dicom.not_writable"


def test_code_of_a_level_without_one_is_that_of_any_vertebra():
    assert vertebra_code("T13") == vertebra_code("L6") == vertebra_code("unnamed 1")
    assert vertebra_code("L1").value == "66794005"


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "level"),
    [
        ("L1", "L1"), ("vertebrae_T12", "T12"), ("Th8 vertebra", "T8"), ("D10", "T10"), ("L5 body", "L5"),
        ("C1", "C1"), ("T13", "T13"), ("Sacrum", "sacrum"),
        ("L12", ""), ("disc L1/L2", ""), ("L1 and L2", ""),
        ("rib T12", ""), ("Segment 1", ""), ("", ""), ("AL1B", ""),
    ],
)  # fmt: skip
def test_level_from_text(label, level):
    assert level_from_text(label) == level


def foreign_seg(
    labels: LabelVolume, kind: str, *, syntax: str = "1.2.840.10008.1.2.1", texts=None, **changes: object
) -> Segmentation:
    """A segmentation as another program might write it."""
    volume = ct_of(labels.labels, labels.geometry)
    pixels = np.zeros(labels.geometry.shape, np.uint8)
    for number, name in enumerate(labels.level_names, start=1):
        pixels[labels.labels == labels.label_of(name)] = number
    descriptions = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=(texts or labels.level_names)[number - 1],
            segmented_property_category=highdicom.sr.CodedConcept("123037004", "SCT", "Anatomical Structure"),
            segmented_property_type=vertebra_code(name if texts is None else "L6"),
            algorithm_type="MANUAL",
        )
        for number, name in enumerate(labels.level_names, start=1)
    ]
    with quiet_toolkit():
        result = Segmentation(
            source_images=reference_images(volume),
            pixel_array=highdicom.Volume(
                pixels,
                labels.geometry.lps_from_voxel,
                "PATIENT",
                frame_of_reference_uid=reference_images(volume)[0].FrameOfReferenceUID,
            ),
            segmentation_type=kind,
            segment_descriptions=descriptions,
            series_instance_uid="1.2.3",
            series_number=1,
            sop_instance_uid="1.2.3.4",
            instance_number=1,
            manufacturer="other",
            manufacturer_model_name="other",
            software_versions="1",
            device_serial_number="1",
            transfer_syntax_uid=syntax if syntax in PLAIN else PLAIN[0],
        )
        if syntax not in PLAIN:
            plugin = "pydicom" if syntax == RLE else "pylibjpeg"
            result.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
    for keyword, value in changes.items():
        setattr(result, keyword, value)
    return result


@pytest.mark.parametrize(
    ("kind", "syntax"),
    [
        ("BINARY", "1.2.840.10008.1.2.1"),
        ("BINARY", "1.2.840.10008.1.2"),
        ("FRACTIONAL", "1.2.840.10008.1.2.1"),
        ("FRACTIONAL", "1.2.840.10008.1.2.5"),
        ("FRACTIONAL", "1.2.840.10008.1.2.4.90"),
        ("LABELMAP", "1.2.840.10008.1.2.1"),
        ("LABELMAP", "1.2.840.10008.1.2.5"),
    ],
)
def test_every_kind_and_coding_of_segmentation(tmp_path, kind, syntax):
    labels = labelled(NAMES)
    foreign_seg(labels, kind, syntax=syntax).save_as(tmp_path / "other.dcm")
    read = read_labels(tmp_path / "other.dcm", ct_of(labels.labels, labels.geometry))
    assert read.level_names == NAMES
    assert read.source["kind"] == f"dicom-seg {kind.lower()}"
    same_in_world(read, labels)


def test_segments_named_by_text_alone(tmp_path):
    labels = labelled(NAMES)
    foreign_seg(labels, "BINARY", texts=["vertebrae_T12", "vertebrae_L1", "vertebrae_L2"]).save_as(
        tmp_path / "other.dcm"
    )
    assert read_labels(tmp_path / "other.dcm").level_names == NAMES


def test_vertebrae_that_nothing_names_stay_unnamed(tmp_path):
    labels = labelled(NAMES)
    foreign_seg(labels, "BINARY", texts=["one", "two", "three"]).save_as(tmp_path / "other.dcm")
    read = read_labels(tmp_path / "other.dcm")
    assert read.level_names == ("unnamed 1", "unnamed 2", "unnamed 3")
    assert "labels.unnamed" in [item.code for item in read.findings]


def test_segment_whose_code_and_text_disagree_is_left_out(tmp_path):
    seg = foreign_seg(labelled(NAMES), "BINARY")
    seg.SegmentSequence[1].SegmentLabel = "L4"
    seg.save_as(tmp_path / "other.dcm")
    read = read_labels(tmp_path / "other.dcm")
    assert read.level_names == ("T12", "L2")
    assert "labels.name_conflict" in [item.code for item in read.findings]


def test_segmentation_of_something_else_is_refused(tmp_path):
    seg = foreign_seg(labelled(("L1",)), "BINARY")
    item = seg.SegmentSequence[0]
    item.SegmentLabel = "Liver"
    item.SegmentedPropertyTypeCodeSequence[0].CodeValue = "10200004"
    seg.save_as(tmp_path / "other.dcm")
    with pytest.raises(ReadError) as caught:
        read_labels(tmp_path / "other.dcm")
    assert caught.value.code == "labels.seg_no_vertebra"


def test_unevenly_spaced_frames_are_refused(tmp_path):
    seg = foreign_seg(labelled(NAMES), "BINARY")
    frame = seg.PerFrameFunctionalGroupsSequence[3]
    place = frame.PlanePositionSequence[0]
    place.ImagePositionPatient = [place.ImagePositionPatient[0] + 1.0, *place.ImagePositionPatient[1:]]
    seg.save_as(tmp_path / "other.dcm")
    with pytest.raises(GeometryError) as caught:
        read_labels(tmp_path / "other.dcm")
    assert caught.value.code == "labels.seg_grid"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (ImageFacts(patient_id="another"), "labels.other_patient"),
        (ImageFacts(frame_of_reference_uid="1.2.3"), "labels.other_frame"),
    ],
)
def test_segmentation_of_another_patient_or_frame_is_an_error_without_names(tmp_path, facts, code):
    labels = labelled(NAMES)
    foreign_seg(labels, "BINARY", PatientID="secret-7").save_as(tmp_path / "other.dcm")
    volume = replace(ct_of(labels.labels, labels.geometry), facts=facts)
    with pytest.raises(MismatchError) as caught:
        read_labels(tmp_path / "other.dcm", volume)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert "another" not in str(caught.value).replace("another frame", "")


def test_folder_with_one_segmentation_among_images(tmp_path):
    labels = labelled(NAMES, spacing_mm=3.0)
    volume = ct_of(labels.labels, labels.geometry)
    write_ct_series(tmp_path, volume)
    write_seg(tmp_path / "levels.dcm", volume, labels, when=WHEN)
    assert read_labels(tmp_path, volume).level_names == NAMES
    write_seg(tmp_path / "more.dcm", volume, labels, when=WHEN)
    with pytest.raises(ReadError) as caught:
        read_labels(tmp_path)
    assert caught.value.code == "labels.several_files"


def test_ct_image_is_no_label_file(tmp_path):
    labels = labelled(("L1",), spacing_mm=3.0)
    files = write_ct_series(tmp_path, ct_of(labels.labels, labels.geometry))
    with pytest.raises(ReadError) as caught:
        read_labels(files[0])
    assert caught.value.code == "labels.no_labels"


def test_convention_of_numbers_for_a_segmentation_is_refused(tmp_path):
    labels = labelled(("L1",))
    write_seg(tmp_path / "a.dcm", ct_of(labels.labels, labels.geometry), labels, when=WHEN)
    with pytest.raises(SettingsError):
        read_labels(tmp_path / "a.dcm", convention="verse")
    assert read_labels(tmp_path / "a.dcm", convention="dicom-seg").level_names == ("L1",)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("ct", "file"),
    [
        (("verse012-L1-fracture", "ct.nii.gz"), ("verse012-L1-fracture", "vertebrae.nii.gz")),
        (("lumbar-crop-subregions", "ct.nii.gz"), ("lumbar-crop-subregions", "vertebrae.nii.gz")),
        (("abdomen-3mm", "ct.nii.gz"), ("abdomen-3mm", "totalsegmentator_labels.nii.gz")),
        (("abdomen-3mm", "ct.nii.gz"), ("abdomen-3mm", "vertebrae_verse_labels.nii.gz")),
    ],
)
def test_real_labels_round_trip(tmp_path, ct, file):
    array, geometry, _, _ = load_nifti_array(real_data(*ct))
    volume = Volume(array.astype(np.int16), geometry)
    labels = read_labels(real_data(*file), volume)
    write_seg(tmp_path / "levels.dcm", volume, labels, when=WHEN)
    verify(tmp_path / "levels.dcm")
    read = read_labels(tmp_path / "levels.dcm", volume)
    assert (read.level_names, read.extent) == (labels.level_names, labels.extent)
    same_in_world(read, labels)


@pytest.mark.slow
@pytest.mark.real_data
def test_real_dicom_ct_is_referred_to(tmp_path):
    volume = read_ct(real_data("thorax-dicom"))
    drawn = np.zeros(volume.shape, np.uint8)
    drawn[200:260, 300:350, 40:70] = 19
    labels = LabelVolume(drawn, volume.geometry, {19: "T12"}, "verse", "body")
    write_seg(tmp_path / "levels.dcm", volume, labels, when=WHEN)
    verify(tmp_path / "levels.dcm")
    referred = {uid for *_, uid in segread(tmp_path / "levels.dcm").get_source_image_uids()}
    assert referred <= set(volume.facts.sop_instance_uids)
    read = read_labels(tmp_path / "levels.dcm", volume)
    same_in_world(read, labels)
