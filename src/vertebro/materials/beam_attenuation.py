"""What an X-ray beam meets: attenuation from 10 to 150 keV with K edges, densities, mixtures.

Attenuation comes from ``beam_attenuation.csv``, whose rows enclose the K edges of barium, iodine,
caesium, zirconium and molybdenum; densities from ``beam_materials.toml``. The coarser table of
:mod:`vertebro.materials.attenuation` serves calibration; this one serves imaging.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import require_range
from vertebro.materials.attenuation import AttenuationTable

BARIUM_K_EDGE_KEV = 37.4406
"""K edge of barium (xraylib 4.3; NIST SRD 126 prints 37.44 keV): cement attenuates more above it."""


@cache
def beam_attenuation() -> AttenuationTable:
    """Mass attenuation of beam materials, 10 to 150 keV, K edges included.

    Examples
    --------
    >>> table = beam_attenuation()
    >>> barium = table.mass_attenuation_cm2_g("barium_sulfate", [37.0, 38.0])
    >>> bool(barium[1] > 4 * barium[0])
    True
    """
    text = resources.files("vertebro.materials").joinpath("beam_attenuation.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    table = np.array(rows[1:], dtype=np.float64)
    columns = {name: table[:, index] for index, name in enumerate(rows[0]) if index > 0}
    return AttenuationTable(table[:, 0], MappingProxyType(columns))


@cache
def beam_densities_g_cc() -> Mapping[str, float]:
    """Density of each beam material, g/cc.

    Examples
    --------
    >>> beam_densities_g_cc()["barium_sulfate"]
    4.5
    """
    text = resources.files("vertebro.materials").joinpath("beam_materials.toml").read_text(encoding="utf-8")
    return MappingProxyType({key: float(row["density_g_cc"]) for key, row in tomllib.loads(text).items()})


def linear_attenuation_per_cm(material: str, energy_kev: ArrayLike) -> NDArray[np.float64]:
    """Linear attenuation of a solid beam material, cm⁻¹.

    Examples
    --------
    >>> round(float(linear_attenuation_per_cm("pmma", 60.0)), 3)
    0.229
    """
    density = beam_densities_g_cc()[material]
    return density * beam_attenuation().mass_attenuation_cm2_g(material, energy_kev)


def mixture_density_g_cc(mass_fractions: Mapping[str, float]) -> float:
    """Density of an ideal mixture: volumes add, ``1/ρ = Σ wᵢ/ρᵢ``.

    Parameters
    ----------
    mass_fractions : mapping of material to mass fraction
        Must add up to 1.

    Raises
    ------
    SettingsError
        If they do not (``material.range``).

    Examples
    --------
    >>> round(mixture_density_g_cc({"barium_sulfate": 0.3, "pmma": 0.7}), 3)
    1.527
    """
    require_range("sum of mass fractions", sum(mass_fractions.values()), 0.999, 1.001, code="material.range")
    densities = beam_densities_g_cc()
    return 1.0 / sum(fraction / densities[name] for name, fraction in mass_fractions.items())


def mixture_attenuation_cm2_g(
    mass_fractions: Mapping[str, float], energy_kev: ArrayLike
) -> NDArray[np.float64]:
    """Mass attenuation of a mixture: the mean of its parts' by mass.

    Examples
    --------
    >>> cement = {"barium_sulfate": 0.3, "pmma": 0.7}
    >>> per_cm = mixture_density_g_cc(cement) * mixture_attenuation_cm2_g(cement, 60.0)
    >>> round(float(per_cm), 3)
    2.549
    """
    table = beam_attenuation()
    energy = np.asarray(energy_kev, dtype=np.float64)
    total = np.zeros(energy.shape)
    for name, fraction in mass_fractions.items():
        total = total + fraction * table.mass_attenuation_cm2_g(name, energy)
    return total
