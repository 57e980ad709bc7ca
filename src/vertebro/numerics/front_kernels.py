"""Compiled piston transport of :mod:`vertebro.numerics.front_transport`.

Cells are ghosted flat indices; nodes follow as ``n_cells + node``. The graph of pipes is given by rows
(CSR): ``row_of`` maps an entity with pipes to its row, -1 where it has none.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_F = types.float64[::1]
_K = types.Array(types.float64, 1, "C", readonly=True)
_I = types.int64[::1]
_S = types.int32[::1]
_INT = types.int64


@njit([_INT(_F, _I, _INT, types.float64, _INT)], **_OPTIONS)
def push_highest(keys, items, n, key, item):  # type: ignore[no-untyped-def]
    """Add to a heap that gives the highest key first; the new count."""
    place = n
    while place > 0:
        parent = (place - 1) // 2
        if keys[parent] > key or (keys[parent] == key and items[parent] <= item):
            break
        keys[place], items[place] = keys[parent], items[parent]
        place = parent
    keys[place], items[place] = key, item
    return n + 1


@njit([_INT(_F, _I, _INT)], **_OPTIONS)
def pop_highest(keys, items, n):  # type: ignore[no-untyped-def]
    """Remove the first of the heap (read it before); the new count."""
    last = n - 1
    key, item = keys[last], items[last]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= last:
            break
        right = child + 1
        if right < last and (
            keys[right] > keys[child] or (keys[right] == keys[child] and items[right] < items[child])
        ):
            child = right
        if key > keys[child] or (key == keys[child] and item <= items[child]):
            break
        keys[place], items[place] = keys[child], items[child]
        place = child
    keys[place], items[place] = key, item
    return last


@njit(
    [_INT(_F, _K, _F, _F, _F, _F, types.UniTuple(_INT, 2), _INT, _S, _I, _I, _F, _I, _F, _I, _S)], **_OPTIONS
)
def push_pistons(volume, capacity, p, tx, ty, tz, strides, n_cells, row_of, row_start, row_end_item,
                 row_t, starts, keys, items, mark):  # type: ignore[no-untyped-def]  # fmt: skip
    """Let what exceeds an entity's capacity flow on to those of lower pressure, shared by their flux.

    Entities are taken by falling pressure, so that all that flows into one has arrived before it
    overflows. ``volume`` is changed in place; ``starts`` are the entities that may overflow at first.
    Returns the number of entities whose excess found no way down (they keep it).
    """
    sx, sy = strides
    n = 0
    for index in range(starts.size):
        item = starts[index]
        if mark[item] == 0:
            mark[item] = 1
            n = push_highest(keys, items, n, p[item], item)
    stuck = 0
    near = np.empty(6, np.int64)
    while n > 0:
        item = items[0]
        n = pop_highest(keys, items, n)
        mark[item] = 0
        excess = volume[item] - capacity[item]
        if excess <= 0.0:
            continue
        here, total = p[item], 0.0
        if item < n_cells:
            total += max(tx[item] * (here - p[item + sx]), 0.0)
            total += max(tx[item - sx] * (here - p[item - sx]), 0.0)
            total += max(ty[item] * (here - p[item + sy]), 0.0)
            total += max(ty[item - sy] * (here - p[item - sy]), 0.0)
            total += max(tz[item] * (here - p[item + 1]), 0.0)
            total += max(tz[item - 1] * (here - p[item - 1]), 0.0)
        row = row_of[item]
        if row >= 0:
            for e in range(row_start[row], row_start[row + 1]):
                total += max(row_t[e] * (here - p[row_end_item[e]]), 0.0)
        if total <= 0.0:
            stuck += 1
            continue
        volume[item] = capacity[item]
        share = excess / total
        if item < n_cells:
            near[0], near[1], near[2] = item + sx, item - sx, item + sy
            near[3], near[4], near[5] = item - sy, item + 1, item - 1
            for a in range(6):
                other = near[a]
                t = tx[item] if a == 0 else tx[other] if a == 1 else ty[item] if a == 2 else (
                    ty[other] if a == 3 else tz[item] if a == 4 else tz[other])  # fmt: skip
                flux = t * (here - p[other])
                if flux > 0.0:
                    volume[other] += share * flux
                    if mark[other] == 0:
                        mark[other] = 1
                        n = push_highest(keys, items, n, p[other], other)
        if row >= 0:
            for e in range(row_start[row], row_start[row + 1]):
                other = row_end_item[e]
                flux = row_t[e] * (here - p[other])
                if flux > 0.0:
                    volume[other] += share * flux
                    if mark[other] == 0:
                        mark[other] = 1
                        n = push_highest(keys, items, n, p[other], other)
    return stuck
