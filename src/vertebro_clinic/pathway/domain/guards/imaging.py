"""What must be known before, and from, the MRI or its replacement."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing
from vertebro_clinic.pathway.domain.guards.answers import UNKNOWN, YES, unanswered, when
from vertebro_clinic.pathway.enums import ImagingKind, MriOutcome
from vertebro_clinic.pathway.models import Case, ImagingReview, ImagingStudy, LevelFinding, MriSafety

SCREEN = ("pacemaker", "stimulator", "cochlear", "clip", "metal", "pregnancy")
_CROSS_SECTIONAL = (ImagingKind.MRI, ImagingKind.BONE_SCAN, ImagingKind.SPECT_CT, ImagingKind.CT)


def _screened(case: Case) -> tuple[MriSafety | None, list[Missing]]:
    step = "mri_safety"
    screen = MriSafety.objects.filter(case=case, is_current=True).first()
    if screen is None:
        return None, [Missing("mri_safety.none", _("The MRI safety form has not been filled in."), step)]
    return screen, unanswered(screen, (*SCREEN, "outcome"), step)


def mri_is_safe(case: Case) -> list[Missing]:
    """The screen is complete and came out safe, or the device was cleared by its MR status."""
    step = "mri_safety"
    screen, missing = _screened(case)
    if screen is None:
        return missing
    has_device = YES in (screen.pacemaker, screen.stimulator, screen.cochlear, screen.clip)
    missing += when(
        screen.outcome not in (MriOutcome.SAFE, MriOutcome.CLEARED),
        "mri_safety.outcome",
        _("The outcome is not that MRI is safe."),
        step,
    )
    missing += when(
        has_device and not (screen.device and screen.device_status),
        "mri_safety.device",
        _("There is a device: its make and its MR status must be on record first."),
        step,
    )
    missing += when(
        has_device and screen.outcome == MriOutcome.SAFE,
        "mri_safety.cleared",
        _("With a device the outcome is 'cleared', by somebody who knows its MR status."),
        step,
    )
    missing += when(
        any(getattr(screen, name) == UNKNOWN for name in SCREEN),
        "mri_safety.unknown",
        _("'Not known' must be found out before an MRI."),
        step,
    )
    return missing


def mri_is_impossible(case: Case) -> list[Missing]:
    """The screen is complete and MRI is ruled out: only then another modality."""
    screen, missing = _screened(case)
    if screen is None:
        return missing
    return missing + when(
        screen.outcome != MriOutcome.UNSAFE,
        "mri_safety.possible",
        _("MRI has not been ruled out: a pacemaker or stimulator asks for the device's MR status first."),
        "mri_safety",
    )


def _latest(case: Case) -> ImagingStudy | None:
    studies = ImagingStudy.objects.filter(case=case, is_current=True, kind__in=_CROSS_SECTIONAL)
    return studies.exclude(reported_on=None).order_by("-done_on", "-pk").first()


def mri_is_reported(case: Case) -> list[Missing]:
    """An MRI with its date and report."""
    done = ImagingStudy.objects.filter(case=case, is_current=True, kind=ImagingKind.MRI)
    reported = done.exclude(reported_on=None).exclude(done_on=None).exists()
    return when(not reported, "mri.none", _("No reported MRI is on the record."), "imaging")


def other_imaging_is_reported(case: Case) -> list[Missing]:
    """A bone scan or CT with its date and report."""
    done = ImagingStudy.objects.filter(case=case, is_current=True, kind__in=_CROSS_SECTIONAL)
    reported = done.exclude(reported_on=None).exclude(done_on=None).exists()
    return when(
        not reported, "other_imaging.none", _("No reported bone scan or CT is on the record."), "imaging"
    )


def imaging_is_fresh(case: Case) -> list[Missing]:
    """The newest reported study is not older than the site allows."""
    study = _latest(case)
    if study is None or study.done_on is None:
        return [Missing("imaging.none", _("No reported MRI, bone scan or CT is on the record."), "imaging")]
    days = case.site.imaging_fresh_days
    today = timezone.now().astimezone(case.site.tz).date()
    return when(
        study.done_on < today - timedelta(days=days),
        "imaging.old",
        _("The newest images are older than %(days)s days: image again, or ask the radiologist.")
        % {"days": days},
        "imaging",
    )


def levels_confirmed(case: Case) -> list[Missing]:
    """A signed reading with counted levels, at least one to be treated, and no sign that sends elsewhere."""
    step = "imaging_review"
    review = ImagingReview.objects.filter(case=case, is_current=True).first()
    if review is None:
        return [Missing("imaging_review.none", _("The images have not been read yet."), step)]
    missing = unanswered(
        review,
        (
            "counted_from",
            "transitional",
            "cord_compression",
            "infection_signs",
            "malignancy_signs",
            "unstable",
        ),
        step,
    )
    levels = list(LevelFinding.objects.filter(review=review, is_current=True))
    targets = [level for level in levels if level.is_target]
    missing += when(not targets, "imaging_review.levels", _("No level is marked for treatment."), step)
    for level in targets:
        missing += when(
            level.oedema != YES,
            "imaging_review.oedema",
            _("%(level)s: without oedema or uptake the fracture counts as healed.") % {"level": level.level},
            step,
        )
        missing += when(
            not (level.posterior_wall and level.cleft and level.genant),
            "imaging_review.level_open",
            _("%(level)s: grade, posterior wall and cleft are not all recorded.") % {"level": level.level},
            step,
        )
    missing += when(
        YES in (review.cord_compression, review.infection_signs),
        "imaging_review.urgent",
        _("Compression of the cord or infection: refer urgently."),
        step,
    )
    missing += when(not review.is_signed, "imaging_review.unsigned", _("The reading is not signed."), step)
    return missing + imaging_is_fresh(case)


def reading_stands(case: Case) -> list[Missing]:
    """No treatment without a signed reading and its level list (checked again at the door of the suite)."""
    review = ImagingReview.objects.filter(case=case, is_current=True).first()
    targets = LevelFinding.objects.filter(review=review, is_current=True, is_target=True).exists()
    return when(
        review is None or not review.is_signed or not targets,
        "invariant.reading",
        _("No signed reading with its levels is on the record."),
        "imaging_review",
    )
