"""What pages do: the steps of a case through the browser's forms, headers, numbers of queries."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from vertebro_clinic.core.models import AuditEntry
from vertebro_clinic.pathway.domain.referral import add_patient, open_new_case
from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.pathway.interfaces.steps import STEPS
from vertebro_clinic.pathway.models import (
    AppointmentRequest,
    Case,
    Consultation,
    LevelTreatment,
    Patient,
    Referral,
    RoomEvent,
)
from vertebro_clinic.start.demo.journey import walk_to

pytestmark = pytest.mark.django_db
REQUEST = {
    "given_name": "Hal",
    "family_name": "Hart",
    "birth_date": "1950-05-05",
    "phone": "505",
    "language": "en",
    "agree": "on",
    "pain_now": "8",
    "leg_weakness": "no",
}


def test_a_public_request_becomes_a_case(world, sign_in) -> None:
    visitor = sign_in("visitor")
    sent = visitor.post("/appointment/", {**REQUEST, "site": world.site.pk}, follow=True)
    assert "within two working days" in sent.content.decode()
    asked = AppointmentRequest.objects.get(family_name="Hart")

    sol = sign_in("sol")
    sol.post(reverse("request", kwargs={"pk": asked.pk}), {"act": "accept"})

    case = Case.objects.get(patient__family_name="Hart")
    assert Referral.objects.get(case=case).pain_now == 8
    assert AppointmentRequest.objects.get(pk=asked.pk).state == "accepted"
    assert sol.post(reverse("request", kwargs={"pk": asked.pk}), {"act": "accept"}).status_code == 409


def test_red_flags_in_a_request_say_call_now(world, sign_in) -> None:
    sent = sign_in("visitor").post(
        "/appointment/", {**REQUEST, "site": world.site.pk, "bladder_bowel": "yes"}, follow=True
    )

    assert "Call us now" in sent.content.decode()


def test_programs_and_floods_are_refused(world, sign_in) -> None:
    visitor = sign_in("visitor")
    data = {**REQUEST, "site": world.site.pk}

    assert visitor.post("/appointment/", {**data, "website": "http://spam.example"}).status_code == 400
    codes = [visitor.post("/appointment/", data).status_code for _ in range(6)]

    assert codes == [302] * 5 + [429]


def test_a_likely_same_patient_is_shown_and_can_be_taken(world, sign_in) -> None:
    sign_in("visitor").post(
        "/appointment/",
        {
            **REQUEST,
            "given_name": "D.",
            "family_name": "Doyle",
            "birth_date": "1948-03-09",
            "site": world.site.pk,
        },
    )
    asked = AppointmentRequest.objects.get(family_name="Doyle")
    sol = sign_in("sol")
    page = reverse("request", kwargs={"pk": asked.pk})
    assert "This may be somebody on record" in sol.get(page).content.decode()

    sol.post(page, {"act": "accept", "patient": world.dana.patient_id})

    assert AppointmentRequest.objects.get(pk=asked.pk).case.patient_id == world.dana.patient_id
    assert Patient.objects.filter(family_name="Doyle").count() == 1


def test_a_physician_refers_and_follows(world, sign_in) -> None:
    rita = sign_in("rita")
    person = {
        "given_name": "Ike",
        "family_name": "Ives",
        "birth_date": "1944-04-04",
        "sex": "male",
        "language": "en",
    }
    data = {f"patient-{name}": value for name, value in person.items()}
    data |= {"patient-version": "0", "referral-version": "0", "referral-pain_now": "9", "site": world.site.pk}

    page = rita.post("/refer/", data, follow=True)

    assert "The referral has arrived" in page.content.decode()
    assert Case.objects.get(patient__family_name="Ives").referrer.name == "Rita"


def test_a_step_saves_signs_and_moves(world, sign_in, cast, settings) -> None:
    case = walk_to(Stage.CONSULTATION, case_id=world.dana.pk, cast=cast)
    alice = sign_in("alice")
    page = reverse("step", kwargs={"key": case.key, "slug": "consultation"})
    data = {"version": "0", "pain_now": "7", "act": "sign"}

    first = alice.post(page, data)
    assert first.headers["Location"].startswith("/account/reauthenticate/")
    assert not Consultation.objects.get(case=case).is_signed

    alice.post("/account/reauthenticate/", {"password": "a-long-password-for-tests"})
    alice.post(page, {**data, "version": "1"})

    note = Consultation.objects.get(case=case)
    assert (note.is_signed, note.signed_by.name, note.pain_now) == (True, "Alice", 7)


def test_two_people_in_one_form_see_both_versions(world, sign_in) -> None:
    page = reverse("step", kwargs={"key": world.dana.key, "slug": "referral"})
    sign_in("bob").post(page, {"version": "1", "pain_now": "7"})

    late = sign_in("sol").post(page, {"version": "1", "pain_now": "4", "symptoms": "worse at night"})

    text = late.content.decode()
    assert late.status_code == 409
    assert "Both versions" in text
    assert "worse at night" in text
    assert Referral.objects.get(case=world.dana).pain_now == 7
    version = re.search(r'name="version" value="(\d+)"></?', text[text.index("Both versions") :])
    assert version


def test_every_step_of_a_finished_case_shows(world, sign_in) -> None:
    alice = sign_in("alice")
    for slug in STEPS:
        assert alice.get(reverse("step", kwargs={"key": world.erik.key, "slug": slug})).status_code == 200


def test_reading_a_case_is_logged(world, sign_in) -> None:
    sign_in("quinn").get(reverse("case", kwargs={"key": world.dana.key}))

    entry = AuditEntry.objects.order_by("-sequence")[0]
    assert (entry.action, entry.is_write, entry.case_id) == ("case.read", False, world.dana.pk)


def test_a_patient_sees_who_looked(world, sign_in) -> None:
    sign_in("quinn").get(reverse("case", kwargs={"key": world.dana.key}))

    assert "Quinn" in sign_in("dana").get("/my/looked/").content.decode()


def test_a_patient_s_question_reaches_the_nurse(world, sign_in) -> None:
    sign_in("dana").post(reverse("my_question", kwargs={"key": world.dana.key}), {"question": "May I drive?"})

    assert "Question from the patient" in sign_in("bob").get("/").content.decode()


def test_an_entry_sent_twice_counts_once(world, sign_in, cast) -> None:
    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast)
    level = LevelTreatment.objects.get(case=case)
    bob = sign_in("bob")
    data = {"kind": "cement", "ml": "0.5", "level": level.pk, "token": str(uuid.uuid4())}
    for _ in range(3):
        bob.post(reverse("room_event", kwargs={"key": case.key}), data)

    assert RoomEvent.objects.filter(case=case, kind="cement").count() == 1
    assert float(LevelTreatment.objects.get(pk=level.pk).cement_ml) == 0.5


def test_a_struck_out_entry_counts_no_more_and_stays(world, sign_in, cast) -> None:
    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast)
    level = LevelTreatment.objects.get(case=case)
    bob = sign_in("bob")
    for ml in ("0.5", "5"):
        bob.post(
            reverse("room_event", kwargs={"key": case.key}),
            {"kind": "cement", "ml": ml, "level": level.pk, "token": str(uuid.uuid4())},
        )
    wrong = RoomEvent.objects.get(case=case, content__ml=5)

    bob.post(reverse("strike", kwargs={"key": case.key, "pk": wrong.pk}), {"reason": "0.5, not 5"})

    assert float(LevelTreatment.objects.get(pk=level.pk).cement_ml) == 0.5
    assert RoomEvent.objects.filter(pk=wrong.pk).exists()


def test_one_tap_starts_the_cement_s_clock(world, sign_in, cast) -> None:
    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast)
    level = LevelTreatment.objects.get(case=case)

    page = sign_in("bob").post(
        reverse("room_event", kwargs={"key": case.key}),
        {"kind": "mix", "level": level.pk, "token": str(uuid.uuid4())},
        follow=True,
    )

    assert LevelTreatment.objects.get(pk=level.pk).mixed_at is not None
    assert "L1: cement mixed" in page.content.decode()
    assert 'class="clock"' in page.content.decode()


def test_more_than_seven_ml_warns(world, sign_in, cast) -> None:
    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast)
    level = LevelTreatment.objects.get(case=case)
    page = sign_in("bob").post(
        reverse("room_event", kwargs={"key": case.key}),
        {"kind": "cement", "ml": "7.5", "level": level.pk, "token": str(uuid.uuid4())},
        headers={"HX-Request": "true"},
    )

    assert "above 7" in page.content.decode()


@pytest.mark.parametrize("address", ["/", "/about/", "/appointment/", "/account/login/"])
def test_headers_are_strict(sign_in, address: str) -> None:
    answer = sign_in("visitor").get(address)

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]


def test_no_page_carries_inline_script_or_style(world, sign_in) -> None:
    for person, address in (
        ("visitor", "/"),
        ("alice", "/"),
        ("alice", reverse("case", kwargs={"key": world.erik.key})),
    ):
        text = sign_in(person).get(address).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
        assert " style=" not in text
        assert not re.search(r"\son[a-z]+=", text)


def _more_cases(cast, site, count: int) -> None:
    for number in range(count):
        patient = add_patient(
            actor=cast.scheduler,
            site=site,
            values={"given_name": f"N{number}", "family_name": "Aaa", "birth_date": "1950-01-01"},
        )
        case = open_new_case(actor=cast.scheduler, patient=patient, site=site, story={}, source="staff")
        Case.objects.filter(pk=case.pk).update(stage_since=timezone.now() - timedelta(days=9))


@pytest.mark.parametrize("address", ["/", "/stages/referred/", "/search/?q=aaa"])
def test_pages_need_the_same_queries_for_1_and_30_rows(world, sign_in, cast, address: str) -> None:
    alice = sign_in("alice")
    _more_cases(cast, world.site, 1)
    alice.get(address)
    with CaptureQueriesContext(connection) as few:
        alice.get(address)
    _more_cases(cast, world.site, 29)
    with CaptureQueriesContext(connection) as many:
        alice.get(address)

    assert len(many) == len(few)


def test_spanish_is_chosen_and_kept(sign_in) -> None:
    visitor = sign_in("visitor")
    visitor.post("/language/", {"language": "es", "next": "/appointment/"})

    text = visitor.get("/appointment/").content.decode()

    assert '<html lang="es">' in text
    assert "Solicitar una cita" in text


def test_the_database_is_what_the_models_say() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
