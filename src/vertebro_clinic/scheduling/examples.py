"""Made-up problems for tests, examples and benchmarks: every one from a seed, none from a patient."""

from __future__ import annotations

import random

from vertebro_clinic.scheduling.nouns import Policy, Problem, Request, Role, Shift, Site, Suite

_DAY = 24 * 60


def one_room(*, requests: int, recovery_bays: int = 2, days: int = 1) -> Problem:
    """One suite, one person of each role, 8:00 to 16:00, and cases of one level."""
    opens = tuple((d * _DAY + 480, d * _DAY + 960) for d in range(days))
    stays = tuple((d * _DAY + 480, d * _DAY + 1140) for d in range(days))
    shifts = tuple(Shift(role.value, role, "A", start, end) for role in Role for start, end in opens)
    cases = tuple(Request(f"case {i + 1}", {"A": 0}, 15, 60, 15, 120) for i in range(requests))
    return Problem(
        days * _DAY, (Site("A", recovery_bays, stays),), (Suite("suite 1", "A", True, opens),), shifts, cases
    )


def clinic_group(
    seed: int,
    *,
    requests: int,
    days: int,
    suites_per_site: tuple[int, ...] = (2, 1, 1),
    radiologists: int = 6,
) -> Problem:
    """A group of clinics: suites, rostered people, recovery bays, and cases of 1–3 levels.

    One hour a level (C14), 15 minutes of set-up and of cleaning, recovery of 2, 3 or 4 hours by the number
    of levels (within C1's ranges); a third of the cases need a balloon kit, a fifth want biplane only.
    """
    rng = random.Random(seed)  # noqa: S311 - made-up cases, no secret
    names = [chr(ord("A") + i) for i in range(len(suites_per_site))]
    weekdays = [d for d in range(days) if d % 7 < 5]
    opens = tuple((d * _DAY + 450, d * _DAY + 1050) for d in weekdays)
    stays = tuple((d * _DAY + 450, d * _DAY + 1260) for d in weekdays)
    sites, suites, shifts = [], [], []
    for site, count in zip(names, suites_per_site, strict=True):
        sites.append(Site(site, 3 * count + 1, stays, {"balloon_kit": count}))
        for i in range(count):
            suites.append(Suite(f"{site} suite {i + 1}", site, i == 0, opens))
            shifts += [
                Shift(f"{site} {role.value} {i + 1}", role, site, start, end)
                for role in (Role.NURSE, Role.TECHNOLOGIST)
                for start, end in opens
            ]
    rooms = [site for site, count in zip(names, suites_per_site, strict=True) for _ in range(count)]
    for day, (start, end) in enumerate(opens):
        order = [f"radiologist {i + 1}" for i in range(radiologists)]
        order = order[day % radiologists :] + order[: day % radiologists]
        for i, person in enumerate(order):
            skills = frozenset({"balloon"} if int(person.split()[-1]) % 3 else set())
            shifts.append(Shift(person, Role.RADIOLOGIST, rooms[i % len(rooms)], start, end, skills))
    cases = []
    for i in range(requests):
        levels = rng.choices((1, 2, 3), (6, 3, 1))[0]
        likes = rng.sample(names, len(names))
        balloon = rng.random() < 1 / 3
        cases.append(
            Request(
                f"case {i + 1}",
                {site: rank * 2 for rank, site in enumerate(likes[: rng.randint(1, len(names))])},
                15,
                60 * levels,
                15,
                60 * (levels + 1),
                earliest=rng.choice((0, 0, 0, 1, 2)) * _DAY,
                biplane_only=rng.random() < 0.2,
                equipment=frozenset({"balloon_kit"} if balloon else ()),
                radiologist_skills=frozenset({"balloon"} if balloon else ()),
                urgency=Policy.urgency(rng.choice((5, 12, 30, 40, 70, 120)), urgent=rng.random() < 0.05),
            )
        )
    return Problem(days * _DAY, tuple(sites), tuple(suites), tuple(shifts), tuple(cases))
