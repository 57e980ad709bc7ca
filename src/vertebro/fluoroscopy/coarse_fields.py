"""Smooth fields over an image, worked out on a coarse grid: block means and back by interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def block_mean(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means of ``step`` × ``step`` blocks; rows and columns left over at the end are not used.

    Examples
    --------
    >>> block_mean(np.arange(16, dtype=np.float32).reshape(4, 4), 2).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    rows, columns = (n // step * step for n in image.shape)
    blocks = image[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)))


def bilinear_up(coarse: NDArray[np.float32], step: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A field of block means at every pixel, edges held; the opposite of :func:`block_mean`.

    Examples
    --------
    >>> bilinear_up(np.float32([[1.0, 3.0]]), 2, (2, 4)).tolist()
    [[1.0, 1.5, 2.5, 3.0], [1.0, 1.5, 2.5, 3.0]]
    """
    down = _interpolation_matrix(coarse.shape[0], step, shape[0])
    across = _interpolation_matrix(coarse.shape[1], step, shape[1])
    return np.asarray(down @ coarse @ across.T)


def _interpolation_matrix(n_coarse: int, step: int, n_fine: int) -> NDArray[np.float32]:
    """(n_fine, n_coarse): weights of the two nearest block centres for each pixel."""
    place = np.clip((np.arange(n_fine) - (step - 1) / 2) / step, 0.0, n_coarse - 1.0)
    low = np.minimum(place.astype(np.int64), max(n_coarse - 2, 0))
    matrix = np.zeros((n_fine, n_coarse), dtype=np.float32)
    index = np.arange(n_fine)
    matrix[index, low] = 1.0 - (place - low)
    matrix[index, np.minimum(low + 1, n_coarse - 1)] += (place - low).astype(np.float32)
    return matrix
