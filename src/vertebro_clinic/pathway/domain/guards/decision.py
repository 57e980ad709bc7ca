"""Consultation, eligibility, choice of procedure, consent."""

from __future__ import annotations

from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing
from vertebro_clinic.pathway.domain.eligibility import findings_for
from vertebro_clinic.pathway.domain.guards.answers import YES, unanswered, when
from vertebro_clinic.pathway.enums import Severity
from vertebro_clinic.pathway.models import (
    Case,
    Consent,
    Consultation,
    Eligibility,
    ImagingReview,
    LevelChoice,
    LevelFinding,
    ProcedureChoice,
)

CONSULTED = (
    "held_on",
    "pain_now",
    "course",
    "pain_at_level",
    "neuro_normal",
    "infection_now",
    "bleeding_disorder",
    "cement_allergy",
    "pregnancy",
    "can_lie_prone",
    "discussed",
)


def consultation_complete(case: Case) -> list[Missing]:
    """The note is filled and signed, the procedure and its risks were described."""
    step = "consultation"
    note = Consultation.objects.filter(case=case, is_current=True).first()
    if note is None:
        return [Missing("consultation.none", _("The consultation has not been recorded."), step)]
    missing = unanswered(note, CONSULTED, step)
    return missing + when(
        not note.is_signed, "consultation.unsigned", _("The consultation is not signed."), step
    )


def eligibility_decided(case: Case) -> list[Missing]:
    """Signed; each stopping finding overridden with a reason; the tumour board asked where it must be."""
    step = "eligibility"
    decision = Eligibility.objects.filter(case=case, is_current=True).first()
    if decision is None:
        return [Missing("eligibility.none", _("The rules have not been run and decided on."), step)]
    now = {row["rule"] for row in findings_for(case) if row["severity"] == Severity.BLOCK}
    decided = {row["rule"] for row in decision.findings}
    missing = when(
        not now <= decided,
        "eligibility.changed",
        _("Something changed since the decision: look at the findings again and sign anew."),
        step,
    )
    for finding in decision.findings:
        if finding["severity"] == Severity.BLOCK and not decision.overrides.get(finding["rule"], "").strip():
            missing.append(
                Missing(
                    f"eligibility.{finding['rule']}",
                    _("Stops: %(words)s. Override it with a reason, or treat without procedure.")
                    % {"words": finding["words"]},
                    step,
                )
            )
    review = ImagingReview.objects.filter(case=case, is_current=True).first()
    missing += when(
        review is not None and review.malignancy_signs == YES and decision.mdt != "agreed",
        "eligibility.mdt",
        _("Signs of malignancy: the tumour board must agree."),
        step,
    )
    return missing + when(
        not decision.is_signed, "eligibility.unsigned", _("The decision is not signed."), step
    )


def procedure_chosen(case: Case) -> list[Missing]:
    """Every level to be treated has a procedure, and the choice is signed with its reasons."""
    step = "procedure_choice"
    chosen = ProcedureChoice.objects.filter(case=case, is_current=True).first()
    if chosen is None:
        return [Missing("procedure_choice.none", _("No procedure has been chosen."), step)]
    missing = unanswered(chosen, ("reason", "sedation"), step)
    planned = set(LevelChoice.objects.filter(chosen=chosen, is_current=True).values_list("level", flat=True))
    targets = LevelFinding.objects.filter(
        review__case=case, review__is_current=True, is_current=True, is_target=True
    )
    for level in targets.values_list("level", flat=True):
        missing += when(
            level not in planned,
            "procedure_choice.level",
            _("%(level)s has no procedure yet.") % {"level": level},
            step,
        )
    return missing + when(
        not chosen.is_signed, "procedure_choice.unsigned", _("The choice is not signed."), step
    )


def consent_signed(case: Case) -> list[Missing]:
    """Explained, understood, signed by both; an interpreter named where the patient needs one."""
    step = "consent"
    consent = Consent.objects.filter(case=case, is_current=True).first()
    if consent is None:
        return [Missing("consent.none", _("No consent is on the record."), step)]
    missing = unanswered(
        consent,
        (
            "read_text",
            "risks_explained",
            "alternatives_explained",
            "evidence_explained",
            "has_capacity",
            "patient_signature",
            "physician_signature",
        ),
        step,
    )
    missing += when(
        bool(case.patient.interpreter) and not consent.interpreter_name,
        "consent.interpreter",
        _("The patient needs an interpreter; their name is not on the consent."),
        step,
    )
    return missing + when(not consent.is_signed, "consent.unsigned", _("The consent is not signed."), step)
