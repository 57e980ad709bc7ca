"""Writes to a case as one of several processes, and prints what was acknowledged.

write_many.py prepare          one site, one case in the procedure; prints its number
write_many.py drops CASE N     N entries of cement, each printed when its transaction has ended
write_many.py ticks CASE       every line of the sign-out
write_many.py saves CASE N     N changes of one record, each on the version seen, tried again when it changed
write_many.py check CASE       what stands, and whether the audit chain holds
"""

from __future__ import annotations

import json
import sys
import uuid

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Sum  # noqa: E402

from vertebro_clinic.core.actor import SYSTEM  # noqa: E402
from vertebro_clinic.core.domain.audit import check_chain  # noqa: E402
from vertebro_clinic.core.domain.people import actor_for_user, add_member  # noqa: E402
from vertebro_clinic.core.errors import ChangedMeanwhile  # noqa: E402
from vertebro_clinic.core.models import Site, User  # noqa: E402
from vertebro_clinic.core.roles import Role  # noqa: E402
from vertebro_clinic.pathway.checklists import SIGN_OUT  # noqa: E402
from vertebro_clinic.pathway.domain import records, treatment  # noqa: E402
from vertebro_clinic.pathway.domain.referral import add_patient, open_new_case  # noqa: E402
from vertebro_clinic.pathway.enums import Stage  # noqa: E402
from vertebro_clinic.pathway.models import Case, LevelTreatment, Referral, RoomEvent, SignOut  # noqa: E402
from vertebro_clinic.start.demo.journey import Cast, walk_to  # noqa: E402


def say(content: object) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def prepare() -> None:
    call_command("migrate", verbosity=0)
    site = Site.objects.create(name="S", short_name="S", appointment_phone="1", problem_phone="1")
    actors = []
    for role in (Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST, Role.QUALITY):
        user = User.objects.create_user(f"{role}@test.example", str(role))
        add_member(actor=SYSTEM, user=user, site=site, role=role)
        actors.append(actor_for_user(user))
    cast = Cast(*actors)
    values = {"given_name": "W", "family_name": "Writer", "birth_date": "1950-01-01", "phone": "1"}
    patient = add_patient(actor=cast.scheduler, site=site, values=values)
    case = open_new_case(actor=cast.scheduler, patient=patient, site=site, story={}, source="staff")
    walk_to(Stage.PROCEDURE, case_id=case.pk, cast=cast)
    say(case.pk)


def drops(case_id: int, count: int) -> None:
    nurse = actor_for_user(User.objects.get(email="nurse@test.example"))
    level = LevelTreatment.objects.get(case_id=case_id, is_current=True)
    for _ in range(count):
        token = uuid.uuid4()
        treatment.add_room_event(
            actor=nurse, case_id=case_id, kind="cement", content={"ml": 0.1}, token=token, level_id=level.pk
        )
        say(str(token))


def ticks(case_id: int) -> None:
    doctor = actor_for_user(User.objects.get(email="radiologist@test.example"))
    for item in SIGN_OUT:
        treatment.tick_item(actor=doctor, case_id=case_id, checklist="sign_out", item=item.code, is_done=True)


def saves(case_id: int, count: int) -> None:
    nurse = actor_for_user(User.objects.get(email="nurse@test.example"))
    done = 0
    while done < count:
        standing = records.current(Case.objects.get(pk=case_id), Referral)
        assert standing is not None
        try:
            records.save_record(
                actor=nurse,
                case_id=case_id,
                model=Referral,
                values={"bed_rest_days": (standing.bed_rest_days or 0) + 1},
                version=standing.version,
            )
        except ChangedMeanwhile:
            continue
        done += 1


def check(case_id: int) -> None:
    events = RoomEvent.objects.filter(case_id=case_id, kind="cement")
    chain = check_chain()
    say(
        {
            "tokens": sorted(str(token) for token in events.values_list("token", flat=True)),
            "ml": float(LevelTreatment.objects.filter(case_id=case_id).aggregate(n=Sum("cement_ml"))["n"]),
            "ticks": sum(len(row.items) for row in SignOut.objects.filter(case_id=case_id)),
            "bed_rest_days": Referral.objects.get(case_id=case_id, is_current=True).bed_rest_days,
            "problems": chain.problems,
        }
    )


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    {"prepare": prepare, "drops": drops, "ticks": ticks, "saves": saves, "check": check}[command](
        *map(int, rest)
    )
