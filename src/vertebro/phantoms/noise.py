"""Random fields that depend on place and seed alone, so that any grid sees the same pattern."""

from __future__ import annotations

import math

import numpy as np

from vertebro.phantoms.compiled import compiled


@compiled
def lattice_value(i: int, j: int, k: int, seed: int) -> float:
    """A number in [−1, 1) for a lattice point, by integer hashing (splitmix64 finaliser)."""
    h = (
        np.uint64(i) * np.uint64(0x9E3779B97F4A7C15)
        ^ np.uint64(j) * np.uint64(0xC2B2AE3D27D4EB4F)
        ^ np.uint64(k) * np.uint64(0x165667B19E3779F9)
        ^ np.uint64(seed) * np.uint64(0xD6E8FEB86659FD93)
    )
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    h = h ^ (h >> np.uint64(31))
    return float(h >> np.uint64(11)) / 4503599627370496.0 - 1.0


@compiled
def value_noise(x: float, y: float, z: float, seed: int) -> float:
    """Smooth noise of unit lattice at a place, about ±1 at most, standard deviation about 0.3."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(fx), int(fy), int(fz)
    u, v, w = x - fx, y - fy, z - fz
    u, v, w = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v), w * w * (3.0 - 2.0 * w)
    total = 0.0
    for a in range(2):
        wa = u if a else 1.0 - u
        for b in range(2):
            wb = v if b else 1.0 - v
            for c in range(2):
                wc = w if c else 1.0 - w
                total += wa * wb * wc * lattice_value(i + a, j + b, k + c, seed)
    return total
