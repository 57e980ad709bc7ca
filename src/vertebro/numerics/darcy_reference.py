"""Plain NumPy and SciPy versions of the flow solver's kernels: what the compiled ones are held against.

Layouts as in :mod:`vertebro.numerics.darcy_multigrid_kernels`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import spsolve

from vertebro.numerics.darcy_pressure import FlowMatrix

Floats = NDArray[np.float64]


def join_cells(viscosity: Floats, half: Floats, layer: Floats, axis: int) -> Floats:
    """Transmissibility of every cell with its next along an axis, ghosts 0."""
    there, beyond = np.roll(viscosity, -1, axis), np.roll(half, -1, axis)
    resistance = viscosity * half + there * beyond + 0.5 * (viscosity + there) * layer
    out = np.zeros_like(viscosity)
    inner = (slice(1, -1),) * 3
    out[inner] = (1.0 / resistance)[inner]
    return out


def even_out(p: Floats, t: Floats, axis: int) -> Floats:
    """Flux that makes the error of two-point fluxes alike in all directions."""
    drop = p - np.roll(p, -1, axis)
    total = np.zeros_like(p)
    for side in {0, 1, 2} - {axis}:
        for shift in (-1, 1):
            total += np.minimum(t, np.roll(t, shift, side)) * (np.roll(drop, shift, side) - drop)
    most = 0.5 * t * np.abs(drop)
    out = np.zeros_like(p)
    inner = (slice(1, -1),) * 3
    out[inner] = np.clip(total / 12.0, -most, most)[inner]
    return out


def sparse_matrix(matrix: FlowMatrix) -> tuple[csc_matrix, NDArray[np.int64]]:
    """The flow matrix of active cells and free nodes, and the flat ghosted numbers of those cells."""
    cells = np.flatnonzero(matrix.is_active)
    number = np.full(matrix.is_active.size, -1, np.int64)
    number[cells] = np.arange(cells.size)
    strides = (matrix.tx.shape[1] * matrix.tx.shape[2], matrix.tx.shape[2], 1)
    rows, columns, values = [], [], []
    for t, stride in zip((matrix.tx, matrix.ty, matrix.tz), strides, strict=True):
        flat = t.reshape(-1)
        near = cells[flat[cells] > 0.0]
        rows += [number[near], number[near + stride]]
        columns += [number[near + stride], number[near]]
        values += [-flat[near], -flat[near]]
    size = (cells.size, cells.size)
    off = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=size)
    own = diags(matrix.diagonal().reshape(-1)[cells])
    links, m = matrix.links, matrix.node_matrix.shape[0]
    place = (number[links.cell], links.node)
    across = coo_matrix((-links.transmissibility, place), shape=(cells.size, m)).tocsc()
    return block_array([[own + off, across], [across.T, matrix.node_matrix]], format="csc"), cells


def pressure(matrix: FlowMatrix, supply: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Pressure of cells (ghosted) and free nodes by a direct solver."""
    whole, cells = sparse_matrix(matrix)
    right = np.concatenate([supply[0].reshape(-1)[cells], supply[1]])
    solution = spsolve(whole, right)
    out = np.zeros(matrix.is_active.shape)
    out.reshape(-1)[cells] = solution[: cells.size]
    return out, solution[cells.size :]


def push_pistons(volume: Floats, capacity: Floats, p: Floats, fluxes: list[tuple[int, int, float]]) -> Floats:
    """Pistons alone, on a plain list of (from, to, flux > 0): excess moves on, shared by flux."""
    out = volume.copy()
    for item in np.argsort(-p, kind="stable"):
        leaving = [
            (target, flux) for source, target, flux in fluxes if source == item and p[target] < p[item]
        ]
        excess = out[item] - capacity[item]
        if excess > 0.0 and leaving:
            total = sum(flux for _, flux in leaving)
            out[item] = capacity[item]
            for target, flux in leaving:
                out[target] += excess * flux / total
    return out
