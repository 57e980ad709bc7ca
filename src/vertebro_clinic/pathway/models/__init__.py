"""The tables of the pathway, one file per noun."""

from vertebro_clinic.pathway.models.adverse_event import AdverseEvent, BoneHealth, NewPain
from vertebro_clinic.pathway.models.booking import Booking
from vertebro_clinic.pathway.models.case import Case, Move, Task
from vertebro_clinic.pathway.models.consent import Consent
from vertebro_clinic.pathway.models.consultation import Consultation
from vertebro_clinic.pathway.models.decision import Eligibility, LevelChoice, ProcedureChoice
from vertebro_clinic.pathway.models.followup import FollowUpContact, OutcomeScore
from vertebro_clinic.pathway.models.imaging import ImagingReview, ImagingStudy, LevelFinding, MriSafety
from vertebro_clinic.pathway.models.patient import Allergy, Medicine, Patient, Proxy
from vertebro_clinic.pathway.models.preparation import LabResult, MedicationHold, Precall, Preparation
from vertebro_clinic.pathway.models.procedure import (
    CheckIn,
    LevelTreatment,
    RoomEvent,
    SignIn,
    SignOut,
    TimeOut,
)
from vertebro_clinic.pathway.models.recovery import DischargeCheck, Observation, RecoveryStay
from vertebro_clinic.pathway.models.referral import AppointmentRequest, Referral
from vertebro_clinic.pathway.models.rules import RuleApproval

__all__ = [
    "AdverseEvent",
    "Allergy",
    "AppointmentRequest",
    "BoneHealth",
    "Booking",
    "Case",
    "CheckIn",
    "Consent",
    "Consultation",
    "DischargeCheck",
    "Eligibility",
    "FollowUpContact",
    "ImagingReview",
    "ImagingStudy",
    "LabResult",
    "LevelChoice",
    "LevelFinding",
    "LevelTreatment",
    "MedicationHold",
    "Medicine",
    "Move",
    "MriSafety",
    "NewPain",
    "Observation",
    "OutcomeScore",
    "Patient",
    "Precall",
    "Preparation",
    "ProcedureChoice",
    "Proxy",
    "RecoveryStay",
    "Referral",
    "RoomEvent",
    "RuleApproval",
    "SignIn",
    "SignOut",
    "Task",
    "TimeOut",
]
