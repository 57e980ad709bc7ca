"""Pressing a body of bricks beyond its elastic limit: the load–displacement curve and what breaks.

The law of :mod:`vertebro.numerics.elastoplastic_law` holds for the mean strain of every brick; the way
a brick bends and twists meets its present secant stiffness, so that the unyielded body is exactly that
of :func:`~vertebro.numerics.elasticity.solve_elasticity` and yielding does not lock. Each increment is
solved by Newton's method with the exact tangent of the plastic law, each Newton step by conjugate
gradients with the multigrid cycle. Damage is held while an increment is solved and renewed after it,
then the increment is solved again until damage settles or the allowed rounds end: so the tangent stays
positive and softening cannot make it diverge. Increments that do not converge are halved. mm, N, MPa.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError
from vertebro.numerics.elasticity import ElasticityProblem, ElasticitySettings, solve_elasticity
from vertebro.numerics.elasticity_material import IsotropicMaterial
from vertebro.numerics.elasticity_solver import usable_threads
from vertebro.numerics.elastoplastic_body import State, YieldingBody
from vertebro.numerics.elastoplastic_law import PlasticMaterial
from vertebro.progress import Progress, silent
from vertebro.settings import setting, validate

__all__ = [
    "LoadCurve",
    "NonlinearSettings",
    "PlasticMaterial",
    "StepStatus",
    "solve_load_path",
]


MOST_DAMAGE = 0.995
"""No guess of damage goes beyond."""


class StepStatus(Enum):
    """How an increment ended: a sentence, and what to do."""

    CONVERGED = ("The forces balance and damage has settled.", "")
    DAMAGE_LAGS = (
        "The forces balance, but damage still grew when the allowed rounds ended: it is a step behind.",
        "Take smaller steps where the exact course of softening matters.",
    )
    NOT_CONVERGED = (
        "The forces could not be balanced, even in the smallest increments; the curve ends here.",
        "Take smaller steps, more hardening or less softening.",
    )

    def __init__(self, sentence: str, remedy: str) -> None:
        self.sentence = sentence
        self.remedy = remedy

    @property
    def is_usable(self) -> bool:
        """True where the forces balance."""
        return self is not StepStatus.NOT_CONVERGED


@dataclass(frozen=True, slots=True)
class NonlinearSettings:
    """How increments are solved."""

    tolerance: float = setting(
        1e-4,
        "Remaining imbalance of forces over the reactions, in the Euclidean norm over all nodes.",
        lower=1e-10,
        upper=0.05,
        unit="1",
        source="assumed: well below the 2 % that the strength is wanted to",
    )
    max_newton: int = setting(
        15, "Newton steps allowed in an increment.", lower=2, upper=200, source="assumed: 2 to 6 are usual"
    )
    max_halvings: int = setting(
        5, "Times that an increment may be halved.", lower=0, upper=20, source="assumed: 1/32 of a step"
    )
    damage_change: float = setting(
        0.002,
        "Damage that may still grow when an increment is done.",
        lower=1e-6,
        upper=1.0,
        unit="1",
        source="assumed: changes the force by less than 0.2 %",
    )
    max_rounds: int = setting(
        6, "Times an increment is solved again with renewed damage.", lower=1, upper=100, source="assumed"
        ": a softening bar needs two or three"
    )  # fmt: skip
    linear_tolerance: float = setting(
        0.01, "Accuracy of each Newton step.", lower=1e-10, upper=0.3, unit="1",
        source="assumed: between few Newton steps and cheap ones",
    )  # fmt: skip
    n_threads: int = setting(
        0, "Threads to work in; 0 takes all cores.", lower=0, upper=256, source="assumed: all cores"
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, eq=False)
class LoadCurve:
    """What the body did while the load grew, one entry for each step (the unloaded state is not one)."""

    factor: NDArray[np.float64]
    """(n,): share of the prescribed displacements and forces."""
    displacement_mm: NDArray[np.float64]
    """(n, 3): mean displacement of the monitored nodes."""
    force_n: NDArray[np.float64]
    """(n, 3): sum of what holds or pushes the monitored nodes."""
    status: tuple[StepStatus, ...]
    dissipated_share: NDArray[np.float64]
    """(n,): share of the elements that have yielded so far."""
    n_newton: tuple[int, ...]
    """Newton steps that each step took, all its rounds together."""
    final_displacement_mm: NDArray[np.float64]
    """(3, nodes) at the last step that converged."""
    damage: NDArray[np.float64]
    """(i, j, k): share of the stiffness lost then, with what was lost at the start."""
    plastic_length: NDArray[np.float64]
    """(i, j, k): plastic strain, as that of a bar in compression that has flowed as much."""
    plastic_strain: NDArray[np.float64]
    """(6, i, j, k)."""


def solve_load_path(  # noqa: PLR0913 - what, how, where to look, where from: each is needed
    problem: ElasticityProblem,
    plastic: PlasticMaterial,
    factors: Sequence[float],
    settings: NonlinearSettings | None = None,
    *,
    monitor: NDArray[np.bool_],
    damage: NDArray[np.float64] | None = None,
    progress: Progress = silent,
) -> LoadCurve:
    """Load a body step by step.

    Parameters
    ----------
    problem : ElasticityProblem
        Isotropic; its prescribed displacements and forces are those at factor 1.
    plastic : PlasticMaterial
    factors : sequence of float, rising, above 0
        Shares of the load to stop at.
    settings : NonlinearSettings
    monitor : (nodes) bool array
        Nodes whose force and displacement make the curve.
    damage : (i, j, k) array, 0 to below 1, optional
        Share of stiffness and strength that is lost before loading: a fractured bone.
    progress : Progress

    Raises
    ------
    InputError
        If the material is not isotropic (``elasticity.yield``), the factors do not rise
        (``elasticity.steps``), the damage is not within 0 to 1 (``elasticity.damage``), or the elastic
        problem has no solution (``elasticity.unsolved``).

    Examples
    --------
    A bar of 1000 MPa pressed to 2 %: it yields at 0.84 % and then hardens and softens.

    >>> from vertebro.numerics.elasticity import NodeConditions
    >>> material = IsotropicMaterial(np.full((1, 1, 4), 1000.0), 0.3)
    >>> bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    >>> conditions = (NodeConditions.free(material.shape).hold(bottom, (2,)).hold(top, (2,), -0.08)
    ...               .pin_rigid_motion(bottom))
    >>> problem = ElasticityProblem(material, (1.0, 1.0, 1.0), conditions)
    >>> curve = solve_load_path(problem, PlasticMaterial(), [0.25, 0.5, 1.0], monitor=top)
    >>> [round(float(force), 1) for force in -curve.force_n[:, 2]]
    [5.0, 8.4, 8.4]
    """
    settings = settings or NonlinearSettings()
    lost = _checked(problem, factors, damage)
    with ExitStack() as stack:
        n_threads = settings.n_threads or usable_threads()
        pool = stack.enter_context(ThreadPoolExecutor(n_threads)) if n_threads > 1 else None
        start = _elastic(problem, lost, settings)
        if start is None:
            return _empty(problem)
        elastic, dropped = start
        body = YieldingBody(problem, plastic, lost, dropped, pool)
        return _Path(body, settings, monitor, elastic, progress).follow(list(factors))


def _elastic(
    problem: ElasticityProblem, lost: NDArray[np.float64], settings: NonlinearSettings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Displacements at factor 1 of the body that does not yield, and the elements left out."""
    softened = replace(problem, material=problem.material.scaled(1.0 - lost))
    solution = solve_elasticity(softened, ElasticitySettings(tolerance=1e-6, n_threads=settings.n_threads))
    if not solution.status.is_usable:
        raise InputError(
            "elasticity.unsolved",
            got=f"a body without an elastic solution: {solution.status.sentence}",
            needed="a body that is held and has material",
            remedy=solution.status.remedy,
            fields=("problem",),
        )
    if not solution.displacement_mm.any():
        return None
    return solution.displacement_mm, solution.dropped_elements


