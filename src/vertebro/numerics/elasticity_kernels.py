"""Compiled element-by-element product with the stiffness of a grid of eight-node bricks.

A brick's reflections split its 24 displacements into the amplitudes of 1, ξ, η, ζ, ξη, ξζ, ηζ, ξηζ
for each component; an orthotropic material along the grid couples only few of them, so the product
takes about 300 operations instead of 1152, and the integral is that of the full 2×2×2 rule.

Layout: nodal fields are ``(planes, 3, pitch)``: for each plane of nodes across the first axis and each
component, all nodes of the plane in one row, the third axis fastest. Elements are ``(planes, m,
tiles·TILE)`` on the same flat index as their lowest node; indices that are no element hold zeros.
``m`` is 2 (Lamé's λ and μ) or 9 (C11 C22 C33 C12 C13 C23 C44 C55 C66), times volume / 64.
``steps`` is 2 / spacing along each axis. mm, N, MPa.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

TILE = 64
"""Elements worked on together; the compiler needs to know the number."""

FLAGS = {"contract", "reassoc", "nsz", "arcp"}
OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
FAST = {**OPTIONS, "fastmath": FLAGS}
_INT, _BOOL = types.int64, types.boolean
_FILLED = types.Array(types.boolean, 2, "C")
_TRIPLE = types.UniTuple(types.int64, 3)


def _field(kind: Any) -> Any:
    return types.Array(kind, 3, "C")


_DOUBLES = _field(types.float64)
_NODES, _STEPS = _field(types.float32), types.UniTuple(types.float32, 3)
_PRODUCT = types.float64(
    _DOUBLES,
    _FILLED,
    _DOUBLES,
    _NODES,
    _BOOL,
    _INT,
    _INT,
    _INT,
    types.UniTuple(types.float64, 3),
    _DOUBLES,
)
_SMOOTH = types.void(
    _NODES,
    _FILLED,
    _NODES,
    _NODES,
    types.UniTuple(_NODES, 4),
    types.UniTuple(types.float32, 2),
    _INT,
    _INT,
    _INT,
    _STEPS,
)
_RESTRICT = types.void(_NODES, _TRIPLE, _INT, _INT, _TRIPLE, _NODES)
_PROLONG = types.void(_NODES, _TRIPLE, _NODES, _TRIPLE, _INT, _INT, _NODES)
_LONG, _SHORT = types.Array(types.float64, 1, "C"), types.Array(types.float32, 1, "C")
THIRD, NINTH = 1.0 / 3.0, 1.0 / 9.0


@njit(forceinline=True, fastmath=FLAGS)
def amplitudes(a, a1, b, b1, c, c1, d, d1):  # type: ignore[no-untyped-def]
    """Eight corner values (third axis fastest) to the sums 1, ξ, η, ζ, ξη, ξζ, ηζ, ξηζ without 1."""
    sa, da = a1 + a, a1 - a
    sb, db = b1 + b, b1 - b
    sc, dc = c1 + c, c1 - c
    sd, dd = d1 + d, d1 - d
    lss, lds = sb + sa, sb - sa
    lsd, ldd = db + da, db - da
    hss, hds = sd + sc, sd - sc
    hsd, hdd = dd + dc, dd - dc
    return hss - lss, hds + lds, hsd + lsd, hds - lds, hsd - lsd, hdd + ldd, hdd - ldd


@njit(forceinline=True, fastmath=FLAGS)
def _corners(f1, f2, f3, f12, f13, f23, f123):  # type: ignore[no-untyped-def]
    """Forces on the amplitudes to the forces on the eight corners, the transpose of the above."""
    lss, hss = -f1, f1
    lds, hds = f2 - f12, f2 + f12
    lsd, hsd = f3 - f13, f3 + f13
    ldd, hdd = f23 - f123, f23 + f123
    sa, sb = lss - lds, lss + lds
    da, db = lsd - ldd, lsd + ldd
    sc, sd = hss - hds, hss + hds
    dc, dd = hsd - hdd, hsd + hdd
    return sa - da, sa + da, sb - db, sb + db, sc - dc, sc + dc, sd - dd, sd + dd


@njit(forceinline=True, fastmath=FLAGS)
def mean_strain(g, u, v, w):  # type: ignore[no-untyped-def]
    """Eight times the mean strain of a brick, from the amplitudes of :func:`amplitudes`."""
    g0, g1, g2 = g
    return (
        g0 * u[0],
        g1 * v[1],
        g2 * w[2],
        g2 * v[2] + g1 * w[1],
        g2 * u[2] + g0 * w[0],
        g1 * u[1] + g0 * v[0],
    )


@njit(forceinline=True, fastmath=FLAGS)
def _orthotropic_stress(c, e):  # type: ignore[no-untyped-def]
    c11, c22, c33, c12, c13, c23, c44, c55, c66 = c
    return (
        c11 * e[0] + c12 * e[1] + c13 * e[2],
        c12 * e[0] + c22 * e[1] + c23 * e[2],
        c13 * e[0] + c23 * e[1] + c33 * e[2],
        c44 * e[3],
        c55 * e[4],
        c66 * e[5],
    )


@njit(forceinline=True, fastmath=FLAGS)
def forces(g, c, mean_stress, u, v, w):  # type: ignore[no-untyped-def]
    """Forces on the amplitudes of a brick.

    ``g`` are the steps, ``mean_stress`` the stress of the mean strain, ``c`` the nine constants for
    the rest of the strain, ``u v w`` the seven amplitudes (1 2 3 12 13 23 123) of each component.
    """
    g0, g1, g2 = g
    c11, c22, c33, c12, c13, c23, c44, c55, c66 = c
    _, _, _, u12, u13, u23, u123 = u
    _, _, _, v12, v13, v23, v123 = v
    _, _, _, w12, w13, w23, w123 = w
    s0, s1, s2, s3, s4, s5 = mean_stress
    fu1, fv2, fw3 = g0 * s0, g1 * s1, g2 * s2
    fv3, fw2 = g2 * s3, g1 * s3
    fu3, fw1 = g2 * s4, g0 * s4
    fu2, fv1 = g1 * s5, g0 * s5
    # strain that goes with ξ
    e1, e2 = g1 * v12, g2 * w13
    s1, s2 = c22 * e1 + c23 * e2, c23 * e1 + c33 * e2
    s3 = c44 * (g2 * v13 + g1 * w12)
    fv12, fw13 = g1 * s1, g2 * s2
    fv13, fw12 = g2 * s3, g1 * s3
    fu13, fu12 = g2 * g2 * c55 * u13, g1 * g1 * c66 * u12
    # with η
    e0, e2 = g0 * u12, g2 * w23
    s0, s2 = c11 * e0 + c13 * e2, c13 * e0 + c33 * e2
    s4 = c55 * (g2 * u23 + g0 * w12)
    fu12 += g0 * s0
    fw23 = g2 * s2
    fv23 = g2 * g2 * c44 * v23
    fu23 = g2 * s4
    fw12 += g0 * s4
    fv12 += g0 * g0 * c66 * v12
    # with ζ
    e0, e1 = g0 * u13, g1 * v23
    s0, s1 = c11 * e0 + c12 * e1, c12 * e0 + c22 * e1
    s5 = c66 * (g1 * u23 + g0 * v13)
    fu13 += g0 * s0
    fv23 += g1 * s1
    fw23 += g1 * g1 * c44 * w23
    fw13 += g0 * g0 * c55 * w13
    fu23 += g1 * s5
    fv13 += g0 * s5
    # with the products of two
    fu123 = (g0 * g0 * c11 + g1 * g1 * c66 + g2 * g2 * c55) * u123
    fv123 = (g0 * g0 * c66 + g1 * g1 * c22 + g2 * g2 * c44) * v123
    fw123 = (g0 * g0 * c55 + g1 * g1 * c44 + g2 * g2 * c33) * w123
    return (
        (fu1, fu2, fu3, fu12, fu13, fu23, fu123),
        (fv1, fv2, fv3, fv12, fv13, fv23, fv123),
        (fw1, fw2, fw3, fw12, fw13, fw23, fw123),
    )


@njit(forceinline=True, fastmath=FLAGS)
def weighted_corners(f, third, ninth):  # type: ignore[no-untyped-def]
    """Corner forces with the means of ξ² and ξ²η² over the brick, 1/3 and 1/9, put in."""
    return _corners(f[0], f[1], f[2], third * f[3], third * f[4], third * f[5], ninth * f[6])


@njit(forceinline=True, fastmath=FLAGS)
def store(part, row, t, values):  # type: ignore[no-untyped-def]
    """Put the forces on the eight corners of brick ``t`` in a tile's rows."""
    for corner in range(8):
        part[(row + corner) * TILE + t] = values[corner]


