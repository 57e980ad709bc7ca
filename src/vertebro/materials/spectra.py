"""X-ray tube spectra: unfiltered output from a table, filtration by thickness, mean energy, kerma.

``tube_spectra.csv`` holds the output of a 12° tungsten anode in 1 keV bins for voltages from 40 to
125 kV; voltages between are interpolated. Filters follow Beer–Lambert without scatter.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import require_range
from vertebro.materials.beam_attenuation import beam_attenuation, linear_attenuation_per_cm

JOULE_PER_KEV = 1.602176634e-16
"""SI 2019."""


@dataclass(frozen=True, eq=False, slots=True)
class Spectrum:
    """Photons by energy at 1 m from the focal spot."""

    energies_kev: NDArray[np.float64]
    """(n,): middles of 1 keV bins."""
    photons_per_mas_cm2: NDArray[np.float64]
    """(n,): photons in each bin, per mAs and cm² at 1 m."""
    tube_voltage_kv: float

    @property
    def mean_energy_kev(self) -> float:
        """Mean photon energy (each photon counts the same)."""
        return float(np.average(self.energies_kev, weights=self.photons_per_mas_cm2))

    @property
    def air_kerma_ugy_per_mas(self) -> float:
        """Air kerma at 1 m, µGy per mAs."""
        return float(self.photons_per_mas_cm2 @ air_kerma_ugy_cm2(self.energies_kev))

    def filtered(self, material: str, thickness_mm: float) -> Spectrum:
        """The spectrum behind a layer of a beam material.

        Examples
        --------
        >>> beam = tube_spectrum(80.0, {"aluminium": 3.0, "copper": 0.1})
        >>> round(beam.filtered("water", 200.0).mean_energy_kev, 1)
        56.8
        """
        depth = linear_attenuation_per_cm(material, self.energies_kev) * thickness_mm / 10.0
        return replace(self, photons_per_mas_cm2=self.photons_per_mas_cm2 * np.exp(-depth))


def air_kerma_ugy_cm2(energies_kev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Air kerma that one photon per cm² of an energy makes, µGy·cm².

    ``K = E · (μ_en/ρ)_air``, mass energy-absorption taken for energy transfer (equal within 0.1 %
    in air at these energies).
    """
    absorbed = beam_attenuation().mass_attenuation_cm2_g("air_energy_absorption", energies_kev)
    gray_cm2 = energies_kev * JOULE_PER_KEV * absorbed * 1000.0  # keV→J, per gram → per kilogram
    return np.asarray(gray_cm2 * 1e6)


@cache
def _tube_table() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    text = resources.files("vertebro.materials").joinpath("tube_spectra.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    table = np.array(rows[1:], dtype=np.float64)
    return table[:, 0], np.array([float(kv) for kv in rows[0][1:]]), table[:, 1:]


def tube_spectrum(tube_voltage_kv: float, filters_mm: Mapping[str, float] | None = None) -> Spectrum:
    """Output of a tungsten tube behind filters.

    Parameters
    ----------
    tube_voltage_kv : float in [40, 125]
    filters_mm : mapping of beam material to thickness
        Total filtration, the tube's own included.

    Raises
    ------
    SettingsError
        If the voltage is outside the table (``material.range``).

    Examples
    --------
    >>> round(tube_spectrum(80.0, {"aluminium": 3.0}).mean_energy_kev, 1)
    43.9
    """
    energies, voltages, output = _tube_table()
    low, high = float(voltages[0]), float(voltages[-1])
    require_range("tube_voltage_kv", tube_voltage_kv, low, high, code="material.range", unit="kV")
    right = int(np.clip(np.searchsorted(voltages, tube_voltage_kv), 1, len(voltages) - 1))
    share = (tube_voltage_kv - voltages[right - 1]) / (voltages[right] - voltages[right - 1])
    photons = (1.0 - share) * output[:, right - 1] + share * output[:, right]
    photons = np.where(energies < tube_voltage_kv, photons, 0.0)
    spectrum = Spectrum(energies, photons, tube_voltage_kv)
    for material, thickness_mm in (filters_mm or {}).items():
        spectrum = spectrum.filtered(material, thickness_mm)
    return spectrum
