"""Compiled kernels of heat conduction with a curing source; see :mod:`vertebro.numerics.heat`.

All arrays are float64, one value for each cell; ``gx[i, j, k]`` is the conductance of the face between
cell ``(i, j, k)`` and its neighbour further along the first axis, and 0 at the last; likewise ``gy``, ``gz``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_FAST = _OPTIONS | {"fastmath": True}
"""Sums may be taken in another order; nothing there is infinite or not a number."""
_CELLS = "f8[:,:,::1]"


@njit(f"void({', '.join([_CELLS] * 4)}, {_CELLS}, {_CELLS}, f8, {_CELLS})", **_FAST)
def apply_heat_operator(gx, gy, gz, loss, capacity, u, scale, out):  # type: ignore[no-untyped-def]
    """``out = capacity·u + scale·(L + loss)·u`` with ``L`` the conductances' graph Laplacian.

    The neighbour before the first cell is taken to be the last one, to which the conductance is 0.
    """
    nx, ny, nz = u.shape
    for i in range(nx):
        before_i, after_i = (i - 1) % nx, (i + 1) % nx
        for j in range(ny):
            before_j, after_j = (j - 1) % ny, (j + 1) % ny
            row, result, along = u[i, j], out[i, j], gz[i, j]
            x0, x1, y0, y1 = u[before_i, j], u[after_i, j], u[i, before_j], u[i, after_j]
            gx0, gx1, gy0, gy1 = gx[before_i, j], gx[i, j], gy[i, before_j], gy[i, j]
            for k in range(nz):
                here = row[k]
                flow = loss[i, j, k] * here
                flow += gx0[k] * (here - x0[k]) + gx1[k] * (here - x1[k])
                flow += gy0[k] * (here - y0[k]) + gy1[k] * (here - y1[k])
                result[k] = capacity[i, j, k] * here + scale * flow
            for k in range(nz - 1):
                result[k] += scale * along[k] * (row[k] - row[k + 1])
            for k in range(1, nz):
                result[k] += scale * along[k - 1] * (row[k] - row[k - 1])


@njit("f8(f8[::1], f8[::1])", **_FAST)
def dot(a, b):  # type: ignore[no-untyped-def]
    """Sum of the products."""
    total = 0.0
    for n in range(a.size):
        total += a[n] * b[n]
    return total


@njit("UniTuple(f8, 2)(f8, f8[::1], f8[::1], f8[::1], f8[::1], f8[::1])", **_FAST)
def _advance(alpha, direction, work, inverse, x, residual):  # type: ignore[no-untyped-def]
    """One update of solution and residual; the residual's norm squared, plain and preconditioned."""
    plain = 0.0
    scaled = 0.0
    for n in range(x.size):
        x[n] += alpha * direction[n]
        left = residual[n] - alpha * work[n]
        residual[n] = left
        plain += left * left
        scaled += left * left * inverse[n]
    return plain, scaled


@njit("void(f8, f8[::1], f8[::1], f8[::1])", **_FAST)
def _turn(beta, residual, inverse, direction):  # type: ignore[no-untyped-def]
    for n in range(direction.size):
        direction[n] = inverse[n] * residual[n] + beta * direction[n]


@njit(f"i8({', '.join([_CELLS] * 5)}, f8, {_CELLS}, {_CELLS}, {_CELLS}, f8, i8)", **_OPTIONS)
def solve_heat_step(gx, gy, gz, loss, capacity, scale, inverse_diagonal, rhs, x, tolerance, limit):  # type: ignore[no-untyped-def]
    """Solve ``(capacity + scale·(L + loss))·x = rhs`` by conjugate gradients from the ``x`` given.

    Preconditioned by the diagonal (Saad, Iterative Methods, algorithm 9.1). Ends when the residual's
    norm is below ``tolerance`` times the right side's. Returns the iterations, or −1 without success.
    """
    work = np.empty_like(rhs)
    apply_heat_operator(gx, gy, gz, loss, capacity, x, scale, work)
    left, flat_work, flat_x = (rhs - work).ravel(), work.ravel(), x.ravel()
    inverse = inverse_diagonal.ravel()
    goal = tolerance * tolerance * dot(rhs.ravel(), rhs.ravel())
    if dot(left, left) <= goal:
        return 0
    direction = np.empty_like(rhs)
    flat_direction = direction.ravel()
    flat_direction[:] = inverse * left
    rho = dot(left, flat_direction)
    for iteration in range(1, limit + 1):
        apply_heat_operator(gx, gy, gz, loss, capacity, direction, scale, work)
        alpha = rho / dot(flat_direction, flat_work)
        plain, scaled = _advance(alpha, flat_direction, flat_work, inverse, flat_x, left)
        if plain <= goal:
            return iteration
        _turn(scaled / rho, left, inverse, flat_direction)
        rho = scaled
    return -1


