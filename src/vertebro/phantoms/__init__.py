"""Synthetic spines and CTs with known truth: for tests, tutorials and the demonstration."""

from vertebro.phantoms.body import BodyHeights
from vertebro.phantoms.box import BoxPhantom, BoxSettings, BoxTruth, make_box_phantom
from vertebro.phantoms.make import Phantom, make_phantom
from vertebro.phantoms.settings import Fracture, PhantomSettings
from vertebro.phantoms.truth import (
    CleftTruth,
    GapTruth,
    LevelTruth,
    PedicleTruth,
    PhantomTruth,
    PlaneTruth,
    column_height_mm,
)

__all__ = [
    "BodyHeights",
    "BoxPhantom",
    "BoxSettings",
    "BoxTruth",
    "CleftTruth",
    "Fracture",
    "GapTruth",
    "LevelTruth",
    "PedicleTruth",
    "Phantom",
    "PhantomSettings",
    "PhantomTruth",
    "PlaneTruth",
    "column_height_mm",
    "make_box_phantom",
    "make_phantom",
]
