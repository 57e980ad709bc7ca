"""Filling a day, a week or a fortnight well, and saying how well."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ortools.sat.python import cp_model

from vertebro_clinic.scheduling.explain import what_binds
from vertebro_clinic.scheduling.first_come import first_come_first_served
from vertebro_clinic.scheduling.model import ScheduleModel
from vertebro_clinic.scheduling.nouns import SLOT_MINUTES, Placement, Problem, Request, Schedule
from vertebro_clinic.scheduling.occupancy import Occupancy
from vertebro_clinic.scheduling.quality import DAY_MINUTES, quality_of

WHOLE = 40
"""Up to so many free requests are solved as one model from the start; above, neighbourhoods are."""
NEIGHBOURHOOD = 14
"""Requests freed at once in a neighbourhood."""

Progress = Callable[[float, int], bool]
"""Called with the share done and the best cost; return False to stop and keep the best so far."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look."""

    seconds: float = 10.0
    workers: int = 2
    """Threads."""
    seed: int = 0
    progress: Progress | None = None


def optimise(problem: Problem, effort: Effort | None = None) -> Schedule:
    """Place every request, and place all of them well.

    A first schedule stands within moments, from urgency and length; then it is improved until the time
    is up or nothing better exists. Locked placements stay. The answer carries a bound: no schedule of
    this problem costs less.

    Examples
    --------
    >>> from vertebro_clinic.scheduling.examples import one_room
    >>> answer = optimise(one_room(requests=3), Effort(seconds=5, workers=1))
    >>> answer.status, sorted(p.start for p in answer.placements)
    ('optimal', [480, 570, 660])
    """
    effort = effort or Effort()
    begun = time.perf_counter()
    locked = tuple(placement for placement in problem.placed if placement.locked)
    first = _first_schedule(problem, locked)
    fixed = {placement.request for placement in locked}
    free = [request for request in problem.requests if request.name not in fixed]
    if len(free) <= WHOLE:
        found = _solve_whole(problem, free, locked, first, effort, begun)
    else:
        found = _solve_by_parts(problem, free, first, effort, begun)
    return finish(problem, found, begun)


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule that was found, before what is left out is explained."""

    placements: tuple[Placement, ...]
    bound: int
    proved: bool


def _first_schedule(problem: Problem, locked: Sequence[Placement]) -> Schedule:
    """The best of several orders of booking, each a fraction of a second."""
    bare = _with_placed(problem, locked)
    orders = (
        sorted(problem.requests, key=lambda r: (-r.urgency / r.suite_minutes, r.suite_minutes)),
        sorted(problem.requests, key=lambda r: (-r.urgency, r.suite_minutes)),
        sorted(problem.requests, key=lambda r: (len(r.sites), -r.suite_minutes)),
    )
    tried = [first_come_first_served(bare, [request.name for request in order]) for order in orders]
    if problem.placed and len(problem.placed) == len(problem.requests):
        cost = quality_of(problem, problem.placed).cost
        tried.append(Schedule(problem.placed, {}, cost, None, "first-come", 0.0))
    return min(tried, key=lambda schedule: schedule.cost)


def _with_placed(problem: Problem, placed: Sequence[Placement]) -> Problem:
    return replace(problem, placed=tuple(placed))


class _Watch(cp_model.CpSolverSolutionCallback):
    """Passes each better schedule's cost on, and stops the search when asked to."""

    def __init__(self, progress: Progress, begun: float, seconds: float) -> None:
        super().__init__()
        self._progress, self._begun, self._seconds = progress, begun, seconds

    def on_solution_callback(self) -> None:
        share = min(1.0, (time.perf_counter() - self._begun) / self._seconds)
        if not self._progress(share, int(self.objective_value)):
            self.stop_search()


