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
_K3 = types.Array(types.float64, 2, "C")
_PLANES = types.Array(types.float64, 2, "C")
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


@njit([types.float64(_INT, types.float64, _F, _K3, _I, _F)], **_OPTIONS)
def outward_fluxes(item, here, p, f3, near, flux):  # type: ignore[no-untyped-def]
    """Fluxes of a cell to its six neighbours where they lead to lower pressure, else 0; their sum."""
    total = 0.0
    for a in range(6):
        axis, step = a // 2, near[a]
        through = f3[axis, item] if a % 2 == 1 else -f3[axis, step]
        flux[a] = through if through > 0.0 and p[step] < here else 0.0
        total += flux[a]
    return total


@njit([types.float64(_F, _F, types.float64, types.float64, types.float64[::1])], **_OPTIONS)
def cut_slabs(sent, flux, dt, capacity, plane):  # type: ignore[no-untyped-def]
    """Cement that a mixed cell gives through each face: what its plane leaves in the slab that flows out.

    ``plane`` is (m1, m2, m3, offset); see :mod:`vertebro.numerics.front_planes_kernels`. Returns the sum.
    """
    m0, m1, m2, offset = abs(plane[0]), abs(plane[1]), abs(plane[2]), plane[3]
    total = 0.0
    for a in range(6):
        if flux[a] > 0.0:
            axis = a // 2
            m, mb, mc = (m0, m1, m2) if axis == 0 else (m1, m2, m0) if axis == 1 else (m2, m0, m1)
            is_far = (plane[axis] > 0.0) == (a % 2 == 1)
            sent[a] = slab_share(offset, m, mb, mc, is_far, flux[a] * dt / capacity) * capacity
            total += sent[a]
    return total


@njit([_INT(_F, _F, _I, _F, _S, _INT, types.float64, _INT, _INT)], **_OPTIONS)
def give(volume, keys, items, p, mark, n, amount, source, target):  # type: ignore[no-untyped-def]
    """Move an amount from one entity to another and queue the other; the new length of the queue."""
    volume[source] -= amount
    volume[target] += amount
    if mark[target] == 0:
        mark[target] = 1
        n = push_highest(keys, items, n, p[target], target)
    return n


@njit([types.float64(_INT, types.float64, _F, _I, _I, _F, _F)], **_OPTIONS)
def pipe_outflow(row, here, p, row_start, row_end, row_t, row_flux):  # type: ignore[no-untyped-def]
    """Fluxes of one row of pipes towards lower pressure; their sum."""
    total = 0.0
    for e in range(row_start[row], row_start[row + 1]):
        row_flux[e] = max(row_t[e] * (here - p[row_end[e]]), 0.0)
        total += row_flux[e]
    return total


_STRIDES = types.UniTuple(_INT, 2)


@njit([_INT(_F, _K, _F, _K3, _STRIDES, _S, _I, _I, _F, _I, _F, _I, _S, types.float64, _S, _PLANES)],
      **_OPTIONS)  # fmt: skip
def push_pistons(volume, capacity, p, f3, strides, row_of, row_start, row_end, row_t, starts,  # type: ignore[no-untyped-def]
                 keys, items,
                 mark, dt, plane_of, planes):  # fmt: skip
    """Let cement flow on to entities of lower pressure for a time.

    A mixed cell with a plane gives what the plane lets through; any entity gives what exceeds its
    capacity, shared by what its fluxes have left. Entities are taken by falling pressure, so that all
    that flows into one has arrived before it gives. ``volume`` is changed in place; ``starts`` are the
    entities that may give at first. Returns the number of entities whose excess found no way down.
    """
    n, stuck, n_cells = 0, 0, f3.shape[1]
    for index in range(starts.size):
        mark[starts[index]] = 1
        n = push_highest(keys, items, n, p[starts[index]], starts[index])
    near, flux, sent = np.empty(6, np.int64), np.zeros(6), np.zeros(6)
    row_flux = np.zeros(row_t.size)
    while n > 0:
        item, row = items[0], np.int64(row_of[items[0]])
        n = pop_highest(keys, items, n)
        mark[item] = 0
        here, total, early = p[item], 0.0, 0.0
        sent[:] = 0.0
        if item < n_cells:
            near[0], near[1], near[2] = item - strides[0], item + strides[0], item - strides[1]
            near[3], near[4], near[5] = item + strides[1], item - 1, item + 1
            total = outward_fluxes(item, here, p, f3, near, flux)
            if plane_of[item] >= 0:
                early = cut_slabs(sent, flux, dt, capacity[item], planes[plane_of[item]])
        if row >= 0:
            total += pipe_outflow(row, here, p, row_start, row_end, row_t, row_flux)
        scale = min(1.0, volume[item] / early) if early > 0.0 else 1.0
        early *= scale
        excess, room = volume[item] - early - capacity[item], total * dt - early
        stuck += 1 if excess > 0.0 and room <= 0.0 else 0
        share = excess / room if excess > 0.0 and room > 0.0 else 0.0
        if item < n_cells:
            for a in range(6):
                out = scale * sent[a] + share * max(flux[a] * dt - scale * sent[a], 0.0)
                if flux[a] > 0.0 and out > 0.0:
                    n = give(volume, keys, items, p, mark, n, out, item, near[a])
        if row >= 0 and share > 0.0:
            for e in range(row_start[row], row_start[row + 1]):
                if row_flux[e] > 0.0:
                    n = give(volume, keys, items, p, mark, n, share * row_flux[e] * dt, item, row_end[e])
    return stuck
