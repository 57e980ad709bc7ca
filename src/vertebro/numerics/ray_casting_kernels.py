"""Compiled kernels of the ray caster; see :mod:`vertebro.numerics.ray_casting` for the method.

Not parallel themselves: they release the interpreter's lock and are run on bands of rows by
threads, which keeps them safe inside a threaded server and quick to compile. Signatures are
explicit and machine code is cached on disk. Frames: voxel indices and intermediate-grid indices.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}
_ROW = types.float32[::1]
_INDICES = types.uint32[::1]
_TABLE = types.Array(types.float32, 2, "C")
_SHORTS = types.Array(types.int16, 3, "C", readonly=True)
_FLOATS = types.Array(types.float32, 3, "C", readonly=True)
_EXTENTS = types.Array(types.int32, 3, "C")
_LINES = types.Array(types.float64, 2, "C")
_IMAGES = types.Array(types.float32, 3, "C")
_FLAGS = types.UniTuple(types.boolean, 2)
_PAIR = types.UniTuple(types.int64, 2)
_BOUNDS = types.UniTuple(types.int64, 6)


@njit([types.void(_ROW, _ROW, _ROW, _ROW)], **_OPTIONS)
def decode_row(target, values, knots, slopes):  # type: ignore[no-untyped-def]
    """Map a row of voxel values through eight hinges."""
    k0, k1, k2, k3 = knots[0], knots[1], knots[2], knots[3]
    k4, k5, k6, k7 = knots[4], knots[5], knots[6], knots[7]
    s0, s1, s2, s3 = slopes[0], slopes[1], slopes[2], slopes[3]
    s4, s5, s6, s7 = slopes[4], slopes[5], slopes[6], slopes[7]
    zero = np.float32(0.0)
    for a in range(values.shape[0]):
        h = values[a]
        low = (
            s0 * max(h - k0, zero) + s1 * max(h - k1, zero) + s2 * max(h - k2, zero) + s3 * max(h - k3, zero)
        )
        high = (
            s4 * max(h - k4, zero) + s5 * max(h - k5, zero) + s6 * max(h - k6, zero) + s7 * max(h - k7, zero)
        )
        target[a] = low + high


@njit([types.void(_ROW, _ROW, _INDICES, _ROW)], **_OPTIONS)
def resample_row(target, padded, index, weight):  # type: ignore[no-untyped-def]
    """Interpolate a row linearly at places given by whole index and remainder."""
    for p in range(target.shape[0]):
        i = index[p]
        left = padded[i]
        target[p] = left + weight[p] * (padded[i + np.uint32(1)] - left)


@njit([types.void(_ROW)], **_OPTIONS)
def clear_row(target):  # type: ignore[no-untyped-def]
    """Set a row to 0."""
    for a in range(target.shape[0]):
        target[a] = np.float32(0.0)


@njit([types.void(types.Array(types.float32, 2, "A"))], **_OPTIONS)
def clear_rows(target):  # type: ignore[no-untyped-def]
    """Set several rows to 0."""
    for m in range(target.shape[0]):
        for a in range(target.shape[1]):
            target[m, a] = np.float32(0.0)


@njit([types.void(_ROW, _ROW, _ROW, types.float32)], **_OPTIONS)
def blend_rows(target, first, second, weight):  # type: ignore[no-untyped-def]
    """Add the mean of two rows, ``second`` weighted by ``weight``, to a third."""
    for p in range(target.shape[0]):
        target[p] += first[p] + weight * (second[p] - first[p])


@njit([_PAIR(_EXTENTS, types.boolean, types.int64, types.int64, types.int64)], **_OPTIONS)
def filled_span(extents, is_second_axis, k, r_first, r_stop):  # type: ignore[no-untyped-def]
    """First filled voxel, and one past the last, over rows ``[r_first, r_stop)`` of slice ``k``."""
    lo, hi = np.int64(2**30), np.int64(0)
    for r in range(r_first, r_stop):
        start = extents[r, k, 0] if is_second_axis else extents[k, r, 0]
        stop = extents[r, k, 1] if is_second_axis else extents[k, r, 1]
        if stop > start:
            lo, hi = min(lo, np.int64(start)), max(hi, np.int64(stop))
    return lo, hi


@njit([types.void(_INDICES, _ROW, types.float64, types.float64, types.int64)], **_OPTIONS)
def place_columns(index, weight, first, step, top):  # type: ignore[no-untyped-def]
    """Whole index and remainder of ``first + p·step`` for every grid column, held within [0, top]."""
    start, pace, last = np.float32(first), np.float32(step), np.float32(top)
    for p in range(index.shape[0]):
        place = min(max(start + np.float32(p) * pace, np.float32(0.0)), last)
        whole = np.uint32(place)
        index[p] = whole
        weight[p] = place - np.float32(whole)


@njit([types.void(_ROW, types.Array(kind, 1, "C", readonly=True)) for kind in (types.int16, types.float32)],
      **_OPTIONS)  # fmt: skip
def read_row(target, row):  # type: ignore[no-untyped-def]
    """Copy a row of voxels as float32."""
    for a in range(target.shape[0]):
        target[a] = np.float32(row[a])


@njit([types.void(_SHORTS, _FLOATS, _FLAGS, _EXTENTS, _ROW, _TABLE, _LINES, _BOUNDS, _IMAGES)], **_OPTIONS)
def accumulate_band(shorts, floats, flags, extents, knots, slopes, lines, bounds, grid):  # type: ignore[no-untyped-def]
    """Add every slice's contribution to a band of rows of the intermediate grid.

    Parameters
    ----------
    shorts, floats : (n0, n1, n2) int16, float32
        The voxels in one of the two; the other is empty and not looked at.
    flags : two bool
        Whether the voxels are ``shorts``; whether slices are ``values[:, k]``, not ``values[k]``.
    extents : (n0, n1, 2) int32
        Filled part of each row of voxels.
    knots, slopes : (8,), (m, 8) float32
    lines : (4, n) float64
        For each slice: column coordinate of grid column 0 and its step, row coordinate of grid
        row 0 and its step, in voxels.
    bounds : six ints
        First and last-plus-one slice, grid row, grid column.
    grid : (m, q, p) float32
        Added to.
    """
    k_first, k_stop, q_first, q_stop, p_first, p_stop = bounds
    is_short, is_second = flags
    n_rows = extents.shape[0] if is_second else extents.shape[1]
    length = shorts.shape[2] if is_short else floats.shape[2]
    n_outputs, width = slopes.shape[0], p_stop - p_first
    raw = np.empty(length, np.float32)
    padded = np.empty((n_outputs, length + 3), np.float32)
    ready = np.empty((n_outputs, 2, width), np.float32)
    index, weight = np.empty(width, np.uint32), np.empty(width, np.float32)
    held = np.empty(2, np.int64)
    clear_rows(padded[:, :1])
    for k in range(k_first, k_stop):
        a_start, a_step, b_start, b_step = lines[0, k], lines[1, k], lines[2, k], lines[3, k]
        b_from, b_to = b_start + q_first * b_step, b_start + (q_stop - 1) * b_step
        r_first, r_stop = (
            max(math.floor(min(b_from, b_to)), 0),
            min(math.floor(max(b_from, b_to)) + 2, n_rows),
        )
        lo, hi = filled_span(extents, is_second, k, r_first, r_stop)
        if lo >= hi:
            continue
        # grid columns whose voxel coordinate lies in (lo - 1, hi): where the padded row is not zero
        end_a, end_b = (lo - 1 - a_start) / a_step, (hi - a_start) / a_step
        p_from = max(math.ceil(min(end_a, end_b)), p_first)
        n, filled = min(math.floor(max(end_a, end_b)) + 1, p_stop) - p_from, hi - lo
        if n <= 0:
            continue
        place_columns(index[:n], weight[:n], a_start + p_from * a_step - (lo - 1), a_step, filled + 1)
        held[0] = held[1] = -9
        for q in range(q_first, q_stop):
            b = b_start + q * b_step
            below = math.floor(b)
            if below < -1 or below >= n_rows:
                continue
            for r in range(below, below + 2):
                slot = r & 1
                if held[slot] != r:
                    held[slot] = r
                    if r < 0 or r >= n_rows:
                        clear_rows(ready[:, slot, :n])
                        continue
                    i, j = (r, k) if is_second else (k, r)
                    if is_short:
                        read_row(raw[:filled], shorts[i, j, lo:hi])
                    else:
                        read_row(raw[:filled], floats[i, j, lo:hi])
                    for m in range(n_outputs):
                        decode_row(padded[m, 1 : filled + 1], raw[:filled], knots, slopes[m])
                        clear_row(padded[m, filled + 1 : filled + 3])
                        resample_row(ready[m, slot, :n], padded[m], index[:n], weight[:n])
            slot, fraction = below & 1, np.float32(b - below)
            for m in range(n_outputs):
                blend_rows(
                    grid[m, q, p_from : p_from + n], ready[m, slot, :n], ready[m, 1 - slot, :n], fraction
                )


@njit(types.UniTuple(types.float32, 4)(types.float32), inline="always", **_OPTIONS)
def _cubic_weights(t):  # type: ignore[no-untyped-def]
    """Weights of four neighbours for cubic convolution (Keys 1981, a = −1/2) at fraction ``t``."""
    half = np.float32(0.5)
    return (
        t * (t * (np.float32(1.0) - half * t) - half),
        t * t * (np.float32(1.5) * t - np.float32(2.5)) + np.float32(1.0),
        t * (t * (np.float32(2.0) - np.float32(1.5) * t) + half),
        t * t * half * (t - np.float32(1.0)),
    )


@njit([types.void(_IMAGES, _LINES, types.float64[::1], types.float64, _PAIR, _IMAGES)], **_OPTIONS)
def warp_band(grid, rays, frame, tie_band, rows, image):  # type: ignore[no-untyped-def]
    """Take the intermediate grid to detector rows ``rows[0]`` to ``rows[1]`` and scale by path length.

    Parameters
    ----------
    grid : (m, q, p) float32
    rays : (6, 3) float64
        Rows 0–2: direction of pixel (0, 0), its change per column, per row, as voxel steps along
        (column axis, row axis, slice axis). Rows 3–5: world length of those three voxel steps, mm,
        as vectors.
    frame : (5,) float64
        Slope of grid column 0, slope per column, slope of grid row 0, slope per row, and the sign
        of the slice-axis direction of the face.
    tie_band : float
        Relative width over which faces are mixed where two axes nearly tie.
    image : (m, rows, columns) float32
        Added to.
    """
    n_outputs, n_q, n_p = grid.shape
    for r in range(rows[0], rows[1]):
        for c in range(image.shape[2]):
            d0 = rays[0, 0] + c * rays[1, 0] + r * rays[2, 0]
            d1 = rays[0, 1] + c * rays[1, 1] + r * rays[2, 1]
            d2 = rays[0, 2] + c * rays[1, 2] + r * rays[2, 2]
            if d2 * frame[4] <= 0.0:
                continue
            m0, m1, m2 = abs(d0), abs(d1), abs(d2)
            largest = max(m0, m1, m2)
            w0 = max(m0 / largest - 1.0 + tie_band, 0.0)
            w1 = max(m1 / largest - 1.0 + tie_band, 0.0)
            w2 = max(m2 / largest - 1.0 + tie_band, 0.0)
            if w2 <= 0.0:
                continue
            s0, s1 = d0 / d2, d1 / d2
            x = (s0 - frame[0]) / frame[1]
            y = (s1 - frame[2]) / frame[3]
            i, j = math.floor(x), math.floor(y)
            if i < 1 or j < 1 or i > n_p - 3 or j > n_q - 3:
                continue
            l0 = s0 * rays[3, 0] + s1 * rays[4, 0] + rays[5, 0]
            l1 = s0 * rays[3, 1] + s1 * rays[4, 1] + rays[5, 1]
            l2 = s0 * rays[3, 2] + s1 * rays[4, 2] + rays[5, 2]
            scale = np.float32(math.sqrt(l0 * l0 + l1 * l1 + l2 * l2) * w2 / (w0 + w1 + w2))
            a0, a1, a2, a3 = _cubic_weights(np.float32(x - i))
            b0, b1, b2, b3 = _cubic_weights(np.float32(y - j))
            for m in range(n_outputs):
                g0, g1, g2, g3 = grid[m, j - 1], grid[m, j], grid[m, j + 1], grid[m, j + 2]
                image[m, r, c] += scale * (
                    b0 * (a0 * g0[i - 1] + a1 * g0[i] + a2 * g0[i + 1] + a3 * g0[i + 2])
                    + b1 * (a0 * g1[i - 1] + a1 * g1[i] + a2 * g1[i + 1] + a3 * g1[i + 2])
                    + b2 * (a0 * g2[i - 1] + a1 * g2[i] + a2 * g2[i + 1] + a3 * g2[i + 2])
                    + b3 * (a0 * g3[i - 1] + a1 * g3[i] + a2 * g3[i + 1] + a3 * g3[i + 2])
                )
