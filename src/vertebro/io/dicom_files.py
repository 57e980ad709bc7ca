"""The files of a DICOM folder, zip, disc or single file, opened without trusting any of them.

Nothing is ever unpacked to disk. What is not a plain file inside the place given (links that lead
out of it, devices, names in a zip that climb out of it, bombs) is passed over with a finding.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from vertebro.errors import ReadError
from vertebro.findings import Finding, finding
from vertebro.io.untrusted import BoundedStream, DamagedBytes, parsing

MAX_FILES = 100_000
"""Files looked at in one place (assumed: a full disc of CT holds some 5,000)."""
MAX_DEPTH = 32
"""Folders inside folders (assumed: discs use at most 8)."""
MAX_ZIP_RATIO = 200.0
"""A zip member above :data:`BOMB_BYTES` that shrank by more is no image (CT shrinks 2 to 4 times)."""
BOMB_BYTES = 64 * 2**20
"""Members unpacking to less are harmless whatever their ratio: empty margins shrink very well."""

_PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ENCRYPTED_FLAG = 0x1


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the place given."""

    name: str
    """Path inside the place, with ``/``; for sorting and for the disc's index, not for messages."""
    size: int
    opener: Callable[[], AbstractContextManager[BinaryIO]] = field(repr=False, compare=False)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """A seekable stream that reads no further than the file is long."""
        with self.opener() as raw:
            yield cast(BinaryIO, BoundedStream(raw, self.size))


@dataclass(frozen=True, slots=True)
class FileSet:
    """All plain files of a place, in the order of their names."""

    kind: str
    """``"folder"``, ``"zip"``, ``"disc"`` or ``"file"``."""
    files: tuple[StoredFile, ...]
    findings: tuple[Finding, ...] = ()


@contextmanager
def open_files(path: Path) -> Iterator[FileSet]:
    """Everything under ``path``, ready to be opened while the context lasts.

    Parameters
    ----------
    path : path
        A folder, a zip, a disc (its folder or its ``DICOMDIR``) or one file.

    Raises
    ------
    ReadError
        If the path cannot be looked at (``read.unreadable``), holds too many files
        (``dicom.too_many_files``) or is a broken zip (``dicom.zip``).
    """
    if path.name.upper() == "DICOMDIR" and path.is_file():
        path = path.parent
    if path.is_dir():
        yield _with_disc_index(_folder(path))
    elif _is_zip(path):
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as problem:
            raise _broken_zip() from problem
        with archive:
            yield _with_disc_index(_zip(archive))
    else:
        yield FileSet("file", (_stored(path, path.name, _size(path)),))


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as problem:
        raise _unreadable() from problem
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable()
    return status.st_size


def _is_zip(path: Path) -> bool:
    _size(path)
    try:
        with path.open("rb") as stream:
            return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError as problem:
        raise _unreadable() from problem


def _unreadable() -> ReadError:
    return ReadError(
        "read.unreadable",
        got="a file or folder that may not be read",
        needed="plain files with permission to read them",
        remedy="Check the permissions and that the disc or drive is still connected.",
        fields=("path",),
    )


def _broken_zip() -> ReadError:
    return ReadError(
        "dicom.zip",
        got="a zip file that is damaged",
        needed="a complete zip file",
        remedy="Download or copy the zip file again, or unpack it and give the folder.",
        fields=("path",),
    )


def _too_many() -> ReadError:
    return ReadError(
        "dicom.too_many_files",
        got=f"more than {MAX_FILES} files",
        needed=f"at most {MAX_FILES} files in one place",
        remedy="Give the folder of the CT itself.",
        fields=("path",),
    )


# --- folders -----------------------------------------------------------------------------------


def _stored(path: Path, name: str, size: int) -> StoredFile:
    return StoredFile(name, size, lambda: cast("AbstractContextManager[BinaryIO]", path.open("rb")))


def _folder(root: Path) -> FileSet:
    """All plain files below ``root``; links that stay inside it count as what they lead to."""
    try:
        root = root.resolve(strict=True)
        with os.scandir(root):
            pass
    except (OSError, RuntimeError) as problem:
        raise _unreadable() from problem
    skipped: Counter[str] = Counter()
    found: list[StoredFile] = []
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            skipped["unreadable"] += 1
            continue
        for entry in entries:
            kind, size = _kind(entry, root)
            if kind == "folder":
                if depth + 1 > MAX_DEPTH:
                    skipped["deep"] += 1
                else:
                    pending.append((Path(entry.path), depth + 1))
            elif kind == "file":
                name = Path(entry.path).relative_to(root).as_posix()
                found.append(_stored(Path(entry.path), name, size))
            else:
                skipped[kind] += 1
        if len(found) + len(pending) > MAX_FILES:
            raise _too_many()
    found.sort(key=lambda file: file.name)
    return FileSet("folder", tuple(found), tuple(_skipped_findings(skipped)))


def _kind(entry: os.DirEntry[str], root: Path) -> tuple[str, int]:
    """What a directory entry is: ``"folder"``, ``"file"`` with its size, or why it is passed over."""
    try:
        if entry.is_symlink():
            target = Path(entry.path).resolve(strict=True)
            if not target.is_relative_to(root) or not target.is_file():
                return "link", 0
        elif entry.is_dir(follow_symlinks=False):
            return "folder", 0
        status = entry.stat()
    except (OSError, RuntimeError):
        return "link" if entry.is_symlink() else "unreadable", 0
    return ("file", status.st_size) if stat.S_ISREG(status.st_mode) else ("special", 0)


