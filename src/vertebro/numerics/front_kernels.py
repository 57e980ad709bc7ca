"""Compiled piston transport of :mod:`vertebro.numerics.front_transport`.

Cells are ghosted flat indices; nodes follow as ``n_cells + node``. The graph of pipes is given by rows
(CSR): ``row_of`` maps an entity with pipes to its row, -1 where it has none.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from vertebro.numerics.front_planes_kernels import slab_share

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


@njit([_INT(_F, _K, _F, _F, _F, _F, types.UniTuple(_INT, 2), _INT, _S, _I, _I, _F, _I, _F, _I, _S,
            types.float64, _S, types.Array(types.float64, 2, "C"))], **_OPTIONS)  # fmt: skip
def push_pistons(volume, capacity, p, fx, fy, fz, strides, n_cells, row_of, row_start, row_end_item,
                 row_t, starts, keys, items, mark, dt, plane_of, planes):  # type: ignore[no-untyped-def]  # fmt: skip
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
    flux = np.empty(6, np.float64)
    sent = np.empty(6, np.float64)
    while n > 0:
        item = items[0]
        n = pop_highest(keys, items, n)
        mark[item] = 0
        here, total = p[item], 0.0
        early = 0.0
        if item < n_cells:
            near[0], near[1], near[2] = item - sx, item + sx, item - sy
            near[3], near[4], near[5] = item + sy, item - 1, item + 1
            flux[0], flux[1] = -fx[item - sx], fx[item]
            flux[2], flux[3] = -fy[item - sy], fy[item]
            flux[4], flux[5] = -fz[item - 1], fz[item]
            for a in range(6):
                if flux[a] < 0.0 or p[near[a]] >= here:
                    flux[a] = 0.0
            for a in range(6):
                sent[a] = 0.0
                total += flux[a]
            plane = plane_of[item]
            if plane >= 0:
                m0, m1, m2 = abs(planes[plane, 0]), abs(planes[plane, 1]), abs(planes[plane, 2])
                offset = planes[plane, 3]
                for a in range(6):
                    if flux[a] > 0.0:
                        axis = a // 2
                        m, mb, mc = (m0, m1, m2) if axis == 0 else (m1, m2, m0) if axis == 1 else (m2, m0, m1)
                        far = (planes[plane, axis] > 0.0) == (a % 2 == 1)
                        depth = flux[a] * dt / capacity[item]
                        sent[a] = slab_share(offset, m, mb, mc, far, depth) * capacity[item]
                        early += sent[a]
                if early > volume[item]:
                    for a in range(6):
                        sent[a] *= volume[item] / early
                    early = volume[item]
        row = row_of[item]
        if row >= 0:
            for e in range(row_start[row], row_start[row + 1]):
                total += max(row_t[e] * (here - p[row_end_item[e]]), 0.0)
        excess = volume[item] - early - capacity[item]
        share = 0.0
        if excess > 0.0:
            # what the planes did not let through makes room for the rest
            room = max(total * dt - early, 0.0)
            if room > 1e-300 and dt > 0.0:
                share = excess / room
                for a in range(6):
                    if item < n_cells:
                        sent[a] += share * max(flux[a] * dt - sent[a], 0.0)
            else:
                stuck += 1
                excess = 0.0
        else:
            excess = 0.0
        gone = 0.0
        if item < n_cells:
            for a in range(6):
                if sent[a] > 0.0:
                    other = near[a]
                    gone += sent[a]
                    volume[other] += sent[a]
                    if mark[other] == 0:
                        mark[other] = 1
                        n = push_highest(keys, items, n, p[other], other)
        if row >= 0 and share > 0.0:
            for e in range(row_start[row], row_start[row + 1]):
                other = row_end_item[e]
                out = share * max(row_t[e] * (here - p[other]), 0.0) * dt
                if out > 0.0:
                    gone += out
                    volume[other] += out
                    if mark[other] == 0:
                        mark[other] = 1
                        n = push_highest(keys, items, n, p[other], other)
        volume[item] -= gone
    return stuck
