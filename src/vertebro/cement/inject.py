"""Inject a level by a protocol and tell what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case import (
    Compartment,
    Finding,
    InjectionFrame,
    LeakRoute,
    LevelInjection,
    LevelPlan,
    NeedleDelivery,
    NeedlePath,
    Side,
)
from vertebro.case.injection import SERIES_UNITS
from vertebro.cement.deposit import cement_fraction, compartment_volumes_ml, route_volume_mm3
from vertebro.cement.measure import (
    distance_to_posterior_wall_mm,
    fill_percent,
    is_in_posterior_quarter,
    symmetry_percent,
    touches_both_endplates,
)
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.site import InjectionSite
from vertebro.cement.state import Ending, InjectionAction, InjectionState, begin, step
from vertebro.cement.told import injection_findings
from vertebro.geometry import apply_affine, compose, invert_affine
from vertebro.imaging import ScalarVolume
from vertebro.progress import Progress, silent

QUANTITY = "share of the voxel that is cement"
STALLED_S = 120.0
"""Time without progress after which an injection against the syringe's limit is given up (assumed)."""
STALLED_ML_MIN = 0.05
"""A slower rate at the limit is no progress (assumed: a drop in ten seconds)."""
_TINY_ML = 1e-6


@dataclass(slots=True)
class _Log:
    """The time courses while they grow."""

    rows: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SERIES_UNITS})

    def add(self, state: InjectionState) -> None:
        volumes = compartment_volumes_ml(state)
        distance = distance_to_posterior_wall_mm(state)
        body_mm = float(state.site.back_mm[state.site.in_body].max())
        row = {
            "time_s": state.time_s,
            "injected_ml": state.injected_ml,
            "inside_ml": volumes[Compartment.INSIDE],
            "outside_ml": sum(value for place, value in volumes.items() if place is not Compartment.INSIDE),
            "rate_ml_min": sum(state.rates_ml_min),
            "syringe_pressure_kpa": max(state.syringe_kpa, default=0.0),
            "cannula_pressure_kpa": max(state.cannula_kpa, default=0.0),
            "tissue_pressure_kpa": max(state.tissue_kpa, default=0.0),
            "viscosity_pa_s": float(state.site.rheology.viscosity_pa_s(state.bone_age_s, 1.0)),
            "distance_to_posterior_wall_mm": body_mm if distance is None else distance,
        }
        for name, value in row.items():
            self.rows[name].append(value)

    def arrays(self) -> Mapping[str, NDArray[np.float64]]:
        return {name: np.array(values) for name, values in self.rows.items()}


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """An injection driven to its end."""

    state: InjectionState
    ending: Ending
    series: Mapping[str, NDArray[np.float64]]
    frames: tuple[InjectionFrame, ...]
    posterior_quarter_s: float | None
    posterior_quarter_ml: float | None
    peak: tuple[tuple[float, float], ...]
    """For each needle: the syringe's highest pressure, kPa, and the cannula's share of it then."""
    peak_tissue_kpa: float


def drive(  # noqa: PLR0913 - how to drive and who watches
    site: InjectionSite,
    volume_ml: float,
    *,
    step_s: float | None = None,
    keep_frames: bool = True,
    n_threads: int | None = None,
    observe: Callable[[InjectionState], None] | None = None,
    progress: Progress = silent,
) -> Run:
    """Inject until the volume is in, or something ends it.

    Parameters
    ----------
    site : InjectionSite
    volume_ml : float
        Through all needles together, in equal parts.
    step_s : float, optional
        The settings' own without it; shorter at the end so that the volume is met.
    keep_frames : bool
        Whether to keep the fill at moments for the animation.
    n_threads : int, optional
    observe : callable, optional
        Shown every state.
    progress : Progress

    Returns
    -------
    Run
    """
    settings = site.settings
    state, log = begin(site), _Log()
    log.add(state)
    usable = [needle.cell is not None or needle.outside is not None for needle in site.needles]
    ending = Ending.RUNNING if any(usable) else Ending.NO_WAY_IN
    share = settings.rate_ml_min / max(sum(usable), 1)
    action = InjectionAction(tuple(share if can else 0.0 for can in usable))
    watch = _Watch(site, volume_ml, settings.n_frames if keep_frames else 0)
    next_pause, stalled_s = settings.pause_every_ml or np.inf, 0.0
    if state.is_set:
        ending = Ending.SET
    while ending is Ending.RUNNING:
        left = volume_ml - state.injected_ml
        if left <= _TINY_ML:
            ending = Ending.COMPLETE
            break
        dt = min(step_s or settings.step_s, max(60.0 * left / settings.rate_ml_min, 0.01))
        if state.injected_ml >= next_pause:
            state = _paused(state, settings)
            next_pause += settings.pause_every_ml
        state = step(state, action, dt, n_threads=n_threads)
        progress(min(state.injected_ml / volume_ml, 1.0), f"injecting {site.survey.name}")
        log.add(state)
        watch.look(state)
        if observe is not None:
            observe(state)
        slow = state.is_limited and sum(state.rates_ml_min) < STALLED_ML_MIN
        stalled_s = stalled_s + dt if slow else 0.0
        if watch.quarter_s is not None and settings.stop_at_posterior_quarter:
            ending = Ending.POSTERIOR_QUARTER
        elif state.is_set:
            ending = Ending.SET
        elif stalled_s > STALLED_S:
            ending = Ending.PRESSURE
    if keep_frames:
        watch.keep(state)
    return Run(
        state=state,
        ending=ending,
        series=log.arrays(),
        frames=tuple(watch.frames),
        posterior_quarter_s=watch.quarter_s,
        posterior_quarter_ml=watch.quarter_ml,
        peak=tuple(watch.peaks),
        peak_tissue_kpa=watch.peak_tissue_kpa,
    )


