"""Vertebra labels from a DICOM segmentation (SEG): binary, fractional or label map.

Segments are named by their code (DICOM CID 7603) or, failing that, by their label's text. Frames are
put on one regular grid by their positions; slices that the file leaves out are empty. Nothing is
trusted: sizes are checked against the bytes that are there before anything is allocated.
World frame: DICOM LPS, millimetres.

References
----------
.. [1] DICOM PS3.3, C.8.20 (segmentation), C.7.6.16 (functional groups).
.. [2] DICOM PS3.16, CID 7603 Vertebra.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import ReadError
from vertebro.findings import Finding, finding
from vertebro.imaging import VolumeGeometry
from vertebro.io.dicom_files import StoredFile
from vertebro.io.dicom_header import inflated
from vertebro.io.dicom_seg_frames import fill_labels, read_frames, regular_grid
from vertebro.io.dicom_values import first_item, items, text, whole
from vertebro.io.label_conventions import snomed_codes, verse_numbers
from vertebro.io.label_grid import count_values
from vertebro.io.untrusted import DamagedBytes, parsing

if TYPE_CHECKING:
    from pydicom import Dataset

SEG_CLASSES = (b"1.2.840.10008.5.1.4.1.1.66.4", b"1.2.840.10008.5.1.4.1.1.66.7")
"""SOP Class UIDs: segmentation, label map segmentation."""
MAX_FILE_BYTES = 2**30
FIRST_UNNAMED = 101

_LEVEL_TEXT = re.compile(
    r"(?<![A-Za-z0-9])(?:(C[1-7])|(?:TH|T|D)(1[0-3]|[1-9])|(L[1-6])|(S1))(?![A-Za-z0-9])", re.IGNORECASE
)
_NOT_A_VERTEBRA = re.compile(
    r"dis[ck]|rib|nerve|root|cement|screw|canal|cord|lesion|tumou?r|muscle", re.IGNORECASE
)
_VERTEBRA_CODE = "51282000"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of the file: its number and what it is."""

    number: int
    level: str
    """Level name; ``"vertebra"`` for a vertebra that nothing names; empty for anything else."""
    meaning: str
    """Meaning of its property type code, for messages."""
    is_contradictory: bool = False
    """Code and text name different levels."""


@dataclass(eq=False, slots=True)
class SegContent:
    """A segmentation as labels on a grid."""

    labels: NDArray[np.uint8]
    geometry: VolumeGeometry
    names: Mapping[int, str]
    patient_id: str
    source: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)


def is_seg(file: StoredFile) -> bool:
    """Whether a file begins like a DICOM segmentation."""
    try:
        with parsing(), file.open() as stream:
            start = stream.read(4096)
    except DamagedBytes:
        return False
    return any(name in start for name in SEG_CLASSES) and (
        start[128:132] == b"DICM" or start[:1] in b"\x02\x08"
    )


def read_seg(file: StoredFile) -> SegContent:
    """Read a DICOM segmentation of vertebrae.

    Parameters
    ----------
    file : StoredFile

    Returns
    -------
    SegContent
        Axes of the array: along rows, along columns, along the slices. Values are VerSe's numbers for
        levels that have one, 101 and up otherwise.

    Raises
    ------
    ReadError
        If it cannot be read (``labels.seg_damaged``), names no vertebra (``labels.seg_no_vertebra``),
        or marks no voxel (``labels.empty``).
    GeometryError
        If its frames lie on no regular grid (``labels.seg_grid``).
    """
    if file.size > MAX_FILE_BYTES:
        raise _damaged(f"a segmentation file of {file.size / 2**30:.1f} GB")
    try:
        with parsing():
            dataset = _parse(file)
            segments = _segments(dataset)
            frames = read_frames(dataset)
            source = _source(dataset)
            patient_id = text(dataset, "PatientID")
    except DamagedBytes as problem:
        raise _damaged(f"a DICOM segmentation that cannot be parsed ({problem})") from problem
    names, values, notes = _naming(segments)
    if not names:
        raise ReadError(
            "labels.seg_no_vertebra",
            got=f"a segmentation of {len(segments)} segments, none of which is named as a vertebra",
            needed="segments coded or labelled as vertebrae, such as 'L1 vertebra'",
            remedy="Give the segmentation of the spine, or name its segments by level.",
        )
    geometry, slices = regular_grid(frames)
    try:
        with parsing():
            labels, n_overlapping = fill_labels(dataset, frames, slices, values, geometry.shape)
    except DamagedBytes as problem:
        raise _damaged(f"a DICOM segmentation whose pixels cannot be decoded ({problem})") from problem
    if not labels.any():
        raise ReadError(
            "labels.empty",
            got="a DICOM segmentation without a single marked voxel in a vertebra",
            needed="at least one labelled vertebra",
            remedy="Check that the right file was given.",
        )
    present = set(np.flatnonzero(count_values(labels)).tolist())
    if n_overlapping:
        notes.append(_overlap_finding(n_overlapping))
    if source["kind"] == "dicom-seg fractional":
        notes.append(
            finding(
                "labels.fractional",
                "The segmentation holds fractions; a voxel counts where at least half of it is taken.",
            )
        )
    kept = {value: name for value, name in names.items() if value in present}
    return SegContent(labels, geometry, kept, patient_id, source, notes)


