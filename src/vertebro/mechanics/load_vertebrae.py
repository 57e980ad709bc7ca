"""From a CT and its assessment to stiffness, strength and risk of every level, before and after cement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from vertebro.case import (
    Assessment,
    BalloonResult,
    ClinicalContext,
    Estimate,
    InjectionResult,
    level_order,
)
from vertebro.case.mechanics import AugmentationGain, LevelMechanics, LoadState, MechanicsResult
from vertebro.errors import InputError, SolverError
from vertebro.findings import Finding, finding
from vertebro.imaging import LabelVolume, ScalarVolume, Volume
from vertebro.materials.bone_density import DensityCalibration, scanner_default
from vertebro.mechanics.activity_loads import activities, activity_loads, ratio_of, strength_threshold
from vertebro.mechanics.fracture import bone_condition, broken_strength, is_broken
from vertebro.mechanics.intact import from_neighbours
from vertebro.mechanics.loading import bend, press
from vertebro.mechanics.mesh import VertebraMesh, build_mesh
from vertebro.mechanics.model import BoneCondition, build_model
from vertebro.mechanics.neighbours import neighbour_effects
from vertebro.mechanics.nonlinear import column_strength_n, limited_by_columns, load_curve
from vertebro.mechanics.settings import MechanicsSettings
from vertebro.mechanics.states import (
    Pressed,
    Surroundings,
    WorkedLevel,
    load_state,
    spread_about,
)
from vertebro.progress import Progress, scaled, silent

MOST_OF_INTACT = 2.0
"""Treated strength over unbroken strength above which the model is not to be believed: treated cadaver
vertebrae reach up to about twice their own (assumed from Molloy 2003 and Belkoff 2001 [recall])."""
PRESSED_STRAIN = 0.0068
"""Overall strain of the linear step; its size does not change the stiffness."""
RATIO_SD = 0.10
"""Relative standard deviation of a ratio of two like models (assumed: cement modulus and fill)."""
CEMENT_MIN_ML = 0.05
"""Less cement in the body is not worth a second state (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class CementField:
    """Cement of one level, however it came there."""

    fraction: ScalarVolume
    """Share of the voxel that is cement."""
    density_ratio: ScalarVolume | None = None
    """Compaction by a balloon."""


def load_vertebrae(  # noqa: PLR0913 - one noun each
    volume: Volume,
    labels: LabelVolume,
    assessment: Assessment,
    settings: MechanicsSettings | None = None,
    *,
    levels: Iterable[str] = (),
    cement: Mapping[str, CementField] | None = None,
    context: ClinicalContext | None = None,
    progress: Progress = silent,
) -> MechanicsResult:
    """Stiffness, strength and risk of each level, before and after cement.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
    assessment : Assessment
        Its calibration turns HU into density; a usual scanner is taken, with a finding, without one.
    settings : MechanicsSettings, optional
    levels : iterable of str
        Levels to tell; their neighbours are computed too, for comparison. Empty: all.
    cement : mapping of level to CementField, optional
        From a simulated injection (:func:`simulated_cement`) or any mask on any grid.
    context : ClinicalContext, optional
        Age of the fracture and oedema.
    progress : Progress

    Returns
    -------
    MechanicsResult
        A level that could not be modelled is left out, with a finding.

    Examples
    --------
    >>> import vertebro as vb
    >>> from vertebro.mechanics import MechanicsSettings, ModelSettings, load_vertebrae
    >>> patient = vb.make_phantom(vb.PhantomSettings(levels=("L1",), spacing_mm=(2.0, 2.0, 2.0)))
    >>> assessment = vb.assess_levels(patient.volume, patient.labels)
    >>> coarse = MechanicsSettings(model=ModelSettings(spacing_mm=2.0), nonlinear="none")
    >>> result = load_vertebrae(patient.volume, patient.labels, assessment, coarse)
    >>> result.levels["L1"].before.stiffness_n_per_mm.value > 1000.0
    True
    """
    chosen = settings or MechanicsSettings()
    told = context or ClinicalContext()
    fields = dict(cement or {})
    calibration, findings = _calibration(volume, assessment)
    person = chosen.person
    if person.weight_kg is None:
        findings.append(
            finding("mechanics.person_unknown", "Body weight is not known: loads are those of a usual adult.")
        )
    wanted = tuple(levels) or tuple(assessment.levels)
    computed = _with_neighbours(wanted, assessment)
    work: dict[str, WorkedLevel] = {}
    for number, name in enumerate(computed):
        part = scaled(progress, 0.6 * number / len(computed), 0.6 * (number + 1) / len(computed))
        part(0.0, f"pressing {name}")
        item, found = _before(volume, labels, assessment, name, calibration, chosen, told)
        findings += found
        if item is not None:
            work[name] = item
    for number, (name, item) in enumerate(work.items()):
        part = scaled(progress, 0.6 + 0.4 * number / len(work), 0.6 + 0.4 * (number + 1) / len(work))
        if name in wanted:
            part(0.0, f"cement and load curve of {name}")
            _after(item, fields.get(name), chosen, part)
    done = _told(work, wanted, calibration, chosen, volume)
    loads = {name: activity_loads(name, person) for name in done}
    progress(1.0, "loaded")
    return MechanicsResult(done, loads, tuple(findings))


def simulated_cement(
    injection: InjectionResult | None, balloon: BalloonResult | None = None
) -> dict[str, CementField]:
    """The cement of a simulated injection, with the rim that a balloon compacted, by level."""
    if injection is None:
        return {}
    inflated = balloon.levels if balloon is not None else {}
    return {
        name: CementField(level.cement_fraction, inflated[name].density_ratio if name in inflated else None)
        for name, level in injection.levels.items()
    }


def _calibration(volume: Volume, assessment: Assessment) -> tuple[DensityCalibration, list[Finding]]:
    if assessment.calibration is not None:
        return assessment.calibration, []
    law = scanner_default(volume.facts.kvp_kv)
    found = finding(
        "mechanics.uncalibrated",
        f"Nothing calibrates this scan; {law.basis.removeprefix('no calibration: ')} was taken, "
        f"± {1.96 * law.sd_percent:.0f} %.",
    )
    return law, [found]


def _with_neighbours(wanted: tuple[str, ...], assessment: Assessment) -> tuple[str, ...]:
    """The wanted levels and the nearest sound ones above and below each broken one."""
    names = sorted(assessment.levels, key=level_order)
    needed = {name for name in wanted if name in assessment.levels}
    for name in list(needed):
        place = names.index(name)
        for side in (names[:place][::-1], names[place + 1 :]):
            near = next((n for n in side if not is_broken(assessment.levels[n])), None)
            needed |= {near} if near else set()
    return tuple(name for name in names if name in needed)


def _before(  # noqa: PLR0913, PLR0917 - what every level shares
    volume: Volume,
    labels: LabelVolume,
    assessment: Assessment,
    name: str,
    calibration: DensityCalibration,
    settings: MechanicsSettings,
    context: ClinicalContext,
) -> tuple[WorkedLevel | None, list[Finding]]:
    """Mesh and linear response of a level as it is; None, and why, where there can be none."""
    level = assessment.levels[name]
    if not level.complete:
        text = f"{name} is cut by the field of view: it was not modelled."
        return None, [finding("mechanics.not_whole", text, where=name)]
    try:
        mesh = build_mesh(volume, labels, assessment.bodies, level, calibration, settings.model)
        condition, found = bone_condition(level, context, settings.fracture)
        before = _press(mesh, condition, None, settings)
    except (InputError, SolverError) as problem:
        code = "mechanics.solver" if isinstance(problem, SolverError) else "mechanics.not_whole"
        return None, [finding(code, f"{name} was not modelled: {problem}", where=name)]
    item = WorkedLevel(level, mesh, condition, is_broken(level), before)
    item.findings += [*mesh.findings, *before.model.findings, *found]
    return item, []


def _press(
    mesh: VertebraMesh, condition: BoneCondition, cement: CementField | None, settings: MechanicsSettings
) -> Pressed:
    """Both linear cases of one state."""
    fraction = None if cement is None else mesh.lifted(cement.fraction)
    ratio = None
    if cement is not None and cement.density_ratio is not None:
        ratio = mesh.lifted(cement.density_ratio, outside=1.0)
    model = build_model(
        mesh, settings.model, condition=condition, cement_fraction=fraction, density_ratio=ratio
    )
    axial = press(model, PRESSED_STRAIN * max(mesh.height_mm, 1.0), tolerance=settings.tolerance)
    bending = bend(model, axial, tolerance=settings.tolerance) if settings.bends else None
    return Pressed(model, axial, bending, condition=condition)


def _after(
    item: WorkedLevel, cement: CementField | None, settings: MechanicsSettings, progress: Progress
) -> None:
    """The treated state, and the load curves of both where they are wanted."""
    name = item.level.name
    try:
        if cement is not None:
            treated = _press(item.mesh, item.condition, cement, settings)
            if treated.model.cement_ml - item.before.model.cement_ml >= CEMENT_MIN_ML:
                item.after = treated
        if settings.nonlinear == "all" or (settings.nonlinear == "treated" and item.after):
            before = load_curve(item.before, settings, scaled(progress, 0.1, 0.5))
            item.before = replace(item.before, curve=before)
            if item.after is not None:
                after = load_curve(item.after, settings, scaled(progress, 0.5, 1.0))
                weakest = max(column_strength_n(item.before.model), 1.0)  # a newton where nothing holds
                ratio = column_strength_n(item.after.model) / weakest
                item.after = replace(item.after, curve=limited_by_columns(after, before, ratio))
    except SolverError as problem:
        item.findings.append(finding("mechanics.solver", f"{name}: {problem}", where=name))


def _told(
    work: Mapping[str, WorkedLevel],
    wanted: tuple[str, ...],
    calibration: DensityCalibration,
    settings: MechanicsSettings,
    volume: Volume,
) -> dict[str, LevelMechanics]:
    """The nouns: states, gains, neighbours, findings."""
    first = {name: _state(item, item.before, calibration, settings) for name, item in work.items()}
    sound = {name: first[name] for name, item in work.items() if not item.broken}
    stiffness = {name: state.stiffness_n_per_mm for name, state in sound.items()}
    strength = {name: state.crawford_n for name, state in sound.items() if state.crawford_n.is_known}
    done: dict[str, LevelMechanics] = {}
    for name, item in work.items():
        if name not in wanted:
            continue
        others = {n: v for n, v in stiffness.items() if n != name}
        intact_k = from_neighbours(name, others, "N/mm")
        intact_f = from_neighbours(name, {n: v for n, v in strength.items() if n != name}, "N")
        before = first[name]
        if item.broken:
            given = broken_strength(intact_f, item.condition, settings.fracture)
            before = _state(item, item.before, calibration, settings, given)
            if not intact_k.is_known:
                item.findings.append(
                    finding(
                        "mechanics.no_neighbour",
                        f"No sound neighbour of {name} is in the scan to compare with.",
                        where=name,
                    )
                )
        after = None
        if item.after is not None:
            after = _state(item, item.after, calibration, settings)
        effects = neighbour_effects(name, item, work, stiffness, settings)
        gain = _gain(item, before, after, intact_k, intact_f)
        judged = after if after is not None and after.strength_n.is_known else before
        item.findings += _judged(name, judged, settings, volume)
        item.findings += [e.finding for e in effects if e.finding is not None]
        item.findings += _beyond_experience(name, gain)
        done[name] = LevelMechanics(
            name=name,
            density_mg_cc=_density(item, calibration),
            calibration=calibration.method,
            is_broken=item.broken,
            body_ml=item.mesh.body_ml,
            before=before,
            after=after,
            intact_stiffness_n_per_mm=intact_k if item.broken else before.stiffness_n_per_mm,
            intact_strength_n=intact_f if item.broken else before.strength_n,
            gain=gain,
            neighbours=tuple(e.effect for e in effects),
            cement=_cement_volume(item),
            density=ScalarVolume(
                item.mesh.density_mg_cc, item.mesh.geometry, "bone mineral density", "mg/cc"
            ),
            findings=tuple(item.findings),
        )
    return done


def _state(
    item: WorkedLevel,
    pressed: Pressed,
    calibration: DensityCalibration,
    settings: MechanicsSettings,
    given_strength: Estimate | None = None,
) -> LoadState:
    """One state's noun."""
    share = 0.0
    if pressed is not item.before and item.before.axial.stiffness_n_per_mm > 0.0:
        share = 1.0 - item.before.axial.stiffness_n_per_mm / pressed.axial.stiffness_n_per_mm
    around = Surroundings(
        calibration=calibration,
        density_mg_cc=item.density_mg_cc,
        loads_n=activity_loads(item.level.name, settings.person),
        settings=settings,
        given_strength_n=given_strength,
        cemented_share=float(np.clip(share, 0.0, 1.0)),
    )
    return load_state(pressed, around)


def _density(item: WorkedLevel, calibration: DensityCalibration) -> Estimate:
    """Of the spongy inside: as assessed where it was, else of the mesh."""
    assessed = item.level.density.bmd_mg_cc
    if assessed.is_known:
        return assessed
    value = item.density_mg_cc
    return Estimate.symmetric(
        value, 1.96 * calibration.sd_at_mg_cc(value), "mg/cc", f"inside of the body; {calibration.basis}"
    )


def _cement_volume(item: WorkedLevel) -> ScalarVolume | None:
    if item.after is None:
        return None
    share = item.after.model.cement_fraction.astype(np.float32)
    return ScalarVolume(share, item.mesh.geometry, "cement share of the voxel")


def _beyond_experience(name: str, gain: AugmentationGain | None) -> list[Finding]:
    """A caution where cement is said to give more strength than was ever measured."""
    if gain is None or (gain.strength_of_intact.value or 0.0) <= MOST_OF_INTACT:
        return []
    value = gain.strength_of_intact.require()
    words = f"{name}: the model gives {value:.1f} times the strength of the unbroken bone; do not rely on it."
    return [
        finding("mechanics.beyond_experience", words, where=name, evidence={"of_intact": round(value, 3)})
    ]


def _gain(
    item: WorkedLevel, before: LoadState, after: LoadState | None, intact_k: Estimate, intact_f: Estimate
) -> AugmentationGain | None:
    """What the cement changed; errors that both states share (density, model) cancel in the ratio."""
    if after is None or item.after is None:
        return None
    stiff = (before.stiffness_n_per_mm.require(), after.stiffness_n_per_mm.require())
    ml = item.after.model.cement_ml - item.before.model.cement_ml
    is_own = not item.broken
    reference_k = before.stiffness_n_per_mm if is_own else intact_k
    reference_f = before.strength_n if is_own else intact_f
    strong = Estimate.missing("1", "no strength of both states")
    if before.strength_method == after.strength_method and after.strength_n.is_known:
        value = after.strength_n.require() / before.strength_n.require()
        strong = spread_about(value, RATIO_SD, "1", "of two models that differ in the cement alone")
    return AugmentationGain(
        cement_ml=ml,
        fill_percent=100.0 * ml / item.mesh.body_ml,
        stiffness_ratio=spread_about(
            stiff[1] / stiff[0], RATIO_SD, "1", "of two models that differ in the cement alone"
        ),
        strength_ratio=strong,
        stiffness_of_intact=ratio_of(
            after.stiffness_n_per_mm, reference_k, "treated against unbroken stiffness"
        ),
        strength_of_intact=ratio_of(after.strength_n, reference_f, "treated against unbroken strength"),
        stiffness_gain_per_ml=spread_about(
            max((stiff[1] - stiff[0]) / ml, 1e-3),
            2.0 * RATIO_SD,
            "N/mm per mL",
            "stiffness gained over cement",
        ),
    )


def _judged(name: str, state: LoadState, settings: MechanicsSettings, volume: Volume) -> list[Finding]:
    """What the strength means: fragile bone, everyday loads that reach it."""
    if not state.strength_n.is_known:
        return []
    found = []
    limit = strength_threshold(settings.person.sex or volume.facts.sex)
    strength = state.strength_n.require()
    if limit is not None and strength < limit.fragile_n:
        found.append(
            finding(
                "mechanics.fragile",
                f"{name} is thought to break at {strength:.0f} N, below {limit.fragile_n:.0f} N.",
                where=name,
                evidence={"strength_n": round(strength, 1), "limit_n": limit.fragile_n},
            )
        )
    reached = [key for key, risk in state.factor_of_risk.items() if (risk.value or 0.0) >= 1.0]
    if reached:
        titles = ", ".join(activities()[key].title for key in reached)
        found.append(
            finding(
                "mechanics.overload",
                f"{name} as predicted would not carry: {titles}.",
                where=name,
                evidence={key: round(state.factor_of_risk[key].require(), 3) for key in reached},
            )
        )
    return found
