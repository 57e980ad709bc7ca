r"""Heat conduction with a curing source, loss to the blood and fixed surroundings.

Solves ``C ∂θ/∂t = −(L + W) θ + s`` on a box of cells, ``θ`` the temperature above that of the body: ``C``
heat capacities, ``L`` conduction between neighbours (conductances from harmonic means, so that heat
crosses from one material to another as through two slabs in a row), ``W`` losses to blood, to fluid and,
where asked for, through the box's faces. Time by the two-stage diagonally implicit Runge–Kutta scheme of
second order that damps every frequency (SDIRK2, γ = 1 − 1/√2; Alexander, SIAM J Numer Anal 1977;14:1006):
stable for steps of any length, and what leaves a cell enters its neighbour to the solver's tolerance.

The cement's reaction is carried along with its own heat felt at once (:func:`heat_kernels.cure`), so that a
cell that loses nothing follows the exact adiabatic path; the heat of the step then enters the conduction.
Units: K, s, J, mm; conductance W/K, capacity J/K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import SolverError
from vertebro.numerics import heat_kernels as kernels

Cells = NDArray[np.float64]
GAMMA = 1.0 - 1.0 / math.sqrt(2.0)
"""Coefficient of the scheme (Alexander 1977)."""
_MAX_ITERATIONS = 500


@dataclass(frozen=True, eq=False, slots=True)
class HeatProblem:
    """A box of cells and what they do with heat.

    Make one with :func:`heat_problem`.
    """

    capacity: Cells
    """(i, j, k): J/K of each cell."""
    loss: Cells
    """(i, j, k): W/K that each cell gives to surroundings held at body temperature."""
    conductances: tuple[Cells, Cells, Cells]
    """W/K through the face to the next cell along each axis; 0 at the last."""
    tolerance: float = 1e-6
    """Residual of each solve against its right side."""

    def operator(self, theta: Cells) -> Cells:
        """``(L + W) θ``: net heat that leaves each cell, W."""
        out = np.empty_like(theta)
        nothing = np.zeros_like(theta)
        kernels.apply_heat_operator(*self.conductances, self.loss, nothing, theta, 1.0, out)
        return out


def heat_problem(
    conductivity_w_mk: Cells,
    heat_capacity_j_cm3k: Cells,
    loss_w_m3k: Cells,
    spacing_mm: tuple[float, float, float],
    *,
    faces_held: bool = False,
) -> HeatProblem:
    """Set up conduction on a box of cells.

    Parameters
    ----------
    conductivity_w_mk, heat_capacity_j_cm3k : (i, j, k) float64 array, > 0
    loss_w_m3k : (i, j, k) float64 array, ≥ 0
        Loss to blood or fluid at body temperature.
    spacing_mm : (3,)
        Cell size.
    faces_held : bool
        Whether the box's faces are at body temperature; insulated if not.

    Returns
    -------
    HeatProblem

    Examples
    --------
    >>> one = np.ones((3, 3, 3))
    >>> problem = heat_problem(0.5 * one, 3.0 * one, 0.0 * one, (1.0, 1.0, 1.0))
    >>> float(problem.operator(one).sum())
    0.0
    """
    volume_mm3 = spacing_mm[0] * spacing_mm[1] * spacing_mm[2]
    loss = loss_w_m3k * 1e-9 * volume_mm3
    conductances = []
    for axis in range(3):
        area_over_length = volume_mm3 / spacing_mm[axis] ** 2 * 1e-3  # W/(m·K) · mm²/mm = 1e-3 W/K
        here = np.moveaxis(conductivity_w_mk, axis, 0)
        faces = np.zeros_like(here)
        faces[:-1] = 2.0 * here[:-1] * here[1:] / (here[:-1] + here[1:]) * area_over_length
        conductances.append(np.ascontiguousarray(np.moveaxis(faces, 0, axis)))
        if faces_held:
            edge = np.moveaxis(loss, axis, 0)
            edge[0] += 2.0 * here[0] * area_over_length
            edge[-1] += 2.0 * here[-1] * area_over_length
    capacity = np.ascontiguousarray(heat_capacity_j_cm3k * 1e-3 * volume_mm3)
    return HeatProblem(
        capacity, np.ascontiguousarray(loss), (conductances[0], conductances[1], conductances[2])
    )


@dataclass(eq=False, slots=True)
class HeatStepper:
    """Carries temperatures forward; keeps what one step can lend the next."""

    problem: HeatProblem
    theta: Cells
    """Temperature above the body's, K; replaced by every step."""
    lost_j: float = 0.0
    """Heat given to the surroundings so far."""
    iterations: int = 0
    """Of the solver, so far."""
    _slopes: list[Cells] = field(default_factory=list)
    _step: float = 0.0
    _inverse: Cells | None = None

    def stored_j(self) -> float:
        """Heat in all cells above body temperature."""
        return float(np.sum(self.problem.capacity * self.theta))

    def step(self, source_w: Cells | None, dt_s: float) -> None:
        """One step of any length.

        Parameters
        ----------
        source_w : (i, j, k) array or None
            Heat set free in each cell, W, constant over the step.
        dt_s : float, > 0

        Raises
        ------
        SolverError
            If the solver does not reach its tolerance.
        """
        if not self._slopes:
            self._slopes = [np.zeros_like(self.theta), np.zeros_like(self.theta)]
        rate = -self.problem.operator(self.theta)
        if source_w is not None:
            rate += source_w
        first = self._solve(rate, self._slopes[0], dt_s)
        rate -= self.problem.operator((1.0 - GAMMA) * dt_s * first)
        second = self._solve(rate, self._slopes[1], dt_s)
        stages = (
            self.theta + GAMMA * dt_s * first,
            self.theta + dt_s * ((1 - GAMMA) * first + GAMMA * second),
        )
        self.lost_j += dt_s * float(
            (1.0 - GAMMA) * kernels.dot(self.problem.loss.ravel(), stages[0].ravel())
            + GAMMA * kernels.dot(self.problem.loss.ravel(), stages[1].ravel())
        )
        self.theta = stages[1]

    def _solve(self, rhs: Cells, guess: Cells, dt_s: float) -> Cells:
        problem, scale = self.problem, GAMMA * dt_s
        if self._inverse is None or self._step != dt_s:
            self._inverse, self._step = 1.0 / _diagonal(problem, scale), dt_s
        count = kernels.solve_heat_step(
            *problem.conductances,
            problem.loss,
            problem.capacity,
            scale,
            self._inverse,
            rhs,
            guess,
            problem.tolerance,
            _MAX_ITERATIONS,
        )
        if count < 0:
            raise SolverError(
                f"the heat of a step of {dt_s:g} s was not solved for in {_MAX_ITERATIONS} iterations; "
                "take shorter steps"
            )
        self.iterations += count
        return guess


def _diagonal(problem: HeatProblem, scale: float) -> Cells:
    """Diagonal of ``C + scale·(L + W)``."""
    total = problem.loss.copy()
    for axis, faces in enumerate(problem.conductances):
        total += faces
        shifted = np.moveaxis(total, axis, 0)
        shifted[1:] += np.moveaxis(faces, axis, 0)[:-1]
    return problem.capacity + scale * total
