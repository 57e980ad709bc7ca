"""Who somebody is: from a user to an actor; emergencies that widen what they see."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import NotAllowed
from vertebro_clinic.core.models import BrokenGlass, Membership, Site, User
from vertebro_clinic.core.roles import GLASS_ROLES, ActorKind, Role

GLASS_LASTS = timedelta(hours=4)
SHORTEST_REASON = 10


def actor_for_user(user: User) -> Actor:
    """The actor of a signed-in user: running roles, and patients opened in an emergency."""
    memberships = frozenset(
        (site_id, Role(role))
        for site_id, role in Membership.objects.filter(user=user, ended_at=None).values_list(
            "site_id", "role"
        )
    )
    opened: frozenset[int] = frozenset()
    if any(role in GLASS_ROLES for _site, role in memberships):
        running = BrokenGlass.objects.filter(user=user, until__gt=timezone.now())
        opened = frozenset(running.values_list("patient_id", flat=True))
    return Actor(ActorKind.USER, user.pk, memberships, opened=opened, name=user.name)


def break_glass(*, actor: Actor, patient_id: int, reason: str) -> BrokenGlass:
    """Open a patient of another site for a few hours, in an emergency.

    With a reason that is kept and reviewed.
    """
    if not actor.has_role(*GLASS_ROLES):
        raise NotAllowed(_("Only nurses and radiologists can open another site's patient in an emergency."))
    if len(reason.strip()) < SHORTEST_REASON:
        raise NotAllowed(_("Say in a sentence why you need this patient's record now."))
    assert actor.user_id is not None, "a person with a role is a user"
    with transaction.atomic():
        opened = BrokenGlass.objects.create(
            user_id=actor.user_id,
            patient_id=patient_id,
            reason=reason.strip(),
            until=timezone.now() + GLASS_LASTS,
        )
        audit.record(
            actor,
            "access.break_glass",
            audit.Subject(patient_id),
            is_write=True,
            detail={"reason": reason.strip()},
        )
    return opened


def add_member(*, actor: Actor, user: User, site: Site, role: Role) -> Membership:
    """Give a person a role at a site."""
    if actor.kind != ActorKind.SYSTEM and not actor.has_role(Role.ADMINISTRATOR, site_id=site.pk):
        raise NotAllowed(_("Only an administrator of the site gives roles."))
    with transaction.atomic():
        member, _made = Membership.objects.get_or_create(user=user, site=site, role=role, ended_at=None)
        audit.record(
            actor,
            "staff.add_role",
            audit.Subject(site_id=site.pk),
            is_write=True,
            detail={"user": user.pk, "role": str(role)},
        )
    return member


def end_membership(*, actor: Actor, membership: Membership) -> None:
    """Take a role away; the row stays."""
    if actor.kind != ActorKind.SYSTEM and not actor.has_role(Role.ADMINISTRATOR, site_id=membership.site_id):
        raise NotAllowed(_("Only an administrator of the site takes roles away."))
    with transaction.atomic():
        membership.ended_at = timezone.now()
        membership.save(update_fields=["ended_at"])
        audit.record(
            actor,
            "staff.end_role",
            audit.Subject(site_id=membership.site_id),
            is_write=True,
            detail={"user": membership.user_id, "role": membership.role},
        )
