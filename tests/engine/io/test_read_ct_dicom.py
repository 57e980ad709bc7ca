"""CT from DICOM: whichever way the slices are stored, the same world comes out."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from external_tools import require_tool
from synthetic_dicom import (
    Series,
    encoded,
    enhanced_dataset,
    slice_dataset,
    sloping_hu,
    world_hu,
    write_series,
)
from vertebro.errors import ReadError
from vertebro.geometry import apply_affine, rotation_about_axis
from vertebro.imaging import Volume
from vertebro.io import read_ct


def world_of(volume: Volume) -> np.ndarray:
    """World positions of every voxel of a volume."""
    index = np.moveaxis(np.indices(volume.shape), 0, -1)
    return apply_affine(volume.lps_from_voxel, index)


def codes(volume: Volume) -> list[str]:
    return sorted(note.code for note in volume.findings)


def assert_shows_the_world(volume: Volume) -> None:
    expected = np.rint(world_hu(world_of(volume)))
    np.testing.assert_array_equal(volume.hu, expected)


def test_a_folder_of_slices_is_the_world_it_was_made_from(tmp_path: Path) -> None:
    volume = read_ct(write_series(tmp_path))

    assert volume.hu.dtype == np.int16
    assert volume.hu.flags.c_contiguous
    assert volume.shape == (44, 40, 8)
    assert volume.spacing_mm == pytest.approx((2.0, 2.0, 3.0))
    assert_shows_the_world(volume)
    assert codes(volume) == ["image.coarse_pixels", "image.short"]


def test_what_the_header_says_is_kept(tmp_path: Path) -> None:
    series = Series()
    facts = read_ct(write_series(tmp_path, series)).facts

    assert (facts.patient_id, facts.patient_name, facts.birth_date) == ("P1", "Doe^Jane", "19480307")
    assert (facts.sex, facts.age_years, facts.body_part) == ("F", 78.0, "LSPINE")
    assert (facts.kernel, facts.kvp_kv, facts.source_kind) == ("Br40", 120.0, "dicom")
    assert (facts.n_slices, facts.slice_spacing_mm, facts.slice_thickness_mm) == (8, 3.0, 3.0)
    assert facts.slice_axis == 2
    assert facts.sop_instance_uids == tuple(series.uid(index) for index in range(8))


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda uid: uid.name,
)
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_every_lossless_transfer_syntax_gives_the_same_world(
    tmp_path: Path, syntax: str, is_signed: bool
) -> None:
    series = Series(n=4, is_signed=is_signed, bits_stored=13, intercept=0.0 if is_signed else -1024.0)

    assert_shows_the_world(read_ct(write_series(tmp_path, series, syntax=syntax)))


def test_jpeg_lossless_first_order(tmp_path: Path) -> None:
    write_series(tmp_path / "plain", Series(n=4))
    (tmp_path / "jpeg").mkdir()
    for file in (tmp_path / "plain").iterdir():
        reader = gdcm.ImageReader()
        reader.SetFileName(str(file))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetFileName(str(tmp_path / "jpeg" / file.name))
        writer.SetImage(change.GetOutput())
        assert writer.Write()

    assert_shows_the_world(read_ct(tmp_path / "jpeg"))


@pytest.mark.parametrize("selection", ["1", "4", "6"])
def test_jpeg_lossless_process_14_with_any_predictor(tmp_path: Path, selection: str) -> None:
    tool = require_tool("dcmcjpeg", "apt-get install dcmtk")
    write_series(tmp_path / "plain", Series(n=3))
    (tmp_path / "jpeg").mkdir()
    for file in (tmp_path / "plain").iterdir():
        command = [str(tool), "+el", "+sv", selection, str(file), str(tmp_path / "jpeg" / file.name)]
        subprocess.run(command, check=True, capture_output=True)
    first = pydicom.dcmread(next((tmp_path / "jpeg").iterdir()), stop_before_pixels=True)

    assert first.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.57"
    assert_shows_the_world(read_ct(tmp_path / "jpeg"))


def test_lossy_compression_is_told(tmp_path: Path) -> None:
    def mark(dataset: FileDataset, index: int) -> None:
        dataset.LossyImageCompression = "01"

    assert "dicom.lossy" in codes(read_ct(write_series(tmp_path, edit=mark)))


TURN = rotation_about_axis([0.3, 1.0, -0.5], 0.4)[:3, :3]


@pytest.mark.parametrize(
    ("row", "column", "step"),
    [
        ((1, 0, 0), (0, 1, 0), (0, 0, -3)),
        ((-1, 0, 0), (0, 1, 0), (0, 0, 3)),
        ((1, 0, 0), (0, -1, 0), (0, 0, -3)),
        ((0, 1, 0), (0, 0, -1), (3, 0, 0)),
        ((1, 0, 0), (0, 0, -1), (0, -3, 0)),
        (TURN @ [1, 0, 0], TURN @ [0, 1, 0], TURN @ [0, 0, 3]),
    ],
    ids=["from above", "rows flipped", "columns flipped", "sagittal", "coronal", "oblique"],
)
def test_flipped_reversed_and_oblique_series_show_the_same_world(
    tmp_path: Path,
    row: tuple[float, float, float],
    column: tuple[float, float, float],
    step: tuple[float, float, float],
) -> None:
    extent = 43.0 * np.array(row) + 39.0 * np.array(column) + 3.5 * np.array(step)
    turned = Series(
        row_direction=tuple(row),
        column_direction=tuple(column),
        step_mm=tuple(step),
        first_lps_mm=tuple(-extent),
    )

    volume = read_ct(write_series(tmp_path, turned))

    difference = np.abs(volume.hu - world_hu(world_of(volume)))
    assert np.mean(difference > 0.5 + 1e-3) < 2e-3  # a rounded header moves a voxel over an edge now and then
    assert volume.spacing_mm == pytest.approx((2.0, 2.0, 3.0))


def test_slices_are_sorted_by_place_not_by_number(tmp_path: Path) -> None:
    def misnumber(dataset: FileDataset, index: int) -> None:
        dataset.InstanceNumber = (index * 5) % 8

    assert_shows_the_world(read_ct(write_series(tmp_path, edit=misnumber)))


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    def rescale(dataset: FileDataset, index: int) -> None:
        stored = np.frombuffer(dataset.PixelData, "<u2").astype(int)
        dataset.RescaleIntercept = -1024 - 16 * index
        dataset.PixelData = (stored + 16 * index).astype("<u2").tobytes()

    assert_shows_the_world(read_ct(write_series(tmp_path, edit=rescale)))


def test_a_broken_slope_gives_floating_point(tmp_path: Path) -> None:
    volume = read_ct(write_series(tmp_path, Series(slope=0.5, bits_stored=14)))

    assert volume.hu.dtype == np.float32
    np.testing.assert_allclose(volume.hu, world_hu(world_of(volume)), atol=0.2501)


def test_values_beyond_int16_become_floating_point(tmp_path: Path) -> None:
    volume = read_ct(
        write_series(tmp_path, Series(bits_stored=16, hu=lambda p: world_hu(p) * 110.0 - 3000.0))
    )

    assert volume.hu.dtype == np.float32
    assert float(volume.hu.max()) == pytest.approx(float((world_hu(world_of(volume)) * 110.0 - 3000.0).max()))


def test_overlay_bits_above_the_stored_ones_are_ignored(tmp_path: Path) -> None:
    def pollute(dataset: FileDataset, index: int) -> None:
        stored = np.frombuffer(dataset.PixelData, "<u2").copy()
        stored[::3] |= 0xA000
        dataset.PixelData = stored.tobytes()

    assert_shows_the_world(read_ct(write_series(tmp_path, edit=pollute)))


def test_signed_numbers_in_twelve_of_sixteen_bits(tmp_path: Path) -> None:
    series = Series(is_signed=True, bits_stored=12, intercept=0.0)

    assert_shows_the_world(read_ct(write_series(tmp_path, series)))


@pytest.mark.parametrize("padding", [-2048, -3024])
def test_padding_becomes_air(tmp_path: Path, padding: int) -> None:
    def pad(dataset: FileDataset, index: int) -> None:
        stored = np.frombuffer(dataset.PixelData, "<i2").copy().reshape(40, 44)
        stored[:4, :] = padding
        dataset.PixelData = stored.tobytes()

    volume = read_ct(write_series(tmp_path, Series(is_signed=True, bits_stored=16, intercept=0.0), edit=pad))

    np.testing.assert_array_equal(volume.hu[:, :4, :], -1024)
    np.testing.assert_array_equal(volume.hu[:, 4:, :], np.rint(world_hu(world_of(volume)))[:, 4:, :])
    note = next(note for note in volume.findings if note.code == "image.padding")
    assert note.evidence["lowest_hu"] == padding


def test_a_declared_padding_value_is_believed_where_it_is_air(tmp_path: Path) -> None:
    def pad(dataset: FileDataset, index: int) -> None:
        stored = np.frombuffer(dataset.PixelData, "<u2").copy().reshape(40, 44)
        stored[:4, :] = 100
        dataset.PixelData = stored.tobytes()
        dataset.PixelPaddingValue = 100

    volume = read_ct(write_series(tmp_path, edit=pad))

    np.testing.assert_array_equal(volume.hu[:, :4, :], -1024)
    assert "image.padding" in codes(volume)


def test_a_declared_padding_value_that_would_be_tissue_is_not_believed(tmp_path: Path) -> None:
    def pad(dataset: FileDataset, index: int) -> None:
        dataset.PixelPaddingValue = 1064  # 40 HU

    volume = read_ct(write_series(tmp_path, edit=pad))

    assert_shows_the_world(volume)
    assert "image.padding_ignored" in codes(volume)


@pytest.mark.parametrize("order", [range(8), [7, 6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 1, 7, 2, 5, 4]])
def test_an_enhanced_object_is_the_same_as_single_slices(tmp_path: Path, order: list[int]) -> None:
    file = tmp_path / "enhanced"
    file.write_bytes(encoded(enhanced_dataset(Series(), order)))

    volume = read_ct(file)

    assert_shows_the_world(volume)
    assert (volume.facts.kernel, volume.facts.slice_thickness_mm) == ("Br40", 3.0)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, DeflatedExplicitVRLittleEndian])
def test_a_compressed_enhanced_object(tmp_path: Path, syntax: str) -> None:
    file = tmp_path / "enhanced.dcm"
    file.write_bytes(encoded(enhanced_dataset(Series(n=5)), syntax))

    assert_shows_the_world(read_ct(file))


def test_a_tilted_gantry_is_set_straight(tmp_path: Path) -> None:
    tilt = np.deg2rad(17.0)
    leaning = Series(
        n=10,
        column_direction=(0.0, float(np.cos(tilt)), float(-np.sin(tilt))),
        step_mm=(0.0, 0.0, 2.0),
        hu=sloping_hu,
    )

    volume = read_ct(write_series(tmp_path, leaning))

    axes = volume.geometry.axis_directions_lps
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
    reached = volume.hu > -1024
    assert reached.mean() > 0.75
    inner = np.abs(volume.hu - sloping_hu(world_of(volume)))[reached]
    assert np.mean(inner > 1.01) < 0.06  # only where a slice's border is mixed with the air around it
    note = next(note for note in volume.findings if note.code == "dicom.gantry_tilt")
    assert note.evidence["lean_deg"] == pytest.approx(17.0, abs=0.01)
    assert volume.facts.sop_instance_uids == ()


def test_a_tilt_in_the_header_alone_is_told(tmp_path: Path) -> None:
    def claim(dataset: FileDataset, index: int) -> None:
        dataset.GantryDetectorTilt = 12

    volume = read_ct(write_series(tmp_path, edit=claim))

    assert "dicom.tilt_unclear" in codes(volume)
    assert_shows_the_world(volume)


def test_missing_slices_are_filled_and_told(tmp_path: Path) -> None:
    volume = read_ct(write_series(tmp_path, Series(n=6, hu=sloping_hu), places=[0, 1, 2, 4, 5, 7]))

    assert volume.shape[2] == 8
    np.testing.assert_allclose(volume.hu, sloping_hu(world_of(volume)), atol=0.51)
    note = next(note for note in volume.findings if note.code == "dicom.missing_slices")
    assert note.evidence == {"missing": 2, "widest_step_mm": 6.0}


def test_of_two_parts_far_apart_the_longer_is_read(tmp_path: Path) -> None:
    places = [0, 1, 2, 40, 41, 42, 43, 44]
    volume = read_ct(write_series(tmp_path, Series(hu=sloping_hu), places=places))

    assert volume.shape[2] == 5
    np.testing.assert_allclose(volume.hu, sloping_hu(world_of(volume)), atol=0.51)
    assert "dicom.wide_gap" in codes(volume)


def test_uneven_slices_are_put_on_an_even_grid(tmp_path: Path) -> None:
    places = [0, 1, 2.4, 3.1, 4.0, 5.3, 6.0, 7.0]
    volume = read_ct(write_series(tmp_path, Series(hu=sloping_hu), places=places))

    np.testing.assert_allclose(volume.hu, sloping_hu(world_of(volume)), atol=0.51)
    assert "dicom.uneven_spacing" in codes(volume)


def test_positions_rounded_to_a_tenth_count_as_even(tmp_path: Path) -> None:
    def rounded(dataset: FileDataset, index: int) -> None:
        position = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [position[0], position[1], round(float(position[2]), 1)]

    series = Series(n=17, step_mm=(0.0, 0.0, 0.625), thickness_mm=0.625)
    volume = read_ct(write_series(tmp_path, series, edit=rounded))

    assert "dicom.uneven_spacing" not in codes(volume)
    assert volume.spacing_mm[2] == pytest.approx(0.625, abs=0.01)


def test_doubled_slices_are_used_once(tmp_path: Path) -> None:
    volume = read_ct(write_series(tmp_path, Series(n=10), places=[0, 1, 2, 2, 3, 4, 5, 5, 6, 7]))

    assert_shows_the_world(volume)
    note = next(note for note in volume.findings if note.code == "dicom.doubled_slices")
    assert note.evidence["count"] == 2


def test_the_same_files_twice_are_read_once(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    assert codes(read_ct(tmp_path)) == codes(read_ct(tmp_path / "a"))


def test_of_two_moments_at_every_place_one_is_read(tmp_path: Path) -> None:
    write_series(tmp_path, Series(acquisition=1))
    write_series(tmp_path, Series(acquisition=2, hu=lambda points: world_hu(points) + 7.0))

    first, second = read_ct(tmp_path), read_ct(tmp_path, series="2")

    assert_shows_the_world(first)
    np.testing.assert_array_equal(second.hu, np.rint(world_hu(world_of(second)) + 7.0))
    assert "dicom.several_moments" in codes(first)


def test_damaged_slices_count_as_missing(tmp_path: Path) -> None:
    write_series(tmp_path, Series(n=12, hu=sloping_hu))
    victim = sorted(tmp_path.iterdir())[4]
    victim.write_bytes(victim.read_bytes()[:-500])

    volume = read_ct(tmp_path)

    np.testing.assert_allclose(volume.hu, sloping_hu(world_of(volume)), atol=0.51)
    assert "dicom.damaged_slices" in codes(volume)


def test_many_damaged_slices_are_an_error(tmp_path: Path) -> None:
    write_series(tmp_path)
    for victim in sorted(tmp_path.iterdir())[:4]:
        victim.write_bytes(victim.read_bytes()[:-500])

    with pytest.raises(ReadError, match=r"4 of 8 slices are damaged") as caught:
        read_ct(tmp_path)
    assert caught.value.code == "dicom.damaged"


def test_two_slices_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"2 slices") as caught:
        read_ct(write_series(tmp_path, Series(n=2)))
    assert caught.value.code == "dicom.too_few_slices"


def test_a_missing_rescale_and_another_unit_are_told(tmp_path: Path) -> None:
    def strip(dataset: FileDataset, index: int) -> None:
        del dataset.RescaleSlope
        del dataset.RescaleIntercept

    def rename(dataset: FileDataset, index: int) -> None:
        dataset.RescaleType = "HU_MOD"

    stripped = read_ct(write_series(tmp_path / "a", edit=strip))
    renamed = read_ct(write_series(tmp_path / "b", edit=rename))

    assert {"dicom.no_rescale", "image.offset_values"} <= set(codes(stripped))
    assert "dicom.not_hounsfield" in codes(renamed)


def test_contrast_medium_is_told(tmp_path: Path) -> None:
    def inject(dataset: FileDataset, index: int) -> None:
        dataset.ContrastBolusAgent = "IOHEXOL"

    volume = read_ct(write_series(tmp_path, edit=inject))

    assert "image.contrast" in codes(volume)
    assert volume.facts.contrast_agent == "IOHEXOL"


def test_slices_without_the_usual_identifiers_are_one_series(tmp_path: Path) -> None:
    def anonymise(dataset: FileDataset, index: int) -> None:
        for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
            setattr(dataset, keyword, "")

    volume = read_ct(write_series(tmp_path, edit=anonymise))

    assert_shows_the_world(volume)
    assert volume.facts.sop_instance_uids == ()


def test_files_without_a_preamble_are_read(tmp_path: Path) -> None:
    write_series(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[132:])

    assert_shows_the_world(read_ct(tmp_path))


def test_a_zip_with_nested_folders_is_read_without_unpacking(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "images")
    archive = tmp_path / "ct.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("readme.txt", "hello")
        for file in folder.iterdir():
            target.write(file, f"DICOM/PAT1/STUDY 1/{file.name}")
    before = sorted(path.name for path in tmp_path.iterdir())

    assert_shows_the_world(read_ct(archive))
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_same_input_gives_the_same_volume(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "a", syntax=JPEG2000Lossless)
    one, two = read_ct(folder), read_ct(folder)

    np.testing.assert_array_equal(one.hu, two.hu)
    assert (one.geometry, one.facts, one.findings) == (two.geometry, two.facts, two.findings)


def test_progress_goes_forward_to_nearly_the_end(tmp_path: Path) -> None:
    told: list[float] = []

    read_ct(write_series(tmp_path), progress=lambda fraction, text: told.append(fraction))

    assert told == sorted(told)
    assert 0.0 <= told[0] <= 0.1
    assert 0.85 <= told[-1] <= 1.0


def test_a_single_slice_file_is_not_a_volume(tmp_path: Path) -> None:
    file = tmp_path / "one.dcm"
    file.write_bytes(encoded(slice_dataset(Series(), 0)))

    with pytest.raises(ReadError, match=r"it has 1 slice\b"):
        read_ct(file)


def test_no_error_or_finding_names_the_patient(tmp_path: Path) -> None:
    write_series(tmp_path, Series(n=8))
    write_series(tmp_path, replace(Series(n=2), series=2, patient_id="P2"))
    volume = read_ct(tmp_path)
    with pytest.raises(ReadError) as caught:
        read_ct(tmp_path, series="nothing like it")

    told = " ".join(
        [str(caught.value), *(f"{note.message}{note.where}{note.evidence}" for note in volume.findings)]
    )
    assert "dicom.several_patients" in codes(volume)
    assert "Doe" not in told
    assert "P2" not in told
