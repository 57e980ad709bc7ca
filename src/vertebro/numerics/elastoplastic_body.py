"""A body of bricks that can yield: its state, and balancing its forces at a given load and damage."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.elasticity import ElasticityProblem
from vertebro.numerics.elasticity_fields import centroid_strain
from vertebro.numerics.elasticity_layout import inner, run_bands
from vertebro.numerics.elasticity_material import IsotropicMaterial
from vertebro.numerics.elasticity_multigrid import Multigrid
from vertebro.numerics.elasticity_solver import (
    ConjugateGradients,
    ElasticitySettings,
    ElasticityStatus,
    Operator,
)
from vertebro.numerics.elasticity_support import find_support
from vertebro.numerics.elastoplastic_law import BrickLaw, PlasticMaterial, Response
from vertebro.progress import silent

Field = NDArray[np.float64]
SOFTEST = 0.03
"""Least share of the elastic stiffness that the preconditioner gives a yielding brick."""
SMOOTHING_DEGREE = 3


@dataclass(frozen=True, eq=False)
class State:
    """A balanced state of the body. Nodal fields in the layout of the kernels, the others by element."""

    factor: float
    displacement: Field
    forces: Field
    """Internal forces of all nodes."""
    plastic_strain: Field
    plastic_length: Field
    damage: Field
    """Of the stiffness, the share lost at the start included."""
    bending: Field
    """Share of its stiffness that a brick's bending and twisting meets, damage apart."""


class TangentOperator(Operator):
    """The product with the tangent of a body that has yielded."""

    tangent: Field

    def product(self, field: Field, out: Field, *, is_masked: bool) -> float:
        """``out = K_t field``; the inner product of both."""
        return yielded_product(self, self.tangent, field, out, is_masked=is_masked)


def yielded_product(operator: Operator, rows: Field, field: Field, out: Field, *, is_masked: bool) -> float:
    """Forces of bricks by tangent (12 rows) or given stress (8 rows), and their product with ``field``."""
    from vertebro.numerics import elastoplastic_kernels as kernels  # noqa: PLC0415 - loads the compiler

    layout = operator.layout
    steps = layout.steps(np.float64)
    inverse = operator.multigrid.finest.inverse_diagonal

    def work(first: int, stop: int) -> float:
        return float(
            kernels.yielded_forces(
                rows, operator.is_filled, field, inverse, is_masked, first, stop, layout.width, steps, out
            )
        )

    return math.fsum(run_bands(operator.pool, work, layout.bands()))


