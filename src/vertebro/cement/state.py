"""An injection in progress: a frozen state, and a pure step that drives it.

``step(state, action, dt_s)`` gives the next state; the same state and action always give the same bytes.
A rehearsal drives it one action at a time, :mod:`vertebro.cement.inject` drives it by a protocol.

Delivery is limited by pressure: what the syringe can reach, less what is lost in the cannula and needed
in the bone, decides the rate when the wanted one asks for more. Cement ages in the syringe at room
temperature and faster in the body; one mean age stands for all cement in the bone (assumed: injected
cement is well mixed; in truth the oldest lies at the front).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from vertebro.case import Compartment
from vertebro.cement.back_pressure import back_pressure_mpa, with_outlet_pressures
from vertebro.cement.site import InjectionSite, NeedleSite
from vertebro.errors import require_range
from vertebro.materials.cement_pipe import delivery_pressure_mpa
from vertebro.materials.cement_rheology import RheologyPoint
from vertebro.numerics.darcy_flow import FlowSettings, FlowState, Opening, at_rest
from vertebro.numerics.darcy_flow import step as flow_step
from vertebro.numerics.darcy_fluids import HerschelBulkley, Newtonian
from vertebro.numerics.darcy_medium import DarcyMedium
from vertebro.units import KPA_PER_MPA, MM3_PER_ML, MPA_S_PER_PA_S

SLOWEST_MM_S = 0.24
"""Darcy speed below which the cement's viscosity stays level: 1/s in pores of 0.04 mm² (the rheology's
plateau)."""
LEAST_RATE_MM3_S = 1e-3
"""A slower injection counts as none (0.06 µL/min)."""
_N_TRIES = 6
_VISCOSITY_PASSES = 6
_VISCOSITY_TOLERANCE = 0.02
"""Accuracy of the pressure at the tips within a step; the cannula takes fifty times as much."""


class Ending(StrEnum):
    """How an injection ended."""

    RUNNING = "running"
    """It has not ended."""
    COMPLETE = "complete"
    """All that was asked for was injected."""
    PRESSURE = "pressure"
    """The syringe could not push any more."""
    SET = "set"
    """The cement had set."""
    POSTERIOR_QUARTER = "posterior_quarter"
    """Cement passed into the posterior quarter and the protocol stops there."""
    STOPPED = "stopped"
    """The operator stopped."""
    NO_WAY_IN = "no_way_in"
    """No needle lies in open bone."""


@dataclass(frozen=True, slots=True)
class InjectionAction:
    """What the operator does during a step."""

    rates_ml_min: tuple[float, ...]
    """Rate wanted through each needle; 0 waits."""

    @classmethod
    def wait(cls, n_needles: int) -> InjectionAction:
        """Do nothing but let the cement thicken."""
        return cls((0.0,) * n_needles)


@dataclass(frozen=True, eq=False, slots=True)
class InjectionState:
    """One moment of an injection."""

    site: InjectionSite
    flow: FlowState
    time_s: float
    """Since the injection began."""
    age_s: float
    """Rheological age of the cement in the syringe."""
    excess_age_s: float
    """By how much the cement in the bone is older, for its warmth."""
    injected_mm3: tuple[float, ...]
    """Through each needle."""
    outlet_mm3: np.ndarray
    """(m,): cement that arrived at each held node of the network, in all."""
    direct_mm3: tuple[float, ...]
    """Through each needle, straight into where its tip lies outside the bone."""
    first_s: tuple[float | None, ...]
    """For each route, when cement first left by it."""
    syringe_kpa: tuple[float, ...]
    """Pressure in each needle's syringe."""
    cannula_kpa: tuple[float, ...]
    """Of that, lost before the bone."""
    tissue_kpa: tuple[float, ...]
    """At each tip."""
    rates_ml_min: tuple[float, ...]
    """Really delivered in the last step."""
    is_limited: bool
    """Whether the pressure's limit cut the last step's rate."""
    solver_status: str = "converged"

    @property
    def injected_ml(self) -> float:
        """Cement that left the needles."""
        return sum(self.injected_mm3) / MM3_PER_ML

    @property
    def bone_age_s(self) -> float:
        """Rheological age of the cement in the bone."""
        return self.age_s + self.excess_age_s

    @property
    def is_set(self) -> bool:
        """Whether the cement in the syringe is hard."""
        return self.site.rheology.is_set(self.age_s)


