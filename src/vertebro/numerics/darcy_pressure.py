"""Pressure of incompressible Darcy flow: multigrid-preconditioned conjugate gradients in float64.

The matrix is that of two-point fluxes between cells, ``sum T_ij (p_i - p_j) = q_i``, with connections
to held pressures on the diagonal and a set of free network nodes beside the cells. Units: mm, s, MPa;
transmissibility mm³/(s·MPa).

References
----------
.. [1] Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., 2003, algorithm 9.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from vertebro.numerics import darcy_multigrid_kernels as kernels
from vertebro.numerics.darcy_multigrid import Bands, Multigrid, NodeLinks, row_spans

Floats = NDArray[np.float64]


class SolverStatus(Enum):
    """How a solution ended: a sentence, and what to do about it."""

    CONVERGED = ("The pressure was found to the accuracy asked for.", "Nothing to do.")
    AT_REST = ("Nothing drives any flow; all is at rest.", "Nothing to do.")
    TOO_MANY_ITERATIONS = (
        "The pressure was not found to the accuracy asked for within the allowed iterations.",
        "Allow more iterations, ask for less accuracy, or narrow the contrast of permeability.",
    )
    NOT_FINITE = (
        "The pressure left the range of numbers.",
        "Check permeabilities and viscosities: all must be finite and above 0.",
    )
    VISCOSITY_NOT_SETTLED = (
        "The shear-dependent viscosity had not settled within the allowed passes.",
        "Allow more passes, or shorten the time step; volumes are conserved nevertheless.",
    )

    def __init__(self, sentence: str, remedy: str) -> None:
        self.sentence = sentence
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class FlowMatrix:
    """Two-point flow matrix of ghosted cells and free nodes.

    ``tx[i, j, k]`` joins cell (i, j, k) with (i+1, j, k); ``sink`` is the sum of connections to held
    pressures; ``links`` joins cells and free nodes; ``node_matrix`` is the free nodes' own block with
    its full diagonal.
    """

    tx: Floats
    ty: Floats
    tz: Floats
    sink: Floats
    links: NodeLinks
    node_matrix: csc_matrix
    is_active: NDArray[np.bool_]

    def diagonal(self) -> Floats:
        """Sum of all connections of every cell."""
        total = self.sink.copy()
        for axis, values in enumerate((self.tx, self.ty, self.tz)):
            total += values
            total += np.roll(values, 1, axis)
        np.add.at(total.reshape(-1), self.links.cell, self.links.transmissibility)
        return total


@dataclass(frozen=True, slots=True)
class PressureSolution:
    """Pressures, and how they were found."""

    cells: Floats
    nodes: Floats
    status: SolverStatus
    iterations: int
    relative_residual: float


def preconditioner(matrix: FlowMatrix, bands: Bands) -> Multigrid:
    """Multigrid hierarchy of a matrix (or of one that is near enough to it)."""
    single = (matrix.tx.astype(np.float32), matrix.ty.astype(np.float32), matrix.tz.astype(np.float32))
    sink = matrix.sink.astype(np.float32)
    return Multigrid(single, sink, matrix.links, matrix.node_matrix, matrix.is_active, bands)


class _System:
    """The matrix with its scratch vectors: products over cells and nodes together."""

    def __init__(self, matrix: FlowMatrix, bands: Bands) -> None:
        self.matrix, self._bands = matrix, bands
        self.diagonal = matrix.diagonal()
        self.spans = row_spans(matrix.is_active)
        self.size = (matrix.tx.shape[0] - 2, int(np.prod([n - 2 for n in matrix.tx.shape])))
        self.has_nodes = matrix.node_matrix.shape[0] > 0

    def run(self, kernel: object, *arguments: object) -> float:
        return self._bands.run(kernel, (*arguments, self.spans), *self.size)  # type: ignore[arg-type]

    def times(self, out: Floats, x: Floats, x_nodes: Floats) -> tuple[Floats, float]:
        """``out = A x`` over the cells; the nodes' part of A x, and ``x · A x``."""
        matrix, links = self.matrix, self.matrix.links
        product = self.run(kernels.apply_flux, out, x, matrix.tx, matrix.ty, matrix.tz, self.diagonal)
        if not self.has_nodes:
            return x_nodes, product
        at_cells = links.transmissibility * x_nodes[links.node]
        np.subtract.at(out.reshape(-1), links.cell, at_cells)
        at_nodes = links.transmissibility * x.reshape(-1)[links.cell]
        out_nodes = matrix.node_matrix @ x_nodes - np.bincount(links.node, at_nodes, x_nodes.size)
        product += float(x_nodes @ out_nodes) - float(at_cells @ x.reshape(-1)[links.cell])
        return out_nodes, product


