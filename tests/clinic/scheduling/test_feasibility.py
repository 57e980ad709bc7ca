"""The plain judge of schedules: what cannot be is named, and a possible schedule is not accused."""

from dataclasses import replace
from datetime import datetime

import pytest

from vertebro_clinic.scheduling import (
    Closure,
    Horizon,
    Placement,
    Policy,
    Problem,
    Request,
    Role,
    conflicts,
    first_come_first_served,
)
from vertebro_clinic.scheduling.examples import clinic_group, one_room
from vertebro_clinic.scheduling.nouns import SchedulingError

PEOPLE = {role: role.value for role in Role}


def kinds(problem: Problem, *placements: Placement) -> set[str]:
    return {conflict.kind for conflict in conflicts(problem, placements)}


def test_two_cases_one_after_the_other_are_possible():
    problem = one_room(requests=2)

    assert (
        kinds(
            problem, Placement("case 1", "suite 1", 480, PEOPLE), Placement("case 2", "suite 1", 570, PEOPLE)
        )
        == set()
    )


def test_cleaning_keeps_the_next_case_out_of_the_suite():
    problem = one_room(requests=2)

    found = kinds(
        problem, Placement("case 1", "suite 1", 480, PEOPLE), Placement("case 2", "suite 1", 565, PEOPLE)
    )

    assert {"suite"} <= found


def test_recovery_bays_are_counted():
    problem = one_room(requests=3, recovery_bays=1)

    found = kinds(
        problem, Placement("case 1", "suite 1", 480, PEOPLE), Placement("case 2", "suite 1", 570, PEOPLE)
    )

    assert found == {"recovery"}


def test_a_suite_that_closes_too_early_is_named():
    problem = one_room(requests=1)

    assert kinds(problem, Placement("case 1", "suite 1", 900, PEOPLE)) == {"opening", "shift"}


def test_a_person_on_leave_is_named():
    problem = replace(one_room(requests=1), closures=(Closure("nurse", 500, 510),))

    (conflict,) = conflicts(problem, [Placement("case 1", "suite 1", 480, PEOPLE)])

    assert conflict.words == "nurse is not available during part of that time."


def test_a_missing_skill_is_named():
    problem = one_room(requests=1)
    request = replace(problem.requests[0], radiologist_skills=frozenset({"balloon"}))
    problem = replace(problem, requests=(request,))

    (conflict,) = conflicts(problem, [Placement("case 1", "suite 1", 480, PEOPLE)])

    assert "balloon" in conflict.words


def test_equipment_that_a_site_has_once_is_used_once():
    problem = clinic_group(3, requests=2, days=1, suites_per_site=(2,), radiologists=2)
    kit = [
        replace(
            r,
            equipment=frozenset({"balloon_kit"}),
            sites={"A": 0},
            biplane_only=False,
            earliest=0,
            urgency=1,
            radiologist_skills=frozenset(),
        )
        for r in problem.requests
    ]
    site = replace(problem.sites[0], equipment={"balloon_kit": 1})
    problem = replace(problem, requests=tuple(kit), sites=(site,))

    def people(number: int) -> dict[Role, str]:
        return {
            Role.RADIOLOGIST: f"radiologist {number}",
            Role.NURSE: f"A nurse {number}",
            Role.TECHNOLOGIST: f"A technologist {number}",
        }

    found = kinds(
        problem,
        Placement("case 1", "A suite 1", 450, people(1)),
        Placement("case 2", "A suite 2", 450, people(2)),
    )

    assert found == {"equipment"}


def test_first_come_makes_possible_schedules_on_many_groups():
    for seed in range(12):
        problem = clinic_group(seed, requests=40, days=4)

        answer = first_come_first_served(problem)

        assert conflicts(problem, answer.placements) == ()
        assert len(answer.placements) + len(answer.unplaced) == 40


@pytest.mark.parametrize("minutes", [-5, 7])
def test_odd_minutes_are_refused_with_a_remedy(minutes):
    with pytest.raises(SchedulingError, match="Round up"):
        Request("x", {"A": 0}, 15, 60, minutes, 60)


def test_a_step_that_does_not_divide_the_hour_is_refused():
    with pytest.raises(SchedulingError, match="use 5, 10"):
        Policy(grid_minutes=25)


def test_a_horizon_without_a_zone_is_refused():
    with pytest.raises(SchedulingError, match="time zone"):
        Horizon(datetime(2026, 1, 1), 60)
