"""What a site has approved: rules in force, its own values for limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import NotAllowed
from vertebro_clinic.core.models import Site
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.models import RuleApproval
from vertebro_clinic.pathway.rules import eligibility_rules, limits


def limit(name: str, site: Site) -> float:
    """A limit as the site has approved it, or the default with its source."""
    default = limits()[name]
    own = (
        RuleApproval.objects.filter(site=site, rule=name, is_on=True).values_list("values", flat=True).first()
    )
    return float((own or {}).get("value", default.value))


def approvals(site: Site) -> dict[str, RuleApproval]:
    """Every approval of a site by rule."""
    return {row.rule: row for row in RuleApproval.objects.filter(site=site).select_related("approved_by")}


def approve_rule(
    *, actor: Actor, site: Site, rule: str, values: Mapping[str, Any] | None = None, is_on: bool = True
) -> RuleApproval:
    """Let a rule speak at a site, with own values, or switch it off.

    A radiologist or administrator does it.
    """
    if not actor.has_role(Role.RADIOLOGIST, Role.ADMINISTRATOR, site_id=site.pk):
        raise NotAllowed(_("Only a radiologist or administrator of the site approves rules."))
    known = eligibility_rules().get(rule) or limits()[rule]
    with transaction.atomic():
        row = RuleApproval.objects.select_for_update().filter(site=site, rule=rule).first() or RuleApproval(
            site=site, rule=rule, created_by_id=actor.user_id, version=0
        )
        row.rule_version, row.values, row.is_on = known.version, dict(values or {}), is_on
        assert actor.user_id is not None, "a person with a role is a user"
        row.approved_by_id, row.approved_at = actor.user_id, timezone.now()
        row.version += 1
        row.updated_by_id = actor.user_id
        row.save()
        audit.record(
            actor,
            "rule.approve",
            audit.Subject(site_id=site.pk),
            is_write=True,
            detail={"rule": rule, "version": known.version, "values": dict(values or {}), "on": is_on},
        )
    return row
