"""How strongly reference tissues attenuate X-rays, by photon energy.

Total mass attenuation (coherent scattering included) in cm²/g against energy in keV, from
``mass_attenuation.csv``; compositions and densities from ``reference_tissues.toml``. Between the
table's energies the logarithm of attenuation runs straight against the logarithm of energy, the
usual rule away from absorption edges; none of these materials has an edge above 5 keV.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError


@dataclass(frozen=True, slots=True)
class ReferenceTissue:
    """One material: what it is called, how dense it is and where that comes from."""

    key: str
    name: str
    density_g_cc: float
    source: str
    composition: Mapping[str, float]
    """Element symbol to mass fraction; empty where ``formula`` says it."""
    formula: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class AttenuationTable:
    """Mass attenuation of several materials on one list of energies.

    Examples
    --------
    >>> table = AttenuationTable(np.array([50.0, 100.0]), {"lead glass": np.array([4.0, 1.0])})
    >>> float(table.mass_attenuation_cm2_g("lead glass", 70.71067811865476).round(6))
    2.0
    """

    energies_kev: NDArray[np.float64]
    """(n,), ascending."""
    columns: Mapping[str, NDArray[np.float64]]
    """Material to (n,) mass attenuation, cm²/g."""
    is_linear: bool = False
    """Whether values run straight between the energies, as some published methods read their tables."""

    @property
    def range_kev(self) -> tuple[float, float]:
        """Lowest and highest energy of the table."""
        return float(self.energies_kev[0]), float(self.energies_kev[-1])

    def mass_attenuation_cm2_g(self, material: str, energy_kev: ArrayLike) -> NDArray[np.float64]:
        """Mass attenuation of a material at one or more energies.

        Parameters
        ----------
        material : str
            A key of ``columns``.
        energy_kev : array_like
            Within :attr:`range_kev`.

        Returns
        -------
        float64 array of the energies' shape, cm²/g.

        Raises
        ------
        InputError
            If the material is not in the table (``material.unknown``) or an energy is outside it
            (``material.range``).
        """
        if material not in self.columns:
            raise InputError(
                "material.unknown",
                got=f"the material {material!r}",
                needed=f"one of {', '.join(sorted(self.columns))}",
                remedy="Choose a material of the table.",
                fields=("material",),
            )
        energy = np.asarray(energy_kev, dtype=np.float64)
        lowest, highest = self.range_kev
        if energy.size and not (lowest <= energy.min() and energy.max() <= highest):
            raise InputError(
                "material.range",
                got=f"photon energies from {energy.min():g} to {energy.max():g} keV",
                needed=f"{lowest:g} to {highest:g} keV",
                remedy="Attenuation is tabulated in that range only.",
                fields=("energy_kev",),
            )
        if self.is_linear:
            return np.asarray(np.interp(energy, self.energies_kev, self.columns[material]))
        logs = np.interp(np.log(energy), np.log(self.energies_kev), np.log(self.columns[material]))
        return np.asarray(np.exp(logs))


@cache
def reference_tissues() -> Mapping[str, ReferenceTissue]:
    """The reference tissues and minerals by key.

    Examples
    --------
    >>> reference_tissues()["cortical_bone"].density_g_cc
    1.92
    """
    text = (
        resources.files("vertebro.materials").joinpath("reference_tissues.toml").read_text(encoding="utf-8")
    )
    rows = {
        key: ReferenceTissue(
            key=key,
            name=row["name"],
            density_g_cc=float(row["density_g_cc"]),
            source=row["source"],
            composition=MappingProxyType(dict(row.get("composition", {}))),
            formula=row.get("formula", ""),
        )
        for key, row in tomllib.loads(text).items()
    }
    return MappingProxyType(rows)


@cache
def reference_attenuation() -> AttenuationTable:
    """Mass attenuation of the reference tissues and minerals, 30 to 200 keV.

    Examples
    --------
    >>> round(float(reference_attenuation().mass_attenuation_cm2_g("water", 100.0)), 4)
    0.1708
    """
    return _read_table("mass_attenuation.csv", is_linear=False)


@cache
def published_attenuation() -> AttenuationTable:
    """The coarse tables that published internal calibrations read, straight lines between the energies.

    Examples
    --------
    >>> round(float(published_attenuation().mass_attenuation_cm2_g("triglyceride", 97.0)), 5)
    0.16989
    """
    return _read_table("published_attenuation.csv", is_linear=True)


def _read_table(name: str, *, is_linear: bool) -> AttenuationTable:
    text = resources.files("vertebro.materials").joinpath(name).read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    table = np.array(rows[1:], dtype=np.float64)
    columns = {key: table[:, index] for index, key in enumerate(rows[0]) if index > 0}
    return AttenuationTable(table[:, 0], MappingProxyType(columns), is_linear)
