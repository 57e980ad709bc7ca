"""Structured records of a case.

Saved against lost updates, signed, corrected with a trace, retired, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import ChangedMeanwhile, ConditionsUnmet, Missing, NotAllowed
from vertebro_clinic.core.roles import ActorKind, Role
from vertebro_clinic.pathway.domain.queries.visible import lock_case, subject_of
from vertebro_clinic.pathway.models import (
    Case,
    CheckIn,
    Consent,
    Consultation,
    DischargeCheck,
    Eligibility,
    ImagingReview,
    LevelChoice,
    LevelFinding,
    MriSafety,
    Precall,
    Preparation,
    ProcedureChoice,
    RecoveryStay,
    Referral,
    SignIn,
    SignOut,
    TimeOut,
)
from vertebro_clinic.pathway.models.base import CaseRow, Record

Kind = TypeVar("Kind", bound=Record)
RowKind = TypeVar("RowKind", bound=CaseRow)

_ROOM = frozenset({Role.NURSE, Role.RADIOLOGIST})
WRITERS: dict[type[Record], frozenset[Role]] = {
    Referral: frozenset({Role.REFERRER, Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST}),
    MriSafety: _ROOM,
    ImagingReview: frozenset({Role.RADIOLOGIST}),
    Consultation: frozenset({Role.RADIOLOGIST}),
    Eligibility: frozenset({Role.RADIOLOGIST}),
    ProcedureChoice: frozenset({Role.RADIOLOGIST}),
    Consent: frozenset({Role.RADIOLOGIST}),
    Preparation: frozenset({Role.SCHEDULER, Role.NURSE}),
    Precall: frozenset({Role.NURSE}),
    CheckIn: _ROOM,
    SignIn: _ROOM,
    TimeOut: _ROOM,
    SignOut: _ROOM,
    RecoveryStay: _ROOM,
    DischargeCheck: _ROOM,
}
"""Who writes which record. Everybody who sees the case reads all of them."""

SIGNED = frozenset({ImagingReview, Consultation, Eligibility, ProcedureChoice, Consent})
"""Records that count only with a signature."""


def audit_name(model: type[Any]) -> str:
    """The noun under which the audit log knows a table."""
    return str(model._meta.model_name)


def current(case: Case, model: type[Kind]) -> Kind | None:
    """The record of this kind that counts now, or none."""
    return model._default_manager.filter(case=case, is_current=True).first()


def require_writer(actor: Actor, case: Case, roles: Iterable[Role]) -> None:
    """Refuse who holds none of these roles for this case. A referring physician has own cases only."""
    if actor.kind == ActorKind.SYSTEM:
        return
    roles = frozenset(roles)
    at_site = actor.has_role(*(roles - {Role.REFERRER}), site_id=case.site_id)
    opened = case.patient_id in actor.opened and actor.has_role(*(roles - {Role.REFERRER}))
    own = Role.REFERRER in roles and actor.has_role(Role.REFERRER) and case.referrer_id == actor.user_id
    if not (at_site or opened or own):
        raise NotAllowed(_("Your role does not do this."))


def _changed(record: Record | CaseRow) -> ChangedMeanwhile:
    who = record.updated_by.name if record.updated_by else _("somebody")
    return ChangedMeanwhile(
        _("%(who)s saved this in the meantime. Nothing of theirs or yours is lost: compare and save again.")
        % {"who": who},
        record,
    )


def save_record(
    *, actor: Actor, case_id: int, model: type[Kind], values: Mapping[str, Any], version: int
) -> Kind:
    """Save a record's fields.

    Parameters
    ----------
    version : int
        The version that the person saw; 0 where no record stood.

    Raises
    ------
    ChangedMeanwhile
        When another version stands now; it is passed along for comparison.
    """
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, WRITERS[model])
        record = current(case, model)
        if record is not None and record.is_signed:
            raise NotAllowed(_("This record is signed. Correct it with a reason instead."))
        if (record.version if record else 0) != version:
            assert record is not None
            raise _changed(record)
        is_new = record is None
        record = record or model(case=case, created_by_id=actor.user_id, version=0)
        changed = [name for name, value in values.items() if is_new or getattr(record, name) != value]
        for name in changed:
            setattr(record, name, values[name])
        _save(record, actor)
        audit.record(
            actor, f"{audit_name(model)}.save", subject_of(case), is_write=True, detail={"fields": changed}
        )
    return record


def _save(row: Record | CaseRow, actor: Actor) -> None:
    row.version += 1
    row.updated_by_id = actor.user_id
    row.save()


def sign_record(*, actor: Actor, case_id: int, model: type[Kind], version: int) -> Kind:
    """Put the actor's name and the time to a record; it is fixed from then on."""
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, WRITERS[model])
        record = current(case, model)
        if record is None:
            raise ConditionsUnmet([Missing("record.none", _("There is nothing to sign yet."))])
        if record.version != version:
            raise _changed(record)
        if not record.is_signed:
            record.signed_at, record.signed_by_id = timezone.now(), actor.user_id
            _save(record, actor)
            audit.record(
                actor,
                f"{audit_name(model)}.sign",
                subject_of(case),
                is_write=True,
                detail={"version": record.version},
            )
    return record


