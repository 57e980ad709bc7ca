"""Multigrid for the pressure of Darcy flow: a preconditioner for flexible conjugate gradients.

Cells are merged in blocks of 2 x 2 x 2; a coarse transmissibility is half the sum of the fine ones
between two blocks (the sum alone is the Galerkin operator of piecewise constant interpolation, which
is twice too stiff for smooth pressure). A correction reaches each cell from its own block and, by the
shares of its connections, from the blocks next to it. Rows along the last axis are relaxed by exact
line solves in two colours. The first coarse levels are visited within two steps of conjugate gradients
each (K-cycle), which keeps high-mobility regions and channels from spoiling the convergence. The nodes
of a pipe network are carried unmerged to every level and solved exactly there; the coarsest level,
cells and nodes together, is solved by a dense factorization.

Single precision throughout: a preconditioner need not be accurate, and half the memory is half the
time. No units: the caller's matrix is ``A p = q``.

References
----------
.. [1] W. Briggs, V. Henson, S. McCormick, A Multigrid Tutorial, 2nd ed., 2000, chapters 2 and 7.
.. [2] P. Wesseling, An Introduction to Multigrid Methods, 1992, chapter 5 (cell-centred coarsening).
.. [3] Y. Notay, P. Vassilevski, Numer. Linear Algebra Appl. 15:473-487, 2008, algorithm 3.2 (K-cycle).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from vertebro.numerics import darcy_multigrid_kernels as kernels

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

_COARSEST_CELLS = 64
_CELLS_PER_BAND = 50_000
_COARSE_WEIGHT = np.float32(0.5)
_K_LEVELS = 3  # deeper ones are small, and one visit does
_GOOD_ENOUGH = 0.25


class Bands:
    """Runs a kernel on bands of planes, in threads where the arrays are large enough to gain from it."""

    def __init__(self, n_threads: int) -> None:
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None
        self._n_threads = n_threads

    def run(self, kernel: Callable[..., float | None], arguments: Sequence[object], n_planes: int,
            n_cells: int) -> float:  # fmt: skip
        """Call ``kernel(*arguments, first, stop)`` over planes 1 … n_planes; the sum of what it returns."""
        if self._pool is None or n_cells < 2 * _CELLS_PER_BAND or n_planes < self._n_threads:
            return kernel(*arguments, 1, n_planes + 1) or 0.0
        edges = np.linspace(1, n_planes + 1, self._n_threads + 1).astype(int)
        jobs = [self._pool.submit(kernel, *arguments, int(a), int(b)) for a, b in pairwise(edges)]
        return sum(job.result() or 0.0 for job in jobs)


@dataclass(frozen=True, slots=True)
class NodeLinks:
    """Connections of network nodes with the cells of one level: flat ghosted cell, node, transmissibility."""

    cell: Ints
    node: Ints
    transmissibility: Floats


@dataclass(slots=True)
class Level:
    """One grid of the hierarchy, with its scratch vectors."""

    tx: Singles
    ty: Singles
    tz: Singles
    sink: Singles
    spans: NDArray[np.int32]
    links: NodeLinks
    pivot: Singles = field(init=False)
    weights: tuple[Singles, Singles, Singles] = field(init=False)
    r: Singles = field(init=False)
    main: NDArray[np.uint8] = field(init=False)
    x: Singles = field(init=False)
    b: Singles = field(init=False)

    def __post_init__(self) -> None:
        self.pivot = np.zeros_like(self.tx)
        self.x = np.zeros_like(self.tx)
        self.b = np.zeros_like(self.tx)
        self.r = np.zeros_like(self.tx)
        self.main = np.zeros(self.tx.shape, np.uint8)
        self.weights = (np.zeros_like(self.tx), np.zeros_like(self.tx), np.zeros_like(self.tx))

    @property
    def n_planes(self) -> int:
        """Planes along the first axis, ghosts not counted."""
        return int(self.tx.shape[0]) - 2

    @property
    def n_cells(self) -> int:
        """Cells of the box, ghosts not counted."""
        a, b, c = self.tx.shape
        return int((a - 2) * (b - 2) * (c - 2))


def row_spans(is_active: NDArray[np.bool_]) -> NDArray[np.int32]:
    """First active cell of every row and one past its last, for a ghosted mask."""
    spans = np.zeros((*is_active.shape[:2], 2), np.int32)
    some = is_active.any(axis=2)
    spans[..., 0] = np.where(some, is_active.argmax(axis=2), 1)
    spans[..., 1] = np.where(some, is_active.shape[2] - is_active[..., ::-1].argmax(axis=2), 1)
    return spans


class Multigrid:
    """Hierarchy for one matrix; :meth:`cycle` applies one K-cycle.

    Parameters
    ----------
    transmissibilities : three ghosted float32 arrays, >= 0
    sink : ghosted float32 array, >= 0
        What the diagonal holds beyond the sum of transmissibilities (connections to held pressures).
    links : NodeLinks
        Connections between cells and free nodes; their sum must NOT be part of ``sink``.
    node_matrix : (m, m) sparse matrix
        Rows of the free nodes among themselves, diagonal included.
    is_active : ghosted mask
    bands : Bands
    """

    def __init__(
        self,
        transmissibilities: tuple[Singles, Singles, Singles],
        sink: Singles,
        links: NodeLinks,
        node_matrix: csc_matrix,
        is_active: NDArray[np.bool_],
        bands: Bands,
    ) -> None:
        self._bands = bands
        self._n_nodes = node_matrix.shape[0]
        self._node_matrix = node_matrix
        self._node_solve = splu(node_matrix).solve if self._n_nodes else None
        own_sink = sink.copy()
        np.add.at(own_sink.reshape(-1), links.cell, links.transmissibility.astype(np.float32))
        self.levels = [Level(*transmissibilities, own_sink, row_spans(is_active), links)]
        active = [is_active]
        while np.count_nonzero(active[-1]) > _COARSEST_CELLS and self.levels[-1].n_cells > 8:
            active.append(_coarse_mask(active[-1]))
            self.levels.append(self._coarser(self.levels[-1], active[-1]))
        for level in self.levels[:-1]:
            arguments = (level.pivot, level.sink, level.tx, level.ty, level.tz, level.spans)
            bands.run(kernels.factor_rows, arguments, level.n_planes, level.n_cells)
            blocks = (*level.weights, level.tx, level.ty, level.tz, level.sink, level.main)
            bands.run(kernels.weigh_blocks, blocks, level.n_planes, level.n_cells)
        self._coarse_cells = np.flatnonzero(active[-1])
        self._coarse_solve = self._factor_coarsest()

    def _coarser(self, fine: Level, is_active: NDArray[np.bool_]) -> Level:
        shape = is_active.shape
        marks = (fine.main, fine.tx, fine.ty, fine.tz, fine.sink)
        self._bands.run(kernels.mark_main_parts, marks, shape[0] - 2, fine.n_cells)
        tx, ty, tz, sink = (np.zeros(shape, np.float32) for _ in range(4))
        arguments = (tx, ty, tz, sink, fine.tx, fine.ty, fine.tz, fine.sink, fine.main, _COARSE_WEIGHT)
        self._bands.run(kernels.coarsen, arguments, is_active.shape[0] - 2, fine.n_cells)
        place = np.unravel_index(fine.links.cell, fine.tx.shape)
        cell = np.ravel_multi_index(tuple((index + 1) // 2 for index in place), is_active.shape)
        links = NodeLinks(cell.astype(np.int64), fine.links.node, fine.links.transmissibility)
        return Level(tx, ty, tz, sink, row_spans(is_active), links)

    def _factor_coarsest(self) -> Callable[[Floats], Floats]:
        level, cells = self.levels[-1], self._coarse_cells
        n = cells.size
        number = np.full(level.tx.size, -1, np.int64)
        number[cells] = np.arange(n)
        matrix = np.zeros((n + self._n_nodes, n + self._n_nodes))
        steps = (level.tx.shape[1] * level.tx.shape[2], level.tx.shape[2], 1)
        diagonal = level.sink.reshape(-1)[cells].astype(float)
        for values, stride in zip((level.tx, level.ty, level.tz), steps, strict=True):
            flat = values.reshape(-1)
            near = cells[flat[cells] > 0.0]
            a, b, t = number[near], number[near + stride], flat[near].astype(float)
            matrix[a, b] -= t
            matrix[b, a] -= t
            np.add.at(diagonal, a, t)
            np.add.at(diagonal, b, t)
        matrix[np.arange(n), np.arange(n)] += diagonal
        links = level.links
        np.add.at(matrix, (number[links.cell], n + links.node), -links.transmissibility)
        np.add.at(matrix, (n + links.node, number[links.cell]), -links.transmissibility)
        matrix[n:, n:] += self._node_matrix.toarray()
        whole = np.arange(n + self._n_nodes)
        matrix[whole, whole] *= 1.0 + 1e-6  # single-precision sums may lack this much
        factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
        return lambda b: cho_solve(factor, b, check_finite=False)

    def cycle(self, b_nodes: Floats) -> tuple[Singles, Floats]:
        """One K-cycle for the right-hand side in ``levels[0].b`` (overwritten) and ``b_nodes``.

        Returns
        -------
        cells : ghosted float32 array
            Borrowed: valid until the next cycle.
        nodes : (m,) float array
        """
        return self._visit(0, b_nodes)

    def _visit(self, depth: int, b_nodes: Floats) -> tuple[Singles, Floats]:
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            return self._solve_coarsest(level, b_nodes)
        x, b, bands = level.x, level.b, self._bands
        size = (level.n_planes, level.n_cells)
        grid = (level.tx, level.ty, level.tz)
        x_nodes, coarse_nodes = b_nodes, b_nodes
        if self._n_nodes:
            x_nodes = self._node_solve(b_nodes)  # type: ignore[misc]
            self._send_from_nodes(level, x_nodes)
        bands.run(kernels.relax_rows, (x, b, *grid, level.pivot, level.spans, True, 0), *size)
        bands.run(kernels.relax_rows, (x, b, *grid, level.pivot, level.spans, False, 1), *size)
        if self._n_nodes:
            coarse_nodes = self._gather_at_nodes(level)
        coarse = self.levels[depth + 1]
        bands.run(kernels.leave_first_colour, (level.r, x, level.tx, level.ty, level.spans), *size)
        arguments = (coarse.b, level.r, *level.weights, level.spans)
        bands.run(kernels.restrict_first_colour, arguments, coarse.n_planes, level.n_cells)
        correction, e_nodes = self._correct(depth + 1, coarse_nodes)
        bands.run(kernels.add_coarse, (x, correction, *level.weights, level.spans), *size)
        if self._n_nodes:
            self._send_from_nodes(level, e_nodes)
        for colour in (1, 0):
            bands.run(kernels.relax_rows, (x, b, *grid, level.pivot, level.spans, False, colour), *size)
        if self._n_nodes:
            x_nodes = self._node_solve(b_nodes + self._gather_at_nodes(level))  # type: ignore[misc]
        return x, x_nodes

    def _correct(self, depth: int, b_nodes: Floats) -> tuple[Singles, Floats]:
        """Coarse correction: up to two steps of conjugate gradients around visits (K-cycle, [3])."""
        level = self.levels[depth]
        if depth == len(self.levels) - 1 or depth > _K_LEVELS:
            return self._visit(depth, b_nodes)
        b = level.b.copy()
        cells, nodes = self._visit(depth, b_nodes)
        first, first_nodes = cells.copy(), nodes
        image, image_nodes, rho = self._apply(level, first, first_nodes)
        alpha = float(np.vdot(first, b)) + float(first_nodes @ b_nodes)
        if not rho > 0.0:
            return first, first_nodes
        size = float(np.vdot(b, b)) + float(b_nodes @ b_nodes)
        b -= np.float32(alpha / rho) * image
        b_nodes = b_nodes - alpha / rho * image_nodes
        if float(np.vdot(b, b)) + float(b_nodes @ b_nodes) <= _GOOD_ENOUGH**2 * size:
            return np.float32(alpha / rho) * first, alpha / rho * first_nodes
        level.b[...] = b
        second, second_nodes = self._visit(depth, b_nodes)
        gamma = float(np.vdot(second, image)) + float(second_nodes @ image_nodes)
        _, _, beta = self._apply(level, second, second_nodes)
        alpha_2 = float(np.vdot(second, b)) + float(second_nodes @ b_nodes)
        rho_2 = beta - gamma**2 / rho
        if not rho_2 > 0.0:
            return np.float32(alpha / rho) * first, alpha / rho * first_nodes
        share, share_2 = alpha / rho - gamma * alpha_2 / (rho * rho_2), alpha_2 / rho_2
        cells = np.float32(share) * first + np.float32(share_2) * second
        return cells, share * first_nodes + share_2 * second_nodes

    def _apply(self, level: Level, x: Singles, x_nodes: Floats) -> tuple[Singles, Floats, float]:
        """``A x`` on a level over cells and nodes, and ``x · A x``."""
        out = np.zeros_like(x)
        arguments = (out, x, level.tx, level.ty, level.tz, level.sink, level.spans)
        product = self._bands.run(kernels.apply_coarse, arguments, level.n_planes, level.n_cells)
        if not self._n_nodes:
            return out, x_nodes, product
        links = level.links
        at_cells = links.transmissibility * x_nodes[links.node]
        np.subtract.at(out.reshape(-1), links.cell, at_cells.astype(np.float32))
        near = x.reshape(-1)[links.cell].astype(float)
        back = np.bincount(links.node, links.transmissibility * near, self._n_nodes)
        out_nodes = self._node_matrix @ x_nodes - back
        return out, out_nodes, product + float(x_nodes @ out_nodes) - float(at_cells @ near)

    @staticmethod
    def _send_from_nodes(level: Level, x_nodes: Floats) -> None:
        links = level.links
        sent = (links.transmissibility * x_nodes[links.node]).astype(np.float32)
        np.add.at(level.b.reshape(-1), links.cell, sent)

    def _gather_at_nodes(self, level: Level) -> Floats:
        links = level.links
        received = links.transmissibility * level.x.reshape(-1)[links.cell]
        gathered: Floats = np.bincount(links.node, received, self._n_nodes).astype(float)
        return gathered

    def _solve_coarsest(self, level: Level, b_nodes: Floats) -> tuple[Singles, Floats]:
        cells = self._coarse_cells
        right = np.concatenate([level.b.reshape(-1)[cells].astype(float), b_nodes])
        solution = self._coarse_solve(right)
        level.x.reshape(-1)[cells] = solution[: cells.size]
        return level.x, solution[cells.size :]


def _coarse_mask(is_active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Blocks of 2 x 2 x 2 that hold an active cell, for ghosted masks."""
    inner = is_active[1:-1, 1:-1, 1:-1]
    padded = np.pad(inner, [(0, n % 2) for n in inner.shape])
    a, b, c = (n // 2 for n in padded.shape)
    blocks = padded.reshape(a, 2, b, 2, c, 2).any(axis=(1, 3, 5))
    return np.pad(blocks, 1)
