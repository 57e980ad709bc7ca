"""The nouns of scheduling: what can be booked, what is asked for, and what was placed.

Every time is a whole number of minutes from the horizon's start, and a multiple of five
(:data:`SLOT_MINUTES`): the finest step in which anything is booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SLOT_MINUTES = 5
"""The finest step of a schedule."""


class SchedulingError(ValueError):
    """A problem that cannot be read: says what was got, what is needed, what to do."""


def whole_slots(minutes: int) -> int:
    """Minutes as slots, rounded up.

    >>> whole_slots(60), whole_slots(61)
    (12, 13)
    """
    return -(-minutes // SLOT_MINUTES)


class Role(StrEnum):
    """The people a treatment needs at the same time."""

    RADIOLOGIST = "radiologist"
    NURSE = "nurse"
    TECHNOLOGIST = "technologist"


@dataclass(frozen=True, slots=True)
class Site:
    """A place with recovery bays and shared equipment."""

    name: str
    recovery_bays: int
    recovery_opens: tuple[tuple[int, int], ...]
    """When a patient may lie in recovery: (from, until), in order, not overlapping."""
    equipment: Mapping[str, int] = field(default_factory=dict)
    """How many of each kind can be in use at once, such as ``{"balloon_kit": 2}``."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A room with X-ray."""

    name: str
    site: str
    biplane: bool
    opens: tuple[tuple[int, int], ...]
    """When it can be used: (from, until), in order, not overlapping; closures are already taken out."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on duty at one site."""

    person: str
    role: Role
    site: str
    start: int
    end: int
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Closure:
    """A time in which a suite or a person cannot be used: leave, sickness, cleaning, an emergency."""

    resource: str
    """Name of a suite or a person."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Request:
    """A treatment that wants a time."""

    name: str
    sites: Mapping[str, int]
    """Sites that the patient accepts, each with the cost of going there (0 for the preferred one)."""
    setup_minutes: int
    """The suite, nurse and technologist are busy, the radiologist not yet."""
    procedure_minutes: int
    cleaning_minutes: int
    """The suite and technologist are still busy."""
    recovery_minutes: int
    earliest: int = 0
    """Start of set-up no earlier: lead time of held medicines, laboratory values, the driver's hours."""
    latest: int | None = None
    """Start of set-up no later."""
    windows: tuple[tuple[int, int], ...] = ()
    """If given, everything from set-up to the end of recovery lies within one of these: the driver's or
    interpreter's hours."""
    biplane_only: bool = False
    equipment: frozenset[str] = frozenset()
    radiologist_skills: frozenset[str] = frozenset()
    nurse_skills: frozenset[str] = frozenset()
    technologist_skills: frozenset[str] = frozenset()
    urgency: int = 1
    """Weight of each hour of waiting, at least 1; :meth:`Policy.urgency` makes it from the fracture's age."""

    def __post_init__(self) -> None:
        for name in ("setup", "procedure", "cleaning", "recovery"):
            minutes = getattr(self, f"{name}_minutes")
            if minutes < 0 or minutes % SLOT_MINUTES:
                raise SchedulingError(
                    f"{name}_minutes is {minutes}; needed is 0 or a multiple of {SLOT_MINUTES}. Round up."
                )
        if self.procedure_minutes == 0:
            raise SchedulingError("procedure_minutes is 0; a treatment takes time. Give its minutes.")
        if self.urgency < 1:
            raise SchedulingError(f"urgency is {self.urgency}; needed is a whole number of 1 or more.")

    @property
    def suite_minutes(self) -> int:
        """Minutes in which the suite is taken."""
        return self.setup_minutes + self.procedure_minutes + self.cleaning_minutes

    @property
    def total_minutes(self) -> int:
        """Minutes from set-up to the end of recovery."""
        return self.setup_minutes + self.procedure_minutes + self.recovery_minutes

    def skills(self, role: Role) -> frozenset[str]:
        """What the person in that role must be able to do."""
        return {
            Role.RADIOLOGIST: self.radiologist_skills,
            Role.NURSE: self.nurse_skills,
            Role.TECHNOLOGIST: self.technologist_skills,
        }[role]

    def busy(self, role: Role, start: int) -> tuple[int, int]:
        """From when until when the person in that role is busy, if set-up begins at ``start``."""
        ready = start + self.setup_minutes
        done = ready + self.procedure_minutes
        if role is Role.RADIOLOGIST:
            return ready, done
        if role is Role.NURSE:
            return start, done
        return start, done + self.cleaning_minutes

    def recovery(self, start: int) -> tuple[int, int]:
        """From when until when a recovery bay is taken."""
        done = start + self.setup_minutes + self.procedure_minutes
        return done, done + self.recovery_minutes


