"""Plain NumPy and SciPy version of the brick's stiffness: what the compiled kernels are held against.

Eight-node bricks, trilinear displacement, 2×2×2 Gauss points. mm, N, MPa.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from vertebro.numerics.elasticity_material import voigt

CORNERS = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)])
"""(8, 3): corners of a brick in the order of its unknowns (corner by corner, component fastest)."""


def strain_matrix(place: NDArray[np.float64], spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """(6, 24) strain of a brick's displacements at a place in −1..1 along each axis.

    Examples
    --------
    >>> strain = strain_matrix(np.zeros(3), (1.0, 1.0, 1.0))
    >>> (strain @ np.tile([1.0, 0.0, 0.0], 8)).tolist()   # a shift strains nothing
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    sign = 2.0 * CORNERS - 1.0
    factors = 0.5 * (1.0 + sign * place)
    slopes = np.empty((8, 3))
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        slopes[:, axis] = sign[:, axis] / spacing_mm[axis] * factors[:, others].prod(axis=1)
    matrix = np.zeros((6, 8, 3))
    for component in range(3):
        matrix[component, :, component] = slopes[:, component]
    for row, (a, b) in zip((3, 4, 5), ((1, 2), (0, 2), (0, 1)), strict=True):
        matrix[row, :, a] = slopes[:, b]
        matrix[row, :, b] = slopes[:, a]
    return np.asarray(matrix.reshape(6, 24))


def gauss_places() -> NDArray[np.float64]:
    """(8, 3): the 2×2×2 points, each with weight 1/8 of the volume."""
    return np.asarray((2.0 * CORNERS - 1.0) / np.sqrt(3.0))


def brick_stiffness(
    constants_mpa: NDArray[np.float64], spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """(24, 24) stiffness of one brick of nine constants, N/mm."""
    law = voigt(np.asarray(constants_mpa, dtype=np.float64))
    total = np.zeros((24, 24))
    for place in gauss_places():
        strain = strain_matrix(place, spacing_mm)
        total += strain.T @ law @ strain
    return total * float(np.prod(spacing_mm)) / 8.0


@lru_cache(maxsize=64)
def _basis(spacing_mm: tuple[float, float, float], n_constants: int) -> NDArray[np.float64]:
    """(m, 24, 24): stiffness of a brick for each constant alone."""
    units = np.eye(9)
    if n_constants == 2:
        units = np.array([[1.0] * 6 + [0.0] * 3, [2.0] * 3 + [0.0] * 3 + [1.0] * 3])
    return np.stack([brick_stiffness(unit, spacing_mm) for unit in units])


def element_unknowns(n_elements: tuple[int, int, int]) -> NDArray[np.int64]:
    """(elements, 24): unknown ``(plane, component, place in plane)`` of each brick's displacements."""
    ni, nj, nk = n_elements
    corner = np.stack(np.meshgrid(np.arange(ni), np.arange(nj), np.arange(nk), indexing="ij"), axis=-1)
    nodes = corner.reshape(-1, 1, 3) + CORNERS
    in_plane = (nj + 1) * (nk + 1)
    flat = nodes[..., 1] * (nk + 1) + nodes[..., 2]
    unknowns = (nodes[..., 0, None] * 3 + np.arange(3)) * in_plane + flat[..., None]
    return np.asarray(unknowns.reshape(-1, 24), dtype=np.int64)


def assembled_stiffness(
    constants_mpa: NDArray[np.float64], spacing_mm: tuple[float, float, float]
) -> sparse.csr_array:
    """Whole stiffness of a grid; unknowns in the order plane, component, place in the plane.

    Parameters
    ----------
    constants_mpa : (2 or 9, i, j, k) array
        λ and μ, or nine constants.
    """
    n_elements = (int(constants_mpa.shape[1]), int(constants_mpa.shape[2]), int(constants_mpa.shape[3]))
    unknowns = element_unknowns(n_elements)
    basis = _basis(spacing_mm, len(constants_mpa))
    values = np.einsum("me,mab->eab", constants_mpa.reshape(len(constants_mpa), -1), basis)
    rows = np.repeat(unknowns, 24, axis=1).ravel()
    columns = np.tile(unknowns, (1, 24)).ravel()
    n = 3 * int(np.prod([m + 1 for m in n_elements]))
    return sparse.coo_array((values.ravel(), (rows, columns)), shape=(n, n)).tocsr()


def dense_stiffness(
    constants_mpa: NDArray[np.float64], spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """The same as a full matrix, for small grids."""
    return np.asarray(assembled_stiffness(constants_mpa, spacing_mm).toarray())