class _Path:
    """Following the load, step by step, with halving."""

    def __init__(
        self,
        body: YieldingBody,
        settings: NonlinearSettings,
        monitor: NDArray[np.bool_],
        elastic: NDArray[np.float64],
        progress: Progress,
    ) -> None:
        self.body = body
        self.settings = settings
        self.monitor = monitor
        self.progress = progress
        self.elastic = body.layout.pack(elastic)
        self.damage_slope = np.zeros_like(body.lost)
        self.rows: list[tuple[float, NDArray[np.float64], NDArray[np.float64], StepStatus, float, int]] = []

    def follow(self, factors: list[float]) -> LoadCurve:
        """The curve through all factors, or to where it cannot go on."""
        state = self.body.initial_state()
        slope = self.elastic
        for index, factor in enumerate(factors):
            self.progress(index / len(factors), f"Loading: step {index + 1} of {len(factors)}")
            reached, slope, status, n_newton = self._step(state, slope, factor)
            if reached is None:
                self.rows.append((factor, np.full(3, np.nan), np.full(3, np.nan), status, np.nan, n_newton))
                break
            state = reached
            displacement = self.body.layout.unpack(state.displacement)[:, self.monitor].mean(axis=1)
            force = self.body.layout.unpack(state.forces)[:, self.monitor].sum(axis=1)
            share = float(np.mean(state.plastic_length > 0.0))
            self.rows.append((factor, displacement, force, status, share, n_newton))
        self.progress(1.0, "Loaded")
        return self._curve(state)

    def _step(
        self, state: State, slope: NDArray[np.float64], target: float
    ) -> tuple[State | None, NDArray[np.float64], StepStatus, int]:
        """From a state to a factor, in as many parts as it takes."""
        n_newton, worst, share = 0, StepStatus.CONVERGED, 1.0
        whole = target - state.factor
        while state.factor < target - 1e-12:
            factor = min(target, state.factor + share * whole)
            reached, status, steps = self._increment(state, slope, factor)
            n_newton += steps
            if reached is None:
                share *= 0.5
                if share < 0.75 * 0.5**self.settings.max_halvings:
                    return None, slope, StepStatus.NOT_CONVERGED, n_newton
                continue
            if status is StepStatus.DAMAGE_LAGS:
                worst = status
            slope = (reached.displacement - state.displacement) / (factor - state.factor)
            state = reached
        return state, slope, worst, n_newton

    def _increment(
        self, state: State, slope: NDArray[np.float64], factor: float
    ) -> tuple[State | None, StepStatus, int]:
        """One increment, damage and bending renewed until damage settles."""
        ahead = factor - state.factor
        settings, n_newton = self.settings, 0
        guess = replace(
            state,
            factor=factor,
            displacement=state.displacement + ahead * slope,
            damage=np.clip(state.damage + ahead * self.damage_slope, state.damage, MOST_DAMAGE),
        )
        limits = (settings.tolerance, settings.linear_tolerance, settings.max_newton)
        for _ in range(settings.max_rounds):
            trial, steps = self.body.balance(state, guess, limits)
            n_newton += steps
            if trial is None:
                return None, StepStatus.NOT_CONVERGED, n_newton
            damage = self.body.damage_of(trial)
            change = float(np.abs(damage - trial.damage).max(initial=0.0))
            guess = replace(trial, damage=damage, bending=self.body.bending_of(trial))
            if change <= settings.damage_change:
                break
        self.damage_slope = (guess.damage - state.damage) / ahead
        has_settled = change <= settings.damage_change
        return guess, StepStatus.CONVERGED if has_settled else StepStatus.DAMAGE_LAGS, n_newton

    def _curve(self, state: State) -> LoadCurve:
        columns = list(zip(*self.rows, strict=True))
        body = self.body
        return LoadCurve(
            factor=np.array(columns[0]),
            displacement_mm=np.array(columns[1]),
            force_n=np.array(columns[2]),
            status=tuple(columns[3]),
            dissipated_share=np.array(columns[4]),
            n_newton=tuple(columns[5]),
            final_displacement_mm=body.layout.unpack(state.displacement),
            damage=body.on_grid(state.damage),
            plastic_length=body.on_grid(state.plastic_length),
            plastic_strain=body.on_grid(state.plastic_strain),
        )


