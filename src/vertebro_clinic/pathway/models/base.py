"""What every clinical record has: who and when, a version against lost updates, a signature, a history."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


def score(name: Any, upper: int = 10, **options: Any) -> models.PositiveSmallIntegerField[Any, Any]:
    """A whole number from 0 to ``upper``, empty until somebody says it."""
    return models.PositiveSmallIntegerField(
        name, null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(upper)], **options
    )


def choice(name: Any, choices: Any, **options: Any) -> models.CharField[Any, Any]:
    """One of several answers, empty until somebody says it."""
    return models.CharField(name, max_length=24, choices=choices, blank=True, **options)


def words(name: Any, **options: Any) -> models.TextField[Any, Any]:
    """Free words, possibly none."""
    return models.TextField(name, blank=True, max_length=4000, **options)


class Kept(models.Model):
    """A row of which every earlier state is kept and that the database refuses to delete."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    history = HistoricalRecords(inherit=True)

    class Meta:
        abstract = True


class Record(Kept):
    """One structured record of a case.

    The current one of its kind is changed until it is signed; when the case goes
    back, it is retired and stays readable.
    """

    case = models.ForeignKey(
        "pathway.Case", on_delete=models.PROTECT, related_name="%(class)ss", editable=False
    )
    is_current = models.BooleanField(default=True, editable=False)
    retired_reason = models.CharField(max_length=200, blank=True, editable=False)
    signed_at = models.DateTimeField(null=True, editable=False)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    title: ClassVar[Any] = _("Record")

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(is_current=True), name="one_current_%(class)s"
            )
        ]

    @property
    def is_signed(self) -> bool:
        """Whether somebody put their name to it."""
        return self.signed_at is not None


class CaseRow(Kept):
    """One of several rows of a case: a study, a level, a dose, a call."""

    case = models.ForeignKey(
        "pathway.Case", on_delete=models.PROTECT, related_name="%(class)ss", editable=False
    )
    is_current = models.BooleanField(default=True, editable=False)
    retired_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        abstract = True
