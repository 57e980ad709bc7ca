"""What a scanner does to an image: blur, correlated noise, whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NOISE_GRAIN_MM = 0.45
"""Standard deviation of the filter that gives noise its grain; assumed by looks (soft to medium kernel)."""


def scan(
    hu: NDArray[np.float32],
    spacing_mm: tuple[float, float, float],
    blur_mm: float,
    noise_hu: float,
    generator: np.random.Generator,
) -> None:
    """Blur by the scanner's point spread, add correlated noise, clip to 12 bits and round; in place.

    Parameters
    ----------
    hu : (i, j, k) float32 array
    spacing_mm : (3,)
        Along the array's axes.
    blur_mm, noise_hu : float
        Standard deviations.
    generator : numpy.random.Generator
    """
    spacing = np.array(spacing_mm)
    if blur_mm > 0.0:
        ndimage.gaussian_filter(hu, blur_mm / spacing, output=hu, truncate=3.0, mode="nearest")
    if noise_hu > 0.0:
        noise = generator.standard_normal(hu.shape, dtype=np.float32)
        ndimage.gaussian_filter(noise, NOISE_GRAIN_MM / spacing, output=noise, truncate=3.0, mode="wrap")
        noise *= np.float32(noise_hu / float(noise.std()))
        hu += noise
    np.clip(hu, -1024.0, 3071.0, out=hu)
    np.rint(hu, out=hu)
