"""Compiled planes of a sharp front inside cells, for :mod:`vertebro.numerics.front_transport`.

A mixed cell is the unit cube with cement where ``m · x < a``; its normal m points out of the cement and
comes from the saturation around it (Youngs). Volumes under a plane follow [1].

References
----------
.. [1] R. Scardovelli, S. Zaleski, J. Comput. Phys. 164:228-237, 2000, equations 1-3.
.. [2] D. L. Youngs, AWRE technical report 44/92/35, 1984 (normal from 3 x 3 x 3 cells).
"""

from __future__ import annotations

from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_FINE = types.Array(types.float64, 3, "C")
_KNOWN = types.Array(types.float64, 3, "C", readonly=True)
_F = types.float64
_TINY = 1e-5


@njit([_F(_F, _F, _F, _F)], **_OPTIONS)
def corner_volume(a, m1, m2, m3):  # type: ignore[no-untyped-def]
    """Volume cut off at the origin's corner by ``m · x = a``, for a not beyond half of the cube."""
    b1, b2, b3 = max(a - m1, 0.0), max(a - m2, 0.0), max(a - m3, 0.0)
    c1, c2, c3 = max(a - m2 - m3, 0.0), max(a - m1 - m3, 0.0), max(a - m1 - m2, 0.0)
    cubes = a * a * a - b1 * b1 * b1 - b2 * b2 * b2 - b3 * b3 * b3
    cubes += c1 * c1 * c1 + c2 * c2 * c2 + c3 * c3 * c3
    return cubes / (6.0 * m1 * m2 * m3)


@njit([_F(_F, _F, _F, _F)], **_OPTIONS)
def volume_below(a, m1, m2, m3):  # type: ignore[no-untyped-def]
    """Share of the unit cube where ``m · x < a``, all m >= 0 and not all 0 (eq. 1)."""
    total = m1 + m2 + m3
    if a <= 0.0:
        return 0.0
    if a >= total:
        return 1.0
    n1, n2, n3 = max(m1, _TINY * total), max(m2, _TINY * total), max(m3, _TINY * total)
    a = a * (n1 + n2 + n3) / total
    if 2.0 * a > n1 + n2 + n3:  # the smaller part is the more accurate
        return 1.0 - corner_volume(n1 + n2 + n3 - a, n1, n2, n3)
    return corner_volume(a, n1, n2, n3)


@njit([_F(_F, _F, _F, _F)], **_OPTIONS)
def offset_of_volume(share, m1, m2, m3):  # type: ignore[no-untyped-def]
    """The offset a whose plane cuts off a share of the cube: bisection."""
    low, high = 0.0, m1 + m2 + m3
    for _ in range(48):
        middle = 0.5 * (low + high)
        if volume_below(middle, m1, m2, m3) < share:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit([types.int64(_KNOWN, types.int64[::1], types.Array(_F, 2, "C"))], **_OPTIONS)
def fit_planes(s, cells, planes):  # type: ignore[no-untyped-def]
    """Planes (m1, m2, m3, a) of cells by ghosted flat index; m = 0 where the surroundings give no normal.

    ``m`` keeps its signs; ``a`` belongs to ``abs(m)``, measured from the corner that lies in the cement.
    """
    sx, sy = s.shape[1] * s.shape[2], s.shape[2]
    flat = s.reshape(-1)
    n = 0
    for index in range(cells.size):
        cell = cells[index]
        g1 = g2 = g3 = 0.0
        for u in range(-1, 2):
            for v in range(-1, 2):
                weight = (2.0 if u == 0 else 1.0) * (2.0 if v == 0 else 1.0)
                side = cell + u * sy + v
                g1 += weight * (flat[side - sx] - flat[side + sx])
                side = cell + u * sx + v
                g2 += weight * (flat[side - sy] - flat[side + sy])
                side = cell + u * sx + v * sy
                g3 += weight * (flat[side - 1] - flat[side + 1])
        total = abs(g1) + abs(g2) + abs(g3)
        planes[index, :] = 0.0
        if total > 1e-3:
            g1, g2, g3 = g1 / total, g2 / total, g3 / total
            planes[index, 0], planes[index, 1], planes[index, 2] = g1, g2, g3
            planes[index, 3] = offset_of_volume(flat[cell], abs(g1), abs(g2), abs(g3))
            n += 1
    return n


@njit([_F(_F, _F, _F, _F, types.boolean, _F)], **_OPTIONS)
def slab_share(a, m, m_b, m_c, is_far, depth):  # type: ignore[no-untyped-def]
    """Cement in the slab of a depth at one face (as a share of the cube).

    ``m`` is the normal's part along the face's axis, ``m_b`` and ``m_c`` the other two, all >= 0;
    ``is_far`` for the face away from the cement's corner.
    """
    if depth >= 1.0:
        return volume_below(a, m, m_b, m_c)
    if is_far:
        rest = 1.0 - depth
        return volume_below(a, m, m_b, m_c) - rest * volume_below(a, m * rest, m_b, m_c)
    return depth * volume_below(a, m * depth, m_b, m_c)
