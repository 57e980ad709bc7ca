"""One solution of the pressure and one move of the front: what :mod:`vertebro.numerics.darcy_flow` repeats.

Works on the ghosted box of a medium's active cells. Units: mm, s, MPa, mm³.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError
from vertebro.numerics.darcy_assembly import (
    Connections,
    FaceFlux,
    cell_speeds,
    connect,
    evening_flux,
    face_flux,
    inflow,
)
from vertebro.numerics.darcy_fluids import Fluid, Newtonian
from vertebro.numerics.darcy_medium import DarcyMedium
from vertebro.numerics.darcy_multigrid import Bands, Multigrid
from vertebro.numerics.darcy_plan import FlowPlan, ghosted
from vertebro.numerics.darcy_pressure import (
    FlowMatrix,
    PressureSolution,
    SolverStatus,
    preconditioner,
    solve_pressure,
)
from vertebro.numerics.darcy_state import FlowReport, FlowSettings, FlowState
from vertebro.numerics.darcy_wells import Opening, mouth_pressure_mpa, place_mouth
from vertebro.numerics.front_fractional import FractionalFlow, move_by_fractions
from vertebro.numerics.front_transport import FlowField, fill_by_pistons
from vertebro.numerics.ray_casting import usable_threads

Floats = NDArray[np.float64]
Supply = Sequence[tuple[Opening, float]]

_FIRST_PASSES = 3  # the evening fluxes follow the last pressure; the first takes passes


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


class Advance:
    """One call's medium, fluids and supply, on the ghosted box."""

    def __init__(
        self, medium: DarcyMedium, supply: Supply, injected: Fluid, resident: Fluid, settings: FlowSettings
    ) -> None:
        self.medium, self.plan, self.settings = medium, medium.plan, settings
        self.bands = _shared_bands(settings.n_threads or usable_threads())
        self.mouths = [(place_mouth(medium, opening), rate) for opening, rate in supply]
        if settings.corey_exponent is not None and medium.network.n_nodes:
            raise InputError(
                "flow.corey",
                got="shared pores (a Corey exponent) in a medium with a pipe network",
                needed="a sharp front, or no network",
                remedy="Leave the Corey exponent out.",
                fields=("corey_exponent",),
            )
        self.rate_mm3_s = float(sum(rate for _, rate in supply))
        self.injected, self.resident = _boxed(injected, self.plan), _boxed(resident, self.plan)

    def longest_s(self, state: FlowState) -> float:
        """How long until the cement has grown by the allowed share."""
        if self.rate_mm3_s <= 0.0:
            return np.inf
        pores = self.plan.pore_volume_mm3[1:-1, 1:-1, 1:-1]
        saturation = state.saturation[self.plan.box]
        held = float(np.vdot(saturation, pores))
        front = float(pores[(saturation > 0.01) & (saturation < 0.99)].sum())
        few_cells = 3.0 * self.medium.spacing_mm**3
        step_mm3 = min(self.settings.growth_per_solve * held, self.settings.cells_per_solve * front)
        return max(few_cells, step_mm3) / self.rate_mm3_s

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
            move = self._move if self.settings.corey_exponent is None else self._move_by_fractions
            moved, outflow, stuck = move(saturation, nodes, solved, dt_s)
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
        if self.settings.corey_exponent is not None:
            law = FractionalFlow(self.settings.corey_exponent, cement, other)
            return np.where(plan.is_active, 1.0 / law.total_mobility(saturation), 1.0)
        return np.where(plan.is_active, saturation * cement + (1.0 - saturation) * other, 1.0)

    def _solve_once(self, viscosity: Floats, nodes: Floats, start: tuple[Floats, Floats]) -> _Solved:
        plan = self.plan
        cement = self._typical_cement_mpa_s()
        node_viscosity = nodes * cement + (1.0 - nodes) * plan.node_viscosity_mpa_s
        connections = connect(plan, viscosity, node_viscosity, self.bands)
        matrix = connections.matrix
        q = connections.held_cells.copy()
        for mouth, rate in self.mouths:
            np.add.at(q.reshape(-1), mouth.cells, mouth.shares * rate)
        multigrid = preconditioner(matrix, self.bands)
        first = (start[0] * plan.is_active, start[1][connections.free])
        solution, evening, total = self._evened(matrix, multigrid, (q, connections.held_nodes), first)
        flux = face_flux(matrix, solution.cells, evening, self.bands)
        speed = cell_speeds(flux, self.medium.spacing_mm**2, self.bands)
        mouths = []
        for mouth, rate in self.mouths:
            eta = float(np.sum(mouth.shares * viscosity.reshape(-1)[mouth.cells]))
            mouths.append(mouth_pressure_mpa(mouth, solution.cells, rate, self.injected, eta))
        return _Solved(
            flux, connections, solution, viscosity, speed, tuple(mouths), total, 1, solution.status
        )

    def _evened(
        self,
        matrix: FlowMatrix,
        multigrid: Multigrid,
        supply: tuple[Floats, Floats],
        first: tuple[Floats, Floats],
    ) -> tuple[PressureSolution, FaceFlux, int]:
        """Pressure with evening fluxes taken from a first one (in passes, where that is zero)."""
        settings, total = self.settings, 0
        for _ in range(1 if first[0].any() else _FIRST_PASSES):
            evening = evening_flux(matrix, first[0], self.bands)
            solution = solve_pressure(
                matrix,
                (inflow(supply[0], evening, self.bands), supply[1]),
                first,
                multigrid,
                self.bands,
                tolerance=settings.tolerance,
                max_iterations=settings.max_iterations,
            )
            first, total = (solution.cells, solution.nodes), total + solution.iterations
        return solution, evening, total

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

    def _move_by_fractions(
        self, saturation: Floats, nodes: Floats, solved: _Solved, dt_s: float
    ) -> tuple[tuple[Floats, Floats], Floats, int]:
        """The like of :meth:`_move` for fluids that share the pores."""
        plan, k, porosity = self.plan, self.plan.permeability_mm2, self.plan.porosity
        assert self.settings.corey_exponent is not None
        law = FractionalFlow(
            self.settings.corey_exponent,
            self.injected.apparent_mpa_s(solved.speed, k, porosity),
            self.resident.apparent_mpa_s(solved.speed, k, porosity),
        )
        gain, outflow = np.zeros(saturation.shape), np.zeros(saturation.shape)
        for mouth, rate in self.mouths:
            np.add.at(gain.reshape(-1), mouth.cells, mouth.shares * rate)
        drop = solved.solution.cells.reshape(-1)[plan.edge_cell] - plan.node_pressure_mpa[plan.edge_node]
        into = np.maximum(solved.connections.edges * drop, 0.0)
        np.add.at(outflow.reshape(-1), plan.edge_cell, into)
        field = (plan.pore_volume_mm3, solved.flux)
        volume, left = move_by_fractions(saturation * field[0], gain, outflow, field, law, dt_s)
        part = into / np.where(
            outflow.reshape(-1)[plan.edge_cell] > 0.0, outflow.reshape(-1)[plan.edge_cell], 1.0
        )
        collected: Floats = np.bincount(
            plan.edge_node, left.reshape(-1)[plan.edge_cell] * part, nodes.size
        ).astype(float)
        cells = np.divide(volume, field[0], out=saturation.copy(), where=field[0] > 0.0)
        return (cells, nodes), collected, 0

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
            unit = self._evened(matrix, multigrid, (q, none), (np.zeros_like(q), none))[0].cells
            for a, (mouth, _) in enumerate(self.mouths):
                result[a, b] = float(np.sum(mouth.shares * unit.reshape(-1)[mouth.cells]))
            eta = float(np.sum(source.shares * solved.viscosity.reshape(-1)[source.cells]))
            result[b, b] += eta * source.beyond_per_mm3
        return result