def correct_record(*, actor: Actor, case_id: int, model: type[Kind], reason: str) -> Kind:
    """Open a signed record for correction.

    The signed one is kept as it was, a copy of it is made to be changed.
    """
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, WRITERS[model])
        signed = current(case, model)
        if signed is None or not signed.is_signed:
            raise ConditionsUnmet(
                [Missing("record.not_signed", _("Only a signed record needs a correction."))]
            )
        if not reason.strip():
            raise ConditionsUnmet([Missing("reason", _("Say why it is corrected."))])
        copy = model._default_manager.get(pk=signed.pk)
        _retire(signed, actor, reason.strip())
        copy.pk, copy._state.adding = None, True
        copy.signed_at = copy.signed_by_id = None
        copy.version, copy.created_by_id = 0, actor.user_id
        _save(copy, actor)
        for child in CHILDREN.get(model, ()):
            _copy_children(child, signed, copy, actor)
        audit.record(
            actor,
            f"{audit_name(model)}.correct",
            subject_of(case),
            is_write=True,
            detail={"reason": reason.strip(), "corrects": signed.pk},
        )
    return copy


CHILDREN: dict[type[Record], tuple[tuple[type[CaseRow], str], ...]] = {
    ImagingReview: ((LevelFinding, "review"),),
    ProcedureChoice: ((LevelChoice, "chosen"),),
}
"""Rows that belong to a record and go with it into a correction."""


def _copy_children(child: tuple[type[CaseRow], str], old: Record, new: Record, actor: Actor) -> None:
    model, field = child
    for row in model._default_manager.filter(**{field: old, "is_current": True}):
        row.pk, row._state.adding = None, True
        setattr(row, field, new)
        row.version = 0
        _save(row, actor)


def _retire(row: Record | CaseRow, actor: Actor, reason: str) -> None:
    row.is_current, row.retired_reason = False, reason[:200]
    _save(row, actor)


def retire_records(
    *, actor: Actor, case: Case, models: Iterable[type[Record | CaseRow]], reason: str
) -> None:
    """Set these kinds of records of a case aside: readable, no longer counting."""
    for model in models:
        for row in model._default_manager.filter(case=case, is_current=True):
            _retire(row, actor, reason)
            audit.record(
                actor,
                f"{audit_name(model)}.retire",
                subject_of(case),
                is_write=True,
                detail={"row": row.pk, "reason": reason},
            )


_PARENT_FIELDS: dict[type[CaseRow], str] = {
    child: field for rows in CHILDREN.values() for child, field in rows
}


def _require_open_parent(model: type[CaseRow], parent: Record | None) -> None:
    """Refuse to touch what belongs to a signed record: it is corrected as a whole, with a reason."""
    if model in _PARENT_FIELDS and parent is not None and parent.is_signed:
        raise NotAllowed(_("This belongs to a signed record. Correct the record with a reason instead."))


def _parent_of(row: CaseRow) -> Record | None:
    field = _PARENT_FIELDS.get(type(row))
    return getattr(row, field) if field else None


def add_row(
    *, actor: Actor, case_id: int, model: type[RowKind], values: Mapping[str, Any], roles: Iterable[Role]
) -> RowKind:
    """Add a row to a case: a study, a laboratory value, an observation."""
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, roles)
        _require_open_parent(model, values.get(_PARENT_FIELDS.get(model, "")))
        row = model(case=case, created_by_id=actor.user_id, version=0, **values)
        _save(row, actor)
        audit.record(
            actor, f"{audit_name(model)}.add", subject_of(case), is_write=True, detail={"row": row.pk}
        )
    return row


def change_row(
    *,
    actor: Actor,
    row: RowKind,
    values: Mapping[str, Any],
    roles: Iterable[Role],
    version: int,
) -> RowKind:
    """Change a row of a case; its earlier states stay in its history."""
    with transaction.atomic():
        case = lock_case(actor, row.case_id)
        require_writer(actor, case, roles)
        now = type(row)._default_manager.get(pk=row.pk)
        _require_open_parent(type(row), _parent_of(now))
        if now.version != version:
            raise _changed(now)
        changed = [name for name, value in values.items() if getattr(now, name) != value]
        for name in changed:
            setattr(now, name, values[name])
        _save(now, actor)
        audit.record(
            actor,
            f"{audit_name(type(row))}.change",
            subject_of(case),
            is_write=True,
            detail={"row": now.pk, "fields": changed},
        )
    return now


def retire_row(*, actor: Actor, row: CaseRow, roles: Iterable[Role], reason: str) -> None:
    """Set one row aside with a reason."""
    with transaction.atomic():
        case = lock_case(actor, row.case_id)
        require_writer(actor, case, roles)
        now = type(row)._default_manager.get(pk=row.pk)
        _require_open_parent(type(row), _parent_of(now))
        _retire(now, actor, reason)
        audit.record(
            actor,
            f"{audit_name(type(row))}.retire",
            subject_of(case),
            is_write=True,
            detail={"row": row.pk, "reason": reason},
        )
