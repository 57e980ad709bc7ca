"""What every page needs: who is signed in and what they may open."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from vertebro_clinic.core.actor import PUBLIC
from vertebro_clinic.core.roles import Role

_STAFF_PAGES = frozenset({Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST, Role.QUALITY, Role.REFERRER})


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame of the page."""
    actor = getattr(request, "actor", PUBLIC)
    return {
        "actor": actor,
        "sees_cases": bool(actor.roles & _STAFF_PAGES),
        "is_administrator": actor.has_role(Role.ADMINISTRATOR),
        "is_quality": actor.has_role(Role.QUALITY),
        "is_room": actor.has_role(Role.NURSE, Role.RADIOLOGIST),
        "is_patient": actor.patient_id is not None and not actor.memberships,
        "languages": settings.LANGUAGES,
    }
