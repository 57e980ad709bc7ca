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
from dataclasses import replace

import numpy as np

from vertebro.errors import InputError, SolverError
from vertebro.numerics.darcy_advance import Advance, Supply
from vertebro.numerics.darcy_fluids import Fluid, HerschelBulkley, Newtonian
from vertebro.numerics.darcy_medium import DarcyMedium, FlowNetwork
from vertebro.numerics.darcy_pressure import SolverStatus
from vertebro.numerics.darcy_state import FlowReport, FlowSettings, FlowState, FlowStep, at_rest
from vertebro.numerics.darcy_wells import Opening

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
    work = Advance(medium, supply, injected, resident, settings)
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
    report = Advance(medium, supply, injected, resident, settings).advance(state, 0.0)[1]
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
