"""Assessment: from a CT and vertebra labels to measured and graded levels."""

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.angles import cobb_deg
from vertebro.assessment.assess import assess_levels
from vertebro.assessment.settings import AssessmentSettings

__all__ = ["AssessmentSettings", "LevelAnatomy", "assess_levels", "cobb_deg"]
