"""Compiled Beer–Lambert sum; see :mod:`vertebro.numerics.transmission`."""

from __future__ import annotations

import numpy as np
from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}
_ROW = types.float32[::1]
_TABLE = types.Array(types.float32, 2, "C")
_BLOCK = 1024
_LOG2_E = np.float32(1.4426950408889634)


@njit([types.void(_ROW, _ROW, types.int32[::1], types.float32)], **_OPTIONS)
def split_powers(exponent, mantissa, whole, weight):  # type: ignore[no-untyped-def]
    """Write ``weight·exp(−exponent)`` as ``mantissa · 2^n`` with the bits of ``2^n`` in ``whole``.

    ``2^f`` on [−½, ½] by its Taylor series to the sixth power, relative error 1e-7.
    """
    for p in range(exponent.shape[0]):
        power = min(max(-exponent[p] * _LOG2_E, np.float32(-126.0)), np.float32(126.0))
        n = np.int32(power + np.float32(126.5)) - np.int32(126)
        f = (power - np.float32(n)) * np.float32(0.6931471805599453)
        mantissa[p] = weight * (
            np.float32(1.0)
            + f
            * (
                np.float32(1.0)
                + f
                * (
                    np.float32(0.5)
                    + f
                    * (
                        np.float32(1.0 / 6.0)
                        + f
                        * (
                            np.float32(1.0 / 24.0)
                            + f * (np.float32(1.0 / 120.0) + f * np.float32(1.0 / 720.0))
                        )
                    )
                )
            )
        )
        whole[p] = (n + np.int32(127)) << np.int32(23)


@njit([types.void(_ROW, _ROW, types.float32, types.boolean)], **_OPTIONS)
def scale_into(target, source, factor, is_first):  # type: ignore[no-untyped-def]
    """``target = factor·source``, or add to it where it is not the first."""
    if is_first:
        for p in range(target.shape[0]):
            target[p] = factor * source[p]
    else:
        for p in range(target.shape[0]):
            target[p] += factor * source[p]


@njit([types.void(_ROW, _ROW, _ROW)], **_OPTIONS)
def add_product(target, first, second):  # type: ignore[no-untyped-def]
    """``target += first·second``."""
    for p in range(target.shape[0]):
        target[p] += first[p] * second[p]


@njit([types.void(_TABLE, _TABLE, _ROW, types.UniTuple(types.int64, 2), _ROW)], **_OPTIONS)
def transmit(paths, attenuation, weights, span, signal):  # type: ignore[no-untyped-def]
    """Add to ``signal[span]`` the beam behind ``paths``, block by block so that scratch stays in cache."""
    exponent = np.empty(_BLOCK, np.float32)
    mantissa = np.empty(_BLOCK, np.float32)
    whole = np.empty(_BLOCK, np.int32)
    power = whole.view(np.float32)
    for start in range(span[0], span[1], _BLOCK):
        n = min(_BLOCK, span[1] - start)
        for b in range(weights.shape[0]):
            for m in range(paths.shape[0]):
                scale_into(exponent[:n], paths[m, start : start + n], attenuation[m, b], m == 0)
            split_powers(exponent[:n], mantissa[:n], whole[:n], weights[b])
            add_product(signal[start : start + n], mantissa[:n], power[:n])
