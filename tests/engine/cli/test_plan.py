"""``vertebro plan`` on a terminal and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from small_patient import write_small_patient
from vertebro.cli.main import app


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli-plan")
    ct, labels = write_small_patient(root / "patient")
    done = _run("assess", ct, "-l", labels, "-o", root / "case", "-q", "--levels", "L1,L2")
    assert done.exit_code == 0, done.stderr
    return root / "case"


def test_it_prints_paths_advice_and_reasons(case: Path) -> None:
    result = _run("plan", case, "-q", "--fracture-age-days", "12", "--oedema", "l1", "--no-tumour")

    assert result.exit_code == 0, result.stderr
    assert "L1: kyphoplasty." in result.stdout
    assert "L2: neither." in result.stdout
    assert "left" in result.stdout
    assert "Papanastassiou" in result.stdout


def test_what_was_told_is_remembered_until_told_otherwise(case: Path) -> None:
    _run("plan", case, "-q", "--fracture-age-days", "12", "--oedema", "L1")

    remembered = json.loads(_run("plan", case, "-q", "--json").stdout)
    changed = json.loads(_run("plan", case, "-q", "--json", "--oedema", "none").stdout)

    assert remembered["context"]["oedema_levels"] == ["L1"]
    assert changed["context"]["oedema_levels"] == []
    assert changed["context"]["fracture_age_days"] == 12.0
    assert changed["levels"]["L1"]["procedure"]["advice"] == "neither"


def test_levels_choose_what_is_shown(case: Path) -> None:
    shown = json.loads(_run("plan", case, "-q", "--json", "--levels", "L2").stdout)

    assert set(shown["levels"]) == {"L2"}
    assert set(json.loads((case / "plan.json").read_text())["levels"]) == {"L1", "L2"}


def test_a_path_of_ones_own_is_judged(case: Path) -> None:
    plan = json.loads(_run("plan", case, "-q", "--json").stdout)
    best = next(path for path in plan["levels"]["L1"]["paths"] if path["side"] == "left")
    entry, target = (best[name] for name in ("entry_bone_lps_mm", "target_lps_mm"))
    given = [
        f"--{name}={','.join(map(str, point))}" for name, point in (("entry", entry), ("target", target))
    ]

    own = _run("plan", case, "-q", "--json", "--level", "L1", "--side", "left", *given)
    other = _run("plan", case, "-q", "--level", "L1", "--side", "right", *given)

    assert json.loads(own.stdout)["margins_mm"]["medial"] == pytest.approx(
        best["margins_mm"]["medial"], abs=0.1
    )
    assert other.exit_code == 1
    assert "plan.wrong_side" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--entry=1,2,3",), "plan.own_path"),
        (("--entry=1,2", "--target=1,2,3", "--level", "L1", "--side", "left"), "plan.point"),
        (("--entry=1,2,3", "--target=1,2,3", "--level", "L1", "--side", "up"), "plan.side"),
    ],
)
def test_a_mistyped_path_is_a_usage_error(case: Path, arguments: tuple[str, ...], code: str) -> None:
    result = _run("plan", case, "-q", *arguments)

    assert result.exit_code == 2
    assert code in result.stderr


def test_a_folder_without_a_case_says_so(tmp_path: Path) -> None:
    result = _run("plan", tmp_path, "-q")

    assert result.exit_code == 1
    assert "case.not_found" in result.stderr
