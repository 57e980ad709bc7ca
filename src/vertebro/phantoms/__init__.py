"""Synthetic spines and CTs with known truth: for tests, tutorials and the demonstration."""

from vertebro.phantoms.body import BodyHeights
from vertebro.phantoms.make import Phantom, make_phantom
from vertebro.phantoms.settings import Fracture, PhantomSettings
from vertebro.phantoms.truth import CleftTruth, GapTruth, LevelTruth, PedicleTruth, PhantomTruth, PlaneTruth

__all__ = [
    "BodyHeights",
    "CleftTruth",
    "Fracture",
    "GapTruth",
    "LevelTruth",
    "PedicleTruth",
    "Phantom",
    "PhantomSettings",
    "PhantomTruth",
    "PlaneTruth",
    "make_phantom",
]
