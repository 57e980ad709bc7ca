"""``vertebro inflate`` and the balloon stage: files written, loaded, reused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from small_patient import write_small_patient
from vertebro.cli.main import app
from vertebro.io.nifti import load_nifti_array
from vertebro.workflow import rerun_case


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli-inflate")
    ct, labels = write_small_patient(root / "patient")
    done = _run("assess", ct, "-l", labels, "-o", root / "case", "-q")
    assert done.exit_code == 0, done.stderr
    return root / "case"


@pytest.mark.slow
def test_it_inflates_keeps_and_reuses(case: Path) -> None:
    shown = _run("inflate", case, "--levels", "L1", "--volume-ml", "1.5", "--fracture-age-days", "9", "-q")
    assert shown.exit_code == 0, shown.stderr
    assert "Anterior height" in shown.stdout
    assert "psi" in shown.stdout

    document = json.loads((case / "balloon.json").read_text(encoding="utf-8"))
    level = document["levels"]["L1"]
    cavity, header, _ = load_nifti_array(case / "balloon" / "L1-cavity.nii.gz")[:3]
    del header
    assert float(np.asarray(cavity, dtype=np.float64).sum()) / 1000.0 == pytest.approx(
        level["cavity_ml"], rel=1e-4
    )

    again = rerun_case(case, stages=("balloon",))
    assert "balloon" in again.reused
    assert again.result("balloon").to_json() == document


def test_an_unknown_balloon_is_told_in_words(case: Path) -> None:
    result = _run("inflate", case, "--balloon", "17", "-q")

    assert result.exit_code == 2
    assert "15 mm tamp" in result.stderr
