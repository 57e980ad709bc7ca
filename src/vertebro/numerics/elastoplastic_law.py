"""How a brick of bone yields, hardens and softens: Drucker–Prager plasticity with isotropic damage.

The effective stress of the mean strain lies within a cone whose apex is in tension, so that a bar
yields at ``E·yield_strain_tension`` when pulled and at ``E·yield_strain_compression`` when pressed;
with equal strains the cone is von Mises' cylinder. Flow is associated, hardening is a straight line,
and the stress is the effective stress times (1 − damage), which grows with plastic strain. The rate of
damage goes with the brick's size, so that crushing one layer of bricks takes the same energy on any
grid (crack band). Plain NumPy over all bricks at once, arrays ``(6, n)`` in Voigt order with
engineering shear strain. mm, N, MPa.

References
----------
.. [1] D. C. Drucker, W. Prager, Soil mechanics and plastic analysis or limit design, Q Appl Math 10
   (1952) 157.
.. [2] J. J. Schwiedrzik, U. Wolfram, P. K. Zysset, A generalized anisotropic quadric yield criterion
   and its application to bone tissue at multiple length scales, Biomech Model Mechanobiol 12 (2013)
   1155: this cone is its isotropic case with interaction 0.5; damage as an exponential of plastic strain.
.. [3] Z. P. Bažant, B. H. Oh, Crack band theory for fracture of concrete, Mater Struct 16 (1983) 155.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError
from vertebro.settings import setting, validate

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlasticMaterial:
    """When bricks yield and how they go on; numbers, or one for each brick ``(i, j, k)``."""

    yield_strain_compression: float | Values = setting(
        0.0084,
        "Yield stress in compression over Young's modulus; infinite for a brick that never yields.",
        unit="1",
        source="Kopperdahl & Keaveny, J Biomech 1998;31:601: 0.84 ± 0.06 % (vertebral trabecular bone)",
    )
    yield_strain_tension: float | Values = setting(
        0.0078,
        "Yield stress in tension over Young's modulus.",
        unit="1",
        source="Kopperdahl & Keaveny, J Biomech 1998;31:601: 0.78 ± 0.04 %",
    )
    hardening_ratio: float = setting(
        0.05,
        "Slope of the effective stress over plastic strain, over Young's modulus.",
        lower=1e-4,
        upper=10.0,
        unit="1",
        source="assumed: 5 % is what finite-element studies of bone commonly take after yield",
    )
    softening_strain: float = setting(
        0.156,
        "Plastic strain, on bricks of the reference size, by which damage has done 63 % of its work.",
        lower=1e-4,
        upper=1e6,
        unit="1",
        source="assumed: with the hardening above a bar peaks at 1.45 % strain, as in Kopperdahl & "
        "Keaveny 1998 (1.45 ± 0.33 %)",
    )
    max_damage: float = setting(
        0.9,
        "Share of the stiffness that is lost in the end.",
        lower=0.0,
        upper=0.99,
        unit="1",
        source="assumed: crushed bone keeps a tenth of its stiffness",
    )
    reference_size_mm: float = setting(
        1.0, "Size of the bricks that the softening strain is for.", lower=1e-3, upper=100.0, unit="mm",
        source="assumed: the grid that strength is computed on by default",
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)
        for name in ("yield_strain_compression", "yield_strain_tension"):
            if not np.all(np.asarray(getattr(self, name)) > 0.0):
                raise InputError(
                    "elasticity.yield",
                    got=f"a value of {name} that is not above 0",
                    needed="yield strains above 0, infinite where a brick never yields",
                    remedy="Check the map of yield strains.",
                    fields=(name,),
                )


@dataclass(frozen=True, eq=False)
class BrickLaw:
    """The law of ``n`` bricks with their constants worked out."""

    bulk: Values
    shear: Values
    deviator_weight: Values
    """A of f = A‖s‖ + B·p − r, 1/MPa."""
    pressure_weight: Values
    """B."""
    yield_stress: Values
    """In compression, MPa."""
    hardening: Values
    """Slope of the yield stress over plastic strain, MPa."""
    softening_strain: float
    max_damage: float

    @classmethod
    def of(cls, young: Values, poisson: Values, plastic: tuple[Values, Values], law: PlasticMaterial,
           size_mm: float) -> BrickLaw:  # fmt: skip
        """The law of bricks of so large a size; ``plastic`` are yield strains (compression, tension)."""
        compression, tension = (np.minimum(strain, 1e6) * young for strain in plastic)
        mean, half = (1.0 / tension + 1.0 / compression) / 2.0, (1.0 / tension - 1.0 / compression) / 2.0
        return cls(
            young / (3.0 * (1.0 - 2.0 * poisson)),
            young / (2.0 * (1.0 + poisson)),
            mean * np.sqrt(1.5),
            3.0 * half,
            compression,
            law.hardening_ratio * young,
            law.softening_strain * law.reference_size_mm / size_mm,
            law.max_damage,
        )

    def damage(self, plastic_length: Values) -> Values:
        """Share of the stiffness lost after so much plastic strain."""
        return np.asarray(-self.max_damage * np.expm1(-plastic_length / self.softening_strain))

    def respond(self, strain: Values, plastic_strain: Values, plastic_length: Values) -> Response:
        """Effective stress of a strain, coming from a plastic state, and how it would change.

        Parameters
        ----------
        strain, plastic_strain : (6, n) arrays
        plastic_length : (n,) array
            Plastic strain of a bar in compression that has flowed as much.
        """
        pressure, deviator = self._trial(strain - plastic_strain)
        size = _norm(deviator)
        strength = 1.0 + self.hardening / self.yield_stress * plastic_length
        excess = self.deviator_weight * size + self.pressure_weight * pressure - strength
        slope = self.hardening / self.yield_stress**2
        a, b, g, k = self.deviator_weight, self.pressure_weight, self.shear, self.bulk
        stiff = 2.0 * g * a**2 + k * b**2 + slope
        flow = np.maximum(excess, 0.0) / stiff
        shrink = 1.0 - 2.0 * g * a * flow / np.maximum(size, 1e-300)
        is_apex = shrink < 0.0
        if is_apex.any():
            at_apex = (b * pressure - strength) / (k * b**2 + slope)
            flow = np.where(is_apex, np.maximum(at_apex, 0.0), flow)
            shrink = np.where(is_apex, 0.0, shrink)
        direction = deviator / np.maximum(size, 1e-300)
        stress = deviator * shrink
        stress[:3] += pressure - k * b * flow
        flowed = (deviator - deviator * shrink) / (2.0 * g)
        flowed[3:] *= 2.0
        flowed[:3] += flow * b / 3.0
        yields = flow > 0.0
        apex = is_apex & yields
        both = np.where(yields, 2.0 * g * (1.0 - shrink) - (2.0 * g * a) ** 2 / stiff, 0.0)
        mixed = np.where(yields, -2.0 * g * a * k * b / stiff, 0.0)
        volume = np.where(yields, -((k * b) ** 2) / stiff, 0.0)
        shear = np.where(apex, 1e-3 * g, g * shrink)
        both, mixed = np.where(apex, 0.0, both), np.where(apex, 0.0, mixed)
        return Response(
            stress,
            plastic_strain + flowed,
            plastic_length + flow / self.yield_stress,
            k + volume - 2.0 / 3.0 * shear,
            shear,
            both,
            mixed,
            direction,
            yields,
        )

    def secant(self, strain: Values, elastic_strain: Values) -> Values:
        """(n,): size of the deviatoric stress over what it would be without yielding, 0 to 1."""
        whole, left = _norm(self._trial(strain)[1]), _norm(self._trial(elastic_strain)[1])
        return np.where(whole > 0.0, np.minimum(left / np.maximum(whole, 1e-300), 1.0), 1.0)

    def _trial(self, strain: Values) -> tuple[Values, Values]:
        volume = strain[:3].sum(axis=0)
        deviator = np.empty_like(strain)
        deviator[:3] = 2.0 * self.shear * (strain[:3] - volume / 3.0)
        deviator[3:] = self.shear * strain[3:]
        return self.bulk * volume, deviator


@dataclass(frozen=True, eq=False)
class Response:
    """Effective stress, the state it leaves, and its tangent λ, μ, weights of d⊗d and d⊗1 + 1⊗d."""

    stress: Values
    plastic_strain: Values
    plastic_length: Values
    lam: Values
    mu: Values
    both: Values
    mixed: Values
    direction: Values
    yields: NDArray[np.bool_]


def _norm(tensor: Values) -> Values:
    """Frobenius norm of stresses in Voigt order."""
    return np.asarray(np.sqrt((tensor[:3] ** 2).sum(axis=0) + 2.0 * (tensor[3:] ** 2).sum(axis=0)))
