"""Geometric multigrid for grids of bricks: one V-cycle as a preconditioner.

Each coarser grid has twice the spacing; its constants are the mean of its eight children, nothing
counting as 0, which is what the exact coarse operator has for uniform strain. Smoothing is
Chebyshev's polynomial of the fourth kind in the diagonally scaled operator; its only number, an
upper bound of the spectrum, comes from the single brick and so is certain (a sum of bricks is
bounded by the worst brick). Held displacements are exact on the finest grid; on coarser ones, whose
nodes need not meet them, they become springs on the nodes around. The coarsest grid is solved
directly. The cycle works in float32; the iteration around it is in float64.

References
----------
.. [1] J. Lottes, Optimal polynomial smoothers for multigrid V-cycles, Numer Linear Algebra Appl 30
   (2023) e2518; fourth-kind Chebyshev without its optimised weights.
.. [2] C. Flaig, P. Arbenz, A scalable memory efficient multigrid solver for micro-finite element
   analyses based on CT images, Parallel Comput 37 (2011) 846.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from vertebro.numerics.elasticity_layout import Layout, filled_tiles, run_bands
from vertebro.numerics.elasticity_reference import brick_stiffness, dense_stiffness

Field = NDArray[np.float32]

COARSEST_UNKNOWNS = 90
"""A grid with fewer unknowns is solved directly. So few that the array library starts no threads for it:
waiting for those takes far longer than the work where other programs share the cores."""
SPRING = 2.0
"""Stiffness that stands for a held displacement on the next grid, over the node's own diagonal."""
N_SAMPLED_BRICKS = 400


@dataclass(frozen=True, eq=False)
class Level:
    """One grid of the hierarchy, laid out for the kernels, float32."""

    layout: Layout
    constants: Field
    is_filled: NDArray[np.bool_]
    inverse_diagonal: Field
    """0 where the displacement is held or nothing is there."""
    springs: Field
    """Empty on the finest grid."""
    step: Field
    following: Field
    residual: Field
    solution: Field


