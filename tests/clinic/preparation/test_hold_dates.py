"""Last doses: the worked example, the counting rule, and clocks that change in between."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vertebro_clinic.preparation.drug_names import drugs
from vertebro_clinic.preparation.hold_dates import PartOfDay, last_dose
from vertebro_clinic.preparation.hold_policies import HoldPolicy, Unit, approved_policy, hold_policies

NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from(["America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kolkata"]).map(
    ZoneInfo
)
STARTS = st.datetimes(datetime(2024, 1, 20), datetime(2032, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
TIMES = st.lists(
    st.sampled_from([time(h) for h in (0, 2, 7, 8, 12, 20, 23)]), min_size=1, max_size=4, unique=True
)


def policy(unit: Unit, amount: int) -> HoldPolicy:
    return HoldPolicy("made", unit, amount, "made", "1", "made for the test", True, drugs=("apixaban",))


def test_aspirin_before_a_wednesday_ends_on_the_tuesday_of_the_week_before():
    wednesday = datetime(2026, 6, 17, 10, tzinfo=NEW_YORK)

    dose = last_dose(hold_policies()["pages_aspirin"], wednesday, NEW_YORK)

    assert dose.day == date(2026, 6, 9)
    assert dose.first_day_without == date(2026, 6, 10)


def test_doses_are_counted_back_through_the_patients_own_hours():
    start = datetime(2026, 6, 17, 10, tzinfo=NEW_YORK)

    dose = last_dose(policy(Unit.DOSES, 4), start, NEW_YORK, (time(8), time(20)))

    assert dose.at == datetime(2026, 6, 15, 8, tzinfo=NEW_YORK)
    assert dose.part is PartOfDay.MORNING


def test_hours_are_hours_that_pass_even_in_a_night_of_25():
    start = datetime(2026, 11, 1, 9, tzinfo=NEW_YORK)

    dose = last_dose(policy(Unit.HOURS, 12), start, NEW_YORK, (time(21), time(22)))

    assert dose.at == datetime(2026, 10, 31, 22, tzinfo=NEW_YORK)


def test_doses_without_hours_ask_for_them():
    start = datetime(2026, 6, 17, 10, tzinfo=NEW_YORK)

    assert "hours" in last_dose(policy(Unit.DOSES, 2), start, NEW_YORK)


@given(STARTS, ZONES, st.integers(0, 14))
def test_a_hold_of_days_leaves_exactly_so_many_days_without(start, zone, days):
    dose = last_dose(policy(Unit.DAYS, days), start, zone)

    without = (start.astimezone(zone).date() - dose.first_day_without).days
    assert without == days
    assert dose.first_day_without - dose.day == timedelta(days=1)


@given(STARTS, ZONES, TIMES, st.integers(1, 8))
def test_a_hold_of_doses_leaves_exactly_so_many_out(start, zone, times, doses):
    dose = last_dose(policy(Unit.DOSES, doses), start, zone, times)

    day = start.astimezone(zone).date()
    moments = {
        datetime.combine(day - timedelta(days=back), at, tzinfo=zone).astimezone(UTC)
        for back in range(20)
        for at in times
    }
    assume(len({m for m in moments if m > start - timedelta(days=19)}) >= doses)
    left_out = [moment for moment in moments if dose.at < moment < start]
    assert len(left_out) == doses


@given(STARTS, ZONES, TIMES, st.integers(1, 72))
def test_a_hold_of_hours_is_kept_and_not_longer_than_it_must_be(start, zone, times, hours):
    dose = last_dose(policy(Unit.HOURS, hours), start, zone, times)

    assert start - dose.at >= timedelta(hours=hours)
    assert start - dose.at < timedelta(hours=hours) + timedelta(hours=26)


def test_kidneys_choose_the_row():
    approved = {"pause_dabigatran", "pause_dabigatran_kidney"}

    good = approved_policy(drugs()["dabigatran"], approved, egfr_ml_min=80)
    weak = approved_policy(drugs()["dabigatran"], approved, egfr_ml_min=49.9)

    assert (good.amount, weak.amount) == (2, 4)


def test_unknown_kidneys_ask():
    words = approved_policy(drugs()["dabigatran"], {"pause_dabigatran"}, egfr_ml_min=None)

    assert "kidneys" in words


def test_kidneys_below_every_row_are_not_covered():
    words = approved_policy(drugs()["apixaban"], {"sir_apixaban", "sir_apixaban_kidney"}, egfr_ml_min=12)

    assert "does not cover" in words


def test_a_row_that_nobody_approved_is_never_used():
    assert "approved no hold policy" in approved_policy(drugs()["warfarin"], set(), egfr_ml_min=90)


def test_a_row_that_names_the_drug_goes_before_its_class():
    row = approved_policy(drugs()["apixaban"], {"pages_thinners", "pause_apixaban"}, egfr_ml_min=90)

    assert row.name == "pause_apixaban"


def test_two_rows_that_fit_are_a_contradiction():
    words = approved_policy(drugs()["aspirin"], {"pages_aspirin", "sir_aspirin"}, egfr_ml_min=90)

    assert "more than one" in words


@pytest.mark.parametrize("name", sorted(hold_policies()))
def test_every_row_has_a_source_and_speaks_of_known_drugs(name):
    row = hold_policies()[name]

    assert len(row.source) > 20
    assert all(drug in drugs() for drug in row.drugs)
    assert row.drugs or row.classes
    assert row.confirmed or "from memory" in row.source
