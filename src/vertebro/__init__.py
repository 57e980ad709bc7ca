"""vertebro: from a CT of a broken vertebra to a fracture report.

>>> import vertebro as vb
>>> patient = vb.make_phantom(vb.PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0)))
>>> assessment = vb.assess_levels(patient.volume, patient.labels)
>>> sorted(assessment.levels)
['L1', 'L2', 'T12']

Every public name is loaded when first used, so that ``import vertebro`` stays instant.
World frame everywhere: DICOM LPS, millimetres.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "Assessment": "vertebro.case",
    "Estimate": "vertebro.case",
    "Finding": "vertebro.findings",
    "Fracture": "vertebro.phantoms",
    "ImageFacts": "vertebro.imaging",
    "InputError": "vertebro.errors",
    "LabelVolume": "vertebro.imaging",
    "Level": "vertebro.case",
    "LevelAssessment": "vertebro.case",
    "Phantom": "vertebro.phantoms",
    "PhantomSettings": "vertebro.phantoms",
    "VertebroError": "vertebro.errors",
    "Volume": "vertebro.imaging",
    "VolumeGeometry": "vertebro.imaging",
    "assess_levels": "vertebro.assessment",
    "list_series": "vertebro.io",
    "make_phantom": "vertebro.phantoms",
    "read_ct": "vertebro.io",
    "read_labels": "vertebro.io",
    "run_case": "vertebro.workflow",
}

__all__ = [
    "Assessment",
    "Estimate",
    "Finding",
    "Fracture",
    "ImageFacts",
    "InputError",
    "LabelVolume",
    "Level",
    "LevelAssessment",
    "Phantom",
    "PhantomSettings",
    "VertebroError",
    "Volume",
    "VolumeGeometry",
    "__version__",
    "assess_levels",
    "list_series",
    "make_phantom",
    "read_ct",
    "read_labels",
    "run_case",
]

if TYPE_CHECKING:
    from vertebro.assessment import assess_levels
    from vertebro.case import Assessment, Estimate, Level, LevelAssessment
    from vertebro.errors import InputError, VertebroError
    from vertebro.findings import Finding
    from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
    from vertebro.io import list_series, read_ct, read_labels
    from vertebro.phantoms import Fracture, Phantom, PhantomSettings, make_phantom
    from vertebro.workflow import run_case


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'vertebro' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *_HOME})
