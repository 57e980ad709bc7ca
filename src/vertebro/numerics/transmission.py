"""Beer–Lambert with several materials and energies: what is left of a beam behind mass paths.

``signal = Σ_b weight_b · exp(−Σ_m attenuation_mb · path_m)``
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.ray_casting import Backend, usable_threads
from vertebro.numerics.slice_grid import threads

_CHUNK = 1 << 16


def transmitted(
    paths: NDArray[np.float32],
    attenuation: NDArray[np.float32],
    weights: NDArray[np.float32],
    *,
    backend: Backend = Backend.NUMBA,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Signal behind paths through materials.

    Parameters
    ----------
    paths : (m, ...) float32 array
        Mass paths (g/cm²), or any unit whose inverse ``attenuation`` has. May be negative where a
        material was displaced.
    attenuation : (m, b) float32 array
        Of each material at each energy.
    weights : (b,) float32 array
        Signal of each energy with nothing in the beam.
    backend : Backend
    n_threads : int, optional

    Returns
    -------
    (...) float32 array; relative error of the compiled version below 3e-6.

    Examples
    --------
    >>> half = np.float32([[np.log(2.0)]])
    >>> transmitted(half, np.float32([[1.0]]), np.float32([1.0])).round(5).tolist()
    [0.5]
    """
    flat = np.ascontiguousarray(paths.reshape(paths.shape[0], -1), dtype=np.float32)
    mu = np.ascontiguousarray(attenuation, dtype=np.float32)
    share = np.ascontiguousarray(weights, dtype=np.float32)
    assert mu.shape == (flat.shape[0], share.size), "attenuation is (materials, energies)"
    if backend is Backend.NUMPY:
        exponent = np.einsum("mb,mp->bp", mu.astype(np.float64), flat.astype(np.float64))
        plain = np.einsum("b,bp->p", share.astype(np.float64), np.exp(-exponent))
        return np.asarray(plain.reshape(paths.shape[1:]), dtype=np.float32)
    from vertebro.numerics import transmission_kernels as kernels  # noqa: PLC0415 - loads the compiler

    signal = np.zeros(flat.shape[1], dtype=np.float32)
    starts = range(0, flat.shape[1], _CHUNK)

    def work(start: int) -> None:
        kernels.transmit(flat, mu, share, (start, min(start + _CHUNK, flat.shape[1])), signal)

    with threads(n_threads or usable_threads(), flat.shape[1]) as pool:
        for _ in (map if pool is None else pool.map)(work, starts):
            pass
    return signal.reshape(paths.shape[1:])
