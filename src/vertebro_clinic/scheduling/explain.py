"""Why something does not fit: the conditions are left out one at a time, and what then helps is named."""

from __future__ import annotations

from itertools import combinations

from vertebro_clinic.scheduling.nouns import Request, Role
from vertebro_clinic.scheduling.occupancy import Occupancy

_WORDS = {
    "suite": "a free suite",
    Role.RADIOLOGIST.value: "a free radiologist with the skills",
    Role.NURSE.value: "a free nurse",
    Role.TECHNOLOGIST.value: "a free technologist",
    "recovery": "a free recovery bay",
    "equipment": "the equipment",
    "dates": "later or earlier dates",
}


def what_binds(occupancy: Occupancy, request: Request) -> str:
    """What keeps a request from a time, in words: the smallest set of conditions without which it fits.

    Examples
    --------
    >>> from vertebro_clinic.scheduling.examples import one_room
    >>> problem = one_room(requests=1, recovery_bays=0)
    >>> what_binds(Occupancy(problem), problem.requests[0])
    'It would fit with a free recovery bay.'
    """
    suites = [suite for suite in occupancy.problem.suites if suite.site in request.sites]
    if not suites:
        return "None of the sites that the patient accepts has a suite in this period."
    if request.biplane_only and not any(suite.biplane for suite in suites):
        return "It needs a biplane suite, and none of the accepted sites has one in this period."
    for size in range(1, len(_WORDS) + 1):
        helps = [
            leave_out
            for leave_out in combinations(_WORDS, size)
            if any(occupancy.starts(request, suite, without=frozenset(leave_out)) for suite in suites)
        ]
        if helps:
            return "It would fit with " + ", or with ".join(_together(names) for names in helps) + "."
    return "No opening in this period is as long as the treatment and its recovery."


def _together(names: tuple[str, ...]) -> str:
    words = [_WORDS[name] for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
