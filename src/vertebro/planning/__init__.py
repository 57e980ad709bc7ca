"""Planning: which procedure and why, which needle paths, how much cement. Advice; a person decides."""

from vertebro.planning.own_path import judge_path
from vertebro.planning.placement import placement_of
from vertebro.planning.plan import PlanSettings, plan_treatment
from vertebro.planning.settings import AccessSettings

__all__ = ["AccessSettings", "PlanSettings", "judge_path", "placement_of", "plan_treatment"]
