"""Each treatment in turn at the first time that fits: how a careful hand books, and what to beat."""

from __future__ import annotations

import time
from collections.abc import Sequence

from vertebro_clinic.scheduling.explain import what_binds
from vertebro_clinic.scheduling.masks import bits
from vertebro_clinic.scheduling.nouns import Placement, Problem, Request, Schedule
from vertebro_clinic.scheduling.occupancy import Occupancy
from vertebro_clinic.scheduling.quality import quality_of


def first_come_first_served(problem: Problem, order: Sequence[str] | None = None) -> Schedule:
    """Place every request not yet placed, in the order of arrival or a given one, at its first time.

    Examples
    --------
    >>> from vertebro_clinic.scheduling.examples import one_room
    >>> [p.start for p in first_come_first_served(one_room(requests=2)).placements]
    [480, 570]
    """
    begun = time.perf_counter()
    occupancy = Occupancy(problem, problem.placed)
    placements = list(problem.placed)
    done = {placement.request for placement in placements}
    names = [request.name for request in problem.requests] if order is None else list(order)
    unplaced: dict[str, str] = {}
    for name in names:
        if name in done:
            continue
        placement = earliest(occupancy, occupancy.requests[name])
        if placement is None:
            unplaced[name] = what_binds(occupancy, occupancy.requests[name])
        else:
            occupancy.place(placement)
            placements.append(placement)
    cost = quality_of(problem, placements).cost
    return Schedule(tuple(placements), unplaced, cost, None, "first-come", time.perf_counter() - begun)


def earliest(occupancy: Occupancy, request: Request) -> Placement | None:
    """The first time at which a request fits: the nearer site first where two are equally early."""
    candidates = []
    for suite in occupancy.problem.suites:
        mask = occupancy.starts(request, suite)
        if mask:
            lead = request.sites[suite.site] * occupancy.problem.policy.site_weight
            candidates.append((next(bits(mask)) // 5 * request.urgency + lead, suite.name, mask, suite))
    for _, _, mask, suite in sorted(candidates, key=lambda item: item[:2]):
        for start in bits(mask):
            people = occupancy.first_free(request, suite, start)
            if people is not None:
                return Placement(request.name, suite.name, start, people)
    return None
