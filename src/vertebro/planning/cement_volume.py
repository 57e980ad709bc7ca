"""How much cement a level may take: a planning range, not a target."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.case import Estimate, LevelAssessment
from vertebro.findings import Finding, finding
from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class CementVolumeSettings:
    """Fill shares and the warning limit.

    Examples
    --------
    >>> CementVolumeSettings().warning_ml
    7.0
    """

    low_fill_percent: float = setting(
        10.0,
        "Share of the healthy body's volume at the low end.",
        lower=0.0,
        upper=50.0,
        unit="percent",
        source="assumed: below it, cohort models show no gain of strength",
    )
    strength_fill_percent: float = setting(
        16.2,
        "Share that restored strength.",
        lower=0.0,
        upper=50.0,
        unit="percent",
        source="Molloy et al., 120 vertebrae T6–L5 (r² = 0.27: the scatter is wide)",
    )
    stiffness_fill_percent: float = setting(
        29.8,
        "Share that restored stiffness; more is not wanted.",
        lower=0.0,
        upper=60.0,
        unit="percent",
        source="Molloy et al., 120 vertebrae T6–L5 (r² = 0.21)",
    )
    warning_ml: float = setting(
        7.0,
        "Volume above which to warn.",
        lower=1.0,
        upper=15.0,
        unit="ml",
        source="Hsieh et al., J Orthop Surg Res 2019: lung emboli 0 % < 3.5 mL, 0.11 % to 7 mL, 0.9 % above",
    )

    def __post_init__(self) -> None:
        validate(self)


def plan_cement_ml(
    level: LevelAssessment, settings: CementVolumeSettings
) -> tuple[Estimate, tuple[Finding, ...]]:
    """Planning range of a level's cement.

    The healthy body's volume is taken as today's, scaled by the expected against the measured
    heights; the value is the share that restored strength, plus the cleft; never above the share
    that restored stiffness, plus the cleft.

    Parameters
    ----------
    level : LevelAssessment
    settings : CementVolumeSettings

    Returns
    -------
    (Estimate, tuple of Finding)
        mL; missing where the body was not measured.
    """
    volume = level.dimensions.volume_ml.value
    if volume is None:
        return Estimate.missing("ml", level.dimensions.volume_ml.basis), ()
    healthy = volume * _height_ratio(level)
    cleft = (level.cleft.volume_ml.value or 0.0) if level.cleft.present else 0.0
    low, value, high = (
        healthy * share / 100.0 + cleft
        for share in (
            settings.low_fill_percent,
            settings.strength_fill_percent,
            settings.stiffness_fill_percent,
        )
    )
    basis = (
        f"{settings.strength_fill_percent:g} % of a healthy body of {healthy:.0f} mL"
        + (f" and the cleft's {cleft:.1f} mL" if cleft else "")
        + "; range from cohort fill studies; not a target: relief does not depend on volume"
    )
    findings = []
    if value > settings.warning_ml:
        message = f"{level.name}: the planned {value:.1f} mL of cement lie above {settings.warning_ml:g} mL."
        evidence = {"planned_ml": round(value, 2)}
        findings.append(finding("plan.much_cement", message, where=level.name, evidence=evidence))
    return Estimate(value, low, high, "ml", basis), tuple(findings)


def _height_ratio(level: LevelAssessment) -> float:
    """Mean of expected over measured heights, at least 1; 1 where none is known."""
    ratios = []
    for name in ("anterior", "middle", "posterior"):
        expected = getattr(level.expected_heights_mm, name).value
        measured = getattr(level.heights_mm, name).value
        if expected and measured:
            ratios.append(expected / measured)
    return max(sum(ratios) / len(ratios), 1.0) if ratios else 1.0
