"""Who sees what: the only doors to patients' data.

Staff see the patients of their sites, a referring physician the cases they referred, a patient themself, a
person named by the patient that patient; a nurse or radiologist also whom they opened in an emergency.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain.audit import Subject, record_read
from vertebro_clinic.core.errors import NotVisible
from vertebro_clinic.core.roles import READING_ROLES, ActorKind, Role
from vertebro_clinic.pathway.models import AppointmentRequest, Case, Patient, Task

Row = TypeVar("Row", bound=models.Model)


def _cases_filter(actor: Actor) -> Q:
    if actor.kind == ActorKind.SYSTEM:
        return Q()
    allowed = Q(pk__in=[])
    sites = actor.sites(*READING_ROLES)
    if sites:
        allowed |= Q(site_id__in=sites)
    if actor.has_role(Role.REFERRER):
        allowed |= Q(referrer_id=actor.user_id)
    if actor.patient_id is not None:
        allowed |= Q(patient_id=actor.patient_id)
    if actor.opened:
        allowed |= Q(patient_id__in=actor.opened)
    return allowed


def cases_visible_to(actor: Actor) -> QuerySet[Case]:
    """The cases that this person may read."""
    return Case.objects.filter(_cases_filter(actor))


def patients_visible_to(actor: Actor) -> QuerySet[Patient]:
    """The patients that this person may read."""
    if actor.kind == ActorKind.SYSTEM:
        return Patient.objects.all()
    allowed = Q(pk__in=cases_visible_to(actor).values("patient_id"))
    sites = actor.sites(*READING_ROLES)
    if sites:
        allowed |= Q(home_site_id__in=sites)
    if actor.patient_id is not None:
        allowed |= Q(pk=actor.patient_id)
    if actor.opened:
        allowed |= Q(pk__in=actor.opened)
    return Patient.objects.filter(allowed)


def requests_visible_to(actor: Actor) -> QuerySet[AppointmentRequest]:
    """Requests from the public page, for those who accept them."""
    if actor.kind == ActorKind.SYSTEM:
        return AppointmentRequest.objects.all()
    return AppointmentRequest.objects.filter(
        site_id__in=actor.sites(Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST)
    )


def tasks_visible_to(actor: Actor) -> QuerySet[Task]:
    """Open and done tasks of the cases that this person may read."""
    return Task.objects.filter(case__in=cases_visible_to(actor), is_current=True)


def subject_of(case: Case) -> Subject:
    """The numbers by which the audit log names a case."""
    return Subject(case.patient_id, case.pk, case.site_id)


def open_case(actor: Actor, key: object, *, action: str, related: tuple[str, ...] = ()) -> Case:
    """One case for reading; the read is logged. :class:`NotVisible` when it is not there for this person."""
    case = cases_visible_to(actor).select_related("patient", "site", *related).filter(key=str(key)).first()
    if case is None:
        raise NotVisible(_("There is no such case for you."))
    record_read(actor, action, subject_of(case))
    return case


def open_patient(actor: Actor, patient_id: int, *, action: str) -> Patient:
    """One patient for reading; the read is logged."""
    patient = patients_visible_to(actor).select_related("home_site").filter(pk=patient_id).first()
    if patient is None:
        raise NotVisible(_("There is no such patient for you."))
    record_read(actor, action, Subject(patient.pk, None, patient.home_site_id))
    return patient


def lock_case(actor: Actor, case_id: int) -> Case:
    """One case for writing, locked until the transaction ends."""
    assert transaction.get_connection().in_atomic_block, "a write locks its case inside a transaction"
    visible = cases_visible_to(actor).filter(pk=case_id).exists()
    if not visible:
        raise NotVisible(_("There is no such case for you."))
    return Case.objects.select_for_update().get(pk=case_id)
