"""The page of a case, its steps, its rows, its moves."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.reauthentication import (
    did_recently_reauthenticate,
    get_reauthentication_flows,
)
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.errors import ChangedMeanwhile, NotAllowed, NotVisible
from vertebro_clinic.pathway.domain import records, regions, transitions
from vertebro_clinic.pathway.domain.eligibility import decide_eligibility, findings_for
from vertebro_clinic.pathway.domain.queries.timeline import timeline_of
from vertebro_clinic.pathway.domain.queries.visible import open_case
from vertebro_clinic.pathway.enums import Event, Stage
from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm
from vertebro_clinic.pathway.interfaces.forms.decision import EligibilityForm
from vertebro_clinic.pathway.interfaces.steps import ROWS, STEPS, Rows, Step, step_for
from vertebro_clinic.pathway.models import Case, LevelFinding, MedicationHold, Medicine, Task
from vertebro_clinic.pathway.models.base import CaseRow, Record
from vertebro_clinic.web.access import CASE_READERS, ClinicRequest, allow
from vertebro_clinic.web.consent_text import consent_text


def frame(actor: Actor, case: Case, *, here: str = "") -> dict[str, Any]:
    """What every page of a case shows around its content."""
    return {
        "case": case,
        "patient": case.patient,
        "site": case.site,
        "steps": STEPS.values(),
        "here": here,
        "next_page": step_for(Stage(case.stage)),
        "offers": list(transitions.offers(actor, case)),
        "open_tasks": Task.objects.filter(case=case, is_current=True, done_at=None)[:12],
        "allergies": case.patient.allergies.filter(ended_at=None),
        "levels": ", ".join(
            LevelFinding.objects.filter(
                case=case, review__is_current=True, is_current=True, is_target=True
            ).values_list("level", flat=True)
        ),
    }


@require_GET
@allow(*CASE_READERS)
def case_page(request: ClinicRequest, key: str) -> HttpResponse:
    """The case: where it stands, what is next, what happened."""
    case = open_case(request.actor, key, action="case.read", related=("referrer",))
    medicines = Medicine.objects.filter(patient=case.patient, ended_at=None)
    context = frame(request.actor, case, here="case") | {
        "timeline": timeline_of(case),
        "medicines": medicines,
        "holds": MedicationHold.objects.filter(case=case, is_current=True).select_related("medicine"),
        "runs": case.runs.all()[:5],
        "other_cases": case.patient.cases.exclude(pk=case.pk).select_related("site"),
    }
    return render(request, "pathway/case.html", context)


@require_POST
@allow(*CASE_READERS)
def move(request: ClinicRequest, key: str) -> HttpResponse:
    """Fire an event of the pathway."""
    case = open_case(request.actor, key, action="case.read")
    name = request.POST.get("event", "")
    if name not in Event.values:
        raise NotVisible
    moved = transitions.move_case(
        actor=request.actor,
        case_id=case.pk,
        event=Event(name),
        version=int(request.POST.get("version") or 0) or None,
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _("The case is now at: %(stage)s") % {"stage": Stage(moved.stage).label})
    return redirect("case", key=case.key)


def _may_write(actor: Actor, case: Case, roles: Any) -> bool:
    try:
        records.require_writer(actor, case, roles)
    except NotAllowed:
        return False
    return True


def _step_form(step: Step, case: Case, record: Record | None, data: Any = None) -> ClinicForm | None:
    if step.form is None or step.model is None:
        return None
    options: dict[str, Any] = {"instance": record or step.model(case=case)}
    if step.form is EligibilityForm:
        signed = record is not None and record.is_signed
        options["findings"] = record.findings if signed else findings_for(case)  # type: ignore[union-attr]
    return step.form(data, **options)


def _rows_shown(case: Case, step: Step, record: Record | None) -> list[tuple[Rows, list[CaseRow]]]:
    shown = []
    for slug in step.rows:
        rows = ROWS[slug]
        found = rows.model._default_manager.filter(case=case, is_current=True)
        if rows.parent:
            found = found.filter(**{rows.parent: record})
        related = [
            name
            for name in ("case__site", "medicine", "radiologist")
            if name == "case__site" or hasattr(rows.model, name)
        ]
        shown.append((rows, list(found.select_related(*related))))
    return shown


@require_http_methods(["GET", "POST"])
@allow(*CASE_READERS)
def step_page(request: ClinicRequest, key: str, slug: str) -> HttpResponse:
    """One step: its record, its rows, what is missing to go on."""
    if slug not in STEPS:
        raise NotVisible
    step = STEPS[slug]
    case = open_case(request.actor, key, action=f"{slug}.read")
    record = records.current(case, step.model) if step.model else None
    form = _step_form(step, case, record)
    theirs: Record | None = None
    if request.method == "POST" and step.model is not None:
        act = request.POST.get("act", "save")
        if act == "correct":
            records.correct_record(
                actor=request.actor, case_id=case.pk, model=step.model, reason=request.POST.get("reason", "")
            )
            return redirect("step", key=case.key, slug=slug)
        form = _step_form(step, case, record, request.POST)
        assert form is not None, "a step with a record has a form"
        if form.is_valid():
            try:
                saved = _save_step(request, step, case, form)
            except ChangedMeanwhile as conflict:
                theirs = conflict.current if isinstance(conflict.current, Record) else None
                messages.warning(request, str(conflict.message))
            else:
                return _after_save(request, step, case, saved, act)
    context = frame(request.actor, case, here=slug) | {
        "step": step,
        "record": record,
        "form": form,
        "differences": _differences(form, theirs) if theirs and form else (),
        "their_version": theirs.version if theirs else 0,
        "needs_signature": step.model in records.SIGNED,
        "may_write": step.model is not None and _may_write(request.actor, case, records.WRITERS[step.model]),
        "rows_shown": _rows_shown(case, step, record),
        "row_rights": {slug: _may_write(request.actor, case, ROWS[slug].roles) for slug in step.rows},
        "rows_ready": all(not ROWS[slug].parent or record is not None for slug in step.rows),
        "consent_text": consent_text(case) if slug == "consent" else None,
    }
    return render(request, step.template, context, status=409 if theirs else 200)


def _save_step(request: ClinicRequest, step: Step, case: Case, form: ClinicForm) -> Record:
    version = form.cleaned_data["version"]
    if isinstance(form, EligibilityForm):
        return decide_eligibility(
            actor=request.actor,
            case_id=case.pk,
            values=form.values(),
            overrides=form.overrides(),
            version=version,
        )
    assert step.model is not None, "only a step with a record is saved"
    values = form.values()
    if step.slug == "consent":
        text = consent_text(case)
        values |= {"text_version": text.version, "language": text.language}
        if values["patient_signature"]:
            values["patient_signed_at"] = timezone.now()
    return records.save_record(
        actor=request.actor, case_id=case.pk, model=step.model, values=values, version=version
    )


def _after_save(request: ClinicRequest, step: Step, case: Case, saved: Record, act: str) -> HttpResponse:
    here = reverse("step", kwargs={"key": case.key, "slug": step.slug})
    if act != "sign":
        messages.success(request, _("Saved."))
        return redirect(here)
    if not _is_fresh(request):
        messages.info(request, _("Saved. To sign, confirm that it is you; then press Sign again."))
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': here})}")
    records.sign_record(actor=request.actor, case_id=case.pk, model=type(saved), version=saved.version)
    messages.success(request, _("Signed."))
    return redirect(here)


def _is_fresh(request: ClinicRequest) -> bool:
    """Whether the person proved lately that it is them: needed to sign."""
    if not get_reauthentication_flows(request.user):
        raise NotAllowed(
            _("Set a password or a second factor first: a signature needs proof that it is you.")
        )
    return bool(did_recently_reauthenticate(request))


def _differences(form: ClinicForm, theirs: Record) -> list[tuple[str, Any, Any]]:
    """Field by field: what the other person saved and what stands in this form."""
    found = []
    for name, mine in form.values().items():
        if not hasattr(theirs, name):
            continue
        saved = getattr(theirs, name)
        if saved != mine:
            found.append((str(form.fields[name].label), saved, mine))
    return found


def _row_form(rows: Rows, case: Case, row: CaseRow, data: Any = None) -> ClinicForm:
    options: dict[str, Any] = {"instance": row}
    if rows.slug == "holds":
        options["patient_id"] = case.patient_id
    if rows.slug == "bookings":
        options["site"] = case.site
        if row.pk is None:
            levels = max(1, LevelFinding.objects.filter(case=case, is_current=True, is_target=True).count())
            options["initial"] = {
                "minutes": levels * case.site.minutes_per_level,
                "recovery_minutes": max(case.site.recovery_minutes, case.site.supine_minutes),
            }
    if rows.slug == "observations" and row.pk is None:
        options["initial"] = {"at": timezone.now().astimezone(case.site.tz).strftime("%Y-%m-%dT%H:%M")}
    return rows.form(data, **options)


def _in_site_zone(case: Case) -> Any:
    return timezone.override(case.site.tz)


@require_http_methods(["GET", "POST"])
@allow(*CASE_READERS)
def row_page(request: ClinicRequest, key: str, slug: str, pk: int | None = None) -> HttpResponse:
    """Add or change one row of a case. Times in the form are the site's."""
    if slug not in ROWS:
        raise NotVisible
    rows = ROWS[slug]
    case = open_case(request.actor, key, action=f"{slug}.read")
    records.require_writer(request.actor, case, rows.roles)
    if pk is None and not rows.may_add:
        raise NotVisible
    row = (
        get_object_or_404(rows.model._default_manager, pk=pk, case=case, is_current=True)
        if pk
        else rows.model(case=case)
    )
    page = (
        next(step.slug for step in STEPS.values() if slug in step.rows)
        if slug != "levels-treated"
        else "room"
    )
    with _in_site_zone(case):
        form = _row_form(rows, case, row, request.POST or None)
        if request.method == "POST" and form.is_valid():
            _save_row(request, rows, case, row, form)
            messages.success(request, _("Saved."))
            return (
                redirect("room", key=case.key)
                if page == "room"
                else redirect("step", key=case.key, slug=page)
            )
        context = frame(request.actor, case, here=page) | {
            "rows": rows,
            "row": row,
            "form": form,
            "back": page,
            "region_events": regions.region_offers(row) if row.pk and type(row) in regions.REGION_OF else (),
        }
        return render(request, "pathway/row.html", context)


