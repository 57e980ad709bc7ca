"""Strain, stress and strain energy of a grid of bricks from its displacements; plain NumPy.

Voigt order xx, yy, zz, yz, xz, xy, engineering shear strain. mm, N, MPa.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.elasticity_material import Material

Field = NDArray[np.float64]


def corner_sums(displacement_mm: Field, component: int) -> dict[tuple[int, int, int], Field]:
    """Amplitudes of 1, ξ, η, ζ and their products in every brick, by exponents."""
    u = displacement_mm[component]
    parts: dict[tuple[int, ...], Field] = {(): u}
    for axis in range(3):
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        parts = {
            (*key, power): 0.5 * (value[high] + value[low] if power == 0 else value[high] - value[low])
            for key, value in parts.items()
            for power in (0, 1)
        }
    return {(key[0], key[1], key[2]): value for key, value in parts.items()}


def centroid_strain(displacement_mm: Field, spacing_mm: tuple[float, float, float]) -> Field:
    """(6, i, j, k): strain in the middle of every brick, which is also its mean.

    Parameters
    ----------
    displacement_mm : (3, i+1, j+1, k+1) array
    spacing_mm : three floats
    """
    steps = [2.0 / h for h in spacing_mm]
    slopes = np.empty((3, 3, *(n - 1 for n in displacement_mm.shape[1:])))
    for component in range(3):
        sums = corner_sums(displacement_mm, component)
        for axis in range(3):
            power = [0, 0, 0]
            power[axis] = 1
            slopes[component, axis] = steps[axis] * sums[(power[0], power[1], power[2])]
    return np.stack(
        [
            slopes[0, 0],
            slopes[1, 1],
            slopes[2, 2],
            slopes[1, 2] + slopes[2, 1],
            slopes[0, 2] + slopes[2, 0],
            slopes[0, 1] + slopes[1, 0],
        ]
    )


def stress_of_strain(constants_mpa: Field, strain: Field) -> Field:
    """(6, …) stress, MPa, of nine constants ``(9, …)`` and strain ``(6, …)``."""
    c11, c22, c33, c12, c13, c23, c44, c55, c66 = constants_mpa
    e0, e1, e2, e3, e4, e5 = strain
    return np.stack(
        [
            c11 * e0 + c12 * e1 + c13 * e2,
            c12 * e0 + c22 * e1 + c23 * e2,
            c13 * e0 + c23 * e1 + c33 * e2,
            c44 * e3,
            c55 * e4,
            c66 * e5,
        ]
    )


def mean_energy_density(
    material: Material, displacement_mm: Field, spacing_mm: tuple[float, float, float]
) -> Field:
    """(i, j, k): strain energy over volume of every brick, MPa (= mJ/mm³), integrated in full.

    The strain of a brick is a sum of six fields (the same, with ξ, η, ζ and their products) whose
    means of products vanish, so that the energies of the six add.
    """
    constants = material.constants_mpa()
    steps = [2.0 / h for h in spacing_mm]
    sums = [corner_sums(displacement_mm, component) for component in range(3)]
    total = np.zeros(material.shape)
    for powers in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)):
        weight = 0.5 / 3.0 ** sum(powers)

        def slope(component: int, axis: int, powers: tuple[int, int, int] = powers) -> Field | float:
            if powers[axis]:
                return 0.0
            raised = list(powers)
            raised[axis] = 1
            return steps[axis] * sums[component][(raised[0], raised[1], raised[2])]

        rows = [
            slope(0, 0),
            slope(1, 1),
            slope(2, 2),
            slope(1, 2) + slope(2, 1),
            slope(0, 2) + slope(2, 0),
            slope(0, 1) + slope(1, 0),
        ]
        strain = np.stack([np.broadcast_to(np.asarray(row, dtype=np.float64), total.shape) for row in rows])
        total += weight * np.einsum("cijk,cijk->ijk", strain, stress_of_strain(constants, strain))
    return total
