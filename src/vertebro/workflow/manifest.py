"""Reading and writing a case's manifest, and the hashes that it rests on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import vertebro
from vertebro.case import InputFile, Manifest, StageRecord
from vertebro.errors import InputError, ReadError
from vertebro.io.case_folder import MANIFEST_NAME, CaseFolder
from vertebro.reporting import manifest_json, validate_document

MAX_INPUT_FILES = 50_000
"""A folder with more files than this is no CT; it is refused before it is read."""

_LIBRARIES = ("numpy", "scipy", "numba", "pydicom", "highdicom")
_CHUNK_BYTES = 1 << 20


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def hash_input(role: str, path: Path) -> InputFile:
    """Identify an input by its bytes: a file's, or the names and bytes of all files of a folder.

    Raises
    ------
    ReadError
        If nothing is there or it cannot be read (``input.not_found``, ``input.unreadable``).
    InputError
        If a folder holds more than ``MAX_INPUT_FILES`` files (``input.too_many_files``).
    """
    if not path.exists():
        raise ReadError(
            "input.not_found",
            got=f"the path {path}, where there is nothing",
            needed=f"the {role} file or folder",
            remedy="Check the spelling, and that the disc is mounted.",
            fields=(role,),
        )
    try:
        if path.is_dir():
            return _hash_folder(role, path)
        if not path.is_file():
            raise ReadError(
                "input.not_a_file",
                got=f"{path}, which is neither a file nor a folder",
                needed=f"the {role} file or folder",
                remedy="Name a regular file or a folder.",
                fields=(role,),
            )
        return InputFile(role, str(path), hash_file(path))
    except OSError as problem:
        raise ReadError(
            "input.unreadable",
            got=f"{path}, which cannot be read ({problem.strerror})",
            needed="a file or folder that may be read",
            remedy="Check its permissions, or copy it to this machine first.",
            fields=(role,),
        ) from problem


def _hash_folder(role: str, root: Path) -> InputFile:
    files: list[Path] = []
    for folder, subfolders, names in os.walk(root, followlinks=False):
        subfolders.sort()
        files.extend(Path(folder, name) for name in sorted(names))
        if len(files) > MAX_INPUT_FILES:
            raise InputError(
                "input.too_many_files",
                got=f"a folder of more than {MAX_INPUT_FILES} files",
                needed="the folder of one examination",
                remedy="Name the examination's own folder.",
                fields=(role,),
            )
    digest = hashlib.sha256()
    n_files = 0
    for path in files:
        if path.is_file():
            digest.update(str(path.relative_to(root)).encode("utf-8", "surrogateescape") + b"\0")
            digest.update(hash_file(path).encode())
            n_files += 1
    return InputFile(role, str(root), digest.hexdigest(), n_files)


def stage_key(content: Mapping[str, object]) -> str:
    """Hash of everything a stage's result depends on."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def platform_facts() -> dict[str, str]:
    """Python, operating system and the versions of the numerical libraries."""
    facts = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    facts.update({name: metadata.version(name) for name in _LIBRARIES})
    return facts


def new_manifest() -> Manifest:
    """An empty manifest of this version on this machine."""
    return Manifest(vertebro_version=vertebro.__version__, platform=platform_facts())


def write_manifest(folder: CaseFolder, manifest: Manifest) -> None:
    """Write ``manifest.json`` in one step, checked against its published schema."""
    folder.write_json(MANIFEST_NAME, manifest_json(manifest))


def read_manifest(folder: CaseFolder) -> Manifest:
    """Read ``manifest.json``.

    Raises
    ------
    ReadError
        If it is missing, damaged or of a newer schema (``case.damaged``, ``case.newer``).
    """
    document = folder.read_json(MANIFEST_NAME)
    try:
        if int(document["schema_version"]) > Manifest("").schema_version:
            raise ReadError(
                "case.newer",
                got=f"a case of manifest schema {document['schema_version']}",
                needed=f"schema {Manifest('').schema_version} or older",
                remedy="Open it with the vertebro version that made it, or a newer one.",
            )
        validate_document(document, "manifest")
        return Manifest(
            vertebro_version=str(document["vertebro_version"]),
            inputs=tuple(InputFile(**item) for item in document["inputs"]),
            options=dict(document["options"]),
            stages=tuple(StageRecord(**item) for item in document["stages"]),
            platform=dict(document["platform"]),
            state=str(document["state"]),
            schema_version=int(document["schema_version"]),
        )
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as problem:
        if isinstance(problem, ReadError):
            raise
        raise ReadError(
            "case.damaged",
            got=f"a damaged {MANIFEST_NAME}",
            needed="the manifest as vertebro wrote it",
            remedy="Run the case again into a new folder.",
        ) from problem