def begin(site: InjectionSite, start_min: float | None = None) -> InjectionState:
    """The moment before the first cement.

    Parameters
    ----------
    site : InjectionSite
    start_min : float, optional
        Minutes since the start of mixing; the settings' or the product's own without it.

    Raises
    ------
    SettingsError
        If the time is negative (``settings.range``).
    """
    minutes = site.settings.start_min if start_min is None else start_min
    minutes = site.product.waiting_until_min.value if minutes is None else minutes
    require_range("start_min", minutes, 0.0, 1e4, unit="min")
    n = len(site.needles)
    none = (0.0,) * n
    return InjectionState(
        site=site,
        flow=at_rest(site.medium),
        time_s=0.0,
        age_s=60.0 * minutes * site.product.ageing_rate(site.settings.room_c),
        excess_age_s=0.0,
        injected_mm3=none,
        outlet_mm3=np.zeros(site.network.flow.n_nodes),
        direct_mm3=none,
        first_s=(None,) * len(site.routes),
        syringe_kpa=none,
        cannula_kpa=none,
        tissue_kpa=none,
        rates_ml_min=none,
        is_limited=False,
    )


def step(
    state: InjectionState, action: InjectionAction, dt_s: float, *, n_threads: int | None = None
) -> InjectionState:
    """The state after ``dt_s`` seconds of an action.

    Parameters
    ----------
    state : InjectionState
    action : InjectionAction
        One rate for each needle.
    dt_s : float
        0.01 to 60 s.
    n_threads : int, optional
        For the flow; all cores without it.

    Returns
    -------
    InjectionState

    Raises
    ------
    SettingsError
        If a rate is negative or the step is out of range.

    Notes
    -----
    Never above the syringe's limit: where the bone's answer turns out higher than at the last step, the
    step is done again with a lower rate.
    """
    site = state.site
    require_range("dt_s", dt_s, 0.01, 60.0, unit="s")
    if len(action.rates_ml_min) != len(site.needles):
        raise TypeError(f"{len(action.rates_ml_min)} rates for {len(site.needles)} needles")
    for rate in action.rates_ml_min:
        require_range("rate_ml_min", rate, 0.0, site.syringe.max_rate_ml_min, unit="ml/min")
    wanted = [rate * MM3_PER_ML / 60.0 for rate in action.rates_ml_min]
    if state.is_set:
        wanted = [0.0] * len(wanted)
    curve = site.rheology.at_age(state.age_s)
    limit = site.syringe.limit_kpa / KPA_PER_MPA
    tissue = [value / KPA_PER_MPA for value in state.tissue_kpa]
    rates = [
        _allowed_rate(needle, rate, pressure, curve, limit)
        for needle, rate, pressure in zip(site.needles, wanted, tissue, strict=True)
    ]
    settings = FlowSettings(
        viscosity_passes=_VISCOSITY_PASSES, viscosity_tolerance=_VISCOSITY_TOLERANCE, n_threads=n_threads or 0
    )
    medium = _medium_now(state)
    for _ in range(_N_TRIES):
        openings = [
            (Opening(needle.cell, needle.bore_radius_mm), rate)
            for needle, rate in zip(site.needles, rates, strict=True)
            if needle.cell is not None and rate > 0.0
        ]
        if not openings:
            return _without_flow(state, rates, dt_s, curve)
        out = flow_step(
            medium,
            state.flow,
            openings,
            injected=_fluid(site.rheology.at_age(state.bone_age_s)),
            resident=Newtonian(site.resident_mpa_s),
            dt_s=dt_s,
            settings=settings,
        )
        pressures = iter(out.report.opening_pressure_mpa)
        tissue = [
            next(pressures) if needle.cell is not None and rate > 0.0 else 0.0
            for needle, rate in zip(site.needles, rates, strict=True)
        ]
        lost = [delivery_pressure_mpa(n.tubes, q, curve) for n, q in zip(site.needles, rates, strict=True)]
        if all(a + b <= limit for a, b in zip(tissue, lost, strict=True)):
            break
        rates = [
            min(rate, 0.98 * _allowed_rate(needle, rate, pressure, curve, limit))
            for needle, rate, pressure in zip(site.needles, rates, tissue, strict=True)
        ]
    else:
        return _without_flow(state, [0.0] * len(rates), dt_s, curve, is_limited=True)
    outlets = np.where(np.isfinite(site.network.flow.held_pressure_mpa), out.report.outlet_cement_mm3, 0.0)
    moved = _advanced(state, rates, dt_s, curve, tissue=tissue)
    return replace(
        moved,
        flow=out.state,
        outlet_mm3=state.outlet_mm3 + outlets,
        first_s=_first_times(state, out.state, state.outlet_mm3 + outlets, state.time_s + dt_s),
        is_limited=any(q < 0.999 * w for q, w in zip(rates, wanted, strict=True)),
        solver_status=out.report.status.name.lower(),
    )


