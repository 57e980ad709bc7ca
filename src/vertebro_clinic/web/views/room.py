"""The day of treatment: three checks and what happens in the room, by taps."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from vertebro_clinic.core.errors import ConditionsUnmet, Missing, NotVisible
from vertebro_clinic.pathway.domain import records, treatment
from vertebro_clinic.pathway.domain.policies import limit
from vertebro_clinic.pathway.domain.queries.visible import open_case
from vertebro_clinic.pathway.models import Case, LevelTreatment, RoomEvent
from vertebro_clinic.web.access import CASE_READERS, ROOM, ClinicRequest, allow
from vertebro_clinic.web.views.case import frame

NUMBERS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "cement": (("ml", 0.1, 15),),
    "vitals": (("systolic", 30, 300), ("pulse", 20, 250), ("spo2", 40, 100), ("sedation", -5, 4)),
    "drug": (("amount", 0.001, 5000),),
}
"""Which numbers each kind of entry carries, with the range that is taken."""
WORDS: dict[str, tuple[str, ...]] = {
    "mix": (),
    "drug": ("name", "unit"),
    "note": ("words",),
    "image": ("view",),
}


def _room(request: ClinicRequest, case: Case) -> dict[str, Any]:
    checks = [
        (name, items, records.current(case, model)) for name, (model, items) in treatment.CHECKLISTS.items()
    ]
    events = treatment.standing_events(case)
    return frame(request.actor, case, here="room") | {
        "checks": checks,
        "events": events[::-1],
        "vitals": next((event for event in reversed(events) if event.kind == "vitals"), None),
        "treated": LevelTreatment.objects.filter(case=case, is_current=True),
        "warn_ml": limit("cement_warn_ml", case.site),
        "quick_ml": (0.2, 0.5, 1.0),
    }


@require_GET
@allow(*CASE_READERS)
def room(request: ClinicRequest, key: str) -> HttpResponse:
    """The screen in the suite."""
    case = open_case(request.actor, key, action="room.read")
    return render(request, "pathway/room.html", _room(request, case))


@require_POST
@allow(*ROOM)
def tick(request: ClinicRequest, key: str, checklist: str) -> HttpResponse:
    """Tick a line, or take it back; saved at once."""
    if checklist not in treatment.CHECKLISTS:
        raise NotVisible
    case = open_case(request.actor, key, action="room.read")
    treatment.tick_item(
        actor=request.actor,
        case_id=case.pk,
        checklist=checklist,
        item=request.POST.get("item", ""),
        is_done=request.POST.get("done") == "1",
    )
    return _answer(request, case)


def _answer(request: ClinicRequest, case: Case) -> HttpResponse:
    if request.htmx:
        return render(request, "pathway/room_body.html", _room(request, case))
    return redirect("room", key=case.key)


def _numbers(kind: str, data: Any) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, least, most in NUMBERS.get(kind, ()):
        text = data.get(name, "").strip().replace(",", ".")
        if not text:
            continue
        try:
            value = float(Decimal(text))
        except InvalidOperation as bad:
            raise ConditionsUnmet([Missing(name, _("This is not a number."))]) from bad
        if not least <= value <= most:
            raise ConditionsUnmet(
                [Missing(name, _("Between %(least)s and %(most)s.") % {"least": least, "most": most})]
            )
        content[name] = value
    if kind in NUMBERS and not content:
        raise ConditionsUnmet([Missing(kind, _("There is no value to save."))])
    return content


@require_POST
@allow(*ROOM)
def room_event(request: ClinicRequest, key: str) -> HttpResponse:
    """Keep one thing that happened: vital signs, a drug, cement, an image, a note."""
    case = open_case(request.actor, key, action="room.read")
    kind = request.POST.get("kind", "")
    if kind not in {*NUMBERS, *WORDS}:
        raise NotVisible
    content = _numbers(kind, request.POST)
    content |= {name: request.POST.get(name, "").strip()[:400] for name in WORDS.get(kind, ())}
    try:
        token = uuid.UUID(request.POST.get("token", ""))
    except ValueError as bad:
        raise NotVisible from bad
    level = request.POST.get("level", "")
    treatment.add_room_event(
        actor=request.actor,
        case_id=case.pk,
        kind=kind,
        content=content,
        token=token,
        level_id=int(level) if level.isdigit() else None,
    )
    return _answer(request, case)


@require_POST
@allow(*ROOM)
def strike(request: ClinicRequest, key: str, pk: int) -> HttpResponse:
    """Strike an entry out."""
    case = open_case(request.actor, key, action="room.read")
    event = get_object_or_404(RoomEvent, pk=pk, case=case)
    treatment.strike_out(
        actor=request.actor, event=event, reason=request.POST.get("reason", ""), token=uuid.uuid4()
    )
    return _answer(request, case)
