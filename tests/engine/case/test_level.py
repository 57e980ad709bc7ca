"""Names of levels."""

from __future__ import annotations

import pytest

from vertebro.case import Level, level_order, parse_level
from vertebro.errors import SettingsError


def test_levels_run_from_the_neck_down() -> None:
    names = [level.value for level in Level]

    assert names[:8] == ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "T1"]
    assert names[17:22] == ["T11", "T12", "T13", "L1", "L2"]
    assert names[-3:] == ["L6", "S1", "coccyx"]
    assert len(names) == 28


@pytest.mark.parametrize(
    ("level", "assessable", "treatable"),
    [
        (Level.C7, False, False),
        (Level.T1, True, True),
        (Level.T12, True, True),
        (Level.T13, True, False),
        (Level.L5, True, True),
        (Level.L6, True, False),
        (Level.S1, False, False),
        (Level.COCCYX, False, False),
    ],
)
def test_what_is_assessed_and_what_may_be_treated(level: Level, assessable: bool, treatable: bool) -> None:
    assert (level.is_assessable, level.is_treatable) == (assessable, treatable)


def test_treatment_is_limited_to_seventeen_thoracic_and_lumbar_levels() -> None:
    treatable = [level.value for level in Level if level.is_treatable]

    assert treatable == [*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]


def test_order_sorts_by_anatomy_and_puts_strangers_last() -> None:
    names = ["L1", "coccyx", "rib", "T2", "T13", "T12", "S1", "T10", "C7"]

    assert sorted(names, key=level_order) == ["C7", "T2", "T10", "T12", "T13", "L1", "S1", "coccyx", "rib"]


def test_order_is_strict_about_spelling() -> None:
    assert level_order("l1") == level_order("no level") == len(Level)


@pytest.mark.parametrize("level", list(Level))
def test_every_level_parses_from_its_own_name_in_any_case(level: Level) -> None:
    assert parse_level(level.value) is level
    assert parse_level(f"  {level.value.lower()} ") is level


@pytest.mark.parametrize(
    ("text", "level"), [("Th12", Level.T12), ("TH1", Level.T1), ("d9", Level.T9), ("D12", Level.T12)]
)
def test_other_ways_of_writing_thoracic_levels(text: str, level: Level) -> None:
    assert parse_level(text) is level


@pytest.mark.parametrize(
    "text", ["", "L", "L0", "L7", "T14", "C8", "L1-L2", "1", "DD1", "THH1", "\uff2c1", "L 1"]
)
def test_what_names_no_level_is_refused_with_advice(text: str) -> None:
    with pytest.raises(SettingsError, match="a level such as T12 or L1") as caught:
        parse_level(text)

    assert caught.value.code == "level.name"
    assert caught.value.fields == ("level",)


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_level("x" * 500)

    assert len(str(caught.value)) < 200
