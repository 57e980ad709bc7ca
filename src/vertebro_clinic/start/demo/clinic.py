"""Filling an empty database with the demo. Deterministic from a seed; every date is relative to today."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from vertebro_clinic.core.actor import SYSTEM, Actor
from vertebro_clinic.core.domain.people import actor_for_user, add_member
from vertebro_clinic.core.models import Site, User
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain import patient as patients
from vertebro_clinic.pathway.domain import regions, tasks
from vertebro_clinic.pathway.domain.policies import approve_rule
from vertebro_clinic.pathway.domain.referral import add_patient, open_new_case, send_request
from vertebro_clinic.pathway.domain.regions import RegionEvent
from vertebro_clinic.pathway.domain.transitions import move_case
from vertebro_clinic.pathway.enums import Event, ImagingKind, Stage, TaskKind
from vertebro_clinic.pathway.models import Allergy, BoneHealth, Case, MedicationHold, Medicine, Patient, Task
from vertebro_clinic.pathway.rules import eligibility_rules, limits
from vertebro_clinic.start.demo.journey import Cast, Story, walk_to

DEFAULT_SEED = 7
EMAIL = "{role}.{site}@demo.example"
_SERVICES = [str(kind.label) for kind in ImagingKind if kind not in (ImagingKind.SPECT_CT,)]
_GIVEN = [
    "Ana",
    "Beatriz",
    "Carmen",
    "Dolores",
    "Elena",
    "Florence",
    "George",
    "Harold",
    "Irene",
    "James",
    "Klara",
    "Leonor",
    "Martin",
    "Nadia",
    "Oscar",
    "Paula",
    "Quentin",
    "Rosa",
    "Samuel",
    "Teresa",
    "Ulises",
    "Vera",
    "Walter",
    "Ximena",
    "Yvonne",
    "Zoran",
]
_MEN = frozenset(
    {"George", "Harold", "James", "Martin", "Oscar", "Quentin", "Samuel", "Ulises", "Walter", "Zoran"}
)
_FAMILY = [
    "Abbott",
    "Baca",
    "Chavez",
    "Delgado",
    "Eriksen",
    "Fields",
    "Garcia",
    "Hollis",
    "Ibarra",
    "Jensen",
    "Kowalski",
    "Lucero",
    "Montoya",
    "Nguyen",
    "Ortega",
    "Padilla",
    "Quintana",
    "Romero",
    "Sandoval",
    "Trujillo",
    "Underwood",
    "Vigil",
    "Whitaker",
    "Yazzie",
    "Zamora",
]
_PHYSICIANS = ("Dr. R. Alvarez", "Dr. T. Begay", "Dr. M. Cohen", "Dr. S. Patel")
_LEVELS = (("L1",), ("T12",), ("L2",), ("T11", "T12"), ("L1", "L3"), ("T8",), ("L4",))


@dataclass(frozen=True, slots=True)
class Demo:
    """What was made: staff by role and site, for sign-in links."""

    users: dict[tuple[str, str], User]
    password: str


def _sites() -> list[Site]:
    farmington = Site.objects.create(
        name="X-Ray Associates at Farmington",
        short_name="Farmington",
        zone="America/Denver",
        address="2300 East 30th Street, Farmington, New Mexico",
        appointment_phone="202-877-9729",
        problem_phone="202-877-9729",
        services=_SERVICES,
    )
    santa_fe = Site.objects.create(
        name="X-Ray Associates at Santa Fe",
        short_name="Santa Fe",
        zone="America/Denver",
        address="1640 Hospital Drive, Santa Fe, New Mexico",
        appointment_phone="202-877-9729",
        problem_phone="202-877-9729",
        services=_SERVICES,
        fasting="hours",
        recovery_minutes=180,
    )
    return [farmington, santa_fe]


_NAMES = {
    (Role.SCHEDULER, 0): "Sol Ramirez",
    (Role.NURSE, 0): "Nora Becker",
    (Role.RADIOLOGIST, 0): "Dr. Amir Rahimi",
    (Role.QUALITY, 0): "Quinn Lopez",
    (Role.ADMINISTRATOR, 0): "Ada Martinez",
    (Role.REFERRER, 0): "Dr. R. Alvarez",
    (Role.SCHEDULER, 1): "Sam Ortiz",
    (Role.NURSE, 1): "Noah Winters",
    (Role.RADIOLOGIST, 1): "Dr. Ruth Lindgren",
    (Role.QUALITY, 1): "Quentin Shaw",
    (Role.ADMINISTRATOR, 1): "Alma Reyes",
    (Role.REFERRER, 1): "Dr. T. Begay",
}


def _staff(sites: list[Site], password: str) -> dict[tuple[str, str], User]:
    """People of every role at each site, all with the demo's one password (hashed once)."""
    hashed = make_password(password)
    users = {}
    for (role, index), name in _NAMES.items():
        site = sites[index]
        user = User(
            email=EMAIL.format(role=role, site=site.short_name.lower().replace(" ", "")),
            name=name,
            password=hashed,
        )
        user.save()
        add_member(actor=SYSTEM, user=user, site=site, role=role)
        users[str(role), site.short_name] = user
    return users


