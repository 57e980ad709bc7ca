"""Fasting hours and hours to call, across midnight, weekends and changed clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from vertebro_clinic.preparation.hours import FastingRule, WorkingHours, call_windows, fasting

NEW_YORK = ZoneInfo("America/New_York")
STARTS = st.datetimes(datetime(2024, 1, 20), datetime(2032, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
ZONES = st.sampled_from(["America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kolkata"]).map(
    ZoneInfo
)


def local(moment):
    return moment.astimezone(NEW_YORK)


def test_the_worked_example_of_fasting():
    start = datetime(2026, 6, 17, 10, tzinfo=NEW_YORK)

    strict = fasting(FastingRule.MIDNIGHT, start, NEW_YORK)
    hours = fasting(FastingRule.HOURS, start, NEW_YORK)

    assert local(strict.clear_liquids_until) == datetime(2026, 6, 17, 0, tzinfo=NEW_YORK)
    assert local(hours.clear_liquids_until).time() == time(8)
    assert local(hours.light_meal_until).time() == time(4)
    assert local(hours.full_meal_until).time() == time(2)


def test_the_worked_example_of_the_call():
    windows = call_windows(datetime(2026, 6, 17, 10, tzinfo=NEW_YORK), NEW_YORK, WorkingHours())

    assert local(windows[0][0]) == datetime(2026, 6, 15, 10, tzinfo=NEW_YORK)
    assert local(windows[-1][1]) == datetime(2026, 6, 16, 10, tzinfo=NEW_YORK)


def test_midnight_is_the_sites_even_for_a_patient_in_another_zone():
    start = datetime(2026, 6, 17, 7, tzinfo=NEW_YORK)

    strict = fasting(FastingRule.MIDNIGHT, start.astimezone(ZoneInfo("America/Los_Angeles")), NEW_YORK)

    assert strict.full_meal_until == datetime(2026, 6, 17, 4, tzinfo=UTC)


def test_hours_pass_even_in_the_night_of_the_spring_change():
    start = datetime(2026, 3, 8, 7, tzinfo=NEW_YORK)

    rule = fasting(FastingRule.HOURS, start, NEW_YORK)

    assert local(rule.light_meal_until).time() == time(0)
    assert local(rule.full_meal_until) == datetime(2026, 3, 7, 22, tzinfo=NEW_YORK)


def test_before_a_monday_the_call_is_on_friday():
    windows = call_windows(datetime(2026, 6, 15, 10, tzinfo=NEW_YORK), NEW_YORK, WorkingHours())

    assert [local(window[0]).strftime("%A %H:%M") for window in windows] == ["Friday 08:00"]


def test_a_holiday_is_no_working_day():
    hours = WorkingHours(closed=frozenset({date(2026, 7, 2), date(2026, 7, 3)}))

    windows = call_windows(datetime(2026, 7, 5, 10, tzinfo=NEW_YORK), NEW_YORK, hours)

    assert [local(window[0]).strftime("%A %d") for window in windows] == ["Wednesday 01"]


@given(STARTS, ZONES)
def test_a_call_is_always_before_the_last_day_and_in_working_hours(start, zone):
    for opened, closed in call_windows(start, zone, WorkingHours()):
        assert opened < closed <= start - timedelta(hours=24)
        begin, end = opened.astimezone(zone), closed.astimezone(zone)
        assert begin.weekday() < 5
        assert begin.date() == end.date()
        assert time(8) <= begin.time()
        assert end.time() <= time(17)


@given(STARTS, ZONES, st.sampled_from(list(FastingRule)))
def test_fasting_ends_before_the_start_and_in_order(start, zone, rule):
    hours = fasting(rule, start, zone)

    assert hours.full_meal_until <= hours.light_meal_until <= hours.clear_liquids_until <= start
    assert start - hours.clear_liquids_until <= timedelta(hours=25)
