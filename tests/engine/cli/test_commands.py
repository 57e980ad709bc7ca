"""The shell: what each command prints, leaves and returns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import vertebro
from small_patient import write_small_patient
from vertebro.cli.main import app
from vertebro.workflow import STAGES


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_small_patient(tmp_path_factory.mktemp("patient"))


def test_info_tells_version_and_stages() -> None:
    result = _run("info", "--json")

    content = json.loads(result.stdout)
    assert result.exit_code == 0
    assert content["version"] == vertebro.__version__
    assert [stage["name"] for stage in content["stages"]] == [stage.name for stage in STAGES]


def test_info_loads_nothing_heavy() -> None:
    code = (
        "import sys; from vertebro.cli.main import app; from typer.testing import CliRunner; "
        "CliRunner().invoke(app, ['info']); "
        "sys.exit(sum(name in sys.modules for name in ('numpy', 'scipy', 'numba', 'pydicom', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_assess_prints_a_table_and_says_where(patient: tuple[Path, Path], tmp_path: Path) -> None:
    result = _run("assess", patient[0], "--labels", patient[1], "-o", tmp_path / "case")

    assert result.exit_code == 0, result.stderr
    assert "L1" in result.stdout
    assert "wedge" in result.stdout
    assert str(tmp_path / "case") in result.stderr


def test_assess_json_is_the_file(patient: tuple[Path, Path], tmp_path: Path) -> None:
    result = _run("assess", patient[0], "-l", patient[1], "-o", tmp_path / "case", "--json", "--quiet")

    assert json.loads(result.stdout) == json.loads((tmp_path / "case" / "assessment.json").read_text())


def test_assess_takes_the_levels_asked_for(patient: tuple[Path, Path], tmp_path: Path) -> None:
    result = _run(
        "assess", patient[0], "-l", patient[1], "-o", tmp_path / "case", "--json", "--levels", "l1,t12"
    )

    assert set(json.loads(result.stdout)["levels"]) == {"L1", "T12"}


def test_report_is_made_from_the_case_alone(patient: tuple[Path, Path], tmp_path: Path) -> None:
    case = tmp_path / "case"
    _run("assess", patient[0], "-l", patient[1], "-o", case)

    result = _run("report", case)

    assert result.exit_code == 0, result.stderr
    assert (case / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (case / "report.pdf").read_bytes().startswith(b"%PDF")
    again = _run("report", case)
    assert "still valid" in again.stderr


def test_failure_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "ct.nii").write_bytes(b"not a NIfTI file")

    result = _run("assess", tmp_path / "ct.nii", "-l", tmp_path / "ct.nii", "-o", tmp_path / "case", "--json")

    assert result.exit_code == 1
    assert "Needed" in result.stderr
    assert "Traceback" not in result.stderr
    assert json.loads(result.stdout)["error"]["code"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("assess",),
        ("assess", "ct", "-o", "case", "--levels", "Q7"),
        ("phantom", "-o", "x", "--spacing", "a,b"),
        ("phantom", "-o", "x", "--fracture", "L1"),
        ("phantom", "-o", "x", "--levels", "L2-T12"),
        ("no-such-command",),
    ],
)
def test_bad_usage_is_exit_code_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert _run(*arguments).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_phantom_writes_images_and_truth(tmp_path: Path) -> None:
    result = _run(
        "phantom", "-o", tmp_path, "--levels", "T12-L1", "--spacing", "3", "-f", "L1:crush:30:cleft", "-q"
    )

    truth = json.loads((tmp_path / "truth.json").read_text())
    assert result.exit_code == 0, result.stderr
    assert truth["levels"]["L1"]["fracture_shape"] == "crush"
    assert {path.name for path in tmp_path.iterdir()} >= {"ct.nii.gz", "labels.nii.gz", "truth.json"}


def test_ctrl_c_leaves_a_valid_case(patient: tuple[Path, Path], tmp_path: Path) -> None:
    case = tmp_path / "case"
    command = [sys.executable, "-m", "vertebro.cli.main", "run", str(patient[0]), "-l", str(patient[1])]
    with subprocess.Popen([*command, "-o", str(case)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "measuring" in line:
                break
        os.kill(process.pid, signal.SIGINT)
        process.stderr.read()
        code = process.wait(timeout=60)

    manifest = json.loads((case / "manifest.json").read_text())
    assert code == 130
    assert manifest["state"] == "cancelled"
    assert not [path for path in case.rglob("*") if ".part" in path.name]


def test_help_of_every_command_names_its_options() -> None:
    for name in ("run", "assess", "report", "phantom", "demo", "info"):
        started = time.perf_counter()
        result = _run(name, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.stdout
        assert time.perf_counter() - started < 5.0
