"""Settings, state and report of the flow solver: plain data. Units: mm, s, MPa, mm³."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError
from vertebro.numerics.darcy_medium import DarcyMedium
from vertebro.numerics.darcy_pressure import SolverStatus
from vertebro.settings import setting, validate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """Accuracy and effort of the flow solver."""

    tolerance: float = setting(
        1e-4,
        "Pressure residual relative to the supply at which the solver stops.",
        lower=1e-13,
        upper=1e-2,
        source="assumed: moves fluxes by far less than the grid does; volume is conserved at any tolerance",
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
    cells_per_solve: float = setting(
        0.7,
        "Cells by which the front may advance between two solutions of the pressure, in the mean.",
        lower=0.05,
        upper=10.0,
        source="assumed: a front moved further with old pressures turns wavy",
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
    corey_exponent: float | None = setting(
        None,
        "Exponent of relative permeabilities where fluids share the pores; none for a sharp front.",
        lower=1.0,
        upper=6.0,
        source="Brooks and Corey 1964: 2 to 4",
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
