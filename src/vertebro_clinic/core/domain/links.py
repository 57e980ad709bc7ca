"""Links that let a person in: made, shown once, used, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import NotVisible, TooMany
from vertebro_clinic.core.models import AccessLink, User
from vertebro_clinic.core.models.access import LinkKind

SIGN_IN_LASTS = timedelta(hours=24)
PATIENT_LASTS = timedelta(days=60)
MAX_FAILURES = 5


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def make_sign_in_link(*, actor: Actor, user: User, lasts: timedelta = SIGN_IN_LASTS) -> str:
    """A token that signs ``user`` in once. Returned once, kept only as a hash."""
    return _make(actor, lasts, kind=LinkKind.SIGN_IN, user=user)


def make_patient_link(
    *, actor: Actor, patient_id: int, proxy_id: int | None = None, lasts: timedelta = PATIENT_LASTS
) -> str:
    """A token that, with the patient's date of birth, opens the patient's own page until it expires."""
    return _make(actor, lasts, kind=LinkKind.PATIENT, patient_id=patient_id, proxy_id=proxy_id)


def _make(
    actor: Actor,
    lasts: timedelta,
    *,
    kind: LinkKind,
    user: User | None = None,
    patient_id: int | None = None,
    proxy_id: int | None = None,
) -> str:
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        AccessLink.objects.create(
            kind=kind,
            token_hash=_hashed(token),
            expires_at=timezone.now() + lasts,
            created_by_id=actor.user_id,
            user=user,
            patient_id=patient_id,
            proxy_id=proxy_id,
        )
        audit.record(actor, f"link.make_{kind}", audit.Subject(patient_id), is_write=True)
    return token


def _usable(token: str, kind: LinkKind) -> AccessLink:
    link = AccessLink.objects.select_for_update().filter(token_hash=_hashed(token), kind=kind).first()
    if link is None or link.revoked_at or link.expires_at < timezone.now():
        raise NotVisible(_("This link is not valid any more. Ask for a new one."))
    return link


def find_link(token: str, kind: LinkKind) -> AccessLink:
    """The usable link behind a token, or :class:`NotVisible`."""
    with transaction.atomic():
        link = _usable(token, kind)
        if kind == LinkKind.SIGN_IN and link.used_at:
            raise NotVisible(_("This link was used already. Ask for a new one."))
        return link


def use_sign_in_link(token: str) -> User:
    """Use a sign-in link up and say whom it signs in."""
    with transaction.atomic():
        link = _usable(token, LinkKind.SIGN_IN)
        if link.used_at or link.user is None or not link.user.is_active:
            raise NotVisible(_("This link was used already. Ask for a new one."))
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
        return link.user


def use_patient_link(token: str, *, told: date, birth_date: date) -> AccessLink | None:
    """Open a patient's link with the date of birth told; None when it is wrong, and too many end the link."""
    with transaction.atomic():
        link = _usable(token, LinkKind.PATIENT)
        if link.failures >= MAX_FAILURES:
            raise TooMany(_("Too many wrong dates. Please call us for a new link."))
        if told != birth_date:
            link.failures += 1
            link.save(update_fields=["failures"])
            return None
        link.failures, link.used_at = 0, timezone.now()
        link.save(update_fields=["failures", "used_at"])
        return link


def revoke_patient_links(*, actor: Actor, patient_id: int) -> int:
    """End every link of a patient; returns how many there were."""
    with transaction.atomic():
        ended = AccessLink.objects.filter(patient_id=patient_id, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        audit.record(actor, "link.revoke", audit.Subject(patient_id), is_write=True, detail={"ended": ended})
    return ended