class Multigrid:
    """A V-cycle over a hierarchy of grids.

    Parameters
    ----------
    layout : Layout
    constants : (2 or 9, i, j, k) array, MPa
    is_held : (3, nodes) bool array
    degree : int
        Of the smoothing polynomial, before and after each coarser grid.
    pool : ThreadPoolExecutor or None
    """

    def __init__(
        self,
        layout: Layout,
        constants: NDArray[np.float64],
        is_held: NDArray[np.bool_],
        degree: int,
        pool: ThreadPoolExecutor | None,
    ) -> None:
        from vertebro.numerics import elasticity_kernels as kernels  # noqa: PLC0415 - loads the compiler

        self._kernels = kernels
        self._pool = pool
        self._degree = degree
        self.bound = spectrum_bound(constants, layout.spacing_mm)
        self.levels: list[Level] = []
        springs = np.zeros(())
        while True:
            diagonal = nodal_diagonal(constants, layout.spacing_mm)
            if springs.ndim:
                diagonal += springs
            inverse = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0.0)
            if not self.levels:
                inverse[is_held] = 0.0
            n_unknowns = 3 * int(np.prod(layout.n_nodes))
            if self.levels and (n_unknowns <= COARSEST_UNKNOWNS or max(layout.n_elements) <= 2):
                break
            self.levels.append(_level(layout, constants, inverse, springs))
            held = np.where(is_held, SPRING * diagonal, 0.0) if not springs.ndim else springs
            springs = _gathered(held)
            constants = _averaged(constants)
            layout = layout.coarser()
        self._coarsest = layout
        self._coarse_inverse = _inverse(constants, layout, springs)

    @property
    def finest(self) -> Level:
        """The grid that the solution lives on; its ``residual`` is the cycle's input."""
        return self.levels[0]

    def cycle(self) -> Field:
        """An approximate solution for what stands in ``finest.residual`` (which is used up)."""
        self._solve(0)
        return self.finest.solution

    def _solve(self, depth: int) -> None:
        level = self.levels[depth]
        size = np.float32(self.bound)
        first = np.float32(4.0 / 3.0) / size
        np.multiply(level.inverse_diagonal, level.residual, out=level.step)
        np.multiply(level.step, first, out=level.step)
        level.solution.fill(0.0)
        step, following = self._smooth(level, level.step, level.following, self._degree)
        correction = self._coarse_correction(depth)
        self._prolong(correction[0], correction[1], level, step)
        self._sweep(level, step, following, np.float32(0.0), first)
        step, following = self._smooth(level, following, step, self._degree - 1)
        np.add(level.solution, step, out=level.solution)

    def _smooth(self, level: Level, step: Field, following: Field, n_sweeps: int) -> tuple[Field, Field]:
        for n in range(1, n_sweeps + 1):
            a = np.float32((2 * n - 1) / (2 * n + 3))
            b = np.float32((8 * n + 4) / ((2 * n + 3) * self.bound))
            self._sweep(level, step, following, a, b)
            step, following = following, step
        return step, following

    def _sweep(self, level: Level, step: Field, following: Field, a: np.float32, b: np.float32) -> None:
        state = (step, following, level.residual, level.solution)
        layout = level.layout
        steps = layout.steps(np.float32)

        def work(first: int, stop: int) -> None:
            self._kernels.smooth(
                level.constants,
                level.is_filled,
                level.springs,
                level.inverse_diagonal,
                state,
                (a, b),
                first,
                stop,
                layout.width,
                steps,
            )

        run_bands(self._pool, work, layout.bands())

    def _coarse_correction(self, depth: int) -> tuple[Field, tuple[int, int, int]]:
        """Solution on the next grid for the residual of this one, and its number of nodes."""
        level = self.levels[depth]
        is_last = depth + 1 == len(self.levels)
        coarse = self._coarsest if is_last else self.levels[depth + 1].layout
        target = coarse.zeros(np.float32) if is_last else self.levels[depth + 1].residual

        def work(first: int, stop: int) -> None:
            self._kernels.restrict(level.residual, level.layout.n_nodes, first, stop, coarse.n_nodes, target)

        bands = coarse.bands() if depth else _bands_of(coarse)
        run_bands(self._pool, work, bands)
        if not is_last:
            self._solve(depth + 1)
            return self.levels[depth + 1].solution, coarse.n_nodes
        n = coarse.n_nodes[1] * coarse.n_nodes[2]
        load = target[:, :, :n].ravel()
        target[:, :, :n] = (self._coarse_inverse @ load).reshape(coarse.n_nodes[0], 3, n)
        return target, coarse.n_nodes

    def _prolong(self, coarse: Field, n_coarse: tuple[int, int, int], level: Level, out: Field) -> None:
        def work(first: int, stop: int) -> None:
            self._kernels.prolong(
                coarse, n_coarse, level.inverse_diagonal, level.layout.n_nodes, first, stop, out
            )

        run_bands(self._pool, work, level.layout.bands())


def _bands_of(layout: Layout) -> list[tuple[int, int]]:
    """Two bands for the restriction from a large grid to a middling one."""
    n = layout.n_nodes[0]
    return [(0, n // 2), (n // 2, n)] if n > 8 else [(0, n)]


def nodal_diagonal(
    constants: NDArray[np.float64], spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """(3, nodes): the diagonal of the stiffness, N/mm."""
    if len(constants) == 2:
        first, shear = constants
        axial = first + 2.0 * shear
        table = ((axial, shear, shear), (shear, axial, shear), (shear, shear, axial))
    else:
        c11, c22, c33, _, _, _, c44, c55, c66 = constants
        table = ((c11, c66, c55), (c66, c22, c44), (c55, c44, c33))
    volume = float(np.prod(spacing_mm))
    weights = [volume / 64.0 * 16.0 / 9.0 * (2.0 / h) ** 2 for h in spacing_mm]
    n_nodes = tuple(n + 1 for n in constants.shape[1:])
    diagonal = np.zeros((3, *n_nodes))
    for component, row in enumerate(table):
        own = row[0] * weights[0] + row[1] * weights[1] + row[2] * weights[2]
        sums = diagonal[component]
        half = np.zeros((own.shape[0], own.shape[1], own.shape[2] + 1))
        half[:, :, :-1] = own
        half[:, :, 1:] += own
        whole = np.zeros((own.shape[0], own.shape[1] + 1, own.shape[2] + 1))
        whole[:, :-1] = half
        whole[:, 1:] += half
        sums[:-1] = whole
        sums[1:] += whole
    return diagonal


def spectrum_bound(constants: NDArray[np.float64], spacing_mm: tuple[float, float, float]) -> float:
    """Upper bound of the eigenvalues of the diagonally scaled stiffness, from its bricks.

    Isotropic bricks are bounded by those with the least and the greatest λ/μ; of orthotropic ones a
    sample of at most 400 is looked at, with 2 % added.
    """
    there = constants[-1] > 0.0
    rows = constants[:, there].T
    if rows.size == 0:
        return 1.0
    if rows.shape[1] == 2:
        ratio = rows[:, 0] / rows[:, 1]
        ends = rows[[int(np.argmin(ratio)), int(np.argmax(ratio))]]
        first, shear = ends[:, 0], ends[:, 1]
        axial = first + 2.0 * shear
        chosen = np.stack([axial, axial, axial, first, first, first, shear, shear, shear], axis=1)
        margin = 1.0
    else:
        chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), N_SAMPLED_BRICKS)).astype(int)]
        chosen = np.unique(np.round(chosen / chosen[:, :1], 4), axis=0)
        margin = 1.02
    worst = 0.0
    for row in chosen:
        stiffness = brick_stiffness(row, spacing_mm)
        scale = 1.0 / np.sqrt(np.diag(stiffness))
        worst = max(worst, float(np.linalg.eigvalsh(stiffness * scale * scale[:, None])[-1]))
    return worst * margin