def _medium_now(state: InjectionState) -> DarcyMedium:
    """The bone, with what lies outside pushing back by what it has taken."""
    site = state.site
    held = dict.fromkeys(Compartment, 0.0)
    for number, route in enumerate(site.routes):
        outlet = int(site.network.outlet_of_route[number])
        held[route.compartment] += float(state.outlet_mm3[outlet]) / MM3_PER_ML
    pressures = [
        back_pressure_mpa(route.compartment, held[route.compartment], site.settings.tissue)
        for route in site.routes
    ]
    if not any(pressures):
        return site.medium
    return with_outlet_pressures(site.medium, site.network.outlet_of_route, np.array(pressures))


def _fluid(curve: RheologyPoint) -> HerschelBulkley:
    return HerschelBulkley(
        curve.consistency_pa_s * MPA_S_PER_PA_S,
        curve.flow_index,
        curve.yield_stress_pa * MPA_S_PER_PA_S,
        slowest_mm_s=SLOWEST_MM_S,
    )


def _allowed_rate(
    needle: NeedleSite, wanted: float, tissue_mpa: float, curve: RheologyPoint, limit_mpa: float
) -> float:
    """The wanted rate, or what the syringe's limit lets through the cannula at a tissue pressure."""
    if wanted <= 0.0 or (needle.cell is None and needle.outside is None):
        return 0.0
    left = limit_mpa - tissue_mpa
    if left <= 0.0:
        return 0.0
    if delivery_pressure_mpa(needle.tubes, wanted, curve) <= left:
        return wanted
    low, high = 0.0, wanted
    for _ in range(60):
        middle = 0.5 * (low + high)
        too_much = delivery_pressure_mpa(needle.tubes, middle, curve) > left
        low, high = (low, middle) if too_much else (middle, high)
    return low if low > LEAST_RATE_MM3_S else 0.0


def _advanced(
    state: InjectionState,
    rates: list[float],
    dt_s: float,
    curve: RheologyPoint,
    *,
    tissue: list[float],
) -> InjectionState:
    """Clock, ages, volumes and pressures after a step; the flow is as before."""
    site = state.site
    lost = [delivery_pressure_mpa(n.tubes, q, curve) for n, q in zip(site.needles, rates, strict=True)]
    given = [rate * dt_s for rate in rates]
    direct = [
        amount if needle.cell is None else 0.0 for needle, amount in zip(site.needles, given, strict=True)
    ]
    room = float(site.rheology.ageing_rate(site.settings.room_c))
    body = float(site.rheology.ageing_rate(site.settings.body_c))
    total = sum(state.injected_mm3) + sum(given)
    mean = state.excess_age_s * (sum(state.injected_mm3) / total if total > 0.0 else 0.0)
    return replace(
        state,
        time_s=state.time_s + dt_s,
        age_s=state.age_s + room * dt_s,
        excess_age_s=mean + (body - room) * dt_s if total > 0.0 else 0.0,
        injected_mm3=tuple(a + b for a, b in zip(state.injected_mm3, given, strict=True)),
        direct_mm3=tuple(a + b for a, b in zip(state.direct_mm3, direct, strict=True)),
        syringe_kpa=tuple(KPA_PER_MPA * (a + b) for a, b in zip(tissue, lost, strict=True)),
        cannula_kpa=tuple(KPA_PER_MPA * value for value in lost),
        tissue_kpa=tuple(KPA_PER_MPA * value for value in tissue),
        rates_ml_min=tuple(60.0 * rate / MM3_PER_ML for rate in rates),
    )


def _without_flow(
    state: InjectionState,
    rates: list[float],
    dt_s: float,
    curve: RheologyPoint,
    *,
    is_limited: bool = False,
) -> InjectionState:
    """A step in which nothing enters the bone: a pause, set cement, or a tip outside."""
    kept = [
        rate if needle.cell is None and needle.outside is not None else 0.0
        for needle, rate in zip(state.site.needles, rates, strict=True)
    ]
    moved = _advanced(state, kept, dt_s, curve, tissue=[0.0] * len(rates))
    return replace(moved, is_limited=is_limited)


def _first_times(
    state: InjectionState, flow: FlowState, outlet_mm3: np.ndarray, time_s: float
) -> tuple[float | None, ...]:
    """When each route first let cement out."""
    network = state.site.network
    times = []
    for number, earlier in enumerate(state.first_s):
        amount = float(outlet_mm3[network.outlet_of_route[number]]) + outside_nodes_mm3(
            state.site, flow, number
        )
        times.append(earlier if earlier is not None else (time_s if amount > 0.1 else None))
    return tuple(times)


def outside_nodes_mm3(site: InjectionSite, flow: FlowState, route: int) -> float:
    """Cement in a route's nodes beyond the bone, its outlet left out."""
    network = site.network
    return float(
        sum(
            network.flow.volume_mm3[node] * flow.node_saturation[node]
            for node in network.nodes_of_route[route]
            if network.compartment_of_node[node] is not Compartment.INSIDE
        )
    )
