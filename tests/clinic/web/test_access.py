"""Every address for every person: works where the table says so, and nowhere else."""

from __future__ import annotations

import pytest
from access_table import EVERYBODY, TABLE, Row
from django.db import transaction
from django.urls import reverse

from vertebro_clinic.web.urls import urlpatterns

pytestmark = pytest.mark.django_db
DENIED = {401, 403, 404}


def test_every_address_of_ours_stands_in_the_table() -> None:
    ours = {pattern.name for pattern in urlpatterns if getattr(pattern, "name", None)} - {"account_signup"}

    assert {row.name for row in TABLE} == ours
    assert len(TABLE) == len(ours)


def test_every_view_says_who_may_call_it() -> None:
    views = [
        pattern.callback
        for pattern in urlpatterns
        if getattr(pattern, "name", "account_signup") != "account_signup"
    ]

    assert views
    assert all(getattr(view, "admitted", None) for view in views)


def _is_let_in(answer) -> bool:
    to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/account/login/")
    return answer.status_code not in DENIED and not to_sign_in


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_who_may_call_it(row: Row, world, sign_in) -> None:
    """Each person finds the same world: what the one before did is rolled back."""
    let_in = set()
    for person in sorted(EVERYBODY):
        with transaction.atomic():
            client = sign_in(person)
            address = reverse(row.name, kwargs=row.where(world.dana, world.erik))
            answer = getattr(client, row.method)(address, row.data(world.dana, world.erik))
            transaction.set_rollback(True)
        assert answer.status_code < 500
        if _is_let_in(answer):
            let_in.add(person)

    assert let_in == set(row.people)


def test_another_site_s_case_looks_like_one_that_does_not_exist(world, sign_in) -> None:
    client = sign_in("charlie")

    other = client.get(reverse("case", kwargs={"key": world.dana.key}))
    none = client.get(reverse("case", kwargs={"key": "00000000-0000-4000-8000-000000000000"}))

    assert (other.status_code, none.status_code) == (404, 404)
    assert "Doyle" not in other.content.decode()


def test_a_visitor_is_asked_to_sign_in_and_comes_back(world, sign_in) -> None:
    address = reverse("case", kwargs={"key": world.dana.key})

    assert (
        sign_in("visitor").get(address).headers["Location"]
        == f"/account/login/?next={address.replace('/', '%2F')}"
    )
