"""Cement: where it goes, how fast, at what pressure, how hot.

:func:`inject_cement` simulates the planned levels of a case. :func:`begin` and :func:`step` drive one
injection a moment at a time, as a rehearsal does; the state is frozen and the step is pure.
"""

from vertebro.cement.compare import Way, WayResult, compare_injections, ways_of
from vertebro.cement.inject import Run, drive, level_injection
from vertebro.cement.inject_case import inject_cement, inject_level, treated_levels
from vertebro.cement.settings import EnsembleSettings, InjectionSettings, RouteSettings
from vertebro.cement.site import InjectionSite, Variation, draw_variation, make_site, nominal_variation
from vertebro.cement.state import Ending, InjectionAction, InjectionState, begin, step
from vertebro.cement.survey import LevelSurvey, survey_level

__all__ = [
    "Ending",
    "EnsembleSettings",
    "InjectionAction",
    "InjectionSettings",
    "InjectionSite",
    "InjectionState",
    "LevelSurvey",
    "RouteSettings",
    "Run",
    "Variation",
    "Way",
    "WayResult",
    "begin",
    "compare_injections",
    "draw_variation",
    "drive",
    "inject_cement",
    "inject_level",
    "level_injection",
    "make_site",
    "nominal_variation",
    "step",
    "survey_level",
    "treated_levels",
    "ways_of",
]
