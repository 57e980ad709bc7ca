"""Follow-up: what is due in a case, a call with its script, questionnaire results."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from vertebro_clinic.pathway.domain import tasks
from vertebro_clinic.pathway.domain.queries.visible import open_case
from vertebro_clinic.pathway.enums import TaskKind, TaskOutcome
from vertebro_clinic.pathway.interfaces.forms.followup import ContactForm, OutcomeForm
from vertebro_clinic.pathway.models import Case, FollowUpContact, OutcomeScore, Task
from vertebro_clinic.web.access import CASE_READERS, STAFF, ClinicRequest, allow
from vertebro_clinic.web.views.case import frame

CALLS = (TaskKind.CALL_DAY_1, TaskKind.CALL_WEEK_2, TaskKind.CLINICIAN_TODAY, TaskKind.REVIEW_CONSERVATIVE)
QUESTIONNAIRES = (TaskKind.OUTCOME_1M, TaskKind.OUTCOME_3M, TaskKind.OUTCOME_6M, TaskKind.OUTCOME_12M)


@require_GET
@allow(*CASE_READERS)
def followup(request: ClinicRequest, key: str) -> HttpResponse:
    """Everything due and done after going home."""
    case = open_case(request.actor, key, action="followup.read")
    context = frame(request.actor, case, here="followup") | {
        "tasks": Task.objects.filter(case=case, is_current=True).select_related("done_by", "hold__medicine"),
        "contacts": FollowUpContact.objects.filter(case=case, is_current=True).select_related(
            "task", "created_by"
        ),
        "scores": OutcomeScore.objects.filter(case=case, is_current=True).select_related("task"),
    }
    return render(request, "pathway/followup.html", context)


def _form(task: Task, case: Case, data: Any) -> Any:
    now = timezone.now().astimezone(case.site.tz).strftime("%Y-%m-%dT%H:%M")
    if task.kind in QUESTIONNAIRES:
        return OutcomeForm(data, instance=OutcomeScore(case=case), initial={"at": now})
    if task.kind in CALLS:
        return ContactForm(data, instance=FollowUpContact(case=case), initial={"at": now})
    return None


@require_http_methods(["GET", "POST"])
@allow(*STAFF)
def task_page(request: ClinicRequest, key: str, pk: int) -> HttpResponse:
    """Do one task: a call with its script, a questionnaire, or simply done."""
    case = open_case(request.actor, key, action="task.read")
    task = get_object_or_404(Task.objects.select_related("hold__medicine"), pk=pk, case=case, is_current=True)
    with timezone.override(case.site.tz):
        form = _form(task, case, request.POST or None)
        if request.method == "POST":
            if request.POST.get("act") in TaskOutcome.values or form is None:
                outcome = TaskOutcome(request.POST.get("act") or TaskOutcome.DONE)
                tasks.finish_task(
                    actor=request.actor, task=task, outcome=outcome, note=request.POST.get("note", "")
                )
                return redirect("followup", key=case.key)
            if form.is_valid():
                if task.kind in QUESTIONNAIRES:
                    tasks.record_outcome(actor=request.actor, task=task, values=form.values())
                else:
                    tasks.record_contact(actor=request.actor, task=task, values=form.values())
                messages.success(request, _("Saved."))
                return redirect("followup", key=case.key)
        context = frame(request.actor, case, here="followup") | {"task": task, "form": form}
        return render(request, "pathway/task.html", context)
