"""Which requirement is held where: checks ``docs/traceability/requirements.csv``.

``python -m tools.traceability`` prints what is wrong (exit code 1) or how far the project is.
"""

from __future__ import annotations

import ast
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "traceability" / "requirements.csv"
COLUMNS = ["id", "statement", "status", "where", "test"]
N_STATEMENTS = {"S0": 35, "S1": 40, "S2": 38, "S3": 27, "S4": 39}
"""How many statements each of the five service descriptions makes."""


def expected_ids() -> list[str]:
    """Every requirement's identifier, in order.

    >>> len(expected_ids()), expected_ids()[0], expected_ids()[-1]
    (179, 'S0.1', 'S4.39')
    """
    return [f"{page}.{number}" for page, count in N_STATEMENTS.items() for number in range(1, count + 1)]


def read_rows(table: Path) -> list[dict[str, str]]:
    """The table's rows by column."""
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def problems(table: Path, root: Path) -> list[str]:
    """What is wrong with the table, one sentence each; empty when nothing is."""
    rows = read_rows(table)
    if not rows or list(rows[0]) != COLUMNS:
        return [f"the columns must be {', '.join(COLUMNS)}"]
    counts = Counter(row["id"] for row in rows)
    expected = expected_ids()
    found = [f"{name} is missing" for name in expected if counts[name] == 0]
    found += [f"{name} stands {count} times" for name, count in counts.items() if count > 1]
    found += [f"{name} is no requirement" for name in counts if name not in set(expected)]
    for row in rows:
        found += [f"{row['id']}: {text}" for text in _row_problems(row, root)]
    return found


def _row_problems(row: dict[str, str], root: Path) -> Iterator[str]:
    if not row["statement"].strip():
        yield "no statement"
    if row["status"] not in ("open", "done"):
        yield f"status {row['status']!r} is neither open nor done"
    if row["status"] != "done":
        return
    for place in _entries(row["where"]):
        if not (root / place).exists():
            yield f"{place} does not exist"
    for test in _entries(row["test"]):
        if not _test_exists(test, root):
            yield f"the test {test} does not exist"
    if not _entries(row["where"]) or not _entries(row["test"]):
        yield "done, but without a place or a test"


def _entries(cell: str) -> list[str]:
    return [entry.strip() for entry in cell.split(";") if entry.strip()]


def _test_exists(name: str, root: Path) -> bool:
    """Whether ``tests/…/test_x.py::test_y`` names a test function (``::TestClass::test_y`` too)."""
    file_name, *inner = name.split("::")
    path = root / file_name
    if not inner or not path.is_file():
        return False
    functions = {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    return inner[-1] in functions


def main() -> int:
    """Say what is wrong, or how many requirements are done."""
    found = problems(TABLE, ROOT)
    for sentence in found:
        print(sentence)
    if not found:
        rows = read_rows(TABLE)
        print(f"{sum(row['status'] == 'done' for row in rows)} of {len(rows)} requirements are done")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