def _damaged(got: str) -> ReadError:
    return ReadError(
        "labels.seg_damaged",
        got=got,
        needed="a complete DICOM segmentation object",
        remedy="Export or copy the file again, or give the labels as NIfTI.",
    )


def _parse(file: StoredFile) -> Dataset:
    from pydicom import dcmread  # noqa: PLC0415 - loading it takes longer than reading a NIfTI file
    from pydicom.filereader import read_dataset  # noqa: PLC0415

    with file.open() as stream:
        start = stream.read(2048)
        unpacked = inflated(stream, start)
        if unpacked is None:
            stream.seek(0)
            return dcmread(stream, force=True)
        dataset = read_dataset(unpacked, is_implicit_VR=False, is_little_endian=True)
        dataset.set_original_encoding(False, True)
        return dataset


def _source(dataset: Dataset) -> dict[str, str]:
    kind = text(dataset, "SegmentationType").lower()
    if kind not in ("binary", "fractional", "labelmap"):
        raise DamagedBytes(f"an unknown segmentation type {kind[:16]!r}")
    first = first_item(dataset, "SegmentSequence")
    return {
        "kind": f"dicom-seg {kind}",
        "series_uid": text(dataset, "SeriesInstanceUID"),
        "frame_of_reference_uid": text(dataset, "FrameOfReferenceUID"),
        "algorithm": "" if first is None else text(first, "SegmentAlgorithmName"),
    }


# --- segments ----------------------------------------------------------------------------------


def level_from_text(label: str) -> str:
    """The level that a segment's label names; empty where it names none, several, or no vertebra.

    Examples
    --------
    >>> level_from_text("vertebrae_L1"), level_from_text("Th12"), level_from_text("disc L1/L2")
    ('L1', 'T12', '')
    """
    if _NOT_A_VERTEBRA.search(label):
        return ""
    found = {
        (cervical or lumbar or sacral).upper() or f"T{thoracic}"
        for cervical, thoracic, lumbar, sacral in _LEVEL_TEXT.findall(label)
    }
    if not found and "sacrum" in label.lower():
        return "sacrum"
    return found.pop() if len(found) == 1 else ""


def _segments(dataset: Dataset) -> list[Segment]:
    level_of_code = {code: name for name, code in snomed_codes().items() if name != "S1"}
    segments = []
    for item in items(dataset, "SegmentSequence"):
        codes = [
            code
            for keyword in ("SegmentedPropertyTypeCodeSequence", "AnatomicRegionSequence")
            for code in items(item, keyword)
        ]
        coded = {level_of_code[text(c, "CodeValue")] for c in codes if text(c, "CodeValue") in level_of_code}
        said = level_from_text(text(item, "SegmentLabel")) or level_from_text(
            text(item, "SegmentDescription")
        )
        is_generic = any(text(code, "CodeValue") == _VERTEBRA_CODE for code in codes)
        if coded == {"sacrum"} and said == "S1":
            coded = {"S1"}
        level = said or ("vertebra" if is_generic else "")
        if coded:
            level = next(iter(coded))
        is_contradictory = len(coded) > 1 or bool(coded and said and said not in coded)
        meaning = text(codes[0], "CodeMeaning")[:40] if codes else ""
        segments.append(Segment(whole(item, "SegmentNumber", 0), level, meaning, is_contradictory))
    if not segments or len({segment.number for segment in segments}) != len(segments):
        raise DamagedBytes("segments that are missing or share a number")
    return segments


def _naming(segments: list[Segment]) -> tuple[dict[int, str], dict[int, int], list[Finding]]:
    """(value to name, segment number to value, findings)."""
    names: dict[int, str] = {}
    values: dict[int, int] = {}
    notes: list[Finding] = []
    n_unnamed = 0
    for segment in segments:
        if segment.is_contradictory:
            notes.append(
                finding(
                    "labels.name_conflict",
                    f"Code and label of segment {segment.number} name different levels; it was left out.",
                    evidence={"segment": segment.number},
                )
            )
            continue
        if not segment.level:
            continue
        if segment.level == "vertebra":
            n_unnamed += 1
        value = verse_numbers().get(segment.level, FIRST_UNNAMED + 50)
        if segment.level == "vertebra":
            value = min(FIRST_UNNAMED + n_unnamed - 1, FIRST_UNNAMED + 49)
        if value in names and segment.level != "vertebra":
            notes.append(
                finding(
                    "labels.duplicate_name",
                    f"Several segments are named {segment.level}; they were read as one.",
                    where=segment.level,
                    evidence={"segment": segment.number},
                )
            )
        names[value] = segment.level if segment.level != "vertebra" else f"unnamed {n_unnamed}"
        values[segment.number] = value
    others = [segment for segment in segments if not segment.level]
    if others:
        kinds = sorted({segment.meaning for segment in others if segment.meaning})
        notes.append(
            finding(
                "labels.other_structures",
                f"{len(others)} segments that are no vertebrae were passed over"
                + (f" ({', '.join(kinds[:5])})." if kinds else "."),
                evidence={"n_segments": len(others)},
            )
        )
    return names, values, notes


def _overlap_finding(n_voxels: int) -> Finding:
    return finding(
        "labels.overlap",
        f"{n_voxels} voxels are claimed by two vertebrae; the first one listed kept them.",
        evidence={"n_voxels": n_voxels},
    )
