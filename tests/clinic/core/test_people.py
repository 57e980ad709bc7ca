"""Roles, emergencies, sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from vertebro_clinic.core.domain.people import break_glass, end_membership
from vertebro_clinic.core.errors import NotAllowed
from vertebro_clinic.core.models import AuditEntry, BrokenGlass, Membership
from vertebro_clinic.pathway.domain.queries.visible import cases_visible_to, patients_visible_to

pytestmark = pytest.mark.django_db


def test_staff_see_the_patients_of_their_own_sites(world, act_as) -> None:
    at_a = set(cases_visible_to(act_as("alice")))
    at_b = set(cases_visible_to(act_as("charlie")))

    assert at_a == {world.dana, world.erik}
    assert at_b == {world.far}


def test_a_referrer_sees_own_cases_a_patient_own_an_administrator_none(world, act_as) -> None:
    assert set(cases_visible_to(act_as("rita"))) == {world.dana}
    assert set(cases_visible_to(act_as("ravi"))) == set()
    assert set(cases_visible_to(act_as("dana"))) == {world.dana}
    assert set(patients_visible_to(act_as("ada"))) == set()


def test_an_ended_role_shows_nothing_more(act_as) -> None:
    membership = Membership.objects.get(user__email="bob@test.example")
    end_membership(actor=act_as("ada"), membership=membership)

    assert set(cases_visible_to(act_as("bob"))) == set()


def test_only_the_site_s_administrator_ends_a_role(act_as) -> None:
    membership = Membership.objects.get(user__email="bob@test.example")

    for key in ("berta", "alice"):
        with pytest.raises(NotAllowed):
            end_membership(actor=act_as(key), membership=membership)


def test_broken_glass_opens_for_hours_and_is_logged_with_its_reason(world, act_as) -> None:
    reason = "Brought unconscious to our emergency room."
    break_glass(actor=act_as("charlie"), patient_id=world.dana.patient_id, reason=reason)

    assert world.dana in cases_visible_to(act_as("charlie"))
    entry = AuditEntry.objects.get(action="access.break_glass")
    assert (entry.patient_id, entry.detail["reason"]) == (world.dana.patient_id, reason)

    BrokenGlass.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert world.dana not in cases_visible_to(act_as("charlie"))


@pytest.mark.parametrize(
    ("who", "reason"),
    [("charlie", "because"), ("sol", "A long enough reason."), ("quinn", "A long enough reason.")],
)
def test_broken_glass_needs_a_clinical_role_and_a_reason(world, act_as, who: str, reason: str) -> None:
    with pytest.raises(NotAllowed):
        break_glass(actor=act_as(who), patient_id=world.far.patient_id, reason=reason)


def test_sign_in_with_a_password_and_lock_out_after_five_wrong_ones() -> None:
    client = Client()
    wrong = {"login": "bob@test.example", "password": "wrong"}
    for _ in range(5):
        client.post("/account/login/", wrong)

    locked = client.post("/account/login/", {**wrong, "password": "a-long-password-for-tests"})

    assert locked.status_code == 429
    assert "Wait 15 minutes" in locked.content.decode()


def test_sign_in_works_with_the_right_password() -> None:
    answer = Client().post(
        "/account/login/", {"login": "bob@test.example", "password": "a-long-password-for-tests"}
    )

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_nobody_signs_up_alone() -> None:
    assert Client().get("/account/signup/").headers["Location"] == "/account/login/"


def test_staff_without_a_second_factor_are_sent_to_set_it_up(settings, sign_in) -> None:
    settings.REQUIRE_MFA = True

    answer = sign_in("bob").get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/2fa/")
    assert sign_in("dana").get("/my/").status_code == 200
