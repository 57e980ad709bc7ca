"""How a case begins: a request is sent, looked at, and becomes a case; physicians refer directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import PUBLIC, Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import ChangedMeanwhile, NotAllowed, NotVisible
from vertebro_clinic.core.models import Site
from vertebro_clinic.core.roles import ActorKind, Role
from vertebro_clinic.pathway.domain.queries.visible import patients_visible_to, requests_visible_to
from vertebro_clinic.pathway.models import AppointmentRequest, Case, Patient, Referral
from vertebro_clinic.pathway.models.referral import RequestState, Story

STORY_FIELDS = tuple(field.name for field in Story._meta.get_fields() if hasattr(field, "attname"))


def match_key(given_name: str, family_name: str, birth_date: object) -> str:
    """What two entries of one person have in common: first letter, family name without signs, date of birth.

    >>> match_key("Ana", "de la O-Ruiz", "1950-02-01")
    'a|delaoruiz|1950-02-01'
    """
    family = "".join(letter for letter in family_name.lower() if letter.isalnum())
    return f"{given_name.strip().lower()[:1]}|{family}|{birth_date}"


def send_request(*, actor: Actor = PUBLIC, values: Mapping[str, Any]) -> AppointmentRequest:
    """Keep what somebody sent from the public page."""
    with transaction.atomic():
        request = AppointmentRequest(**values)
        request.save()
        audit.record(
            actor,
            "request.send",
            audit.Subject(site_id=request.site_id),
            is_write=True,
            detail={"request": request.pk},
        )
    return request


def likely_same(
    actor: Actor, *, given_name: str, family_name: str, birth_date: object, phone: str = ""
) -> list[Patient]:
    """Patients whom this person may see and who could be the same one."""
    same = Q(match_key=match_key(given_name, family_name, birth_date))
    if phone.strip():
        same |= Q(phone=phone.strip(), birth_date=birth_date)
    return list(patients_visible_to(actor).filter(same).order_by("pk")[:10])


def add_patient(*, actor: Actor, site: Site, values: Mapping[str, Any]) -> Patient:
    """Put a new patient on record at a site."""
    allowed = (Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST, Role.REFERRER)
    if actor.kind != ActorKind.SYSTEM and not actor.has_role(*allowed, site_id=site.pk):
        raise NotAllowed(_("Your role does not do this."))
    with transaction.atomic():
        patient = Patient(home_site=site, created_by_id=actor.user_id, **values)
        patient.match_key = match_key(patient.given_name, patient.family_name, patient.birth_date)
        patient.save()
        audit.record(actor, "patient.add", audit.Subject(patient.pk, None, site.pk), is_write=True)
    return patient


def open_new_case(
    *, actor: Actor, patient: Patient, site: Site, story: Mapping[str, Any], source: str
) -> Case:
    """Open a case with its referral. A physician becomes its referrer."""
    allowed = (Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST, Role.REFERRER)
    if actor.kind != ActorKind.SYSTEM and not actor.has_role(*allowed, site_id=site.pk):
        raise NotAllowed(_("Your role does not do this."))
    with transaction.atomic():
        is_referrer = actor.has_role(Role.REFERRER) and not actor.is_staff
        case = Case(
            patient=patient,
            site=site,
            stage_since=timezone.now(),
            created_by_id=actor.user_id,
            referrer_id=actor.user_id if is_referrer else None,
        )
        case.save()
        referral = Referral(case=case, source=source, created_by_id=actor.user_id, **story)
        referral.save()
        audit.record(
            actor,
            "case.open",
            audit.Subject(patient.pk, case.pk, site.pk),
            is_write=True,
            detail={"source": source},
        )
    return case


def _locked_request(actor: Actor, request_id: int) -> AppointmentRequest:
    if not requests_visible_to(actor).filter(pk=request_id).exists():
        raise NotVisible(_("There is no such request for you."))
    request = AppointmentRequest.objects.select_for_update().select_related("site").get(pk=request_id)
    if request.state != RequestState.NEW:
        raise ChangedMeanwhile(_("This request was decided already."), request)
    return request


def accept_request(*, actor: Actor, request_id: int, patient_id: int | None = None) -> Case:
    """Turn a request into a case, for a patient who is on record already or a new one."""
    with transaction.atomic():
        request = _locked_request(actor, request_id)
        if patient_id is not None:
            patient = patients_visible_to(actor).filter(pk=patient_id).first()
            if patient is None:
                raise NotVisible(_("There is no such patient for you."))
        else:
            names = (
                "given_name",
                "family_name",
                "birth_date",
                "phone",
                "email",
                "language",
                "physician_name",
            )
            patient = add_patient(
                actor=actor, site=request.site, values={name: getattr(request, name) for name in names}
            )
        story = {name: getattr(request, name) for name in STORY_FIELDS}
        case = open_new_case(
            actor=actor,
            patient=patient,
            site=request.site,
            story={**story, "question": request.question},
            source="patient",
        )
        _decide(request, actor, RequestState.ACCEPTED, case=case)
    return case


def decline_request(*, actor: Actor, request_id: int, note: str) -> AppointmentRequest:
    """Close a request without a case, with a note why."""
    with transaction.atomic():
        request = _locked_request(actor, request_id)
        if not note.strip():
            raise NotAllowed(_("Say why."))
        _decide(request, actor, RequestState.DECLINED, note=note.strip())
    return request


def _decide(
    request: AppointmentRequest,
    actor: Actor,
    state: RequestState,
    *,
    case: Case | None = None,
    note: str = "",
) -> None:
    request.state, request.decided_at = state, timezone.now()
    request.case, request.decision_note = case, note[:240]
    request.updated_by_id = actor.user_id
    request.version += 1
    request.save()
    audit.record(
        actor,
        f"request.{state}",
        audit.Subject(case.patient_id if case else None, case.pk if case else None, request.site_id),
        is_write=True,
        detail={"request": request.pk, "note": note},
    )
