"""Vertebra labels in, whatever wrote them: VerSe, TotalSegmentator, subregions, DICOM SEG.

Labels stay on their own grid; world positions tie them to the CT. What the numbers mean is found from
their values and their order along the patient (:mod:`vertebro.io.label_conventions`), stated as a
finding, and can be overruled. Nothing is forced into a name: T13, L6 and a single unnamed mask stay
what they are. World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vertebro.case import level_order
from vertebro.errors import ReadError, SettingsError
from vertebro.findings import Finding, finding
from vertebro.imaging import Interpolation, LabelVolume, Volume, VolumeGeometry, resample
from vertebro.io.dicom_files import open_files
from vertebro.io.label_checks import anatomy_findings, find_extent, require_vertebrae
from vertebro.io.label_conventions import (
    DICOM_SEG,
    SUBREGIONS,
    Recognition,
    conventions,
    parse_convention,
    recognise,
)
from vertebro.io.label_fit import bone_findings, overlap_findings, require_same_patient
from vertebro.io.label_folder import FolderContent, combine_structures, look_into
from vertebro.io.label_grid import (
    LabelArray,
    LabelRegion,
    count_values,
    find_regions,
    keep_values,
    whole_numbers,
)
from vertebro.io.label_subregions import FIRST_UNNAMED, vertebrae_from_subregions
from vertebro.io.nifti import load_nifti_array
from vertebro.progress import Progress, scaled, silent

SUBREGION_OVERLAP = 0.5
"""Subregions that cover less of the vertebrae belong to something else and are dropped (assumed)."""


@dataclass(slots=True)
class _Draft:
    """Labels on the way to a LabelVolume."""

    labels: LabelArray
    geometry: VolumeGeometry
    names: dict[int, str]
    convention: str
    name: str
    """Of the file, for messages."""
    subregions: NDArray[np.uint8] | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    patient_id: str = ""
    is_told: bool = False
    findings: list[Finding] = field(default_factory=list)


def read_labels(
    path: str | os.PathLike[str],
    volume: Volume | None = None,
    *,
    convention: str | None = None,
    progress: Progress = silent,
) -> LabelVolume:
    """Read vertebra labels.

    Parameters
    ----------
    path : path
        A NIfTI label file; a folder with one mask for each vertebra (TotalSegmentator), with
        ``vertebrae*.nii.gz`` and perhaps ``subregions*.nii.gz``; a file of subregions 41–50; or a
        DICOM segmentation (file, folder or zip).
    volume : Volume, optional
        The CT that the labels belong to. Without it nothing can be said about their fit.
    convention : str, optional
        Overrules what would be recognised: ``"verse"``, ``"totalsegmentator"``,
        ``"totalsegmentator-v1"``, ``"subregions"`` or ``"dicom-seg"``.
    progress : callable

    Returns
    -------
    LabelVolume
        On the labels' own grid; names from cranial to caudal; only vertebrae are kept.

    Raises
    ------
    InputError
        ``ReadError`` if there are no usable labels, ``MismatchError`` if they belong to another
        patient, frame of reference or place than the CT, ``SettingsError`` for an unknown convention.

    Examples
    --------
    >>> import tempfile
    >>> from vertebro.io import save_nifti
    >>> grid = VolumeGeometry.from_spacing((20, 20, 30), (2.0, 2.0, 2.0))
    >>> drawn = np.zeros((20, 20, 30), np.uint8)
    >>> drawn[5:15, 5:15, 18:28], drawn[5:15, 5:15, 2:12] = 20, 21
    >>> file = Path(tempfile.mkdtemp()) / "labels.nii.gz"
    >>> save_nifti(file, drawn, grid)
    >>> labels = read_labels(file)
    >>> labels.convention, labels.level_names, labels.extent
    ('verse', ('L1', 'L2'), 'body')
    """
    wanted = None if convention is None else parse_convention(convention)
    try:
        return _read_and_check(Path(path), volume, wanted, progress)
    except MemoryError as problem:
        raise ReadError(
            "labels.too_large",
            got="labels that need more memory than there is",
            needed="labels of the spine on a grid of ordinary size",
            remedy="Crop the label file to the spine, or close other programs.",
            fields=("path",),
        ) from problem


def _read_and_check(path: Path, volume: Volume | None, wanted: str | None, progress: Progress) -> LabelVolume:
    """Labels with everything that can be said about them."""
    draft = _read(path, wanted, scaled(progress, 0.0, 0.8))
    progress(0.8, "checking the labels")
    regions = find_regions(draft.labels, draft.geometry)
    draft.names = {value: name for value, name in draft.names.items() if value in regions}
    if not draft.is_told:
        require_vertebrae(draft.names, regions, draft.geometry, draft.name)
    extent, solidity = find_extent(draft.labels, draft.geometry, draft.names, regions)
    draft.findings.append(
        finding(
            "labels.extent",
            {
                "vertebra": "The labels cover whole vertebrae.",
                "body": "The labels cover vertebral bodies only.",
                "unknown": "Whether the labels cover whole vertebrae or bodies only could not be told.",
            }[extent],
            evidence={"extent": extent, "solidity": round(solidity, 3)},
        )
    )
    draft.findings += anatomy_findings(draft.labels, draft.geometry, draft.names, regions)
    result = LabelVolume(
        labels=draft.labels,
        geometry=draft.geometry,
        names=dict(sorted(draft.names.items(), key=lambda item: (level_order(item[1]), item[0]))),
        convention=draft.convention,
        extent=extent,
        subregions=draft.subregions,
        findings=tuple(draft.findings),
        source=draft.source,
    )
    if volume is not None:
        progress(0.9, "comparing the labels with the CT")
        require_same_patient(result.source, draft.patient_id, volume)
        result = result.with_findings(*overlap_findings(result, volume), *bone_findings(result, volume))
    progress(1.0, "labels read")
    return result


def _read(path: Path, wanted: str | None, progress: Progress) -> _Draft:
    if path.is_dir():
        content = None if wanted == DICOM_SEG else look_into(path)
        if content is not None:
            return _from_folder(content, wanted, progress)
        return _from_dicom(path, wanted)
    if not path.is_file():
        raise ReadError(
            "labels.not_found",
            got="a path at which there is no file and no folder",
            needed="a label file or a folder of labels",
            remedy="Check the path.",
            fields=("path",),
        )
    if _is_dicom_or_zip(path):
        return _from_dicom(path, wanted)
    return _from_nifti(path, wanted, progress)


def _is_dicom_or_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError as problem:
        raise ReadError(
            "read.unreadable",
            got="a file that may not be read",
            needed="a plain file with permission to read it",
            remedy="Check its permissions.",
            fields=("path",),
        ) from problem
    return (
        start[128:132] == b"DICM"
        or start[:4] == b"PK\x03\x04"
        or start[:4] in (b"\x02\0\0\0", b"\x08\0\x05\0")
    )


# --- NIfTI -------------------------------------------------------------------------------------


def _from_nifti(path: Path, wanted: str | None, progress: Progress) -> _Draft:
    if wanted == DICOM_SEG:
        raise SettingsError(
            "labels.convention_name",
            got="a NIfTI file to be read by the convention 'dicom-seg'",
            needed="a convention of numbers, such as 'verse'",
            remedy="Leave the convention out, or give the DICOM segmentation.",
            fields=("convention",),
        )
    array, geometry, header, notes = load_nifti_array(path, progress=progress)
    labels = whole_numbers(array, path.name)
    del array
    regions = find_regions(labels, geometry)
    draft = _Draft(
        labels,
        geometry,
        names={},
        convention="",
        name=path.name,
        source={"kind": "nifti", "description": header.description},
        is_told=wanted is not None,
        findings=list(notes),
    )
    if wanted is None and set(regions) in ({1}, {255}):
        return _unnamed_mask(draft)
    found = _recognise(regions, wanted, path.name)
    draft.convention = found.convention.name
    draft.findings += _convention_findings(found, regions)
    if found.convention.name == SUBREGIONS:
        return _only_subregions(draft)
    draft.names = {
        value: found.convention.labels[value] for value in regions if value in found.convention.labels
    }
    draft.labels = keep_values(labels, draft.names)
    return draft


def _recognise(regions: Mapping[int, LabelRegion], wanted: str | None, name: str) -> Recognition:
    if wanted is not None:
        convention = conventions()[wanted]
        if any(value in convention.labels for value in regions):
            return Recognition(convention, is_certain=True, reason="that numbering was asked for")
        found = None
    else:
        found = recognise({value: region.centre_lps_mm for value, region in regions.items()})
    if found is None:
        shown = ", ".join(str(value) for value in list(regions)[:12])
        raise ReadError(
            "labels.no_vertebra",
            got=f"label values ({shown}) of which none is a vertebra's, in {name!r}",
            needed="VerSe's numbers (1 to 28) or TotalSegmentator's (25 to 50)",
            remedy="Renumber the labels, or name their numbering by convention if it is another one.",
        )
    return found


def _convention_findings(found: Recognition, regions: Mapping[int, LabelRegion]) -> list[Finding]:
    convention = found.convention
    notes = [
        finding(
            "labels.convention",
            f"The labels were read as {convention.title}: {found.reason}.",
            evidence={
                "convention": convention.name,
                "certain": found.is_certain,
                "values": " ".join(str(value) for value in list(regions)[:40]),
            },
        )
    ]
    if not found.is_certain:
        others = " or ".join(found.alternatives)
        notes.append(
            finding(
                "labels.convention_ambiguous",
                f"The numbers could as well be those of {others}; {convention.name} was taken. Every level's "
                "name depends on it: check one against the image.",
                evidence={"convention": convention.name, "alternatives": others},
            )
        )
    unknown = [value for value in regions if value not in convention.labels]
    organs = [value for value in unknown if value <= convention.last_class]
    if unknown:
        shown = ", ".join(str(value) for value in unknown[:12])
        notes.append(
            finding(
                "labels.other_structures" if len(organs) == len(unknown) else "labels.unknown_values",
                f"{len(unknown)} label values name no vertebra in this numbering and were ignored ({shown}).",
                evidence={"n_values": len(unknown), "values": shown},
            )
        )
    return notes


def _unnamed_mask(draft: _Draft) -> _Draft:
    """A plain mask: one vertebra, if it is one, whose level nothing tells."""
    draft.labels = (draft.labels > 0).view(np.uint8) * np.uint8(FIRST_UNNAMED)
    draft.names = {FIRST_UNNAMED: "unnamed 1"}
    draft.convention = "mask"
    draft.findings += [
        finding(
            "labels.convention",
            "The labels are a plain mask with one value, which names no level.",
            evidence={"convention": "mask", "certain": False},
        ),
        _unnamed_finding(1),
    ]
    return draft


def _unnamed_finding(n_vertebrae: int) -> Finding:
    return finding(
        "labels.unnamed",
        f"{n_vertebrae} vertebrae have no name, since the labels tell none. What depends on the level "
        "(expected heights, comparison with named neighbours) cannot be judged.",
        evidence={"n_vertebrae": n_vertebrae},
    )


# --- subregions and folders --------------------------------------------------------------------


def _only_subregions(draft: _Draft) -> _Draft:
    known = conventions()[SUBREGIONS].labels
    draft.subregions = keep_values(draft.labels, known).astype(np.uint8, copy=False)
    draft.labels = vertebrae_from_subregions(draft.subregions, draft.geometry)
    present = np.flatnonzero(count_values(draft.labels))[1:]
    draft.names = {int(value): f"unnamed {value - FIRST_UNNAMED + 1}" for value in present}
    draft.findings.append(_unnamed_finding(len(draft.names)))
    return draft


def _from_folder(content: FolderContent, wanted: str | None, progress: Progress) -> _Draft:
    if content.structures:
        labels, geometry, names, notes = combine_structures(content.structures, progress)
        notes.append(
            finding(
                "labels.convention",
                f"The labels were read from {len(names)} files, one for each vertebra, named by their files.",
                evidence={"convention": "totalsegmentator", "certain": True, "n_files": len(names)},
            )
        )
        source = {"kind": "nifti folder"}
        return _Draft(
            labels, geometry, names, "totalsegmentator", "the folder", source=source, findings=notes
        )
    if content.vertebrae is None:
        assert content.subregions is not None
        return _from_nifti(content.subregions, wanted or SUBREGIONS, progress)
    draft = _from_nifti(content.vertebrae, wanted, progress)
    if content.subregions is None or draft.subregions is not None:
        return draft
    return _with_subregions(draft, content.subregions)


def _with_subregions(draft: _Draft, path: Path) -> _Draft:
    """Add subregion labels to vertebra labels, on the vertebrae's grid."""
    array, geometry, _, notes = load_nifti_array(path)
    parts: NDArray[np.generic] = whole_numbers(array, path.name)
    if not geometry.is_close(draft.geometry):
        parts = resample(parts, geometry, draft.geometry, interpolation=Interpolation.NEAREST)
    known = list(conventions()[SUBREGIONS].labels)
    is_part = np.isin(parts, known)
    covered = float(is_part[draft.labels > 0].mean())
    draft.findings += [item for item in notes if item.code not in {old.code for old in draft.findings}]
    if covered < SUBREGION_OVERLAP:
        draft.findings.append(
            finding(
                "labels.subregions_mismatch",
                f"The subregion file covers only {100 * covered:.0f} % of the vertebrae; it was left out.",
                evidence={"covered_fraction": round(covered, 3)},
            )
        )
        return draft
    draft.subregions = np.where(is_part & (draft.labels > 0), parts, 0).astype(np.uint8)
    return draft


