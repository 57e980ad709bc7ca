"""Compiled search for the best chain of discs."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

SIZE_WEIGHT = 1.2
SIZE_SPREAD = 0.22
"""Of the logarithm of spacing over expected spacing (assumed)."""
SIZE_MOST = 4.0
"""In squared spreads, halved: what a collapsed vertebra costs at most."""
CHANGE_WEIGHT = 0.8
CHANGE_SPREAD = 0.15
CHANGE_MOST = 2.5
END_SHARE = 1.25
"""The chain begins and ends within this share of a usual spacing from the image's ends."""


@njit(cache=True)  # type: ignore[untyped-decorator]
def best_chain(  # noqa: PLR0912 - one compiled loop
    score: NDArray[np.float64],
    expected: NDArray[np.float64],
    spacings: NDArray[np.int64],
    first: int,
    last: int,
) -> NDArray[np.int64]:
    """Places of discs whose scores less the penalties of their spacings sum highest.

    Parameters
    ----------
    score : (n,) float array
        For a disc at each millimetre.
    expected : (n,) float array, mm
        Usual spacing.
    spacings : (m,) int array, mm
        Spacings that are possible.
    first, last : int
        Range that the chain has to cover.

    Returns
    -------
    (k,) int array
        Ascending; empty where no chain covers the range.
    """
    n, m = len(score), len(spacings)
    total = np.full((n, m), -1e9)
    came = np.full((n, m), -2, dtype=np.int64)
    for k in range(first, last + 1):
        for d in range(m):
            q = k - spacings[d]
            if q < first:
                break
            away = math.log(spacings[d] / expected[k - spacings[d] // 2]) / SIZE_SPREAD
            base = score[k] - SIZE_WEIGHT * min(0.5 * away * away, SIZE_MOST)
            best, best_from = -1e9, -2
            if q - first <= END_SHARE * expected[q]:
                best, best_from = score[q], -1
            for e in range(m):
                if total[q, e] <= -1e8:
                    continue
                change = abs(math.log(spacings[d] / spacings[e])) / CHANGE_SPREAD
                value = total[q, e] - CHANGE_WEIGHT * min(change, CHANGE_MOST)
                if value > best:
                    best, best_from = value, e
            if best > -1e8:
                total[k, d] = base + best
                came[k, d] = best_from
    top, at, step = -1e9, -1, -1
    for k in range(first, last + 1):
        if last - k > END_SHARE * expected[k]:
            continue
        for d in range(m):
            if total[k, d] > top:
                top, at, step = total[k, d], k, d
    chain = np.zeros(n, dtype=np.int64)
    if at < 0:
        return chain[:0]
    chain[0] = at
    count = 1
    while step >= 0:
        before = came[at, step]
        at -= spacings[step]
        chain[count] = at
        count += 1
        step = before
    return chain[:count][::-1].copy()
