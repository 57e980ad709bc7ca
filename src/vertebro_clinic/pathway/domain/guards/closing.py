"""What must be settled before a case is closed, or opened again."""

from __future__ import annotations

from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing
from vertebro_clinic.pathway.domain.guards.answers import when
from vertebro_clinic.pathway.enums import AdverseState, BoneState, HoldState
from vertebro_clinic.pathway.models import AdverseEvent, BoneHealth, Case, MedicationHold, NewPain, Task


def nothing_missing(case: Case) -> list[Missing]:
    """No condition."""
    del case
    return []


def all_settled(case: Case) -> list[Missing]:
    """Tasks done, medicines restarted, adverse events reviewed, new pain settled.

    Bone health treated or declined.
    """
    step = "followup"
    missing = [
        Missing("close.task", _("Open: %(task)s") % {"task": task.get_kind_display()}, step)
        for task in Task.objects.filter(case=case, is_current=True, done_at=None)
    ]
    held = MedicationHold.objects.filter(case=case, is_current=True).exclude(
        state__in=[HoldState.RESTARTED, HoldState.NOT_HELD]
    )
    missing += [
        Missing(
            "close.hold", _("%(drug)s has not been restarted.") % {"drug": hold.medicine.name}, "preparation"
        )
        for hold in held.select_related("medicine")
    ]
    open_events = AdverseEvent.objects.filter(case=case, is_current=True).exclude(state=AdverseState.REVIEWED)
    missing += when(
        open_events.exists(), "close.adverse", _("An adverse event is not reviewed."), "adverse_event"
    )
    pain = NewPain.objects.filter(case=case, is_current=True).exclude(state="settled")
    missing += when(pain.exists(), "close.new_pain", _("New pain is not settled."), "new_pain")
    bone = BoneHealth.objects.filter(case=case, is_current=True).first()
    return missing + when(
        bone is None or bone.state not in (BoneState.TREATED, BoneState.DECLINED),
        "close.bone",
        _("Bone health is neither treated nor declined."),
        "bone_health",
    )


def medicines_restarted(case: Case) -> list[Missing]:
    """No medicine is left stopped."""
    held = MedicationHold.objects.filter(
        case=case, is_current=True, state__in=[HoldState.HELD, HoldState.RESTART_DUE, HoldState.PATIENT_TOLD]
    ).select_related("medicine")
    return [
        Missing(
            "close.hold", _("%(drug)s has not been restarted.") % {"drug": hold.medicine.name}, "preparation"
        )
        for hold in held
    ]


def pain_reported(case: Case) -> list[Missing]:
    """New pain is on the record: the reason to look again after treatment."""
    pain = NewPain.objects.filter(case=case, is_current=True).exclude(state="settled")
    return when(not pain.exists(), "new_pain.none", _("No new pain is on the record."), "new_pain")
