"""The day of treatment, recovery, discharge."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing
from vertebro_clinic.pathway.checklists import SIGN_IN, SIGN_OUT, TIME_OUT, Item
from vertebro_clinic.pathway.domain.guards.answers import NO, UNKNOWN, YES, unanswered, when
from vertebro_clinic.pathway.domain.guards.decision import consent_signed
from vertebro_clinic.pathway.domain.guards.imaging import reading_stands
from vertebro_clinic.pathway.models import (
    Case,
    CheckIn,
    DischargeCheck,
    LevelTreatment,
    Observation,
    RecoveryStay,
    SignIn,
    SignOut,
    TimeOut,
)
from vertebro_clinic.pathway.models.procedure import Checklist


def check_in_passed(case: Case) -> list[Missing]:
    """The right patient, still in pain, fasted, with doses stopped as planned.

    Consent and reading still stand.
    """
    step = "check_in"
    checked = CheckIn.objects.filter(case=case, is_current=True).first()
    if checked is None:
        return [Missing("check_in.none", _("Check-in has not been filled in."), step)]
    missing = unanswered(
        checked,
        (
            "identity_checked",
            "pain_now",
            "fasted",
            "doses_as_planned",
            "driver_present",
            "pregnancy",
            "infection",
        ),
        step,
    )
    refused = (
        ("fasted", (NO, UNKNOWN), _("The patient has not fasted as told.")),
        ("doses_as_planned", (NO, UNKNOWN), _("A medicine was not stopped as planned.")),
        ("driver_present", (NO, UNKNOWN), _("There is no driver.")),
        ("pregnancy", ("yes",), _("The patient is pregnant.")),
        ("infection", (YES, UNKNOWN), _("Fever or infection.")),
    )
    for field, bad, sentence in refused:
        missing += when(getattr(checked, field) in bad, f"check_in.{field}", sentence, step)
    threshold = case.site.pain_threshold
    missing += when(
        checked.improved == YES or (checked.pain_now is not None and checked.pain_now < threshold),
        "check_in.improved",
        _("Pain is below %(threshold)s or much better: back to the radiologist.") % {"threshold": threshold},
        step,
    )
    return missing + consent_signed(case) + reading_stands(case)


def _ticked(case: Case, model: type[Checklist], items: tuple[Item, ...], step: str) -> list[Missing]:
    checklist = model._default_manager.filter(case=case, is_current=True).first()
    done = checklist.items if checklist else {}
    return [
        Missing(f"{step}.{item.code}", _("Not ticked: %(item)s") % {"item": item.words}, step)
        for item in items
        if not done.get(item.code)
    ]


def sign_in_complete(case: Case) -> list[Missing]:
    """Every item of the sign-in, with consent and reading on the record."""
    return _ticked(case, SignIn, SIGN_IN, "sign_in") + consent_signed(case) + reading_stands(case)


def time_out_complete(case: Case) -> list[Missing]:
    """Every item of the time-out, the level on the live image among them."""
    return _ticked(case, TimeOut, TIME_OUT, "time_out")


def levels_finished(case: Case) -> list[Missing]:
    """Every planned level ended as treated, or as not treated with a reason; sign-out complete."""
    step = "treatment"
    missing = []
    levels = list(LevelTreatment.objects.filter(case=case, is_current=True))
    missing += when(not levels, "treatment.none", _("No level is on the day's record."), step)
    for level in levels:
        missing += when(
            not level.outcome,
            "treatment.open",
            _("%(level)s: the outcome is open.") % {"level": level.level},
            step,
        )
        missing += when(
            level.outcome == "abandoned" and not (level.stop_reason or level.remark),
            "treatment.no_reason",
            _("%(level)s: say why it was not treated.") % {"level": level.level},
            step,
        )
        missing += when(
            level.outcome == "treated" and not (level.cement_product and level.cement_lot),
            "treatment.cement",
            _("%(level)s: cement product and lot are not recorded.") % {"level": level.level},
            step,
        )
    return missing + _ticked(case, SignOut, SIGN_OUT, "sign_out")


def cement_set(case: Case) -> list[Missing]:
    """The sample is hard and the prone time is over."""
    stay = RecoveryStay.objects.filter(case=case, is_current=True).first()
    step = "recovery"
    if stay is None or stay.prone_since is None:
        return [Missing("recovery.prone", _("The time since the cement is not running."), step)]
    over = stay.prone_since + timedelta(minutes=case.site.prone_minutes)
    missing = when(
        not stay.sample_set,
        "recovery.sample",
        _("The cement sample is not hard yet, or nobody looked."),
        step,
    )
    return missing + when(
        timezone.now() < over,
        "recovery.prone_time",
        _("The %(minutes)s minutes of lying prone are not over.") % {"minutes": case.site.prone_minutes},
        step,
    )


def _stay_minutes(case: Case) -> int:
    return max(case.site.supine_minutes, case.site.recovery_minutes)


def may_go_home(case: Case) -> list[Missing]:
    """The discharge gate of the site: scores, legs, pain, time, driver, walked, instructions understood."""
    step = "discharge"
    gate = DischargeCheck.objects.filter(case=case, is_current=True).first()
    latest = Observation.objects.filter(case=case, is_current=True).first()
    before = CheckIn.objects.filter(case=case, is_current=True).first()
    stay = RecoveryStay.objects.filter(case=case, is_current=True).first()
    if gate is None:
        return [Missing("discharge.none", _("The discharge checks have not been made."), step)]
    missing = unanswered(
        gate,
        (
            "dressing_dry",
            "drinks",
            "walked",
            "driver_here",
            "instructions_given",
            "understood",
            "activity_guidance",
            "restart_plan",
        ),
        step,
    )
    missing += when(
        gate.restart_plan == "open", "discharge.restart", _("Restart dates of held medicines are open."), step
    )
    if latest is None:
        missing.append(Missing("discharge.observation", _("No observation is recorded."), "recovery"))
    else:
        missing += when((latest.padss or 0) < 9, "discharge.padss", _("PADSS is below 9."), "recovery")
        missing += when(latest.legs != "same", "discharge.legs", _("The legs are not as before."), "recovery")
        missing += when(
            before is not None and latest.pain is not None and latest.pain > (before.pain_now or 0),
            "discharge.pain",
            _("Pain is above that at check-in: tell the physician."),
            "recovery",
        )
    missing += when(
        stay is None
        or stay.supine_since is None
        or timezone.now() < stay.supine_since + timedelta(minutes=_stay_minutes(case)),
        "discharge.time",
        _("The %(minutes)s minutes of recovery are not over.") % {"minutes": _stay_minutes(case)},
        "recovery",
    )
    return missing + when(
        gate.reversal_given == YES
        and (gate.reversal_at is None or timezone.now() < gate.reversal_at + timedelta(hours=2)),
        "discharge.reversal",
        _("Less than 2 hours have passed since the reversal drug."),
        step,
    )
