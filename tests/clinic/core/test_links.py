"""Links that let a person in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from vertebro_clinic.core.actor import SYSTEM
from vertebro_clinic.core.domain.links import (
    MAX_FAILURES,
    make_patient_link,
    make_sign_in_link,
    revoke_patient_links,
    use_sign_in_link,
)
from vertebro_clinic.core.errors import NotVisible
from vertebro_clinic.core.models import AccessLink, User

pytestmark = pytest.mark.django_db


def test_a_sign_in_link_signs_in_once() -> None:
    user = User.objects.get(email="alice@test.example")
    token = make_sign_in_link(actor=SYSTEM, user=user)

    assert use_sign_in_link(token) == user
    with pytest.raises(NotVisible):
        use_sign_in_link(token)


def test_looking_at_a_sign_in_link_does_not_use_it_up() -> None:
    token = make_sign_in_link(actor=SYSTEM, user=User.objects.get(email="alice@test.example"))

    for _ in range(2):
        assert Client().get(f"/enter/{token}/").status_code == 200

    assert Client().post(f"/enter/{token}/").status_code == 302
    assert Client().post(f"/enter/{token}/").status_code == 404


def test_an_expired_link_is_refused() -> None:
    token = make_sign_in_link(actor=SYSTEM, user=User.objects.get(email="alice@test.example"))
    AccessLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(NotVisible):
        use_sign_in_link(token)


def test_the_token_itself_is_not_kept() -> None:
    token = make_patient_link(actor=SYSTEM, patient_id=1)

    assert token not in str(list(AccessLink.objects.values_list("token_hash", flat=True)))


def test_a_patient_needs_the_right_date_of_birth(world) -> None:
    token = make_patient_link(actor=SYSTEM, patient_id=world.dana.patient_id)
    client = Client()

    wrong = client.post(f"/p/{token}/", {"birth_date": "1950-01-01"})
    assert (wrong.status_code, client.get("/my/").status_code) == (200, 302)

    right = client.post(f"/p/{token}/", {"birth_date": "1948-03-09"})
    assert (right.status_code, client.get("/my/").status_code) == (302, 200)


def test_too_many_wrong_dates_end_the_link(world) -> None:
    token = make_patient_link(actor=SYSTEM, patient_id=world.dana.patient_id)
    client = Client()

    for _ in range(MAX_FAILURES):
        client.post(f"/p/{token}/", {"birth_date": "1950-01-01"})

    assert client.post(f"/p/{token}/", {"birth_date": "1948-03-09"}).status_code == 429


def test_a_revoked_link_closes_a_running_session(world, sign_in) -> None:
    client = sign_in("dana")
    assert client.get("/my/").status_code == 200

    revoke_patient_links(actor=SYSTEM, patient_id=world.dana.patient_id)

    assert client.get("/my/").status_code == 302
