"""From CT to report through the command line, as a person would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from external_tools import require_tool
from real_data import real_data
from small_patient import small_phantom
from vertebro.reporting import validate_document
from vertebro.workflow.phantom_files import write_phantom

pytestmark = pytest.mark.e2e


def _vertebro(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("vertebro")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run on a phantom patient that came as DICOM."""
    root = tmp_path_factory.mktemp("e2e")
    write_phantom(root / "patient", small_phantom(), as_dicom=True)
    labels = root / "patient" / "labels.nii.gz"
    finished = _vertebro("run", root / "patient" / "dicom", "--labels", labels, "-o", root / "case")
    assert finished.returncode == 0, finished.stderr
    return root / "case"


def test_the_case_folder_holds_what_the_readme_says(case: Path) -> None:
    names = {path.relative_to(case).as_posix() for path in case.rglob("*") if path.is_file()}

    assert names >= {"manifest.json", "assessment.json", "report.html", "report.pdf"}
    assert any(name.startswith("figures/") for name in names)
    assert any(name.startswith("dicom/") for name in names)


def test_the_fracture_is_found_and_graded(case: Path) -> None:
    truth = small_phantom().truth.levels["L1"]
    levels = json.loads((case / "assessment.json").read_text())["levels"]

    worst = max(levels, key=lambda name: levels[name]["height_loss_percent"]["value"] or 0.0)
    loss = levels["L1"]["height_loss_percent"]
    assert worst == "L1"
    assert levels["L1"]["genant"]["shape"] == truth.genant_shape.value
    assert loss["lower"] <= truth.height_loss_percent <= loss["upper"]
    assert {levels[name]["genant"]["grade"] for name in ("T12", "L2")} == {0}


def test_the_json_fits_its_published_schemas(case: Path) -> None:
    for name in ("assessment", "manifest"):
        validate_document(json.loads((case / f"{name}.json").read_text()), name)


def test_the_dicom_objects_pass_an_independent_check(case: Path) -> None:
    dciodvfy = require_tool("dciodvfy", "apt-get install dicom3tools")
    objects = sorted((case / "dicom").glob("*.dcm"))

    assert len(objects) >= 2
    for path in objects:
        checked = subprocess.run([str(dciodvfy), str(path)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "Error" not in checked.stderr


def test_a_second_run_says_what_it_reused(case: Path) -> None:
    patient = case.parent / "patient"

    again = _vertebro("run", patient / "dicom", "--labels", patient / "labels.nii.gz", "-o", case)

    assert again.returncode == 0
    assert "reused: ct, segmentation, labels, assessment" in again.stderr


@pytest.mark.real_data
def test_the_real_fracture_is_the_worst_level(tmp_path: Path) -> None:
    ct = real_data("verse012-L1-fracture", "ct.nii.gz")
    labels = real_data("verse012-L1-fracture", "vertebrae.nii.gz")

    finished = _vertebro("assess", ct, "--labels", labels, "-o", tmp_path / "case", "--json", "--quiet")

    levels = json.loads(finished.stdout)["levels"]
    heights = {name: part["value"] for name, part in levels["L1"]["heights_mm"].items()}
    assert max(levels, key=lambda name: levels[name]["height_loss_percent"]["value"] or 0.0) == "L1"
    assert levels["L1"]["genant"]["grade"] >= 2
    assert levels["L1"]["cleft"]["present"] is True
    assert 21.0 <= heights["posterior"] <= 24.0
    assert 15.0 <= heights["middle"] <= 19.0
    assert 12.0 <= heights["anterior"] <= 17.5
    assert all((levels[name]["genant"]["grade"] or 0) <= 1 for name in ("T10", "T11", "T12", "L2"))
