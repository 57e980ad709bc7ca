"""Scheduling against first come, first served: time to a possible schedule, and how good it gets."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.rows import Row
from vertebro_clinic.scheduling import (
    Closure,
    Effort,
    Problem,
    Schedule,
    conflicts,
    first_come_first_served,
    optimise,
    quality_of,
    repair,
)
from vertebro_clinic.scheduling.examples import clinic_group

SMALL = {"requests": 60, "days": 5}
LARGE = {"requests": 400, "days": 14, "suites_per_site": (4, 4, 3), "radiologists": 14}


def bench_sixty() -> list[Row]:
    """60 cases, 3 sites, 4 suites, 6 radiologists: placed, then improved for 10 s and for a minute."""
    problem = clinic_group(1, **SMALL)  # type: ignore[arg-type]
    first = first_come_first_served(problem)
    rows = [_row("60 cases, first come", problem, first, "")]
    for seconds in (1.0, 10.0, 60.0):
        target = "all placed in <= 2 s" if seconds == 1.0 else "10 s within 2 % of ten minutes"
        answer = optimise(problem, Effort(seconds=seconds))
        rows.append(_row(f"60 cases, optimised {seconds:.0f} s", problem, answer, target))
    return rows


def bench_four_hundred() -> list[Row]:
    """400 cases over two weeks in 11 suites."""
    problem = clinic_group(1, **LARGE)  # type: ignore[arg-type]
    first = first_come_first_served(problem)
    answer = optimise(problem, Effort(seconds=50.0))
    return [
        _row("400 cases, first come", problem, first, ""),
        _row("400 cases, optimised 50 s", problem, answer, "all placed in <= 60 s"),
    ]


def bench_repair() -> list[Row]:
    """A radiologist falls ill on the first morning of a full week."""
    problem = clinic_group(1, **SMALL)  # type: ignore[arg-type]
    booked = replace(problem, placed=first_come_first_served(problem).placements)
    ill = replace(booked, closures=(Closure("radiologist 1", 0, 12 * 60),))
    begun = time.perf_counter()
    answer = repair(ill, Effort(seconds=1.5))
    left = len(conflicts(ill, answer.placements))
    note = f"{len(answer.moved)} moved, {len(answer.unplaced)} unplaced, {left} conflicts"
    return [
        Row("scheduling", "repair after sickness", time.perf_counter() - begun, target="<= 2 s", note=note)
    ]


def _row(what: str, problem: Problem, answer: Schedule, target: str) -> Row:
    found = quality_of(problem, answer.placements)
    gap = "" if answer.gap_percent is None else f", bound {answer.bound} (gap {answer.gap_percent:.0f} %)"
    left = len(conflicts(problem, answer.placements))
    note = (
        f"{len(answer.placements)} placed, {left} conflicts, cost {answer.cost}{gap}; "
        f"wait {found.waiting_hours:.1f} h, idle {found.idle_minutes} min, overtime 0 by construction"
    )
    return Row("scheduling", what, answer.seconds, target=target, note=note)
