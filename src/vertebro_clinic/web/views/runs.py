"""Runs of the engine in a case: their list, and the report as it was made."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from vertebro_clinic.core.errors import NotVisible
from vertebro_clinic.pathway.domain.queries.visible import open_case
from vertebro_clinic.runs.models import Job, Run
from vertebro_clinic.web.access import CASE_READERS, ClinicRequest, allow
from vertebro_clinic.web.views.case import frame

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)


@require_GET
@allow(*CASE_READERS)
def run_list(request: ClinicRequest, key: str) -> HttpResponse:
    """Waiting, running and finished runs."""
    case = open_case(request.actor, key, action="runs.read")
    context = frame(request.actor, case, here="runs") | {
        "jobs": Job.objects.filter(case=case).exclude(state="done"),
        "found": Run.objects.filter(case=case).select_related("confirmed_by"),
    }
    return render(request, "pathway/runs.html", context)


@require_GET
@allow(*CASE_READERS)
def report(request: ClinicRequest, key: str, run: UUID) -> HttpResponse:
    """The report of a run: a closed page of its own that runs no script."""
    case = open_case(request.actor, key, action="report.read")
    found = get_object_or_404(Run, case=case, public_id=run)
    path = (settings.CASES_ROOT / found.folder / "report.html").resolve()
    if not path.is_relative_to(settings.CASES_ROOT.resolve()) or not path.is_file():
        raise NotVisible(_("The report's file is not there."))
    response = HttpResponse(path.read_bytes(), content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = REPORT_POLICY
    response._csp_exempt = True  # type: ignore[attr-defined]
    return response
