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
from vertebro.findings import Finding, Severity, finding

__all__ = [
    "Assessment",
    "BodyDimensions",
    "BoneDensity",
    "Cleft",
    "EndplatePlane",
    "Estimate",
    "Finding",
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
    "finding",
    "level_order",
    "parse_level",
]
