"""Vertebra labels in, whatever wrote them: VerSe, TotalSegmentator, subregions, DICOM SEG.

Labels stay on their own grid; world positions tie them to the CT. What the numbers mean is found from
their values and their order along the patient (:mod:`vertebro.io.label_conventions`), stated as a
finding, and can be overruled. Nothing is forced into a name: T13, L6 and a single unnamed mask stay
what they are. World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import os
from pathlib import Path

from vertebro.case import level_order
from vertebro.errors import ReadError
from vertebro.findings import Finding, finding
from vertebro.imaging import LabelVolume, Volume
from vertebro.io.label_conventions import Recognition, conventions, parse_convention, recognise
from vertebro.io.label_grid import LabelRegion, find_regions, keep_values, whole_numbers
from vertebro.io.nifti import load_nifti_array
from vertebro.progress import Progress, silent


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
        A label file, or a folder that holds labels.
    volume : Volume, optional
        The CT that the labels belong to; without it nothing can be said about their fit.
    convention : str, optional
        Overrules what would be recognised.
    progress : callable

    Returns
    -------
    LabelVolume
        On the labels' own grid; names from cranial to caudal.

    Raises
    ------
    InputError
        If there are no usable labels.
    """
    wanted = None if convention is None else parse_convention(convention)
    array, geometry, _, notes = load_nifti_array(Path(path), progress=progress)
    labels = whole_numbers(array, Path(path).name)
    regions = find_regions(labels, geometry)
    found = _recognise(regions, wanted)
    names = {
        value: found.convention.labels[value] for value in regions if value in found.convention.labels
    }
    ordered = dict(sorted(names.items(), key=lambda item: (level_order(item[1]), item[0])))
    return LabelVolume(
        labels=keep_values(labels, ordered),
        geometry=geometry,
        names=ordered,
        convention=found.convention.name,
        findings=(*notes, _convention_finding(found)),
        source={"kind": "nifti"},
    )


def _recognise(regions: dict[int, LabelRegion], wanted: str | None) -> Recognition:
    if wanted is not None:
        return Recognition(conventions()[wanted], True, "as told")
    found = recognise({value: region.centre_lps_mm for value, region in regions.items()})
    if found is None:
        raise ReadError(
            "labels.unknown_values",
            got=f"the label values {sorted(regions)[:12]}",
            needed="numbers of VerSe or TotalSegmentator",
            remedy="Renumber the labels, or name the convention.",
        )
    return found


def _convention_finding(found: Recognition) -> Finding:
    return finding(
        "labels.convention",
        f"Labels were read as {found.convention.title}: {found.reason}.",
        evidence={"convention": found.convention.name, "certain": found.is_certain},
    )