_SKIP_REASONS = {
    "link": "links that lead out of the folder, to folders or nowhere",
    "special": "devices or pipes",
    "unreadable": "files or folders that may not be read",
    "deep": f"folders more than {MAX_DEPTH} levels down",
    "tricks": "zip entries whose names lead out of the zip",
    "bombs": "zip entries that would unpack to an absurd size",
    "locked": "zip entries under a password",
    "methods": "zip entries packed by an unusual method",
    "archives": "archives inside the archive",
}


def _skipped_findings(skipped: Counter[str]) -> Iterator[Finding]:
    for kind, count in sorted(skipped.items()):
        yield finding(
            "dicom.files_passed_over",
            f"Passed over without opening: {count} × {_SKIP_REASONS[kind]}.",
            evidence={"reason": kind, "count": count},
        )


# --- zips --------------------------------------------------------------------------------------


def _zip(archive: zipfile.ZipFile) -> FileSet:
    """All plain members; each is read as a stream, never unpacked to disk or whole to memory."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise _too_many()
    skipped: Counter[str] = Counter()
    found: list[StoredFile] = []
    for entry in entries:
        if entry.is_dir():
            continue
        reason = _refusal(entry)
        if reason:
            skipped[reason] += 1
        else:
            found.append(StoredFile(entry.filename, entry.file_size, _member_opener(archive, entry)))
    found.sort(key=lambda file: file.name)
    if not found and skipped["locked"]:
        raise ReadError(
            "dicom.zip_locked",
            got="a zip file under a password",
            needed="a zip file without a password",
            remedy="Unpack it with its password and give the folder.",
            fields=("path",),
        )
    return FileSet("zip", tuple(found), tuple(_skipped_findings(skipped)))


def _refusal(entry: zipfile.ZipInfo) -> str:
    """Why a zip entry is not opened; empty if it is fine."""
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or (parts and parts[0].endswith(":")):
        return "tricks"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "link"
    if entry.flag_bits & _ZIP_ENCRYPTED_FLAG:
        return "locked"
    if entry.compress_type not in _PLAIN_METHODS:
        return "methods"
    if name.lower().endswith((".zip", ".7z", ".rar", ".tar", ".gz", ".iso")):
        return "archives"
    ratio = entry.file_size / max(entry.compress_size, 1)
    return "bombs" if entry.file_size > BOMB_BYTES and ratio > MAX_ZIP_RATIO else ""


def _member_opener(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo
) -> Callable[[], AbstractContextManager[BinaryIO]]:
    def opener() -> AbstractContextManager[BinaryIO]:
        return cast("AbstractContextManager[BinaryIO]", archive.open(entry))

    return opener


# --- discs -------------------------------------------------------------------------------------


def _with_disc_index(files: FileSet) -> FileSet:
    """Compare a disc's index (``DICOMDIR``) with the files that are there.

    The index is used only to tell what is missing: every file is looked at in any case, so a
    wrong or broken index can neither hide an image nor lead anywhere else.
    """
    index = next((file for file in files.files if PurePosixPath(file.name).name.upper() == "DICOMDIR"), None)
    if index is None:
        return files
    try:
        with index.open() as stream:
            references = _references(stream)
    except (DamagedBytes, OSError):
        note = finding("dicom.disc_index", "The disc's index (DICOMDIR) is damaged; its files were searched.")
        return FileSet("disc", files.files, (*files.findings, note))
    base = PurePosixPath(index.name).parent
    present = {file.name.upper().rstrip(".") for file in files.files}
    tricks = [parts for parts in references if not all(_is_plain_component(part) for part in parts)]
    wanted = {
        (base / PurePosixPath(*parts)).as_posix().upper() for parts in references if parts not in tricks
    }
    missing = sorted(wanted - present)
    notes: list[Finding] = []
    if tricks:
        message = f"The disc's index points {len(tricks)} times out of the disc; that was not followed."
        notes.append(finding("dicom.disc_index", message, evidence={"count": len(tricks)}))
    if missing:
        message = f"The disc's index names {len(missing)} of {len(wanted)} files that are not on it."
        evidence = {"missing": len(missing), "listed": len(wanted)}
        notes.append(finding("dicom.disc_files_missing", message, evidence=evidence))
    return FileSet("disc", files.files, (*files.findings, *notes))


def _is_plain_component(part: str) -> bool:
    return bool(part) and part not in (".", "..") and not set(part) & set("/\\:\0")


def _references(stream: BinaryIO) -> list[tuple[str, ...]]:
    """The path components of every file that a DICOMDIR names."""
    import pydicom  # noqa: PLC0415 - loading it takes longer than reading a NIfTI file

    with parsing():
        directory = pydicom.dcmread(stream, specific_tags=["DirectoryRecordSequence"])
        references = []
        for record in directory.get("DirectoryRecordSequence") or []:
            parts = record.get("ReferencedFileID")
            if parts:
                references.append((parts,) if isinstance(parts, str) else tuple(str(part) for part in parts))
        return references
