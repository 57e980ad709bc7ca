"""Injection of one fluid into a porous medium filled with another: pressure and sharp front, step by step.

State is frozen: :func:`step` takes one and returns the next. Pressure comes from two-point fluxes
(:mod:`vertebro.numerics.darcy_pressure`), the front from
:mod:`vertebro.numerics.front_transport`. Units: mm, s, MPa, mm³; viscosity MPa·s.

Notes
-----
Both fluids and the pores are incompressible; capillarity and gravity are left out (cement at 1 mm/s in
bone: capillary pressure below 0.1 kPa, weight below 0.2 kPa per cm, against kilopascals of viscous
pressure). Where cement and the resident fluid share a cell, their viscosities are weighted by volume,
as in layers crossed by the flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError, SolverError
from vertebro.numerics.darcy_assembly import (
    Connections,
    FaceFlux,
    cell_speeds,
    connect,
    evening_flux,
    face_flux,
    inflow,
)
from vertebro.numerics.darcy_fluids import Fluid, HerschelBulkley, Newtonian
from vertebro.numerics.darcy_medium import DarcyMedium, FlowNetwork
from vertebro.numerics.darcy_multigrid import Bands
from vertebro.numerics.darcy_plan import FlowPlan, ghosted
from vertebro.numerics.darcy_pressure import PressureSolution, SolverStatus, preconditioner, solve_pressure
from vertebro.numerics.darcy_wells import Opening, mouth_pressure_mpa, place_mouth
from vertebro.numerics.front_transport import FlowField, fill_by_pistons
from vertebro.numerics.ray_casting import usable_threads
from vertebro.settings import setting, validate

__all__ = [
    "DarcyMedium",
    "FlowNetwork",
    "FlowReport",
    "FlowSettings",
    "FlowState",
    "FlowStep",
    "HerschelBulkley",
    "Newtonian",
    "Opening",
    "SolverStatus",
    "at_rest",
    "probe",
    "step",
]

Floats = NDArray[np.float64]
Supply = Sequence[tuple[Opening, float]]

_FIRST_PASSES = 3  # the evening fluxes follow the last pressure; the first takes passes


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """Accuracy and effort of the flow solver."""

    tolerance: float = setting(
        1e-6,
        "Pressure residual relative to the supply at which the solver stops.",
        lower=1e-13,
        upper=1e-2,
        source="assumed: 1e-6 moves fluxes by far less than the grid does",
    )
    max_iterations: int = setting(
        300,
        "Most conjugate gradient iterations.",
        lower=1,
        upper=10000,
        source="assumed: ten times the usual",
    )
    growth_per_solve: float = setting(
        0.3,
        "Share by which the cement may grow between two solutions of the pressure.",
        lower=0.01,
        upper=10.0,
        source="assumed: a sphere's radius then grows by 9 %",
    )
    mobility_contrast: float = setting(
        1e3,
        "How far below the median a resident viscosity (gas in a cleft) is followed; then this limit stands.",
        lower=10.0,
        upper=1e6,
        source="assumed: pressure in a cleft then differs by a thousandth of what it does in bone",
    )
    viscosity_passes: int = setting(
        20, "Most passes of a shear-dependent viscosity.", lower=1, upper=500, source="assumed"
    )
    viscosity_tolerance: float = setting(
        2e-3,
        "Relative change of the mouths' pressure at which the passes end.",
        lower=1e-8,
        upper=0.1,
        source="assumed: a tenth of the accuracy asked of pressures",
    )
    n_threads: int = setting(
        0, "Threads for large grids; 0 takes the usable cores.", lower=0, upper=256, source="assumed"
    )
    with_resistance: bool = setting(False, "Also find how each mouth's pressure depends on each rate.")
    throw: bool = setting(True, "Raise SolverError when the pressure is not found.")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, eq=False)
class FlowState:
    """What the medium holds at one moment; arrays are read-only.

    ``saturation`` is the share of every cell's pores that is cement (0–1), ``node_saturation`` the same
    for the network's nodes (0 at held ones: they collect into the report). ``pressure_mpa`` and
    ``node_pressure_mpa`` are those of the last solution, ``speed_mm_s`` the superficial speed then, and
    ``total_rate_mm3_s`` the rate that drove it.
    """

    saturation: Floats
    node_saturation: Floats
    pressure_mpa: Floats
    node_pressure_mpa: Floats
    speed_mm_s: Floats
    total_rate_mm3_s: float = 0.0

    def __post_init__(self) -> None:
        for values in (
            self.saturation, self.node_saturation, self.pressure_mpa, self.node_pressure_mpa, self.speed_mm_s
        ):  # fmt: skip
            values.flags.writeable = False


@dataclass(frozen=True, slots=True)
class FlowReport:
    """What happened in a step (or would, for :func:`probe`)."""

    status: SolverStatus
    opening_pressure_mpa: tuple[float, ...]
    injected_mm3: float
    outlet_cement_mm3: Floats
    border_cement_mm3: Floats
    balance_mm3: float
    iterations: int
    flow_substeps: int
    viscosity_passes: int
    n_stuck: int
    opening_resistance_mpa_s_mm3: Floats | None = None


@dataclass(frozen=True, slots=True)
class FlowStep:
    """The next state and the report of the way there."""

    state: FlowState
    report: FlowReport


def at_rest(medium: DarcyMedium, saturation: Floats | None = None) -> FlowState:
    """The state before anything flows.

    Parameters
    ----------
    medium : DarcyMedium
    saturation : (nx, ny, nz) array in [0, 1], optional
        Cement already there.

    Examples
    --------
    >>> medium = DarcyMedium(1.0, np.full((4, 4, 4), 0.8), np.full((4, 4, 4), 0.04))
    >>> float(at_rest(medium).saturation.max())
    0.0
    """
    filled = np.zeros(medium.shape) if saturation is None else np.array(saturation, float)
    if filled.shape != medium.shape or not np.all((filled >= 0.0) & (filled <= 1.0)):
        raise InputError(
            "flow.saturation",
            got="a starting saturation of another shape, or outside 0 to 1",
            needed="the medium's shape and values from 0 to 1",
            remedy="Correct the starting fill.",
            fields=("saturation",),
        )
    m = medium.network.n_nodes
    zeros = np.zeros(medium.shape)
    return FlowState(filled, np.zeros(m), zeros, np.zeros(m), zeros.copy())


def step(  # noqa: PLR0913 - a state, what drives it, two fluids and a time
    medium: DarcyMedium,
    state: FlowState,
    supply: Supply,
    *,
    injected: Fluid,
    resident: Fluid,
    dt_s: float,
    settings: FlowSettings | None = None,
) -> FlowStep:
    """Inject for a time.

    Parameters
    ----------
    medium : DarcyMedium
    state : FlowState
    supply : sequence of (Opening, rate in mm³/s >= 0)
    injected, resident : Fluid
        Laws of the cement and of what it displaces, at this time.
    dt_s : float, > 0
        Pressure is found anew within it as often as the cement's growth demands.
    settings : FlowSettings, optional

    Returns
    -------
    FlowStep

    Raises
    ------
    InputError
        ``flow.rate`` for a rate below 0 or a time not above 0, ``flow.no_way_out`` for a mouth from which
        no outlet can be reached.
    SolverError
        Where the pressure was not found and ``settings.throw`` is True.

    Examples
    --------
    >>> medium = DarcyMedium(1.0, np.full((15, 15, 15), 0.8), np.full((15, 15, 15), 0.04))
    >>> needle = Opening((7, 7, 7), 1.3)
    >>> out = step(medium, at_rest(medium), [(needle, 50.0)], injected=Newtonian(1e-4),
    ...            resident=Newtonian(1e-7), dt_s=2.0)
    >>> round(float((out.state.saturation * medium.pore_volume_mm3).sum()), 6)
    100.0
    """
    settings = settings or FlowSettings()
    _check_supply(supply, dt_s)
    work = _Work(medium, supply, injected, resident, settings)
    left, parts = dt_s, []
    while left > 0.0:
        part_s = min(left, work.longest_s(state))
        part_s = left if left - part_s < 1e-9 * dt_s else part_s
        state, report = work.advance(state, part_s)
        parts.append(report)
        left -= part_s
        if report.status is SolverStatus.NOT_FINITE:
            break
    report = _merged(parts)
    if settings.throw and report.status in (SolverStatus.NOT_FINITE, SolverStatus.TOO_MANY_ITERATIONS):
        raise SolverError(f"{report.status.sentence} {report.status.remedy}")
    return FlowStep(state, report)


def probe(
    medium: DarcyMedium,
    state: FlowState,
    supply: Supply,
    *,
    injected: Fluid,
    resident: Fluid,
    settings: FlowSettings | None = None,
) -> FlowReport:
    """Pressure for given rates, while nothing moves; arguments as in :func:`step`."""
    settings = settings or FlowSettings()
    _check_supply(supply, 1.0)
    report = _Work(medium, supply, injected, resident, settings).advance(state, 0.0)[1]
    if settings.throw and report.status in (SolverStatus.NOT_FINITE, SolverStatus.TOO_MANY_ITERATIONS):
        raise SolverError(f"{report.status.sentence} {report.status.remedy}")
    return report


def _check_supply(supply: Supply, dt_s: float) -> None:
    rates = np.array([rate for _, rate in supply], float)
    if not np.all((rates >= 0.0) & np.isfinite(rates)) or not (dt_s > 0.0 and np.isfinite(dt_s)):
        raise InputError(
            "flow.rate",
            got=f"rates of {rates.tolist()} mm³/s over {dt_s} s",
            needed="rates from 0 and a time above 0",
            remedy="Correct the injection.",
            fields=("rate_mm3_s", "dt_s"),
        )


@dataclass(slots=True)
class _Solved:
    """Pressure found for one distribution of fluids."""

    flux: FaceFlux
    connections: Connections
    solution: PressureSolution
    viscosity: Floats
    speed: Floats
    mouth_pressure_mpa: tuple[float, ...]
    iterations: int
    passes: int
    status: SolverStatus


@lru_cache(maxsize=4)
def _shared_bands(n_threads: int) -> Bands:
    return Bands(n_threads)


def _boxed(fluid: Fluid, plan: FlowPlan) -> Fluid:
    """A fluid whose viscosity by cell is given on the ghosted box."""
    if isinstance(fluid, Newtonian) and np.ndim(fluid.viscosity_mpa_s) == 3:
        inside = ghosted(np.asarray(fluid.viscosity_mpa_s), plan.box)
        return Newtonian(np.where(plan.is_active, inside, 1.0))
    return fluid


def _guessed_speed(rate_mm3_s: float, spacing_mm: float) -> float:
    """Superficial speed three cells away from a mouth: where to begin with a shear-dependent viscosity."""
    return rate_mm3_s / (4.0 * np.pi * (3.0 * spacing_mm) ** 2)


class _Work:
    """One call's medium, fluids and supply, on the ghosted box."""

    def __init__(
        self, medium: DarcyMedium, supply: Supply, injected: Fluid, resident: Fluid, settings: FlowSettings
    ) -> None:
        self.medium, self.plan, self.settings = medium, medium.plan, settings
        self.bands = _shared_bands(settings.n_threads or usable_threads())
        self.mouths = [(place_mouth(medium, opening), rate) for opening, rate in supply]
        self.rate_mm3_s = float(sum(rate for _, rate in supply))
        self.injected, self.resident = _boxed(injected, self.plan), _boxed(resident, self.plan)

    def longest_s(self, state: FlowState) -> float:
        """How long until the cement has grown by the allowed share."""
        if self.rate_mm3_s <= 0.0:
            return np.inf
        pores = self.plan.pore_volume_mm3[1:-1, 1:-1, 1:-1]
        held = float(np.vdot(state.saturation[self.plan.box], pores))
        few_cells = 3.0 * self.medium.spacing_mm**3
        return max(few_cells, self.settings.growth_per_solve * held) / self.rate_mm3_s

    def advance(self, state: FlowState, dt_s: float) -> tuple[FlowState, FlowReport]:
        """Solve the pressure and let the front move for a time (0: not at all)."""
        saturation = ghosted(state.saturation, self.plan.box)
        n_held = self.plan.node_volume_mm3.size - self.medium.network.n_nodes
        nodes = np.concatenate([state.node_saturation, np.zeros(n_held)])
        solved = self._solve(state, saturation, nodes)
        resistance = None
        if self.settings.with_resistance and dt_s == 0.0:
            resistance = self._resistance(solved)
        moved, outflow, stuck = (saturation, nodes), np.zeros(nodes.size), 0
        if dt_s > 0.0:
            moved, outflow, stuck = self._move(saturation, nodes, solved, dt_s)
        new = self._unboxed(state, moved, solved)
        m = self.medium.network.n_nodes
        gained = self._stored(new) - self._stored(state)
        injected = self.rate_mm3_s * dt_s
        report = FlowReport(
            solved.status, solved.mouth_pressure_mpa, injected, outflow[:m], outflow[m:],
            injected - gained - float(outflow.sum()), solved.iterations, 1, solved.passes, stuck, resistance,
        )  # fmt: skip
        return new, report

    def _stored(self, state: FlowState) -> float:
        """Cement in cells and finite nodes."""
        pores = self.plan.pore_volume_mm3[1:-1, 1:-1, 1:-1]
        volume = self.medium.network.volume_mm3
        finite = np.isfinite(volume)
        inside = float(np.vdot(state.saturation[self.plan.box], pores))
        return inside + float(volume[finite] @ state.node_saturation[finite])

    def _solve(self, state: FlowState, saturation: Floats, nodes: Floats) -> _Solved:
        """Pressure, with the shear-dependent viscosity settled by passes from the last speeds."""
        speed = ghosted(state.speed_mm_s, self.plan.box)
        last = state.total_rate_mm3_s
        scale = self.rate_mm3_s / last if last > 0.0 else 0.0
        start = (ghosted(state.pressure_mpa, self.plan.box) * scale, state.node_pressure_mpa * scale)
        is_newtonian = self.injected.is_newtonian and self.resident.is_newtonian
        if not is_newtonian and not speed.any():
            speed[...] = _guessed_speed(self.rate_mm3_s, self.medium.spacing_mm)
        total, before, viscosity = 0, None, None
        for n in range(1, self.settings.viscosity_passes + 1):
            viscosity = self._viscosity(saturation, speed)
            solved = self._solve_once(viscosity, nodes, start)
            total += solved.iterations
            solved.iterations, solved.passes = total, n
            if is_newtonian or solved.status is not SolverStatus.CONVERGED:
                return solved
            now = np.array(solved.mouth_pressure_mpa)
            if before is not None and np.all(
                abs(now - before) <= self.settings.viscosity_tolerance * abs(now)
            ):
                return solved
            before, speed = now, solved.speed
            free = solved.solution.nodes
            start = (solved.solution.cells, self._all_nodes(free, solved.connections)[: nodes.size - 6])
        solved.status = SolverStatus.VISCOSITY_NOT_SETTLED
        return solved

    def _viscosity(self, saturation: Floats, speed: Floats) -> Floats:
        plan = self.plan
        cement = self.injected.apparent_mpa_s(speed, plan.permeability_mm2, plan.porosity)
        other = self.resident.apparent_mpa_s(speed, plan.permeability_mm2, plan.porosity)
        if plan.is_active.any():
            typical = float(np.median(other[plan.is_active]))
            np.maximum(other, typical / self.settings.mobility_contrast, out=other)
        return np.where(plan.is_active, saturation * cement + (1.0 - saturation) * other, 1.0)

    def _solve_once(self, viscosity: Floats, nodes: Floats, start: tuple[Floats, Floats]) -> _Solved:
        plan, settings = self.plan, self.settings
        cement = self._typical_cement_mpa_s()
        node_viscosity = nodes * cement + (1.0 - nodes) * plan.node_viscosity_mpa_s
        connections = connect(plan, viscosity, node_viscosity, self.bands)
        matrix = connections.matrix
        q = connections.held_cells.copy()
        for mouth, rate in self.mouths:
            np.add.at(q.reshape(-1), mouth.cells, mouth.shares * rate)
        multigrid = preconditioner(matrix, self.bands)
        first = (start[0] * plan.is_active, start[1][connections.free])
        total = 0
        for _ in range(1 if first[0].any() else _FIRST_PASSES):
            evening = evening_flux(matrix, first[0], self.bands)
            solution = solve_pressure(
                matrix,
                (inflow(q, evening, self.bands), connections.held_nodes),
                first,
                multigrid,
                self.bands,
                tolerance=settings.tolerance,
                max_iterations=settings.max_iterations,
            )
            first, total = (solution.cells, solution.nodes), total + solution.iterations
        flux = face_flux(matrix, solution.cells, evening, self.bands)
        speed = cell_speeds(flux, self.medium.spacing_mm**2, self.bands)
        mouths = []
        for mouth, rate in self.mouths:
            eta = float(np.sum(mouth.shares * viscosity.reshape(-1)[mouth.cells]))
            mouths.append(mouth_pressure_mpa(mouth, solution.cells, rate, self.injected, eta))
        return _Solved(
            flux, connections, solution, viscosity, speed, tuple(mouths), total, 1, solution.status
        )

    def _typical_cement_mpa_s(self) -> float:
        """One viscosity for cement in pipes: the median over cells, at a speed of 1 mm/s."""
        if isinstance(self.injected, Newtonian):
            return float(np.median(self.injected.viscosity_mpa_s))
        one = np.ones(1)
        return float(self.injected.apparent_mpa_s(one, 0.01 * one, 0.8 * one)[0])

    def _all_nodes(self, free: Floats, connections: Connections) -> Floats:
        pressure = np.nan_to_num(self.plan.node_pressure_mpa)
        pressure[connections.free] = free
        return pressure

    def _move(
        self, saturation: Floats, nodes: Floats, solved: _Solved, dt_s: float
    ) -> tuple[tuple[Floats, Floats], Floats, int]:
        """New saturations of cells and nodes, cement that left into held nodes, stuck entities."""
        plan, connections = self.plan, solved.connections
        is_held = np.isfinite(plan.node_pressure_mpa)
        n = saturation.size
        capacity = np.concatenate(
            [plan.pore_volume_mm3.reshape(-1), np.where(is_held, np.inf, plan.node_volume_mm3)]
        )
        held = np.where(np.isfinite(plan.node_volume_mm3) & ~is_held, plan.node_volume_mm3, 0.0)
        volume = np.concatenate([(saturation * plan.pore_volume_mm3).reshape(-1), nodes * held])
        added = np.zeros_like(volume)
        for mouth, rate in self.mouths:
            np.add.at(added, mouth.cells, mouth.shares * rate * dt_s)
        pressure = np.concatenate(
            [solved.solution.cells.reshape(-1), self._all_nodes(solved.solution.nodes, connections)]
        )
        both = np.concatenate([connections.edges, connections.pipes] * 2)[plan.rows.order]
        field = FlowField(capacity, pressure, solved.flux, plan.rows, both)
        volume, stuck = fill_by_pistons(volume, added, field, dt_s)
        with np.errstate(divide="ignore", invalid="ignore"):
            cells = volume[:n].reshape(saturation.shape) / plan.pore_volume_mm3
        cells = np.where(plan.pore_volume_mm3 > 0.0, cells, saturation)
        new_nodes = np.divide(volume[n:], held, out=np.zeros_like(nodes), where=held > 0.0)
        return (cells, new_nodes), np.where(is_held, volume[n:], 0.0), stuck

    def _unboxed(self, state: FlowState, moved: tuple[Floats, Floats], solved: _Solved) -> FlowState:
        box, m = self.plan.box, self.medium.network.n_nodes
        inner = (slice(1, -1),) * 3
        arrays = [state.saturation.copy(), np.zeros(self.medium.shape), np.zeros(self.medium.shape)]
        for target, values in zip(arrays, (moved[0], solved.solution.cells, solved.speed), strict=True):
            target[box] = values[inner]
        nodes = self._all_nodes(solved.solution.nodes, solved.connections)[:m]
        return FlowState(arrays[0], moved[1][:m].copy(), arrays[1], nodes, arrays[2], self.rate_mm3_s)

    def _resistance(self, solved: _Solved) -> Floats:
        """Derivative of each mouth's pressure by each rate, viscosities held."""
        n = len(self.mouths)
        matrix, plan = solved.connections.matrix, self.plan
        multigrid = preconditioner(matrix, self.bands)
        result = np.zeros((n, n))
        none = np.zeros(solved.connections.held_nodes.size)
        for b, (source, _) in enumerate(self.mouths):
            q = np.zeros(plan.is_active.shape)
            np.add.at(q.reshape(-1), source.cells, source.shares)
            unit = solve_pressure(
                matrix, (q, none), None, multigrid, self.bands,
                tolerance=self.settings.tolerance, max_iterations=self.settings.max_iterations,
            ).cells  # fmt: skip
            for a, (mouth, _) in enumerate(self.mouths):
                result[a, b] = float(np.sum(mouth.shares * unit.reshape(-1)[mouth.cells]))
            eta = float(np.sum(source.shares * solved.viscosity.reshape(-1)[source.cells]))
            result[b, b] += eta * source.beyond_per_mm3
        return result


def _merged(parts: Sequence[FlowReport]) -> FlowReport:
    """One report for the parts of a step; the worst status, the last pressures."""
    worst = [part.status for part in parts if part.status is not SolverStatus.CONVERGED]
    return replace(
        parts[-1],
        status=worst[0] if worst else parts[-1].status,
        injected_mm3=sum(part.injected_mm3 for part in parts),
        outlet_cement_mm3=np.sum([part.outlet_cement_mm3 for part in parts], axis=0),
        border_cement_mm3=np.sum([part.border_cement_mm3 for part in parts], axis=0),
        balance_mm3=sum(part.balance_mm3 for part in parts),
        iterations=sum(part.iterations for part in parts),
        flow_substeps=len(parts),
        viscosity_passes=max(part.viscosity_passes for part in parts),
        n_stuck=parts[-1].n_stuck,
    )