@dataclass(frozen=True, slots=True)
class Placement:
    """A treatment with its time, room and people."""

    request: str
    suite: str
    start: int
    """Start of set-up."""
    people: Mapping[Role, str]
    locked: bool = False
    """A locked placement is not moved by the optimiser."""

    def __post_init__(self) -> None:
        if self.start % SLOT_MINUTES:
            raise SchedulingError(f"start is {self.start}; needed is a multiple of {SLOT_MINUTES} minutes.")


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts as good, as weights. Every number is a choice of the site, not a fact.

    The unit of cost is five minutes' wait of a treatment of urgency 1.
    """

    grid_minutes: int = 15
    """Set-up begins on whole multiples of this."""
    idle_weight: int = 24
    """Cost of five minutes in which an opened suite stands empty between two treatments."""
    fairness_weight: int = 6
    """Cost of five minutes by which the busiest radiologist treats longer than the least busy."""
    bed_peak_weight: int = 200
    """Cost of each bay of a site's highest occupancy in a day."""
    site_weight: int = 100
    """Cost of each point of a request's cost of going to a site."""
    unplaced_weight: int = 100_000
    """Cost of a treatment left without a time, times its urgency."""
    move_weight: int = 20_000
    """In a repair: cost of a treatment whose time, room or radiologist changes."""

    def __post_init__(self) -> None:
        if self.grid_minutes not in (5, 10, 15, 20, 30, 60):
            raise SchedulingError(f"grid_minutes is {self.grid_minutes}; use 5, 10, 15, 20, 30 or 60.")
        for name in ("idle", "fairness", "bed_peak", "site", "unplaced", "move"):
            if getattr(self, f"{name}_weight") < 0:
                raise SchedulingError(f"{name}_weight is negative; a cost is 0 or more. Use 0 to ignore it.")

    @staticmethod
    def urgency(fracture_age_days: float | None, *, urgent: bool = False) -> int:
        """Weight of an hour's wait: newer fractures first, since treatment works best on them (S1.9).

        Up to 2 weeks 6, up to 6 weeks 4, up to 12 weeks 2, older or unknown 1; twice as much when urgent.
        Bands: acute < 6 weeks, subacute 6–12 weeks (Medicare LCD wording); the weights are assumed.

        >>> Policy.urgency(10), Policy.urgency(30), Policy.urgency(None, urgent=True)
        (6, 4, 2)
        """
        bands = ((14.0, 6), (42.0, 4), (84.0, 2))
        weight = 1
        if fracture_age_days is not None:
            weight = next((w for limit, w in bands if fracture_age_days <= limit), 1)
        return 2 * weight if urgent else weight


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything there is to place, and to place it in."""

    length: int
    """Minutes in the horizon."""
    sites: tuple[Site, ...]
    suites: tuple[Suite, ...]
    shifts: tuple[Shift, ...]
    requests: tuple[Request, ...]
    placed: tuple[Placement, ...] = ()
    """What stands already; locked placements stay."""
    closures: tuple[Closure, ...] = ()
    policy: Policy = field(default_factory=Policy)

    def site(self, name: str) -> Site:
        """The site of that name."""
        return next(site for site in self.sites if site.name == name)

    def suite(self, name: str) -> Suite:
        """The suite of that name."""
        return next(suite for suite in self.suites if suite.name == name)

    def request(self, name: str) -> Request:
        """The request of that name."""
        return next(request for request in self.requests if request.name == name)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The answer: what was placed, what was not and why, and how good it is proved to be."""

    placements: tuple[Placement, ...]
    unplaced: Mapping[str, str]
    """Name of a request without a time, and what binds, in words."""
    cost: int
    bound: int | None
    """No schedule of this problem can cost less than this; None where nothing was proved."""
    status: str
    """``"optimal"``, ``"feasible"`` or ``"first-come"``."""
    seconds: float
    moved: tuple[str, ...] = ()
    """In a repair: requests whose time, room or radiologist changed."""

    @property
    def gap_percent(self) -> float | None:
        """How far the cost may be from the best, as a share of the cost; None without a bound."""
        if self.bound is None:
            return None
        return 0.0 if self.cost == 0 else 100.0 * max(0, self.cost - self.bound) / self.cost
