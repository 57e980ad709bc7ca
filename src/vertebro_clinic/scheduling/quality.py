"""How good a schedule is, counted the same way whoever made it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vertebro_clinic.scheduling.nouns import SLOT_MINUTES, Placement, Problem, Role

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Quality:
    """What a schedule is judged by."""

    cost: int
    """The weighted sum that the optimiser lowers; unit in :class:`~.nouns.Policy`."""
    unplaced: int
    waiting_hours: float
    """Mean hours from the earliest possible start to the start, weighted by urgency."""
    idle_minutes: int
    """Minutes in which an opened suite stands empty between its first and last treatment of an opening."""
    busiest_minutes: int
    least_busy_minutes: int
    """Treatment minutes of the radiologists with the most and the fewest."""
    bed_peaks: int
    """Sum over sites and days of the highest number of bays taken at once."""


def quality_of(problem: Problem, placements: Sequence[Placement]) -> Quality:
    """Judge a schedule; it is assumed to be possible (:func:`~.feasibility.conflicts`)."""
    policy = problem.policy
    requests = {request.name: request for request in problem.requests}
    placed = {placement.request for placement in placements}
    unplaced = [request for request in problem.requests if request.name not in placed]
    wait = site_cost = 0
    weights = 0
    for placement in placements:
        request = requests[placement.request]
        wait += request.urgency * (placement.start - request.earliest)
        weights += request.urgency
        site_cost += request.sites[problem.suite(placement.suite).site]
    idle = _idle_minutes(problem, placements)
    loads = _loads(problem, placements)
    beds = _bed_peaks(problem, placements)
    cost = (
        wait // SLOT_MINUTES
        + policy.site_weight * site_cost
        + policy.idle_weight * (idle // SLOT_MINUTES)
        + policy.fairness_weight * ((max(loads) - min(loads)) // SLOT_MINUTES)
        + policy.bed_peak_weight * beds
        + policy.unplaced_weight * sum(request.urgency for request in unplaced)
    )
    mean_wait = wait / weights / 60 if weights else 0.0
    return Quality(cost, len(unplaced), mean_wait, idle, max(loads), min(loads), beds)


def _idle_minutes(problem: Problem, placements: Sequence[Placement]) -> int:
    requests = {request.name: request for request in problem.requests}
    idle = 0
    for suite in problem.suites:
        for opens, closes in suite.opens:
            spans = sorted(
                (p.start, p.start + requests[p.request].suite_minutes)
                for p in placements
                if p.suite == suite.name and opens <= p.start < closes
            )
            if spans:
                idle += spans[-1][1] - spans[0][0] - sum(end - start for start, end in spans)
    return idle


def _loads(problem: Problem, placements: Sequence[Placement]) -> list[int]:
    loads = {shift.person: 0 for shift in problem.shifts if shift.role is Role.RADIOLOGIST}
    requests = {request.name: request for request in problem.requests}
    for placement in placements:
        person = placement.people[Role.RADIOLOGIST]
        loads[person] = loads.get(person, 0) + requests[placement.request].procedure_minutes
    return list(loads.values()) or [0]


def _bed_peaks(problem: Problem, placements: Sequence[Placement]) -> int:
    requests = {request.name: request for request in problem.requests}
    stays: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for placement in placements:
        span = requests[placement.request].recovery(placement.start)
        stays[problem.suite(placement.suite).site, placement.start // DAY_MINUTES].append(span)
    return sum(
        max(sum(begin <= start < end for begin, end in spans) for start, _ in spans)
        for spans in stays.values()
    )