class YieldingBody:
    """A problem prepared for loading beyond its elastic limit."""

    def __init__(
        self,
        problem: ElasticityProblem,
        plastic: PlasticMaterial,
        lost: Field,
        dropped: NDArray[np.bool_],
        pool: ThreadPoolExecutor | None,
    ) -> None:
        material = problem.material.without(dropped)
        assert isinstance(material, IsotropicMaterial)
        self.problem, self.pool = problem, pool
        self.layout = problem.layout
        self.there = material.is_material
        self.elastic = material.lame_mpa()[:, self.there]
        self.lost = lost[self.there]
        shape = material.shape
        self.law = BrickLaw.of(
            material.young_mpa[self.there],
            np.broadcast_to(material.poisson, shape)[self.there],
            (
                np.broadcast_to(plastic.yield_strain_compression, shape)[self.there],
                np.broadcast_to(plastic.yield_strain_tension, shape)[self.there],
            ),
            plastic,
            float(np.prod(problem.spacing_mm)) ** (1.0 / 3.0),
        )
        pins = find_support(material.is_material, problem.spacing_mm, problem.conditions).pins
        conditions = replace(problem.conditions, is_held=problem.conditions.is_held | pins)
        self.operator = TangentOperator(
            self.layout,
            material.scaled(1.0 - np.where(self.there, lost, 0.0)).lame_mpa(),
            material.active_nodes(),
            conditions,
            pool,
            SMOOTHING_DEGREE,
        )
        is_held = conditions.is_held & self.operator.is_active
        self._held = self.layout.pack(is_held)
        self._free = self.layout.pack(self.operator.is_active & ~conditions.is_held)
        self._value = self.layout.pack(np.where(is_held, conditions.value_mm, 0.0))
        self._load = self.layout.pack(conditions.force_n) * self._free

    def initial_state(self) -> State:
        """Unloaded, not yielded."""
        n = int(self.there.sum())
        zero = self.layout.zeros()
        return State(0.0, zero, zero, np.zeros((6, n)), np.zeros(n), self.lost.copy(), np.ones(n))

    def damage_of(self, state: State) -> Field:
        """Damage that belongs to the plastic strain of a state."""
        return np.asarray(1.0 - (1.0 - self.lost) * (1.0 - self.law.damage(state.plastic_length)))

    def on_grid(self, values: Field) -> Field:
        """Element values ``(…, n)`` on the grid, 0 where there is no material."""
        grid = np.zeros((*values.shape[:-1], *self.there.shape))
        grid[..., self.there] = values
        return grid

    def balance(
        self, state: State, guess: State, limits: tuple[float, float, int]
    ) -> tuple[State | None, int]:
        """Newton's method from a guess, whose load factor, damage and bending shares are kept.

        Parameters
        ----------
        state : State
            Where plastic strain starts from.
        guess : State
            Where to start looking; its plastic strain is not used.
        limits : (tolerance, accuracy of each step, number of steps)

        Returns
        -------
        state : State or None
            None where the forces did not balance.
        n_steps : int
        """
        tolerance, accuracy, n_allowed = limits
        factor = guess.factor
        displacement = guess.displacement * self._free + factor * self._value
        response, forces = self._respond(displacement, state, guess)
        size, scale = self._imbalance(forces, factor)
        for n_steps in range(n_allowed):
            if size <= tolerance * scale:
                reached = replace(
                    guess,
                    displacement=displacement,
                    forces=forces,
                    plastic_strain=response.plastic_strain,
                    plastic_length=response.plastic_length,
                )
                return reached, n_steps
            step = self._newton_step(response, guess, forces, accuracy)
            if step is None:
                return None, n_steps
            found = None
            for length in (1.0, 0.5, 0.25):
                tried = displacement + length * step
                answer = self._respond(tried, state, guess)
                new_size, new_scale = self._imbalance(answer[1], factor)
                if found is None or new_size < found[0]:
                    found = (new_size, new_scale, tried, answer)
                if new_size < 0.9 * size:
                    break
            assert found is not None
            size, scale, displacement, (response, forces) = found
        return None, n_allowed

    def _imbalance(self, forces: Field, factor: float) -> tuple[float, float]:
        """Norm of the unbalanced forces, and of what holds and pushes the body."""
        left = (factor * self._load - forces) * self._free
        outer = math.hypot(_size(forces * self._held), factor * _size(self._load))
        return _size(left), outer

    def bending_of(self, state: State) -> Field:
        """Share that belongs to the strain of a state: its secant modulus over the elastic one."""
        strain = self._strain(state.displacement)
        kept = strain - state.plastic_strain
        return self.law.secant(strain, kept)

    def _strain(self, displacement: Field) -> Field:
        return centroid_strain(self.layout.unpack(displacement), self.problem.spacing_mm)[:, self.there]

    def _respond(self, displacement: Field, state: State, guess: State) -> tuple[Response, Field]:
        response = self.law.respond(self._strain(displacement), state.plastic_strain, state.plastic_length)
        kept = 1.0 - guess.damage
        rows = np.concatenate([self.elastic * (kept * guess.bending), 8.0 * kept * response.stress])
        packed = self.layout.pack_elements(self.on_grid(rows), np.float64)
        forces = self.layout.zeros()
        yielded_product(self.operator, packed, displacement, forces, is_masked=False)
        return response, forces

    def _newton_step(self, response: Response, guess: State, forces: Field, accuracy: float) -> Field | None:
        kept = 1.0 - guess.damage
        stiff = 2.0 * self.law.shear
        along = np.clip((2.0 * response.mu + response.both) / stiff, SOFTEST, 1.0)
        share = kept * np.where(response.yields, along, 1.0)
        scale = 64.0 / float(np.prod(self.problem.spacing_mm))
        rows = np.concatenate(
            [
                self.elastic * (kept * guess.bending),
                (kept * response.lam)[None],
                (kept * response.mu)[None],
                (kept * response.both)[None],
                (kept * response.mixed)[None],
                scale * response.direction,
            ]
        )
        operator = self.operator
        operator.tangent = self.layout.pack_elements(self.on_grid(rows), np.float64)
        operator.multigrid = Multigrid(
            self.layout,
            self.on_grid(self.elastic * share),
            operator.conditions.is_held,
            SMOOTHING_DEGREE,
            self.pool,
        )
        operator.solution[:] = 0.0
        residual = (guess.factor * self._load - forces) * self._free
        solver = ConjugateGradients(
            operator, ElasticitySettings(tolerance=min(accuracy, 0.1), max_iterations=400), silent
        )
        status = solver.iterate(residual, self.layout.zeros(), _size(residual))
        self.last_iterations = len(solver.residuals) - 1
        if status is ElasticityStatus.STAGNATED:
            return None
        return operator.solution.copy()


def _size(field: Field) -> float:
    return math.sqrt(inner(field, field))