@njit(forceinline=True, fastmath=FLAGS)
def edges(u, i, component, q, width):  # type: ignore[no-untyped-def]
    """The four rows of nodes along a tile's edges: low-low, low-high, high-low, high-high."""
    end = q + TILE + 1
    return (
        u[i, component, q:end],
        u[i, component, q + width : end + width],
        u[i + 1, component, q:end],
        u[i + 1, component, q + width : end + width],
    )


@njit(fastmath=FLAGS, nogil=True)
def _isotropic_tile(u, i, q, width, coef, g, third, ninth, part):  # type: ignore[no-untyped-def]
    """Corner forces of a tile of bricks of λ and μ; row ``8·component + corner`` of ``part``."""
    lam, mu = coef[i, 0, q : q + TILE], coef[i, 1, q : q + TILE]
    a0, b0, c0, d0 = edges(u, i, 0, q, width)
    a1, b1, c1, d1 = edges(u, i, 1, q, width)
    a2, b2, c2, d2 = edges(u, i, 2, q, width)
    for t in range(TILE):
        au = amplitudes(a0[t], a0[t + 1], b0[t], b0[t + 1], c0[t], c0[t + 1], d0[t], d0[t + 1])
        av = amplitudes(a1[t], a1[t + 1], b1[t], b1[t + 1], c1[t], c1[t + 1], d1[t], d1[t + 1])
        aw = amplitudes(a2[t], a2[t + 1], b2[t], b2[t + 1], c2[t], c2[t + 1], d2[t], d2[t + 1])
        s, m = lam[t], mu[t]
        p = s + m + m
        constants = (p, p, p, s, s, s, m, m, m)
        stress = _orthotropic_stress(constants, mean_strain(g, au, av, aw))
        fu, fv, fw = forces(g, constants, stress, au, av, aw)
        store(part, 0, t, weighted_corners(fu, third, ninth))
        store(part, 8, t, weighted_corners(fv, third, ninth))
        store(part, 16, t, weighted_corners(fw, third, ninth))


