"""Home by role, lists of cases, search, language."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from vertebro_clinic.core.domain.audit import Subject, record_read
from vertebro_clinic.core.errors import NotVisible
from vertebro_clinic.core.models import Site
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.queries.home import cases_at, home_of, search_patients
from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.web.access import CASE_READERS, EVERYBODY, STAFF, ClinicRequest, allow
from vertebro_clinic.web.middleware import LANGUAGE_KEY


@require_GET
@allow(EVERYBODY)
def start(request: ClinicRequest) -> HttpResponse:
    """The start page: work for staff, the own page for patients, information for visitors."""
    actor = request.actor
    if actor.memberships:
        if actor.roles == {Role.ADMINISTRATOR}:
            return redirect("staff")
        record_read(actor, "home.read", Subject())
        return render(request, "core/home.html", {"home": home_of(actor)})
    if actor.patient_id is not None:
        return redirect("my_page")
    return render(request, "public/welcome.html", {"sites": Site.objects.filter(is_open=True)})


@require_GET
@allow(*CASE_READERS)
def stage_list(request: ClinicRequest, stage: str) -> HttpResponse:
    """The cases at one stage."""
    if stage not in Stage.values:
        raise NotVisible
    record_read(request.actor, "stage.list", Subject(), {"stage": stage})
    cases = cases_at(request.actor, Stage(stage))
    return render(request, "core/stage.html", {"stage": Stage(stage), "cases": cases})


@require_GET
@allow(*CASE_READERS)
def search(request: ClinicRequest) -> HttpResponse:
    """Patients by name, number, telephone or date of birth."""
    words = request.GET.get("q", "").strip()
    found = search_patients(request.actor, words) if len(words) > 1 else []
    if found:
        record_read(request.actor, "patient.search", Subject(), {"found": [patient.pk for patient in found]})
    template = "core/search_results.html" if request.htmx else "core/search.html"
    return render(request, template, {"words": words, "found": found})


@require_POST
@allow(EVERYBODY)
def choose_language(request: ClinicRequest) -> HttpResponse:
    """Remember the language for this session."""
    code = request.POST.get("language", "")
    if code in dict(settings.LANGUAGES):
        request.session[LANGUAGE_KEY] = code
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "/")


@require_GET
@allow(*STAFF, Role.ADMINISTRATOR)
def components(request: ClinicRequest) -> HttpResponse:
    """The design system's parts on one page."""
    return render(request, "core/components.html")
