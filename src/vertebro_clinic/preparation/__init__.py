"""Getting a patient ready for a booked hour: which dates hang on it, and what moves when it moves.

Pure functions from the booked time, the patient's facts and the site's approved policies to a plan;
no database and no web. Nothing here stops a medicine: a plan proposes, a prescriber decides.
"""

from vertebro_clinic.preparation.changes import Change, changes_between
from vertebro_clinic.preparation.drug_names import Drug, recognise
from vertebro_clinic.preparation.hold_policies import HoldPolicy, Unit, hold_policies
from vertebro_clinic.preparation.hours import FastingRule, WorkingHours
from vertebro_clinic.preparation.plan import (
    Fact,
    Item,
    Kind,
    PatientFacts,
    PreparationPlan,
    SitePolicy,
    TakenMedicine,
    plan_preparation,
)

__all__ = [
    "Change",
    "Drug",
    "Fact",
    "FastingRule",
    "HoldPolicy",
    "Item",
    "Kind",
    "PatientFacts",
    "PreparationPlan",
    "SitePolicy",
    "TakenMedicine",
    "Unit",
    "WorkingHours",
    "changes_between",
    "hold_policies",
    "plan_preparation",
    "recognise",
]