@njit(fastmath=FLAGS, nogil=True)
def _orthotropic_tile(u, i, q, width, coef, g, third, ninth, part):  # type: ignore[no-untyped-def]
    """As :func:`_isotropic_tile`, with nine constants for each brick."""
    c = coef[i, :, q : q + TILE]
    k0, k1, k2, k3, k4, k5, k6, k7, k8 = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]
    a0, b0, c0, d0 = edges(u, i, 0, q, width)
    a1, b1, c1, d1 = edges(u, i, 1, q, width)
    a2, b2, c2, d2 = edges(u, i, 2, q, width)
    for t in range(TILE):
        au = amplitudes(a0[t], a0[t + 1], b0[t], b0[t + 1], c0[t], c0[t + 1], d0[t], d0[t + 1])
        av = amplitudes(a1[t], a1[t + 1], b1[t], b1[t + 1], c1[t], c1[t + 1], d1[t], d1[t + 1])
        aw = amplitudes(a2[t], a2[t + 1], b2[t], b2[t + 1], c2[t], c2[t + 1], d2[t], d2[t + 1])
        constants = (k0[t], k1[t], k2[t], k3[t], k4[t], k5[t], k6[t], k7[t], k8[t])
        stress = _orthotropic_stress(constants, mean_strain(g, au, av, aw))
        fu, fv, fw = forces(g, constants, stress, au, av, aw)
        store(part, 0, t, weighted_corners(fu, third, ninth))
        store(part, 8, t, weighted_corners(fv, third, ninth))
        store(part, 16, t, weighted_corners(fw, third, ninth))


@njit(nogil=True)
def spread(part, q, low, high):  # type: ignore[no-untyped-def]
    """Add a tile's corner forces to rows ``2·component + (low or high edge)`` of its two planes.

    The force on the upper end of one brick and on the lower end of the next meet at one node.
    """
    for component in range(3):
        for edge in range(2):
            for side in range(2):
                row = (8 * component + 4 * side + 2 * edge) * TILE
                lower, upper = part[row : row + TILE], part[row + TILE : row + 2 * TILE]
                target = low if side == 0 else high
                here = target[2 * component + edge, q : q + TILE + 1]
                here[0] += lower[0]
                for t in range(1, TILE):
                    here[t] = lower[t] + upper[t - 1]
                here[TILE] = upper[TILE - 1]


