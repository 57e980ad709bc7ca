"""A bench model of cement leaking from a porous body: an ellipsoid in a closed shell with one leak path.

The published experiments used an established surrogate of open-porous foam filled with a marrow
substitute, with one leak path. Its exact dimensions, volume and rate could not be read; those here are
assumed. Two of them, the tip's distance from the path and the dose, were chosen by hand among a few values
on other seeds than those that score, with all four groups in view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vertebro.cement.site import rheology_of
from vertebro.devices.cannulas import cannula_named
from vertebro.devices.cements import load_cement
from vertebro.devices.syringes import syringe_named
from vertebro.materials.cement_pipe import Tube, delivery_pressure_mpa
from vertebro.numerics.darcy_flow import FlowSettings, Opening, at_rest, step
from vertebro.numerics.darcy_fluids import HerschelBulkley, Newtonian
from vertebro.numerics.darcy_medium import DarcyMedium, FlowNetwork

SEMI_AXES_MM = (21.0, 15.0, 12.0)
SPACING_MM = 2.0
POROSITY = 0.90
PERMEABILITY_MM2 = 0.03
LEAK_DIAMETER_MM = 3.0
LEAK_LENGTH_MM = 6.0
TIP_AHEAD_MM = 3.0
"""Of the middle, towards the leak path; chosen."""
MARROW_PA_S = 60.0
"""Effective, of the substitute in the foam's pores: the upper end of the range that shows the trend."""
TUBE_LIQUID_PA_S = 0.1
VOLUME_ML, RATE_ML_MIN, STEP_S = 6.0, 3.0, 10.0
"""The dose was chosen."""
ROOM_C = 30.0
"""Mean temperature that the cement ages at on its way from the syringe into a model at 37 °C."""


@dataclass(frozen=True, slots=True)
class BenchRun:
    """One injection into the model."""

    leaked_g: float
    injected_ml: float
    peak_syringe_kpa: float
    cannula_share: float


def bench_medium(leak_diameter_mm: float) -> DarcyMedium:
    """The ellipsoid; its only way out is a tube through the front of the shell."""
    counts = [2 * int(np.ceil(axis / SPACING_MM)) + 1 for axis in SEMI_AXES_MM]
    grid = np.stack(np.meshgrid(*[np.arange(n) - n // 2 for n in counts], indexing="ij")) * SPACING_MM
    inside = sum((grid[a] / SEMI_AXES_MM[a]) ** 2 for a in range(3)) <= 1.0
    radius, size = leak_diameter_mm / 2.0, inside.size
    mouth = inside & (np.hypot(grid[0], grid[2]) <= max(radius, 0.75 * SPACING_MM))
    cells = np.flatnonzero(mouth & (grid[1] == grid[1][mouth].max()))
    tap = 8.0 * PERMEABILITY_MM2 * SPACING_MM
    network = FlowNetwork(
        volume_mm3=np.array([np.pi * radius**2 * LEAK_LENGTH_MM, np.inf]),
        held_pressure_mpa=np.array([np.nan, 0.0]),
        resident_viscosity_mpa_s=np.full(2, TUBE_LIQUID_PA_S * 1e-6),
        first=np.array([*cells, size]),
        second=np.array([size] * len(cells) + [size + 1]),
        connectivity_mm3=np.array([tap] * len(cells) + [np.pi * radius**4 / (8.0 * LEAK_LENGTH_MM)]),
    )
    return DarcyMedium(
        spacing_mm=SPACING_MM,
        porosity=np.where(inside, POROSITY, 0.0),
        permeability_mm2=np.where(inside, PERMEABILITY_MM2, 0.0),
        border_pressure_mpa=(None,) * 6,
        network=network,
    )


def inject_bench(
    product: str, start_min: float, rng: np.random.Generator, leak_diameter_mm: float = LEAK_DIAMETER_MM
) -> BenchRun:
    """One injection: cement and marrow vary between specimens, and the tip by a millimetre."""
    cement = load_cement(product)
    rheology = rheology_of(cement).scaled(
        float(cement.viscosity_spread.value ** (0.5 * rng.standard_normal()))
    )
    marrow = MARROW_PA_S * 10.0 ** (0.15 * rng.standard_normal())
    medium = bench_medium(leak_diameter_mm)
    middle = (np.array(medium.shape) - 1) / 2.0
    tip = middle + np.array([0.0, TIP_AHEAD_MM, 0.0]) / SPACING_MM + rng.standard_normal(3) / SPACING_MM
    cannula, syringe = cannula_named("11"), syringe_named("syringe_1ml")
    tubes = (
        Tube(syringe.outlet_length_mm, syringe.outlet_diameter_mm),
        Tube(125.0, cannula.inner_diameter_mm),
    )
    opening = Opening((float(tip[0]), float(tip[1]), float(tip[2])), cannula.inner_diameter_mm / 2.0)
    state, leaked, age = at_rest(medium), 0.0, 60.0 * start_min
    injected, peak, share = 0.0, 0.0, 1.0
    rate = RATE_ML_MIN * 1000.0 / 60.0
    settings = FlowSettings(n_threads=1, viscosity_tolerance=0.05)
    while injected < VOLUME_ML * 1000.0 - 1e-6:
        curve = rheology.at_age(age)
        dt = min(STEP_S, (VOLUME_ML * 1000.0 - injected) / rate)
        out = step(
            medium, state, [(opening, rate)],
            injected=HerschelBulkley(curve.consistency_pa_s * 1e-6, curve.flow_index, slowest_mm_s=0.24),
            resident=Newtonian(marrow * 1e-6), dt_s=dt, settings=settings,
        )  # fmt: skip
        state, injected, age = out.state, injected + rate * dt, age + dt * float(rheology.ageing_rate(ROOM_C))
        leaked += float(out.report.outlet_cement_mm3[1])
        lost = delivery_pressure_mpa(tubes, rate, curve)
        total = 1000.0 * (lost + out.report.opening_pressure_mpa[0])
        if total > peak:
            peak, share = total, 1000.0 * lost / total
    leaked += float(medium.network.volume_mm3[0] * state.node_saturation[0])
    return BenchRun(leaked / 1000.0 * cement.density_g_cc.value, injected / 1000.0, peak, share)
