"""The scheduling problem as a constraint model: some requests are free to move, all others stand.

What stands has already been taken out of every start's domain by :class:`~.occupancy.Occupancy`,
so the model holds only what the free requests do to each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from vertebro_clinic.scheduling.masks import bits
from vertebro_clinic.scheduling.nouns import (
    SLOT_MINUTES,
    Placement,
    Problem,
    Request,
    Role,
    Shift,
    Suite,
    whole_slots,
)
from vertebro_clinic.scheduling.occupancy import Occupancy
from vertebro_clinic.scheduling.quality import DAY_MINUTES


@dataclass(frozen=True, slots=True)
class _Room:
    """A request in one suite during one opening of it."""

    request: Request
    suite: Suite
    opening: int
    day: int
    chosen: cp_model.IntVar


class ScheduleModel:
    """A constraint model over the free requests; the others, in ``standing``, do not move."""

    def __init__(self, problem: Problem, free: Sequence[Request], standing: Sequence[Placement]) -> None:
        self.problem = problem
        self.free = free
        self.standing = standing
        self.model = cp_model.CpModel()
        self.occupancy = Occupancy(problem, standing)
        self.start: dict[str, cp_model.IntVar] = {}
        self.rooms: dict[str, list[_Room]] = {}
        self.people: dict[str, dict[tuple[Role, Shift], cp_model.IntVar]] = {}
        self.cost: list[cp_model.LinearExprT] = []
        for request in free:
            self._add_request(request)
        self._keep_suites_apart()
        self._keep_people_apart()
        self._keep_recovery()
        self._keep_equipment()
        self._even_out()

    def _add_request(self, request: Request) -> None:
        """Start, room and people of one request, and its own cost."""
        model, weight = self.model, self.problem.policy
        options = []
        for suite in self.problem.suites:
            mask = self.occupancy.starts(request, suite)
            for index, (opens, closes) in enumerate(suite.opens):
                starts = [s // SLOT_MINUTES for s in bits(mask) if opens <= s < closes]
                if starts:
                    options.append((suite, index, starts))
        domain = cp_model.Domain.from_values(sorted({s for _, _, starts in options for s in starts}) or [0])
        start = model.new_int_var_from_domain(domain, f"start {request.name}")
        rooms = []
        for suite, index, starts in options:
            chosen = model.new_bool_var(f"{request.name} in {suite.name} {index}")
            inside = cp_model.Domain.from_values(starts)
            model.add_linear_expression_in_domain(start, inside).only_enforce_if(chosen)
            rooms.append(_Room(request, suite, index, starts[0] * SLOT_MINUTES // DAY_MINUTES, chosen))
        left_out = model.new_bool_var(f"{request.name} left out")
        model.add_exactly_one([room.chosen for room in rooms] + [left_out])
        self.start[request.name], self.rooms[request.name] = start, rooms
        self._add_people(request)
        wait = model.new_int_var(0, whole_slots(self.problem.length), f"wait {request.name}")
        model.add(wait >= start - request.earliest // SLOT_MINUTES).only_enforce_if(left_out.negated())
        self.cost.append(request.urgency * wait)
        self.cost.append(request.urgency * weight.unplaced_weight * left_out)
        self.cost += [weight.site_weight * request.sites[room.suite.site] * room.chosen for room in rooms]

    def _add_people(self, request: Request) -> None:
        """One person in each role, on duty where and when the request is treated."""
        found: dict[tuple[Role, Shift], cp_model.IntVar] = {}
        by_place: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)
        for room in self.rooms[request.name]:
            by_place[room.suite.site, room.day].append(room.chosen)
        for role in Role:
            for site in sorted({site for site, _ in by_place}):
                staff: dict[int, list[cp_model.IntVar]] = defaultdict(list)
                for shift, mask in self.occupancy.people(request, site, role).items():
                    for day in sorted(
                        {s // DAY_MINUTES for s in bits(mask)} & {d for s, d in by_place if s == site}
                    ):
                        starts = [s // SLOT_MINUTES for s in bits(mask) if s // DAY_MINUTES == day]
                        chosen = self.model.new_bool_var(f"{request.name} by {shift.person} {day}")
                        self.model.add_linear_expression_in_domain(
                            self.start[request.name], cp_model.Domain.from_values(starts)
                        ).only_enforce_if(chosen)
                        staff[day].append(chosen)
                        found[role, shift] = chosen
                for (place, day), here in by_place.items():
                    if place == site:
                        self.model.add(sum(staff[day]) == sum(here))
        self.people[request.name] = found

    def _keep_suites_apart(self) -> None:
        intervals: dict[str, list[cp_model.IntervalVar]] = defaultdict(list)
        spans: dict[tuple[str, int], list[_Room]] = defaultdict(list)
        for rooms in self.rooms.values():
            for room in rooms:
                size = whole_slots(room.request.suite_minutes)
                begin = self.start[room.request.name]
                intervals[room.suite.name].append(
                    self.model.new_optional_fixed_size_interval_var(begin, size, room.chosen, "")
                )
                spans[room.suite.name, room.opening].append(room)
        for group in intervals.values():
            self.model.add_no_overlap(group)
        for (name, index), opened in spans.items():
            self._add_idle(self.problem.suite(name), index, opened)

    def _add_idle(self, suite: Suite, opening: int, rooms: Sequence[_Room]) -> None:
        """Slots in which the suite stands empty between its first and last treatment of an opening."""
        model, requests = self.model, self.occupancy.requests
        opens, closes = suite.opens[opening]
        fixed = [
            (p.start // SLOT_MINUTES, whole_slots(requests[p.request].suite_minutes))
            for p in self.standing
            if p.suite == suite.name and opens <= p.start < closes
        ]
        low, high = opens // SLOT_MINUTES, whole_slots(closes)
        first = model.new_int_var(low, min([high, *(s for s, _ in fixed)]), "")
        last = model.new_int_var(max([low, *(s + n for s, n in fixed)]), high, "")
        idle = model.new_int_var(0, high - low, "")
        for room in rooms:
            size = whole_slots(room.request.suite_minutes)
            model.add(first <= self.start[room.request.name]).only_enforce_if(room.chosen)
            model.add(last >= self.start[room.request.name] + size).only_enforce_if(room.chosen)
        busy = sum(whole_slots(room.request.suite_minutes) * room.chosen for room in rooms)
        model.add(idle >= last - first - busy - sum(n for _, n in fixed))
        self.cost.append(self.problem.policy.idle_weight * idle)

    def _keep_people_apart(self) -> None:
        intervals: dict[str, list[cp_model.IntervalVar]] = defaultdict(list)
        for request in self.free:
            for (role, shift), chosen in self.people[request.name].items():
                begin, end = request.busy(role, 0)
                offset, size = begin // SLOT_MINUTES, whole_slots(end - begin)
                intervals[shift.person].append(
                    self.model.new_optional_fixed_size_interval_var(
                        self.start[request.name] + offset, size, chosen, ""
                    )
                )
        for group in intervals.values():
            self.model.add_no_overlap(group)

    def _keep_recovery(self) -> None:
        """Bays of each site and day, at most what there is; the highest number taken costs."""
        places: dict[tuple[str, int], dict[str, list[cp_model.IntVar]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for rooms in self.rooms.values():
            for room in rooms:
                places[room.suite.site, room.day][room.request.name].append(room.chosen)
        for (site, day), groups in places.items():
            intervals = []
            for name, chosen in groups.items():
                request = self.occupancy.requests[name]
                here = chosen[0] if len(chosen) == 1 else self._any_of(chosen)
                offset = whole_slots(request.recovery(0)[0])
                size = whole_slots(request.recovery_minutes)
                intervals.append(
                    self.model.new_optional_fixed_size_interval_var(self.start[name] + offset, size, here, "")
                )
            spans = self._standing_spans(site, lambda request, start: request.recovery(start), day)
            intervals += [self.model.new_fixed_size_interval_var(s, n, "") for s, n in spans]
            if intervals:
                peak = self.model.new_int_var(0, self.problem.site(site).recovery_bays, "")
                self.model.add_cumulative(intervals, [1] * len(intervals), peak)
                self.cost.append(self.problem.policy.bed_peak_weight * peak)

    def _keep_equipment(self) -> None:
        for site in self.problem.sites:
            for kind, limit in site.equipment.items():
                intervals = []
                for request in self.free:
                    if kind not in request.equipment:
                        continue
                    chosen = [
                        room.chosen for room in self.rooms[request.name] if room.suite.site == site.name
                    ]
                    if chosen:
                        begin, end = request.busy(Role.RADIOLOGIST, 0)
                        intervals.append(
                            self.model.new_optional_fixed_size_interval_var(
                                self.start[request.name] + begin // SLOT_MINUTES,
                                whole_slots(end - begin),
                                self._any_of(chosen),
                                "",
                            )
                        )
                spans = self._standing_spans(
                    site.name, lambda r, start: r.busy(Role.RADIOLOGIST, start), None, kind
                )
                intervals += [self.model.new_fixed_size_interval_var(s, n, "") for s, n in spans]
                if intervals:
                    self.model.add_cumulative(intervals, [1] * len(intervals), limit)

    def _standing_spans(
        self, site: str, span: Callable[[Request, int], tuple[int, int]], day: int | None, kind: str = ""
    ) -> list[tuple[int, int]]:
        found = []
        for placement in self.standing:
            request = self.occupancy.requests[placement.request]
            if self.occupancy.suites[placement.suite].site != site or (
                kind and kind not in request.equipment
            ):
                continue
            if day is None or placement.start // DAY_MINUTES == day:
                begin, end = span(request, placement.start)
                found.append((begin // SLOT_MINUTES, whole_slots(end - begin)))
        return found

    def _any_of(self, literals: Sequence[cp_model.IntVar]) -> cp_model.IntVar:
        """A literal that is true where one of several exclusive ones is."""
        one = self.model.new_bool_var("")
        self.model.add(sum(literals) == one)
        return one

    def _even_out(self) -> None:
        """The radiologist with the most treatment time against the one with the least."""
        loads: dict[str, list[cp_model.LinearExprT]] = {
            shift.person: [0] for shift in self.problem.shifts if shift.role is Role.RADIOLOGIST
        }
        for placement in self.standing:
            slots = whole_slots(self.occupancy.requests[placement.request].procedure_minutes)
            loads.setdefault(placement.people[Role.RADIOLOGIST], [0]).append(slots)
        for request in self.free:
            for (role, shift), chosen in self.people[request.name].items():
                if role is Role.RADIOLOGIST:
                    loads[shift.person].append(whole_slots(request.procedure_minutes) * chosen)
        if not loads:
            return
        limit = whole_slots(self.problem.length)
        most, least = self.model.new_int_var(0, limit, ""), self.model.new_int_var(0, limit, "")
        for terms in loads.values():
            self.model.add(most >= sum(terms))
            self.model.add(least <= sum(terms))
        self.cost.append(self.problem.policy.fairness_weight * (most - least))

    def stay_near(self, old: Mapping[str, Placement]) -> None:
        """Make every change of time, room or radiologist cost, for a repair with the fewest moves."""
        for request in self.free:
            before = old.get(request.name)
            if before is None:
                continue
            same = self.model.new_bool_var("")
            rooms = [r.chosen for r in self.rooms[request.name] if r.suite.name == before.suite]
            doctors = [
                chosen
                for (role, shift), chosen in self.people[request.name].items()
                if role is Role.RADIOLOGIST and shift.person == before.people[Role.RADIOLOGIST]
            ]
            self.model.add(self.start[request.name] == before.start // SLOT_MINUTES).only_enforce_if(same)
            self.model.add(sum(rooms) == 1).only_enforce_if(same)
            self.model.add(sum(doctors) == 1).only_enforce_if(same)
            self.cost.append(self.problem.policy.move_weight * same.negated())

    def hint(self, placements: Sequence[Placement]) -> None:
        """Start the search from a schedule that is already possible."""
        known = {placement.request: placement for placement in placements}
        for request in self.free:
            placement = known.get(request.name)
            for room in self.rooms[request.name]:
                here = placement is not None and self._is_in(room, placement)
                self.model.add_hint(room.chosen, here)
            if placement is not None:
                self.model.add_hint(self.start[request.name], placement.start // SLOT_MINUTES)
                for (role, shift), chosen in self.people[request.name].items():
                    on_duty = shift.start <= placement.start < shift.end
                    site = self.problem.suite(placement.suite).site
                    self.model.add_hint(
                        chosen, placement.people[role] == shift.person and on_duty and shift.site == site
                    )

    @staticmethod
    def _is_in(room: _Room, placement: Placement) -> bool:
        opens, closes = room.suite.opens[room.opening]
        return room.suite.name == placement.suite and opens <= placement.start < closes

    def read(self, solver: cp_model.CpSolver) -> list[Placement]:
        """The placements of the free requests in a solution."""
        found = []
        for request in self.free:
            for room in self.rooms[request.name]:
                if solver.boolean_value(room.chosen):
                    people = {
                        role: shift.person
                        for (role, shift), chosen in self.people[request.name].items()
                        if solver.boolean_value(chosen)
                    }
                    start = solver.value(self.start[request.name]) * SLOT_MINUTES
                    found.append(Placement(request.name, room.suite.name, start, people))
        return found
