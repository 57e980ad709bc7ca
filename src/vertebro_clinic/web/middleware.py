"""What happens to every request: headers, language, who it is, a second factor for staff, errors in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from vertebro_clinic.core.actor import PUBLIC, Actor
from vertebro_clinic.core.domain.people import actor_for_user
from vertebro_clinic.core.errors import ClinicError
from vertebro_clinic.core.models import AccessLink
from vertebro_clinic.core.roles import ActorKind
from vertebro_clinic.pathway.models import Patient
from vertebro_clinic.web.errors import answer

Next = Callable[[HttpRequest], HttpResponseBase]
LANGUAGE_KEY = "language"
PATIENT_KEY = "patient_link"
_CODES = {code for code, _name in settings.LANGUAGES}


def locale_of_person(get_response: Next) -> Next:
    """The language: chosen in this session, else the browser's, else English."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        chosen = request.session.get(LANGUAGE_KEY)
        code = chosen if chosen in _CODES else translation.get_language_from_request(request)
        with translation.override(code):
            request.LANGUAGE_CODE = code
            response = get_response(request)
            response.headers.setdefault("Content-Language", code)
            return response

    return middleware


def headers(get_response: Next) -> Next:
    """Headers beside those that Django sets: pages with patients' data are kept by no cache."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Permissions-Policy"] = (
            "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
        )
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return middleware


def _patient_actor(request: HttpRequest) -> Actor | None:
    link_id = request.session.get(PATIENT_KEY)
    if link_id is None:
        return None
    link = AccessLink.objects.filter(pk=link_id, revoked_at=None, expires_at__gt=timezone.now()).first()
    if link is None:
        del request.session[PATIENT_KEY]
        return None
    kind = ActorKind.PROXY if link.proxy_id else ActorKind.PATIENT
    return Actor(kind, patient_id=link.patient_id, proxy_id=link.proxy_id)


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    if user.is_authenticated:
        actor = actor_for_user(user)
        own = Patient.objects.filter(user=user).values_list("pk", flat=True).first()
        if own is None:
            return actor
        return Actor(
            ActorKind.USER, user.pk, actor.memberships, patient_id=own, opened=actor.opened, name=user.name
        )
    return _patient_actor(request) or PUBLIC


def actor_of_request(get_response: Next) -> Next:
    """Put who it is on the request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.actor = _actor(request)  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


_WITHOUT_FACTOR = ("/account/", "/language/", "/static/")


def second_factor(get_response: Next) -> Next:
    """Staff without a second factor set one up before anything else (setting ``require_mfa``)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        if (
            settings.REQUIRE_MFA
            and actor.memberships
            and not request.path.startswith(_WITHOUT_FACTOR)
            and not _has_factor(request)
        ):
            return redirect(reverse("mfa_index"))
        return get_response(request)

    return middleware


def _has_factor(request: HttpRequest) -> bool:
    return bool(is_mfa_enabled(request.user))


class _DomainErrors:
    """Turn expected trouble into a page with its status and words."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Answer a clinic's error; leave a programmer's error loud."""
        return answer(request, error) if isinstance(error, ClinicError) else None


domain_errors = _DomainErrors