@njit(nogil=True)
def _plane_forces(u, i, width, coef, is_filled, g, part, low, high):  # type: ignore[no-untyped-def]
    """Forces of element plane ``i`` on its lower and upper plane of nodes, by row of elements' edge.

    ``low`` and ``high`` are ``(6, pitch)``; what they held is overwritten.
    """
    third, ninth = coef.dtype.type(THIRD), coef.dtype.type(NINTH)
    n_tiles = is_filled.shape[1]
    low[:, 0] = 0.0
    high[:, 0] = 0.0
    for tile in range(n_tiles):
        q = tile * TILE
        if not is_filled[i, tile]:
            low[:, q + 1 : q + TILE + 1] = 0.0
            high[:, q + 1 : q + TILE + 1] = 0.0
            continue
        if coef.shape[1] == 2:
            _isotropic_tile(u, i, q, width, coef, g, third, ninth, part)
        else:
            _orthotropic_tile(u, i, q, width, coef, g, third, ninth, part)
        spread(part, q, low, high)


@njit(nogil=True, fastmath=FLAGS)
def sum_edges(low, high_before, component, width, total):  # type: ignore[no-untyped-def]
    """Force on each node of a plane: from the elements above and below, and their two edges."""
    a, b = low[2 * component], high_before[2 * component]
    c, d = low[2 * component + 1], high_before[2 * component + 1]
    n = total.size
    for q in range(width):
        total[q] = a[q] + b[q]
    here, c0, d0, a0, b0 = total[width:], c[: n - width], d[: n - width], a[width:], b[width:]
    for q in range(n - width):
        here[q] = (a0[q] + b0[q]) + (c0[q] + d0[q])


@njit(nogil=True)
def _start(u, first, width, coef, is_filled, g, part, low, high):  # type: ignore[no-untyped-def]
    """Forces of the element plane below the first plane of nodes, on that plane."""
    if first > 0:
        _plane_forces(u, first - 1, width, coef, is_filled, g, part, low, high)


@njit([_PRODUCT], **FAST)
def product(coef, is_filled, u, inverse_diagonal, is_masked, first, stop, width, g, out):  # type: ignore[no-untyped-def]
    """``out = K u`` on node planes ``first`` to ``stop``, and its inner product with ``u``.

    With ``is_masked`` it is set to 0 where the inverse diagonal is 0: held or without material.
    """
    pitch = u.shape[2]
    part = np.empty(24 * TILE, u.dtype)
    low, high = np.zeros((6, pitch), u.dtype), np.zeros((6, pitch), u.dtype)
    before = np.zeros((6, pitch), u.dtype)
    _start(u, first, width, coef, is_filled, g, part, low, before)
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


@njit(nogil=True, fastmath=FLAGS)
def _advance(force, inverse, step, following, residual, solution, a, b):  # type: ignore[no-untyped-def]
    for q in range(force.size):
        left = residual[q] - force[q] if inverse[q] != 0.0 else inverse[q]
        residual[q] = left
        solution[q] += step[q]
        following[q] = a * step[q] + b * inverse[q] * left


@njit([_SMOOTH], **FAST)
def smooth(coef, is_filled, springs, inverse_diagonal, state, weights, first, stop, width, g):  # type: ignore[no-untyped-def]
    """One step of Chebyshev smoothing on node planes ``first`` to ``stop``.

    ``state`` is (step, next step, residual, solution) with ``residual -= K step``,
    ``solution += step`` and ``next = a·step + b·D⁻¹·residual`` for ``weights`` (a, b). ``springs``
    are added to the diagonal of K; an empty array is none.
    """
    step, following, residual, solution = state
    a, b = weights
    pitch = step.shape[2]
    part = np.empty(24 * TILE, step.dtype)
    low, high = np.zeros((6, pitch), step.dtype), np.zeros((6, pitch), step.dtype)
    before, force = np.zeros((6, pitch), step.dtype), np.empty(pitch, step.dtype)
    _start(step, first, width, coef, is_filled, g, part, low, before)
    for i in range(first, stop):
        if i < coef.shape[0]:
            _plane_forces(step, i, width, coef, is_filled, g, part, low, high)
        else:
            low[:] = 0.0
        for component in range(3):
            sum_edges(low, before, component, width, force)
            if springs.size > 0:
                spring, here = springs[i, component], step[i, component]
                for q in range(pitch):
                    force[q] += spring[q] * here[q]
            _advance(
                force,
                inverse_diagonal[i, component],
                step[i, component],
                following[i, component],
                residual[i, component],
                solution[i, component],
                a,
                b,
            )
        before, high = high, before


