"""Running a case: order, reuse, staleness, cancelling, failing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from small_patient import write_small_patient
from vertebro.assessment import AssessmentSettings
from vertebro.errors import Cancelled, InputError, ReadError
from vertebro.workflow import STAGES, RunOptions, rerun_case, run_case

UNTIL = ("assessment",)


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_small_patient(tmp_path_factory.mktemp("patient"))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case"


def _manifest(case: Path) -> dict:
    return json.loads((case / "manifest.json").read_text())


def test_every_stage_comes_after_what_it_needs() -> None:
    seen: set[str] = set()
    for stage in STAGES:
        assert set(stage.needs) <= seen
        seen.add(stage.name)


def test_a_run_leaves_a_complete_manifest(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient

    finished = run_case(ct, case, labels=labels, stages=UNTIL)

    manifest = _manifest(case)
    assert finished.ran == ("ct", "segmentation", "labels", "assessment")
    assert manifest["state"] == "complete"
    assert [item["role"] for item in manifest["inputs"]] == ["ct", "labels"]
    assert all((case / path).is_file() for stage in manifest["stages"] for path in stage["outputs"])


def test_a_second_run_reuses_everything(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient
    first = run_case(ct, case, labels=labels, stages=UNTIL)

    second = run_case(ct, case, labels=labels, stages=UNTIL)

    assert second.ran == ()
    assert second.reused == first.ran
    assert second.result("assessment").to_json() == first.result("assessment").to_json()


def test_two_cases_have_the_same_bytes(patient: tuple[Path, Path], tmp_path: Path) -> None:
    ct, labels = patient

    for name in ("a", "b"):
        run_case(ct, tmp_path / name, labels=labels, stages=UNTIL)

    a, b = tmp_path / "a", tmp_path / "b"
    assert (a / "assessment.json").read_bytes() == (b / "assessment.json").read_bytes()
    first, second = _manifest(a), _manifest(b)
    for manifest in (first, second):
        for stage in manifest["stages"]:
            del stage["started_utc"], stage["run_time_s"]
    assert first == second


def test_other_levels_run_the_assessment_again_only(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient
    run_case(ct, case, labels=labels, stages=UNTIL)

    second = run_case(ct, case, labels=labels, stages=UNTIL, options=RunOptions(levels=("L1",)))

    assert second.ran == ("assessment",)
    assert list(second.result("assessment").levels) == ["L1"]


def test_other_settings_are_recorded_and_run_again(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient
    run_case(ct, case, labels=labels, stages=UNTIL)
    settings = AssessmentSettings(genant_mild_percent=22.0)

    options = RunOptions(levels=("L1",), settings={"assessment": settings})
    second = run_case(ct, case, labels=labels, stages=UNTIL, options=options)

    assert "assessment" in second.ran
    assert second.manifest.stage("assessment").settings["genant_mild_percent"] == 22.0


def test_an_altered_file_is_made_again(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient
    run_case(ct, case, labels=labels, stages=UNTIL)
    (case / "assessment.json").write_text("{}")

    second = run_case(ct, case, labels=labels, stages=UNTIL)

    assert second.ran == ("assessment",)
    assert "levels" in json.loads((case / "assessment.json").read_text())


def test_results_of_another_ct_are_cleared_away(
    patient: tuple[Path, Path], case: Path, tmp_path: Path
) -> None:
    ct, labels = patient
    run_case(ct, case, labels=labels, stages=UNTIL)
    broken = tmp_path / "other.nii.gz"
    broken.write_bytes(b"not an image")

    with pytest.raises(InputError):
        run_case(broken, case, labels=labels, stages=UNTIL)

    assert not (case / "assessment.json").exists()
    assert _manifest(case)["state"] == "failed"
    assert _manifest(case)["stages"] == []


def test_cancelling_keeps_what_was_finished(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient

    def stop_at_assessment(fraction: float, text: str) -> None:
        if text.startswith("measuring"):
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run_case(ct, case, labels=labels, stages=UNTIL, progress=stop_at_assessment)

    manifest = _manifest(case)
    assert manifest["state"] == "cancelled"
    assert [stage["name"] for stage in manifest["stages"]] == ["ct", "segmentation", "labels"]
    resumed = run_case(ct, case, labels=labels, stages=UNTIL)
    assert resumed.reused == ("ct", "segmentation", "labels")


def test_the_keyboard_stops_a_run_cleanly(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient

    def press(fraction: float, text: str) -> None:
        if text.startswith("measuring"):
            raise KeyboardInterrupt

    with pytest.raises(Cancelled):
        run_case(ct, case, labels=labels, stages=UNTIL, progress=press)

    assert _manifest(case)["state"] == "cancelled"


def test_a_case_can_be_rerun_without_its_inputs(tmp_path: Path) -> None:
    ct, labels = write_small_patient(tmp_path / "patient")
    case = tmp_path / "case"
    run_case(ct, case, labels=labels, stages=UNTIL)
    (case / "assessment.json").unlink()
    ct.unlink()
    labels.unlink()

    again = rerun_case(case, stages=UNTIL)

    assert again.reused == ("ct", "segmentation", "labels")
    assert again.ran == ("assessment",)


def test_rerunning_keeps_the_settings_a_stage_was_made_with(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient
    options = RunOptions(settings={"assessment": AssessmentSettings(genant_mild_percent=22.0)})
    run_case(ct, case, labels=labels, stages=UNTIL, options=options)

    again = rerun_case(case, stages=UNTIL)

    assert again.ran == ()
    assert again.manifest.stage("assessment").settings["genant_mild_percent"] == 22.0


def test_a_case_whose_ct_is_damaged_says_so(patient: tuple[Path, Path], case: Path) -> None:
    ct, labels = patient
    run_case(ct, case, labels=labels, stages=UNTIL)
    (case / "state" / "ct.npz").write_bytes(b"short")

    with pytest.raises(ReadError) as caught:
        rerun_case(case, stages=UNTIL)

    assert caught.value.code == "case.damaged"


def test_a_case_inside_its_input_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(b"x")

    with pytest.raises(InputError) as caught:
        run_case(folder, folder / "case")

    assert caught.value.code == "case.inside_input"
    assert [path.name for path in folder.iterdir()] == ["a.dcm"]


def test_a_missing_ct_makes_no_folder(case: Path) -> None:
    with pytest.raises(ReadError) as caught:
        run_case("no/such/file", case)

    assert caught.value.code == "input.not_found"
    assert not case.exists()