def _cast(users: dict[tuple[str, str], User], site: Site) -> Cast:
    def of(role: Role) -> Actor:
        return actor_for_user(users[str(role), site.short_name])

    return Cast(of(Role.SCHEDULER), of(Role.NURSE), of(Role.RADIOLOGIST), of(Role.QUALITY))


def _patient(rng: random.Random, actor: Actor, site: Site, number: int) -> Patient:
    speaks = "es" if rng.random() < 0.25 else "en"
    given = _GIVEN[number % len(_GIVEN)]
    born = date(timezone.now().year - rng.randint(58, 88), rng.randint(1, 12), rng.randint(1, 28))
    patient = add_patient(
        actor=actor,
        site=site,
        values={
            "given_name": given,
            "family_name": _FAMILY[(number * 7 + 3) % len(_FAMILY)],
            "birth_date": born,
            "sex": "male" if given in _MEN else "female",
            "phone": f"505-555-{100 + number:04d}",
            "email": f"patient{number}@demo.example",
            "language": speaks,
            "interpreter": "Spanish" if speaks == "es" and rng.random() < 0.5 else "",
            "record_number": f"D{10000 + number}",
            "physician_name": rng.choice(_PHYSICIANS),
        },
    )
    _takes(rng, actor, patient)
    return patient


def _takes(rng: random.Random, actor: Actor, patient: Patient) -> None:
    taken = [("Acetaminophen", "1 g three times a day")]
    taken += [("Aspirin", "81 mg")] if rng.random() < 0.35 else []
    taken += [(rng.choice(["Apixaban", "Warfarin"]), "as prescribed")] if rng.random() < 0.25 else []
    taken += [("Alendronate", "70 mg a week")] if rng.random() < 0.3 else []
    for name, dose in taken:
        patients.add_to_patient(
            actor=actor, patient_id=patient.pk, model=Medicine, values={"name": name, "dose": dose}
        )
    if rng.random() < 0.2:
        patients.add_to_patient(
            actor=actor,
            patient_id=patient.pk,
            model=Allergy,
            values={"substance": "Penicillin", "reaction": "rash"},
        )


def _leave_line(case: Case, cast: Cast, event: Event, reason: str) -> None:
    actor = cast.radiologist if event in (Event.TREAT_CONSERVATIVELY, Event.ADMIT) else cast.nurse
    move_case(actor=actor, case_id=case.pk, event=event, reason=reason)


def _close(case: Case, cast: Cast) -> None:
    """Do everything that is due after discharge, and close."""
    for hold in MedicationHold.objects.filter(case=case, is_current=True, state="restart_due"):
        regions.move_region(actor=cast.nurse, row=hold, event=RegionEvent.RESTART)
    pain = {TaskKind.OUTCOME_1M: 3, TaskKind.OUTCOME_3M: 2, TaskKind.OUTCOME_6M: 2, TaskKind.OUTCOME_12M: 1}
    for task in Task.objects.filter(case=case, is_current=True, done_at=None):
        kind = TaskKind(task.kind)
        if kind in pain:
            values = {
                "at": timezone.now(),
                "pain_now": pain[kind],
                "odi_percent": 10 * pain[kind],
                "rmdq": 3 * pain[kind],
            }
            tasks.record_outcome(actor=cast.quality, task=task, values=values)
        elif kind in (TaskKind.CALL_DAY_1, TaskKind.CALL_WEEK_2):
            answers = dict.fromkeys((*tasks.RED_FLAGS, "new_pain"), "no")
            values = {
                "at": timezone.now(),
                "reached": True,
                "pain_now": 3,
                "analgesia": "less",
                "walking": "better",
            }
            tasks.record_contact(actor=cast.nurse, task=task, values={**values, **answers})
        else:
            tasks.finish_task(actor=cast.nurse, task=task)
    bone = BoneHealth.objects.get(case=case, is_current=True)
    bone = regions.move_region(
        actor=cast.nurse, row=bone, event=RegionEvent.REFER, values={"referred_to": "FLS"}
    )
    regions.move_region(
        actor=cast.nurse, row=bone, event=RegionEvent.TREAT, values={"treatment": "Zoledronate"}
    )
    move_case(actor=cast.quality, case_id=case.pk, event=Event.CLOSE)


