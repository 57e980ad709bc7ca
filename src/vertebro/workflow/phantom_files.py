"""A phantom patient on disk: CT, labels and the truth about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from vertebro.io.case_folder import CaseFolder
from vertebro.io.nifti import save_nifti
from vertebro.phantoms import Phantom

CT = "ct.nii.gz"
LABELS = "labels.nii.gz"
SUBREGIONS = "subregions.nii.gz"
TRUTH = "truth.json"
DICOM = "dicom"


def write_phantom(root: Path, phantom: Phantom, *, as_dicom: bool = False) -> list[Path]:
    """Write a phantom's files.

    Parameters
    ----------
    root : path
        Folder, made where it is missing; files of the same names are replaced.
    phantom : Phantom
    as_dicom : bool
        Write a CT series too, in ``dicom/``.

    Returns
    -------
    list of Path
        What was written.
    """
    folder = CaseFolder(root)
    labels = phantom.labels
    images = {CT: phantom.volume.hu, LABELS: labels.labels}
    if labels.subregions is not None:
        images[SUBREGIONS] = labels.subregions
    for name, array in images.items():
        with folder.replacing(name) as path:
            save_nifti(path, array, phantom.volume.geometry, description="vertebro phantom")
    folder.write_json(TRUTH, to_plain(phantom.truth))
    written = [folder.path(name) for name in (*images, TRUTH)]
    if as_dicom:
        from vertebro.io.dicom_ct_series import write_ct_series  # noqa: PLC0415 - DICOM loads slowly

        write_ct_series(folder.path(DICOM), phantom.volume)
        written.append(folder.path(DICOM))
    return written


def to_plain(value: object) -> object:
    """Nested dataclasses, arrays and enums as JSON-ready data, numbers rounded to 6 places.

    Examples
    --------
    >>> to_plain({"a": np.array([1.0, 2.0]), "b": (1, None)})
    {'a': [1.0, 2.0], 'b': [1, None]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(entry) for entry in value]
    return round(value, 6) if isinstance(value, float) else value
