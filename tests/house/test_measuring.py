"""The machinery of benchmarks and validation (not their numbers)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import rows as measuring
from benchmarks.rows import Row, machine, run_all, run_process, table, timed
from validation.study import Study, page

ROOT = Path(__file__).resolve().parents[2]


def test_benchmarks_are_discovered_by_name() -> None:
    names = [path.stem for path in measuring.FOLDER.glob("bench_*.py")]

    assert "bench_start" in names
    assert list(run_all(["no benchmark has this name"])) == []


def test_timed_is_the_median_of_the_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 10.0, 12.0, 20.0, 29.0])
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(clock))

    assert timed(lambda: None, n_repeats=3) == 2.0


def test_run_process_sees_memory_and_exit_code() -> None:
    code = "import sys, time; held = bytearray(200_000_000); time.sleep(0.3); sys.exit(3)"

    done = run_process([sys.executable, "-c", code])

    assert done.exit_code == 3
    assert done.wall_s >= 0.3
    assert 200 < done.peak_mb < 400


def test_table_has_a_line_for_each_row() -> None:
    text = table([Row("start", "import", 0.1234, peak_mb=20.4, target="<= 0.3 s"), Row("x", "y", 2.0)])

    assert [line.split() for line in text.splitlines()[2:]] == [
        ["start", "import", "0.123", "20", "<=", "0.3", "s"],
        ["x", "y", "2.000"],
    ]


def test_records_are_json_and_name_the_machine() -> None:
    record = json.loads(json.dumps({"machine": machine(), "rows": [Row("a", "b", 1.0).to_json()]}))

    assert record["rows"][0]["wall_s"] == 1.0
    assert record["machine"]["n_cores"] >= 1


def test_a_validation_page_states_source_band_outcome_and_numbers() -> None:
    study = Study(("quantity", "ours, mm"), [("height", "20.1")], False, "Too high.", (("a.png", "Heights"),))

    text = page("Heights", "Author 2020", "within 0.5 mm", study)

    assert "**Compared with:** Author 2020" in text
    assert "OUTSIDE the band. Too high." in text
    assert "| height | 20.1 |" in text
    assert "![Heights](a.png)" in text


def test_validation_runs_with_no_module_chosen(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "validation", "no-validation-has-this-name", "--output", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert "0 validations, 0 outside their band" in done.stdout
