"""How much bone is left around a straight cannula: the innermost loop of planning.

Two versions of one function, held together by a contract test: NumPy, to be read, and Numba, to be
run some hundred times for every path. Frame: the vertebra's (right, anterior, superior), mm.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

MEDIAL, LATERAL, SUPERIOR, INFERIOR, AHEAD = range(5)
"""Rows of a clearance table."""
N_ROWS = 5


def clearance_reference(
    surface_v: NDArray[np.float64],
    tip_v: NDArray[np.float64],
    direction_v: NDArray[np.float64],
    length_mm: float,
    medial_sign: float,
) -> NDArray[np.float64]:
    """Distances from a needle's axis to the bone's surface, by direction.

    Each surface point beside the axis (between ``length_mm`` behind the tip and the tip) counts in
    the direction in which it lies: medial, lateral, superior or inferior, whichever is larger.
    Points ahead of the tip count as *ahead* by their straight distance from it, within 60 degrees of
    the axis, and otherwise in their direction.

    Parameters
    ----------
    surface_v : (n, 3) float array
    tip_v, direction_v : (3,) float arrays
        Tip, and unit direction from entry to tip.
    length_mm : float
        Length of axis behind the tip that is looked at.
    medial_sign : float
        Sign of x that leads to the midline: −1 on the patient's right, +1 on the left.

    Returns
    -------
    (5, 2) float array
        For medial, lateral, superior, inferior and ahead: the smallest distance from the axis (mm,
        not reduced by the cannula's radius; infinite where nothing lies there), and how far behind
        the tip it is.

    Examples
    --------
    >>> wall = np.array([[0.0, -5.0, 2.0]])
    >>> table = clearance_reference(wall, np.zeros(3), np.array([0.0, 1.0, 0.0]), 10.0, -1.0)
    >>> table[SUPERIOR].tolist()
    [2.0, 5.0]
    """
    table = np.full((N_ROWS, 2), np.inf)
    offset = surface_v - tip_v
    along = offset @ direction_v
    radial = offset - along[:, None] * direction_v
    distance = np.linalg.norm(radial, axis=1)
    is_ahead = along > 0.0
    straight = np.hypot(distance, np.where(is_ahead, along, 0.0))
    to_midline = medial_sign * radial[:, 0]
    rows = np.where(
        np.abs(to_midline) >= np.abs(radial[:, 2]),
        np.where(to_midline > 0.0, MEDIAL, LATERAL),
        np.where(radial[:, 2] > 0.0, SUPERIOR, INFERIOR),
    )
    rows[is_ahead & (distance <= np.sqrt(3.0) * along)] = AHEAD
    is_near = along >= -length_mm
    for row in range(N_ROWS):
        members = np.flatnonzero(is_near & (rows == row))
        if len(members):
            nearest = members[np.argmin(straight[members])]
            table[row] = straight[nearest], max(-along[nearest], 0.0)
    return table


@numba.njit(cache=True, fastmath=False, nogil=True)  # type: ignore[untyped-decorator]
def clearance(
    surface_v: NDArray[np.float64],
    tip_v: NDArray[np.float64],
    direction_v: NDArray[np.float64],
    length_mm: float,
    medial_sign: float,
) -> NDArray[np.float64]:
    """Do what :func:`clearance_reference` does, fast."""
    table = np.full((N_ROWS, 2), np.inf)
    tan_ahead = np.sqrt(3.0)
    for point in range(surface_v.shape[0]):
        x = surface_v[point, 0] - tip_v[0]
        y = surface_v[point, 1] - tip_v[1]
        z = surface_v[point, 2] - tip_v[2]
        along = x * direction_v[0] + y * direction_v[1] + z * direction_v[2]
        if along < -length_mm:
            continue
        radial_x = x - along * direction_v[0]
        radial_y = y - along * direction_v[1]
        radial_z = z - along * direction_v[2]
        squared = radial_x * radial_x + radial_y * radial_y + radial_z * radial_z
        to_midline = medial_sign * radial_x
        if abs(to_midline) >= abs(radial_z):
            row = MEDIAL if to_midline > 0.0 else LATERAL
        else:
            row = SUPERIOR if radial_z > 0.0 else INFERIOR
        if along > 0.0:
            if squared <= tan_ahead * tan_ahead * along * along:
                row = AHEAD
            squared += along * along
        if squared < table[row, 0]:
            table[row, 0] = squared
            table[row, 1] = max(-along, 0.0)
    for row in range(N_ROWS):
        table[row, 0] = np.sqrt(table[row, 0])
    return table


@numba.njit(cache=True, fastmath=False, nogil=True)  # type: ignore[untyped-decorator]
def nearest_to_segment(
    points_v: NDArray[np.float64],
    tip_v: NDArray[np.float64],
    direction_v: NDArray[np.float64],
    length_mm: float,
) -> float:
    """Smallest distance from points (n, 3) to the segment that ends at the tip; infinite for no points."""
    smallest = np.inf
    for point in range(points_v.shape[0]):
        x = points_v[point, 0] - tip_v[0]
        y = points_v[point, 1] - tip_v[1]
        z = points_v[point, 2] - tip_v[2]
        along = x * direction_v[0] + y * direction_v[1] + z * direction_v[2]
        along = min(max(along, -length_mm), 0.0)
        squared = (
            (x - along * direction_v[0]) ** 2
            + (y - along * direction_v[1]) ** 2
            + (z - along * direction_v[2]) ** 2
        )
        smallest = min(smallest, squared)
    return float(np.sqrt(smallest))


@numba.njit(cache=True, fastmath=False, nogil=True)  # type: ignore[untyped-decorator]
def length_along(
    mask: NDArray[np.bool_],
    first_voxel_v: NDArray[np.float64],
    spacing_mm: float,
    end_v: NDArray[np.float64],
    direction_v: NDArray[np.float64],
    length_mm: float,
) -> tuple[float, float]:
    """Length of an axis, in mm, before ``end_v``, inside and outside a mask, by nearest voxels."""
    step = 0.5 * spacing_mm
    n_steps = int(length_mm / step) + 1
    n_inside = 0
    for index in range(n_steps):
        behind = index * step
        i = round((end_v[0] - behind * direction_v[0] - first_voxel_v[0]) / spacing_mm)
        j = round((end_v[1] - behind * direction_v[1] - first_voxel_v[1]) / spacing_mm)
        k = round((end_v[2] - behind * direction_v[2] - first_voxel_v[2]) / spacing_mm)
        if 0 <= i < mask.shape[0] and 0 <= j < mask.shape[1] and 0 <= k < mask.shape[2] and mask[i, j, k]:
            n_inside += 1
    return n_inside * step, (n_steps - n_inside) * step


def compile_kernels() -> None:
    """Compile the kernels, or load them from disk, by one small call of each.

    Examples
    --------
    >>> compile_kernels()
    >>> bool(clearance.signatures and nearest_to_segment.signatures and length_along.signatures)
    True
    """
    points, tip, forwards = np.zeros((1, 3)), np.zeros(3), np.array([0.0, 1.0, 0.0])
    clearance(points, tip, forwards, 1.0, 1.0)
    nearest_to_segment(points, tip, forwards, 1.0)
    length_along(np.zeros((1, 1, 1), dtype=np.bool_), tip, 1.0, tip, forwards, 1.0)
