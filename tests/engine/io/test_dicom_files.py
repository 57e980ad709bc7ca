"""Folders, zips and discs are searched without trusting them."""

from __future__ import annotations

import os
import stat
import subprocess
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from external_tools import require_tool
from synthetic_dicom import Series, encoded, slice_dataset, write_series
from vertebro.errors import ReadError
from vertebro.findings import Finding
from vertebro.io import read_ct
from vertebro.io.dicom_files import open_files


def notes_of(path: Path, code: str) -> list[Finding]:
    return [note for note in read_ct(path).findings if note.code == code]


def test_files_come_in_the_order_of_their_names_whatever_the_folders(tmp_path: Path) -> None:
    for name in ("b/2", "a/x/9", "a/1", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    with open_files(tmp_path) as files:
        assert [file.name for file in files.files] == ["a/1", "a/x/9", "b/2", "c"]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    write_series(tmp_path / "other", Series(series=2, series_number=2))
    folder = write_series(tmp_path / "mine")
    (folder / "folder").symlink_to(tmp_path / "other")
    (folder / "file").symlink_to(next((tmp_path / "other").iterdir()))
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to(tmp_path / "gone")

    (note,) = notes_of(folder, "dicom.files_passed_over")

    assert note.evidence == {"reason": "link", "count": 4}


def test_links_that_stay_inside_are_what_they_lead_to(tmp_path: Path) -> None:
    store = write_series(tmp_path / "store")
    (tmp_path / "links").mkdir()
    for file in sorted(store.iterdir()):
        (tmp_path / "links" / file.name).symlink_to(file)

    assert notes_of(tmp_path, "dicom.files_passed_over") == []


def test_a_pipe_in_the_folder_is_not_opened(tmp_path: Path) -> None:
    write_series(tmp_path)
    os.mkfifo(tmp_path / "pipe")

    (note,) = notes_of(tmp_path, "dicom.files_passed_over")

    assert note.evidence["reason"] == "special"


def zipped(path: Path, **members: bytes) -> Path:
    """A zip of a whole series and of further members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for index in range(8):
            target.writestr(f"S/{index}", encoded(slice_dataset(Series(), index)))
        for name, content in members.items():
            target.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "C:/evil", "..\\evil"])
def test_zip_names_that_lead_out_are_passed_over(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "ct.zip", **{name: b"x"})

    (note,) = notes_of(path, "dicom.files_passed_over")

    assert note.evidence == {"reason": "tricks", "count": 1}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["ct.zip"]


def test_a_bomb_in_a_zip_is_passed_over(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ct.zip", bomb=bytes(100 * 2**20))

    (note,) = notes_of(path, "dicom.files_passed_over")

    assert note.evidence["reason"] == "bombs"


def test_links_and_archives_in_a_zip_are_passed_over(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ct.zip", **{"inner.zip": b"PK\x03\x04"})
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as target:
        target.writestr(link, "/etc/passwd")

    reasons = {note.evidence["reason"] for note in notes_of(path, "dicom.files_passed_over")}

    assert reasons == {"archives", "link"}


def test_a_locked_zip_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "locked.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("a", b"secret")
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    with pytest.raises(ReadError, match="under a password") as caught:
        read_ct(path)
    assert caught.value.code == "dicom.zip_locked"


def test_a_broken_zip_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ct.zip")
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(ReadError) as caught:
        read_ct(path)
    assert caught.value.code == "dicom.zip"


def write_index(folder: Path, references: list[list[str]]) -> None:
    """A DICOMDIR with one image record for each reference."""
    uid = "1.2.840.10008.1.3.10"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = uid, "1.2.3.4"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    index.FileSetID, records = "DISC", []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the toolkit rightly dislikes some of the names
        for reference in references:
            record = Dataset()
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", reference
            record.ReferencedSOPClassUIDInFile = "1.2.840.10008.5.1.4.1.1.2"
            records.append(record)
        index.DirectoryRecordSequence = records
        pydicom.dcmwrite(folder / "DICOMDIR", index, enforce_file_format=True)


def disc(folder: Path, *further: list[str]) -> Path:
    """A disc with its images and an index that names them, and further files."""
    write_series(folder / "DICOM" / "ST0")
    names = sorted(path.name for path in (folder / "DICOM" / "ST0").iterdir())
    write_index(folder, [["DICOM", "ST0", name] for name in names] + list(further))
    return folder


@pytest.mark.parametrize("entry", ["", "DICOMDIR"])
def test_a_disc_is_read_from_its_folder_or_its_index(tmp_path: Path, entry: str) -> None:
    volume = read_ct(disc(tmp_path / "cd") / entry)

    assert volume.shape == (44, 40, 8)
    assert not any(note.code.startswith("dicom.disc") for note in volume.findings)


def test_files_missing_from_a_disc_are_told(tmp_path: Path) -> None:
    folder = disc(tmp_path / "cd", ["DICOM", "ST0", "GONE"])

    (note,) = notes_of(folder, "dicom.disc_files_missing")

    assert note.evidence == {"missing": 1, "listed": 9}


def test_an_index_in_other_letters_than_the_files_fits(tmp_path: Path) -> None:
    folder = disc(tmp_path / "cd")
    (folder / "DICOM").rename(folder / "dicom")

    assert notes_of(folder, "dicom.disc_files_missing") == []


def test_an_index_made_by_another_toolkit_fits(tmp_path: Path) -> None:
    tool = require_tool("dcmmkdir", "apt-get install dcmtk")
    write_series(tmp_path / "DICOM")
    subprocess.run([str(tool), "--general-purpose", "--invent", "+r", "DICOM"], cwd=tmp_path, check=True)

    volume = read_ct(tmp_path / "DICOMDIR")

    assert volume.shape == (44, 40, 8)
    assert not any(note.code.startswith("dicom.disc") for note in volume.findings)


def test_a_broken_index_is_passed_over(tmp_path: Path) -> None:
    folder = disc(tmp_path / "cd")
    index = folder / "DICOMDIR"
    index.write_bytes(index.read_bytes()[:400] + b"\xff" * 40)

    assert read_ct(folder).shape == (44, 40, 8)


def test_an_index_that_leads_out_of_the_disc_is_not_followed(tmp_path: Path) -> None:
    write_series(tmp_path / "outside", Series(series=9))
    outside = next((tmp_path / "outside").iterdir()).name
    folder = disc(tmp_path / "cd", ["..", "outside", outside], ["/etc", "passwd"])

    volume = read_ct(folder)

    assert volume.facts.series_uid.endswith(".1")
    assert [note.evidence["count"] for note in volume.findings if note.code == "dicom.disc_index"] == [2]


def test_a_path_where_nothing_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        read_ct(tmp_path / "nothing")
    assert caught.value.code == "read.missing"


def test_reading_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    volume = read_ct(folder)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert np.isfinite(volume.hu).all()