# --- DICOM -------------------------------------------------------------------------------------


def _from_dicom(path: Path, wanted: str | None) -> _Draft:
    from vertebro.io.dicom_seg import is_seg, read_seg  # noqa: PLC0415 - pulls in the DICOM reader

    if wanted not in (None, DICOM_SEG):
        raise SettingsError(
            "labels.convention_name",
            got=f"the convention {wanted!r} for what is no NIfTI file",
            needed="'dicom-seg', since a DICOM segmentation names its segments itself",
            remedy="Leave the convention out.",
            fields=("convention",),
        )
    with open_files(path) as files:
        found = [file for file in files.files if is_seg(file)]
        if len(found) != 1:
            raise ReadError(
                "labels.several_files" if found else "labels.no_labels",
                got=f"{len(found)} DICOM segmentations and no label file of a known name"
                if path.is_dir()
                else f"{len(found)} DICOM segmentations",
                needed="one DICOM segmentation, or NIfTI labels",
                remedy="Give the file of the segmentation itself."
                if found
                else "Give the label file; the CT itself goes in as the CT.",
                fields=("path",),
            )
        content = read_seg(found[0])
    draft = _Draft(
        content.labels,
        content.geometry,
        dict(content.names),
        DICOM_SEG,
        "the segmentation",
        source=content.source,
        patient_id=content.patient_id,
        findings=[*files.findings, *content.findings],
    )
    draft.findings.append(
        finding(
            "labels.convention",
            "The labels were read from a DICOM segmentation, which names its segments itself.",
            evidence={"convention": DICOM_SEG, "certain": True, "n_segments": len(content.names)},
        )
    )
    n_unnamed = sum(name.startswith("unnamed") for name in content.names.values())
    if n_unnamed:
        draft.findings.append(_unnamed_finding(n_unnamed))
    return draft
