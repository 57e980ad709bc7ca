"""Balloon kyphoplasty of a case: which levels, which balloons, step by step until something says stop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.balloon.body import BodyField, make_body
from vertebro.balloon.fracture import Fracture, read_fracture
from vertebro.balloon.growth import Growth, Placed, cavity_share, compact, grow
from vertebro.balloon.outcome import angle_changes, heights_after
from vertebro.balloon.settings import BalloonSettings
from vertebro.balloon.steps import Inflation, inflate_steps
from vertebro.balloon.told import level_findings
from vertebro.case import (
    Assessment,
    BalloonInflation,
    BalloonResult,
    ClinicalContext,
    LevelAssessment,
    LevelInflation,
    NeedlePath,
    ProcedureAdviceKind,
    Side,
    TreatmentPlan,
    parse_level,
)
from vertebro.devices.balloons import Balloon, balloon_named, load_balloons
from vertebro.errors import SettingsError
from vertebro.findings import Finding, finding
from vertebro.imaging import ScalarVolume, Volume
from vertebro.progress import Progress, silent

_TIP_CLEARANCE_MM = 4.0
"""A folded balloon's tip keeps this far from the shell (assumed)."""
_REAR_CLEARANCE_MM = 6.0
"""Its rear end keeps this far: the working cannula ends just inside the back wall (assumed)."""


def inflate_balloons(
    volume: Volume,
    assessment: Assessment,
    plan: TreatmentPlan,
    settings: BalloonSettings | None = None,
    *,
    context: ClinicalContext | None = None,
    progress: Progress = silent,
) -> BalloonResult:
    """Simulate the balloons of every level that is to have them.

    Parameters
    ----------
    volume : Volume
    assessment : Assessment
    plan : TreatmentPlan
        Made from the assessment; its recommended paths lead the balloons.
    settings : BalloonSettings, optional
        Names levels where the plan's advice is not to be followed.
    context : ClinicalContext, optional
        The fracture's age above all; the plan's own without it.
    progress : Progress

    Returns
    -------
    BalloonResult
        Levels without a path or body are told in the findings. Cavities hold the balloons' volume.

    Raises
    ------
    SettingsError
        If a level that was asked for is not in the assessment (``balloon.level``).

    Examples
    --------
    >>> import vertebro as vb
    >>> patient = vb.make_phantom(vb.PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0),
    ...                                              fractures=(vb.Fracture("L1", "wedge", 35.0),)))
    >>> assessment = vb.assess_levels(patient.volume, patient.labels)
    >>> plan = vb.plan_treatment(patient.volume, patient.labels, assessment)
    >>> asked = BalloonSettings(levels=("L1",), volume_ml=2.0)
    >>> result = inflate_balloons(patient.volume, assessment, plan, asked)
    >>> round(result.levels["L1"].cavity_ml, 3)
    4.0
    """
    settings = settings or BalloonSettings()
    context = context or plan.context
    chosen = balloon_levels(assessment, plan, settings)
    levels: dict[str, LevelInflation] = {}
    findings: list[Finding] = []
    for index, level in enumerate(chosen):
        progress(index / len(chosen), f"Inflating the balloons in {level.name}")
        inflated = _inflate_level(volume, assessment, level, plan, settings, context)
        if isinstance(inflated, Finding):
            findings.append(inflated)
        else:
            levels[level.name] = inflated
    progress(1.0, "Balloons inflated")
    return BalloonResult(levels, tuple(findings))


def balloon_levels(
    assessment: Assessment, plan: TreatmentPlan, settings: BalloonSettings
) -> tuple[LevelAssessment, ...]:
    """Levels that are to have balloons: those asked for, else those where kyphoplasty is advised."""
    if settings.levels:
        wanted = [parse_level(name).value for name in settings.levels]
        missing = [name for name in wanted if name not in assessment.levels]
        if missing:
            raise SettingsError(
                "balloon.level",
                got=f"the level {missing[0]}",
                needed="one of " + (", ".join(assessment.levels) or "no level: none was assessed"),
                remedy="Name a level of the case.",
                fields=("levels",),
            )
        return tuple(assessment.levels[name] for name in wanted)
    return tuple(
        level
        for name, level in assessment.levels.items()
        if name in plan.levels
        and plan.levels[name].procedure.advice is ProcedureAdviceKind.KYPHOPLASTY
        and any(path.recommended for path in plan.levels[name].paths)
    )


