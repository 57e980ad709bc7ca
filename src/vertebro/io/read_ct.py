"""Read a CT, whatever it came as, into one kind of volume: Hounsfield units in DICOM LPS, mm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import ReadError
from vertebro.imaging import ImageFacts, Volume
from vertebro.io.nifti import load_nifti_array
from vertebro.progress import Progress, silent

LOWEST_HU = -1024.0
"""Air outside the scanned circle; what is below was never measured."""


def read_ct(path: str | Path, *, series: str | None = None, progress: Progress = silent) -> Volume:
    """Read a CT from a DICOM folder, zip, disc or file, or from a NIfTI file.

    Parameters
    ----------
    path : path
        What holds the images.
    series : str, optional
        Which series to read where there are several: its number as listed by
        :func:`~vertebro.io.list_series`, its UID or the beginning of it.
    progress : callable

    Returns
    -------
    Volume
        With ``facts`` and ``findings``.

    Raises
    ------
    ReadError
        If there is nothing there that can be read as a CT.
    """
    path = Path(path)
    if not path.exists():
        raise ReadError(
            "read.missing",
            got="a path where nothing is",
            needed="a DICOM folder, zip or disc, or a .nii or .nii.gz file",
            remedy="Check the path's spelling and that the disc or drive is connected.",
            fields=("path",),
        )
    return _read_nifti(path, progress)


def _read_nifti(path: Path, progress: Progress) -> Volume:
    array, geometry, _, findings = load_nifti_array(path, progress=progress)
    facts = ImageFacts(source_kind="nifti", n_slices=geometry.shape[2])
    return Volume(_hounsfield(array), geometry, facts, findings)


def _hounsfield(array: NDArray[np.generic]) -> NDArray[np.int16] | NDArray[np.float32]:
    limits = np.iinfo(np.int16)
    if array.dtype.kind in "iu" and array.min() >= limits.min and array.max() <= limits.max:
        return np.maximum(array.astype(np.int16), np.int16(LOWEST_HU))
    values = array.astype(np.float32)
    return np.maximum(
        np.nan_to_num(values, nan=LOWEST_HU, posinf=LOWEST_HU, neginf=LOWEST_HU), np.float32(LOWEST_HU)
    )
