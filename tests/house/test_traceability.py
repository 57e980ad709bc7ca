"""The table of requirements and its checker."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tools.traceability import COLUMNS, ROOT, TABLE, expected_ids, problems, read_rows


def test_the_project_s_table_is_sound() -> None:
    assert problems(TABLE, ROOT) == []


def test_every_requirement_stands_once_and_in_order() -> None:
    assert [row["id"] for row in read_rows(TABLE)] == expected_ids()


def _table(folder: Path, **changes: dict[str, str]) -> Path:
    """A sound table in ``folder``, with the rows of ``changes`` (by id, dots as underscores) altered."""
    path = folder / "requirements.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        for name in expected_ids():
            row = {"id": name, "statement": "Something.", "status": "open", "where": "", "test": ""}
            writer.writerow(row | changes.get(name.replace(".", "_"), {}))
    return path


def test_a_sound_table_has_no_problems(tmp_path: Path) -> None:
    assert problems(_table(tmp_path), tmp_path) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": "nearly"}, "S0.1: status 'nearly' is neither open nor done"),
        ({"statement": " "}, "S0.1: no statement"),
        ({"status": "done"}, "S0.1: done, but without a place or a test"),
        (
            {"status": "done", "where": "src/gone.py", "test": "test_it.py::test_it"},
            "S0.1: src/gone.py does not exist",
        ),
        (
            {"status": "done", "where": "src/a.py", "test": "test_it.py::test_other"},
            "S0.1: the test test_it.py::test_other does not exist",
        ),
        (
            {"status": "done", "where": "src/a.py", "test": "test_it.py"},
            "S0.1: the test test_it.py does not exist",
        ),
    ],
)
def test_a_bad_row_is_told(tmp_path: Path, change: dict[str, str], sentence: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").touch()
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n", encoding="utf-8")

    assert problems(_table(tmp_path, S0_1=change), tmp_path) == [sentence]


def test_a_done_row_with_place_and_test_is_sound(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "test_it.py").write_text(
        "class TestIt:\n    def test_it(self):\n        pass\n", encoding="utf-8"
    )
    change = {"status": "done", "where": "a.py", "test": "test_it.py::TestIt::test_it; test_it.py::test_it"}

    assert problems(_table(tmp_path, S0_1=change), tmp_path) == []


def test_missing_doubled_and_foreign_rows_are_told(tmp_path: Path) -> None:
    path = _table(tmp_path, S0_2={"id": "S0.1"}, S4_39={"id": "S9.9"})

    found = problems(path, tmp_path)

    assert found == ["S0.2 is missing", "S4.39 is missing", "S0.1 stands 2 times", "S9.9 is no requirement"]


def test_wrong_columns_are_told(tmp_path: Path) -> None:
    path = tmp_path / "requirements.csv"
    path.write_text("id,state\nS0.1,open\n", encoding="utf-8")

    assert problems(path, tmp_path) == ["the columns must be id, statement, status, where, test"]