def _inflate_level(
    volume: Volume,
    assessment: Assessment,
    level: LevelAssessment,
    plan: TreatmentPlan,
    settings: BalloonSettings,
    context: ClinicalContext,
) -> LevelInflation | Finding:
    planned = plan.levels.get(level.name)
    paths = [path for side in Side if planned and (path := planned.best(side)) is not None]
    if not paths:
        message = f"{level.name}: no balloon, because no needle path is recommended there."
        return finding("balloon.no_path", message, where=level.name)
    body = make_body(volume, assessment, level, settings) if level.complete else None
    if body is None:
        message = f"{level.name}: no balloon, because the body is not wholly in the scan or has no room."
        return finding("balloon.no_body", message, where=level.name)
    fracture = read_fracture(level, body, context, settings)
    placed = tuple(_place(body, path, settings) for path in paths)
    growths = grow(body, placed, fracture.deficit_at(body.points_v), settings)
    inflation = inflate_steps(growths, fracture, settings)
    return _told(level, body, fracture, growths, inflation, tuple(paths), settings)


def _place(body: BodyField, path: NeedlePath, settings: BalloonSettings) -> Placed:
    """The balloon that goes down a path: its tip where the path ends, as long as fits inside the body."""
    tip, start = body.to_vertebra(np.stack([path.target_lps_mm, path.entry_bone_lps_mm]))
    axis = (tip - start) / np.linalg.norm(tip - start)
    rear = body.back_mm + settings.cortex_mm + _REAR_CLEARANCE_MM
    front = body.back_mm + body.depth_mm - settings.cortex_mm - _TIP_CLEARANCE_MM
    behind = (tip[1] - rear) / max(axis[1], 0.2)
    ahead = (front - tip[1]) / max(axis[1], 0.2)
    device = _device(float(behind + max(ahead, 0.0)), settings)
    forward = float(np.clip(device.length_mm - behind, 0.0, max(ahead, 0.0)))
    centre = tip + axis * (forward - 0.5 * device.length_mm)
    return Placed(device, centre, axis)


def _device(room_mm: float, settings: BalloonSettings) -> Balloon:
    """The balloon asked for, or the longest that fits; the shortest where none does."""
    if settings.device:
        return balloon_named(settings.device)
    fitting = [balloon for balloon in load_balloons() if balloon.length_mm <= room_mm]
    return fitting[-1] if fitting else load_balloons()[0]


def _told(  # noqa: PLR0913, PLR0917 - the level and all that was worked out of it
    level: LevelAssessment,
    body: BodyField,
    fracture: Fracture,
    growths: tuple[Growth, ...],
    inflation: Inflation,
    paths: tuple[NeedlePath, ...],
    settings: BalloonSettings,
) -> LevelInflation:
    """The level's result: fields, heights, angles, findings."""
    cavity = np.zeros_like(body.room)
    arrival = np.full_like(body.room, np.inf)
    for growth, steps in zip(growths, inflation.steps, strict=True):
        share = cavity_share(body, growth, steps[-1].volume_ml)
        front = growth.arrival[share > 0.0].max(initial=0.0)
        cavity += share
        arrival = np.minimum(arrival, growth.arrival - front)
    ratio = compact(body, cavity, arrival, settings)
    balloons = tuple(
        _balloon(path, growth, body, inflation, index)
        for index, (path, growth) in enumerate(zip(paths, growths, strict=True))
    )
    wedge, kyphosis = angle_changes(fracture, inflation.lift, settings)
    inflated, after = heights_after(level, fracture, inflation.lift, settings)
    return LevelInflation(
        name=level.name,
        balloons=balloons,
        mobility=fracture.mobility,
        cavity=_volume(body, cavity, 0.0, "share of the voxel that is cavity"),
        density_ratio=_volume(body, ratio, 1.0, "density of bone against that before"),
        heights_before_mm=level.heights_mm,
        heights_inflated_mm=inflated,
        heights_after_mm=after,
        wedge_change_deg=wedge,
        kyphosis_change_deg=kyphosis,
        findings=level_findings(level, body, fracture, growths, balloons, settings),
    )


def _balloon(
    path: NeedlePath, growth: Growth, body: BodyField, inflation: Inflation, index: int
) -> BalloonInflation:
    lps_from_vertebra = body.geometry.lps_from_voxel @ np.linalg.inv(body.vertebra_from_voxel)
    centre: NDArray[np.float64] = (
        lps_from_vertebra[:3, :3] @ growth.placed.centre_v + lps_from_vertebra[:3, 3]
    )
    device = growth.placed.device
    return BalloonInflation(
        side=path.side,
        device=device.name,
        centre_lps_mm=centre,
        axis_lps=lps_from_vertebra[:3, :3] @ growth.placed.axis_v,
        length_mm=device.length_mm,
        steps=inflation.steps[index],
        stop=inflation.stops[index],
        rated_pressure_kpa=device.rated_pressure_kpa,
        rated_volume_ml=device.rated_volume_ml,
    )


def _volume(body: BodyField, values: NDArray[np.float64], outside: float, quantity: str) -> ScalarVolume:
    return ScalarVolume(body.on_grid(values, outside), body.geometry, quantity)
