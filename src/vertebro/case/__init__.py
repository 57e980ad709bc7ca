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
from vertebro.case.plan import (
    Approach,
    ClinicalContext,
    LevelPlan,
    NeedlePath,
    ProcedureAdvice,
    ProcedureAdviceKind,
    Reason,
    Side,
    TreatmentPlan,
)
from vertebro.case.plan_view import (
    Picture,
    Placement,
    PlacementStage,
    PlacementStep,
    PlanView,
    PlanViews,
    ViewKind,
)
from vertebro.case.provenance import InputFile, Manifest, StageRecord
from vertebro.case.view import CArmPose, FluoroView, ViewDose
from vertebro.findings import Finding, Severity, finding

__all__ = [
    "Approach",
    "Assessment",
    "BodyDimensions",
    "BoneDensity",
    "CArmPose",
    "Cleft",
    "ClinicalContext",
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
    "LevelPlan",
    "Manifest",
    "NeedlePath",
    "OfSuggestion",
    "Picture",
    "Placement",
    "PlacementStage",
    "PlacementStep",
    "PlanView",
    "PlanViews",
    "PosteriorWall",
    "ProcedureAdvice",
    "ProcedureAdviceKind",
    "Reason",
    "Severity",
    "Side",
    "StageRecord",
    "TreatmentPlan",
    "ViewDose",
    "ViewKind",
    "finding",
    "level_order",
    "parse_level",
]
