"""A site's approval of a rule, with its own values where it changed them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models import Site
from vertebro_clinic.pathway.models.base import Kept


class RuleApproval(Kept):
    """That a site lets a rule speak, in one version of it."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="rule_approvals")
    rule = models.CharField(max_length=60)
    rule_version = models.CharField(max_length=20)
    values = models.JSONField(_("own values"), default=dict, blank=True)
    is_on = models.BooleanField(_("in force"), default=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "rule"], name="one_approval_per_rule")]

    def __str__(self) -> str:
        return f"approval {self.pk}"
