"""Compiled smoothing, restriction and prolongation of :mod:`vertebro.numerics.darcy_multigrid`.

Arrays carry one layer of ghost cells on every side, whose transmissibilities are 0; ``tx[i, j, k]``
joins cell (i, j, k) with (i+1, j, k), and so on. Every kernel works on the planes ``[first, stop)`` of
its first axis and releases the interpreter's lock, so that bands of planes can run in threads with
the same result for any number of them. Rows along the last axis are solved whole (line
Gauss–Seidel); rows of one colour, (i + j) even or odd, do not touch one another.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}
_CELLS = types.Array(types.float32, 3, "C")
_FINE = types.Array(types.float64, 3, "C")
_SPANS = types.Array(types.int32, 3, "C")
_INT = types.int64


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _SPANS, _INT, _INT)], **_OPTIONS)
def factor_rows(pivot, sink, tx, ty, tz, spans, first, stop):  # type: ignore[no-untyped-def]
    """Inverse pivots of the tridiagonal matrix of every row; 0 at cells without connections."""
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(first, stop):
        for j in range(1, pivot.shape[1] - 1):
            last = zero
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                low = tz[i, j, k - 1]
                total = tx[i - 1, j, k] + tx[i, j, k] + ty[i, j - 1, k] + ty[i, j, k] + low + tz[i, j, k]
                total += sink[i, j, k]
                kept = total - low * low * last
                # a row closed off from everything would be singular: keep a trace of its own weight
                kept = max(kept, np.float32(1e-6) * total)
                last = one / kept if kept > zero else zero
                pivot[i, j, k] = last


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _SPANS, types.boolean, _INT, _INT, _INT)],
      **_OPTIONS)  # fmt: skip
def relax_rows(x, b, tx, ty, tz, pivot, spans, alone, colour, first, stop):  # type: ignore[no-untyped-def]
    """Solve every row of one colour exactly, the others held (or taken as 0 where ``alone``)."""
    row = np.empty(x.shape[2], np.float32)
    for i in range(first, stop):
        for j in range(1 + (i + 1 + colour) % 2, x.shape[1] - 1, 2):
            lo, hi = spans[i, j, 0], spans[i, j, 1]
            if alone:
                for k in range(lo, hi):
                    row[k] = b[i, j, k]
            else:
                for k in range(lo, hi):
                    row[k] = (
                        b[i, j, k]
                        + tx[i - 1, j, k] * x[i - 1, j, k]
                        + tx[i, j, k] * x[i + 1, j, k]
                        + ty[i, j - 1, k] * x[i, j - 1, k]
                        + ty[i, j, k] * x[i, j + 1, k]
                    )
            value = np.float32(0.0)
            for k in range(lo, hi):
                value = (row[k] + tz[i, j, k - 1] * value) * pivot[i, j, k]
                row[k] = value
            value = np.float32(0.0)
            for k in range(hi - 1, lo - 1, -1):
                value = row[k] + tz[i, j, k] * pivot[i, j, k] * value
                x[i, j, k] = value


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _SPANS, _INT, _INT)], **_OPTIONS)
def leave_first_colour(r, x, tx, ty, spans, first, stop):  # type: ignore[no-untyped-def]
    """Residual on the rows of colour 0 after colours 0 and 1 were relaxed from zero.

    Rows of colour 1 have none; those of colour 0 were solved with their neighbours at 0, so what is
    left is what their neighbours now send.
    """
    for i in range(first, stop):
        for j in range(1 + (i + 1) % 2, x.shape[1] - 1, 2):
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                r[i, j, k] = (
                    tx[i - 1, j, k] * x[i - 1, j, k]
                    + tx[i, j, k] * x[i + 1, j, k]
                    + ty[i, j - 1, k] * x[i, j - 1, k]
                    + ty[i, j, k] * x[i, j + 1, k]
                )


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _SPANS, _INT, _INT)], **_OPTIONS)
def restrict_first_colour(coarse, r, wx, wy, wz, spans, first, stop):  # type: ignore[no-untyped-def]
    """Transpose of :func:`add_coarse`, for a residual that is 0 on the rows of colour 1."""
    n_i, n_j = r.shape[0] - 2, r.shape[1] - 2
    row = np.zeros(r.shape[2] + 3, np.float32)
    side = np.zeros(r.shape[2] + 3, np.float32)
    for ci in range(first, stop):
        for cj in range(1, coarse.shape[1] - 1):
            row[:] = np.float32(0.0)
            side[:] = np.float32(0.0)
            for i in range(2 * ci - 2, min(2 * ci + 1, n_i) + 1):
                own_i = i == 2 * ci - 1 or i == 2 * ci
                for j in range(2 * cj - 2, min(2 * cj + 1, n_j) + 1):
                    own_j = j == 2 * cj - 1 or j == 2 * cj
                    if (i + j) % 2 == 1 or i < 1 or j < 1 or not (own_i or own_j):
                        continue
                    if own_i and own_j:
                        for k in range(spans[i, j, 0], spans[i, j, 1]):
                            value, z = r[i, j, k], wz[i, j, k]
                            row[k] += (np.float32(1.0) - wx[i, j, k] - wy[i, j, k] - z) * value
                            side[k] += z * value
                    elif own_j:
                        for k in range(spans[i, j, 0], spans[i, j, 1]):
                            row[k] += wx[i, j, k] * r[i, j, k]
                    else:
                        for k in range(spans[i, j, 0], spans[i, j, 1]):
                            row[k] += wy[i, j, k] * r[i, j, k]
            coarse[ci, cj, 1] = row[1] + row[2] + side[3]
            for ck in range(2, coarse.shape[2] - 1):
                coarse[ci, cj, ck] = row[2 * ck - 1] + row[2 * ck] + side[2 * ck - 2] + side[2 * ck + 1]


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _SPANS, _INT, _INT)], **_OPTIONS)
def add_coarse(x, coarse, wx, wy, wz, spans, first, stop):  # type: ignore[no-untyped-def]
    """Add to every cell its block's value, drawn towards the nearest blocks by the weights."""
    whole = np.zeros(x.shape[2] + 2, np.float32)
    for i in range(first, stop):
        ci = (i + 1) // 2
        ni = ci - 1 if i % 2 == 1 else ci + 1
        for j in range(1, x.shape[1] - 1):
            if spans[i, j, 1] <= spans[i, j, 0]:
                continue
            cj = (j + 1) // 2
            nj = cj - 1 if j % 2 == 1 else cj + 1
            for ck in range(1, coarse.shape[2] - 1):
                own = coarse[ci, cj, ck]
                low, high = 2 * ck - 1, 2 * ck
                dx, dy = coarse[ni, cj, ck] - own, coarse[ci, nj, ck] - own
                whole[low] = own + wx[i, j, low] * dx + wy[i, j, low] * dy + wz[i, j, low] * (
                    coarse[ci, cj, ck - 1] - own)  # fmt: skip
                whole[high] = own + wx[i, j, high] * dx + wy[i, j, high] * dy + wz[i, j, high] * (
                    coarse[ci, cj, ck + 1] - own)  # fmt: skip
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                x[i, j, k] += whole[k]


