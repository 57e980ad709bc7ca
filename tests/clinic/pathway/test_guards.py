"""Single guards: the conditions that the service's descriptions name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from vertebro_clinic.core.errors import ConditionsUnmet
from vertebro_clinic.pathway.domain.guards.imaging import imaging_is_fresh, mri_is_impossible, mri_is_safe
from vertebro_clinic.pathway.domain.guards.preparation import preparation_settled
from vertebro_clinic.pathway.domain.guards.referral import fracture_likely, referral_complete
from vertebro_clinic.pathway.domain.guards.treatment import cement_set, check_in_passed, may_go_home
from vertebro_clinic.pathway.domain.transitions import move_case
from vertebro_clinic.pathway.enums import Event, Stage
from vertebro_clinic.pathway.models import (
    Booking,
    Case,
    CheckIn,
    Consent,
    DischargeCheck,
    ImagingStudy,
    LabResult,
    MedicationHold,
    MriSafety,
    Observation,
    Preparation,
    RecoveryStay,
    Referral,
)
from vertebro_clinic.start.demo.journey import Story, walk_to

pytestmark = pytest.mark.django_db


def _codes(missing) -> set[str]:
    return {item.code for item in missing}


def test_cord_signs_and_disc_pain_stop_a_referral(world, cast) -> None:
    case = walk_to(Stage.XRAY, case_id=world.dana.pk, cast=cast)
    Referral.objects.filter(case=case).update(bladder_bowel="yes", leg_pain_worse="yes", midline_tender="no")

    assert _codes(referral_complete(case)) == {"referral.cord", "referral.disc"}


def test_no_fracture_on_x_ray_stops(world, cast) -> None:
    case = walk_to(Stage.XRAY, case_id=world.dana.pk, cast=cast)
    assert _codes(fracture_likely(case)) == {"xray.none"}

    ImagingStudy.objects.create(case=case, kind="xray", reported_on="2026-01-01", xray_finding="none")

    assert _codes(fracture_likely(case)) == {"xray.no_fracture"}


def test_a_pacemaker_asks_for_the_device_before_another_modality(world, cast) -> None:
    case = walk_to(Stage.MRI_SAFETY, case_id=world.dana.pk, cast=cast)
    answers = dict.fromkeys(("stimulator", "cochlear", "clip", "metal", "pregnancy"), "no")
    MriSafety.objects.create(case=case, pacemaker="yes", outcome="ask", **answers)

    assert "mri_safety.device" in _codes(mri_is_safe(case))
    assert _codes(mri_is_impossible(case)) == {"mri_safety.possible"}

    MriSafety.objects.update(device="X", device_status="MR conditional", outcome="cleared")
    assert _codes(mri_is_safe(case)) == set()


def test_mri_impossible_leads_to_a_bone_scan_and_on(world, cast) -> None:
    story = Story(has_pacemaker=True, mri_impossible=True)

    case = walk_to(Stage.CONSULTATION, case_id=world.dana.pk, cast=cast, story=story)

    assert list(ImagingStudy.objects.filter(case=case).values_list("kind", flat=True)) == [
        "bone_scan",
        "xray",
    ]


def test_old_images_stop(world, cast) -> None:
    case = walk_to(Stage.IMAGING_REVIEW, case_id=world.dana.pk, cast=cast)
    ImagingStudy.objects.filter(case=case).update(done_on=timezone.now().date() - timedelta(days=60))

    assert _codes(imaging_is_fresh(case)) == {"imaging.old"}


def test_the_booking_form_offers_an_hour_for_each_level(world, cast, sign_in) -> None:
    case = walk_to(Stage.SCHEDULING, case_id=world.dana.pk, cast=cast, story=Story(levels=("T12", "L1")))

    page = sign_in("sol").get(f"/cases/{case.key}/rows/bookings/add/").content.decode()

    assert 'name="minutes" value="120"' in page


def test_preparation_waits_for_prescriber_patient_labs_and_driver(world, cast) -> None:
    case = walk_to(Stage.PREPARATION, case_id=world.dana.pk, cast=cast)
    Preparation.objects.create(case=case)
    assert {
        "hold.undecided",
        "preparation.driver",
        "lab.inr",
        "lab.platelets",
        "preparation.fasting_told",
    } <= _codes(preparation_settled(case))

    MedicationHold.objects.create(case=case, medicine=case.patient.medicines.get())
    LabResult.objects.create(case=case, kind="inr", value="1.8", taken_on=timezone.now().date())
    LabResult.objects.create(case=case, kind="platelets", value="40", taken_on=timezone.now().date())
    Preparation.objects.update(needs_transport=True)
    codes = _codes(preparation_settled(case))
    assert {"hold.unapproved", "lab.inr_high", "lab.platelets_low"} <= codes
    assert "preparation.driver" not in codes

    MedicationHold.objects.update(state="approved")
    assert "hold.untold" in _codes(preparation_settled(case))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fasted": "no"}, "check_in.fasted"),
        ({"driver_present": "no"}, "check_in.driver_present"),
        ({"pregnancy": "yes"}, "check_in.pregnancy"),
        ({"infection": "unknown"}, "check_in.infection"),
        ({"improved": "yes"}, "check_in.improved"),
        ({"identity_checked": False}, "check_in.identity_checked"),
    ],
)
def test_check_in_refuses(world, cast, change: dict[str, object], code: str) -> None:
    case = walk_to(Stage.SIGN_IN, case_id=world.dana.pk, cast=cast)
    CheckIn.objects.filter(case=case).update(**change)

    assert _codes(check_in_passed(case)) == {code}


def test_no_suite_without_consent(world, cast) -> None:
    case = walk_to(Stage.CHECK_IN, case_id=world.dana.pk, cast=cast)
    Consent.objects.filter(case=case).update(is_current=False)

    with pytest.raises(ConditionsUnmet, match="No consent"):
        walk_to(Stage.SIGN_IN, case_id=case.pk, cast=cast)


def test_prone_for_twenty_minutes_and_until_the_sample_is_hard(world, cast) -> None:
    case = walk_to(Stage.PRONE, case_id=world.dana.pk, cast=cast)
    assert _codes(cement_set(case)) == {"recovery.sample", "recovery.prone_time"}

    stays = RecoveryStay.objects.filter(case=case)
    stays.update(sample_set=True, prone_since=timezone.now() - timedelta(minutes=19))
    assert _codes(cement_set(case)) == {"recovery.prone_time"}
    stays.update(prone_since=timezone.now() - timedelta(minutes=21))
    assert _codes(cement_set(case)) == set()


@pytest.mark.parametrize(
    ("model", "change", "code"),
    [
        (Observation, {"padss": 8}, "discharge.padss"),
        (Observation, {"legs": "deficit"}, "discharge.legs"),
        (Observation, {"pain": 9}, "discharge.pain"),
        (DischargeCheck, {"driver_here": False}, "discharge.driver_here"),
        (DischargeCheck, {"instructions_given": False}, "discharge.instructions_given"),
        (DischargeCheck, {"activity_guidance": False}, "discharge.activity_guidance"),
        (DischargeCheck, {"restart_plan": "open"}, "discharge.restart"),
        (DischargeCheck, {"reversal_given": "yes"}, "discharge.reversal"),
        (RecoveryStay, {"supine_since": timezone.now()}, "discharge.time"),
    ],
)
def test_the_discharge_gate_refuses(world, model, change: dict[str, object], code: str) -> None:
    assert _codes(may_go_home(world.erik)) == set()

    model.objects.filter(case=world.erik).update(**change)

    assert _codes(may_go_home(world.erik)) == {code}


def test_supine_and_recovery_take_the_longer_of_both(world) -> None:
    site = world.erik.site
    site.supine_minutes, site.recovery_minutes = 30, 400
    site.save()
    case = Case.objects.select_related("site").get(pk=world.erik.pk)

    assert [str(item.words) for item in may_go_home(case)] == ["The 400 minutes of recovery are not over."]


def test_both_procedures_can_be_chosen(world, cast) -> None:
    story = Story(procedure="kyphoplasty", levels=("T12", "L1"))

    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast, story=story)

    assert set(case.leveltreatments.values_list("level", "procedure")) == {
        ("T12", "kyphoplasty"),
        ("L1", "kyphoplasty"),
    }


def test_arriving_needs_a_booking(world, cast) -> None:
    case = walk_to(Stage.READY, case_id=world.dana.pk, cast=cast)
    Booking.objects.filter(case=case).update(is_current=False)

    with pytest.raises(ConditionsUnmet, match="No time is booked"):
        move_case(actor=cast.nurse, case_id=case.pk, event=Event.ARRIVE)
