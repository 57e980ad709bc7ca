"""What lies outside the bone pushes back: the more cement it has taken, the harder.

Veins give way freely. A disc, the epidural space and soft tissue must be pushed aside, so their pressure
rises with the cement that they hold. Pressures are above that of the veins, MPa inside.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Compartment
from vertebro.cement.settings import BackPressureSettings
from vertebro.numerics.darcy_medium import DarcyMedium

Floats = NDArray[np.float64]


def back_pressure_mpa(place: Compartment, held_ml: float, settings: BackPressureSettings) -> float:
    """Pressure of a compartment that holds so much cement.

    Examples
    --------
    >>> tissue = BackPressureSettings()
    >>> back_pressure_mpa(Compartment.VEIN, 2.0, tissue)
    0.0
    >>> back_pressure_mpa(Compartment.DISC_ABOVE, 1.0, tissue) > 0.02
    True
    """
    if place in (Compartment.DISC_ABOVE, Compartment.DISC_BELOW):
        return 1e-3 * settings.disc_kpa_per_ml * held_ml
    if place in (Compartment.CANAL, Compartment.FORAMEN):
        return 1e-3 * settings.epidural_kpa_per_ml * held_ml
    if place is Compartment.PARAVERTEBRAL:
        return 1e-3 * settings.soft_tissue_kpa_per_ml * held_ml
    return 0.0


def with_outlet_pressures(
    medium: DarcyMedium, nodes: NDArray[np.int64], pressures_mpa: Floats
) -> DarcyMedium:
    """The same medium with other pressures held at some of its network's nodes.

    Nothing else changes, so that what the solver prepared of the medium is kept.

    Parameters
    ----------
    medium : DarcyMedium
    nodes : (n,) int array
    pressures_mpa : (n,) float array
    """
    held = np.array(medium.network.held_pressure_mpa)
    held[nodes] = pressures_mpa
    planned = np.array(medium.plan.node_pressure_mpa)
    planned[nodes] = pressures_mpa
    changed = copy.copy(medium)
    object.__setattr__(changed, "network", replace(medium.network, held_pressure_mpa=held))
    object.__setattr__(changed, "plan", replace(medium.plan, node_pressure_mpa=planned))
    return changed