_MARKS = types.Array(types.uint8, 3, "C")
_WEAK = np.float32(0.02)


@njit([types.void(_MARKS, _CELLS, _CELLS, _CELLS, _CELLS, _INT, _INT)], **_OPTIONS)
def mark_main_parts(main, tx, ty, tz, sink, first, stop):  # type: ignore[no-untyped-def]  # noqa: PLR0912
    """Mark in every block of 2 x 2 x 2 cells its largest part that strong connections hold together.

    A thin barrier through a block parts it; cells of the other part must not follow the block. ``first``
    and ``stop`` count planes of blocks.
    """
    n_i, n_j, n_k = tx.shape[0] - 2, tx.shape[1] - 2, tx.shape[2] - 2
    part, total = np.empty(8, np.int64), np.empty(8, np.float32)
    for ci in range(first, stop):
        for cj in range(1, (n_j + 1) // 2 + 1):
            for ck in range(1, (n_k + 1) // 2 + 1):
                for c in range(8):
                    i, j, k = 2 * ci - 1 + c // 4, 2 * cj - 1 + (c // 2) % 2, 2 * ck - 1 + c % 2
                    part[c], total[c] = c, np.float32(0.0)
                    if i <= n_i and j <= n_j and k <= n_k:
                        total[c] = tx[i - 1, j, k] + tx[i, j, k] + ty[i, j - 1, k] + ty[i, j, k]
                        total[c] += tz[i, j, k - 1] + tz[i, j, k] + sink[i, j, k]
                for _ in range(3):  # three steps reach every cell of a block
                    for c in range(8):
                        i, j, k = 2 * ci - 1 + c // 4, 2 * cj - 1 + (c // 2) % 2, 2 * ck - 1 + c % 2
                        for bit in (4, 2, 1):
                            if c & bit or total[c] <= 0.0 or total[c + bit] <= 0.0:
                                continue
                            t = tx[i, j, k] if bit == 4 else ty[i, j, k] if bit == 2 else tz[i, j, k]
                            if t > _WEAK * min(total[c], total[c + bit]):
                                low = min(part[c], part[c + bit])
                                part[c], part[c + bit] = low, low
                best, most = -1, 0
                for c in range(8):
                    count = 0
                    for other in range(8):
                        count += 1 if part[other] == c and total[other] > 0.0 else 0
                    if count > most:
                        best, most = c, count
                for c in range(8):
                    i, j, k = 2 * ci - 1 + c // 4, 2 * cj - 1 + (c // 2) % 2, 2 * ck - 1 + c % 2
                    if i <= n_i and j <= n_j and k <= n_k:
                        main[i, j, k] = 1 if part[c] == best and total[c] > 0.0 else 0


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _MARKS, _INT, _INT)], **_OPTIONS)
def weigh_blocks(wx, wy, wz, tx, ty, tz, sink, main, first, stop):  # type: ignore[no-untyped-def]
    """Share of each cell's connections that leads to the next blocks; all, outside a main part."""
    one, zero = np.float32(1.0), np.float32(0.0)
    for i in range(first, stop):
        im, ni = (i - 1, i - 1) if i % 2 == 1 else (i, i + 1)
        for j in range(1, tx.shape[1] - 1):
            jm, nj = (j - 1, j - 1) if j % 2 == 1 else (j, j + 1)
            for k in range(1, tx.shape[2] - 1):
                km, nk = (k - 1, k - 1) if k % 2 == 1 else (k, k + 1)
                total = tx[i - 1, j, k] + tx[i, j, k] + ty[i, j - 1, k] + ty[i, j, k] + tz[i, j, k - 1]
                total += tz[i, j, k] + sink[i, j, k]
                a = tx[im, j, k] if main[ni, j, k] else zero
                b = ty[i, jm, k] if main[i, nj, k] else zero
                c = tz[i, j, km] if main[i, j, nk] else zero
                base = total if main[i, j, k] else a + b + c
                scale = one / base if base > zero else zero
                wx[i, j, k], wy[i, j, k], wz[i, j, k] = a * scale, b * scale, c * scale


