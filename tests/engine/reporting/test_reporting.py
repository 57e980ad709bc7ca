"""The package as a whole: light to import, small words right."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import resources

import pytest

from vertebro.case import Estimate
from vertebro.reporting.numbers import date_text, number_text, person_text, plain_number
from vertebro.reporting.wording import joined, level_ranges, load_words

HEAVY = ("matplotlib", "jinja2", "typst", "jsonschema", "skimage", "PIL")


def test_importing_reporting_loads_nothing_heavy():
    loaded = "set(name.split('.')[0] for name in sys.modules)"
    script = f"import sys, vertebro.reporting; print(sorted({loaded} & set({HEAVY})))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["T10", "T11", "T12", "L1"], "T10–L1"),
        (["L1"], "L1"),
        (["L1", "L2"], "L1, L2"),
        (["T12", "L2", "L3", "L4"], "T12, L2–L4"),
        (["T12", "T13", "L1"], "T12, T13, L1"),
        (["L5", "L6", "S1"], "L5, L6, S1"),
        ([], ""),
    ],
)
def test_level_ranges_draw_neighbours_together(names, said):
    assert level_ranges(names) == said


@pytest.mark.parametrize(("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b")])
def test_joined_reads_as_a_sentence(parts, said):
    assert joined(parts, load_words()) == said


@pytest.mark.parametrize(("value", "said"), [(-0.02, "0.0"), (0.05, "0.1"), (-12.34, "−12.3"), (7.0, "7.0")])
def test_plain_number_has_a_true_minus_and_no_negative_zero(value, said):
    assert plain_number(value, 1) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Doe^Jane^^Dr", "Doe, Jane"),
        ("DOE", "DOE"),
        ("", ""),
        ("=山田^太郎", "山田, 太郎"),
        ("^Jane", "Jane"),
    ],
)
def test_person_text(name, said):
    assert person_text(name) == said


def test_date_text_leaves_what_is_no_date():
    assert [date_text(text) for text in ("20260102", "", "2026", "abcdefgh")] == [
        "2026-01-02",
        "",
        "2026",
        "abcdefgh",
    ]


def test_missing_number_says_the_given_words_and_keeps_the_reason():
    number = number_text(Estimate.missing("mm", "cut"), missing="not measured")

    assert (number.value, number.interval, number.basis, number.is_known) == (
        "not measured",
        "",
        "cut",
        False,
    )


def test_every_translation_has_the_same_keys():
    folder = resources.files("vertebro.reporting").joinpath("words")
    words = {
        entry.name: tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }

    def keys(table, prefix=""):
        for name, value in table.items():
            if isinstance(value, dict):
                yield from keys(value, f"{prefix}{name}.")
            elif isinstance(value, list):
                yield f"{prefix}{name}[{len(value)}]"
            else:
                yield prefix + name

    expected = set(keys(words["en.toml"]))
    assert len(expected) > 150
    assert all(set(keys(table)) == expected for table in words.values())
