"""How strong trabecular bone is against a balloon, from its density.

Density in mg/cc of K2HPO4, as QCT gives it; strength and modulus in MPa.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_DENSITY_MG_CC = 10.0
"""Below it bone is taken to be this dense: fat and noise read lower still (assumed)."""
MODULUS_TO_STRENGTH = 150.0
"""Modulus against crushing strength; Kopperdahl's two laws give 131 to 194 between 50 and 200 mg/cc, and the
cavity's pressure hardly depends on it."""


def crushing_strength_mpa(density_mg_cc: ArrayLike) -> NDArray[np.float64]:
    """Yield strength of vertebral trabecular bone under pressure.

    ``37.4·ρ^1.39`` with ρ in g/cc; along the spine's axis, unbroken bone. Across it bone is weaker, and a
    balloon presses all ways; both are left to the damage that the caller takes off.

    Parameters
    ----------
    density_mg_cc : array_like

    Returns
    -------
    float array, MPa

    References
    ----------
    .. [1] Kopperdahl, Morgan, Keaveny, J Orthop Res 2002;20:801 (vertebral QCT density).

    Examples
    --------
    >>> crushing_strength_mpa([50.0, 100.0]).round(2).tolist()
    [0.58, 1.52]
    """
    density = np.maximum(np.asarray(density_mg_cc, dtype=np.float64), LEAST_DENSITY_MG_CC) / 1000.0
    return np.asarray(37.4 * density**1.39)