def _save_row(request: ClinicRequest, rows: Rows, case: Case, row: CaseRow, form: ClinicForm) -> CaseRow:
    values = form.values()
    if row.pk:
        return records.change_row(
            actor=request.actor,
            row=row,
            values=values,
            roles=rows.roles,
            version=form.cleaned_data["version"],
        )
    if rows.parent:
        step = next(step for step in STEPS.values() if rows.slug in step.rows)
        assert step.model is not None, "rows with a parent stand beside a record"
        parent = records.current(case, step.model)
        if parent is None or parent.is_signed:
            raise NotAllowed(_("Save the page above first; a signed one is corrected with a reason."))
        values[rows.parent] = parent
    return records.add_row(
        actor=request.actor, case_id=case.pk, model=rows.model, values=values, roles=rows.roles
    )


@require_POST
@allow(*CASE_READERS)
def row_retire(request: ClinicRequest, key: str, slug: str, pk: int) -> HttpResponse:
    """Set one row aside, with a reason."""
    if slug not in ROWS:
        raise NotVisible
    rows = ROWS[slug]
    case = open_case(request.actor, key, action=f"{slug}.read")
    row = get_object_or_404(rows.model._default_manager, pk=pk, case=case, is_current=True)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise NotAllowed(_("Say why."))
    records.retire_row(actor=request.actor, row=row, roles=rows.roles, reason=reason)
    return redirect("case", key=case.key)


@require_POST
@allow(*CASE_READERS)
def region_move(request: ClinicRequest, key: str, slug: str, pk: int) -> HttpResponse:
    """Move a row of a region (a held medicine, an adverse event) along its table."""
    if slug not in ROWS or ROWS[slug].model not in regions.REGION_OF:
        raise NotVisible
    case = open_case(request.actor, key, action=f"{slug}.read")
    row = get_object_or_404(ROWS[slug].model._default_manager, pk=pk, case=case, is_current=True)
    name = request.POST.get("event", "")
    if name not in regions.RegionEvent.values:
        raise NotVisible
    regions.move_region(
        actor=request.actor,
        row=row,
        event=regions.RegionEvent(name),
        version=int(request.POST.get("version") or 0) or None,
    )
    return redirect("row", key=case.key, slug=slug, pk=pk)
