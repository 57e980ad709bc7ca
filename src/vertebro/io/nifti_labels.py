"""Labels and CT out as NIfTI: level numbers as in VerSe, the numbering most programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vertebro.imaging import LabelVolume, Volume
from vertebro.io.label_conventions import verse_numbers
from vertebro.io.nifti import save_nifti

FIRST_UNNAMED = 101
"""Number of the first level that VerSe has none for (an unnamed vertebra)."""


def verse_labels(labels: LabelVolume) -> tuple[np.ndarray, dict[int, str]]:
    """Labels renumbered as in VerSe.

    Parameters
    ----------
    labels : LabelVolume

    Returns
    -------
    array : (i, j, k) uint8 array
        Levels that VerSe has no number for get 101 and up, from cranial to caudal.
    names : dict
        Number to name, as written.

    Examples
    --------
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> verse_labels(LabelVolume(np.full((2, 2, 2), 31, np.uint8), grid, {31: "L1"}))[1]
    {20: 'L1'}
    """
    numbers = dict(verse_numbers())
    if "S1" not in labels.level_names:
        numbers["sacrum"] = numbers["S1"]
    table = np.zeros(max(int(labels.labels.max()), *labels.names, 0) + 1, np.uint8)
    names: dict[int, str] = {}
    n_unnamed = 0
    for value, name in labels.names.items():
        number = numbers.get(name)
        if number is None:
            number, n_unnamed = min(FIRST_UNNAMED + n_unnamed, 255), n_unnamed + 1
        table[value] = number
        names[number] = name
    return table[labels.labels], names


def write_label_nifti(path: str | Path, labels: LabelVolume) -> None:
    """Write labels as NIfTI with VerSe's numbers; the same labels give the same bytes.

    Parameters
    ----------
    path : path
        Ends in ``.nii`` or ``.nii.gz``.
    labels : LabelVolume

    Examples
    --------
    >>> import tempfile
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> file = Path(tempfile.mkdtemp()) / "labels.nii.gz"
    >>> write_label_nifti(file, LabelVolume(np.full((2, 2, 2), 31, np.uint8), grid, {31: "L1"}))
    """
    array, _ = verse_labels(labels)
    save_nifti(
        path, array, labels.geometry, description="vertebro: vertebrae, VerSe numbers", intent_name="labels"
    )


def write_ct_nifti(path: str | Path, volume: Volume) -> None:
    """Write a CT as NIfTI, as whole Hounsfield units where all values are whole, else as float32.

    Parameters
    ----------
    path : path
        Ends in ``.nii`` or ``.nii.gz``.
    volume : Volume

    Examples
    --------
    >>> import tempfile
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> write_ct_nifti(Path(tempfile.mkdtemp()) / "ct.nii.gz", Volume(np.zeros((2, 2, 2), np.int16), grid))
    """
    hu = volume.hu
    limits = np.iinfo(np.int16)
    is_whole = hu.dtype == np.int16 or (
        float(hu.min()) >= limits.min and float(hu.max()) <= limits.max and np.array_equal(hu, np.rint(hu))
    )
    stored = hu.astype(np.int16, copy=False) if is_whole else hu
    save_nifti(path, stored, volume.geometry, description="vertebro: CT, Hounsfield units")