def _checked(
    problem: ElasticityProblem, factors: Sequence[float], damage: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    if not isinstance(problem.material, IsotropicMaterial):
        raise InputError(
            "elasticity.yield",
            got="an orthotropic material to yield",
            needed="an isotropic one",
            remedy="Use the isotropic form of the material for strength.",
            fields=("problem",),
        )
    values = np.asarray(factors, dtype=np.float64)
    if values.size == 0 or not (np.diff(values, prepend=0.0) > 0.0).all() or not math.isfinite(values[-1]):
        raise InputError(
            "elasticity.steps",
            got="load factors that do not rise from 0",
            needed="a rising list of factors above 0",
            remedy="Sort the steps and take doubles away.",
            fields=("factors",),
        )
    lost = np.zeros(problem.material.shape) if damage is None else np.asarray(damage, dtype=np.float64)
    if lost.shape != problem.material.shape or not ((lost >= 0.0) & (lost < 1.0)).all():
        raise InputError(
            "elasticity.damage",
            got="a damage field of another shape, or with values outside 0 to below 1",
            needed=f"shares from 0 to below 1 on the grid {problem.material.shape}",
            remedy="Take elements that are wholly broken out of the material instead.",
            fields=("damage",),
        )
    return lost


def _empty(problem: ElasticityProblem) -> LoadCurve:
    """The curve of a body that no load reaches."""
    shape = problem.material.shape
    none = np.zeros((0, 3))
    return LoadCurve(
        np.zeros(0),
        none,
        none,
        (),
        np.zeros(0),
        (),
        np.zeros(problem.conditions.value_mm.shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros((6, *shape)),
    )
