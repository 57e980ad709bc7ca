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
    "surface_of": "vertebro.io.mesh_stl",
    "write_ct_nifti": "vertebro.io.nifti_labels",
    "write_ct_series": "vertebro.io.dicom_ct_series",
    "write_label_nifti": "vertebro.io.nifti_labels",
    "write_png": "vertebro.io.png",
    "write_seg": "vertebro.io.dicom_seg_writer",
    "write_sr": "vertebro.io.dicom_sr",
    "write_stl": "vertebro.io.mesh_stl",
}

__all__ = [
    "SeriesInfo",
    "list_series",
    "load_nifti_array",
    "read_ct",
    "read_labels",
    "save_nifti",
    "surface_of",
    "write_ct_nifti",
    "write_ct_series",
    "write_label_nifti",
    "write_png",
    "write_seg",
    "write_sr",
    "write_stl",
]

if TYPE_CHECKING:
    from vertebro.io.ct import read_ct
    from vertebro.io.dicom_ct_series import write_ct_series
    from vertebro.io.dicom_seg_writer import write_seg
    from vertebro.io.dicom_series import SeriesInfo, list_series
    from vertebro.io.dicom_sr import write_sr
    from vertebro.io.labels import read_labels
    from vertebro.io.mesh_stl import surface_of, write_stl
    from vertebro.io.nifti import load_nifti_array, save_nifti
    from vertebro.io.nifti_labels import write_ct_nifti, write_label_nifti
    from vertebro.io.png import write_png


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
