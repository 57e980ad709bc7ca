"""Compiled loops of canal tracing: how enclosed by bone a place is, and the best path from slice to slice."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def enclosure(
    hu: NDArray[np.float32],
    candidates: NDArray[np.bool_],
    offsets: NDArray[np.int32],
    bone_hu: float,
    least_steps: int,
) -> NDArray[np.float32]:
    """Share of in-slice rays that meet bone, for each candidate voxel.

    Parameters
    ----------
    hu : (i, j, k) float32 array
        Coarse CT; k is the slice axis.
    candidates : (i, j, k) bool array
    offsets : (n_rays, n_steps, 2) int32 array
        Voxel steps of every ray, nearest first.
    bone_hu : float
    least_steps : int
        A ray that meets bone before this many steps counts half: the place is no canal's middle.

    Returns
    -------
    (i, j, k) float32 array, 0 to 1; 0 outside the candidates.
    """
    n_i, n_j, n_k = hu.shape
    n_rays, n_steps = offsets.shape[0], offsets.shape[1]
    result = np.zeros(hu.shape, dtype=np.float32)
    for i in prange(n_i):
        for j in range(n_j):
            for k in range(n_k):
                if not candidates[i, j, k]:
                    continue
                total = 0.0
                for ray in range(n_rays):
                    for step in range(n_steps):
                        a = i + offsets[ray, step, 0]
                        b = j + offsets[ray, step, 1]
                        if a < 0 or b < 0 or a >= n_i or b >= n_j:
                            break
                        if hu[a, b, k] >= bone_hu:
                            total += 1.0 if step >= least_steps else 0.5
                            break
                result[i, j, k] = total / n_rays
    return result


@njit(cache=True)  # type: ignore[untyped-decorator]
def best_path(score: NDArray[np.float32], step_cost: float) -> NDArray[np.int32]:
    """The path through neighbouring slices whose scores sum highest, free to begin and end anywhere.

    From one slice to the next it moves by at most one voxel in each direction.

    Parameters
    ----------
    score : (i, j, k) float32 array
        Positive where a canal is likely, negative where not.
    step_cost : float
        Taken off for each sideways step.

    Returns
    -------
    (n, 3) int32 array
        Voxel indices in the order of k; empty where nothing scores above 0.
    """
    n_i, n_j, n_k = score.shape
    total = np.zeros(score.shape, dtype=np.float32)
    came = np.full(score.shape, -1, dtype=np.int8)
    best, best_i, best_j, best_k = 0.0, -1, -1, -1
    for k in range(n_k):
        for i in range(n_i):
            for j in range(n_j):
                here = score[i, j, k]
                arrived, step = 0.0, -1
                if k > 0:
                    for di in range(-1, 2):
                        for dj in range(-1, 2):
                            a, b = i + di, j + dj
                            if a < 0 or b < 0 or a >= n_i or b >= n_j:
                                continue
                            value = total[a, b, k - 1] - step_cost * (abs(di) + abs(dj))
                            if value > arrived:
                                arrived = value
                                step = (di + 1) * 3 + (dj + 1)
                total[i, j, k] = arrived + here
                came[i, j, k] = step
                if total[i, j, k] > best:
                    best, best_i, best_j, best_k = total[i, j, k], i, j, k
    if best_k < 0:
        return np.zeros((0, 3), dtype=np.int32)
    path = np.zeros((n_k, 3), dtype=np.int32)
    count, i, j, k = 0, best_i, best_j, best_k
    while True:
        path[count] = (i, j, k)
        count += 1
        step = came[i, j, k]
        if step < 0:
            break
        i, j, k = i + step // 3 - 1, j + step % 3 - 1, k - 1
    return path[:count][::-1].copy()


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def mirror_likeness(
    hu: NDArray[np.float32], candidates: NDArray[np.bool_], reach: int, depth: int, scale_hu: float
) -> NDArray[np.float32]:
    """How alike left and right are about each candidate: 1 where they mirror each other, 0 where not.

    Parameters
    ----------
    hu : (i, j, k) float32 array
        First axis left–right, second front–back; values already clipped to a sensible window.
    candidates : (i, j, k) bool array
    reach, depth : int
        How far to the sides, and to front and back, voxels are compared.
    scale_hu : float
        Mean difference that counts as wholly unlike.

    Returns
    -------
    (i, j, k) float32 array; 0 outside the candidates.
    """
    n_i, n_j, n_k = hu.shape
    result = np.zeros(hu.shape, dtype=np.float32)
    for i in prange(n_i):
        for j in range(n_j):
            for k in range(n_k):
                if not candidates[i, j, k]:
                    continue
                total, count = 0.0, 0
                for d in range(1, reach + 1):
                    if i - d < 0 or i + d >= n_i:
                        break
                    for e in range(-depth, depth + 1):
                        b = j + e
                        if b < 0 or b >= n_j:
                            continue
                        total += abs(hu[i - d, b, k] - hu[i + d, b, k])
                        count += 1
                if count > 0:
                    result[i, j, k] = max(0.0, 1.0 - total / (count * scale_hu))
    return result
