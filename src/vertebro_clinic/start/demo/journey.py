"""Walking a case through the pathway by the same verbs that people use, with made-up answers.

The demo and the tests use it. Where a guard waits for minutes to pass, the start of the waiting is put back
in time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain.audit import Subject, record_read
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.checklists import SIGN_IN, SIGN_OUT, TIME_OUT
from vertebro_clinic.pathway.domain import records, regions, treatment
from vertebro_clinic.pathway.domain.clock import site_today
from vertebro_clinic.pathway.domain.eligibility import decide_eligibility, findings_for
from vertebro_clinic.pathway.domain.regions import RegionEvent
from vertebro_clinic.pathway.domain.transitions import move_case
from vertebro_clinic.pathway.enums import Event, ImagingKind, Severity, Stage
from vertebro_clinic.pathway.models import (
    Booking,
    Case,
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
    Medicine,
    MriSafety,
    Observation,
    Precall,
    Preparation,
    ProcedureChoice,
    RecoveryStay,
    Referral,
)
from vertebro_clinic.pathway.models.base import Record
from vertebro_clinic.pathway.models.patient import HOLDABLE


@dataclass(frozen=True, slots=True)
class Cast:
    """Who acts at a site."""

    scheduler: Actor
    nurse: Actor
    radiologist: Actor
    quality: Actor


@dataclass(frozen=True, slots=True)
class Story:
    """What differs between invented patients."""

    levels: tuple[str, ...] = ("L1",)
    pain: int = 8
    procedure: str = "vertebroplasty"
    has_pacemaker: bool = False
    mri_impossible: bool = False
    cement_ml: tuple[float, ...] = (1.0, 1.0, 0.5)
    booked_in_days: int = 5


@dataclass(frozen=True, slots=True)
class Walk:
    """One case on its way."""

    case_id: int
    cast: Cast
    story: Story

    @property
    def case(self) -> Case:
        """The case as it stands now."""
        return Case.objects.select_related("site", "patient").get(pk=self.case_id)

    def move(self, actor: Actor, event: Event, reason: str = "") -> None:
        """Fire an event."""
        move_case(actor=actor, case_id=self.case_id, event=event, reason=reason)

    def save(self, actor: Actor, model: type[Record], *, sign: bool = False, **values: Any) -> Record:
        """Save a record, and sign it if asked."""
        now = records.current(self.case, model)
        if now is not None and now.is_signed:
            return now
        saved = records.save_record(
            actor=actor, case_id=self.case_id, model=model, values=values, version=now.version if now else 0
        )
        if sign:
            saved = records.sign_record(actor=actor, case_id=self.case_id, model=model, version=saved.version)
        return saved

    def add(self, actor: Actor, model: Any, **values: Any) -> Any:
        """Add a row."""
        roles = {Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST}
        return records.add_row(actor=actor, case_id=self.case_id, model=model, values=values, roles=roles)


def _accept(walk: Walk) -> None:
    answered: dict[str, Any] = {
        "onset_date": site_today(walk.case.site) - timedelta(days=19),
        "pain_now": walk.story.pain,
        "pain_worst": min(10, walk.story.pain + 1),
        "cause": "minor",
        "symptoms": "Sharp pain in the middle of the back, worse when turning in bed and standing up.",
        "better_lying": "yes",
        "leg_pain_worse": "no",
        "medicine_relief": "some",
        "medicines_tried": "acetaminophen, oxycodone",
        "bed_rest_days": 6,
        "brace": "not_tried",
        "leg_weakness": "no",
        "bladder_bowel": "no",
        "fever": "no",
        "weight_loss": "no",
        "cancer": "no",
        "implants": "yes" if walk.story.has_pacemaker else "no",
        "midline_tender": "yes",
        "known_osteoporosis": "yes",
    }
    walk.save(walk.cast.scheduler, Referral, **answered)
    walk.move(walk.cast.scheduler, Event.ACCEPT_REFERRAL)


def _xray(walk: Walk) -> None:
    today = site_today(walk.case.site)
    walk.add(
        walk.cast.scheduler,
        ImagingStudy,
        kind=ImagingKind.XRAY,
        ordered_on=today - timedelta(days=3),
        done_on=today - timedelta(days=2),
        reported_on=today - timedelta(days=2),
        xray_finding="fracture",
        report=f"Loss of height of {', '.join(walk.story.levels)}.",
    )
    walk.move(walk.cast.nurse, Event.CONFIRM_FRACTURE)


def _mri_safety(walk: Walk) -> None:
    device = walk.story.has_pacemaker
    outcome = "unsafe" if walk.story.mri_impossible else "cleared" if device else "safe"
    walk.save(
        walk.cast.nurse,
        MriSafety,
        pacemaker="yes" if device else "no",
        stimulator="no",
        cochlear="no",
        clip="no",
        metal="no",
        pregnancy="no",
        kidney="no",
        claustrophobia="no",
        device="Dual-chamber pacemaker" if device else "",
        device_status="MR conditional at 1.5 T, cardiology"
        if device and not walk.story.mri_impossible
        else "",
        outcome=outcome,
    )
    if walk.story.mri_impossible:
        walk.move(walk.cast.nurse, Event.CHOOSE_OTHER_IMAGING, "The pacemaker is not MR-conditional.")
    else:
        walk.move(walk.cast.nurse, Event.CLEAR_FOR_MRI)


def _scan(walk: Walk) -> None:
    today = site_today(walk.case.site)
    kind = ImagingKind.BONE_SCAN if walk.story.mri_impossible else ImagingKind.MRI
    walk.add(
        walk.cast.scheduler,
        ImagingStudy,
        kind=kind,
        patient_called=True,
        ordered_on=today - timedelta(days=2),
        done_on=today - timedelta(days=1),
        reported_on=today,
        report=f"Oedema or uptake in {', '.join(walk.story.levels)}.",
    )
    walk.move(walk.cast.scheduler, Event.REPORT_IMAGING)


def _read(walk: Walk) -> None:
    doctor = walk.cast.radiologist
    review = walk.save(
        doctor,
        ImagingReview,
        studies_read="X-ray, MRI",
        counted_from="sacrum",
        transitional="no",
        cord_compression="no",
        infection_signs="no",
        malignancy_signs="no",
        unstable="no",
        conclusion="Recent osteoporotic fracture.",
    )
    for level in walk.story.levels:
        if not LevelFinding.objects.filter(review_id=review.pk, level=level, is_current=True).exists():
            walk.add(
                doctor,
                LevelFinding,
                review=review,
                level=level,
                oedema="yes",
                shape="wedge",
                genant="2",
                of_type="OF3",
                height_loss_percent=32,
                kyphosis_deg=14,
                posterior_wall="intact",
                cleft="no",
                is_target=True,
            )
    records.sign_record(actor=doctor, case_id=walk.case_id, model=ImagingReview, version=review.version)
    walk.move(doctor, Event.CONFIRM_LEVELS)


def _consult(walk: Walk) -> None:
    doctor = walk.cast.radiologist
    walk.save(
        doctor,
        Consultation,
        sign=True,
        held_on=site_today(walk.case.site),
        pain_now=walk.story.pain,
        pain_worst=min(10, walk.story.pain + 1),
        course="stable",
        odi_percent=58,
        rmdq=18,
        walking="aid",
        pain_at_level="yes",
        neuro_normal="yes",
        radicular="no",
        analgesia_relief="some",
        analgesia="oxycodone 5 mg three times a day, three weeks",
        conservative_weeks=3,
        can_lie_prone="yes",
        infection_now="no",
        bleeding_disorder="no",
        cement_allergy="no",
        pregnancy="no",
        nursing="no",
        severe_heart_lung="no",
        asa_class=2,
        goals="To walk to the market again.",
        discussed=True,
    )
    walk.move(doctor, Event.COMPLETE_CONSULTATION)


def _decide(walk: Walk) -> None:
    doctor = walk.cast.radiologist
    found = findings_for(walk.case)
    stops = [row["rule"] for row in found if row["severity"] == Severity.BLOCK]
    standing = records.current(walk.case, Eligibility)
    saved = decide_eligibility(
        actor=doctor,
        case_id=walk.case_id,
        values={"mdt": "not_needed", "mdt_note": "", "note": ""},
        overrides=dict.fromkeys(stops, "Discussed with the patient and colleagues."),
        version=standing.version if standing else 0,
    )
    records.sign_record(actor=doctor, case_id=walk.case_id, model=Eligibility, version=saved.version)
    walk.move(doctor, Event.ACCEPT_ELIGIBILITY)


def _choose(walk: Walk) -> None:
    doctor = walk.cast.radiologist
    chosen = walk.save(
        doctor,
        ProcedureChoice,
        sedation="moderate",
        reason="Recent fracture at the thoracolumbar junction, moderate.",
    )
    for level in walk.story.levels:
        walk.add(
            doctor,
            LevelChoice,
            chosen=chosen,
            level=level,
            procedure=walk.story.procedure,
            approach="bipedicular",
        )
    records.sign_record(actor=doctor, case_id=walk.case_id, model=ProcedureChoice, version=chosen.version)
    walk.move(doctor, Event.CHOOSE_PROCEDURE)


def _consent(walk: Walk) -> None:
    doctor = walk.cast.radiologist
    walk.save(
        doctor,
        Consent,
        sign=True,
        text_version="2026-11",
        language=walk.case.patient.language,
        read_text=True,
        risks_explained=True,
        alternatives_explained=True,
        evidence_explained=True,
        has_capacity=True,
        interpreter_name="House interpreter" if walk.case.patient.interpreter else "",
        patient_signature=walk.case.patient.name,
        patient_signed_at=timezone.now(),
        physician_signature=doctor.name,
    )
    walk.move(doctor, Event.SIGN_CONSENT)


def _book(walk: Walk) -> None:
    site = walk.case.site
    day = site_today(site) + timedelta(days=walk.story.booked_in_days)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    hour = 8 + walk.case_id % 7
    walk.add(
        walk.cast.scheduler,
        Booking,
        starts_at=datetime.combine(day, time(hour), tzinfo=site.tz),
        minutes=len(walk.story.levels) * site.minutes_per_level,
        recovery_minutes=max(site.recovery_minutes, site.supine_minutes),
        room="Suite 1",
        radiologist_id=walk.cast.radiologist.user_id,
    )
    walk.move(walk.cast.scheduler, Event.BOOK)


def _prepare(walk: Walk) -> None:
    nurse, today = walk.cast.nurse, site_today(walk.case.site)
    for medicine in Medicine.objects.filter(
        patient=walk.case.patient, ended_at=None, kind__in=[*HOLDABLE, "unknown"]
    ):
        hold = walk.add(
            nurse,
            MedicationHold,
            medicine=medicine,
            policy="Own site policy",
            last_dose_on=today + timedelta(days=1),
            restart_on=today + timedelta(days=walk.story.booked_in_days + 1),
            approved_by_name=walk.case.patient.physician_name or "Own physician",
        )
        regions.move_region(actor=nurse, row=hold, event=RegionEvent.APPROVE)
        regions.move_region(actor=nurse, row=hold, event=RegionEvent.TELL)
    for kind, value in (("inr", "1.1"), ("platelets", "214")):
        walk.add(nurse, LabResult, kind=kind, value=value, taken_on=today)
    walk.save(
        nurse,
        Preparation,
        medicines_reviewed=True,
        fasting_told=True,
        driver="Daughter",
        adult_at_home="yes",
        images_to_bring=True,
        infection_signs="no",
    )
    walk.move(nurse, Event.START_PRECALL)


def _call(walk: Walk) -> None:
    walk.save(
        walk.cast.nurse,
        Precall,
        state="reached",
        medicines_asked=True,
        allergies_asked=True,
        history_asked=True,
        questions_answered=True,
        driver_confirmed=True,
        fasting_confirmed=True,
        images_confirmed=True,
        pregnant_or_nursing="no",
    )
    walk.move(walk.cast.nurse, Event.COMPLETE_PRECALL)


def _arrive(walk: Walk) -> None:
    for hold in MedicationHold.objects.filter(case_id=walk.case_id, is_current=True, state="patient_told"):
        regions.move_region(actor=walk.cast.nurse, row=hold, event=RegionEvent.STOP)
    walk.move(walk.cast.nurse, Event.ARRIVE)


def _check_in(walk: Walk) -> None:
    walk.save(
        walk.cast.nurse,
        CheckIn,
        identity_checked=True,
        pain_now=walk.story.pain,
        improved="no",
        fasted="yes",
        last_meal="yesterday evening",
        doses_as_planned="yes",
        driver_present="yes",
        pregnancy="not_applicable",
        nursing="no",
        infection="no",
        systolic=132,
        diastolic=78,
        pulse=74,
        spo2=97,
        legs_normal="yes",
    )
    walk.move(walk.cast.nurse, Event.PASS_CHECK_IN)


def _tick_all(walk: Walk, name: str, items: Any) -> None:
    for item in items:
        treatment.tick_item(
            actor=walk.cast.nurse, case_id=walk.case_id, checklist=name, item=item.code, is_done=True
        )


def _sign_in(walk: Walk) -> None:
    _tick_all(walk, "sign_in", SIGN_IN)
    walk.move(walk.cast.nurse, Event.COMPLETE_SIGN_IN)


def _time_out(walk: Walk) -> None:
    _tick_all(walk, "time_out", TIME_OUT)
    walk.move(walk.cast.radiologist, Event.COMPLETE_TIME_OUT)


def _room_event(walk: Walk, kind: str, content: dict[str, Any], level_id: int | None = None) -> None:
    treatment.add_room_event(
        actor=walk.cast.nurse,
        case_id=walk.case_id,
        kind=kind,
        content=content,
        token=uuid.uuid5(uuid.NAMESPACE_OID, f"{walk.case_id} {kind} {timezone.now().isoformat()}"),
        level_id=level_id,
    )


def _treat(walk: Walk) -> None:
    _room_event(walk, "drug", {"name": "midazolam", "amount": 1.0, "unit": "mg"})
    _room_event(walk, "vitals", {"systolic": 128, "pulse": 70, "spo2": 98, "sedation": -1})
    for level in LevelTreatment.objects.filter(case_id=walk.case_id, is_current=True):
        for ml in walk.story.cement_ml:
            _room_event(walk, "cement", {"ml": ml}, level.pk)
        standing = LevelTreatment.objects.get(pk=level.pk)
        treatment.change_level(
            actor=walk.cast.radiologist,
            level=standing,
            values={
                "level_confirmed": True,
                "needle": "11 G",
                "cement_product": "Demo cement, 30 % barium sulfate",
                "cement_lot": "D-0001",
                "mixed_at": timezone.now(),
                "leak": "none",
                "stop_reason": "filled",
                "outcome": "treated",
            },
            version=standing.version,
        )
    _tick_all(walk, "sign_out", SIGN_OUT)
    walk.move(walk.cast.radiologist, Event.FINISH_PROCEDURE)


def _turn(walk: Walk) -> None:
    stay = records.current(walk.case, RecoveryStay)
    assert stay is not None, "the procedure's end began a stay"
    walk.save(walk.cast.nurse, RecoveryStay, bed="Bay 2", sample_set=True)
    RecoveryStay.objects.filter(pk=stay.pk).update(prone_since=timezone.now() - timedelta(minutes=25))
    walk.move(walk.cast.nurse, Event.TURN_SUPINE)


def _home(walk: Walk) -> None:
    nurse, now = walk.cast.nurse, timezone.now()
    RecoveryStay.objects.filter(case_id=walk.case_id, is_current=True).update(
        supine_since=now - timedelta(minutes=250)
    )
    for minutes, pain in ((130, 4), (60, 3), (5, 2)):
        walk.add(
            nurse,
            Observation,
            at=now - timedelta(minutes=minutes),
            systolic=126,
            pulse=72,
            spo2=97,
            pain=pain,
            legs="same",
            aldrete=10,
            padss=10,
        )
    walk.save(
        nurse,
        DischargeCheck,
        dressing_dry=True,
        drinks=True,
        walked=True,
        driver_here=True,
        instructions_given=True,
        understood=True,
        activity_guidance=True,
        restart_plan="given",
        reversal_given="no",
    )
    walk.move(nurse, Event.DISCHARGE)


LINE: tuple[tuple[Stage, Callable[[Walk], None]], ...] = (
    (Stage.REFERRED, _accept),
    (Stage.XRAY, _xray),
    (Stage.MRI_SAFETY, _mri_safety),
    (Stage.MRI, _scan),
    (Stage.OTHER_IMAGING, _scan),
    (Stage.IMAGING_REVIEW, _read),
    (Stage.CONSULTATION, _consult),
    (Stage.ELIGIBILITY, _decide),
    (Stage.PROCEDURE_CHOICE, _choose),
    (Stage.CONSENT, _consent),
    (Stage.SCHEDULING, _book),
    (Stage.PREPARATION, _prepare),
    (Stage.PRECALL, _call),
    (Stage.READY, _arrive),
    (Stage.CHECK_IN, _check_in),
    (Stage.SIGN_IN, _sign_in),
    (Stage.TIME_OUT, _time_out),
    (Stage.PROCEDURE, _treat),
    (Stage.PRONE, _turn),
    (Stage.RECOVERY, _home),
)
"""What is done at each stage of the main line, in order."""


def walk_to(stage: Stage, *, case_id: int, cast: Cast, story: Story = Story()) -> Case:
    """Walk a case along the main line until it stands at a stage."""
    steps = dict(LINE)
    walk = Walk(case_id, cast, story)
    while walk.case.stage != stage:
        steps[Stage(walk.case.stage)](walk)
    return walk.case


def look_at(actor: Actor, case: Case) -> None:
    """One read in the audit log."""
    record_read(actor, "case.read", Subject(case.patient_id, case.pk, case.site_id))
