"""What awaits a person: counts by stage, what is overdue, what is theirs to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.queries.visible import (
    cases_visible_to,
    patients_visible_to,
    requests_visible_to,
    tasks_visible_to,
)
from vertebro_clinic.pathway.domain.transitions import EVENT_ROLES, NEEDS_REASON, TRANSITIONS
from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.pathway.models import AppointmentRequest, Case, Patient, Task
from vertebro_clinic.pathway.models.referral import RequestState

PATIENCE: dict[Stage, timedelta] = {
    Stage.REFERRED: timedelta(days=2),
    Stage.XRAY: timedelta(days=5),
    Stage.MRI_SAFETY: timedelta(days=2),
    Stage.MRI: timedelta(days=7),
    Stage.OTHER_IMAGING: timedelta(days=7),
    Stage.IMAGING_REVIEW: timedelta(days=2),
    Stage.CONSULTATION: timedelta(days=5),
    Stage.ELIGIBILITY: timedelta(days=2),
    Stage.PROCEDURE_CHOICE: timedelta(days=2),
    Stage.CONSENT: timedelta(days=5),
    Stage.SCHEDULING: timedelta(days=3),
    Stage.POSTPONED: timedelta(days=7),
    Stage.URGENT: timedelta(hours=4),
}
"""How long a case may wait at a stage before it shows as overdue (assumed.

A working rule, no published figure).
"""

LIST_LENGTH = 50


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many cases stand at a stage."""

    stage: Stage
    count: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Home:
    """One person's start page."""

    stages: tuple[StageCount, ...]
    mine: tuple[Case, ...]
    tasks: tuple[Task, ...]
    requests: tuple[AppointmentRequest, ...]
    overdue: int


def stages_of(roles: frozenset[Role]) -> list[Stage]:
    """The stages at which one of these roles takes the main step."""
    return [
        stage
        for stage in Stage
        if any(
            at == stage and event not in NEEDS_REASON and EVENT_ROLES[event] & roles
            for at, event in TRANSITIONS
        )
    ]


def _late() -> Q:
    late = Q(pk__in=[])
    now = timezone.now()
    for stage, patience in PATIENCE.items():
        late |= Q(stage=stage, stage_since__lt=now - patience)
    return late


def home_of(actor: Actor) -> Home:
    """Counts, own work and overdue work of a member of staff, in a fixed number of queries."""
    cases = cases_visible_to(actor)
    late = _late()
    counted = {
        row["stage"]: row
        for row in cases.values("stage").annotate(n=Count("pk"), late=Count("pk", filter=late))
    }
    stages = tuple(
        StageCount(stage, counted[stage]["n"], counted[stage]["late"]) for stage in Stage if stage in counted
    )
    mine = cases.filter(stage__in=stages_of(actor.roles)).exclude(stage__in=[Stage.FOLLOW_UP])
    mine = mine.select_related("patient", "site").order_by("-is_urgent", "stage_since")
    tasks = tasks_visible_to(actor).filter(done_at=None, due_at__lt=timezone.now() + timedelta(days=2))
    tasks = tasks.filter(role__in=actor.roles).select_related("case__patient", "case__site")
    requests = requests_visible_to(actor).filter(state=RequestState.NEW).select_related("site")
    return Home(
        stages,
        tuple(mine[:LIST_LENGTH]),
        tuple(tasks[:LIST_LENGTH]),
        tuple(requests[:LIST_LENGTH]),
        sum(stage.overdue for stage in stages),
    )


def cases_at(actor: Actor, stage: Stage) -> list[Case]:
    """The visible cases at one stage, longest waiting first."""
    cases = cases_visible_to(actor).filter(stage=stage).select_related("patient", "site", "referrer")
    return list(cases.order_by("-is_urgent", "stage_since")[:500])


def is_late(case: Case) -> bool:
    """Whether a case has waited at its stage for longer than it should."""
    patience = PATIENCE.get(Stage(case.stage))
    return patience is not None and case.stage_since < timezone.now() - patience


def search_patients(actor: Actor, words: str) -> list[Patient]:
    """Patients by name, record number, telephone or date of birth, among those visible."""
    found = patients_visible_to(actor)
    for word in words.split()[:4]:
        match = Q(family_name__istartswith=word) | Q(given_name__istartswith=word) | Q(record_number=word)
        match |= Q(phone__contains=word) if any(sign.isdigit() for sign in word) else Q()
        if len(word) == 10 and word[4] == "-" and word.replace("-", "").isdigit():
            match |= Q(birth_date=word)
        found = found.filter(match)
    return list(found.select_related("home_site").order_by("family_name", "given_name", "pk")[:50])
