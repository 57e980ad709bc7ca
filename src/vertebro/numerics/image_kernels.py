"""Compiled image filters; see :mod:`vertebro.numerics.image_filters`."""

from __future__ import annotations

import numpy as np
from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}
_ROW = types.float32[::1]
_FIXED_ROW = types.Array(types.float32, 1, "C", readonly=True)
_IMAGE = types.Array(types.float32, 2, "C")
_FIXED_IMAGE = types.Array(types.float32, 2, "C", readonly=True)
_BYTE_ROW = types.uint8[::1]
_SIGNED_ROW = types.int8[::1]
_BYTES = types.Array(types.uint8, 2, "C")
_SIGNED_BYTES = types.Array(types.int8, 2, "C")


@njit([types.void(_ROW, kind, types.float32) for kind in (_ROW, _FIXED_ROW)], **_OPTIONS)
def add_scaled(target, source, factor):  # type: ignore[no-untyped-def]
    """``target += factor·source``."""
    for c in range(target.shape[0]):
        target[c] += factor * source[c]


@njit([types.void(_FIXED_IMAGE, _ROW, _IMAGE)], **_OPTIONS)
def convolve_both_ways(image, taps, result):  # type: ignore[no-untyped-def]
    """Filter rows and columns with the same symmetric taps, the border's pixels held beyond it.

    Row by row: the down pass of a row is widened by its held ends and then filtered across, so that
    both passes work on memory that is at hand.
    """
    rows, columns = image.shape
    reach = (taps.shape[0] - 1) // 2
    wide = np.zeros(columns + 2 * reach, np.float32)
    for r in range(rows):
        for c in range(columns + 2 * reach):
            wide[c] = np.float32(0.0)
        for t in range(taps.shape[0]):
            add_scaled(wide[reach : reach + columns], image[min(max(r + t - reach, 0), rows - 1)], taps[t])
        for c in range(reach):
            wide[c] = wide[reach]
            wide[reach + columns + c] = wide[reach + columns - 1]
        for c in range(columns):
            result[r, c] = np.float32(0.0)
        for t in range(taps.shape[0]):
            add_scaled(result[r], wide[t : t + columns], taps[t])


@njit([types.void(_BYTE_ROW, _BYTE_ROW, _BYTE_ROW, _SIGNED_ROW)], **_OPTIONS)
def grain_row(target, base, gain, noise):  # type: ignore[no-untyped-def]
    """``target = base + gain·noise/256``, held within 0 to 255."""
    for c in range(target.shape[0]):
        value = np.int32(base[c]) + ((np.int32(gain[c]) * np.int32(noise[c])) >> np.int32(8))
        target[c] = np.uint8(min(max(value, np.int32(0)), np.int32(255)))


@njit([types.void(_BYTES, _BYTES, _SIGNED_BYTES, types.UniTuple(types.int64, 2), _BYTES)], **_OPTIONS)
def add_grain(grey, strength, grain, corner, result):  # type: ignore[no-untyped-def]
    """``result = grey + strength·grain/256``, held within 0 to 255; ``corner`` places the grain's tile."""
    columns = grey.shape[1]
    for r in range(grey.shape[0]):
        grain_row(result[r], grey[r], strength[r], grain[corner[0] + r, corner[1] : corner[1] + columns])
