"""What heat does to tissue: equivalent minutes at 43 °C, and Henriques' burn integral.

Both sum a rate that climbs steeply with temperature. Henriques' constants are those of skin; bone has none
of its own that are agreed on. Bone itself is harmed from 47 °C for one minute (Eriksson and Albrektsson, J
Prosthet Dent 1983;50:101, rabbit), which is 16 minutes at 43 °C.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.materials.curing import GAS_CONSTANT_J_MOLK, KELVIN_AT_0_DEGC

HENRIQUES_RATE_PER_S = 3.1e98
"""Henriques, Arch Pathol 1947;43:489 (skin)."""
HENRIQUES_ENERGY_J_MOL = 6.28e5
"""Henriques, Arch Pathol 1947;43:489 (skin)."""


def cem43_rate(degc: ArrayLike) -> NDArray[np.float64]:
    """Minutes at 43 °C for each minute at a temperature: 2 for each kelvin above 43, 4 below.

    Parameters
    ----------
    degc : array_like

    Returns
    -------
    float array

    References
    ----------
    .. [1] Sapareto and Dewey, Int J Radiat Oncol Biol Phys 1984;10:787.

    Examples
    --------
    >>> cem43_rate([42.0, 43.0, 47.0])
    array([ 0.25,  1.  , 16.  ])
    """
    above = np.asarray(degc, dtype=np.float64) - 43.0
    return np.where(above >= 0.0, 2.0**above, 4.0**above)


def henriques_rate_per_s(degc: ArrayLike) -> NDArray[np.float64]:
    """Growth of Henriques' burn integral each second at a temperature.

    Examples
    --------
    >>> round(30.0 * float(henriques_rate_per_s(55.0)), 1)
    1.0
    """
    kelvin = np.asarray(degc, dtype=np.float64) + KELVIN_AT_0_DEGC
    exponent = np.log(HENRIQUES_RATE_PER_S) - HENRIQUES_ENERGY_J_MOL / (GAS_CONSTANT_J_MOLK * kelvin)
    return np.asarray(np.exp(exponent))
