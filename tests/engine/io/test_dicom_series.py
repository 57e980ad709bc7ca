"""Which series are found in one place, and which is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import FileDataset

from synthetic_dicom import Series, encoded, enhanced_dataset, other_object, write_series
from vertebro.errors import ReadError
from vertebro.io import list_series, read_ct
from vertebro.io.dicom_series import kernel_kind

SCOUT = ("ORIGINAL", "PRIMARY", "LOCALIZER")


def chosen(path: Path) -> int:
    (one,) = [info.number for info in list_series(path) if info.is_chosen]
    return one


def test_a_listed_series_says_what_it_is(tmp_path: Path) -> None:
    (info,) = list_series(write_series(tmp_path))

    assert (info.number, info.n_slices, info.slice_spacing_mm, info.length_mm) == (1, 8, 3.0, 24.0)
    assert (info.orientation, info.kernel_kind, info.is_usable, info.is_chosen) == (
        "axial",
        "soft",
        True,
        True,
    )


def test_series_are_numbered_in_the_scanner_s_order(tmp_path: Path) -> None:
    for number, uid in ((12, 1), (3, 2), (7, 3)):
        write_series(tmp_path / str(uid), Series(series=uid, series_number=number))

    assert [info.key.split(".")[-1] for info in list_series(tmp_path)] == ["2", "3", "1"]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (Series(image_type=SCOUT), Series()),
        (Series(n=2), Series()),
        (Series(body_part="HEAD", n=20), Series(body_part="CHEST")),
        (Series(image_type=("DERIVED", "SECONDARY", "AXIAL"), n=20), Series()),
        (
            Series(
                n=30,
                column_direction=(0.0, 0.0, -1.0),
                step_mm=(0.0, 1.0, 0.0),
                first_lps_mm=(-43.0, -15.0, 39.0),
            ),
            Series(),
        ),
        (Series(n=20, step_mm=(0.0, 0.0, 5.0)), Series(n=20, step_mm=(0.0, 0.0, 2.0))),
        (Series(n=9, step_mm=(0.0, 0.0, 1.0)), Series(n=8, step_mm=(0.0, 0.0, 3.0))),
        (Series(n=8, step_mm=(0.0, 0.0, 3.0)), Series(n=20, step_mm=(0.0, 0.0, 1.0))),
        (Series(kernel="Br64"), Series(kernel="Br40")),
    ],
    ids=["scout", "two slices", "head", "derived", "coronal", "thick", "short", "coarser", "sharp"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["better first", "better last"])
def test_the_rule_prefers(tmp_path: Path, worse: Series, better: Series, is_first: bool) -> None:
    numbers = (1, 2) if is_first else (2, 1)
    write_series(tmp_path / "b", replace(better, series=numbers[0], series_number=numbers[0]))
    write_series(tmp_path / "w", replace(worse, series=numbers[1], series_number=numbers[1]))

    assert chosen(tmp_path) == numbers[0]


def test_a_series_is_asked_for_by_number_uid_or_its_beginning(tmp_path: Path) -> None:
    write_series(tmp_path / "a", Series(series=41, series_number=1))
    write_series(tmp_path / "b", Series(series=52, series_number=2, n=9))
    uid = list_series(tmp_path)[1].key

    for wanted in ("2", uid, uid[:-1]):
        assert read_ct(tmp_path, series=wanted).shape[2] == 9


@pytest.mark.parametrize("wanted", ["3", "9.9", "1.2.826", ""])
def test_a_series_that_is_not_there_or_not_one_is_an_error(tmp_path: Path, wanted: str) -> None:
    write_series(tmp_path / "a", Series(series=41, series_number=1))
    write_series(tmp_path / "b", Series(series=52, series_number=2))

    with pytest.raises(ReadError, match=r"1: 8 axial slices every 3 mm, kernel Br40; 2: 8 axial") as caught:
        read_ct(tmp_path, series=wanted)
    assert caught.value.code == "dicom.series_unknown"


def test_the_choice_and_its_reason_are_told(tmp_path: Path) -> None:
    write_series(tmp_path / "a", Series(series=1, series_number=1, step_mm=(0.0, 0.0, 5.0)))
    write_series(tmp_path / "b", Series(series=2, series_number=2, n=20, step_mm=(0.0, 0.0, 2.0)))

    (note,) = [note for note in read_ct(tmp_path).findings if note.code == "dicom.series_chosen"]

    assert "Series 2 of 2 was read, the best of 2 by the rule" in note.message
    assert "20 axial original slices 2 mm apart over 40 mm, with a soft kernel" in note.message


def test_a_scout_inside_the_series_is_set_aside(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    scout = Series(n=1, image_type=SCOUT, acquisition=2, column_direction=(0.0, 0.0, -1.0))
    write_series(tmp_path / "b", scout)

    assert read_ct(tmp_path).shape == (44, 40, 8)
    assert [info.why_not for info in list_series(tmp_path)] == ["", "it is a scout radiograph"]


def test_other_objects_are_counted_in_a_word(tmp_path: Path) -> None:
    write_series(tmp_path)
    (tmp_path / "mr1").write_bytes(encoded(other_object("1.2.840.10008.5.1.4.1.1.4", "MR", 31)))
    (tmp_path / "sr").write_bytes(encoded(other_object("1.2.840.10008.5.1.4.1.1.88.33", "SR", 32)))
    (tmp_path / "sc").write_bytes(encoded(other_object("1.2.840.10008.5.1.4.1.1.7", "CT", 33)))
    (tmp_path / "plan").write_bytes(encoded(other_object("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN", 34)))
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture that is no DICOM file")

    (note,) = [note for note in read_ct(tmp_path).findings if note.code == "dicom.other_objects"]

    assert note.message == (
        "Passed over: 1 MR image, 1 radiotherapy object, 1 secondary capture picture, 1 structured report."
    )


def test_without_a_ct_the_error_says_what_is_there(tmp_path: Path) -> None:
    for number in range(5):
        dataset = other_object("1.2.840.10008.5.1.4.1.1.4", "MR", 50 + number)
        dataset.SeriesInstanceUID = f"1.2.3.{number % 2}"
        (tmp_path / f"mr{number}").write_bytes(encoded(dataset))
    (tmp_path / "sr").write_bytes(encoded(other_object("1.2.840.10008.5.1.4.1.1.88.11", "SR", 32)))

    with pytest.raises(ReadError, match=r"2 MR series of 5 images, 1 structured report") as caught:
        read_ct(tmp_path)
    assert caught.value.code == "dicom.no_ct"


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no DICOM images among 0 files"):
        read_ct(tmp_path)


def test_a_mix_of_patients_is_told_and_only_one_is_read(tmp_path: Path) -> None:
    write_series(tmp_path / "a", Series(patient_id="P1"))
    write_series(tmp_path / "b", Series(patient_id="P2", series=2, series_number=2))

    volume = read_ct(tmp_path)

    assert volume.facts.patient_id == "P1"
    assert "dicom.several_patients" in [note.code for note in volume.findings]


def test_a_series_in_another_unit_cannot_be_chosen(tmp_path: Path) -> None:
    def effective(dataset: FileDataset, index: int) -> None:
        dataset.RescaleType = "Z_EFF"

    write_series(tmp_path, edit=effective)

    with pytest.raises(ReadError, match=r"no Hounsfield units \(Z_EFF\)") as caught:
        read_ct(tmp_path, series="1")
    assert caught.value.code == "dicom.series_unusable"


def test_an_enhanced_object_beside_a_series_is_another_series(tmp_path: Path) -> None:
    write_series(tmp_path)
    (tmp_path / "enhanced").write_bytes(encoded(enhanced_dataset(Series(series=5, series_number=5))))

    assert [info.n_slices for info in list_series(tmp_path)] == [8, 8]


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [
        ("B30f", "soft"),
        ("Br64d", "sharp"),
        ("STANDARD", "soft"),
        ("BONEPLUS", "sharp"),
        ("FC08", "soft"),
        ("FC30", "sharp"),
    ],
)
def test_kernels_are_told_apart(kernel: str, kind: str) -> None:
    assert kernel_kind(kernel) == kind
