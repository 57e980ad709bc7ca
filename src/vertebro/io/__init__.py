"""Files in and out: tolerant in reading (with findings), strict in writing.

Every public name is loaded when first used, so that importing this package brings neither a DICOM
toolkit nor a plotting library. World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_HOME = {
    "SeriesInfo": "vertebro.io.dicom_series",
    "list_series": "vertebro.io.dicom_series",
    "load_nifti_array": "vertebro.io.nifti",
    "read_ct": "vertebro.io.ct",
    "read_labels": "vertebro.io.labels",
    "save_nifti": "vertebro.io.nifti",
}

__all__ = ["SeriesInfo", "list_series", "load_nifti_array", "read_ct", "read_labels", "save_nifti"]

if TYPE_CHECKING:
    from vertebro.io.ct import read_ct
    from vertebro.io.dicom_series import SeriesInfo, list_series
    from vertebro.io.labels import read_labels
    from vertebro.io.nifti import load_nifti_array, save_nifti


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'vertebro.io' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *_HOME})
