"""The regions beside the main line."""

from __future__ import annotations

import pytest

from vertebro_clinic.core.actor import SYSTEM
from vertebro_clinic.core.errors import ConditionsUnmet, NoSuchTransition
from vertebro_clinic.pathway.domain.regions import REGION_OF, REGION_TRANSITIONS, RegionEvent, move_region
from vertebro_clinic.pathway.enums import AdverseState, BoneState, HoldState, NewPainState, Region
from vertebro_clinic.pathway.models import AdverseEvent, BoneHealth, MedicationHold, Medicine, NewPain

pytestmark = pytest.mark.django_db
STATES = {
    Region.MEDICATION_HOLD: HoldState,
    Region.ADVERSE_EVENT: AdverseState,
    Region.BONE_HEALTH: BoneState,
    Region.NEW_PAIN: NewPainState,
}


def _row(region: Region, case):
    model = next(model for model, its in REGION_OF.items() if its == region)
    extra = {
        MedicationHold: {"medicine": Medicine.objects.filter(patient=case.patient).first()},
        AdverseEvent: {"happened_at": case.stage_since, "kind": "leak"},
        NewPain: {"reported_at": case.stage_since},
        BoneHealth: {},
    }[model]
    return model.objects.create(case=case, **extra)


@pytest.mark.parametrize("region", list(Region))
def test_every_pair_not_in_the_table_refuses(world, region: Region) -> None:
    row = _row(region, world.dana)
    for state in STATES[region]:
        type(row).objects.filter(pk=row.pk).update(state=state)
        for event in RegionEvent:
            if (region, str(state), event) not in REGION_TRANSITIONS:
                with pytest.raises(NoSuchTransition):
                    move_region(actor=SYSTEM, row=row, event=event)


def test_a_hold_needs_the_prescriber_s_name_before_the_patient_is_told(world, cast) -> None:
    hold = _row(Region.MEDICATION_HOLD, world.dana)

    with pytest.raises(NoSuchTransition):
        move_region(actor=cast.nurse, row=hold, event=RegionEvent.TELL)
    with pytest.raises(ConditionsUnmet, match="prescriber"):
        move_region(actor=cast.nurse, row=hold, event=RegionEvent.APPROVE)

    values = {"approved_by_name": "Dr. Own", "last_dose_on": "2026-11-02"}
    approved = move_region(actor=cast.nurse, row=hold, event=RegionEvent.APPROVE, values=values)
    assert approved.state == HoldState.APPROVED
    assert approved.approval_recorded_by_id == cast.nurse.user_id
    assert move_region(actor=cast.nurse, row=hold, event=RegionEvent.TELL).state == HoldState.PATIENT_TOLD


def test_an_adverse_event_is_graded_before_it_is_managed(world, cast) -> None:
    event = _row(Region.ADVERSE_EVENT, world.dana)

    with pytest.raises(ConditionsUnmet, match="SIR"):
        move_region(actor=cast.nurse, row=event, event=RegionEvent.GRADE)
    graded = move_region(
        actor=cast.nurse,
        row=event,
        event=RegionEvent.GRADE,
        values={"sir_grade": "1", "cirse_grade": "1", "causality": "3"},
    )

    assert (graded.state, graded.scale_version) == (AdverseState.GRADED, "SIR 2017; CIRSE 2017")
