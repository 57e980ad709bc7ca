"""Compiled growth of posterior elements: fronts that start at the bodies and share out the bone behind.

A shortest-path front (Dijkstra) for each level runs through bone; a step costs more where the CT is
darker (joint spaces) and where the level's own frame says that its elements are not expected. The front
that arrives first keeps the voxel.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

N_PARAMETERS = 6
"""Columns of ``sizes``, see :func:`misfit`."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def middle_height(behind_mm: float, thoracic: float) -> float:
    """Usual height of the arch's middle in half level heights, ``behind_mm`` behind the back wall.

    Lumbar arches fall gently, thoracic ones steeply (assumed; drawn from anatomy, not from one image).
    """
    if behind_mm <= 10.0:
        lumbar = 0.35 - 0.02 * max(behind_mm, 0.0)
        chest = 0.35 - 0.025 * max(behind_mm, 0.0)
    elif behind_mm <= 20.0:
        lumbar = 0.15 - 0.065 * (behind_mm - 10.0)
        chest = 0.1 - 0.07 * (behind_mm - 10.0)
    elif behind_mm <= 28.0:
        lumbar = -0.5 - 0.044 * (behind_mm - 20.0)
        chest = -0.6 - 0.07 * (behind_mm - 20.0)
    else:
        lumbar = -0.85
        chest = -1.16 - 0.045 * (behind_mm - 28.0)
    return (1.0 - thoracic) * lumbar + thoracic * chest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def misfit(x: float, y: float, z: float, sizes: NDArray[np.float64]) -> float:
    """How little a place (level frame, mm) suits the posterior elements of a level; below 0 never.

    ``sizes`` holds half width, half height, y of the back wall, thoracic share, reach, and whether a
    rib leaves the level.
    """
    half_width, half_height, wall, thoracic = sizes[0], sizes[1], sizes[2], sizes[3]
    behind = wall - y
    height = z / half_height
    side = abs(x)
    if behind < -4.0 or behind > 62.0:
        return -1.0
    beyond_pedicle = height < -0.45 or height > 1.05 or side > half_width + 3.0
    too_far = height < -0.45 or height > 1.5 or behind < 4.0 or side > half_width + 12.0
    if behind < 9.0 and beyond_pedicle and too_far:
        return -1.0
    rib = sizes[5]
    if rib > 0.5:
        # the rib runs in front of the transverse process and meets it at its tip
        widest = half_width + min(1.0 + 0.8 * max(behind - 7.0, 0.0), 17.0)
    else:
        widest = min(1.95 * half_width, half_width + 3.0 + 1.2 * max(behind, 0.0))
    if side > widest:
        return -1.0
    lowest = -1.9 - 1.5 * thoracic if side < 9.0 else -1.85 - 0.3 * thoracic
    if height > 1.55 or height < lowest:
        return -1.0
    if side > 0.95 * half_width and (height < -0.9 or height > 1.1):
        return -1.0
    away = height - middle_height(behind, thoracic)
    if side > 0.8 * half_width:
        away = height - 0.25 + 0.3 * thoracic
    return float(away**4 + 0.5 * max(0.0, side / half_width - 1.1) ** 2)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _push(keys: NDArray[np.float32], items: NDArray[np.int64], count: int, key: float, item: int) -> int:
    place = count
    while place > 0:
        parent = (place - 1) // 2
        if keys[parent] <= key:
            break
        keys[place], items[place] = keys[parent], items[parent]
        place = parent
    keys[place], items[place] = key, item
    return count + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pop(keys: NDArray[np.float32], items: NDArray[np.int64], count: int) -> int:
    count -= 1
    key, item = keys[count], items[count]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= count:
            break
        if child + 1 < count and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[place], items[place] = keys[child], items[child]
        place = child
    keys[place], items[place] = key, item
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def grow_levels(  # noqa: PLR0912 - one compiled loop
    bone: NDArray[np.float32],
    bodies: NDArray[np.uint8],
    level_from_voxel: NDArray[np.float64],
    sizes: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Share out the bone behind the bodies.

    Parameters
    ----------
    bone : (i, j, k) float32 array
        How surely a voxel is bone, 0 to 1; 0 is never entered.
    bodies : (i, j, k) uint8 array
        Body labels 1…n, from which the fronts start.
    level_from_voxel : (n, 4, 4) float array
    sizes : (n, 6) float array
        See :func:`misfit`; column 4 is the longest way in steps' cost.
    weights : (3,) float array
        Step in mm, weight of misfit, weight of darkness.

    Returns
    -------
    labels : (i, j, k) uint8 array
        0 where no front came.
    cost : (i, j, k) float32 array
        Of the way there.
    """
    n_i, n_j, n_k = bone.shape
    step, misfit_weight, dark_weight = weights[0], weights[1], weights[2]
    labels = bodies.copy()
    cost = np.full(bone.shape, np.float32(1e9), dtype=np.float32)
    done = np.zeros(bone.shape, dtype=np.uint8)
    room = 4_000_000
    keys = np.zeros(room, dtype=np.float32)
    items = np.zeros(room, dtype=np.int64)
    count = 0
    for i in range(1, n_i - 1):
        for j in range(1, n_j - 1):
            for k in range(1, n_k - 1):
                if bodies[i, j, k] == 0:
                    continue
                cost[i, j, k] = 0.0
                if (
                    bodies[i - 1, j, k] == 0
                    or bodies[i + 1, j, k] == 0
                    or bodies[i, j - 1, k] == 0
                    or bodies[i, j + 1, k] == 0
                ) and count < room - 30:
                    count = _push(keys, items, count, 0.0, (i * n_j + j) * n_k + k)
    while count > 0:
        item = items[0]
        count = _pop(keys, items, count)
        i, j, k = item // (n_j * n_k), (item // n_k) % n_j, item % n_k
        if done[i, j, k]:
            continue
        done[i, j, k] = 1
        label = labels[i, j, k]
        frame = level_from_voxel[label - 1]
        size = sizes[label - 1]
        here = cost[i, j, k]
        for di in range(-1, 2):
            for dj in range(-1, 2):
                for dk in range(-1, 2):
                    a, b, c = i + di, j + dj, k + dk
                    if a < 0 or b < 0 or c < 0 or a >= n_i or b >= n_j or c >= n_k:
                        continue
                    if bodies[a, b, c] != 0 or bone[a, b, c] <= 0.0 or done[a, b, c]:
                        continue
                    x = frame[0, 0] * a + frame[0, 1] * b + frame[0, 2] * c + frame[0, 3]
                    y = frame[1, 0] * a + frame[1, 1] * b + frame[1, 2] * c + frame[1, 3]
                    z = frame[2, 0] * a + frame[2, 1] * b + frame[2, 2] * c + frame[2, 3]
                    bad = misfit(x, y, z, size)
                    if bad < 0.0:
                        continue
                    dark = 1.0 - bone[a, b, c]
                    length = step * np.sqrt(np.float64(di * di + dj * dj + dk * dk))
                    value = here + length * (1.0 + misfit_weight * bad + dark_weight * dark * dark)
                    if value < cost[a, b, c] and value < size[4] and count < room - 30:
                        cost[a, b, c] = value
                        labels[a, b, c] = label
                        count = _push(keys, items, count, value, (a * n_j + b) * n_k + c)
    return labels, cost
