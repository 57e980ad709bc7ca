"""Optimised, repaired and offered times: possible, no worse than first come, and honest about what is not."""

from dataclasses import replace

from vertebro_clinic.scheduling import (
    Closure,
    Effort,
    Policy,
    conflicts,
    first_come_first_served,
    next_slots,
    optimise,
    quality_of,
    repair,
)
from vertebro_clinic.scheduling.examples import clinic_group, one_room
from vertebro_clinic.scheduling.optimise import lower_bound

SHORT = Effort(seconds=3.0)


def test_optimised_schedules_are_possible_and_no_worse_than_first_come():
    for seed in (1, 2):
        problem = clinic_group(seed, requests=24, days=2)

        answer = optimise(problem, SHORT)

        assert conflicts(problem, answer.placements) == ()
        assert answer.cost <= first_come_first_served(problem).cost
        assert answer.bound is not None
        assert lower_bound(problem) <= answer.bound <= answer.cost


def test_many_cases_are_all_placed_and_improved_by_parts():
    problem = clinic_group(5, requests=60, days=5)

    answer = optimise(problem, SHORT)

    assert answer.unplaced == {}
    assert conflicts(problem, answer.placements) == ()
    assert answer.cost <= first_come_first_served(problem).cost


def test_the_cost_said_is_the_cost_counted():
    problem = clinic_group(7, requests=20, days=2)

    answer = optimise(problem, SHORT)

    assert answer.cost == quality_of(problem, answer.placements).cost


def test_a_small_day_is_proved_best():
    problem = one_room(requests=4)

    answer = optimise(problem, Effort(seconds=10.0, workers=1))

    assert answer.status == "optimal"
    assert answer.gap_percent == 0.0
    assert [p.start for p in answer.placements] == [480, 570, 660, 750]


def test_newer_fractures_go_first():
    problem = one_room(requests=3)
    ages = (100.0, 3.0, 30.0)
    requests = tuple(
        replace(r, urgency=Policy.urgency(age)) for r, age in zip(problem.requests, ages, strict=True)
    )

    answer = optimise(replace(problem, requests=requests), Effort(seconds=10.0, workers=1))

    assert [p.request for p in answer.placements] == ["case 2", "case 3", "case 1"]


def test_locked_bookings_stay_where_they_are():
    problem = clinic_group(9, requests=20, days=2)
    booked = first_come_first_served(problem).placements
    locked = tuple(replace(p, locked=True) for p in booked[:6])

    answer = optimise(replace(problem, placed=(*locked, *booked[6:])), SHORT)

    kept = {p.request: p for p in answer.placements}
    assert all(kept[p.request].start == p.start and kept[p.request].suite == p.suite for p in locked)


def test_what_does_not_fit_says_what_binds():
    problem = one_room(requests=6, recovery_bays=1)

    answer = optimise(problem, SHORT)

    assert len(answer.placements) == 4
    assert all("a free recovery bay" in words for words in answer.unplaced.values())


def test_a_request_that_no_room_suits_says_so():
    problem = one_room(requests=1)
    suite = replace(problem.suites[0], biplane=False)
    request = replace(problem.requests[0], biplane_only=True)

    answer = optimise(replace(problem, suites=(suite,), requests=(request,)), SHORT)

    assert "biplane" in answer.unplaced["case 1"]


def test_stopping_keeps_the_best_so_far():
    problem = clinic_group(11, requests=60, days=5)
    seen = []

    def stop(share: float, cost: int) -> bool:
        seen.append((share, cost))
        return False

    answer = optimise(problem, Effort(seconds=30.0, progress=stop))

    assert len(seen) == 1
    assert answer.seconds < 20.0
    assert conflicts(problem, answer.placements) == ()


def test_sickness_moves_only_what_it_must():
    problem = clinic_group(13, requests=30, days=3)
    booked = replace(problem, placed=first_come_first_served(problem).placements)
    ill = replace(booked, closures=(Closure("radiologist 1", 0, 1440),))
    broken = {name for conflict in conflicts(ill, ill.placed) for name in conflict.requests}

    answer = repair(ill, Effort(seconds=5.0))

    assert broken
    assert conflicts(ill, answer.placements) == ()
    assert answer.unplaced == {}
    assert broken <= set(answer.moved)
    assert len(answer.moved) <= len(broken) + 2


def test_an_emergency_is_fitted_in():
    problem = one_room(requests=4)
    booked = first_come_first_served(problem).placements
    emergency = replace(problem.requests[0], name="emergency", latest=600, urgency=12)
    fuller = replace(problem, requests=(*problem.requests, emergency), placed=booked)

    answer = repair(fuller, Effort(seconds=5.0))

    placed = {p.request: p.start for p in answer.placements}
    assert placed["emergency"] <= 600
    assert conflicts(fuller, answer.placements) == ()


def test_nothing_moves_where_nothing_is_wrong():
    problem = clinic_group(15, requests=12, days=2)
    booked = first_come_first_served(problem).placements

    answer = repair(replace(problem, placed=booked), SHORT)

    assert answer.moved == ()
    assert {p.request: p.start for p in answer.placements} == {p.request: p.start for p in booked}


def test_offered_times_fit_beside_what_is_booked():
    problem = clinic_group(17, requests=30, days=5)
    booked = first_come_first_served(problem).placements
    wanted = booked[-1].request
    problem = replace(problem, placed=booked[:-1])

    offers = next_slots(problem, wanted, count=8)

    assert len(offers) == 8
    for offer in offers:
        assert conflicts(problem, [*problem.placed, offer.placement]) == ()
    starts = [offer.placement.start for offer in offers]
    assert starts == sorted(starts)
