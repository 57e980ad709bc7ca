"""Vertebroplasty, balloon kyphoplasty, either or neither: the reasons, never a verdict.

The choice rests on location, severity and time since fracture, with what the images show of wall,
cleft and pedicles, and what a clinician has told. Where a fact that decides is missing, nothing is
recommended and the fact is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.case import (
    ClinicalContext,
    GenantGrade,
    LevelAssessment,
    ProcedureAdvice,
    ProcedureAdviceKind,
    Reason,
)
from vertebro.settings import setting, validate

_PAGE = "patient information page on both procedures: location, severity and time since fracture decide"
_LCD = "Medicare local coverage determinations L34228 and sisters (2021)"


@dataclass(frozen=True, slots=True)
class ProcedureSettings:
    """Thresholds of the choice of procedure.

    Examples
    --------
    >>> ProcedureSettings().deformity_kyphosis_deg
    15.0
    """

    deformity_loss_percent: float = setting(
        20.0,
        "Height loss from which there is deformity to restore.",
        lower=0.0,
        upper=100.0,
        unit="percent",
        source="RAND/UCLA, Anselmetti et al., Pain Physician 2013: body height loss ≥ 20 %",
    )
    deformity_kyphosis_deg: float = setting(
        15.0,
        "Wedge or local kyphosis angle from which there is deformity to restore.",
        lower=0.0,
        upper=90.0,
        unit="deg",
        source="RAND/UCLA, Anselmetti et al., Pain Physician 2013: kyphosis ≥ 15°",
    )
    mobile_days: float = setting(
        90.0,
        "Age of a fracture up to which its height may still be regained.",
        lower=0.0,
        upper=365.0,
        unit="days",
        source="recalled: restoration is unlikely after about 3 months; RAND/UCLA strata end at 3 months",
    )
    collapse_loss_percent: float = setting(
        70.0,
        "Height loss from which treatment itself is questioned (vertebra plana).",
        lower=40.0,
        upper=100.0,
        unit="percent",
        source="payer criteria (eviCore CMM-607), secondary source",
    )
    wall_bulge_mm: float = setting(
        2.0,
        "Bulge of the posterior wall that counts as disturbed.",
        lower=0.0,
        upper=10.0,
        unit="mm",
        source="assumed: beyond measuring error; healthy walls are flat or concave",
    )
    narrow_pedicle_mm: float = setting(
        5.4,
        "Pedicle width under which a balloon's cannula (10 G, 3.4 mm) does not pass with 1 mm to spare.",
        lower=3.0,
        upper=10.0,
        unit="mm",
        source="design: outer diameter + 2 mm",
    )

    def __post_init__(self) -> None:
        validate(self)


def choose_procedure(
    level: LevelAssessment,
    context: ClinicalContext,
    pedicle_width_mm: float | None,
    settings: ProcedureSettings,
) -> ProcedureAdvice:
    """Weigh the reasons for one level.

    Parameters
    ----------
    level : LevelAssessment
    context : ClinicalContext
    pedicle_width_mm : float or None
        Of the wider pedicle; None where not measured.
    settings : ProcedureSettings

    Returns
    -------
    ProcedureAdvice
    """
    stops = _stops(level, context, settings)
    if stops:
        return ProcedureAdvice(ProcedureAdviceKind.NEITHER, tuple(stops))
    if _is_no_target(level, context):
        return _not_a_target(level, context)
    needed = _needed(level, context)
    reasons = [
        *_by_severity(level, context, settings),
        *_by_bone(level, pedicle_width_mm, settings),
        *_by_cause(context),
    ]
    points = {reason.points_to for reason in reasons}
    if any(text.startswith("!") for text in needed) or level.genant_grade is None:
        kind = ProcedureAdviceKind.UNDETERMINED
    elif "kyphoplasty" in points and "vertebroplasty" not in points:
        kind = ProcedureAdviceKind.KYPHOPLASTY
    elif "vertebroplasty" in points and "kyphoplasty" not in points:
        kind = ProcedureAdviceKind.VERTEBROPLASTY
    else:
        kind = ProcedureAdviceKind.EITHER
    return ProcedureAdvice(kind, tuple(reasons), tuple(text.lstrip("!") for text in needed))


def _stops(level: LevelAssessment, context: ClinicalContext, settings: ProcedureSettings) -> list[Reason]:
    """Reasons against both."""
    stops = []
    if context.is_infected:
        stops.append(Reason("neither", "An active infection rules out putting cement into bone.", _LCD))
    if context.has_neurological_deficit:
        text = "A deficit of cord or nerve needs a spine surgeon's opinion first, the same day."
        stops.append(Reason("neither", text, "exclusion of every sham-controlled trial; " + _LCD))
    if context.has_oedema(level.name) is False and not _is_no_target(level, context):
        text = "No marrow oedema: the fracture has healed, and pain is not likely to come from it."
        stops.append(Reason("neither", text, "payer criteria; VERTOS and VAPOUR entry criteria"))
    loss = level.height_loss_percent
    if loss.value is not None and loss.lower is not None and loss.lower >= settings.collapse_loss_percent:
        text = f"The body has lost {loss.value:.0f} % of its height: hardly any is left to reach or fill."
        stops.append(Reason("neither", text, "payer criteria (eviCore CMM-607), secondary source"))
    return stops


def _is_no_target(level: LevelAssessment, context: ClinicalContext) -> bool:
    """Whether neither the CT nor anyone has named this level as broken."""
    return (
        level.genant_grade == GenantGrade.NORMAL
        and not level.cleft.present
        and context.has_oedema(level.name) is not True
    )


def _not_a_target(level: LevelAssessment, context: ClinicalContext) -> ProcedureAdvice:
    """A level of normal shape: nothing on CT makes it a target."""
    text = "Nothing on CT makes this level a target: its shape is normal, and it holds no cleft."
    reasons = [Reason("neither", text, "Genant et al., J Bone Miner Res 1993: loss under 20 % is grade 0")]
    needed = []
    if context.has_oedema(level.name) is None:
        needed.append(
            "Did MRI show marrow oedema here? Only that would make it a target (an occult fracture)."
        )
    else:
        text = "No marrow oedema here: no occult fracture."
        reasons.append(Reason("neither", text, "payer criteria; VERTOS and VAPOUR entry criteria"))
    if context.is_tumour:
        needed.append("Does the tumour involve this level? CT shape alone cannot tell.")
    return ProcedureAdvice(ProcedureAdviceKind.NEITHER, tuple(reasons), tuple(needed))


def _needed(level: LevelAssessment, context: ClinicalContext) -> list[str]:
    """Facts that are missing; those marked ``!`` forbid a recommendation."""
    needed = []
    if context.has_oedema(level.name) is None:
        needed.append("!MRI with STIR (or bone scan): is there marrow oedema, is the fracture recent?")
    if context.fracture_age_days is None:
        needed.append("!When did the pain begin: how old is the fracture?")
    if context.is_tumour is None:
        needed.append("Is a tumour excluded? A tumour is for a tumour board.")
    if context.has_failed_conservative_care is None:
        needed.append("Has conservative care failed, or is the pain beyond it?")
    if level.genant_grade is None:
        needed.append(f"!This level was not graded: {level.height_loss_percent.basis}")
    return needed


def _by_severity(
    level: LevelAssessment, context: ClinicalContext, settings: ProcedureSettings
) -> list[Reason]:
    """Deformity, and whether it can still be regained."""
    loss, wedge, kyphosis = (level.height_loss_percent, level.wedge_angle_deg, level.kyphosis_deg)
    angles = [angle.value for angle in (wedge, kyphosis) if angle.value is not None]
    worst = max(angles, default=0.0)
    is_deformed = (loss.value or 0.0) >= settings.deformity_loss_percent or (
        worst >= settings.deformity_kyphosis_deg
    )
    measured = f"height loss {loss.value or 0.0:.0f} %, angle {worst:.0f}°"
    if not is_deformed:
        text = f"Little deformity ({measured}): there is nothing for a balloon to lift."
        return [Reason("vertebroplasty", text, _PAGE + "; RAND/UCLA deformity thresholds")]
    age = context.fracture_age_days
    if age is None:
        text = f"Deformity ({measured}): a balloon may lift it, if the fracture is recent."
        return [Reason("ask", text, _PAGE)]
    if age <= settings.mobile_days:
        text = (
            f"Deformity ({measured}) of {age:.0f} days: a balloon regains more of the angle "
            "(4.8° against 1.7° with vertebroplasty; pain relief did not differ)."
        )
        return [Reason("kyphoplasty", text, "Papanastassiou et al., Eur Spine J 2012 (PMC3459114)")]
    text = f"Deformity ({measured}), but {age:.0f} days old: regaining height is unlikely."
    return [Reason("vertebroplasty", text, _PAGE)]


def _by_bone(
    level: LevelAssessment, pedicle_width_mm: float | None, settings: ProcedureSettings
) -> list[Reason]:
    """Wall, cleft and pedicles."""
    reasons = []
    bulge = level.posterior_wall.bulge_mm
    if bulge.value is not None and bulge.value >= settings.wall_bulge_mm:
        text = (
            f"The posterior wall bulges by {bulge.value:.1f} mm: a cavity filled at low pressure, and thick "
            "cement, leak less towards the canal."
        )
        reasons.append(Reason("kyphoplasty", text, "Perez-Higueras et al., Int J Spine Surg 2021;15:353"))
    if level.cleft.present:
        text = "A gas-filled cleft takes the cement first; both procedures fill it."
        reasons.append(Reason("either", text, "leak profile with and without cleft (PMC8449924)"))
    if pedicle_width_mm is not None and pedicle_width_mm < settings.narrow_pedicle_mm:
        text = f"The pedicles are {pedicle_width_mm:.1f} mm wide: too narrow for a balloon's cannula."
        reasons.append(Reason("vertebroplasty", text, "design: 10 G cannula and 1 mm of bone on either side"))
    if level.name in ("T1", "T2", "T3", "T4"):
        text = f"{level.name} lies above T5, where trials and payers stop."
        reasons.append(Reason("ask", text, "VERTOS entry criteria (T5 and lower); eviCore CMM-607"))
    return reasons


def _by_cause(context: ClinicalContext) -> list[Reason]:
    """What broke the bone."""
    if not context.is_tumour:
        return []
    text = (
        "With a tumour, oncologist, interventionalist and spine surgeon decide together; cement leaks more "
        "often where a wall is destroyed."
    )
    return [Reason("ask", text, "NICE CG75, as cited in IPG12")]
