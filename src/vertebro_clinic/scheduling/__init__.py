"""Fitting treatments into suites, people and beds: pure functions, no database, no web.

Time is counted in whole minutes from a horizon's start (:mod:`.clock` carries it to and from real
clocks, daylight saving included). The database's own guards stand in the pathway; here is what is
*possible* and what is *good*.
"""

from vertebro_clinic.scheduling.clock import Horizon
from vertebro_clinic.scheduling.feasibility import Conflict, conflicts
from vertebro_clinic.scheduling.first_come import first_come_first_served
from vertebro_clinic.scheduling.nouns import (
    Closure,
    Placement,
    Policy,
    Problem,
    Request,
    Role,
    Schedule,
    Shift,
    Site,
    Suite,
)
from vertebro_clinic.scheduling.optimise import Effort, optimise
from vertebro_clinic.scheduling.quality import Quality, quality_of
from vertebro_clinic.scheduling.repair import repair
from vertebro_clinic.scheduling.slots import Slot, next_slots

__all__ = [
    "Closure",
    "Conflict",
    "Effort",
    "Horizon",
    "Placement",
    "Policy",
    "Problem",
    "Quality",
    "Request",
    "Role",
    "Schedule",
    "Shift",
    "Site",
    "Slot",
    "Suite",
    "conflicts",
    "first_come_first_served",
    "next_slots",
    "optimise",
    "quality_of",
    "repair",
]
