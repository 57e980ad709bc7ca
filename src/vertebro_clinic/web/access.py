"""Who may call a view. Every view says it with :func:`allow`; a test goes through all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.errors import NotAllowed, SignInFirst
from vertebro_clinic.core.roles import Role

EVERYBODY = "everybody"
PATIENT = "patient"
STAFF = frozenset({Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST, Role.QUALITY})
CARE = frozenset({Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST})
CASE_READERS = STAFF | {Role.REFERRER}
ROOM = frozenset({Role.NURSE, Role.RADIOLOGIST})

View = Callable[..., HttpResponseBase]


class ClinicRequest(HttpRequest):
    """A request after the middleware: somebody stands behind it."""

    actor: Actor
    htmx: Any


def allow(*who: str | Role) -> Callable[[View], View]:
    """Let a view be called by everybody, by patients, or by holders of one of these roles."""
    admitted = frozenset(str(one) for one in who)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = request.actor
            if EVERYBODY not in admitted:
                if not actor.is_known:
                    raise SignInFirst(_("Please sign in."))
                is_patient = actor.patient_id is not None and PATIENT in admitted
                if not (is_patient or admitted & {str(role) for role in actor.roles}):
                    raise NotAllowed(_("This page is not for your role."))
            return view(request, *args, **kwargs)

        guarded.admitted = admitted  # type: ignore[attr-defined]
        return guarded

    return decorate
