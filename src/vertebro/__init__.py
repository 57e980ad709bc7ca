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
    "BalloonResult": "vertebro.case",
    "BalloonSettings": "vertebro.balloon",
    "CArmPose": "vertebro.case",
    "ClinicalContext": "vertebro.case",
    "Estimate": "vertebro.case",
    "Finding": "vertebro.findings",
    "FluoroView": "vertebro.case",
    "FluoroscopySettings": "vertebro.fluoroscopy",
    "Fracture": "vertebro.phantoms",
    "ImageFacts": "vertebro.imaging",
    "InjectionAction": "vertebro.cement",
    "InjectionResult": "vertebro.case",
    "InjectionSettings": "vertebro.cement",
    "InputError": "vertebro.errors",
    "LabelVolume": "vertebro.imaging",
    "Level": "vertebro.case",
    "LevelAssessment": "vertebro.case",
    "MechanicsResult": "vertebro.case",
    "MechanicsSettings": "vertebro.mechanics",
    "NeedlePath": "vertebro.case",
    "Phantom": "vertebro.phantoms",
    "PhantomSettings": "vertebro.phantoms",
    "TreatmentPlan": "vertebro.case",
    "VertebroError": "vertebro.errors",
    "Volume": "vertebro.imaging",
    "VolumeGeometry": "vertebro.imaging",
    "assess_levels": "vertebro.assessment",
    "inflate_balloons": "vertebro.balloon",
    "inject_cement": "vertebro.cement",
    "judge_path": "vertebro.planning",
    "list_series": "vertebro.io",
    "load_c_arm": "vertebro.devices",
    "load_vertebrae": "vertebro.mechanics",
    "make_phantom": "vertebro.phantoms",
    "plan_treatment": "vertebro.planning",
    "read_ct": "vertebro.io",
    "read_labels": "vertebro.io",
    "render_view": "vertebro.fluoroscopy",
    "run_case": "vertebro.workflow",
}

__all__ = [
    "Assessment",
    "BalloonResult",
    "BalloonSettings",
    "CArmPose",
    "ClinicalContext",
    "Estimate",
    "Finding",
    "FluoroView",
    "FluoroscopySettings",
    "Fracture",
    "ImageFacts",
    "InjectionAction",
    "InjectionResult",
    "InjectionSettings",
    "InputError",
    "LabelVolume",
    "Level",
    "LevelAssessment",
    "MechanicsResult",
    "MechanicsSettings",
    "NeedlePath",
    "Phantom",
    "PhantomSettings",
    "TreatmentPlan",
    "VertebroError",
    "Volume",
    "VolumeGeometry",
    "__version__",
    "assess_levels",
    "inflate_balloons",
    "inject_cement",
    "judge_path",
    "list_series",
    "load_c_arm",
    "load_vertebrae",
    "make_phantom",
    "plan_treatment",
    "read_ct",
    "read_labels",
    "render_view",
    "run_case",
]

if TYPE_CHECKING:
    from vertebro.assessment import assess_levels
    from vertebro.balloon import BalloonSettings, inflate_balloons
    from vertebro.case import (
        Assessment,
        BalloonResult,
        CArmPose,
        Estimate,
        FluoroView,
        Level,
        LevelAssessment,
        MechanicsResult,
    )
    from vertebro.cement import InjectionAction, InjectionSettings, inject_cement
    from vertebro.devices import load_c_arm
    from vertebro.errors import InputError, VertebroError
    from vertebro.findings import Finding
    from vertebro.fluoroscopy import FluoroscopySettings, render_view
    from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
    from vertebro.io import list_series, read_ct, read_labels
    from vertebro.mechanics import MechanicsSettings, load_vertebrae
    from vertebro.phantoms import Fracture, Phantom, PhantomSettings, make_phantom
    from vertebro.planning import judge_path, plan_treatment
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
