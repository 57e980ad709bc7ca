"""The patient's own pages."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vertebro_clinic.core.domain.audit import Subject, record_read
from vertebro_clinic.core.errors import NotAllowed
from vertebro_clinic.pathway.domain import tasks
from vertebro_clinic.pathway.domain.own import OUTCOMES, own_cases, who_looked
from vertebro_clinic.pathway.domain.queries.visible import open_case, open_patient, tasks_visible_to
from vertebro_clinic.pathway.interfaces.forms.followup import OwnOutcomeForm
from vertebro_clinic.web.access import PATIENT, ClinicRequest, allow
from vertebro_clinic.web.middleware import PATIENT_KEY


@require_GET
@allow(PATIENT)
def my_page(request: ClinicRequest) -> HttpResponse:
    """What happens now, what to do and when, whom to call."""
    patient = open_patient(request.actor, request.actor.patient_id or 0, action="own.read")
    return render(request, "public/my_page.html", {"patient": patient, "cases": own_cases(request.actor)})


@require_GET
@allow(PATIENT)
def my_audit(request: ClinicRequest) -> HttpResponse:
    """Who looked at my record."""
    patient = open_patient(request.actor, request.actor.patient_id or 0, action="own.audit")
    return render(request, "public/my_audit.html", {"patient": patient, "looks": who_looked(request.actor)})


@require_POST
@allow(PATIENT)
def my_question(request: ClinicRequest, key: str) -> HttpResponse:
    """A question that reaches the nurse."""
    case = open_case(request.actor, key, action="own.read")
    words = request.POST.get("question", "").strip()
    if not words:
        raise NotAllowed(_("Please write your question."))
    tasks.ask_question(actor=request.actor, case=case, words=words)
    messages.success(request, _("Your question has reached the nurse. We answer by telephone."))
    return redirect("my_page")


@require_http_methods(["GET", "POST"])
@allow(PATIENT)
def my_questionnaire(request: ClinicRequest, pk: int) -> HttpResponse:
    """How are you now."""
    record_read(request.actor, "own.questionnaire", Subject(request.actor.patient_id))
    mine = tasks_visible_to(request.actor).filter(kind__in=OUTCOMES, done_at=None)
    task = get_object_or_404(mine.select_related("case__site"), pk=pk)
    form = OwnOutcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {**form.values(), "at": timezone.now()}
        tasks.answer_outcome(actor=request.actor, task=task, values=values)
        messages.success(request, _("Thank you."))
        return redirect("my_page")
    return render(request, "public/questionnaire.html", {"task": task, "form": form})


@require_POST
@allow(PATIENT)
def leave(request: ClinicRequest) -> HttpResponse:
    """Close the patient's session."""
    request.session.pop(PATIENT_KEY, None)
    request.session.flush()
    return redirect("start")
