"""How stiff setting bone cement is: viscosity by time, shear rate and temperature.

Acrylic cement is shear-thinning and thickens while it polymerises. At a rheological age ``τ``

    stress(γ̇) = τ_y(τ)·(1 − e^(−γ̇/γ̇_y)) + K(τ)·γ̇₁·(γ̇/γ̇₁)^n(τ),   γ̇₁ = 1/s,

which is Herschel–Bulkley with Papanastasiou's regular start; with ``τ_y = 0`` it is a power law. Below
``PLATEAU_PER_S`` the viscosity stays level, so that cement at rest has a finite one. Warmth lets the
age run faster than the clock (Arrhenius). Units: seconds, Pa·s, °C; the engine's MPa·s at its edge.

References
----------
.. [1] Krause, Miller, Ng, J Biomed Mater Res 1982;16:219: acrylic cements are pseudoplastic and the
   index falls with time.
.. [2] Papanastasiou, J Rheol 1987;31:385: regular start of a yield stress.
.. [3] Trivedi et al., arXiv 2312.11426 (2023): curing in two phases; strong effect of deformation and
   temperature; published absolute viscosities carry a factor of several.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError, require_range

PLATEAU_PER_S = 1.0
"""Shear rate below which viscosity no longer rises. Calibrated: published viscosities of cement are those
at about 1/s, and only if cement in bone, where it is sheared at 0.1 to 1/s, is no thicker than that does
thin cement leak more than thick cement, as experiments show; a power law down to rest would make every
cement thicker than marrow."""
YIELD_START_PER_S = 0.1
"""Shear rate over which the yield stress builds up in the regular start (assumed)."""
SET_VISCOSITY_PA_S = 1e5
"""Consistency at which cement counts as set and does not move (assumed: a hundred times the end of the
working phase)."""
GAS_CONSTANT = 8.314462618
"""J/(mol·K)."""


@dataclass(frozen=True, slots=True)
class RheologyPoint:
    """The flow curve at one age."""

    age_s: float
    consistency_pa_s: float
    """K: the viscosity at 1/s, yield stress aside."""
    flow_index: float
    """n; 1 is Newtonian."""
    yield_stress_pa: float = 0.0


@dataclass(frozen=True, slots=True)
class CementRheology:
    """The flow of one product from mixing to set.

    Parameters
    ----------
    points : tuple of RheologyPoint
        Rising age; at least two.
    reference_c : float
        Temperature at which the points hold.
    activation_kj_mol : float
        How strongly warmth hastens setting.
    set_age_s : float
        Age at which it is hard.

    Raises
    ------
    InputError
        If ages do not rise or a value makes no sense (``cement.rheology``).

    Examples
    --------
    >>> thick = CementRheology((RheologyPoint(240.0, 100.0, 0.5), RheologyPoint(540.0, 739.0, 0.5)))
    >>> round(float(thick.viscosity_pa_s(240.0, 1.0)), 1)
    100.0
    >>> bool(thick.viscosity_pa_s(240.0, 100.0) < thick.viscosity_pa_s(240.0, 1.0))
    True
    """

    points: tuple[RheologyPoint, ...]
    reference_c: float = 22.0
    activation_kj_mol: float = 60.0
    set_age_s: float = 900.0

    def __post_init__(self) -> None:
        ages = [point.age_s for point in self.points]
        is_sound = (
            len(ages) >= 2
            and all(a < b for a, b in itertools.pairwise(ages))
            and ages[-1] < self.set_age_s
            and all(p.consistency_pa_s > 0.0 and 0.05 <= p.flow_index <= 1.5 for p in self.points)
            and all(p.yield_stress_pa >= 0.0 for p in self.points)
        )
        if not is_sound:
            raise InputError(
                "cement.rheology",
                got="a flow curve whose ages do not rise to the set age, or with impossible values",
                needed="two or more ages below the set age, positive consistency, index 0.05 to 1.5",
                remedy="Correct the cement's data file.",
                fields=("points",),
            )

    def ageing_rate(self, temperature_c: ArrayLike) -> NDArray[np.float64]:
        """Seconds of age for a second of the clock at a temperature.

        Examples
        --------
        >>> rheology = CementRheology((RheologyPoint(0.0, 50.0, 1.0), RheologyPoint(300.0, 90.0, 1.0)))
        >>> round(float(rheology.ageing_rate(22.0)), 6), round(float(rheology.ageing_rate(37.0)), 2)
        (1.0, 3.26)
        """
        kelvin = np.asarray(temperature_c, dtype=np.float64) + 273.15
        inverse = 1.0 / (self.reference_c + 273.15) - 1.0 / kelvin
        return np.asarray(np.exp(self.activation_kj_mol * 1e3 / GAS_CONSTANT * inverse))

    def at_age(self, age_s: float) -> RheologyPoint:
        """The flow curve at an age: consistency and yield stress grow geometrically between points.

        After the last point the consistency climbs to :data:`SET_VISCOSITY_PA_S` at the set age.

        Raises
        ------
        InputError
            If the age is negative or no number (``cement.age``).
        """
        require_range("age_s", age_s, 0.0, float("inf"), code="cement.age", unit="s")
        first, last = self.points[0], self.points[-1]
        if age_s <= first.age_s:
            second = self.points[1]
            slope = math.log(second.consistency_pa_s / first.consistency_pa_s) / (second.age_s - first.age_s)
            thinner = first.consistency_pa_s * math.exp(max(slope, 0.0) * (age_s - first.age_s))
            return RheologyPoint(age_s, thinner, first.flow_index, first.yield_stress_pa)
        if age_s >= self.set_age_s:
            return RheologyPoint(age_s, SET_VISCOSITY_PA_S, last.flow_index, last.yield_stress_pa)
        if age_s >= last.age_s:
            share = (age_s - last.age_s) / (self.set_age_s - last.age_s)
            end = max(SET_VISCOSITY_PA_S, last.consistency_pa_s)
            consistency = last.consistency_pa_s * (end / last.consistency_pa_s) ** share
            return RheologyPoint(age_s, consistency, last.flow_index, last.yield_stress_pa)
        for low, high in zip(self.points, self.points[1:], strict=False):
            if age_s <= high.age_s:
                return _between(low, high, age_s)
        raise AssertionError("ages rise")

    def is_set(self, age_s: float) -> bool:
        """Whether cement of that age is hard."""
        return age_s >= self.set_age_s

    def viscosity_pa_s(self, age_s: float, shear_rate_per_s: ArrayLike) -> NDArray[np.float64]:
        """Apparent viscosity, Pa·s, at an age and shear rates of any shape."""
        return apparent_viscosity_pa_s(self.at_age(age_s), shear_rate_per_s)

    def scaled(self, factor: float) -> CementRheology:
        """The same cement, thicker by a factor at every age: another batch, or the spread of reports."""
        points = tuple(
            RheologyPoint(p.age_s, p.consistency_pa_s * factor, p.flow_index, p.yield_stress_pa * factor)
            for p in self.points
        )
        return CementRheology(points, self.reference_c, self.activation_kj_mol, self.set_age_s)


def apparent_viscosity_pa_s(curve: RheologyPoint, shear_rate_per_s: ArrayLike) -> NDArray[np.float64]:
    """Stress over shear rate of a flow curve, level below the plateau.

    Examples
    --------
    >>> curve = RheologyPoint(0.0, 200.0, 0.5)
    >>> apparent_viscosity_pa_s(curve, [1.0, 4.0]).tolist()
    [200.0, 100.0]
    """
    rate = np.maximum(np.asarray(shear_rate_per_s, dtype=np.float64), PLATEAU_PER_S)
    viscosity = curve.consistency_pa_s * rate ** (curve.flow_index - 1.0)
    if curve.yield_stress_pa > 0.0:
        viscosity = viscosity + curve.yield_stress_pa * -np.expm1(-rate / YIELD_START_PER_S) / rate
    return np.asarray(viscosity)


def _between(low: RheologyPoint, high: RheologyPoint, age_s: float) -> RheologyPoint:
    share = (age_s - low.age_s) / (high.age_s - low.age_s)
    consistency = low.consistency_pa_s * (high.consistency_pa_s / low.consistency_pa_s) ** share
    index = low.flow_index + share * (high.flow_index - low.flow_index)
    yield_pa = low.yield_stress_pa + share * (high.yield_stress_pa - low.yield_stress_pa)
    return RheologyPoint(age_s, consistency, index, yield_pa)
