"""The case folder: every result of a case on disk, written so that a crash leaves a valid folder.

Files are written beside their place and renamed into it, so that a reader never sees half a file.
Results are kept twice where that serves: as documented JSON for people and other programs, and
losslessly in ``state/`` (JSON plus arrays) so that a later stage starts from the very same numbers.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import tempfile
import types
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, cast

import numpy as np

from vertebro import case, findings, imaging
from vertebro.errors import InputError, ReadError
from vertebro.io.declared_types import require_declared_types
from vertebro.io.untrusted import DamagedBytes, damage

MANIFEST_NAME = "manifest.json"
MAX_JSON_BYTES = 64 << 20
"""A JSON file of a case longer than this is refused (assumed: a whole spine's assessment takes 1 MB)."""
MAX_ARRAYS_BYTES = 3 << 30
"""Arrays of one result larger than this together are refused, whatever their file claims (assumed: a
whole-body CT of 512 × 512 × 2000 voxels takes 2 GB)."""
_STATE = "state"

_NOUNS: dict[str, type] = {
    name: kind
    for module in (case, findings, imaging)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum))
}
"""The only types that a state file may name: a state file from elsewhere can build nothing else."""


class CaseFolder:
    """A case on disk.

    Parameters
    ----------
    root : path
        The folder; made when first written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = CaseFolder(Path(tempfile.mkdtemp()) / "case")
    >>> folder.write_json("note.json", {"b": 1, "a": 2})
    PosixPath('note.json')
    >>> folder.read_json("note.json")
    {'a': 2, 'b': 1}
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)

    @classmethod
    def open_for_writing(cls, root: str | os.PathLike[str]) -> CaseFolder:
        """Take a folder for a case's results.

        Raises
        ------
        InputError
            If the folder holds other things and no case (``case.not_empty``), or is no folder
            (``case.not_a_folder``), or cannot be written (``case.not_writable``): nothing of a
            person's is ever overwritten.
        """
        folder = cls(root)
        if folder.root.exists() and not folder.root.is_dir():
            raise InputError(
                "case.not_a_folder",
                got=f"{folder.root}, which is a file",
                needed="a folder for the case's results",
                remedy="Choose another name after -o.",
            )
        try:
            if folder.root.is_dir() and not folder.is_case and any(folder.root.iterdir()):
                raise InputError(
                    "case.not_empty",
                    got=f"the folder {folder.root}, which holds other files and no case",
                    needed="a new or empty folder, or an earlier case",
                    remedy="Choose another folder after -o; nothing was changed.",
                )
            folder.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder.root):
                pass
        except OSError as problem:
            raise InputError(
                "case.not_writable",
                got=f"the folder {folder.root}, which cannot be written ({problem.strerror})",
                needed="a folder that can be written",
                remedy="Choose another folder after -o, or free some space.",
            ) from problem
        return folder

    @classmethod
    def open_existing(cls, root: str | os.PathLike[str]) -> CaseFolder:
        """Open a case that was made before.

        Raises
        ------
        ReadError
            If there is no manifest there (``case.not_found``).
        """
        folder = cls(root)
        if not folder.is_case:
            raise ReadError(
                "case.not_found",
                got=f"{folder.root}, which holds no {MANIFEST_NAME}",
                needed="a case folder",
                remedy="Make one with: vertebro run CT --labels LABELS -o CASE.",
            )
        return folder

    @property
    def is_case(self) -> bool:
        """Whether a manifest is there."""
        return (self.root / MANIFEST_NAME).is_file()

    def path(self, relative: str | Path) -> Path:
        """The place of a file inside the folder; its parent is made.

        Raises
        ------
        InputError
            If the place would lie outside the folder (``case.outside``).
        """
        target = (self.root / relative).resolve()
        if not target.is_relative_to(self.root.resolve()):
            raise InputError(
                "case.outside",
                got=f"the path {relative}",
                needed="a path inside the case folder",
                remedy="Name files relative to the case folder, without '..'.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def file(self, relative: str | Path) -> Path | None:
        """A file that lies in the folder itself; None where there is none, or only a link to elsewhere.

        Nothing is made or changed.
        """
        try:
            root = self.root.resolve()
            place = root / relative
            return place if place.resolve() == place and place != root and place.is_file() else None
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name no file can have
            return None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other runs out of the folder while the block works in it.

        The lock ends with the process, so that a crash leaves nothing to clean up.

        Raises
        ------
        InputError
            If another run is working there (``case.in_use``).
        """
        handle = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise InputError(
                    "case.in_use",
                    got=f"the case folder {self.root}, in which another run is working",
                    needed="one run at a time in a case folder",
                    remedy="Wait for the other run, or choose another folder.",
                ) from problem
            except OSError:  # a network folder without locks: two runs there are the person's to avoid
                pass
            yield
        finally:
            os.close(handle)

    @contextmanager
    def replacing(self, relative: str | Path) -> Iterator[Path]:
        """A temporary path that becomes ``relative`` when the block ends well, and vanishes when not."""
        target = self.path(relative)
        suffix = "".join(target.suffixes[-2:])
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part{suffix}")
        try:
            yield temporary
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def write_json(self, relative: str, content: object) -> Path:
        """Write JSON with sorted keys, so that the same content is the same bytes; returns ``relative``."""
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        with self.replacing(relative) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        return Path(relative)

    def read_json(self, relative: str) -> Any:
        """Read JSON written before.

        Raises
        ------
        ReadError
            If the file is missing or damaged (``case.damaged``).
        """
        path = self.file(relative)
        if path is None:
            raise self._damaged(relative)
        try:
            with path.open("rb") as stream:
                text = stream.read(MAX_JSON_BYTES + 1)
            if len(text) > MAX_JSON_BYTES:
                raise self._damaged(relative)
            return json.loads(text.decode("utf-8"))
        except (OSError, ValueError, RecursionError) as problem:
            if isinstance(problem, ReadError):
                raise
            raise self._damaged(relative) from problem

    def save_noun(self, name: str, noun: object) -> list[Path]:
        """Keep a result losslessly as ``state/<name>.json`` and ``state/<name>.npz``; returns both paths."""
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        document = _encode(noun, arrays)
        json_path = self.write_json(f"{_STATE}/{name}.json", document)
        npz_path = Path(f"{_STATE}/{name}.npz")
        with self.replacing(npz_path) as temporary:
            _write_npz(temporary, arrays)
        return [json_path, npz_path]

    def load_noun(self, name: str, kind: type = object) -> Any:
        """Load what :meth:`save_noun` kept, a noun of the given kind.

        Raises
        ------
        ReadError
            If a file is missing, damaged or larger than any result is (``case.damaged``).
        """
        document = self.read_json(f"{_STATE}/{name}.json")
        path = self.file(f"{_STATE}/{name}.npz")
        if path is None:
            raise self._damaged(f"{_STATE}/{name}.npz")
        try:
            with damage():
                noun = _decode(document, _read_npz(path))
            if isinstance(noun, kind):
                return noun
            raise DamagedBytes("another kind of result")
        except DamagedBytes as problem:
            raise self._damaged(f"{_STATE}/{name}") from problem

    def _damaged(self, relative: str) -> ReadError:
        return ReadError(
            "case.damaged",
            got=f"{relative} in the case folder, missing or damaged",
            needed="the file as vertebro wrote it",
            remedy="Run the case again into a new folder.",
        )