def solve_pressure(  # noqa: PLR0913 - a matrix, its supply, a start and the tools
    matrix: FlowMatrix,
    supply: tuple[Floats, Floats],
    start: tuple[Floats, Floats] | None,
    multigrid: Multigrid,
    bands: Bands,
    *,
    tolerance: float = 1e-8,
    max_iterations: int = 200,
) -> PressureSolution:
    """Solve ``A p = q`` by conjugate gradients from a start, to ``|q - A p| <= tolerance |q|``.

    Parameters
    ----------
    matrix : FlowMatrix
    supply : cells (ghosted array, mm³/s) and nodes (m,)
        Volume rates entering, held pressures' share included.
    start : the like of ``supply`` in MPa, optional
        A near solution; zero where absent.
    multigrid : Multigrid
        From :func:`preconditioner`, of this matrix or an earlier one like it.
    bands : Bands

    Returns
    -------
    PressureSolution
        Status says whether the tolerance was met; nothing is raised.
    """
    system = _System(matrix, bands)
    q_cells, q_nodes = supply
    x = np.zeros_like(q_cells) if start is None else start[0].copy()
    x_nodes = np.zeros_like(q_nodes) if start is None else start[1].copy()
    goal = tolerance * float(np.sqrt(np.vdot(q_cells, q_cells) + q_nodes @ q_nodes))
    ap = np.zeros_like(x)
    ap_nodes, _ = system.times(ap, x, x_nodes)
    r, r_nodes = q_cells - ap, q_nodes - ap_nodes
    r[~matrix.is_active] = 0.0
    norm = float(np.sqrt(np.vdot(r, r) + r_nodes @ r_nodes))
    b, p, p_nodes, rho = multigrid.levels[0].b, np.zeros_like(x), np.zeros_like(x_nodes), 1.0
    length = 0.0
    b[...] = r
    n = 0
    while norm > goal and n < max_iterations and np.isfinite(norm):
        z, z_nodes = multigrid.cycle(r_nodes)
        share = 0.0
        if n:  # flexible: z · (r - last r) instead of z · r, as the preconditioner varies a little
            share = -length * (system.run(kernels.dot_mixed, ap, z) + float(ap_nodes @ z_nodes)) / rho
        rho = system.run(kernels.dot_mixed, r, z) + float(r_nodes @ z_nodes)
        system.run(kernels.turn, p, z, share)
        p_nodes = z_nodes + share * p_nodes
        ap_nodes, curvature = system.times(ap, p, p_nodes)
        length = rho / curvature
        square = system.run(kernels.descend, x, r, p, ap, b, length)
        x_nodes = x_nodes + length * p_nodes
        r_nodes = r_nodes - length * ap_nodes
        norm = float(np.sqrt(square + r_nodes @ r_nodes))
        n += 1
    scale = goal / tolerance if goal > 0.0 else 1.0
    return PressureSolution(x, x_nodes, _status(norm, goal), n, norm / scale)


def _status(norm: float, goal: float) -> SolverStatus:
    if not np.isfinite(norm):
        return SolverStatus.NOT_FINITE
    if goal == 0.0:
        return SolverStatus.AT_REST
    return SolverStatus.CONVERGED if norm <= goal else SolverStatus.TOO_MANY_ITERATIONS
