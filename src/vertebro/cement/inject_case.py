"""Inject the levels of a planned case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vertebro.case import (
    Assessment,
    BalloonResult,
    Finding,
    InjectionResult,
    LevelInjection,
    LevelPlan,
    NeedlePath,
    ProcedureAdviceKind,
    TreatmentPlan,
    finding,
)
from vertebro.cement.ensemble import leak_probability, make_job
from vertebro.cement.inject import drive, level_injection, wanted_paths
from vertebro.cement.injection_heat import injection_heat
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.site import make_site, nominal_variation
from vertebro.cement.survey import LevelSurvey, survey_level
from vertebro.devices.cements import load_cement
from vertebro.imaging import LabelVolume, Volume
from vertebro.progress import Progress, scaled, silent

TREATED = (
    ProcedureAdviceKind.VERTEBROPLASTY,
    ProcedureAdviceKind.KYPHOPLASTY,
    ProcedureAdviceKind.EITHER,
    ProcedureAdviceKind.UNDETERMINED,
)
"""Advice that leads to cement, and advice that waits for a fact: it is then rehearsed as if treated."""
USUAL_ML = 4.0
"""Dose where the plan could not give one (assumed: a usual lumbar dose)."""


def treated_levels(plan: TreatmentPlan, named: Sequence[str] = ()) -> tuple[str, ...]:
    """The levels to inject: those named, else those whose advice is a procedure and that have a needle."""
    if named:
        return tuple(name for name in plan.levels if name in named)
    return tuple(
        name for name, level in plan.levels.items() if level.procedure.advice in TREATED and level.needles
    )


def inject_cement(  # noqa: PLR0913 - one noun each
    volume: Volume,
    labels: LabelVolume,
    assessment: Assessment,
    plan: TreatmentPlan,
    settings: InjectionSettings | None = None,
    *,
    balloon: BalloonResult | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> InjectionResult:
    """Simulate the injection of every level that the plan would treat.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
    assessment : Assessment
        Made from the same labels.
    plan : TreatmentPlan
        Its recommended needles are used, its cement where the settings say none.
    settings : InjectionSettings, optional
    balloon : BalloonResult, optional
        Cavities to fill first.
    seed : int
        Of what the CT does not show, and of the ensemble.
    progress : Progress

    Returns
    -------
    InjectionResult
        The same inputs, settings and seed give the same bytes.

    Examples
    --------
    >>> import vertebro as vb
    >>> patient = vb.make_phantom(vb.PhantomSettings(
    ...     levels=("T12", "L1", "L2"), fractures=(vb.Fracture("L1", "wedge", 40.0),),
    ...     spacing_mm=(2.0, 2.0, 2.0)))
    >>> assessment = vb.assess_levels(patient.volume, patient.labels, levels=("L1",))
    >>> plan = vb.plan_treatment(patient.volume, patient.labels, assessment)
    >>> settings = InjectionSettings(volume_ml=2.0, spacing_mm=2.0, step_s=5.0, levels=("L1",),
    ...                              with_heat=False)
    >>> level = inject_cement(patient.volume, patient.labels, assessment, plan, settings).levels["L1"]
    >>> round(sum(level.volumes_ml.values()), 6)
    2.0
    """
    chosen = settings or InjectionSettings()
    names = treated_levels(plan, chosen.levels)
    levels: dict[str, LevelInjection] = {}
    findings: list[Finding] = []
    for index, name in enumerate(names):
        part = scaled(progress, index / len(names), (index + 1) / len(names))
        paths = wanted_paths(plan.levels[name], chosen)
        if plan.levels[name].procedure.advice is ProcedureAdviceKind.UNDETERMINED and not chosen.levels:
            message = f"{name}: facts for a choice are missing; this shows it as if it were treated."
            findings.append(finding("cement.as_if_treated", message, where=name))
        if not paths:
            message = f"{name}: the plan recommends no needle here, so no injection was simulated."
            findings.append(finding("cement.no_needle", message, where=name))
            continue
        part(0.0, f"reading {name} for cement")
        survey = survey_level(volume, labels, assessment, assessment.levels[name], chosen, balloon=balloon)
        dose = dose_ml(plan.levels[name], chosen)
        shown = scaled(part, 0.05, 0.3 if chosen.ensemble.runs else 1.0)
        level = inject_level(survey, paths, chosen, volume_ml=dose, seed=seed, progress=shown)
        if chosen.ensemble.runs:
            coarse = survey_level(
                volume,
                labels,
                assessment,
                assessment.levels[name],
                chosen,
                balloon=balloon,
                spacing_mm=chosen.ensemble.spacing_mm,
            )
            job = make_job(coarse, paths, chosen, dose, seed)
            level = replace(level, leak_probability=leak_probability(job, scaled(part, 0.3, 1.0)))
        levels[name] = level
    progress(1.0, "injected")
    return InjectionResult(levels, tuple(findings))


def dose_ml(plan: LevelPlan, settings: InjectionSettings) -> float:
    """The cement to inject at a level."""
    if settings.volume_ml is not None:
        return settings.volume_ml
    return USUAL_ML if plan.cement_ml.value is None else float(plan.cement_ml.value)


def inject_level(
    survey: LevelSurvey,
    paths: Sequence[NeedlePath],
    settings: InjectionSettings,
    *,
    volume_ml: float,
    seed: int = 0,
    progress: Progress = silent,
) -> LevelInjection:
    """Simulate one level: the run shown and its heat."""
    product = load_cement(settings.product)
    variation = nominal_variation(survey, settings, len(paths), seed)
    site = make_site(survey, paths, settings, variation, product=product)
    run = drive(site, volume_ml, progress=scaled(progress, 0.05, 0.6))
    level = level_injection(run, volume_ml)
    if settings.with_heat:
        temperature, peak = injection_heat(survey, level, product, settings, scaled(progress, 0.6, 1.0))
        level = replace(level, temperature=temperature, peak_temperature=peak)
    return level
