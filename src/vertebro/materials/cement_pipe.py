"""Pressure lost by setting cement in round tubes (cannulas, veins) and slits (fissures), in closed form.

Inside units: mm, s, N, MPa; viscosity MPa·s, consistency MPa·sⁿ, stress MPa, rate mm³/s.

References
----------
.. [1] Bird, Armstrong, Hassager, Dynamics of Polymeric Liquids, vol. 1 (1987), ch. 4: Hagen–Poiseuille,
   power law and Herschel–Bulkley in tubes; power law in slits.
.. [2] Baroud & Steffen, J Biomech 2005;38:2063 (PMC3454663): about 95 % of the pressure is lost in the
   cannula; doubling the bore of its proximal part saves 63 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vertebro.errors import require_range
from vertebro.materials.cement_rheology import RheologyPoint
from vertebro.units import MPA_S_PER_PA_S

_N_BISECTIONS = 200


@dataclass(frozen=True, slots=True)
class Tube:
    """A straight round tube."""

    length_mm: float
    diameter_mm: float

    def __post_init__(self) -> None:
        require_range("length_mm", self.length_mm, 0.0, 1e4, code="cement.tube", unit="mm")
        require_range("diameter_mm", self.diameter_mm, 0.05, 100.0, code="cement.tube", unit="mm")

    @property
    def radius_mm(self) -> float:
        """Half the bore."""
        return self.diameter_mm / 2.0


def hagen_poiseuille_mpa(tube: Tube, rate_mm3_s: float, viscosity_mpa_s: float) -> float:
    """Pressure that a Newtonian liquid loses in a tube, ``128 η L Q/(π D⁴)``.

    Examples
    --------
    4 mL/min of 200 Pa·s through 125 mm of 2.69 mm bore:

    >>> round(hagen_poiseuille_mpa(Tube(125.0, 2.69), 4000.0 / 60.0, 200e-6), 2)
    1.3
    """
    return 128.0 * viscosity_mpa_s * tube.length_mm * rate_mm3_s / (math.pi * tube.diameter_mm**4)


def power_law_mpa(tube: Tube, rate_mm3_s: float, consistency_mpa_sn: float, index: float) -> float:
    """Pressure that a power-law liquid loses in a tube, ``(2 L K/R)·[((3n+1)/n)·Q/(πR³)]ⁿ``.

    Examples
    --------
    >>> round(power_law_mpa(Tube(125.0, 2.69), 4000.0 / 60.0, 200e-6, 0.5), 3)
    0.245
    """
    if rate_mm3_s == 0.0:
        return 0.0
    radius = tube.radius_mm
    wall = (3.0 * index + 1.0) / index * abs(rate_mm3_s) / (math.pi * radius**3)
    return math.copysign(2.0 * tube.length_mm * consistency_mpa_sn / radius * wall**index, rate_mm3_s)


def herschel_bulkley_rate_mm3_s(
    tube: Tube, pressure_mpa: float, consistency_mpa_sn: float, index: float, yield_stress_mpa: float
) -> float:
    """Rate at which a Herschel–Bulkley liquid passes a tube under a pressure; 0 below its yield.

    ``Q = πR³ (τ_w − τ_y)^(1/n+1)/(K^(1/n) τ_w³) · [(τ_w−τ_y)²/(1/n+3) + 2τ_y(τ_w−τ_y)/(1/n+2) +
    τ_y²/(1/n+1)]`` with ``τ_w = Δp R/(2L)``.

    Examples
    --------
    Without a yield stress it is the power law's inverse:

    >>> tube = Tube(125.0, 2.69)
    >>> pressure = power_law_mpa(tube, 50.0, 200e-6, 0.5)
    >>> round(herschel_bulkley_rate_mm3_s(tube, pressure, 200e-6, 0.5, 0.0), 9)
    50.0
    """
    if tube.length_mm == 0.0:
        return math.inf
    radius = tube.radius_mm
    wall = abs(pressure_mpa) * radius / (2.0 * tube.length_mm)
    if wall <= yield_stress_mpa:
        return 0.0
    above, m = wall - yield_stress_mpa, 1.0 / index
    shape = (
        above**2 / (m + 3.0) + 2.0 * yield_stress_mpa * above / (m + 2.0) + yield_stress_mpa**2 / (m + 1.0)
    )
    rate = math.pi * radius**3 * above ** (m + 1.0) / (consistency_mpa_sn**m * wall**3) * shape
    return float(math.copysign(rate, pressure_mpa))


def herschel_bulkley_mpa(
    tube: Tube, rate_mm3_s: float, consistency_mpa_sn: float, index: float, yield_stress_mpa: float
) -> float:
    """Pressure that a Herschel–Bulkley liquid loses in a tube at a rate: the inverse, by bisection.

    Examples
    --------
    >>> tube = Tube(125.0, 2.69)
    >>> pressure = herschel_bulkley_mpa(tube, 50.0, 200e-6, 0.5, 50e-6)
    >>> round(herschel_bulkley_rate_mm3_s(tube, pressure, 200e-6, 0.5, 50e-6), 6)
    50.0
    """
    if yield_stress_mpa <= 0.0 or rate_mm3_s == 0.0 or tube.length_mm == 0.0:
        return power_law_mpa(tube, rate_mm3_s, consistency_mpa_sn, index)
    low = 2.0 * tube.length_mm * yield_stress_mpa / tube.radius_mm
    high = low + 4.0 * power_law_mpa(tube, abs(rate_mm3_s), consistency_mpa_sn, index) + low
    for _ in range(_N_BISECTIONS):
        middle = 0.5 * (low + high)
        rate = herschel_bulkley_rate_mm3_s(tube, middle, consistency_mpa_sn, index, yield_stress_mpa)
        low, high = (middle, high) if rate < abs(rate_mm3_s) else (low, middle)
        if high - low <= 1e-14 * high:
            break
    return math.copysign(0.5 * (low + high), rate_mm3_s)


def delivery_pressure_mpa(tubes: Sequence[Tube], rate_mm3_s: float, curve: RheologyPoint) -> float:
    """Pressure that cement loses in tubes in a row: syringe outlet, cannula, side branch.

    Parameters
    ----------
    tubes : sequence of Tube
    rate_mm3_s : float
    curve : RheologyPoint
        Of the cement that is in them.

    Examples
    --------
    >>> curve = RheologyPoint(0.0, 200.0, 0.5)
    >>> round(delivery_pressure_mpa([Tube(125.0, 2.69)], 4000.0 / 60.0, curve), 3)
    0.245
    """
    return math.fsum(
        herschel_bulkley_mpa(
            tube,
            rate_mm3_s,
            curve.consistency_pa_s * MPA_S_PER_PA_S,
            curve.flow_index,
            curve.yield_stress_pa * MPA_S_PER_PA_S,
        )
        for tube in tubes
    )


def tube_shear_rate_per_s(radius_mm: float, rate_mm3_s: float, index: float) -> float:
    """Shear rate at a tube's wall, ``((3n+1)/(4n))·4Q/(πR³)``."""
    return float((3.0 * index + 1.0) / index * abs(rate_mm3_s) / (math.pi * radius_mm**3))


def double_diameter_saving(length_share: float, index: float = 1.0) -> float:
    """Share of the pressure saved by doubling the bore over a share of a cannula's length.

    Newtonian ``(15/16) f``; a power law saves ``(1 − 2^−(3n+1)) f``.

    Examples
    --------
    >>> round(double_diameter_saving(0.672), 3)
    0.63
    """
    return float((1.0 - 2.0 ** -(3.0 * index + 1.0)) * length_share)