@njit([types.void(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _MARKS, types.float32, _INT,
                  _INT)], **_OPTIONS)  # fmt: skip
def coarsen(ctx, cty, ctz, csink, tx, ty, tz, sink, main, weight, first, stop):  # type: ignore[no-untyped-def]
    """Transmissibilities (times ``weight``) and sinks between the main parts of blocks, by sums."""
    one = np.float32(1.0)
    n_i, n_j, n_k = tx.shape[0] - 2, tx.shape[1] - 2, tx.shape[2] - 2
    for ci in range(first, stop):
        for cj in range(1, ctx.shape[1] - 1):
            for ck in range(1, ctx.shape[2] - 1):
                sx, sy = np.float32(0.0), np.float32(0.0)
                sz, ss = np.float32(0.0), np.float32(0.0)
                for i in range(2 * ci - 1, min(2 * ci, n_i) + 1):
                    for j in range(2 * cj - 1, min(2 * cj, n_j) + 1):
                        for k in range(2 * ck - 1, min(2 * ck, n_k) + 1):
                            # other parts count a little, lest a block lose all its connections
                            own = one if main[i, j, k] else _WEAK
                            ss += sink[i, j, k]
                            if i == 2 * ci:
                                sx += tx[i, j, k] * (own if main[i + 1, j, k] else _WEAK)
                            if j == 2 * cj:
                                sy += ty[i, j, k] * (own if main[i, j + 1, k] else _WEAK)
                            if k == 2 * ck:
                                sz += tz[i, j, k] * (own if main[i, j, k + 1] else _WEAK)
                ctx[ci, cj, ck], cty[ci, cj, ck], ctz[ci, cj, ck] = weight * sx, weight * sy, weight * sz
                csink[ci, cj, ck] = ss


