"""A bench model of cement leaking from a porous body: an ellipsoid of foam with one leak path.

The published experiments used an established surrogate of open-porous foam filled with a marrow
substitute, with a path from near the needle's tip to the outside; marrow leaves through the open rim.
Its exact dimensions could not be read; those here are assumed and stand below. The bore of the leak
path was fitted to the first of the four groups, on other seeds than those that score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vertebro.cement.site import rheology_of
from vertebro.devices.cannulas import cannula_named
from vertebro.devices.cements import load_cement
from vertebro.devices.syringes import syringe_named
from vertebro.materials.cement_pipe import Tube, delivery_pressure_mpa
from vertebro.numerics.darcy_flow import FlowSettings, Opening, at_rest, step
from vertebro.numerics.darcy_fluids import HerschelBulkley, Newtonian
from vertebro.numerics.darcy_medium import DarcyMedium, FlowNetwork

SEMI_AXES_MM = (21.0, 15.0, 12.0)
SPACING_MM = 1.5
POROSITY = 0.90
PERMEABILITY_MM2 = 0.03
LEAK_DIAMETER_MM = 4.0
MOUTH_MM = 3.0
"""Where the leak path begins, before the middle."""
MARROW_PA_S = 60.0
TUBE_LIQUID_PA_S = 0.1
VOLUME_ML, RATE_ML_MIN, STEP_S = 6.0, 3.0, 5.0
ROOM_C = 22.0


@dataclass(frozen=True, slots=True)
class BenchRun:
    """One injection into the model."""

    leaked_g: float
    injected_ml: float
    peak_syringe_kpa: float
    cannula_share: float


def bench_medium(leak_diameter_mm: float) -> DarcyMedium:
    """The ellipsoid: its rim open to marrow, and a tube from before its middle to the outside."""
    counts = [2 * int(np.ceil(axis / SPACING_MM)) + 1 for axis in SEMI_AXES_MM]
    grid = np.stack(np.meshgrid(*[np.arange(n) - n // 2 for n in counts], indexing="ij")) * SPACING_MM
    inside = sum((grid[a] / SEMI_AXES_MM[a]) ** 2 for a in range(3)) <= 1.0
    rim = np.flatnonzero(inside & ~ndimage.binary_erosion(inside))
    radius, size = leak_diameter_mm / 2.0, inside.size
    length = SEMI_AXES_MM[1] - MOUTH_MM
    distance = np.linalg.norm(grid - np.array([0.0, MOUTH_MM, 0.0])[:, None, None, None], axis=0)
    cells = np.flatnonzero(inside & (distance <= max(radius, 0.75 * SPACING_MM)))
    tap = PERMEABILITY_MM2 * SPACING_MM * 2.0
    tube = np.pi * radius**4 / (8.0 * 0.5 * length)
    inner, outer, leak, vent = size, size + 1, size + 2, size + 3
    joined = [*[(cell, inner, tap) for cell in cells], (inner, outer, tube), (outer, leak, tube)]
    joined += [(cell, vent, tap) for cell in rim]
    half_mm3 = 0.5 * np.pi * radius**2 * length
    network = FlowNetwork(
        volume_mm3=np.array([half_mm3, half_mm3, np.inf, np.inf]),
        held_pressure_mpa=np.array([np.nan, np.nan, 0.0, 0.0]),
        resident_viscosity_mpa_s=np.full(4, TUBE_LIQUID_PA_S * 1e-6),
        first=np.array([row[0] for row in joined]),
        second=np.array([row[1] for row in joined]),
        connectivity_mm3=np.array([row[2] for row in joined]),
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
    tip = middle + np.array([0.0, -3.0, 0.0]) / SPACING_MM + rng.standard_normal(3) / SPACING_MM
    cannula, syringe = cannula_named("11"), syringe_named("syringe_1ml")
    tubes = (
        Tube(syringe.outlet_length_mm, syringe.outlet_diameter_mm),
        Tube(125.0, cannula.inner_diameter_mm),
    )
    opening = Opening((float(tip[0]), float(tip[1]), float(tip[2])), cannula.inner_diameter_mm / 2.0)
    state, leaked, age = at_rest(medium), 0.0, 60.0 * start_min
    injected, peak, share = 0.0, 0.0, 1.0
    rate = RATE_ML_MIN * 1000.0 / 60.0
    settings = FlowSettings(n_threads=1, viscosity_tolerance=0.02)
    while injected < VOLUME_ML * 1000.0 - 1e-6:
        curve = rheology.at_age(age)
        dt = min(STEP_S, (VOLUME_ML * 1000.0 - injected) / rate)
        out = step(
            medium, state, [(opening, rate)],
            injected=HerschelBulkley(curve.consistency_pa_s * 1e-6, curve.flow_index, slowest_mm_s=0.24),
            resident=Newtonian(marrow * 1e-6), dt_s=dt, settings=settings,
        )  # fmt: skip
        state, injected, age = out.state, injected + rate * dt, age + dt * float(rheology.ageing_rate(30.0))
        leaked += float(out.report.outlet_cement_mm3[2])
        lost = delivery_pressure_mpa(tubes, rate, curve)
        total = 1000.0 * (lost + out.report.opening_pressure_mpa[0])
        if total > peak:
            peak, share = total, 1000.0 * lost / total
    leaked += float(medium.network.volume_mm3[1] * state.node_saturation[1])
    return BenchRun(leaked / 1000.0 * cement.density_g_cc.value, injected / 1000.0, peak, share)
