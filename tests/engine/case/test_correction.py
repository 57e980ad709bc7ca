"""Corrections in words: each form is read and written alike, and anything else is refused kindly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebro.case import (
    AddLevel,
    MergeLevels,
    MoveDisc,
    NameEnd,
    NameLevel,
    Paint,
    RemoveLevel,
    SplitLevel,
    read_correction,
)
from vertebro.errors import InputError

NUMBER = st.integers(-4000, 4000).map(lambda value: value / 4.0)
PLACE = st.tuples(NUMBER, NUMBER, NUMBER)
NAME = st.sampled_from(["T10", "T13", "L1", "L6", "S1"])
ANY = st.one_of(
    st.builds(NameLevel, PLACE, NAME),
    st.builds(NameEnd, st.sampled_from(["lowest", "highest"]), NAME),
    st.builds(AddLevel, PLACE),
    st.builds(RemoveLevel, PLACE),
    st.builds(MergeLevels, PLACE, PLACE),
    st.builds(SplitLevel, PLACE),
    st.builds(MoveDisc, PLACE, PLACE),
    st.builds(Paint, PLACE, st.integers(1, 80).map(lambda value: value / 4.0), st.sampled_from(["", "L1"])),
)


@given(ANY)
def test_every_correction_is_read_as_it_was_written(correction):
    assert read_correction(correction.to_text()) == correction


@pytest.mark.parametrize(
    "text",
    [
        "",
        "add",
        "add 1,2",
        "add 1,2,3 4,5,6",
        "name 1,2,3",
        "paint L1 1,2,3 -4",
        "erase 1,2,3",
        "lowest",
        "add 1,2,nan",
    ],
)
def test_anything_else_says_what_can_be_said(text):
    with pytest.raises(InputError, match=r"name L1 x,y,z") as caught:
        read_correction(text)

    assert caught.value.code == "segment.click"