def _write_npz(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """An ``.npz`` whose bytes depend on nothing but the arrays (NumPy's own carries the time of day)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for key, array in arrays.items():
            entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def _read_npz(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of an ``.npz``; each header is held against the bytes that are there before any is read.

    Raises
    ------
    ValueError, OSError, zipfile.BadZipFile, zlib.error
        If the archive is damaged or promises more than ``MAX_ARRAYS_BYTES``.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_ARRAYS_BYTES:
            raise ValueError("more arrays than a result has")
        for entry in entries:
            with archive.open(entry) as stream:
                _check_npy(cast(BinaryIO, stream), entry.file_size)
            with archive.open(entry) as stream:
                array = np.lib.format.read_array(stream, allow_pickle=False)
            arrays[entry.filename.removesuffix(".npy")] = array
    return arrays


def _check_npy(stream: BinaryIO, size: int) -> None:
    """Refuse an array whose header promises other bytes than there are: room for it is set aside first."""
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array of another format")
    try:
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    except (SyntaxError, TokenError) as problem:  # NumPy reads the header as Python text
        raise ValueError("an array's header that is no header") from problem
    if min(shape, default=0) < 0 or stream.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError("an array's header that does not fit its bytes")


def _encode(value: object, arrays: dict[str, np.ndarray[Any, Any]]) -> object:
    if isinstance(value, Enum):
        return {"@": type(value).__name__, "value": value.value}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        key = f"a{len(arrays)}"
        arrays[key] = value
        return {"@": "array", "key": key}
    if isinstance(value, tuple | list):
        return [_encode(entry, arrays) for entry in value]
    if isinstance(value, Mapping):
        return {"@": "map", "items": [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]}
    if is_dataclass(value) and type(value).__name__ in _NOUNS:
        named = {item.name: _encode(getattr(value, item.name), arrays) for item in fields(value)}
        return {"@": type(value).__name__, "fields": named}
    raise TypeError(f"{type(value).__name__} is not a noun of a case")


def _decode(value: object, arrays: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(entry, arrays) for entry in value)
    if not isinstance(value, dict):
        return value
    tag = value["@"]
    if tag == "array":
        array = arrays[value["key"]]
        array.setflags(write=False)
        return array
    if tag == "map":
        return types.MappingProxyType({_decode(k, arrays): _decode(v, arrays) for k, v in value["items"]})
    kind = _NOUNS[tag]
    if "value" in value:
        return kind(value["value"])
    noun = kind(**{name: _decode(entry, arrays) for name, entry in value["fields"].items()})
    require_declared_types(noun)
    return noun
