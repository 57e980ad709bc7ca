"""The next times to offer for one treatment, while a person is on the telephone."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro_clinic.scheduling.masks import bits
from vertebro_clinic.scheduling.nouns import Placement, Problem
from vertebro_clinic.scheduling.occupancy import Occupancy


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that fits, with the people who would do it."""

    placement: Placement
    site: str
    site_cost: int
    biplane: bool


def next_slots(problem: Problem, request: str, *, count: int = 6, per_day: int = 2) -> tuple[Slot, ...]:
    """The next times at which a request fits beside everything placed: at most ``per_day`` a day and site.

    Sites that cost the patient less come first where two times are equally early.

    Examples
    --------
    >>> from vertebro_clinic.scheduling.examples import one_room
    >>> [slot.placement.start for slot in next_slots(one_room(requests=1), "case 1", count=2)]
    [480, 495]
    """
    wanted = problem.request(request)
    occupancy = Occupancy(problem, [p for p in problem.placed if p.request != request])
    found = [
        (start, wanted.sites[suite.site], not suite.biplane, suite.name)
        for suite in problem.suites
        for start in bits(occupancy.starts(wanted, suite))
    ]
    offered: list[Slot] = []
    seen: dict[tuple[str, int], set[int]] = {}
    for start, cost, single_plane, name in sorted(found):
        suite = problem.suite(name)
        day = seen.setdefault((suite.site, start // (24 * 60)), set())
        if start in day or len(day) >= per_day:
            continue
        people = occupancy.first_free(wanted, suite, start)
        if people is None:
            continue
        day.add(start)
        offered.append(Slot(Placement(request, name, start, people), suite.site, cost, not single_plane))
        if len(offered) == count:
            break
    return tuple(offered)
