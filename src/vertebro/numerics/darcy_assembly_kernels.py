"""Compiled transmissibilities and speeds for :mod:`vertebro.numerics.darcy_assembly`.

Arrays carry one layer of ghost cells; see :mod:`vertebro.numerics.darcy_multigrid_kernels` for the
layout. Resistances are per unit of viscosity (1/mm³), viscosities in MPa·s.
"""

from __future__ import annotations

import math

from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_FINE = types.Array(types.float64, 3, "C")
_KNOWN = types.Array(types.float64, 3, "C", readonly=True)
_INT = types.int64


@njit([types.void(_FINE, _KNOWN, _KNOWN, _KNOWN, _INT, _INT, _INT)], **_OPTIONS)
def join_cells(t, viscosity, half, layer, axis, first, stop):  # type: ignore[no-untyped-def]
    """``t = 1/(eta_i a_i + eta_j a_j + (eta_i + eta_j)/2 layer)`` for cells next to each other on an axis."""
    di, dj, dk = (1 if axis == 0 else 0), (1 if axis == 1 else 0), (1 if axis == 2 else 0)
    has_layer = layer.size > 1
    for i in range(first, stop):
        for j in range(1, t.shape[1] - 1):
            for k in range(1, t.shape[2] - 1):
                here, there = viscosity[i, j, k], viscosity[i + di, j + dj, k + dk]
                resistance = here * half[i, j, k] + there * half[i + di, j + dj, k + dk]
                if has_layer:
                    resistance += 0.5 * (here + there) * layer[i, j, k]
                t[i, j, k] = 1.0 / resistance


@njit([types.void(_FINE, _FINE, _FINE, _INT, _INT, _INT)], **_OPTIONS)
def even_out(c, p, t, axis, first, stop):  # type: ignore[no-untyped-def]
    """Flux to add: ``sum of min(t, t')/12 (d' - d)`` over the four faces beside.

    ``d`` is the pressure drop over a face. With it, uniform media have the 19-point Laplacian, whose
    error does not depend on direction. Never more than half of the two-point flux, so that none turns back.
    """
    di, dj, dk = (1 if axis == 0 else 0), (1 if axis == 1 else 0), (1 if axis == 2 else 0)
    ui, uj, uk = (0 if axis == 0 else 1), (1 if axis == 0 else 0), 0
    vi, vj, vk = 0, (0 if axis != 2 else 1), (1 if axis != 2 else 0)
    for i in range(first, stop):
        for j in range(1, p.shape[1] - 1):
            for k in range(1, p.shape[2] - 1):
                here = t[i, j, k]
                if here <= 0.0:
                    c[i, j, k] = 0.0
                    continue
                drop = p[i, j, k] - p[i + di, j + dj, k + dk]
                total = 0.0
                for sign in (-1, 1):
                    a, b, e = i + sign * ui, j + sign * uj, k + sign * uk
                    other = p[a, b, e] - p[a + di, b + dj, e + dk]
                    total += min(here, t[a, b, e]) * (other - drop)
                    a, b, e = i + sign * vi, j + sign * vj, k + sign * vk
                    other = p[a, b, e] - p[a + di, b + dj, e + dk]
                    total += min(here, t[a, b, e]) * (other - drop)
                most = 0.5 * here * abs(drop)
                c[i, j, k] = min(max(total / 12.0, -most), most)


@njit([types.void(_FINE, _FINE, _FINE, _FINE, _INT, _INT)], **_OPTIONS)
def add_inflow(q, cx, cy, cz, first, stop):  # type: ignore[no-untyped-def]
    """Add to ``q`` what given face fluxes bring into every cell."""
    for i in range(first, stop):
        for j in range(1, q.shape[1] - 1):
            for k in range(1, q.shape[2] - 1):
                q[i, j, k] += cx[i - 1, j, k] - cx[i, j, k] + cy[i, j - 1, k] - cy[i, j, k]
                q[i, j, k] += cz[i, j, k - 1] - cz[i, j, k]


@njit([types.void(_FINE, _FINE, _FINE, _INT, _INT, _INT)], **_OPTIONS)
def add_flux(c, p, t, axis, first, stop):  # type: ignore[no-untyped-def]
    """Add to ``c`` the two-point flux over every face along an axis."""
    di, dj, dk = (1 if axis == 0 else 0), (1 if axis == 1 else 0), (1 if axis == 2 else 0)
    for i in range(first, stop):
        for j in range(1, p.shape[1] - 1):
            for k in range(1, p.shape[2] - 1):
                c[i, j, k] += t[i, j, k] * (p[i, j, k] - p[i + di, j + dj, k + dk])


@njit([types.void(_FINE, _FINE, _FINE, _FINE, types.float64, _INT, _INT)], **_OPTIONS)
def flux_speeds(speed, fx, fy, fz, area, first, stop):  # type: ignore[no-untyped-def]
    """Superficial speed of every cell: root mean square of opposite faces, over the three axes."""
    for i in range(first, stop):
        for j in range(1, speed.shape[1] - 1):
            for k in range(1, speed.shape[2] - 1):
                square = fx[i - 1, j, k] ** 2 + fx[i, j, k] ** 2 + fy[i, j - 1, k] ** 2 + fy[i, j, k] ** 2
                square += fz[i, j, k - 1] ** 2 + fz[i, j, k] ** 2
                speed[i, j, k] = math.sqrt(0.5 * square) / area
