"""Conjugate gradients for the elasticity of a grid of bricks, and how they end.

References
----------
.. [1] Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., algorithm 9.1 (preconditioned
   conjugate gradients).
.. [2] G. H. Golub, Q. Ye, Inexact preconditioned conjugate gradient method with inner-outer
   iteration, SIAM J Sci Comput 21 (1999) 1305 (the share that a rounded preconditioner needs).
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.elasticity_conditions import NodeConditions
from vertebro.numerics.elasticity_layout import Layout, filled_tiles, inner, run_bands
from vertebro.numerics.elasticity_multigrid import Multigrid
from vertebro.progress import Progress
from vertebro.settings import setting, validate

Nodes = NDArray[np.float64]


def usable_threads() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ElasticityStatus(Enum):
    """How a solution ended: a sentence, and what to do."""

    CONVERGED = ("The displacements fulfil the equations to the wanted accuracy.", "")
    NOTHING_TO_DO = (
        "No load strains the body, so it stays as it is.",
        "Prescribe a load, and check that the body is in one piece.",
    )
    NOT_CONVERGED = (
        "The allowed iterations ended before the wanted accuracy was reached.",
        "Allow more iterations or accept a larger tolerance.",
    )
    STAGNATED = (
        "The iterations stopped getting nearer to the solution.",
        "Look for parts that hang on a single edge or corner and for a contrast of moduli above 10⁶.",
    )
    UNSUPPORTED = (
        "A force drives a piece that nothing holds in that direction.",
        "Hold that piece, take it away, or take its load away.",
    )
    NO_MATERIAL = ("No element has any stiffness.", "Check the mask and the density.")

    def __init__(self, sentence: str, remedy: str) -> None:
        self.sentence = sentence
        self.remedy = remedy

    @property
    def is_usable(self) -> bool:
        """True where the displacements may be used."""
        return self in (ElasticityStatus.CONVERGED, ElasticityStatus.NOTHING_TO_DO)


@dataclass(frozen=True, slots=True)
class ElasticitySettings:
    """How far and how to iterate."""

    tolerance: float = setting(
        1e-8,
        "Remaining imbalance of forces over the load's, in the Euclidean norm over all nodes.",
        lower=1e-13,
        upper=0.1,
        unit="1",
        source="assumed: reactions are then right to about 1e-9, far below what the moduli are known to",
    )
    max_iterations: int = setting(
        1000, "Iterations allowed.", lower=1, upper=100_000, source="assumed: ten to thirty are usual"
    )
    smoothing_degree: int = setting(
        3,
        "Degree of the smoothing polynomial before and after each coarser grid.",
        lower=1,
        upper=10,
        source="assumed: the fastest of 2 to 5 on vertebral bodies of 35 000 to 810 000 elements",
    )
    n_threads: int = setting(
        0, "Threads to work in; 0 takes all cores.", lower=0, upper=256, source="assumed: all cores"
    )

    def __post_init__(self) -> None:
        validate(self)


class Operator:
    """The stiffness of a body as a product, with its preconditioner and the fields of the iteration.

    Fields are in the layout of the kernels; ``solution`` is in float64.
    """

    def __init__(
        self,
        layout: Layout,
        constants: NDArray[np.float64],
        is_active: NDArray[np.bool_],
        conditions: NodeConditions,
        pool: ThreadPoolExecutor | None,
        degree: int = 3,
    ) -> None:
        from vertebro.numerics import elasticity_kernels as kernels  # noqa: PLC0415 - loads the compiler

        self.kernels = kernels
        self.layout = layout
        self.pool = pool
        self.multigrid = Multigrid(layout, constants, conditions.is_held, degree, pool)
        self.constants = layout.pack_elements(constants, np.float64)
        self.is_filled = filled_tiles(self.constants)
        self.conditions = conditions
        self.is_active = is_active
        self.solution = layout.zeros()

    def product(self, field: NDArray[np.float64], out: NDArray[np.float64], *, is_masked: bool) -> float:
        """``out = K field``, 0 at held displacements where masked; the inner product of both."""
        steps = self.layout.steps(np.float64)
        inverse = self.multigrid.finest.inverse_diagonal

        def work(first: int, stop: int) -> float:
            return float(
                self.kernels.product(
                    self.constants,
                    self.is_filled,
                    field,
                    inverse,
                    is_masked,
                    first,
                    stop,
                    self.layout.width,
                    steps,
                    out,
                )
            )

        return math.fsum(run_bands(self.pool, work, self.layout.bands()))

    def internal_forces(self) -> NDArray[np.float64]:
        """What the body's nodes resist with: K times the solution."""
        out = self.layout.zeros()
        self.product(self.solution, out, is_masked=False)
        return out


