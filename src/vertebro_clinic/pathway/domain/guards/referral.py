"""What a referral and an X-ray must hold."""

from __future__ import annotations

from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing
from vertebro_clinic.pathway.domain.guards.answers import NO, YES, unanswered, when
from vertebro_clinic.pathway.enums import ImagingKind
from vertebro_clinic.pathway.models import Case, ImagingStudy, Referral
from vertebro_clinic.pathway.models.imaging import XrayFinding

ASKED = (
    "onset_date",
    "pain_now",
    "cause",
    "medicine_relief",
    "leg_weakness",
    "bladder_bowel",
    "fever",
    "cancer",
)


def referral_complete(case: Case) -> list[Missing]:
    """Identity, a way to reach the patient, the story, and no red flag left unanswered."""
    step = "referral"
    referral = Referral.objects.filter(case=case, is_current=True).first()
    if referral is None:
        return [Missing("referral.none", _("The referral has not been written yet."), step)]
    missing = unanswered(referral, ASKED, step)
    missing += when(
        not (case.patient.phone or case.patient.email),
        "patient.contact",
        _("There is no telephone number or e-mail to reach the patient."),
        "patient",
    )
    missing += when(
        YES in (referral.leg_weakness, referral.bladder_bowel),
        "referral.cord",
        _("New weakness, bladder or bowel trouble: refer urgently instead."),
        step,
    )
    missing += when(
        referral.leg_pain_worse == YES and referral.midline_tender == NO,
        "referral.disc",
        _("Leg pain worse than back pain, no tenderness over the spine: not what the procedure treats."),
        step,
    )
    return missing


def no_red_flag_open(case: Case) -> list[Missing]:
    """Conservative treatment is no answer to cord signs."""
    referral = Referral.objects.filter(case=case, is_current=True).first()
    return when(
        referral is not None and YES in (referral.leg_weakness, referral.bladder_bowel),
        "referral.cord",
        _("New weakness, bladder or bowel trouble: refer urgently instead."),
        "referral",
    )


def fracture_likely(case: Case) -> list[Missing]:
    """An X-ray is reported and shows a fracture, or leaves high suspicion."""
    step = "imaging"
    xray = ImagingStudy.objects.filter(case=case, is_current=True, kind=ImagingKind.XRAY).first()
    if xray is None or not xray.reported_on:
        return [Missing("xray.none", _("No reported X-ray is on the record."), step)]
    return when(
        xray.xray_finding not in (XrayFinding.FRACTURE, XrayFinding.SUSPECTED),
        "xray.no_fracture",
        _("The X-ray does not show a fracture and leaves no high suspicion."),
        step,
    )
