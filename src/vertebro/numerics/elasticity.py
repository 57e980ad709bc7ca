"""Linear elasticity on a grid of bricks: displacement, reactions, energy.

Eight-node bricks with the full 2×2×2 rule, one material each (isotropic, or orthotropic along the
grid), nothing where the stiffness is 0. The equations are solved by conjugate gradients in float64,
preconditioned by one cycle of geometric multigrid (:mod:`vertebro.numerics.elasticity_multigrid`); the
stiffness is never assembled. Node (i, j, k) lies at ``(i, j, k)·spacing_mm``; nodal fields are ``(3,
i+1, j+1, k+1)``. mm, N, MPa, N·mm.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError, MismatchError, SolverError
from vertebro.numerics.elasticity_conditions import NodeConditions
from vertebro.numerics.elasticity_fields import centroid_strain, mean_energy_density, stress_of_strain
from vertebro.numerics.elasticity_layout import Layout, inner
from vertebro.numerics.elasticity_material import IsotropicMaterial, Material, OrthotropicMaterial
from vertebro.numerics.elasticity_solver import (
    ConjugateGradients,
    ElasticitySettings,
    ElasticityStatus,
    Operator,
    usable_threads,
)
from vertebro.numerics.elasticity_support import Support, find_support
from vertebro.progress import Progress, silent

__all__ = [
    "ElasticityProblem",
    "ElasticitySettings",
    "ElasticitySolution",
    "ElasticityStatus",
    "IsotropicMaterial",
    "NodeConditions",
    "OrthotropicMaterial",
    "SolverStatistics",
    "element_strain",
    "element_stress_mpa",
    "resultant",
    "solve_elasticity",
    "strain_energy_density_mpa",
]

Nodes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ElasticityProblem:
    """A body of bricks and what is done to it.

    Parameters
    ----------
    material : IsotropicMaterial or OrthotropicMaterial
    spacing_mm : three floats
        Of the bricks along the grid's axes.
    conditions : NodeConditions

    Raises
    ------
    MismatchError
        If the conditions are for another grid (``elasticity.shape``).
    InputError
        If a spacing is not positive, or a prescribed value is not finite (``elasticity.conditions``).
    """

    material: Material
    spacing_mm: tuple[float, float, float]
    conditions: NodeConditions

    def __post_init__(self) -> None:
        spacing = tuple(float(h) for h in self.spacing_mm)
        object.__setattr__(self, "spacing_mm", spacing)
        wanted = (3, *(n + 1 for n in self.material.shape))
        if self.conditions.is_held.shape != wanted:
            raise MismatchError(
                "elasticity.shape",
                got=f"conditions for nodes of shape {self.conditions.is_held.shape}",
                needed=f"{wanted}: three components, elements + 1 along each axis",
                remedy="Start them with NodeConditions.free(material.shape).",
                fields=("conditions",),
            )
        is_finite = np.isfinite(self.conditions.value_mm).all() and np.isfinite(self.conditions.force_n).all()
        if not is_finite or not all(math.isfinite(h) and h > 0.0 for h in spacing):
            raise InputError(
                "elasticity.conditions",
                got="a spacing, prescribed displacement or force that is not a usable number",
                needed="finite numbers, and spacings above 0",
                remedy="Check where the load case comes from.",
                fields=("spacing_mm", "conditions"),
            )

    @property
    def layout(self) -> Layout:
        """The grid as the kernels lay it out."""
        return Layout(self.material.shape, self.spacing_mm)


@dataclass(frozen=True)
class SolverStatistics:
    """What a solution took."""

    n_elements: int
    n_unknowns: int
    n_levels: int
    n_iterations: int
    residuals: tuple[float, ...]
    """Relative imbalance, before the first iteration and after each."""
    n_pieces: int
    n_dropped_pieces: int
    n_loose_pieces: int
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, eq=False)
class ElasticitySolution:
    """The body under its load."""

    status: ElasticityStatus
    displacement_mm: Nodes
    """(3, nodes); 0 where there is no material."""
    reactions_n: Nodes
    """(3, nodes): force of what holds the body, where it holds it; else 0."""
    strain_energy_mj: float
    """In the whole body; N·mm."""
    dropped_elements: NDArray[np.bool_]
    """(i, j, k): elements of pieces that hang on nothing and carry nothing; left out."""
    spacing_mm: tuple[float, float, float]
    statistics: SolverStatistics


def solve_elasticity(
    problem: ElasticityProblem,
    settings: ElasticitySettings | None = None,
    start: ElasticitySolution | Nodes | None = None,
    *,
    progress: Progress = silent,
    throw: bool = False,
) -> ElasticitySolution:
    """Displacements and reactions of a body of bricks.

    Parameters
    ----------
    problem : ElasticityProblem
    settings : ElasticitySettings
    start : ElasticitySolution or (3, nodes) array, optional
        A guess, such as the solution of a similar problem.
    progress : Progress
        Told once for each iteration.
    throw : bool
        Raise where the solution may not be used.

    Raises
    ------
    SolverError
        With ``throw``, where the status is not usable.

    Examples
    --------
    A cube of 1000 MPa, 4 mm, pressed by 1 %: 16 mm² × 10 MPa.

    >>> material = IsotropicMaterial(np.full((4, 4, 4), 1000.0), 0.3)
    >>> bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    >>> conditions = (NodeConditions.free(material.shape).hold(bottom, (2,)).hold(top, (2,), -0.04)
    ...               .pin_rigid_motion(bottom))
    >>> solution = solve_elasticity(ElasticityProblem(material, (1.0, 1.0, 1.0), conditions))
    >>> force_n, moment_nmm = resultant(solution, top)
    >>> solution.status.name, round(float(force_n[2]), 6)
    ('CONVERGED', -160.0)
    """
    settings = settings or ElasticitySettings()
    clock = (time.perf_counter(), time.process_time())
    with ExitStack() as stack:
        n_threads = settings.n_threads or usable_threads()
        pool = stack.enter_context(ThreadPoolExecutor(n_threads)) if n_threads > 1 else None
        support, outcome = _solve(problem, settings, start, pool, progress)
    if throw and not outcome.status.is_usable:
        raise SolverError(f"{outcome.status.sentence} {outcome.status.remedy}")
    free = problem.material.active_nodes() & ~problem.conditions.is_held
    statistics = SolverStatistics(
        n_elements=int(problem.material.is_material.sum()),
        n_unknowns=int(free.sum()),
        n_levels=outcome.n_levels,
        n_iterations=max(len(outcome.residuals) - 1, 0),
        residuals=outcome.residuals,
        n_pieces=support.n_pieces,
        n_dropped_pieces=support.n_dropped_pieces,
        n_loose_pieces=support.n_loose_pieces,
        wall_s=time.perf_counter() - clock[0],
        cpu_s=time.process_time() - clock[1],
    )
    return ElasticitySolution(
        outcome.status,
        outcome.displacement,
        outcome.reactions,
        outcome.energy_mj,
        support.dropped,
        problem.spacing_mm,
        statistics,
    )


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What the iteration left."""

    status: ElasticityStatus
    displacement: Nodes
    reactions: Nodes
    energy_mj: float = 0.0
    residuals: tuple[float, ...] = ()
    n_levels: int = 0


