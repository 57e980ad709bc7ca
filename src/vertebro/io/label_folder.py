"""What a folder of label files holds: one file per structure, vertebrae with subregions, or one file.

Only plain files directly in the folder are looked at; their names decide what they are, and names are
used for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import ReadError
from vertebro.findings import Finding, finding
from vertebro.imaging import Interpolation, VolumeGeometry, resample
from vertebro.io.label_conventions import conventions
from vertebro.io.label_grid import LabelArray, whole_numbers
from vertebro.io.nifti import load_nifti_array
from vertebro.progress import Progress, scaled

MAX_ENTRIES = 20_000
"""Entries of a folder that are looked at (assumed: TotalSegmentator writes about 120)."""
_NIFTI = r"\.nii(?:\.gz)?$"
_STRUCTURE = re.compile(r"^(?:.*[_-])?vertebrae?_(C[1-7]|T1[0-3]|T[1-9]|L[1-6]|S1)" + _NIFTI, re.IGNORECASE)
_SACRUM = re.compile(r"^sacrum" + _NIFTI, re.IGNORECASE)
_VERTEBRAE = re.compile(r"^(?:vertebrae|.*seg-vert).*" + _NIFTI, re.IGNORECASE)
_SUBREGIONS = re.compile(r"^(?:subreg|.*seg-subreg).*" + _NIFTI, re.IGNORECASE)
_LABELS = re.compile(r"label|seg|mask|msk", re.IGNORECASE)
_ANY_NIFTI = re.compile(_NIFTI, re.IGNORECASE)
_UNLISTED = {"T13": 118, "L6": 119}
"""Numbers for vertebrae that TotalSegmentator's list lacks (it ends at 117)."""


@dataclass(frozen=True, slots=True)
class FolderContent:
    """Which files of a folder hold the labels."""

    structures: Mapping[str, Path]
    """Level name to the mask of that level alone."""
    vertebrae: Path | None = None
    subregions: Path | None = None


def look_into(folder: Path) -> FolderContent | None:
    """Find the label files of a folder by their names.

    Returns
    -------
    FolderContent or None
        None where no NIfTI file there is named like labels.

    Raises
    ------
    ReadError
        If the folder cannot be listed (``labels.folder``) or two files could be meant
        (``labels.several_files``).
    """
    files = _plain_files(folder)
    structures: dict[str, Path] = {}
    for path in files:
        match = _STRUCTURE.match(path.name)
        level = match.group(1).upper() if match else "sacrum" if _SACRUM.match(path.name) else ""
        if level:
            if level in structures:
                raise _several([structures[level], path])
            structures[level] = path
    if any(level != "sacrum" for level in structures):
        return FolderContent(structures)
    vertebrae = [path for path in files if _VERTEBRAE.match(path.name)]
    subregions = [path for path in files if _SUBREGIONS.match(path.name)]
    if not vertebrae and not subregions:
        images = [path for path in files if _ANY_NIFTI.search(path.name)]
        vertebrae = [path for path in images if _LABELS.search(path.name)]
        vertebrae = vertebrae or (images if len(images) == 1 else [])
    for found in (vertebrae, subregions):
        if len(found) > 1:
            raise _several(found)
    if not vertebrae and not subregions:
        return None
    return FolderContent({}, *(found[0] if found else None for found in (vertebrae, subregions)))


def _plain_files(folder: Path) -> list[Path]:
    """Plain files of a folder in the order of their names; links count as what they lead to."""
    try:
        found: list[Path] = []
        for count, entry in enumerate(folder.iterdir()):
            if count >= MAX_ENTRIES:
                break
            if entry.is_file():
                found.append(entry)
    except OSError as problem:
        raise ReadError(
            "labels.folder",
            got=f"a folder that cannot be listed ({problem.strerror})",
            needed="a folder that may be read",
            remedy="Check its permissions.",
            fields=("path",),
        ) from problem
    return sorted(found, key=lambda path: path.name)


def _several(paths: list[Path]) -> ReadError:
    names = ", ".join(repr(path.name) for path in paths[:6])
    return ReadError(
        "labels.several_files",
        got=f"a folder with several files that could hold the labels ({names})",
        needed="one label file, or one file for each vertebra",
        remedy="Give the file itself instead of the folder.",
        fields=("path",),
    )


def combine_structures(
    structures: Mapping[str, Path], progress: Progress
) -> tuple[LabelArray, VolumeGeometry, dict[int, str], list[Finding]]:
    """Put masks of single levels together into one label array.

    Parameters
    ----------
    structures : mapping of level name to file
    progress : callable

    Returns
    -------
    labels : (i, j, k) uint8 array
        TotalSegmentator's numbers (118 for T13 and 119 for L6, which it does not have).
    geometry : VolumeGeometry
        Of the first file; masks on other grids are brought to it by the nearest voxel.
    names : dict
        Of the levels that have any voxel.
    findings : list

    Raises
    ------
    ReadError
        If a file is no mask, or all are empty (``labels.empty``).
    """
    numbers = {level: value for value, level in conventions()["totalsegmentator"].labels.items()} | _UNLISTED
    labels: LabelArray | None = None
    geometry: VolumeGeometry | None = None
    names: dict[int, str] = {}
    notes: dict[str, Finding] = {}
    n_overlapping = n_moved = 0
    for count, (level, path) in enumerate(structures.items()):
        part = scaled(progress, count / len(structures), (count + 1) / len(structures))
        array, grid, _, more = load_nifti_array(path, progress=part)
        notes |= {item.code: item for item in more}
        if labels is None or geometry is None:
            labels, geometry = np.zeros(grid.shape, np.uint8), grid
        if not array.any():
            continue
        mask = whole_numbers(array, path.name) > 0
        if not grid.is_close(geometry):
            moved: NDArray[Any] = resample(
                mask.view(np.uint8), grid, geometry, interpolation=Interpolation.NEAREST
            )
            mask, n_moved = moved > 0, n_moved + 1
        n_overlapping += int(np.count_nonzero(labels[mask]))
        labels[mask & (labels == 0)] = numbers[level]
        names[numbers[level]] = level
    if labels is None or geometry is None or not labels.any():
        raise ReadError(
            "labels.empty",
            got=f"{len(structures)} files of single vertebrae, all of them empty",
            needed="at least one labelled vertebra",
            remedy="Check that the segmentation found the spine.",
        )
    found = list(notes.values())
    if n_overlapping:
        found.append(
            finding(
                "labels.overlap",
                f"{n_overlapping} voxels are claimed by two vertebrae; the first one kept them.",
                evidence={"n_voxels": n_overlapping},
            )
        )
    if n_moved:
        found.append(
            finding(
                "labels.grids_differ",
                f"{n_moved} masks were on another grid than the first one; the nearest voxel was used.",
                evidence={"n_masks": n_moved},
            )
        )
    return labels, geometry, names, found
