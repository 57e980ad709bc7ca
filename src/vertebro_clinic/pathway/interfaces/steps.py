"""Which page does which step: one table from which navigation, forms, rights and tests come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.enums import BoneState, NewPainState
from vertebro_clinic.pathway.enums import Stage as S
from vertebro_clinic.pathway.interfaces.forms import (
    adverse_event,
    booking,
    consent,
    consultation,
    decision,
    imaging,
    preparation,
    procedure,
    recovery,
    referral,
)
from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm
from vertebro_clinic.pathway.models import (
    AdverseEvent,
    BoneHealth,
    Booking,
    CheckIn,
    Consent,
    Consultation,
    DischargeCheck,
    Eligibility,
    ImagingReview,
    ImagingStudy,
    LabResult,
    LevelChoice,
    LevelFinding,
    LevelTreatment,
    MedicationHold,
    MriSafety,
    NewPain,
    Observation,
    Precall,
    Preparation,
    ProcedureChoice,
    RecoveryStay,
    Referral,
)
from vertebro_clinic.pathway.models.base import CaseRow, Record


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a case that a page lists and adds to.

    ``parent`` names the field that ties them to the page's record.
    """

    slug: str
    title: str | Promise
    model: type[CaseRow]
    form: type[ClinicForm]
    roles: frozenset[Role]
    parent: str = ""
    columns: tuple[str, ...] = ()
    may_add: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a case: a record with its form, rows beside it, at these stages."""

    slug: str
    title: str | Promise
    stages: tuple[S, ...]
    model: type[Record] | None = None
    form: type[ClinicForm] | None = None
    rows: tuple[str, ...] = ()
    template: str = "pathway/step.html"


_ROOM = frozenset({Role.NURSE, Role.RADIOLOGIST})
_OFFICE = frozenset({Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST})
_RADIOLOGIST = frozenset({Role.RADIOLOGIST})

ROWS: dict[str, Rows] = {
    row.slug: row
    for row in (
        Rows(
            "studies",
            _("Examinations"),
            ImagingStudy,
            imaging.ImagingStudyForm,
            _OFFICE,
            columns=("kind", "medium", "appointment_at", "done_on", "reported_on", "xray_finding"),
        ),
        Rows(
            "level-findings",
            _("Levels"),
            LevelFinding,
            imaging.LevelFindingForm,
            _RADIOLOGIST,
            "review",
            (
                "level",
                "oedema",
                "shape",
                "genant",
                "of_type",
                "height_loss_percent",
                "posterior_wall",
                "cleft",
                "is_target",
            ),
        ),
        Rows(
            "level-choices",
            _("Procedure for each level"),
            LevelChoice,
            decision.LevelChoiceForm,
            _RADIOLOGIST,
            "chosen",
            ("level", "procedure", "approach"),
        ),
        Rows(
            "bookings",
            _("Booking"),
            Booking,
            booking.BookingForm,
            _OFFICE,
            columns=("starts_at", "minutes", "recovery_minutes", "room", "radiologist"),
        ),
        Rows(
            "holds",
            _("Medicines to stop"),
            MedicationHold,
            preparation.MedicationHoldForm,
            _ROOM,
            columns=("medicine_name", "state", "last_dose_on", "restart_on", "approved_by_name"),
        ),
        Rows(
            "labs",
            _("Laboratory"),
            LabResult,
            preparation.LabResultForm,
            _OFFICE,
            columns=("kind", "value", "taken_on"),
        ),
        Rows(
            "levels-treated",
            _("Levels"),
            LevelTreatment,
            procedure.LevelTreatmentForm,
            _ROOM,
            columns=("level", "procedure", "cement_product", "cement_ml", "leak", "outcome"),
            may_add=False,
        ),
        Rows(
            "observations",
            _("Observations"),
            Observation,
            recovery.ObservationForm,
            _ROOM,
            columns=("at", "systolic", "pulse", "spo2", "pain", "legs", "aldrete", "padss"),
        ),
        Rows(
            "adverse-events",
            _("Adverse events"),
            AdverseEvent,
            adverse_event.AdverseEventForm,
            _ROOM | {Role.QUALITY},
            columns=("happened_at", "kind", "state", "sir_grade", "cirse_grade"),
        ),
        Rows(
            "new-pain",
            _("New pain"),
            NewPain,
            adverse_event.NewPainForm,
            _ROOM,
            columns=("reported_at", "state", "description"),
        ),
        Rows(
            "bone-health",
            _("Bone health"),
            BoneHealth,
            adverse_event.BoneHealthForm,
            _ROOM | {Role.REFERRER},
            columns=("state", "referred_to", "dxa_t_score", "treatment"),
            may_add=False,
        ),
    )
}

STEPS: dict[str, Step] = {
    step.slug: step
    for step in (
        Step("referral", _("Referral"), (S.REFERRED,), Referral, referral.ReferralForm),
        Step("imaging", _("Imaging"), (S.XRAY, S.MRI, S.OTHER_IMAGING), rows=("studies",)),
        Step("mri_safety", _("MRI safety"), (S.MRI_SAFETY,), MriSafety, imaging.MriSafetyForm),
        Step(
            "imaging_review",
            _("Imaging review"),
            (S.IMAGING_REVIEW,),
            ImagingReview,
            imaging.ImagingReviewForm,
            ("level-findings",),
        ),
        Step(
            "consultation", _("Consultation"), (S.CONSULTATION,), Consultation, consultation.ConsultationForm
        ),
        Step(
            "eligibility",
            _("Eligibility"),
            (S.ELIGIBILITY,),
            Eligibility,
            decision.EligibilityForm,
            template="pathway/eligibility.html",
        ),
        Step(
            "procedure_choice",
            _("Choice of procedure"),
            (S.PROCEDURE_CHOICE,),
            ProcedureChoice,
            decision.ProcedureChoiceForm,
            ("level-choices",),
        ),
        Step(
            "consent",
            _("Consent"),
            (S.CONSENT,),
            Consent,
            consent.ConsentForm,
            template="pathway/consent.html",
        ),
        Step("booking", _("Booking"), (S.SCHEDULING,), rows=("bookings",)),
        Step(
            "preparation",
            _("Preparation"),
            (S.PREPARATION,),
            Preparation,
            preparation.PreparationForm,
            ("holds", "labs"),
        ),
        Step("precall", _("Call before the day"), (S.PRECALL, S.READY), Precall, preparation.PrecallForm),
        Step("check_in", _("Check-in"), (S.CHECK_IN,), CheckIn, procedure.CheckInForm),
        Step(
            "recovery",
            _("Recovery"),
            (S.PRONE, S.RECOVERY, S.ADMITTED),
            RecoveryStay,
            recovery.RecoveryStayForm,
            ("observations",),
        ),
        Step(
            "discharge", _("Discharge"), (S.RECOVERY, S.ADMITTED), DischargeCheck, recovery.DischargeCheckForm
        ),
        Step("adverse_event", _("Adverse events"), (), rows=("adverse-events",)),
        Step("new_pain", _("New pain"), (), rows=("new-pain",)),
        Step("bone_health", _("Bone health"), (), rows=("bone-health",)),
    )
}


def step_for(stage: S) -> str:
    """The page where the work of a stage is done.

    A step's slug, or one of the pages with views of their own.
    """
    own = {S.SIGN_IN: "room", S.TIME_OUT: "room", S.PROCEDURE: "room", S.FOLLOW_UP: "followup"}
    if stage in own:
        return own[stage]
    return next((slug for slug, step in STEPS.items() if stage in step.stages), "case")


def shown(row: CaseRow, column: str) -> Any:
    """A row's value in words for a table."""
    display = getattr(row, f"get_{column}_display", None)
    if column == "medicine_name":
        return row.medicine.name  # type: ignore[attr-defined]
    if column == "state" and display is None:
        kind = BoneState if isinstance(row, BoneHealth) else NewPainState
        return kind(row.state).label  # type: ignore[attr-defined]
    return display() if display else getattr(row, column)
