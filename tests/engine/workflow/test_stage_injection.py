"""The stage that injects: what it keeps, that it repeats, and the command."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from external_tools import require_tool
from small_patient import write_small_patient
from vertebro.cement import EnsembleSettings, InjectionSettings
from vertebro.cli.main import app
from vertebro.io.nifti import load_nifti_array
from vertebro.reporting import validate_document
from vertebro.workflow import RunOptions, rerun_case, run_case

pytestmark = pytest.mark.slow
SETTINGS = InjectionSettings(
    levels=("L1",),
    volume_ml=1.5,
    spacing_mm=2.0,
    step_s=5.0,
    n_frames=3,
    ensemble=EnsembleSettings(runs=2, spacing_mm=2.5, step_s=10.0),
)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("injected")
    ct, labels = write_small_patient(root / "patient")
    options = RunOptions(levels=("L1",), settings={"injection": SETTINGS})
    run_case(ct, root / "case", labels=labels, stages=("injection",), options=options)
    return root / "case"


def test_the_injection_is_kept_as_documented_json(case: Path) -> None:
    document = json.loads((case / "injection.json").read_text())

    validate_document(document, "injection")
    level = document["levels"]["L1"]
    assert level["injected_ml"] == 1.5
    assert sum(level["volumes_ml"].values()) == pytest.approx(1.5, abs=1e-3)
    assert level["leak_probability"]["n_runs"] == 2
    assert "not calibrated" in document["notice"]
    assert level["temperature"]["centre_peak_c"] > 37.0
    assert len(level["series"]["time_s"]) == len(level["series"]["syringe_pressure_kpa"])


def test_the_kept_injection_is_the_injection(case: Path) -> None:
    again = rerun_case(case, stages=("injection",), settings={"injection": SETTINGS})

    assert "injection" in again.reused
    assert again.result("injection").to_json() == json.loads((case / "injection.json").read_text())


def test_the_same_seed_gives_the_same_bytes(case: Path, tmp_path: Path) -> None:
    ct, labels = write_small_patient(tmp_path / "patient")
    quick = replace(SETTINGS, ensemble=EnsembleSettings(runs=0), with_heat=False)
    texts = []
    for name in ("a", "b"):
        options = RunOptions(levels=("L1",), settings={"injection": quick})
        run_case(ct, tmp_path / name, labels=labels, stages=("injection",), options=options)
        texts.append((tmp_path / name / "injection.json").read_bytes())

    assert texts[0] == texts[1]


def test_fields_surface_and_film_are_kept(case: Path) -> None:
    array, geometry, *_ = load_nifti_array(case / "fields" / "L1-cement.nii.gz")

    held_ml = float(array.sum(dtype=np.float64)) * geometry.voxel_volume_mm3 / 1000.0
    assert held_ml == pytest.approx(1.5, rel=1e-3)
    assert (case / "stl" / "L1-cement.stl").stat().st_size > 1000
    with Image.open(case / "views" / "L1-injection.gif") as film:
        assert film.n_frames >= 3


def test_the_segmentation_is_strict_dicom(case: Path) -> None:
    verify = require_tool("dciodvfy", "apt-get install dicom3tools")

    done = subprocess.run(
        [str(verify), str(case / "dicom" / "cement.dcm")], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0
    assert "Error" not in done.stderr


def test_the_command_tells_what_happened(case: Path) -> None:
    told = CliRunner().invoke(
        app, ["inject", str(case), "--levels", "L1", "--volume-ml", "1", "--product", "high", "--json", "-q"]
    )

    assert told.exit_code == 0
    assert json.loads(told.stdout)["levels"]["L1"]["product"] == "high_viscosity"


def test_a_product_that_is_not_known_is_refused(case: Path) -> None:
    told = CliRunner().invoke(app, ["inject", str(case), "--product", "mortar", "-q"])

    assert told.exit_code == 1
    assert "generic" in told.stderr
