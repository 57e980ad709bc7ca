"""Free time as bits, held against lists of minutes."""

from hypothesis import given
from hypothesis import strategies as st

from vertebro_clinic.scheduling import masks

SPANS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=6)


def free_minutes(spans):
    return {minute for start, end in spans for minute in range(start, end)}


@given(SPANS)
def test_a_slot_is_free_where_one_span_holds_all_of_it(spans):
    expected = {
        slot for slot in range(60) if any(start <= slot * 5 and slot * 5 + 5 <= end for start, end in spans)
    }

    assert {start // 5 for start in masks.bits(masks.spans_mask(spans))} == expected


@given(SPANS, st.integers(1, 20))
def test_room_begins_where_so_many_slots_in_a_row_are_free(spans, slots):
    mask = masks.spans_mask(spans)
    free = {start // 5 for start in masks.bits(mask)}
    expected = {slot for slot in free if all(slot + i in free for i in range(slots))}

    assert {start // 5 for start in masks.bits(masks.room_for(mask, slots))} == expected


@given(st.integers(0, 300), st.integers(0, 300))
def test_touched_slots_cover_every_minute(start, end):
    covered = {minute for s in masks.bits(masks.touched_mask(start, end)) for minute in range(s, s + 5)}

    assert free_minutes([(start, end)]) <= covered
    assert len(covered) < max(end - start, 0) + 10
