"""Laws of the fluids in Darcy flow: Newtonian, and shear-thinning with a yield stress.

In pores a fluid's apparent viscosity depends on the superficial (Darcy) speed u. For a power-law fluid
the bundle-of-tubes model of Christopher and Middleman gives ``-grad p = (eta_eff / k) u^n`` with
``eta_eff = (K/12) (9 + 3/n)^n (150 k phi)^((1-n)/2)``. A yield stress adds a pressure gradient below
which nothing flows, taken from the same bundle of tubes: ``G = tau_y (phi/(2 k))^(1/2)`` (tube radius
``(8 k/phi)^(1/2)``, wall stress ``G R/2``). Units: mm, s, MPa.

References
----------
.. [1] R. H. Christopher, S. Middleman, Ind. Eng. Chem. Fundam. 4:422-426, 1965, equations 3-9.
.. [2] T. Al-Fariss, K. Pinder, Can. J. Chem. Eng. 65:391-405, 1987 (Herschel-Bulkley in packed beds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError

Floats = NDArray[np.float64]


def _positive(name: str, value: ArrayLike, *, zero: bool = False) -> None:
    array = np.asarray(value, float)
    if array.size == 0 or not np.all(np.isfinite(array)) or np.any(array < 0.0 if zero else array <= 0.0):
        raise InputError(
            "flow.fluid",
            got=f"{name} with a value that is not finite or not above 0",
            needed="finite values above 0",
            remedy="Correct the fluid's law.",
            fields=(name,),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Newtonian:
    """A fluid of one viscosity, or of one in every cell.

    Parameters
    ----------
    viscosity_mpa_s : float or (nx, ny, nz) array, > 0

    Raises
    ------
    InputError
        ``flow.fluid`` for a viscosity that is not above 0.
    """

    viscosity_mpa_s: float | Floats

    def __post_init__(self) -> None:
        _positive("viscosity_mpa_s", self.viscosity_mpa_s)

    @property
    def is_newtonian(self) -> bool:
        """Whether the viscosity is the same at every speed."""
        return True

    def apparent_mpa_s(
        self,
        speed_mm_s: Floats,
        permeability_mm2: Floats,  # noqa: ARG002 - the other law needs it
        porosity: Floats,  # noqa: ARG002 - the other law needs it
    ) -> Floats:
        """Viscosity at a superficial speed; here the same at all."""
        return np.broadcast_to(np.asarray(self.viscosity_mpa_s, float), np.shape(speed_mm_s)).copy()


@dataclass(frozen=True, slots=True, eq=False)
class HerschelBulkley:
    """``tau = tau_y + K rate^n``; a power law where the yield stress is 0.

    Parameters
    ----------
    consistency_mpa_sn : float, > 0
        K in MPa·sⁿ.
    exponent : float in (0, 1.5]
        n; below 1 the fluid thins with shear.
    yield_stress_mpa : float, >= 0
    slowest_mm_s : float, > 0
        Superficial speed below which the viscosity is taken as at that speed: keeps fluid at rest
        from being infinitely stiff.

    Raises
    ------
    InputError
        ``flow.fluid`` for values outside their range.
    """

    consistency_mpa_sn: float
    exponent: float
    yield_stress_mpa: float = 0.0
    slowest_mm_s: float = 1e-4

    def __post_init__(self) -> None:
        _positive("consistency_mpa_sn", self.consistency_mpa_sn)
        _positive("exponent", self.exponent)
        _positive("yield_stress_mpa", self.yield_stress_mpa, zero=True)
        _positive("slowest_mm_s", self.slowest_mm_s)

    @property
    def is_newtonian(self) -> bool:
        """Whether the viscosity is the same at every speed."""
        return self.exponent == 1.0 and self.yield_stress_mpa == 0.0

    def apparent_mpa_s(self, speed_mm_s: Floats, permeability_mm2: Floats, porosity: Floats) -> Floats:
        """Apparent viscosity at a superficial speed (arrays of one shape).

        Examples
        --------
        A power law with n = 1 is Newtonian with viscosity K.

        >>> law = HerschelBulkley(2e-4, 1.0)
        >>> float(law.apparent_mpa_s(np.array(0.1), np.array(0.04), np.array(0.8)))
        0.0002
        """
        n, k = self.exponent, np.asarray(permeability_mm2, float)
        speed = np.maximum(np.asarray(speed_mm_s, float), self.slowest_mm_s)
        bundle = (self.consistency_mpa_sn / 12.0) * (9.0 + 3.0 / n) ** n
        effective = bundle * (150.0 * k * porosity) ** ((1.0 - n) / 2.0)
        gradient = self.yield_stress_mpa * np.sqrt(porosity / (2.0 * k))
        apparent: Floats = effective * speed ** (n - 1.0) + gradient * k / speed
        return apparent


Fluid = Newtonian | HerschelBulkley
