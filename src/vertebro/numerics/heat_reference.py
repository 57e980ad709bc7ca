"""Slow, plain versions of the heat kernels: what they must agree with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float64]


def apply_heat_operator(  # noqa: PLR0913, PLR0917 - as the kernel
    gx: Cells, gy: Cells, gz: Cells, loss: Cells, capacity: Cells, u: Cells, scale: float
) -> Cells:
    """``capacity·u + scale·(L + loss)·u``, face by face."""
    flow = loss * u
    for axis, faces in enumerate((gx, gy, gz)):
        along = np.moveaxis(u, axis, 0)
        out = np.moveaxis(flow, axis, 0)
        through = np.moveaxis(faces, axis, 0)[:-1] * (along[:-1] - along[1:])
        out[:-1] += through
        out[1:] -= through
    return capacity * u + scale * flow


def solve_heat_step(  # noqa: PLR0913, PLR0917 - as the kernel
    gx: Cells, gy: Cells, gz: Cells, loss: Cells, capacity: Cells, scale: float, rhs: Cells
) -> Cells:
    """Solve ``(capacity + scale·(L + loss))·x = rhs`` with a dense matrix; for small boxes."""
    size = rhs.size
    columns = []
    for n in range(size):
        unit = np.zeros(size)
        unit[n] = 1.0
        columns.append(
            apply_heat_operator(gx, gy, gz, loss, capacity, unit.reshape(rhs.shape), scale).ravel()
        )
    return np.asarray(np.linalg.solve(np.array(columns).T, rhs.ravel()).reshape(rhs.shape))


def curing_rate(conversion: Cells, kelvin: Cells, law: NDArray[np.float64]) -> Cells:
    """``dα/dt``; ``law`` holds A, Ea/R, m, n, limit at 37 °C, its slope."""
    limit = np.clip(law[4] + law[5] * (kelvin - 310.15), 0.0, 1.0)
    left = np.maximum(limit - conversion, 0.0)
    rate = law[0] * np.exp(-law[1] / kelvin) * conversion ** law[2] * left ** law[3]
    return np.asarray(np.where(left > 0.0, rate, 0.0))


def cure(
    conversion: Cells, kelvin: Cells, rise: Cells, drift: Cells, dt: float, law: NDArray[np.float64]
) -> Cells:
    """Carry conversions over ``dt`` by three thousand small steps of the midpoint rule."""
    steps = 3_000
    h = dt / steps
    alpha = conversion.copy()
    for n in range(steps):
        time = n * h
        k1 = curing_rate(alpha, kelvin + rise * (alpha - conversion) + drift * time, law)
        half = alpha + 0.5 * h * k1
        k2 = curing_rate(half, kelvin + rise * (half - conversion) + drift * (time + 0.5 * h), law)
        alpha = alpha + h * k2
    return alpha
