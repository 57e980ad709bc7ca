"""A day that went otherwise: the fewest moves that make it possible again."""

from __future__ import annotations

import time
from dataclasses import replace

from vertebro_clinic.scheduling.feasibility import conflicts
from vertebro_clinic.scheduling.model import ScheduleModel
from vertebro_clinic.scheduling.nouns import Placement, Problem, Request, Role, Schedule
from vertebro_clinic.scheduling.optimise import Effort, Found, finish, lower_bound, solve
from vertebro_clinic.scheduling.quality import DAY_MINUTES

AROUND = 24
"""At most so many bookings may move besides those that must."""


def repair(problem: Problem, effort: Effort | None = None) -> Schedule:
    """Make the placed schedule possible again after sickness, an emergency or a late case.

    What was placed and is still possible stays where it is unless moving it lets something else find
    a time; each move costs more than any other gain. Requests without a time are fitted in.

    Examples
    --------
    >>> from vertebro_clinic.scheduling.examples import one_room
    >>> from vertebro_clinic.scheduling import Closure, first_come_first_served
    >>> problem = one_room(requests=3)
    >>> booked = replace(problem, placed=first_come_first_served(problem).placements)
    >>> ill = replace(booked, closures=(Closure("suite 1", 570, 660),))
    >>> repair(ill, Effort(seconds=5, workers=1)).moved
    ('case 2',)
    """
    effort = effort or Effort(seconds=2.0)
    begun = time.perf_counter()
    before = {placement.request: placement for placement in problem.placed}
    free = _to_move(problem, before)
    names = {request.name for request in free}
    standing = [placement for placement in problem.placed if placement.request not in names]
    model = ScheduleModel(problem, free, standing)
    model.stay_near(before)
    left = effort.seconds - (time.perf_counter() - begun)
    solver, found, proved = solve(model, replace(effort, seconds=left))
    placements = (*standing, *(model.read(solver) if found else ()))
    moved = tuple(
        placement.request
        for placement in placements
        if placement.request in before and is_moved(before[placement.request], placement)
    )
    return finish(problem, Found(placements, lower_bound(problem), proved), begun, tuple(sorted(moved)))


def is_moved(before: Placement, after: Placement) -> bool:
    """Whether a person must be told: another time, room or radiologist."""
    same_doctor = before.people[Role.RADIOLOGIST] == after.people[Role.RADIOLOGIST]
    return not (before.start == after.start and before.suite == after.suite and same_doctor)


def _to_move(problem: Problem, before: dict[str, Placement]) -> list[Request]:
    """Requests that must find a time, and the unlocked bookings nearest to them that may make room."""
    broken = {
        name
        for conflict in conflicts(problem, problem.placed)
        for name in conflict.requests
        if name in before and not before[name].locked
    }
    must = [request for request in problem.requests if request.name in broken or request.name not in before]
    days = {before[name].start // DAY_MINUTES for name in broken} or {r.earliest // DAY_MINUTES for r in must}
    sites = {site for request in must for site in request.sites}
    may = [
        request
        for request in problem.requests
        if request.name in before and request.name not in broken and not before[request.name].locked
        if problem.suite(before[request.name].suite).site in sites
    ]
    may.sort(key=lambda r: min(abs(before[r.name].start // DAY_MINUTES - day) for day in days or {0}))
    return [*must, *may[:AROUND]] if must else []
