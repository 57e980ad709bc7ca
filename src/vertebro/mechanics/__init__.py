"""Mechanics: how stiff and strong a vertebra is, from its CT, before and after cement."""

from vertebro.mechanics.load_vertebrae import CementField, load_vertebrae, simulated_cement
from vertebro.mechanics.settings import (
    FractureSettings,
    MechanicsSettings,
    ModelSettings,
    PersonSettings,
)

__all__ = [
    "CementField",
    "FractureSettings",
    "MechanicsSettings",
    "ModelSettings",
    "PersonSettings",
    "load_vertebrae",
    "simulated_cement",
]