def _solve(
    problem: ElasticityProblem,
    settings: ElasticitySettings,
    start: ElasticitySolution | Nodes | None,
    pool: ThreadPoolExecutor | None,
    progress: Progress,
) -> tuple[Support, _Outcome]:
    material = problem.material
    support = find_support(material.is_material, problem.spacing_mm, problem.conditions)
    if support.n_dropped_pieces:
        material = material.without(support.dropped)
    is_active = material.active_nodes()
    if not is_active.any() or support.is_pushed_away:
        zero = np.zeros_like(problem.conditions.value_mm)
        status = ElasticityStatus.UNSUPPORTED if is_active.any() else ElasticityStatus.NO_MATERIAL
        return support, _Outcome(status, zero, zero)
    conditions = replace(problem.conditions, is_held=problem.conditions.is_held | support.pins)
    operator = Operator(
        problem.layout, material.reduced(), is_active, conditions, pool, settings.smoothing_degree
    )
    guess = start.displacement_mm if isinstance(start, ElasticitySolution) else start
    solver = ConjugateGradients(operator, settings, progress)
    status = solver.run(guess)
    displacement = operator.layout.unpack(operator.solution)
    forces = operator.layout.unpack(operator.internal_forces())
    held = problem.conditions.is_held & is_active
    reactions = np.where(held, forces - problem.conditions.force_n, 0.0)
    energy = 0.5 * inner(displacement, forces)
    n_levels = len(operator.multigrid.levels) + 1
    return support, _Outcome(status, displacement, reactions, energy, tuple(solver.residuals), n_levels)


def resultant(
    solution: ElasticitySolution, nodes: NDArray[np.bool_], about_mm: tuple[float, float, float] = (0, 0, 0)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of the reactions at the chosen nodes, and their moment about a point.

    Parameters
    ----------
    solution : ElasticitySolution
    nodes : (i+1, j+1, k+1) bool array
    about_mm : three floats

    Returns
    -------
    force_n, moment_nmm : (3,) arrays
    """
    forces = solution.reactions_n[:, nodes].T
    arms = np.argwhere(nodes) * np.asarray(solution.spacing_mm) - np.asarray(about_mm, dtype=np.float64)
    return forces.sum(axis=0), np.cross(arms, forces).sum(axis=0)


def element_strain(problem: ElasticityProblem, displacement_mm: Nodes) -> NDArray[np.float64]:
    """(6, i, j, k): strain in the middle of every element; 0 where there is none."""
    strain = centroid_strain(displacement_mm, problem.spacing_mm)
    return np.where(problem.material.is_material, strain, 0.0)


def element_stress_mpa(problem: ElasticityProblem, displacement_mm: Nodes) -> NDArray[np.float64]:
    """(6, i, j, k): stress in the middle of every element, MPa."""
    strain = centroid_strain(displacement_mm, problem.spacing_mm)
    return stress_of_strain(problem.material.constants_mpa(), strain)


def strain_energy_density_mpa(problem: ElasticityProblem, displacement_mm: Nodes) -> NDArray[np.float64]:
    """(i, j, k): strain energy over volume of every element, MPa (= mJ/mm³)."""
    return mean_energy_density(problem.material, displacement_mm, problem.spacing_mm)
