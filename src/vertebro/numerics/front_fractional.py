"""Transport by fractional flow (Corey): two fluids that share the pores instead of a sharp front.

Relative permeabilities ``S^n`` and ``(1 - S)^n``; cement's share of the flow is
``f = (S^n/eta_c) / (S^n/eta_c + (1-S)^n/eta_r)``. Explicit upwind in as many parts as stability asks
for. It serves where the sharp front is doubted, and to hold the solver against Buckley and Leverett.
Units: mm, s, MPa.

References
----------
.. [1] S. Buckley, M. Leverett, Trans. AIME 146:107-116, 1942.
.. [2] R. H. Brooks, A. T. Corey, Hydrology Papers 3, Colorado State University, 1964.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.darcy_assembly import FaceFlux

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FractionalFlow:
    """Corey's law for two viscosities (arrays of the cells' shape)."""

    exponent: float
    cement_mpa_s: Floats
    resident_mpa_s: Floats

    def total_mobility(self, saturation: Floats) -> Floats:
        """Sum of both fluids' relative permeability over viscosity, 1/(MPa·s)."""
        s = np.clip(saturation, 0.0, 1.0)
        total: Floats = (
            s**self.exponent / self.cement_mpa_s + (1.0 - s) ** self.exponent / self.resident_mpa_s
        )
        return total

    def share(self, saturation: Floats) -> Floats:
        """Cement's share of the flow.

        Examples
        --------
        >>> one = np.ones(1)
        >>> float(FractionalFlow(2.0, one, one).share(0.5 * one)[0])
        0.5
        """
        s = np.clip(saturation, 0.0, 1.0)
        cement: Floats = s**self.exponent / self.cement_mpa_s
        return cement / self.total_mobility(s)

    def steepest(self) -> float:
        """Largest slope of the share over saturation, over the cells' extreme viscosity ratios."""
        s = np.linspace(0.0, 1.0, 2001)
        ratio = self.resident_mpa_s / self.cement_mpa_s
        slopes = []
        for value in (float(ratio.min()), float(ratio.max())):
            cement = value * s**self.exponent
            slopes.append(float(np.max(np.diff(cement / (cement + (1.0 - s) ** self.exponent)) / np.diff(s))))
        return max(slopes)


def move_by_fractions(
    volume_mm3: Floats, gain_mm3_s: Floats, outflow_mm3_s: Floats, field: tuple[Floats, FaceFlux],
    law: FractionalFlow, dt_s: float,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Move cement for a time on ghosted cells.

    Parameters
    ----------
    volume_mm3 : ghosted array
        Cement in every cell.
    gain_mm3_s : ghosted array
        Cement that mouths add.
    outflow_mm3_s : ghosted array
        Flow of both fluids out of each cell into held pressures.
    field : (pore volume mm³, FaceFlux)
    law : FractionalFlow
    dt_s : float

    Returns
    -------
    volume_mm3 : ghosted array
    left_mm3 : ghosted array
        Cement that left from every cell into held pressures.
    """
    pores, flux = field
    faces = (flux.x, flux.y, flux.z)
    through = outflow_mm3_s.copy()
    for axis, f in enumerate(faces):
        through += np.maximum(f, 0.0) + np.maximum(-np.roll(f, 1, axis), 0.0)
    is_open = pores > 0.0
    fastest = float(np.max(through[is_open] / pores[is_open])) * law.steepest()
    n = max(1, int(np.ceil(dt_s * fastest / 0.8)))
    dt, volume, left = dt_s / n, volume_mm3.copy(), np.zeros_like(volume_mm3)
    for _ in range(n):
        share = law.share(np.divide(volume, pores, out=np.zeros_like(volume), where=is_open))
        change = gain_mm3_s - share * outflow_mm3_s
        left += dt * share * outflow_mm3_s
        for axis, f in enumerate(faces):
            carried = np.maximum(f, 0.0) * share + np.minimum(f, 0.0) * np.roll(share, -1, axis)
            change += np.roll(carried, 1, axis) - carried
        volume += dt * change
    return volume, left
