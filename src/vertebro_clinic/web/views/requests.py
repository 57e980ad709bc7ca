"""Requests from the public page, looked at by staff; referrals written by staff and physicians."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from vertebro_clinic.core.domain.audit import Subject, record_read
from vertebro_clinic.core.errors import NotVisible
from vertebro_clinic.core.models import Site
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain import referral
from vertebro_clinic.pathway.domain.queries.visible import requests_visible_to
from vertebro_clinic.pathway.interfaces.forms.referral import PatientForm, ReferralForm
from vertebro_clinic.pathway.models import Patient, Referral
from vertebro_clinic.pathway.models.referral import RequestState
from vertebro_clinic.web.access import CARE, ClinicRequest, allow

_WRITERS = (*CARE, Role.REFERRER)


@require_GET
@allow(*CARE)
def request_list(request: ClinicRequest) -> HttpResponse:
    """New requests, oldest first."""
    record_read(request.actor, "request.list", Subject())
    found = requests_visible_to(request.actor).filter(state=RequestState.NEW).select_related("site")
    return render(request, "pathway/requests.html", {"found": found[:200]})


@require_http_methods(["GET", "POST"])
@allow(*CARE)
def request_page(request: ClinicRequest, pk: int) -> HttpResponse:
    """One request: who could be the same patient; accept or decline."""
    asked = requests_visible_to(request.actor).select_related("site").filter(pk=pk).first()
    if asked is None:
        raise NotVisible
    record_read(request.actor, "request.read", Subject(site_id=asked.site_id), {"request": asked.pk})
    if request.method == "POST":
        if request.POST.get("act") == "decline":
            referral.decline_request(
                actor=request.actor, request_id=asked.pk, note=request.POST.get("note", "")
            )
            messages.success(request, _("Declined."))
            return redirect("requests")
        chosen = request.POST.get("patient", "")
        case = referral.accept_request(
            actor=request.actor, request_id=asked.pk, patient_id=int(chosen) if chosen.isdigit() else None
        )
        messages.success(request, _("A case is open."))
        return redirect("step", key=case.key, slug="referral")
    same = referral.likely_same(
        request.actor,
        given_name=asked.given_name,
        family_name=asked.family_name,
        birth_date=asked.birth_date,
        phone=asked.phone,
    )
    story = [
        (
            getattr(field, "verbose_name", field.name),
            getattr(asked, f"get_{field.name}_display", lambda name=field.name: getattr(asked, name))(),
        )
        for field in (asked._meta.get_field(name) for name in referral.STORY_FIELDS)
    ]
    return render(request, "pathway/request.html", {"asked": asked, "same": same, "story": story})


@require_http_methods(["GET", "POST"])
@allow(*_WRITERS)
def refer(request: ClinicRequest) -> HttpResponse:
    """The fuller form: a physician or staff refers a patient, new or on record."""
    sites = Site.objects.filter(pk__in=request.actor.sites(*_WRITERS), is_open=True)
    site = sites.filter(pk=request.POST.get("site") or 0).first() or sites.first()
    if site is None:
        raise NotVisible
    person = PatientForm(request.POST or None, instance=Patient(home_site=site), prefix="patient")
    story = ReferralForm(request.POST or None, instance=Referral(), prefix="referral")
    same: list[Patient] = []
    if request.method == "POST" and person.is_valid() and story.is_valid():
        told = person.cleaned_data
        same = referral.likely_same(
            request.actor,
            given_name=told["given_name"],
            family_name=told["family_name"],
            birth_date=told["birth_date"],
            phone=told["phone"],
        )
        chosen = request.POST.get("same", "")
        if not same or chosen:
            patient = next((one for one in same if str(one.pk) == chosen), None) or referral.add_patient(
                actor=request.actor, site=site, values=person.values()
            )
            source = "physician" if not request.actor.is_staff else "staff"
            case = referral.open_new_case(
                actor=request.actor, patient=patient, site=site, story=story.values(), source=source
            )
            messages.success(request, _("The referral has arrived. You can follow it here."))
            return redirect("case", key=case.key)
    context = {"person": person, "story": story, "sites": sites, "site": site, "same": same}
    return render(request, "pathway/refer.html", context)
