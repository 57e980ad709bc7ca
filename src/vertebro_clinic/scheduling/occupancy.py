"""What is free at a moment: the one place where "can this treatment begin here?" is answered.

First-come booking, the offer of slots, the explanation of what binds and the optimiser's domains
all ask here; :mod:`.feasibility` checks the answers by other means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from vertebro_clinic.scheduling import masks
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


class Occupancy:
    """Free time of every resource while treatments are placed and taken out again.

    The only mutable thing here; nobody keeps one beyond a call.
    """

    def __init__(self, problem: Problem, placed: Iterable[Placement] = ()) -> None:
        self.problem = problem
        self.requests = {request.name: request for request in problem.requests}
        self.suites = {suite.name: suite for suite in problem.suites}
        self._all = (1 << whole_slots(problem.length)) - 1
        closed: dict[str, int] = defaultdict(int)
        for closure in problem.closures:
            closed[closure.resource] |= masks.touched_mask(closure.start, closure.end)
        self._suite_open = {
            suite.name: masks.spans_mask(suite.opens) & self._all & ~closed[suite.name]
            for suite in problem.suites
        }
        self.suite_free = dict(self._suite_open)
        self.shift_open = {
            shift: masks.span_mask(shift.start, shift.end) & self._all & ~closed[shift.person]
            for shift in problem.shifts
        }
        self.person_busy: dict[str, int] = defaultdict(int)
        self._recovery_open = {
            site.name: masks.spans_mask(site.recovery_opens) & self._all for site in problem.sites
        }
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._limits: dict[tuple[str, str], int] = {}
        for site in problem.sites:
            for kind, limit in (("", site.recovery_bays), *site.equipment.items()):
                self._counts[site.name, kind] = [0] * whole_slots(problem.length)
                self._limits[site.name, kind] = limit
        self._full: dict[tuple[str, str], int] = {
            key: 0 if limit > 0 else self._all for key, limit in self._limits.items()
        }
        self._shifts: dict[tuple[str, Role], list[Shift]] = defaultdict(list)
        for shift in problem.shifts:
            self._shifts[shift.site, shift.role].append(shift)
        self._grid = masks.grid_mask(problem.length, problem.policy.grid_minutes)
        for placement in placed:
            self.place(placement)

    def place(self, placement: Placement) -> None:
        """Take a treatment's time from everything it needs."""
        self._mark(placement, taken=True)

    def remove(self, placement: Placement) -> None:
        """Give it back."""
        self._mark(placement, taken=False)

    def _mark(self, placement: Placement, *, taken: bool) -> None:
        request, suite = self.requests[placement.request], self.suites[placement.suite]
        slots = masks.touched_mask(placement.start, placement.start + request.suite_minutes)
        if taken:
            self.suite_free[suite.name] &= ~slots
        else:
            self.suite_free[suite.name] |= slots & self._suite_open[suite.name]
        for role, person in placement.people.items():
            busy = masks.touched_mask(*request.busy(role, placement.start))
            self.person_busy[person] = (
                self.person_busy[person] | busy if taken else self.person_busy[person] & ~busy
            )
        self._count(suite.site, "", request.recovery(placement.start), taken)
        in_use = request.busy(Role.RADIOLOGIST, placement.start)
        for kind in request.equipment:
            self._count(suite.site, kind, in_use, taken)

    def _count(self, site: str, kind: str, span: tuple[int, int], taken: bool) -> None:
        key = (site, kind)
        if key not in self._counts:
            return
        counts, limit = self._counts[key], self._limits[key]
        for slot in range(max(span[0], 0) // SLOT_MINUTES, min(whole_slots(span[1]), len(counts))):
            counts[slot] += 1 if taken else -1
            bit = 1 << slot
            self._full[key] = self._full[key] | bit if counts[slot] >= limit else self._full[key] & ~bit

    def recovery_count(self, site: str) -> list[int]:
        """Bays taken at a site in each slot."""
        return self._counts[site, ""]

    def starts(self, request: Request, suite: Suite, *, without: frozenset[str] = frozenset()) -> int:
        """Mask of starts at which the treatment fits into the suite with everything it needs.

        ``without`` names conditions to leave out, to find what binds: ``"suite"``, a role,
        ``"recovery"``, ``"equipment"``, ``"dates"``.
        """
        if suite.site not in request.sites or (request.biplane_only and not suite.biplane):
            return 0
        found = self._grid
        opens = (self._suite_open if "suite" in without else self.suite_free)[suite.name]
        found &= masks.room_for(opens, whole_slots(request.suite_minutes))
        if "dates" not in without:
            found &= self._allowed(request)
        if "recovery" not in without:
            free = self._recovery_open[suite.site] & ~self._full[suite.site, ""]
            found &= self._fits(free, *request.recovery(0))
        if "equipment" not in without:
            for kind in request.equipment:
                full = self._full.get((suite.site, kind), self._all)
                found &= self._fits(self._all & ~full, *request.busy(Role.RADIOLOGIST, 0))
        for role in Role:
            if found and role.value not in without:
                anyone = 0
                for mask in self.people(request, suite.site, role).values():
                    anyone |= mask
                found &= anyone
        return found

    def people(self, request: Request, site: str, role: Role) -> Mapping[Shift, int]:
        """Mask of starts for each shift in which a person with the needed skills is free."""
        needed = request.skills(role)
        begin, end = request.busy(role, 0)
        found: dict[Shift, int] = {}
        for shift in self._shifts[site, role]:
            if needed <= shift.skills:
                mask = self._fits(self.shift_open[shift] & ~self.person_busy[shift.person], begin, end)
                if mask:
                    found[shift] = mask
        return found

    def first_free(self, request: Request, suite: Suite, start: int) -> dict[Role, str] | None:
        """A person for each role at a start: the one with the least to do so far; None if one lacks."""
        bit = 1 << (start // SLOT_MINUTES)
        chosen: dict[Role, str] = {}
        for role in Role:
            free = [
                shift.person for shift, mask in self.people(request, suite.site, role).items() if mask & bit
            ]
            free = [person for person in free if person not in chosen.values()]
            if not free:
                return None
            chosen[role] = min(free, key=lambda person: (self.person_busy[person].bit_count(), person))
        return chosen

    @staticmethod
    def _fits(free: int, begin: int, end: int) -> int:
        offset = begin // SLOT_MINUTES
        return masks.shifted_back(masks.room_for(free, whole_slots(end) - offset), offset)

    def _allowed(self, request: Request) -> int:
        latest = self.problem.length if request.latest is None else request.latest + SLOT_MINUTES
        allowed = masks.span_mask(request.earliest, latest)
        if request.windows:
            allowed &= masks.room_for(masks.spans_mask(request.windows), whole_slots(request.total_minutes))
        return allowed
