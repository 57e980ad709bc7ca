"""Clocks that change: a day of 23 hours, one of 25, and two sites in different zones."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebro_clinic.scheduling import Horizon
from vertebro_clinic.scheduling.clock import local_instant

NEW_YORK, MADRID = ZoneInfo("America/New_York"), ZoneInfo("Europe/Madrid")


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)]
)
def test_a_day_has_the_hours_that_the_wall_clock_gives_it(day, hours):
    assert Horizon.of_days(day, 1, NEW_YORK).length == hours * 60


def test_opening_hours_keep_their_wall_time_across_the_change():
    horizon = Horizon.of_days(date(2026, 3, 7), 3, NEW_YORK)

    spans = [horizon.span(date(2026, 3, day), time(8), time(16), NEW_YORK) for day in (7, 8, 9)]

    shown = [horizon.moment(start).astimezone(NEW_YORK).time() for start, _ in spans]
    assert shown == [time(8)] * 3
    assert spans[1][0] - spans[0][0] == 23 * 60


def test_sites_in_two_zones_share_one_axis():
    horizon = Horizon.of_days(date(2026, 6, 1), 1, MADRID)

    madrid = horizon.span(date(2026, 6, 1), time(14), time(20), MADRID)
    new_york = horizon.span(date(2026, 6, 1), time(8), time(14), NEW_YORK)

    assert madrid == new_york


def test_an_opening_past_midnight_ends_the_next_day():
    horizon = Horizon.of_days(date(2026, 6, 1), 2, MADRID)

    assert horizon.span(date(2026, 6, 1), time(22), time(2), MADRID) == (22 * 60, 26 * 60)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)),
    st.sampled_from(["America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
def test_minutes_and_moments_are_each_others_inverse(naive, zone):
    start = local_instant(naive.date(), time(0), ZoneInfo(zone))
    horizon = Horizon(start, 10_000)
    moment = naive.replace(tzinfo=UTC, second=0, microsecond=0)

    assert horizon.moment(horizon.minute(moment)) == moment
