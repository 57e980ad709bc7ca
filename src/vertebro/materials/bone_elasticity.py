"""From bone density to modulus and strength: published laws as data, and the numbers they give.

Moduli are along the bone's main direction (the vertebra's height), MPa; yield strains are engineering
strains. A law is a row of ``bone_elasticity.toml`` with its range, population and citation.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError
from vertebro.materials.bone_density import apparent_density_g_cc, ash_density_mg_cc

DEFAULT_LAW: Final = "kopperdahl_2002"
"""The law for vertebrae; the femur's would be five times too soft at vertebral density."""

POISSON_RATIO: Final = 0.3
"""Of bone, in compression tests and in nearly all published models (e.g. Crawford 2003)."""

YIELD_STRAIN_COMPRESSION: Final = 0.0084
YIELD_STRAIN_TENSION: Final = 0.0078
"""Of vertebral trabecular bone, nearly the same whatever its density (0.84 ± 0.06 and 0.78 ± 0.04 %,
Kopperdahl and Keaveny, J Biomech 1998;31:601)."""

TRANSVERSE_RATIO: Final = 0.333
"""Transverse against axial modulus of vertebral bone (Crawford 2003, Ulrich 1999; recalled)."""

PMMA_MODULUS_MPA: Final = 2500.0
"""Of the end caps of published models and of bone cement (Ogo: 2.5 GPa; Leeds models: 2.45 GPa)."""
CEMENT_STRENGTH_MPA: Final = 85.0
"""Compressive strength of acrylic cement: 70 to 110 MPa (ISO 5833 asks for 70)."""
METAL_MODULUS_MPA: Final = 110000.0
"""Of titanium alloys, for screws and the like that a scan shows (ASM handbook: 105 to 120 GPa)."""


@dataclass(frozen=True, slots=True)
class DensityLaw:
    """One published law.

    Examples
    --------
    >>> law = bone_law("kopperdahl_2002")
    >>> law.modulus_mpa([50.0, 100.0, 150.0, 200.0]).round().tolist()
    [128.0, 266.0, 407.0, 550.0]
    >>> round(float(law.yield_stress_mpa(100.0)), 2)
    1.52
    """

    name: str
    title: str
    density: str
    """Which density it takes: ``"k2hpo4"``, ``"ash"`` or ``"apparent"``."""
    modulus_form: str
    modulus_a: float
    modulus_b: float
    strength: tuple[float, float] | None
    """(a, b) of the compressive yield stress a·ρ^b, MPa; None where the source gives none."""
    range_g_cc: tuple[float, float]
    population: str
    source: str

    def _density_g_cc(self, k2hpo4_mg_cc: ArrayLike) -> NDArray[np.float64]:
        density = np.asarray(k2hpo4_mg_cc, dtype=np.float64)
        if self.density == "k2hpo4":
            return np.maximum(density, 0.0) / 1000.0
        ash = np.maximum(ash_density_mg_cc(density), 0.0)
        return ash / 1000.0 if self.density == "ash" else apparent_density_g_cc(ash)

    def modulus_mpa(self, k2hpo4_mg_cc: ArrayLike) -> NDArray[np.float64]:
        """Axial modulus of bone of this density, MPa; never below 0."""
        density = self._density_g_cc(k2hpo4_mg_cc)
        if self.modulus_form == "power":
            return np.asarray(self.modulus_a * density**self.modulus_b)
        return np.maximum(self.modulus_a * density + self.modulus_b, 0.0)

    def yield_stress_mpa(self, k2hpo4_mg_cc: ArrayLike) -> NDArray[np.float64]:
        """Compressive yield stress, MPa: the law's own, else its modulus times the usual yield strain."""
        if self.strength is None:
            return self.modulus_mpa(k2hpo4_mg_cc) * YIELD_STRAIN_COMPRESSION
        a, b = self.strength
        return np.asarray(a * self._density_g_cc(k2hpo4_mg_cc) ** b)

    def outside_range_fraction(self, k2hpo4_mg_cc: ArrayLike) -> float:
        """Share of the given densities that lies outside the range in which the law was measured."""
        density = self._density_g_cc(k2hpo4_mg_cc)
        if density.size == 0:
            return 0.0
        lowest, highest = self.range_g_cc
        return float(np.mean((density < lowest) | (density > highest)))


@cache
def bone_laws() -> Mapping[str, DensityLaw]:
    """Every law by name.

    Examples
    --------
    >>> sorted(bone_laws())[:2]
    ['crawford_2003', 'keller_femur']
    """
    text = resources.files("vertebro.materials").joinpath("bone_elasticity.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _law(name, row) for name, row in tomllib.loads(text).items()})


def _law(name: str, row: dict[str, Any]) -> DensityLaw:
    strength = row.get("yield_stress")
    return DensityLaw(
        name=name,
        title=row["title"],
        density=row["density"],
        modulus_form=row["modulus"]["form"],
        modulus_a=float(row["modulus"]["a"]),
        modulus_b=float(row["modulus"]["b"]),
        strength=None if strength is None else (float(strength["a"]), float(strength["b"])),
        range_g_cc=(float(row["range_g_cc"][0]), float(row["range_g_cc"][1])),
        population=row["population"],
        source=row["source"],
    )


def bone_law(name: str = DEFAULT_LAW) -> DensityLaw:
    """The law of that name.

    Raises
    ------
    InputError
        If there is none (``material.unknown``).
    """
    laws = bone_laws()
    if name not in laws:
        raise InputError(
            "material.unknown",
            got=f"the bone law {name[:40]!r}",
            needed=f"one of {', '.join(sorted(laws))}",
            remedy="Choose a law of the list.",
            fields=("bone_law",),
        )
    return laws[name]


def cemented_modulus_mpa(
    bone_mpa: ArrayLike, cement_fraction: ArrayLike, cement_mpa: float = PMMA_MODULUS_MPA
) -> NDArray[np.float64]:
    """Modulus of a voxel whose share ``cement_fraction`` is cement, the rest bone: the share-weighted mean.

    Cement that fills the pores and the bone between them carry load side by side (Voigt). The bone's
    own share is kept whole where cement only replaces marrow, so ``bone_mpa`` is the modulus of the
    voxel's bone before cement came.

    Examples
    --------
    >>> cemented_modulus_mpa(100.0, [0.0, 0.5, 1.0]).tolist()
    [100.0, 1300.0, 2500.0]
    """
    share = np.clip(np.asarray(cement_fraction, dtype=np.float64), 0.0, 1.0)
    return np.asarray(share * cement_mpa + (1.0 - share) * np.asarray(bone_mpa, dtype=np.float64))
