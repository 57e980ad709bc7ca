"""Running the rules of eligibility on a case.

Findings advise; a radiologist accepts or overrides with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.pathway.domain.clock import site_today
from vertebro_clinic.pathway.domain.policies import approvals, limit
from vertebro_clinic.pathway.domain.records import current, save_record
from vertebro_clinic.pathway.enums import Severity, YesNoUnknown
from vertebro_clinic.pathway.models import (
    Case,
    Consultation,
    Eligibility,
    ImagingReview,
    LevelFinding,
    Referral,
)
from vertebro_clinic.pathway.rules import Rule, eligibility_rules, in_language

YES, NO = YesNoUnknown.YES, YesNoUnknown.NO
UNSURE = (YesNoUnknown.UNKNOWN, "")
ADULT_YEARS = 18
FRESH = timedelta(weeks=6)
CHRONIC = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at."""

    case: Case
    note: Consultation
    review: ImagingReview
    targets: tuple[LevelFinding, ...]
    referral: Referral | None

    @property
    def age_of_fracture(self) -> timedelta | None:
        """Time since the pain began, where that is known."""
        if self.referral is None or self.referral.onset_date is None:
            return None
        return site_today(self.case.site) - self.referral.onset_date

    @property
    def years(self) -> int:
        """The patient's age in whole years."""
        today, born = site_today(self.case.site), self.case.patient.birth_date
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _age_between(facts: Facts, low: timedelta, high: timedelta) -> bool:
    age = facts.age_of_fracture
    return age is not None and low <= age < high


CHECKS: dict[str, Callable[[Facts], bool]] = {
    "not_this_pain": lambda f: f.note.pain_at_level != YES,
    "healed": lambda f: any(level.oedema != YES for level in f.targets),
    "infection": lambda f: f.note.infection_now != NO or f.review.infection_signs == YES,
    "pregnancy": lambda f: f.note.pregnancy != NO,
    "bleeding": lambda f: f.note.bleeding_disorder != NO,
    "cement_allergy": lambda f: f.note.cement_allergy != NO,
    "prone": lambda f: f.note.can_lie_prone != YES,
    "cord": lambda f: f.review.cord_compression == YES or f.note.neuro_normal != YES,
    "unstable": lambda f: f.review.unstable != NO,
    "age": lambda f: f.years < ADULT_YEARS,
    "pain_low": lambda f: (f.note.pain_now or 0) < f.case.site.pain_threshold,
    "improving": lambda f: f.note.course == "better",
    "short_trial": lambda f: (
        (f.note.conservative_weeks or 0) < limit("conservative_weeks_least", f.case.site)
    ),
    "radicular": lambda f: f.note.radicular == YES,
    "posterior_wall": lambda f: any(level.posterior_wall in ("defect", "retropulsed") for level in f.targets),
    "collapse": lambda f: any(
        (level.height_loss_percent or 0) > limit("height_loss_most_percent", f.case.site)
        for level in f.targets
    ),
    "many_levels": lambda f: len(f.targets) > limit("levels_most", f.case.site),
    "malignancy": lambda f: f.review.malignancy_signs != NO,
    "heart_lung": lambda f: f.note.severe_heart_lung == YES,
    "upper_thoracic": lambda f: any(level.level in ("T1", "T2", "T3", "T4") for level in f.targets),
    "fresh": lambda f: _age_between(f, timedelta(0), FRESH),
    "old_with_oedema": lambda f: (
        _age_between(f, CHRONIC, timedelta(days=36500)) and all(level.oedema == YES for level in f.targets)
    ),
}


def _finding(rule: Rule, *, approved: bool) -> dict[str, Any]:
    asks = not rule.confirmed
    return {
        "rule": rule.name,
        "version": rule.version,
        "severity": str(rule.severity),
        "words": in_language(rule.words),
        "source": rule.source,
        "confirmed": rule.confirmed,
        "asks": asks,
        "approved": approved,
    }


INCOMPLETE = "incomplete"


def _cannot_run() -> dict[str, Any]:
    return {
        "rule": INCOMPLETE,
        "version": "1",
        "severity": str(Severity.BLOCK),
        "words": _(
            "The rules cannot run: the consultation or the reading of the images is not on the record"
        ),
        "source": _("unknown never counts as no"),
        "confirmed": True,
        "asks": True,
        "approved": True,
    }


def findings_for(case: Case) -> list[dict[str, Any]]:
    """What the rules say about a case now, the stopping ones first.

    Without a consultation and a reading no rule can run, and that is itself the one finding: it stops.

    A rule that the site switched off is silent; one whose source was not confirmed asks a clinician.
    """
    note, review = current(case, Consultation), current(case, ImagingReview)
    if note is None or review is None:
        return [_cannot_run()]
    targets = tuple(LevelFinding.objects.filter(review=review, is_current=True, is_target=True))
    facts = Facts(case, note, review, targets, current(case, Referral))
    approved = approvals(case.site)
    order = list(Severity)
    found = []
    for rule in eligibility_rules().values():
        approval = approved.get(rule.name)
        if approval is not None and not approval.is_on:
            continue
        if CHECKS[rule.name](facts):
            is_approved = approval is not None and approval.rule_version == rule.version
            found.append(_finding(rule, approved=is_approved))
    return sorted(found, key=lambda row: order.index(Severity(row["severity"])))


def decide_eligibility(
    *, actor: Actor, case_id: int, values: Mapping[str, Any], overrides: Mapping[str, str], version: int
) -> Eligibility:
    """Save the radiologist's decision with the findings as they stand now.

    And the reasons for overriding them.
    """
    with transaction.atomic():
        case = Case.objects.select_related("site", "patient").get(pk=case_id)
        found = findings_for(case)
        named = {row["rule"] for row in found} - {INCOMPLETE}
        kept = {
            name: reason.strip() for name, reason in overrides.items() if name in named and reason.strip()
        }
        return save_record(
            actor=actor,
            case_id=case_id,
            model=Eligibility,
            values={**values, "findings": found, "overrides": kept},
            version=version,
        )
