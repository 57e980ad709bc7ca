"""A tube spectrum and a detector, boiled down to a few energy bins.

Bins hold equal shares of what the detector absorbs behind a typical patient, with a boundary at
the K edge of barium so that cement keeps its jump. Within a bin each material's attenuation is the
mean over the photons that arrive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vertebro.devices import CArm
from vertebro.fluoroscopy.settings import BeamModel, BeamSettings
from vertebro.materials.beam_attenuation import (
    BARIUM_K_EDGE_KEV,
    beam_attenuation,
    linear_attenuation_per_cm,
    mixture_attenuation_cm2_g,
)
from vertebro.materials.spectra import Spectrum, air_kerma_ugy_cm2, tube_spectrum

TYPICAL_PATH_MM = 150.0
"""Soft tissue that the bins are balanced behind (assumed: between AP and lateral of a lumbar spine)."""


@dataclass(frozen=True, eq=False)
class EnergyBins:
    """What the renderer needs to know of beam and detector."""

    energies_kev: NDArray[np.float64]
    """(b,): mean energy of the photons that arrive in each bin."""
    weights: NDArray[np.float64]
    """(b,): share of each bin in the detector's signal with nothing in the beam; adds up to 1."""
    spectrum: Spectrum
    """The beam in 1 keV steps, behind the machine's filters."""
    response_kev: NDArray[np.float64]
    """(n,): mean energy that the detector takes from a photon of each of the spectrum's energies."""
    membership: NDArray[np.int64]
    """(n,): the bin of each of the spectrum's energies."""
    arriving: NDArray[np.float64]
    """(n,): photons of each energy behind a typical patient, times response."""
    fine_energies_kev: NDArray[np.float64]
    """(n,): where attenuation is looked up: the spectrum's energies, or the one energy."""

    def attenuation_cm2_g(self, mass_fractions: Mapping[str, float]) -> NDArray[np.float64]:
        """(b,): mass attenuation of a mixture in each bin."""
        fine = mixture_attenuation_cm2_g(mass_fractions, self.fine_energies_kev)
        total = np.bincount(self.membership, self.arriving * fine, minlength=self.weights.size)
        return np.asarray(total / np.bincount(self.membership, self.arriving, minlength=self.weights.size))


def energy_bins(c_arm: CArm, settings: BeamSettings) -> EnergyBins:
    """Bins for a machine's beam; the monoenergetic model has one.

    Parameters
    ----------
    c_arm : CArm
        For its filters and scintillator.
    settings : BeamSettings
    """
    return _bins(
        tuple(c_arm.filters_mm.items()),
        c_arm.cesium_iodide_mm,
        settings.tube_voltage_kv,
        settings.n_energy_bins,
        settings.single_energy_kev if settings.model is BeamModel.MONOENERGETIC else None,
    )


@lru_cache(maxsize=32)
def _bins(
    filters_mm: tuple[tuple[str, float], ...],
    cesium_iodide_mm: float,
    tube_voltage_kv: float,
    n_bins: int,
    single_energy_kev: float | None,
) -> EnergyBins:
    spectrum = tube_spectrum(tube_voltage_kv, dict(filters_mm))
    response = detector_response_kev(spectrum.energies_kev, cesium_iodide_mm)
    if single_energy_kev is not None:
        nearest = np.abs(spectrum.energies_kev - single_energy_kev).argmin()
        arriving = np.zeros_like(response)
        arriving[nearest] = 1.0
        zero = np.zeros(response.size, dtype=np.int64)
        one = np.ones(1)
        alone = np.full(response.size, single_energy_kev)
        return EnergyBins(one * single_energy_kev, one, spectrum, response, zero, arriving, alone)
    signal = spectrum.photons_per_mas_cm2 * response
    arriving = spectrum.filtered("soft_tissue", TYPICAL_PATH_MM).photons_per_mas_cm2 * response
    membership = _balanced(spectrum.energies_kev, arriving, n_bins)
    weights = np.bincount(membership, signal)
    energies = np.bincount(membership, arriving * spectrum.energies_kev) / np.bincount(membership, arriving)
    share = weights / weights.sum()
    return EnergyBins(energies, share, spectrum, response, membership, arriving, spectrum.energies_kev)


def _balanced(
    energies_kev: NDArray[np.float64], arriving: NDArray[np.float64], n_bins: int
) -> NDArray[np.int64]:
    """Bin of each energy: shares of equal size on either side of barium's K edge."""
    below = energies_kev < BARIUM_K_EDGE_KEV
    share = arriving[below].sum() / arriving.sum()
    n_below = int(np.clip(round(n_bins * share), 2, n_bins - 2))
    membership = np.zeros(energies_kev.size, dtype=np.int64)
    for part, count, first in ((below, n_below, 0), (~below, n_bins - n_below, n_below)):
        running = np.cumsum(arriving[part])
        middle = (running - arriving[part] / 2) / running[-1]
        membership[part] = first + np.minimum((middle * count).astype(np.int64), count - 1)
    # a strong line can leave a share empty: number the bins that have photons without gaps
    return np.unique(membership, return_inverse=True)[1].astype(np.int64)


def detector_response_kev(energies_kev: NDArray[np.float64], cesium_iodide_mm: float) -> NDArray[np.float64]:
    """Mean energy that a caesium-iodide detector takes from a photon, keV.

    Energy-integrating: photon energy times the share that interacts; fluorescence that escapes is
    not counted (it costs 10–20 % just above 36 keV).

    Examples
    --------
    >>> detector_response_kev(np.array([60.0]), 0.42).round(1).tolist()
    [46.6]
    """
    depth = linear_attenuation_per_cm("cesium_iodide", energies_kev) * cesium_iodide_mm / 10.0
    return np.asarray(energies_kev * -np.expm1(-depth))


def detector_kerma_ugy_per_mas(bins: EnergyBins, path_g_cm2: Mapping[str, float]) -> float:
    """Air kerma at 1 m behind given mass paths, µGy per mAs, from the full spectrum."""
    energies = bins.spectrum.energies_kev
    table = beam_attenuation()
    depth = sum(
        (path * table.mass_attenuation_cm2_g(name, energies) for name, path in path_g_cm2.items()),
        start=np.zeros(energies.size),
    )
    return float(bins.spectrum.photons_per_mas_cm2 * np.exp(-depth) @ air_kerma_ugy_cm2(energies))