@njit([_RESTRICT], **OPTIONS)
def restrict(fine, n_fine, first, stop, n_coarse, out):  # type: ignore[no-untyped-def]
    """Coarse planes ``first`` to ``stop`` of the transpose of trilinear interpolation.

    ``n_fine`` and ``n_coarse`` are the numbers of nodes along the three axes.
    """
    ni, nj, nk = n_fine
    cj, ck = n_coarse[1], n_coarse[2]
    half = fine.dtype.type(0.5)
    plane, row = np.empty(nj * nk, fine.dtype), np.empty(2 * ck + 1, fine.dtype)
    for coarse in range(first, stop):
        i = 2 * coarse
        for component in range(3):
            plane[:] = 0.0
            for shift in range(-1, 2):
                if 0 <= i + shift < ni:
                    weight = half if shift != 0 else half + half
                    source = fine[i + shift, component]
                    for q in range(nj * nk):
                        plane[q] += weight * source[q]
            for j in range(cj):
                row[:] = 0.0
                for shift in range(-1, 2):
                    if 0 <= 2 * j + shift < nj:
                        weight = half if shift != 0 else half + half
                        start = (2 * j + shift) * nk
                        for k in range(nk):
                            row[k + 1] += weight * plane[start + k]
                target = out[coarse, component, j * ck : (j + 1) * ck]
                for k in range(ck):
                    target[k] = row[2 * k + 1] + half * (row[2 * k] + row[2 * k + 2])


@njit([_PROLONG], **OPTIONS)
def prolong(coarse, n_coarse, inverse_diagonal, n_fine, first, stop, out):  # type: ignore[no-untyped-def]
    """Trilinear interpolation to fine planes ``first`` to ``stop``; 0 where the inverse diagonal is."""
    nj, nk = n_fine[1], n_fine[2]
    cj, ck = n_coarse[1], n_coarse[2]
    half = coarse.dtype.type(0.5)
    plane, row = np.empty(cj * ck, coarse.dtype), np.empty(ck + 1, coarse.dtype)
    wide = np.empty(2 * ck + 2, coarse.dtype)
    row[ck] = 0.0
    for i in range(first, stop):
        for component in range(3):
            low, high = coarse[i // 2, component], coarse[(i + 1) // 2, component]
            for q in range(cj * ck):
                plane[q] = half * (low[q] + high[q])
            for j in range(nj):
                below, above = (j // 2) * ck, ((j + 1) // 2) * ck
                for k in range(ck):
                    row[k] = half * (plane[below + k] + plane[above + k])
                for k in range(ck):
                    wide[2 * k] = row[k]
                    wide[2 * k + 1] = half * (row[k] + row[k + 1])
                free = inverse_diagonal[i, component, j * nk : (j + 1) * nk]
                target = out[i, component, j * nk : (j + 1) * nk]
                for k in range(nk):
                    target[k] = wide[k] if free[k] != 0.0 else 0.0


@njit([types.float64(_LONG, _LONG, _LONG, _LONG, types.float64, _SHORT, types.float64)], **FAST)
def advance(solution, residual, direction, image, length, copy, scale):  # type: ignore[no-untyped-def]
    """``solution += length·direction``, ``residual -= length·image``, ``copy = scale·residual``.

    Returns the squared norm of the residual. Steps 4 and 5 of conjugate gradients.
    """
    total = 0.0
    for n in range(residual.size):
        solution[n] += length * direction[n]
        left = residual[n] - length * image[n]
        residual[n] = left
        copy[n] = left * scale
        total += left * left
    return total


@njit([types.UniTuple(types.float64, 2)(_SHORT, _LONG, _LONG)], **FAST)
def two_products(preconditioned, residual, image):  # type: ignore[no-untyped-def]
    """Inner products of the preconditioned residual with the residual and with ``image``."""
    first, second = 0.0, 0.0
    for n in range(residual.size):
        value = float(preconditioned[n])
        first += value * residual[n]
        second += value * image[n]
    return first, second


@njit([types.void(_LONG, _SHORT, types.float64, types.float64)], **FAST)
def turn(direction, preconditioned, share, scale):  # type: ignore[no-untyped-def]
    """``direction = scale·preconditioned + share·direction``."""
    for n in range(direction.size):
        direction[n] = scale * preconditioned[n] + share * direction[n]