class ConjugateGradients:
    """Preconditioned conjugate gradients [1]_ with the flexible share of [2]_."""

    def __init__(self, operator: Operator, settings: ElasticitySettings, progress: Progress) -> None:
        self.operator = operator
        self.settings = settings
        self.progress = progress
        self.residuals: list[float] = []

    def run(self, guess: Nodes | None) -> ElasticityStatus:
        """Fill ``operator.solution``; say how it ended."""
        operator, layout = self.operator, self.operator.layout
        conditions = operator.conditions
        free = layout.pack(np.where(conditions.is_held | ~operator.is_active, 0.0, 1.0))
        force = layout.pack(conditions.force_n)
        held = layout.pack(np.where(conditions.is_held & operator.is_active, conditions.value_mm, 0.0))
        residual, image = layout.zeros(), layout.zeros()
        operator.product(held, image, is_masked=True)
        np.subtract(force * free, image, out=residual)
        load = math.sqrt(inner(residual, residual))
        operator.solution[:] = held
        if load == 0.0:
            return ElasticityStatus.NOTHING_TO_DO
        if guess is not None:
            operator.solution += layout.pack(guess) * free
            operator.product(operator.solution, image, is_masked=True)
            np.subtract(force * free, image, out=residual)
        return self.iterate(residual, image, load)

    def iterate(
        self, residual: NDArray[np.float64], image: NDArray[np.float64], load: float
    ) -> ElasticityStatus:
        """Add to ``operator.solution`` what removes ``residual``, to the tolerance of ``load``.

        ``residual`` and ``image`` are packed fields that are worked in.
        """
        operator = self.operator
        kernels, cycle = operator.kernels, operator.multigrid
        direction = operator.layout.zeros()
        flat = [a.reshape(-1) for a in (operator.solution, residual, direction, image)]
        target = cycle.finest.residual.reshape(-1)
        size = math.sqrt(inner(residual, residual))
        self.residuals.append(size / load)
        target[:] = residual.reshape(-1) / max(size, 1e-300)
        before, last_size = 0.0, size
        length = 0.0
        for iteration in range(self.settings.max_iterations):
            if size <= self.settings.tolerance * load:
                return ElasticityStatus.CONVERGED
            if self._is_stuck():
                return ElasticityStatus.STAGNATED
            ahead = cycle.cycle().reshape(-1)
            now, mixed = kernels.two_products(ahead, flat[1], flat[3])
            now, mixed = now * last_size, mixed * last_size
            # r_old = r + length · image, so that z·(r − r_old) = −length · z·image
            share = 0.0 if iteration == 0 else -length * mixed / before
            kernels.turn(flat[2], ahead, share, last_size)
            curvature = operator.product(direction, image, is_masked=True)
            if not (curvature > 0.0 and math.isfinite(curvature)):
                return ElasticityStatus.STAGNATED
            length = now / curvature
            before = now
            squared = kernels.advance(*flat, length, target, 1.0 / size)
            last_size, size = size, math.sqrt(squared)
            self.residuals.append(size / load)
            done = math.log(max(self.residuals[-1], 1e-300)) / math.log(self.settings.tolerance)
            self.progress(min(max(done, 0.0), 1.0), f"Iteration {iteration + 1}")
        reached = size <= self.settings.tolerance * load
        return ElasticityStatus.CONVERGED if reached else ElasticityStatus.NOT_CONVERGED

    def _is_stuck(self) -> bool:
        """True where the last three hundred iterations brought next to nothing."""
        history = self.residuals
        return len(history) > 400 and min(history[-300:]) > 0.8 * min(history[:-300])
