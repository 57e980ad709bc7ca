"""Verbs on the person: change, add a medicine or an allergy, find in an emergency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import ChangedMeanwhile, NotAllowed, NotVisible
from vertebro_clinic.core.models import BrokenGlass
from vertebro_clinic.core.roles import CARE_ROLES, GLASS_ROLES, ActorKind, Role
from vertebro_clinic.pathway.domain.queries.visible import patients_visible_to
from vertebro_clinic.pathway.domain.referral import match_key
from vertebro_clinic.pathway.models import Allergy, Medicine, Patient, Proxy
from vertebro_clinic.pathway.models.patient import MedicineKind

Part = TypeVar("Part", Allergy, Medicine, Proxy)


def _lock(actor: Actor, patient_id: int) -> Patient:
    if not patients_visible_to(actor).filter(pk=patient_id).exists():
        raise NotVisible(_("There is no such patient for you."))
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    own = patient.home_site_id in actor.sites(*CARE_ROLES) or patient_id in actor.opened
    treated = patient.cases.filter(site_id__in=actor.sites(*CARE_ROLES)).exists()
    if actor.kind != ActorKind.SYSTEM and not (own or treated):
        raise NotAllowed(_("Your role does not do this."))
    return patient


def change_patient(*, actor: Actor, patient_id: int, values: Mapping[str, Any], version: int) -> Patient:
    """Change who the patient is or how to reach them."""
    with transaction.atomic():
        patient = _lock(actor, patient_id)
        if patient.version != version:
            raise ChangedMeanwhile(_("Somebody changed this in the meantime."), patient)
        changed = [name for name, value in values.items() if getattr(patient, name) != value]
        for name in changed:
            setattr(patient, name, values[name])
        patient.match_key = match_key(patient.given_name, patient.family_name, patient.birth_date)
        patient.version += 1
        patient.updated_by_id = actor.user_id
        patient.save()
        audit.record(
            actor,
            "patient.change",
            audit.Subject(patient.pk, None, patient.home_site_id),
            is_write=True,
            detail={"fields": changed},
        )
    return patient


def add_to_patient(*, actor: Actor, patient_id: int, model: type[Part], values: Mapping[str, Any]) -> Part:
    """Add a medicine, an allergy, or a person who may see the patient's page."""
    with transaction.atomic():
        patient = _lock(actor, patient_id)
        part = model(patient=patient, created_by_id=actor.user_id, **values)
        if isinstance(part, Medicine) and part.kind == MedicineKind.UNKNOWN:
            part.kind = recognised(part.name)
        part.save()
        audit.record(
            actor,
            f"{model._meta.model_name}.add",
            audit.Subject(patient.pk, None, patient.home_site_id),
            is_write=True,
            detail={"row": part.pk},
        )
    return part


_KNOWN: dict[str, MedicineKind] = {
    **dict.fromkeys(("aspirin", "acetylsalicylic acid"), MedicineKind.ASPIRIN),
    **dict.fromkeys(("clopidogrel", "prasugrel", "ticagrelor", "cilostazol"), MedicineKind.ANTIPLATELET),
    **dict.fromkeys(
        (
            "warfarin",
            "apixaban",
            "rivaroxaban",
            "dabigatran",
            "edoxaban",
            "enoxaparin",
            "dalteparin",
            "fondaparinux",
        ),
        MedicineKind.ANTICOAGULANT,
    ),
    **dict.fromkeys(
        ("oxycodone", "hydrocodone", "morphine", "tramadol", "fentanyl", "tapentadol"), MedicineKind.OPIOID
    ),
    **dict.fromkeys(("ibuprofen", "naproxen", "acetaminophen", "paracetamol"), MedicineKind.PAIN),
    **dict.fromkeys(
        ("alendronate", "risedronate", "zoledronate", "denosumab", "teriparatide"), MedicineKind.BONE
    ),
}


def recognised(name: str) -> MedicineKind:
    """The kind of a medicine by its generic name; unknown where the first word is not one of ours.

    >>> str(recognised("Apixaban 5 mg")), str(recognised("Bluemycin"))
    ('anticoagulant', 'unknown')
    """
    words = name.lower().split()
    return next((_KNOWN[word] for word in words if word in _KNOWN), MedicineKind.UNKNOWN)


def find_for_emergency(*, actor: Actor, family_name: str, birth_date: str) -> Patient | None:
    """A patient of any site by exact family name and date of birth, for an emergency opening."""
    if not actor.has_role(*GLASS_ROLES):
        raise NotAllowed(_("Only nurses and radiologists can open another site's patient in an emergency."))
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    return Patient.objects.filter(family_name__iexact=family_name.strip(), birth_date=born).first()


def glass_to_review(actor: Actor) -> QuerySet[BrokenGlass]:
    """Emergency openings at the quality lead's sites that nobody reviewed."""
    sites = actor.sites(Role.QUALITY)
    mine = Patient.objects.filter(home_site_id__in=sites).values("pk")
    return (
        BrokenGlass.objects.filter(patient_id__in=mine, reviewed_at=None)
        .select_related("user")
        .order_by("at")
    )


def review_glass(*, actor: Actor, pk: int) -> BrokenGlass:
    """Mark an emergency opening as reviewed."""
    with transaction.atomic():
        row = glass_to_review(actor).filter(pk=pk).first()
        if row is None:
            raise NotVisible(_("There is nothing to review."))
        row.reviewed_at, row.reviewed_by_id = timezone.now(), actor.user_id
        row.save(update_fields=["reviewed_at", "reviewed_by"])
        audit.record(
            actor, "access.review_glass", audit.Subject(row.patient_id), is_write=True, detail={"row": row.pk}
        )
    return row
