"""The people of the clinic's tests, and a small world that is made once for each test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from django.core.cache import cache
from django.test import Client

from vertebro_clinic.core.actor import SYSTEM, Actor
from vertebro_clinic.core.domain.links import make_patient_link
from vertebro_clinic.core.domain.people import actor_for_user, add_member
from vertebro_clinic.core.models import Site, User
from vertebro_clinic.core.roles import ActorKind, Role
from vertebro_clinic.pathway.domain import patient as patients
from vertebro_clinic.pathway.domain.referral import add_patient, open_new_case, send_request
from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.pathway.models import Case, Medicine
from vertebro_clinic.start.demo.journey import Cast, Story, walk_to

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PASSWORD = "a-long-password-for-tests"
STAFF = {
    "alice": ("Alice", Role.RADIOLOGIST, "A"),
    "bob": ("Bob", Role.NURSE, "A"),
    "sol": ("Sol", Role.SCHEDULER, "A"),
    "quinn": ("Quinn", Role.QUALITY, "A"),
    "ada": ("Ada", Role.ADMINISTRATOR, "A"),
    "rita": ("Rita", Role.REFERRER, "A"),
    "ravi": ("Ravi", Role.REFERRER, "A"),
    "charlie": ("Charlie", Role.RADIOLOGIST, "B"),
    "nia": ("Nia", Role.NURSE, "B"),
    "berta": ("Berta", Role.ADMINISTRATOR, "B"),
}
BORN = date(1948, 3, 9)


def _person(site: Site, given: str, family: str) -> dict[str, object]:
    return {
        "given_name": given,
        "family_name": family,
        "birth_date": BORN,
        "sex": "female",
        "phone": f"505-555-{len(family):04d}",
        "physician_name": "Dr. Own",
    }


def _world() -> None:
    sites = {
        name: Site.objects.create(
            name=f"Site {name}",
            short_name=name,
            appointment_phone="202-877-9729",
            problem_phone="202-877-9729",
        )
        for name in "AB"
    }
    users = {}
    for key, (name, role, site) in STAFF.items():
        users[key] = User.objects.create_user(f"{key}@test.example", name, PASSWORD)
        add_member(actor=SYSTEM, user=users[key], site=sites[site], role=role)
    cast = cast_at("A")
    dana = add_patient(actor=cast.scheduler, site=sites["A"], values=_person(sites["A"], "Dana", "Doyle"))
    patients.add_to_patient(
        actor=cast.scheduler, patient_id=dana.pk, model=Medicine, values={"name": "Aspirin 81 mg"}
    )
    rita = actor_for_user(users["rita"])
    open_new_case(actor=rita, patient=dana, site=sites["A"], story={}, source="physician")
    erik = add_patient(actor=cast.scheduler, site=sites["A"], values=_person(sites["A"], "Erik", "Eide"))
    done = open_new_case(actor=cast.scheduler, patient=erik, site=sites["A"], story={}, source="staff")
    walk_to(Stage.FOLLOW_UP, case_id=done.pk, cast=cast, story=Story(levels=("T12", "L1")))
    far = add_patient(
        actor=actor_for_user(users["charlie"]), site=sites["B"], values=_person(sites["B"], "Fay", "Farrow")
    )
    open_new_case(
        actor=actor_for_user(users["charlie"]), patient=far, site=sites["B"], story={}, source="staff"
    )
    send_request(
        values={
            "given_name": "Gil",
            "family_name": "Grant",
            "birth_date": BORN,
            "phone": "1",
            "site": sites["A"],
            "pain_now": 7,
        }
    )


def cast_at(site: str) -> Cast:
    """The actors at a site; at B the radiologist and the nurse do everything."""
    named = {"A": ("sol", "bob", "alice", "quinn"), "B": ("nia", "nia", "charlie", "charlie")}[site]
    return Cast(*(actor_named(key) for key in named))


def actor_named(key: str) -> Actor:
    """Somebody of the staff as an actor, with the roles that run now."""
    return actor_for_user(User.objects.get(email=f"{key}@test.example"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """The world, made once; each test's own changes are rolled back."""
    with django_db_blocker.unblock():
        _world()


@pytest.fixture(autouse=True)
def _no_memory_of_earlier_tries() -> None:
    cache.clear()


@dataclass(frozen=True)
class World:
    """Who and what stands in the database."""

    dana: Case
    erik: Case
    far: Case

    @property
    def site(self) -> Site:
        return Site.objects.get(short_name="A")


def _case_of(given: str) -> Case:
    return Case.objects.select_related("patient", "site").get(patient__given_name=given)


@pytest.fixture
def world(db: None) -> World:
    return World(_case_of("Dana"), _case_of("Erik"), _case_of("Fay"))


@pytest.fixture
def cast(db: None) -> Cast:
    return cast_at("A")


@pytest.fixture
def act_as(db: None) -> Callable[[str], Actor]:
    """An actor by key; ``dana`` is the patient of the first case."""

    def make(key: str) -> Actor:
        if key == "dana":
            return Actor(ActorKind.PATIENT, patient_id=_case_of("Dana").patient_id)
        return actor_named(key)

    return make


@pytest.fixture
def sign_in(db: None) -> Iterator[Callable[[str], Client]]:
    """A browser in which somebody is signed in: staff by session, a patient by link and date of birth."""

    def make(key: str) -> Client:
        client = Client()
        if key == "visitor":
            return client
        if key in STAFF:
            client.force_login(User.objects.get(email=f"{key}@test.example"), backend=BACKEND)
            return client
        case = _case_of(key.capitalize())
        token = make_patient_link(actor=SYSTEM, patient_id=case.patient_id)
        answer = client.post(f"/p/{token}/", {"birth_date": BORN.isoformat()})
        assert answer.status_code == 302
        return client

    return make
