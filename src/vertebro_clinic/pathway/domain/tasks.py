"""Work that is due: attempts, done, asked by a patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.roles import READING_ROLES, Role
from vertebro_clinic.pathway.domain.effects import open_task
from vertebro_clinic.pathway.domain.queries.visible import lock_case, subject_of
from vertebro_clinic.pathway.domain.records import add_row, require_writer
from vertebro_clinic.pathway.enums import TaskKind, TaskOutcome, YesNoUnknown
from vertebro_clinic.pathway.models import Case, FollowUpContact, NewPain, OutcomeScore, Task

TASK_ROLES = READING_ROLES
RED_FLAGS = ("leg_weakness", "bladder_bowel", "breathing", "fever_wound")
ATTEMPTS_BEFORE_ESCALATION = 3


def finish_task(*, actor: Actor, task: Task, outcome: TaskOutcome = TaskOutcome.DONE, note: str = "") -> Task:
    """Mark a task as done, not needed, or given up."""
    with transaction.atomic():
        case = lock_case(actor, task.case_id)
        require_writer(actor, case, TASK_ROLES)
        now = Task.objects.get(pk=task.pk)
        if now.done_at is None:
            now.done_at, now.done_by_id, now.outcome = timezone.now(), actor.user_id, outcome
            now.note = "\n".join(part for part in (now.note, note.strip()) if part)
            now.version += 1
            now.updated_by_id = actor.user_id
            now.save()
            audit.record(
                actor,
                "task.finish",
                subject_of(case),
                is_write=True,
                detail={"kind": now.kind, "outcome": str(outcome)},
            )
    return now


def record_contact(*, actor: Actor, task: Task, values: Mapping[str, Any]) -> FollowUpContact:
    """Keep a call's answers. A red flag opens work for a clinician today, new pain opens its region.

    A patient who is not reached is tried again in four hours; after three attempts a clinician decides.
    """
    with transaction.atomic():
        contact = add_row(
            actor=actor,
            case_id=task.case_id,
            model=FollowUpContact,
            values={**values, "task": task},
            roles={Role.NURSE, Role.RADIOLOGIST},
        )
        case = Case.objects.get(pk=task.case_id)
        if not contact.reached:
            _try_again(actor, case, task)
            return contact
        flags = [name for name in RED_FLAGS if getattr(contact, name) == YesNoUnknown.YES]
        if flags:
            labels = ", ".join(str(FollowUpContact._meta.get_field(name).verbose_name) for name in flags)  # type: ignore[union-attr]
            open_task(
                actor=actor,
                case=case,
                kind=TaskKind.CLINICIAN_TODAY,
                due_at=timezone.now(),
                role=Role.RADIOLOGIST,
                note=labels,
            )
        if contact.new_pain == YesNoUnknown.YES:
            add_row(
                actor=actor,
                case_id=case.pk,
                model=NewPain,
                values={"reported_at": contact.at, "description": contact.remark},
                roles={Role.NURSE, Role.RADIOLOGIST},
            )
        finish_task(actor=actor, task=task)
    return contact


def _try_again(actor: Actor, case: Case, task: Task) -> None:
    task.attempts += 1
    task.last_attempt_at = timezone.now()
    task.due_at = timezone.now() + timedelta(hours=4)
    task.version += 1
    task.save()
    if task.attempts >= ATTEMPTS_BEFORE_ESCALATION:
        open_task(
            actor=actor,
            case=case,
            kind=TaskKind.CLINICIAN_TODAY,
            due_at=timezone.now(),
            role=Role.RADIOLOGIST,
            note=str(task.get_kind_display()),
        )


def record_outcome(*, actor: Actor, task: Task, values: Mapping[str, Any]) -> OutcomeScore:
    """Keep questionnaire results entered by staff."""
    with transaction.atomic():
        score = add_row(
            actor=actor,
            case_id=task.case_id,
            model=OutcomeScore,
            values={**values, "task": task, "time_point": task.kind},
            roles=TASK_ROLES,
        )
        finish_task(actor=actor, task=task)
    return score


def answer_outcome(*, actor: Actor, task: Task, values: Mapping[str, Any]) -> OutcomeScore:
    """Keep questionnaire results that the patient entered on their own page."""
    with transaction.atomic():
        case = lock_case(actor, task.case_id)
        score = OutcomeScore(case=case, task=task, time_point=task.kind, by_patient=True, **values)
        score.save()
        audit.record(
            actor, "outcomescore.answer", subject_of(case), is_write=True, detail={"task": task.kind}
        )
        now = Task.objects.get(pk=task.pk)
        now.done_at, now.outcome = timezone.now(), TaskOutcome.DONE
        now.version += 1
        now.save()
    return score


def ask_question(*, actor: Actor, case: Case, words: str) -> Task:
    """A question from the patient's page reaches the nurse."""
    with transaction.atomic():
        locked = lock_case(actor, case.pk)
        task = Task(
            case=locked,
            kind=TaskKind.QUESTION,
            role=Role.NURSE,
            due_at=timezone.now(),
            note=words.strip()[:2000],
        )
        task.save()
        audit.record(actor, "task.question", subject_of(locked), is_write=True)
    return task
