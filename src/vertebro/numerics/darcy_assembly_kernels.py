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
    """``t = 1/(eta_i a_i + eta_j a_j + (eta_i + eta_j)/2 layer)`` for every cell and its next along an axis."""
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


@njit([types.void(_FINE, _FINE, _FINE, _FINE, _FINE, types.float64, _INT, _INT)], **_OPTIONS)
def cell_speeds(speed, p, tx, ty, tz, area, first, stop):  # type: ignore[no-untyped-def]
    """Superficial speed of every cell: length of the mean flux of its opposite faces (their larger, where
    they part)."""
    for i in range(first, stop):
        for j in range(1, p.shape[1] - 1):
            for k in range(1, p.shape[2] - 1):
                here = p[i, j, k]
                xl, xr = tx[i - 1, j, k] * (p[i - 1, j, k] - here), tx[i, j, k] * (here - p[i + 1, j, k])
                yl, yr = ty[i, j - 1, k] * (p[i, j - 1, k] - here), ty[i, j, k] * (here - p[i, j + 1, k])
                zl, zr = tz[i, j, k - 1] * (p[i, j, k - 1] - here), tz[i, j, k] * (here - p[i, j, k + 1])
                square = 0.5 * (xl * xl + xr * xr + yl * yl + yr * yr + zl * zl + zr * zr)
                speed[i, j, k] = math.sqrt(square) / area
