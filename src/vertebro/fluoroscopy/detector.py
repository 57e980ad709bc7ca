"""From the beam behind the patient to what the detector reports: exposure, scatter, noise, blur."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.devices import CArm, CArmPlane
from vertebro.fluoroscopy.coarse_fields import bilinear_up, block_mean
from vertebro.fluoroscopy.energy_bins import EnergyBins, detector_kerma_ugy_per_mas
from vertebro.fluoroscopy.settings import BeamSettings

REFERENCE_POINT_MM = 150.0
"""Distance of the patient entrance reference point from the isocentre (IEC 60601-2-43)."""
SCATTER_SIGMA_MM = 60.0
"""Width of the scatter field's spread on the detector (assumed: Boone & Seibert, Med Phys 1988;15:713,
find line-spread functions of scatter some centimetres wide behind 20 cm of tissue)."""
SCATTER_REFERENCE_G_CM2 = 21.2
"""20 cm of soft tissue, at which the scatter-to-primary setting holds."""
_FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the automatic exposure control chose for one pulse."""

    mas: float
    detector_air_kerma_ngy: float
    """Behind patient and grid, mean over the sensing field."""
    open_photons: float
    """Photons detected in a pixel of the image with nothing in the beam (noise-equivalent)."""


def automatic_exposure(
    bins: EnergyBins,
    arm: CArm,
    plane: CArmPlane,
    settings: BeamSettings,
    sensing: dict[str, NDArray[np.float32]],
    pixel_mm: float,
) -> Exposure:
    """Tube output that gives the detector the kerma asked for.

    Parameters
    ----------
    bins : EnergyBins
    arm, plane : CArm, CArmPlane
    settings : BeamSettings
    sensing : mapping of material to (n,) mass paths, g/cm²
        Of some rays of the sensing field.
    pixel_mm : float
        Pitch of the image's pixels on the detector.
    """
    n = max((len(path) for path in sensing.values()), default=0)
    kermas = [
        detector_kerma_ugy_per_mas(bins, {name: float(path[index]) for name, path in sensing.items()})
        for index in range(n)
    ]
    behind = float(np.mean(kermas)) if kermas else detector_kerma_ugy_per_mas(bins, {})
    distance = (1000.0 / plane.source_detector_mm) ** 2
    per_mas_ngy = behind * distance * arm.grid_primary_transmission * 1000.0
    mas = settings.detector_air_kerma_ngy / per_mas_ngy
    photons = noise_photons_per_mas_cm2(bins) * distance * arm.grid_primary_transmission
    return Exposure(mas, settings.detector_air_kerma_ngy, photons * mas * (pixel_mm / 10.0) ** 2)


def noise_photons_per_mas_cm2(bins: EnergyBins) -> float:
    """Photons that, if all were alike, would make the signal as noisy as the spectrum does.

    An energy-integrating detector sees ``mean = Σ n·r`` and ``variance = Σ n·r·E`` for photons that
    deposit their energy whole; taken behind a typical patient. Per mAs and cm² at 1 m, open beam.
    """
    open_signal = float(bins.spectrum.photons_per_mas_cm2 @ bins.response_kev)
    energy = float((bins.arriving * bins.spectrum.energies_kev).sum() / bins.arriving.sum())
    return open_signal / energy


def add_noise(
    signal: NDArray[np.float32], open_photons: float, electronic_photons: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Quantum noise and read-out noise.

    Parameters
    ----------
    signal : (rows, columns) float32 array
        1 in the open beam.
    open_photons : float
        Photons that a signal of 1 stands for.
    electronic_photons : float
        Standard deviation of read-out noise, in photons.
    rng : numpy.random.Generator
    """
    counts = rng.poisson(np.maximum(signal, 0.0) * np.float64(open_photons)).astype(np.float32)
    if electronic_photons > 0.0:
        counts += np.float32(electronic_photons) * rng.standard_normal(signal.shape, dtype=np.float32)
    return np.asarray(counts / np.float32(open_photons))


def scatter_field(
    primary: NDArray[np.float32],
    thickness_g_cm2: NDArray[np.float32],
    arm: CArm,
    plane: CArmPlane,
    settings: BeamSettings,
) -> NDArray[np.float32]:
    """Scatter behind the grid, as a smooth field in units of the open beam's primary behind the grid.

    Each part of the field sends out scatter in proportion to its primary and its thickness, spread
    over a wide Gaussian; an estimate of the veil over the image, not of its fine structure.
    """
    rows, columns = primary.shape
    step = max(1, min(rows, columns) // 64)
    ratio = settings.scatter_to_primary * np.maximum(thickness_g_cm2, 0.0) / SCATTER_REFERENCE_G_CM2
    source = block_mean(np.asarray(primary * ratio, dtype=np.float32), step)
    pitch = plane.detector_width_mm / columns * step
    spread = ndimage.gaussian_filter(source, SCATTER_SIGMA_MM / pitch, mode="constant")
    share = arm.grid_scatter_transmission / arm.grid_primary_transmission
    field = bilinear_up(np.asarray(spread, dtype=np.float32), step, primary.shape)
    return np.asarray(field * np.float32(share), dtype=np.float32)


def focal_blur_sigma_px(arm: CArm, plane: CArmPlane, pixel_mm: float) -> float:
    """Blur from the focal spot's size for a thing at the isocentre, pixels."""
    magnification = plane.source_detector_mm / plane.source_isocentre_mm
    return arm.focal_spot_mm * (magnification - 1.0) / _FWHM_PER_SIGMA / pixel_mm


def detector_blur_sigma_px(arm: CArm, pixel_mm: float) -> float:
    """Blur of the scintillator, pixels."""
    return arm.blur_fwhm_mm / _FWHM_PER_SIGMA / pixel_mm
