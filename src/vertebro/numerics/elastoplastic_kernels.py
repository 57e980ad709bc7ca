"""Compiled forces of bricks that have yielded; see :mod:`vertebro.numerics.elasticity_kernels`.

The stress of a brick's mean strain comes from its law (:mod:`vertebro.numerics.elastoplastic_law`); the
rest of the strain, by which a brick bends and twists, meets an isotropic stiffness λ, μ of the
brick's present state. Rows of the elements' array:

- given stress, 8 rows: λ and μ (times volume / 64), then the six stresses (times volume / 8);
- tangent, 12 rows: λ and μ for the rest; λ and μ for the mean strain; the weights of d⊗d and of
  d⊗1 + 1⊗d (all times volume / 64); the six components of the direction d.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from vertebro.numerics.elasticity_kernels import (
    FAST,
    FLAGS,
    NINTH,
    THIRD,
    TILE,
    amplitudes,
    edges,
    forces,
    mean_strain,
    spread,
    store,
    sum_edges,
    weighted_corners,
)

_FIELD = types.Array(types.float64, 3, "C")
_MASK = types.Array(types.float32, 3, "C")
_FILLED = types.Array(types.boolean, 2, "C")
_INT = types.int64
_SIGNATURE = types.float64(
    _FIELD,
    _FILLED,
    _FIELD,
    _MASK,
    types.boolean,
    _INT,
    _INT,
    _INT,
    types.UniTuple(types.float64, 3),
    _FIELD,
)


@njit(forceinline=True, fastmath=FLAGS)
def _tangent_stress(lam, mu, both, mixed, d, e):  # type: ignore[no-untyped-def]
    trace = e[0] + e[1] + e[2]
    along = d[0] * e[0] + d[1] * e[1] + d[2] * e[2] + d[3] * e[3] + d[4] * e[4] + d[5] * e[5]
    even = lam * trace + mixed * along
    share = both * along + mixed * trace
    double = mu + mu
    return (
        even + double * e[0] + share * d[0],
        even + double * e[1] + share * d[1],
        even + double * e[2] + share * d[2],
        mu * e[3] + share * d[3],
        mu * e[4] + share * d[4],
        mu * e[5] + share * d[5],
    )


@njit(fastmath=FLAGS, nogil=True)
def _tangent_tile(u, i, q, width, coef, g, part):  # type: ignore[no-untyped-def]
    c = coef[i, :, q : q + TILE]
    lam, mu, lam_mean, mu_mean, both, mixed = c[0], c[1], c[2], c[3], c[4], c[5]
    d0, d1, d2, d3, d4, d5 = c[6], c[7], c[8], c[9], c[10], c[11]
    au0, au1, au2, au3 = edges(u, i, 0, q, width)
    av0, av1, av2, av3 = edges(u, i, 1, q, width)
    aw0, aw1, aw2, aw3 = edges(u, i, 2, q, width)
    for t in range(TILE):
        n = t + 1
        a = amplitudes(au0[t], au0[n], au1[t], au1[n], au2[t], au2[n], au3[t], au3[n])
        b = amplitudes(av0[t], av0[n], av1[t], av1[n], av2[t], av2[n], av3[t], av3[n])
        w = amplitudes(aw0[t], aw0[n], aw1[t], aw1[n], aw2[t], aw2[n], aw3[t], aw3[n])
        direction = (d0[t], d1[t], d2[t], d3[t], d4[t], d5[t])
        strain = mean_strain(g, a, b, w)
        stress = _tangent_stress(lam_mean[t], mu_mean[t], both[t], mixed[t], direction, strain)
        s, m = lam[t], mu[t]
        p = s + m + m
        fu, fv, fw = forces(g, (p, p, p, s, s, s, m, m, m), stress, a, b, w)
        store(part, 0, t, weighted_corners(fu, THIRD, NINTH))
        store(part, 8, t, weighted_corners(fv, THIRD, NINTH))
        store(part, 16, t, weighted_corners(fw, THIRD, NINTH))


@njit(fastmath=FLAGS, nogil=True)
def _given_tile(u, i, q, width, coef, g, part):  # type: ignore[no-untyped-def]
    c = coef[i, :, q : q + TILE]
    lam, mu = c[0], c[1]
    s0, s1, s2, s3, s4, s5 = c[2], c[3], c[4], c[5], c[6], c[7]
    au0, au1, au2, au3 = edges(u, i, 0, q, width)
    av0, av1, av2, av3 = edges(u, i, 1, q, width)
    aw0, aw1, aw2, aw3 = edges(u, i, 2, q, width)
    for t in range(TILE):
        n = t + 1
        a = amplitudes(au0[t], au0[n], au1[t], au1[n], au2[t], au2[n], au3[t], au3[n])
        b = amplitudes(av0[t], av0[n], av1[t], av1[n], av2[t], av2[n], av3[t], av3[n])
        w = amplitudes(aw0[t], aw0[n], aw1[t], aw1[n], aw2[t], aw2[n], aw3[t], aw3[n])
        s, m = lam[t], mu[t]
        p = s + m + m
        stress = (s0[t], s1[t], s2[t], s3[t], s4[t], s5[t])
        fu, fv, fw = forces(g, (p, p, p, s, s, s, m, m, m), stress, a, b, w)
        store(part, 0, t, weighted_corners(fu, THIRD, NINTH))
        store(part, 8, t, weighted_corners(fv, THIRD, NINTH))
        store(part, 16, t, weighted_corners(fw, THIRD, NINTH))


@njit(nogil=True)
def _plane_forces(u, i, width, coef, is_filled, g, part, low, high):  # type: ignore[no-untyped-def]
    low[:, 0] = 0.0
    high[:, 0] = 0.0
    for tile in range(is_filled.shape[1]):
        q = tile * TILE
        if not is_filled[i, tile]:
            low[:, q + 1 : q + TILE + 1] = 0.0
            high[:, q + 1 : q + TILE + 1] = 0.0
            continue
        if coef.shape[1] == 12:
            _tangent_tile(u, i, q, width, coef, g, part)
        else:
            _given_tile(u, i, q, width, coef, g, part)
        spread(part, q, low, high)


@njit([_SIGNATURE], **FAST)
def yielded_forces(coef, is_filled, u, inverse_diagonal, is_masked, first, stop, width, g, out):  # type: ignore[no-untyped-def]
    """Forces on node planes ``first`` to ``stop``, and their inner product with ``u``.

    The same as :func:`~vertebro.numerics.elasticity_kernels.product` with 8 or 12 rows.
    """
    pitch = u.shape[2]
    part = np.empty(24 * TILE, np.float64)
    low, high = np.zeros((6, pitch)), np.zeros((6, pitch))
    before = np.zeros((6, pitch))
    if first > 0:
        _plane_forces(u, first - 1, width, coef, is_filled, g, part, low, before)
    total = 0.0
    for i in range(first, stop):
        if i < coef.shape[0]:
            _plane_forces(u, i, width, coef, is_filled, g, part, low, high)
        else:
            low[:] = 0.0
        for component in range(3):
            row, free, value = out[i, component], inverse_diagonal[i, component], u[i, component]
            sum_edges(low, before, component, width, row)
            if is_masked:
                for q in range(pitch):
                    row[q] = row[q] if free[q] != 0.0 else 0.0
            for q in range(pitch):
                total += row[q] * value[q]
        before, high = high, before
    return total