@njit("f8(f8, f8[::1])", **_OPTIONS)
def _limit(kelvin, law):  # type: ignore[no-untyped-def]
    return min(max(law[4] + law[5] * (kelvin - 310.15), 0.0), 1.0)


@njit("f8(f8, f8, f8[::1])", **_OPTIONS)
def curing_rate(conversion, kelvin, law):  # type: ignore[no-untyped-def]
    """``dα/dt``; ``law`` holds A, Ea/R, m, n, limit at 37 °C, its slope."""
    left = _limit(kelvin, law) - conversion
    if left <= 0.0:
        return 0.0
    return law[0] * math.exp(-law[1] / kelvin) * conversion ** law[2] * left ** law[3]


@njit("f8(f8[::1], f8[::1], f8[::1], f8[::1], f8, f8[::1], f8, f8[::1])", **_OPTIONS)
def cure(conversion, kelvin, rise, drift, dt, law, largest, after):  # type: ignore[no-untyped-def]
    """Carry the conversion of each cement cell over ``dt``, its own heat felt at once.

    Within the step a cell's temperature is ``kelvin + rise·(α − α_start) + drift·t``. Fourth-order
    Runge–Kutta with sub-steps in which ``α`` changes by no more than ``largest``. Returns the
    largest change of any cell.
    """
    most = 0.0
    for n in range(conversion.size):
        start, hot, up, slide = conversion[n], kelvin[n], rise[n], drift[n]
        alpha, time = start, 0.0
        while time < dt:
            k1 = curing_rate(alpha, hot + up * (alpha - start) + slide * time, law)
            if k1 <= 0.0:
                break
            h = min(dt - time, largest / k1)
            ahead = alpha + h * k1
            faster = curing_rate(ahead, hot + up * (ahead - start) + slide * (time + h), law)
            if faster > k1:
                h = min(h, largest / faster)
            middle = time + 0.5 * h
            a2 = alpha + 0.5 * h * k1
            k2 = curing_rate(a2, hot + up * (a2 - start) + slide * middle, law)
            a3 = alpha + 0.5 * h * k2
            k3 = curing_rate(a3, hot + up * (a3 - start) + slide * middle, law)
            a4 = alpha + h * k3
            k4 = curing_rate(a4, hot + up * (a4 - start) + slide * (time + h), law)
            grown = alpha + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
            time = dt if h >= dt - time else time + h
            warm = hot + up * (grown - start) + slide * time
            alpha = max(alpha, min(grown, _limit(warm, law)))
        after[n] = alpha
        most = max(most, alpha - start)
    return most


@njit("f8(f8, f8, f8)", **_OPTIONS)
def _share_above(start, end, threshold):  # type: ignore[no-untyped-def]
    """Share of a straight line from ``start`` to ``end`` that lies above a threshold."""
    if start >= threshold and end >= threshold:
        return 1.0
    if start < threshold and end < threshold:
        return 0.0
    high, low = max(start, end), min(start, end)
    return (high - threshold) / (high - low)


@njit("f8(f8)", **_OPTIONS)
def _cem43(degc):  # type: ignore[no-untyped-def]
    above = degc - 43.0
    return 2.0**above if above >= 0.0 else 4.0**above


@njit(
    f"void({_CELLS}, {_CELLS}, f8, f8, f8, f8, {', '.join([_CELLS] * 5)})",
    **_OPTIONS,
)
def add_dose(start, end, offset, dt, log_rate, energy_over_r, peak, above_45, above_50, cem43, burn):  # type: ignore[no-untyped-def]
    """Add one step's heat to the doses; temperatures run straight from ``start`` to ``end`` + ``offset``.

    ``cem43`` in minutes, ``burn`` Henriques' integral, both by Simpson's rule; cells that stay below
    39 °C are left out, where neither grows by more than 1/256 minute a minute.
    """
    flats = (start.ravel(), end.ravel())
    p, t45, t50, c, b = peak.ravel(), above_45.ravel(), above_50.ravel(), cem43.ravel(), burn.ravel()
    for n in range(p.size):
        first, last = flats[0][n] + offset, flats[1][n] + offset
        highest = max(first, last)
        p[n] = max(p[n], highest)
        if highest < 39.0:
            continue
        t45[n] += dt * _share_above(first, last, 45.0)
        t50[n] += dt * _share_above(first, last, 50.0)
        middle = 0.5 * (first + last)
        c[n] += dt / 360.0 * (_cem43(first) + 4.0 * _cem43(middle) + _cem43(last))
        b[n] += (
            dt
            / 6.0
            * (
                math.exp(log_rate - energy_over_r / (first + 273.15))
                + 4.0 * math.exp(log_rate - energy_over_r / (middle + 273.15))
                + math.exp(log_rate - energy_over_r / (last + 273.15))
            )
        )
