"""What breaking leaves of a body: its stiffness, its strength, and what it was before.

A crushed body is denser than it was, so that a model from its density alone calls it stiffer than its
neighbours. Here the crushing is undone in the density and the damage is put in by measured ratios, by the
fracture's age, oedema and gap.
"""

from __future__ import annotations

import math

import numpy as np

from vertebro.case import ClinicalContext, Estimate, GenantGrade, LevelAssessment
from vertebro.findings import Finding, finding
from vertebro.mechanics.model import SOUND, BoneCondition
from vertebro.mechanics.settings import FractureSettings

_MOST_COMPACTION = 2.0
"""A body of less than half its height is rubble whose density says little (assumed)."""


def is_broken(level: LevelAssessment) -> bool:
    """Whether a level is fractured beyond doubt: a gap, a moderate or severe loss, or a certain mild one."""
    grade = level.genant_grade
    return bool(
        level.cleft.present
        or (grade is not None and grade >= GenantGrade.MODERATE)
        or (grade is not None and grade >= GenantGrade.MILD and level.grade_is_certain)
    )


def compaction_of(level: LevelAssessment) -> float:
    """Expected over present mean height, 1 to 2; 1 where either is unknown.

    What was crushed is still there: its density rose as its height fell.
    """
    ratios = [
        expected.require() / now.require()
        for now, expected in (
            (getattr(level.heights_mm, name), getattr(level.expected_heights_mm, name))
            for name in ("anterior", "middle", "posterior")
        )
        if now.is_known and expected.is_known and now.require() > 0.0
    ]
    return float(np.clip(np.mean(ratios), 1.0, _MOST_COMPACTION)) if ratios else 1.0


def bone_condition(
    level: LevelAssessment, context: ClinicalContext, settings: FractureSettings
) -> tuple[BoneCondition, tuple[Finding, ...]]:
    """Damage of a level's body before treatment.

    Parameters
    ----------
    level : LevelAssessment
    context : ClinicalContext
        Age of the fracture and oedema, where somebody has said.
    settings : FractureSettings

    Returns
    -------
    BoneCondition
        :data:`~vertebro.mechanics.model.SOUND` for an unbroken level.
    findings : tuple of Finding
        ``mechanics.collapsed``, ``mechanics.fracture_age``.
    """
    if not is_broken(level):
        return SOUND, ()
    healed, told = healing(level, context, settings)
    stiffness = settings.fresh_stiffness_ratio + healed * (
        settings.healed_stiffness_ratio - settings.fresh_stiffness_ratio
    )
    strength = settings.fresh_strength_ratio + healed * (1.0 - settings.fresh_strength_ratio)
    if level.cleft.present:
        stiffness *= settings.cleft_extra_ratio
    condition = BoneCondition(stiffness, strength, compaction_of(level), told)
    found = [
        finding(
            "mechanics.collapsed",
            f"{level.name} is broken: its bone was modelled as damaged ({told}; stiffness times "
            f"{stiffness:.2f}), not by its compacted density.",
            where=level.name,
            evidence={
                "stiffness_ratio": round(stiffness, 3),
                "strength_ratio": round(strength, 3),
                "compaction": round(condition.compaction, 3),
            },
        )
    ]
    if context.fracture_age_days is None and context.has_oedema(level.name) is None:
        found.append(
            finding(
                "mechanics.fracture_age",
                f"Nobody has said how old the fracture of {level.name} is: it was taken for fresh.",
                where=level.name,
            )
        )
    return condition, tuple(found)


def healing(
    level: LevelAssessment, context: ClinicalContext, settings: FractureSettings
) -> tuple[float, str]:
    """How far a fracture has healed, 0 (fresh) to 1, and on what that rests."""
    if level.cleft.present:
        return 0.0, "not healed: a gap in the body"
    if context.has_oedema(level.name):
        return 0.0, "not healed: oedema"
    age = context.fracture_age_days
    if age is None:
        if context.has_oedema(level.name) is False:
            return 1.0, "healed: no oedema"
        return 0.0, "of unknown age, taken for fresh"
    span = max(1.0, settings.healed_days - settings.fresh_days)
    share = float(np.clip((age - settings.fresh_days) / span, 0.0, 1.0))
    words = {0.0: "fresh", 1.0: "healed"}.get(share, "partly healed")
    return share, f"{words}: {age:.0f} days old"


def stiffness_sd_ratio(condition: BoneCondition, settings: FractureSettings) -> float:
    """Standard deviation of a damaged body's stiffness over its value, from the series measured."""
    return 0.0 if condition.is_sound else settings.fresh_stiffness_sd / settings.fresh_stiffness_ratio


def broken_strength(intact_n: Estimate, condition: BoneCondition, settings: FractureSettings) -> Estimate:
    """Strength of a broken body from its unbroken strength; never from its own stiffness.

    Examples
    --------
    >>> intact = Estimate(4000.0, 3200.0, 4800.0, "N", "mean of neighbours")
    >>> broken = broken_strength(intact, BoneCondition(0.47, 0.89, 1.4), FractureSettings())
    >>> round(broken.value)
    3560
    """
    if not intact_n.is_known:
        return Estimate.missing("N", f"no strength of a broken body without neighbours: {intact_n.basis}")
    value = intact_n.require() * condition.strength_ratio
    relative = math.hypot(
        math.log((intact_n.upper or 0.0) / intact_n.require()),
        1.96 * settings.fresh_strength_sd / settings.fresh_strength_ratio,
    )
    factor = math.exp(relative)
    return Estimate(
        value,
        value / factor,
        value * factor,
        "N",
        f"the neighbours' strength times {condition.strength_ratio:.2f} for the break (Wegrzyn 2011)",
    )