class _Watch:
    """What is remembered of an injection on its way."""

    def __init__(self, site: InjectionSite, volume_ml: float, n_frames: int) -> None:
        self.due = [volume_ml * number / n_frames for number in range(1, n_frames)] if n_frames else []
        self.frames: list[InjectionFrame] = []
        self.quarter_s: float | None = None
        self.quarter_ml: float | None = None
        self.peaks: list[tuple[float, float]] = [(0.0, 1.0)] * len(site.needles)
        self.peak_tissue_kpa = 0.0

    def look(self, state: InjectionState) -> None:
        for number, pressure in enumerate(state.syringe_kpa):
            if pressure > self.peaks[number][0]:
                self.peaks[number] = (pressure, state.cannula_kpa[number] / pressure)
        self.peak_tissue_kpa = max(self.peak_tissue_kpa, *state.tissue_kpa)
        if self.quarter_s is None and is_in_posterior_quarter(state):
            self.quarter_s, self.quarter_ml = state.time_s, state.injected_ml
        if self.due and state.injected_ml >= self.due[0] - _TINY_ML:
            while self.due and state.injected_ml >= self.due[0] - _TINY_ML:
                self.due.pop(0)
            self.keep(state)

    def keep(self, state: InjectionState) -> None:
        if self.frames and state.injected_ml <= self.frames[-1].injected_ml + _TINY_ML:
            return
        field = ScalarVolume(cement_fraction(state), state.site.survey.grid, QUANTITY)
        self.frames.append(InjectionFrame(state.time_s, state.injected_ml, field))


def _paused(state: InjectionState, settings: InjectionSettings) -> InjectionState:
    left = settings.pause_s
    while left > 0.0:
        dt = min(left, 30.0)
        state = step(state, InjectionAction.wait(len(state.site.needles)), dt)
        left -= dt
    return state


def level_injection(run: Run, volume_ml: float, findings: Sequence[Finding] = ()) -> LevelInjection:
    """A run as the noun that is kept and reported; heat and chances are added by others."""
    state = run.state
    site = state.site
    settings = site.settings
    start = settings.start_min
    peak = max(run.peak, default=(0.0, 1.0))
    volumes = compartment_volumes_ml(state)
    level = LevelInjection(
        name=site.survey.name,
        product=site.product.key,
        asked_ml=volume_ml,
        rate_ml_min=settings.rate_ml_min,
        start_min=site.product.waiting_until_min.value if start is None else start,
        injected_ml=state.injected_ml,
        volumes_ml=volumes,
        fill_percent=fill_percent(state),
        symmetry_percent=symmetry_percent(state),
        endplate_to_endplate=touches_both_endplates(state),
        peak_syringe_pressure_kpa=peak[0],
        peak_tissue_pressure_kpa=run.peak_tissue_kpa,
        cannula_share=peak[1],
        distance_to_posterior_wall_mm=distance_to_posterior_wall_mm(state),
        posterior_quarter_s=run.posterior_quarter_s,
        temperature={},
        needles=_deliveries(run),
        routes=_routes(state),
        series=run.series,
        cement_fraction=ScalarVolume(cement_fraction(state), site.survey.grid, QUANTITY),
        frames=run.frames,
        peak_temperature=None,
        leak_probability=None,
        status=run.ending.value,
    )
    return replace(level, findings=(*findings, *injection_findings(run, level)))


def _deliveries(run: Run) -> tuple[NeedleDelivery, ...]:
    site = run.state.site
    lps_from_v = _lps_from_v(site)
    return tuple(
        NeedleDelivery(
            side=needle.side,
            device=needle.device,
            tip_lps_mm=apply_affine(lps_from_v, needle.tip_v),
            injected_ml=amount / 1000.0,
            peak_syringe_pressure_kpa=peak[0],
            cannula_share=peak[1],
        )
        for needle, amount, peak in zip(site.needles, run.state.injected_mm3, run.peak, strict=True)
    )


def _routes(state: InjectionState) -> tuple[LeakRoute, ...]:
    site = state.site
    lps_from_v = _lps_from_v(site)
    told = []
    for number, route in enumerate(site.routes):
        x, y, z = (float(value) for value in apply_affine(lps_from_v, route.exit_v))
        told.append(
            LeakRoute(
                kind=route.kind,
                basis=route.basis,
                compartment=route.compartment,
                exit_lps_mm=(x, y, z),
                volume_ml=route_volume_mm3(state, number) / 1000.0,
                first_s=state.first_s[number],
                width_mm=route.width_mm,
            )
        )
    return tuple(told)


def _lps_from_v(site: InjectionSite) -> NDArray[np.float64]:
    survey = site.survey
    return compose(survey.grid.lps_from_voxel, invert_affine(survey.vertebra_from_patch))


def wanted_paths(plan: LevelPlan, settings: InjectionSettings) -> tuple[NeedlePath, ...]:
    """The recommended needles of a level that the settings ask for: the planned ones, or those of a side."""
    if settings.needles == "planned":
        return plan.needles
    sides = tuple(Side) if settings.needles == "both" else (Side(settings.needles),)
    return tuple(path for side in sides if (path := plan.best(side)) is not None)
