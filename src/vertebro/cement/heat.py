"""The heat of an injection: cement cures where it lies, and its warmth spreads.

Starts when the injection has ended, with the cement at the temperature of the room in which it was mixed
and the body at its own. Cement and tissue that share a voxel share its temperature (a trabecula's tip
inside the cement is in truth hotter than the mean; Stańczyk and van Rietbergen, J Biomech 2004).
Temperatures °C, times s; fields on the grid of the cement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import HeatResult
from vertebro.cement.heat_grid import HeatGrid, heat_grid
from vertebro.cement.heat_record import HeatRecord
from vertebro.errors import MismatchError, require_range
from vertebro.imaging import ScalarVolume
from vertebro.materials.curing import GAS_CONSTANT_J_MOLK, KELVIN_AT_0_DEGC, CuringLaw
from vertebro.materials.thermal import CementHeat
from vertebro.numerics import heat_kernels as kernels
from vertebro.numerics.heat import HeatStepper
from vertebro.progress import Progress, silent
from vertebro.settings import setting, validate

_LARGEST_SUBSTEP = 0.02
_QUIET_KELVIN = 0.5


@dataclass(frozen=True, slots=True)
class HeatSettings:
    """How the heat is simulated.

    Examples
    --------
    >>> HeatSettings().body_degc
    37.0
    """

    body_degc: float = setting(
        37.0, "Temperature of body and blood.", lower=20.0, upper=45.0, unit="degC", source="normal core"
    )
    room_degc: float = setting(
        21.0,
        "Temperature of the cement until it is in the bone.",
        lower=0.0,
        upper=40.0,
        unit="degC",
        source="assumed: an interventional suite is kept at 18 to 23 °C",
    )
    perfusion: float = setting(
        1.0,
        "Blood flow against the tissues' own; 0 for bone outside the body.",
        lower=0.0,
        upper=5.0,
        source="assumed",
    )
    duration_s: float = setting(
        2400.0,
        "Time after injection at which to stop at the latest.",
        lower=10.0,
        upper=20_000.0,
        unit="s",
        source="assumed: cement sets in 10 to 20 minutes; the heat is gone within half an hour",
    )
    margin_mm: float = setting(
        18.0,
        "Tissue around the cement that is simulated; beyond it is body temperature.",
        lower=4.0,
        upper=80.0,
        unit="mm",
        source="assumed: heat spreads 2·√(0.15 mm²/s · 300 s) = 13 mm while the cement is hot",
    )
    cell_mm: float = setting(
        1.0,
        "Finer grids are joined to about this; coarser ones are kept.",
        lower=0.3,
        upper=3.0,
        unit="mm",
        source="the hot sphere of 8 mm is then within 1 % of the exact solution",
    )
    longest_step_s: float = setting(
        20.0,
        "Longest time step.",
        lower=0.05,
        upper=60.0,
        unit="s",
        source="half of it moves no peak by more than 0.1 K",
    )
    largest_conversion: float = setting(
        0.05,
        "Change of conversion in a step at the most.",
        lower=0.001,
        upper=0.5,
        source="halving it moves the peak by less than 0.3 K",
    )

    def __post_init__(self) -> None:
        validate(self)


def simulate_curing_heat(  # noqa: PLR0913 - each is a thing of its own
    cement_fraction: ScalarVolume,
    tissue: NDArray[np.uint8],
    cement: CementHeat,
    *,
    injected_s: float,
    sites: Mapping[str, NDArray[np.bool_]],
    settings: HeatSettings | None = None,
    progress: Progress = silent,
) -> HeatResult:
    """Simulate how hot cement and tissue get until the heat has passed.

    Parameters
    ----------
    cement_fraction : ScalarVolume
        Share of each voxel's whole volume that is cement, 0 to 1.
    tissue : (i, j, k) uint8 array
        :class:`~vertebro.materials.thermal.ThermalTissue` of the rest.
    cement : CementHeat
    injected_s : float, ≥ 0
        Age of the cement, from the start of mixing, when the injection ended.
    sites : mapping of name to (i, j, k) bool array
        Places to report on; those without a voxel are left out.
    settings : HeatSettings, optional
    progress : Progress

    Returns
    -------
    HeatResult
        Energy balance below 1e-5; the doses are those of the voxel's mean temperature.

    Raises
    ------
    MismatchError
        If an array's shape is not the grid's (``heat.shape``).
    SolverError
        If a step is not solved.

    Examples
    --------
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((24, 24, 24), (2.0, 2.0, 2.0))
    >>> share = np.zeros(grid.shape, np.float32); share[9:15, 9:15, 9:15] = 0.9
    >>> bone = np.ones(grid.shape, np.uint8)
    >>> heat = simulate_curing_heat(
    ...     ScalarVolume(share, grid, "cement share of the voxel"), bone, CementHeat(),
    ...     injected_s=300.0, sites={"centre": share > 0},
    ... )
    >>> 60.0 < heat.sites["centre"].peak_degc < 120.0
    True
    """
    settings = settings or HeatSettings()
    require_range("injected_s", injected_s, 0.0, 36_000.0, code="heat.injected", unit="s")
    for what, array in (("tissue", tissue), *sites.items()):
        if array.shape != cement_fraction.values.shape:
            raise MismatchError(
                "heat.shape",
                got=f"{what} of shape {array.shape}",
                needed=f"the cement's shape {cement_fraction.values.shape}",
                remedy="Give every field on the grid of the cement.",
            )
    grid = heat_grid(
        cement_fraction,
        tissue,
        cement,
        margin_mm=settings.margin_mm,
        cell_mm=settings.cell_mm,
        perfusion=settings.perfusion,
    )
    record = HeatRecord.start(grid, cement_fraction, sites, settings.body_degc, injected_s)
    if grid is not None:
        _simulate(grid, cement, injected_s, settings, record, progress)
    return record.result()


def _simulate(
    grid: HeatGrid,
    cement: CementHeat,
    injected_s: float,
    settings: HeatSettings,
    record: HeatRecord,
    progress: Progress,
) -> None:
    """Step until the reaction has ended and the heat has passed."""
    law = law_numbers(cement.curing)
    cells = grid.cement_cells
    stepper = HeatStepper(grid.problem, grid.start_theta(settings.room_degc - settings.body_degc, cement))
    conversion = np.full(cells.size, float(cement.curing.conversion_at(injected_s, settings.room_degc)))
    record.begin(stepper.theta, conversion, cement)
    joules = grid.cement_cm3 * cement.heat_j_cm3
    capacity = grid.problem.capacity.ravel()[cells]
    time, dt = 0.0, min(0.5, settings.longest_step_s)
    while time < settings.duration_s:
        dt = min(dt, settings.duration_s - time)
        drift = -grid.problem.operator(stepper.theta).ravel()[cells] / capacity
        kelvin = stepper.theta.ravel()[cells] + settings.body_degc + KELVIN_AT_0_DEGC
        after = np.empty_like(conversion)
        most = kernels.cure(conversion, kelvin, joules / capacity, drift, dt, law, _LARGEST_SUBSTEP, after)
        if most > 1.5 * settings.largest_conversion and dt > 0.05:
            dt *= max(settings.largest_conversion / most, 0.2)
            continue
        source = np.zeros_like(stepper.theta)
        source.ravel()[cells] = joules * (after - conversion) / dt
        before = stepper.theta
        stepper.step(source, dt)
        time += dt
        conversion = after
        record.add(before, stepper.theta, dt, injected_s + time, float(np.dot(joules, after)))
        progress(min(time / settings.duration_s, 1.0), "Following the cement's heat")
        if _has_passed(cement.curing, conversion, stepper.theta, settings):
            break
        dt = _next_step(dt, most, float(np.abs(stepper.theta - before).max()), settings)
    record.end(stepper, conversion, grid.cement_cm3)


def law_numbers(law: CuringLaw) -> NDArray[np.float64]:
    """The constants as the kernels take them: A, Ea/R, m, n, limit at 37 °C, its slope."""
    return np.array(
        [
            law.pre_exponential_per_s,
            law.activation_energy_j_mol / GAS_CONSTANT_J_MOLK,
            law.order_m,
            law.order_n,
            law.limit_at_37,
            law.limit_slope_per_k,
        ]
    )


def _has_passed(
    law: CuringLaw, conversion: NDArray[np.float64], theta: NDArray[np.float64], settings: HeatSettings
) -> bool:
    """Whether the cement has all but reached its limit and nothing is warm or cold any more."""
    if np.abs(theta).max() > _QUIET_KELVIN:
        return False
    return bool(np.all(conversion > 0.95 * law.limit(settings.body_degc)))


def _next_step(dt: float, most: float, change: float, settings: HeatSettings) -> float:
    """A step in which neither conversion nor temperature changes by more than is wanted."""
    by_conversion = settings.largest_conversion / max(most, 1e-9)
    by_temperature = 6.0 / max(change, 1e-9)
    return min(dt * min(1.5, by_conversion, by_temperature), settings.longest_step_s)