_ENDS: dict[Stage, tuple[Stage, Callable[[Case, Cast], None]]] = {
    Stage.CONSERVATIVE: (
        Stage.CONSULTATION,
        lambda case, cast: _leave_line(case, cast, Event.TREAT_CONSERVATIVELY, "Pain is settling."),
    ),
    Stage.URGENT: (
        Stage.IMAGING_REVIEW,
        lambda case, cast: _leave_line(case, cast, Event.REFER_URGENTLY, "Signs of infection on MRI."),
    ),
    Stage.POSTPONED: (
        Stage.PRECALL,
        lambda case, cast: _leave_line(case, cast, Event.POSTPONE, "Urinary infection."),
    ),
    Stage.CANCELLED: (
        Stage.PRECALL,
        lambda case, cast: _leave_line(case, cast, Event.CANCEL, "The patient does not want it any more."),
    ),
    Stage.ADMITTED: (
        Stage.RECOVERY,
        lambda case, cast: _leave_line(case, cast, Event.ADMIT, "Low oxygen, watched overnight."),
    ),
    Stage.CLOSED: (Stage.FOLLOW_UP, _close),
}


def _put_back(case: Case, days: int) -> None:
    """Let a case have stood at its stage for some days."""
    Case.objects.filter(pk=case.pk).update(stage_since=F("stage_since") - timedelta(days=days))


def _fill(rng: random.Random, sites: list[Site], users: dict[tuple[str, str], User]) -> None:
    plan = [*Stage, Stage.REFERRED, Stage.IMAGING_REVIEW, Stage.CONSULTATION, Stage.PREPARATION]
    plan += [
        Stage.FOLLOW_UP,
        Stage.FOLLOW_UP,
        Stage.CLOSED,
        Stage.CLOSED,
        Stage.READY,
        Stage.RECOVERY,
        Stage.MRI,
    ]
    for number, stage in enumerate(plan):
        site = sites[number % len(sites)]
        cast = _cast(users, site)
        by_physician = rng.random() < 0.4
        opener = actor_for_user(users["referrer", site.short_name]) if by_physician else cast.scheduler
        patient = _patient(rng, cast.scheduler, site, number)
        case = open_new_case(
            actor=opener,
            patient=patient,
            site=site,
            story={},
            source="physician" if by_physician else "staff",
        )
        story = Story(
            levels=_LEVELS[number % len(_LEVELS)],
            pain=rng.randint(6, 9),
            procedure=rng.choice(["vertebroplasty", "kyphoplasty"]),
            has_pacemaker=stage == Stage.OTHER_IMAGING or rng.random() < 0.1,
            mri_impossible=stage == Stage.OTHER_IMAGING,
            booked_in_days=1 if stage in (Stage.PRECALL, Stage.READY) else rng.randint(4, 12),
        )
        along, end = _ENDS.get(stage, (stage, None))
        case = walk_to(along, case_id=case.pk, cast=cast, story=story)
        if end is not None:
            end(case, cast)
        _put_back(case, rng.choice([0, 0, 1, 3, 6]) if stage not in (Stage.PROCEDURE, Stage.PRONE) else 0)


def _requests(rng: random.Random, sites: list[Site]) -> None:
    today = timezone.now().date()
    for number, site in enumerate((sites[0], sites[0], sites[1])):
        send_request(
            values={
                "given_name": _GIVEN[-1 - number],
                "family_name": _FAMILY[-1 - number],
                "birth_date": date(today.year - 70 - number, 4, 3 + number),
                "phone": f"505-555-{900 + number:04d}",
                "site": site,
                "onset_date": today - timedelta(days=rng.randint(4, 40)),
                "pain_now": rng.randint(5, 9),
                "cause": "minor",
                "leg_weakness": "yes" if number == 1 else "no",
                "bladder_bowel": "no",
                "fever": "no",
                "cancer": "no",
                "symptoms": "Pain since I lifted a flower pot.",
            }
        )


def _approve_rules(sites: list[Site], users: dict[tuple[str, str], User]) -> None:
    for site in sites:
        actor = actor_for_user(users["radiologist", site.short_name])
        for name in [*eligibility_rules(), *limits()]:
            approve_rule(actor=actor, site=site, rule=name)


def fill_demo(password: str, seed: int = DEFAULT_SEED) -> Demo:
    """Fill an empty database: sites, staff, approved rules, about forty patients, open requests."""
    rng = random.Random(seed)  # noqa: S311 - invented people need no secrecy
    with transaction.atomic():
        sites = _sites()
        users = _staff(sites, password)
        _approve_rules(sites, users)
        _fill(rng, sites, users)
        _requests(rng, sites)
    return Demo(users, password)
