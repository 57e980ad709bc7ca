"""Compiled search for the best closed surface about a centre: one radius for each direction.

Tree-reweighted message passing in sequence (TRW-S) on a mesh of directions. The cost is a sum of a
term for each direction and radius, and of a quadratic term for each pair of neighbouring directions
whose radii depart differently from the expected shape. See Kolmogorov, IEEE TPAMI 2006;28:1568, Fig. 3.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def best_radii(  # noqa: PLR0912 - one compiled loop
    cost: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    reverse: NDArray[np.int32],
    bend: float,
    reach: int,
    n_rounds: int,
) -> NDArray[np.int32]:
    """Index of the best radius for each direction.

    Parameters
    ----------
    cost : (n, m) float32 array
        Of direction and radius.
    neighbours : (n, q) int32 array
        Neighbouring directions, −1 where there are fewer than q.
    reverse : (n, q) int32 array
        At which place the neighbour lists this direction.
    bend : float
        Cost of one step of difference between neighbours, squared for more.
    reach : int
        Largest difference between neighbours.
    n_rounds : int
        Sweeps forth and back.

    Returns
    -------
    (n,) int32 array
    """
    n, m = cost.shape
    q = neighbours.shape[1]
    message = np.zeros((n, q, m), dtype=np.float32)  # message[t, e]: from neighbour e of t to t
    weight = np.zeros(n, dtype=np.float32)
    for s in range(n):
        before, after = 0, 0
        for e in range(q):
            t = neighbours[s, e]
            if t < 0:
                continue
            if t < s:
                before += 1
            else:
                after += 1
        weight[s] = 1.0 / max(before, after, 1)
    table = np.zeros(2 * reach + 1, dtype=np.float32)
    for d in range(-reach, reach + 1):
        table[d + reach] = bend * d * d
    total = np.zeros(m, dtype=np.float32)
    held = np.zeros(m, dtype=np.float32)
    for turn in range(2 * n_rounds):
        forth = turn % 2 == 0
        for position in range(n):
            s = position if forth else n - 1 - position
            for x in range(m):
                total[x] = cost[s, x]
            for e in range(q):
                if neighbours[s, e] >= 0:
                    for x in range(m):
                        total[x] += message[s, e, x]
            for e in range(q):
                t = neighbours[s, e]
                if t < 0 or (forth and t < s) or (not forth and t > s):
                    continue
                for x in range(m):
                    held[x] = weight[s] * total[x] - message[s, e, x]
                back = reverse[s, e]
                least = np.float32(1e30)
                for x in range(m):
                    low = max(0, x - reach)
                    high = min(m - 1, x + reach)
                    value = np.float32(1e30)
                    for y in range(low, high + 1):
                        candidate = held[y] + table[x - y + reach]
                        value = min(value, candidate)
                    message[t, back, x] = value
                    least = min(least, value)
                for x in range(m):
                    message[t, back, x] -= least
    return _read_out(cost, neighbours, message, table, reach)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _read_out(
    cost: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    message: NDArray[np.float32],
    table: NDArray[np.float32],
    reach: int,
) -> NDArray[np.int32]:
    """Fix one direction after the other, given those before it and what the later ones say."""
    n, m = cost.shape
    best = np.zeros(n, dtype=np.int32)
    for s in range(n):
        least, chosen = 1e30, 0
        for x in range(m):
            value = cost[s, x]
            for e in range(neighbours.shape[1]):
                t = neighbours[s, e]
                if t < 0:
                    continue
                if t < s:
                    d = min(max(x - best[t], -reach), reach)
                    value += table[d + reach] + 4.0 * table[0] * max(0, abs(x - best[t]) - reach)
                else:
                    value += message[s, e, x]
            if value < least:
                least, chosen = value, x
        best[s] = chosen
    return best
