"""The patient's page for staff: person, cases, medicines, allergies, links, emergencies, who looked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vertebro_clinic.core.domain import links, people
from vertebro_clinic.core.domain.audit import Subject, record_read
from vertebro_clinic.core.errors import NotAllowed, NotVisible
from vertebro_clinic.core.models import AuditEntry, User
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain import patient as patients
from vertebro_clinic.pathway.domain.queries.visible import cases_visible_to, open_patient
from vertebro_clinic.pathway.interfaces.forms.preparation import AllergyForm, MedicineForm
from vertebro_clinic.pathway.interfaces.forms.referral import PatientForm
from vertebro_clinic.pathway.models import Allergy, Medicine, Patient
from vertebro_clinic.web.access import CARE, CASE_READERS, ROOM, ClinicRequest, allow


@require_GET
@allow(*CASE_READERS)
def patient_page(request: ClinicRequest, pk: int) -> HttpResponse:
    """One patient with all visible cases."""
    patient = open_patient(request.actor, pk, action="patient.read")
    context = {
        "patient": patient,
        "cases": cases_visible_to(request.actor)
        .filter(patient=patient)
        .select_related("site")
        .order_by("-pk"),
        "medicines": Medicine.objects.filter(patient=patient, ended_at=None),
        "allergies": Allergy.objects.filter(patient=patient, ended_at=None),
        "proxies": patient.proxies.filter(ended_at=None),
        "may_write": request.actor.has_role(*CARE),
    }
    return render(request, "pathway/patient.html", context)


@require_http_methods(["GET", "POST"])
@allow(*CARE)
def patient_edit(request: ClinicRequest, pk: int) -> HttpResponse:
    """Change who the patient is or how to reach them."""
    patient = open_patient(request.actor, pk, action="patient.read")
    form = PatientForm(request.POST or None, instance=Patient.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid():
        patients.change_patient(
            actor=request.actor, patient_id=pk, values=form.values(), version=form.cleaned_data["version"]
        )
        messages.success(request, _("Saved."))
        return redirect("patient", pk=pk)
    return render(request, "pathway/patient_edit.html", {"patient": patient, "form": form})


@require_http_methods(["GET", "POST"])
@allow(*CARE)
def patient_add(request: ClinicRequest, pk: int, what: str) -> HttpResponse:
    """Add a medicine or an allergy."""
    kinds: dict[str, tuple[Any, Any]] = {
        "medicine": (MedicineForm, Medicine),
        "allergy": (AllergyForm, Allergy),
    }
    if what not in kinds:
        raise NotVisible
    form_class, model = kinds[what]
    patient = open_patient(request.actor, pk, action="patient.read")
    form = form_class(request.POST or None, instance=model(patient=patient))
    if request.method == "POST" and form.is_valid():
        patients.add_to_patient(actor=request.actor, patient_id=pk, model=model, values=form.values())
        messages.success(request, _("Saved."))
        return redirect("patient", pk=pk)
    title = _("Add a medicine") if what == "medicine" else _("Add an allergy")
    return render(request, "pathway/patient_edit.html", {"patient": patient, "form": form, "title": title})


@require_POST
@allow(*CARE)
def patient_link(request: ClinicRequest, pk: int) -> HttpResponse:
    """Make a link to the patient's own page, shown once."""
    patient = open_patient(request.actor, pk, action="patient.read")
    token = links.make_patient_link(actor=request.actor, patient_id=patient.pk)
    address = request.build_absolute_uri(reverse("patient_enter", kwargs={"token": token}))
    return render(request, "pathway/patient_link.html", {"patient": patient, "address": address})


@require_http_methods(["GET", "POST"])
@allow(*ROOM)
def emergency(request: ClinicRequest) -> HttpResponse:
    """Open another site's patient in an emergency: exact name and date of birth, and a reason."""
    found = None
    if request.method == "POST":
        found = patients.find_for_emergency(
            actor=request.actor,
            family_name=request.POST.get("family_name", ""),
            birth_date=request.POST.get("birth_date", ""),
        )
        if found is None:
            raise NotVisible(_("There is no patient with this name and date of birth."))
        people.break_glass(actor=request.actor, patient_id=found.pk, reason=request.POST.get("reason", ""))
        messages.warning(
            request, _("You can see this patient for four hours. The quality lead will ask why.")
        )
        return redirect("patient", pk=found.pk)
    return render(request, "pathway/emergency.html")


@require_GET
@allow(Role.QUALITY)
def patient_audit(request: ClinicRequest, pk: int) -> HttpResponse:
    """Who looked at and wrote to a patient's record."""
    patient = open_patient(request.actor, pk, action="audit.read")
    entries = list(AuditEntry.objects.filter(patient_id=patient.pk).order_by("-sequence")[:300])
    names = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id})
    rows = [(entry, names[entry.user_id].name if entry.user_id in names else "") for entry in entries]
    return render(request, "core/audit.html", {"patient": patient, "rows": rows})


@require_http_methods(["GET", "POST"])
@allow(Role.QUALITY)
def glass_review(request: ClinicRequest) -> HttpResponse:
    """Emergency openings that nobody has reviewed."""
    if request.method == "POST":
        pk = request.POST.get("pk", "")
        if not pk.isdigit():
            raise NotAllowed
        patients.review_glass(actor=request.actor, pk=int(pk))
        return redirect("glass_review")
    record_read(request.actor, "glass.list", Subject())
    return render(request, "core/glass.html", {"rows": patients.glass_to_review(request.actor)})
