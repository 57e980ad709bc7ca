"""The patient, who may speak for them, what they take and what they cannot stand."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models import Site
from vertebro_clinic.pathway.enums import Sex
from vertebro_clinic.pathway.models.base import Kept, words


class Patient(Kept):
    """A person with back pain."""

    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80, db_index=True)
    birth_date = models.DateField(_("date of birth"), db_index=True)
    sex = models.CharField(_("sex"), max_length=8, choices=Sex, default=Sex.UNKNOWN)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.CharField(_("address"), max_length=240, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="en")
    interpreter = models.CharField(_("interpreter for"), max_length=40, blank=True)
    record_number = models.CharField(_("record number"), max_length=40, blank=True, db_index=True)
    physician_name = models.CharField(_("primary care physician"), max_length=120, blank=True)
    physician_contact = models.CharField(_("how to reach the physician"), max_length=120, blank=True)
    emergency_contact = models.CharField(_("emergency contact"), max_length=160, blank=True)
    home_site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="patients", verbose_name=_("site")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, editable=False
    )
    match_key = models.CharField(max_length=120, editable=False, db_index=True, default="")

    class Meta:
        ordering = ["family_name", "given_name", "pk"]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"


class Proxy(Kept):
    """A person whom the patient named to see their page."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="proxies", editable=False)
    name = models.CharField(_("name"), max_length=120)
    relation = models.CharField(_("relation"), max_length=60)
    contact = models.CharField(_("telephone or e-mail"), max_length=120, blank=True)
    ended_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"proxy {self.pk}"


class Allergy(Kept):
    """Something the patient reacts to."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="allergies", editable=False)
    substance = models.CharField(_("substance"), max_length=120)
    reaction = models.CharField(_("reaction"), max_length=160, blank=True)
    ended_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"allergy {self.pk}"


class MedicineKind(models.TextChoices):
    """Kinds that matter before a needle."""

    ASPIRIN = "aspirin", _("Aspirin")
    ANTIPLATELET = "antiplatelet", _("Other platelet inhibitor")
    ANTICOAGULANT = "anticoagulant", _("Blood thinner")
    OPIOID = "opioid", _("Opioid")
    PAIN = "pain", _("Other pain medicine")
    BONE = "bone", _("For the bones")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Not recognised: ask")


HOLDABLE = frozenset({MedicineKind.ASPIRIN, MedicineKind.ANTIPLATELET, MedicineKind.ANTICOAGULANT})


class Medicine(Kept):
    """A medicine that the patient takes."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="medicines", editable=False)
    name = models.CharField(_("medicine"), max_length=120)
    dose = models.CharField(_("dose"), max_length=80, blank=True)
    reason = models.CharField(_("taken for"), max_length=120, blank=True)
    prescriber = models.CharField(_("prescribed by"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=14, choices=MedicineKind, default=MedicineKind.UNKNOWN)
    remark = words(_("remark"))
    ended_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"medicine {self.pk}"