def solve(
    model: ScheduleModel, effort: Effort, watch: cp_model.CpSolverSolutionCallback | None = None
) -> tuple[cp_model.CpSolver, bool, bool]:
    """Minimise the model's cost; the solver, whether it found a schedule, and whether that is proved best."""
    model.model.minimize(sum(model.cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(effort.seconds, 0.05)
    solver.parameters.num_workers = effort.workers
    solver.parameters.random_seed = effort.seed
    status = solver.solve(model.model, watch) if watch else solver.solve(model.model)
    return solver, status in (cp_model.OPTIMAL, cp_model.FEASIBLE), status == cp_model.OPTIMAL


def _solve_whole(
    problem: Problem,
    free: Sequence[Request],
    locked: tuple[Placement, ...],
    first: Schedule,
    effort: Effort,
    begun: float,
) -> Found:
    model = ScheduleModel(problem, free, locked)
    model.hint(first.placements)
    watch = _Watch(effort.progress, begun, effort.seconds) if effort.progress else None
    left = effort.seconds - (time.perf_counter() - begun)
    solver, found, proved = solve(model, replace(effort, seconds=left), watch)
    if not found:
        return Found(first.placements, lower_bound(problem), proved=False)
    placements = (*locked, *model.read(solver))
    bound = max(lower_bound(problem), int(solver.best_objective_bound))
    if quality_of(problem, placements).cost > first.cost:
        return Found(first.placements, bound, proved=False)
    return Found(placements, bound, proved)


def _solve_by_parts(
    problem: Problem,
    free: Sequence[Request],
    first: Schedule,
    effort: Effort,
    begun: float,
) -> Found:
    """Improve a schedule by freeing a few requests at a time: near in time and place, or those that wait."""
    rng = random.Random(effort.seed)  # noqa: S311 - a search, no secret
    best = {placement.request: placement for placement in first.placements}
    cost = first.cost
    while (left := effort.seconds - (time.perf_counter() - begun)) > 0.1:
        names = _neighbourhood(problem, best, free, rng)
        standing = [placement for name, placement in best.items() if name not in names]
        model = ScheduleModel(problem, [r for r in free if r.name in names], standing)
        model.hint([best[name] for name in names if name in best])
        part = replace(effort, seconds=min(left, 2.0), seed=rng.randrange(1 << 30))
        solver, found, _ = solve(model, part)
        if found:
            placements = [*standing, *model.read(solver)]
            new_cost = quality_of(problem, placements).cost
            if new_cost <= cost:
                best, cost = {p.request: p for p in placements}, new_cost
        if effort.progress and not effort.progress(min(1.0, 1.0 - left / effort.seconds), cost):
            break
    return Found(tuple(best.values()), lower_bound(problem), proved=False)


def _neighbourhood(
    problem: Problem, best: dict[str, Placement], free: Sequence[Request], rng: random.Random
) -> set[str]:
    unplaced = [request.name for request in free if request.name not in best]
    chosen = set(rng.sample(unplaced, min(4, len(unplaced))))
    seed = best.get(rng.choice(free).name)
    if seed is None:
        return chosen | {request.name for request in rng.sample(free, min(NEIGHBOURHOOD, len(free)))}
    site = problem.suite(seed.suite).site
    day = seed.start // DAY_MINUTES
    style = rng.random()

    def distance(request: Request) -> tuple[float, float]:
        placement = best.get(request.name)
        if placement is None:
            return 0.0, rng.random()
        apart = abs(placement.start // DAY_MINUTES - day)
        elsewhere = problem.suite(placement.suite).site != site
        if style < 0.4:
            return apart * 1.0 + 0.5 * elsewhere, rng.random()
        if style < 0.8:
            return apart + 100.0 * elsewhere, rng.random()
        late = (placement.start - request.earliest) * request.urgency
        return -float(late), rng.random()

    near = sorted(free, key=distance)
    return chosen | {request.name for request in near[: NEIGHBOURHOOD - len(chosen)]}


def lower_bound(problem: Problem) -> int:
    """What the requests would cost if each had everything to itself: no schedule can cost less."""
    empty = Occupancy(problem)
    policy = problem.policy
    total = 0
    for request in problem.requests:
        costs = [request.urgency * policy.unplaced_weight]
        for suite in problem.suites:
            mask = empty.starts(request, suite)
            if mask:
                start = (mask & -mask).bit_length() - 1
                wait = request.urgency * (start - request.earliest // SLOT_MINUTES)
                costs.append(wait + policy.site_weight * request.sites[suite.site])
        total += min(costs)
    return total


def finish(problem: Problem, found: Found, begun: float, moved: tuple[str, ...] = ()) -> Schedule:
    """The answer to give: in order of time, judged, and with the reason for each request left out."""
    placed = {placement.request for placement in found.placements}
    occupancy = Occupancy(problem, found.placements)
    unplaced = {
        request.name: what_binds(occupancy, request)
        for request in problem.requests
        if request.name not in placed
    }
    cost = quality_of(problem, found.placements).cost
    return Schedule(
        tuple(sorted(found.placements, key=lambda p: (p.start, p.suite))),
        unplaced,
        cost,
        cost if found.proved else min(found.bound, cost),
        "optimal" if found.proved else "feasible",
        time.perf_counter() - begun,
        moved,
    )
