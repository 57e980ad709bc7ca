"""The nouns of a case: levels, estimates, the assessment, provenance. No algorithms."""

from vertebro.case.assessment import (
    Assessment,
    BodyDimensions,
    BoneDensity,
    Cleft,
    EndplatePlane,
    FractureShape,
    GenantGrade,
    Heights,
    LevelAssessment,
    OfSuggestion,
    PosteriorWall,
)
from vertebro.case.estimate import Estimate
from vertebro.case.level import Level, level_order, parse_level
from vertebro.case.provenance import InputFile, Manifest, StageRecord
from vertebro.case.view import CArmPose, FluoroView, ViewDose
from vertebro.findings import Finding, Severity, finding

__all__ = [
    "Assessment",
    "BodyDimensions",
    "BoneDensity",
    "CArmPose",
    "Cleft",
    "EndplatePlane",
    "Estimate",
    "Finding",
    "FluoroView",
    "FractureShape",
    "GenantGrade",
    "Heights",
    "InputFile",
    "Level",
    "LevelAssessment",
    "Manifest",
    "OfSuggestion",
    "PosteriorWall",
    "Severity",
    "StageRecord",
    "ViewDose",
    "finding",
    "level_order",
    "parse_level",
]
