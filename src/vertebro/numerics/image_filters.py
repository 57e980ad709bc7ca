"""Filters of two-dimensional images: Gaussian blur, and grain on a picture of bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.ray_casting import Backend

_REACH = 3.0
"""Gaussians are cut off at this many standard deviations."""
LEAST_SIGMA = 0.25
"""Narrower Gaussians are left out: they change a pixel by less than 0.1 %."""


def gaussian_blur(
    image: NDArray[np.float32], sigma_px: float, *, backend: Backend = Backend.NUMBA
) -> NDArray[np.float32]:
    """Gaussian blur with the border's pixels held beyond it.

    Parameters
    ----------
    image : (rows, columns) float32 array
    sigma_px : float
        Standard deviation, pixels; below a quarter pixel the image is returned as it is.
    backend : Backend

    Returns
    -------
    (rows, columns) float32 array

    Examples
    --------
    >>> dot = np.zeros((9, 9), np.float32)
    >>> dot[4, 4] = 1.0
    >>> float(gaussian_blur(dot, 1.0).sum().round(5))
    1.0
    """
    if sigma_px < LEAST_SIGMA:
        return image
    taps = gaussian_taps(sigma_px)
    if backend is Backend.NUMPY:
        reach = taps.size // 2
        padded = np.pad(image.astype(np.float64), reach, mode="edge")
        down = np.apply_along_axis(np.convolve, 0, padded, taps, "valid")
        return np.apply_along_axis(np.convolve, 1, down, taps, "valid").astype(np.float32)
    from vertebro.numerics import image_kernels as kernels  # noqa: PLC0415 - loads the compiler

    result = np.empty(image.shape, dtype=np.float32)
    kernels.convolve_both_ways(np.ascontiguousarray(image), taps, result)
    return result


def gaussian_taps(sigma_px: float) -> NDArray[np.float32]:
    """Weights of a Gaussian, odd in number, that add up to 1."""
    reach = max(1, int(_REACH * sigma_px + 0.5))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


def with_grain(
    grey: NDArray[np.uint8],
    strength: NDArray[np.uint8],
    grain: NDArray[np.int8],
    corner: tuple[int, int],
) -> NDArray[np.uint8]:
    """A picture with noise on it: ``grey + strength·grain/256``, held within 0 to 255.

    Parameters
    ----------
    grey, strength : (rows, columns) uint8 arrays
    grain : (≥ rows, ≥ columns) int8 array
        A tile of noise larger than the picture.
    corner : (int, int)
        Which part of the tile is used: its first row and column.

    Examples
    --------
    >>> grain = np.full((1, 3), -64, np.int8)
    >>> with_grain(np.uint8([[10, 200]]), np.uint8([[128, 8]]), grain, (0, 1)).tolist()
    [[0, 198]]
    """
    from vertebro.numerics import image_kernels as kernels  # noqa: PLC0415 - loads the compiler

    assert grain.shape[0] >= grey.shape[0] + corner[0], "the grain's tile covers the picture's rows"
    assert grain.shape[1] >= grey.shape[1] + corner[1], "and its columns"
    result = np.empty(grey.shape, dtype=np.uint8)
    kernels.add_grain(grey, strength, grain, corner, result)
    return result