def _level(
    layout: Layout,
    constants: NDArray[np.float64],
    inverse: NDArray[np.float64],
    springs: NDArray[np.float64],
) -> Level:
    packed = layout.pack_elements(constants, np.float32)
    empty = np.zeros((0, 0, 0), np.float32)
    return Level(
        layout,
        packed,
        filled_tiles(packed),
        layout.pack(inverse, np.float32),
        layout.pack(springs, np.float32) if springs.ndim else empty,
        *(layout.zeros(np.float32) for _ in range(4)),
    )


def _averaged(constants: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the eight children, nothing beyond the edge counting as 0."""
    for axis in (1, 2, 3):
        n = constants.shape[axis]
        low = constants[(slice(None),) * axis + (slice(0, n, 2),)]
        high = constants[(slice(None),) * axis + (slice(1, n, 2),)]
        mean = 0.5 * low
        mean[(slice(None),) * axis + (slice(0, high.shape[axis]),)] += 0.5 * high
        constants = mean
    return constants


def _gathered(nodal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The transpose of trilinear interpolation, on ``(3, nodes)``."""
    for axis in (1, 2, 3):
        n = nodal.shape[axis]
        before = (slice(None),) * axis
        coarse = np.zeros((*nodal.shape[:axis], n // 2 + 1, *nodal.shape[axis + 1 :]))
        even, odd = nodal[(*before, slice(0, n, 2))], nodal[(*before, slice(1, n, 2))]
        coarse[(*before, slice(0, even.shape[axis]))] = even
        coarse[(*before, slice(0, odd.shape[axis]))] += 0.5 * odd
        coarse[(*before, slice(1, odd.shape[axis] + 1))] += 0.5 * odd
        nodal = coarse
    return nodal


def _inverse(constants: NDArray[np.float64], layout: Layout, springs: NDArray[np.float64]) -> Field:
    """Inverse of the coarsest stiffness, in the order of the kernels' rows."""
    stiffness = dense_stiffness(constants, layout.spacing_mm)
    stiffness[np.diag_indices_from(stiffness)] += np.moveaxis(springs, 0, 1).ravel()
    diagonal = np.diag(stiffness)
    there = diagonal > 0.0
    scale = 1.0 / np.sqrt(diagonal[there])
    scaled = stiffness[np.ix_(there, there)] * scale * scale[:, None]
    # a trace of the diagonal keeps what nothing resists (pieces that could still turn) from growing
    scaled[np.diag_indices_from(scaled)] += 1e-10
    factor = linalg.cholesky(scaled, lower=True, check_finite=False)
    root = linalg.solve_triangular(factor, np.diag(scale), lower=True, check_finite=False)
    inverse = np.zeros(stiffness.shape, np.float32)
    inverse[np.ix_(there, there)] = root.T @ root
    return inverse