@njit([types.float64(_FINE, _FINE, _FINE, _FINE, _FINE, _FINE, _SPANS, _INT, _INT)], **_OPTIONS)
def apply_flux(out, x, tx, ty, tz, diagonal, spans, first, stop):  # type: ignore[no-untyped-def]
    """``out = A x`` for the cells, and the sum of ``x · A x``."""
    total = 0.0
    for i in range(first, stop):
        for j in range(1, x.shape[1] - 1):
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                value = (
                    diagonal[i, j, k] * x[i, j, k]
                    - tx[i - 1, j, k] * x[i - 1, j, k]
                    - tx[i, j, k] * x[i + 1, j, k]
                    - ty[i, j - 1, k] * x[i, j - 1, k]
                    - ty[i, j, k] * x[i, j + 1, k]
                    - tz[i, j, k - 1] * x[i, j, k - 1]
                    - tz[i, j, k] * x[i, j, k + 1]
                )
                out[i, j, k] = value
                total += value * x[i, j, k]
    return total


@njit([types.float64(_FINE, _FINE, _FINE, _FINE, _CELLS, types.float64, _SPANS, _INT, _INT)], **_OPTIONS)
def descend(x, r, p, q, b, length, spans, first, stop):  # type: ignore[no-untyped-def]
    """``x += length p``, ``r -= length q``, ``b = r`` in single precision; the sum of squares of r."""
    total = 0.0
    for i in range(first, stop):
        for j in range(1, x.shape[1] - 1):
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                x[i, j, k] += length * p[i, j, k]
                value = r[i, j, k] - length * q[i, j, k]
                r[i, j, k] = value
                b[i, j, k] = np.float32(value)
                total += value * value
    return total


@njit([types.float64(_FINE, _CELLS, _SPANS, _INT, _INT)], **_OPTIONS)
def dot_mixed(r, z, spans, first, stop):  # type: ignore[no-untyped-def]
    """Sum of ``r · z``."""
    total = 0.0
    for i in range(first, stop):
        for j in range(1, r.shape[1] - 1):
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                total += r[i, j, k] * np.float64(z[i, j, k])
    return total


@njit([types.void(_FINE, _CELLS, types.float64, _SPANS, _INT, _INT)], **_OPTIONS)
def turn(p, z, share, spans, first, stop):  # type: ignore[no-untyped-def]
    """``p = z + share p``."""
    for i in range(first, stop):
        for j in range(1, p.shape[1] - 1):
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                p[i, j, k] = np.float64(z[i, j, k]) + share * p[i, j, k]


@njit([types.float64(_CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _CELLS, _SPANS, _INT, _INT)], **_OPTIONS)
def apply_coarse(out, x, tx, ty, tz, sink, spans, first, stop):  # type: ignore[no-untyped-def]
    """``out = A x`` in single precision, and the sum of ``x · A x``."""
    total = 0.0
    for i in range(first, stop):
        for j in range(1, x.shape[1] - 1):
            for k in range(spans[i, j, 0], spans[i, j, 1]):
                here = x[i, j, k]
                value = (
                    sink[i, j, k] * here
                    + tx[i - 1, j, k] * (here - x[i - 1, j, k])
                    + tx[i, j, k] * (here - x[i + 1, j, k])
                    + ty[i, j - 1, k] * (here - x[i, j - 1, k])
                    + ty[i, j, k] * (here - x[i, j + 1, k])
                    + tz[i, j, k - 1] * (here - x[i, j, k - 1])
                    + tz[i, j, k] * (here - x[i, j, k + 1])
                )
                out[i, j, k] = value
                total += np.float64(value) * np.float64(here)
    return total
