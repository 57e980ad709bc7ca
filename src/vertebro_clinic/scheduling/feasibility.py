"""Whether a schedule is possible, judged interval by interval and by nothing that made it.

Slow and plain on purpose: it shares no code with the masks and the solver, so that it can be
believed when it says that they are right. It also answers a hand that drags a booking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vertebro_clinic.scheduling.nouns import Placement, Problem, Request, Role


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that cannot be."""

    kind: str
    """``suite``, ``person``, ``recovery``, ``equipment``, ``opening``, ``shift``, ``skill``, ``closure`` or
    ``request``."""
    resource: str
    requests: tuple[str, ...]
    words: str


def conflicts(problem: Problem, placements: Sequence[Placement]) -> tuple[Conflict, ...]:
    """Everything that makes a schedule impossible; empty where it is possible.

    Examples
    --------
    >>> from vertebro_clinic.scheduling.examples import one_room
    >>> problem = one_room(requests=2)
    >>> early = Placement("case 1", "suite 1", 480, {role: role.value for role in Role})
    >>> late = Placement("case 2", "suite 1", 510, {role: role.value for role in Role})
    >>> sorted({item.kind for item in conflicts(problem, [early, late])})
    ['person', 'suite']
    """
    requests = {request.name: request for request in problem.requests}
    found: list[Conflict] = []
    for placement in placements:
        found += _of_one(problem, requests[placement.request], placement)
    found += _twice(placements)
    found += _overlaps(requests, placements)
    found += _over_capacity(problem, requests, placements)
    return tuple(found)


def _of_one(problem: Problem, request: Request, placement: Placement) -> list[Conflict]:
    suite, start = problem.suite(placement.suite), placement.start
    out: list[Conflict] = []

    def say(kind: str, resource: str, words: str) -> None:
        out.append(Conflict(kind, resource, (request.name,), words))

    if suite.site not in request.sites:
        say("request", suite.site, f"{request.name} is not to be treated at {suite.site}.")
    if request.biplane_only and not suite.biplane:
        say("request", suite.name, f"{request.name} needs a biplane suite; {suite.name} has one plane.")
    if start < request.earliest or (request.latest is not None and start > request.latest):
        say("request", suite.name, f"{request.name} would begin outside the dates that suit it.")
    whole = (start, start + request.total_minutes)
    if request.windows and not _within(whole, request.windows):
        say(
            "request",
            suite.name,
            f"{request.name} would not fit the hours of the patient's driver or interpreter.",
        )
    room = (start, start + request.suite_minutes)
    if not _within(room, suite.opens):
        say("opening", suite.name, f"{suite.name} is not open for the whole time.")
    if not _within(request.recovery(start), problem.site(suite.site).recovery_opens):
        say("opening", suite.site, f"Recovery at {suite.site} is not open long enough.")
    out += _closed(problem, request, suite.name, room)
    for role in Role:
        person = placement.people.get(role)
        if person is None:
            say("person", role.value, f"{request.name} has no {role.value}.")
            continue
        out += _person(problem, request, role, person, suite.site, start)
    if len(set(placement.people.values())) < len(placement.people):
        say("person", "", f"{request.name} has one person in two roles.")
    return out


def _person(
    problem: Problem, request: Request, role: Role, person: str, site: str, start: int
) -> list[Conflict]:
    busy = request.busy(role, start)
    shifts = [s for s in problem.shifts if s.person == person and s.role is role and s.site == site]
    on_duty = [s for s in shifts if s.start <= busy[0] and busy[1] <= s.end]
    out = _closed(problem, request, person, busy)
    if not on_duty:
        out.append(
            Conflict(
                "shift", person, (request.name,), f"{person} is not on duty at {site} for the whole time."
            )
        )
    elif not any(request.skills(role) <= shift.skills for shift in on_duty):
        missing = ", ".join(sorted(request.skills(role) - on_duty[0].skills))
        out.append(
            Conflict("skill", person, (request.name,), f"{person} lacks a skill that is needed: {missing}.")
        )
    return out


def _closed(problem: Problem, request: Request, resource: str, span: tuple[int, int]) -> list[Conflict]:
    return [
        Conflict(
            "closure", resource, (request.name,), f"{resource} is not available during part of that time."
        )
        for closure in problem.closures
        if closure.resource == resource and _overlap(span, (closure.start, closure.end))
    ]


def _twice(placements: Sequence[Placement]) -> list[Conflict]:
    names = [placement.request for placement in placements]
    return [
        Conflict("request", name, (name,), f"{name} is placed {names.count(name)} times.")
        for name in sorted(set(names))
        if names.count(name) > 1
    ]


def _overlaps(requests: Mapping[str, Request], placements: Sequence[Placement]) -> list[Conflict]:
    taken: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
    for placement in placements:
        request = requests[placement.request]
        end = placement.start + request.suite_minutes
        taken["suite", placement.suite].append((placement.start, end, request.name))
        for role, person in placement.people.items():
            taken["person", person].append((*request.busy(role, placement.start), request.name))
    out = []
    for (kind, resource), spans in taken.items():
        spans.sort()
        for i, (_, end, name) in enumerate(spans):
            for later_start, _, other in spans[i + 1 :]:
                if later_start >= end:
                    break
                words = f"{resource} would be needed by {name} and {other} at the same time."
                out.append(Conflict(kind, resource, (name, other), words))
    return out


def _over_capacity(
    problem: Problem, requests: Mapping[str, Request], placements: Sequence[Placement]
) -> list[Conflict]:
    out = []
    for site in problem.sites:
        here = [p for p in placements if problem.suite(p.suite).site == site.name]
        beds = [(*requests[p.request].recovery(p.start), p.request) for p in here]
        out += _too_many("recovery", f"recovery at {site.name}", site.recovery_bays, beds)
        kinds = {kind for p in here for kind in requests[p.request].equipment}
        for kind in sorted(kinds):
            uses = [
                (*requests[p.request].busy(Role.RADIOLOGIST, p.start), p.request)
                for p in here
                if kind in requests[p.request].equipment
            ]
            out += _too_many("equipment", f"{kind} at {site.name}", site.equipment.get(kind, 0), uses)
    return out


def _too_many(kind: str, resource: str, limit: int, spans: Iterable[tuple[int, int, str]]) -> list[Conflict]:
    spans = list(spans)
    for start, _, name in spans:
        together = sorted(other for begin, end, other in spans if begin <= start < end)
        if len(together) > limit:
            words = f"{len(together)} at once in {resource}, where there is room for {limit}."
            return [Conflict(kind, resource, tuple(together) or (name,), words)]
    return []


def _within(span: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in spans)


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]
