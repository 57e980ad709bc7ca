"""A bare CT through the stages: found, named, corrected, taken back, or handed to another program."""

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from small_patient import small_phantom, write_small_patient
from vertebro.errors import Cancelled, InputError
from vertebro.io.nifti import load_nifti_array, save_nifti
from vertebro.workflow import RunOptions, rerun_case, run_case
from vertebro.workflow.external_segmenter import Segmenter, chosen_segmenter, run_segmenter

BUILT_IN = RunOptions(segmenter="builtin", corrections=("lowest L2",))


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_small_patient(tmp_path_factory.mktemp("patient"))


@pytest.fixture(scope="module")
def case(patient: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small patient's bare CT, segmented, named and assessed."""
    folder = tmp_path_factory.mktemp("bare") / "case"
    run_case(patient[0], folder, stages=("assessment",), options=BUILT_IN)
    return folder


@pytest.mark.slow
def test_a_bare_ct_is_segmented_and_assessed(case: Path) -> None:
    finished = rerun_case(case, stages=("assessment",))

    assert finished.ran == ()
    assert list(finished.result("assessment").levels) == ["T12", "L1", "L2"]
    assert {path.name for path in (case / "segmentation").iterdir()} == {
        "labels.nii.gz",
        "subregions.nii.gz",
        "canal.nii.gz",
        "skin.nii.gz",
        "confidence.nii.gz",
    }


@pytest.mark.slow
def test_corrections_are_kept_with_the_case_and_can_be_taken_back(case: Path) -> None:
    finished = rerun_case(case, stages=("labels",), corrections=("lowest L4",))
    renamed = list(finished.result("segmentation").levels)
    back = rerun_case(case, stages=("labels",), corrections=("lowest L2",))

    assert renamed == ["L2", "L3", "L4"]
    assert finished.manifest.options["corrections"] == ["lowest L4"]
    assert list(back.result("labels").names.values()) == ["T12", "L1", "L2"]


@pytest.mark.slow
def test_the_state_that_is_kept_is_the_state_that_was_made(case: Path) -> None:
    made = rerun_case(case, stages=("labels",), corrections=("lowest L2",)).result("segmentation")

    loaded = rerun_case(case, stages=("labels",)).result("segmentation")

    np.testing.assert_array_equal(loaded.labels.labels, made.labels.labels)
    assert loaded.to_json() == made.to_json()


def test_labels_given_later_replace_what_was_found(patient: tuple[Path, Path], tmp_path: Path) -> None:
    ct, labels = patient

    with_labels = run_case(ct, tmp_path / "case", labels=labels, stages=("labels",))

    assert with_labels.result("segmentation") is None
    assert "segmentation" in with_labels.ran
    without = run_case(ct, tmp_path / "case", stages=("labels",), options=BUILT_IN)
    assert {"segmentation", "labels"} <= set(without.ran)
    assert without.result("segmentation") is not None


def test_water_has_no_vertebrae_and_says_so(tmp_path: Path) -> None:
    volume = small_phantom().volume
    path = tmp_path / "water.nii.gz"
    save_nifti(path, np.where(volume.hu > -500, np.int16(0), np.int16(-1000)), volume.geometry)

    with pytest.raises(InputError) as caught:
        run_case(path, tmp_path / "case", stages=("assessment",), options=RunOptions(segmenter="builtin"))

    assert caught.value.code == "labels.none_found"


def _program(folder: Path, body: str) -> str:
    script = folder / "segmenter.py"
    script.write_text(f"#!{sys.executable}\nimport sys, shutil, time\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return f"{script} {{ct}} {{labels}}"


def test_another_program_is_called_and_its_labels_are_read(
    patient: tuple[Path, Path], tmp_path: Path
) -> None:
    ct, labels = patient
    command = _program(
        tmp_path, f"assert open(sys.argv[1], 'rb').read(2)\nshutil.copy({str(labels)!r}, sys.argv[2])"
    )

    finished = run_case(ct, tmp_path / "case", stages=("labels",), options=RunOptions(segmenter=command))

    assert list(finished.result("labels").names.values()) == ["T12", "L1", "L2"]
    assert finished.result("segmentation") is None


def test_a_program_that_fails_is_quoted(patient: tuple[Path, Path], tmp_path: Path) -> None:
    command = _program(tmp_path, "print('no weights here')\nsys.exit(3)")

    with pytest.raises(InputError, match="code 3 and said: no weights here"):
        run_case(patient[0], tmp_path / "case", stages=("labels",), options=RunOptions(segmenter=command))


def test_a_program_that_is_cancelled_is_stopped(tmp_path: Path) -> None:
    command = tuple(_program(tmp_path, "time.sleep(60)").split())

    def stop(share: float, words: str) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run_segmenter(Segmenter("sleeper", command), small_phantom().volume, stop)


def test_statistics_of_other_programs_are_switched_off(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    place = "os.environ['TOTALSEG_HOME_DIR'] + '/config.json'"
    body = f"import os\nshutil.copy({place}, {str(kept)!r})\nsys.exit(1)"
    command = tuple(_program(tmp_path, body).split())

    with pytest.raises(InputError):
        run_segmenter(Segmenter("asker", command), small_phantom().volume)

    assert '"send_usage_stats": false' in kept.read_text()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("my-net", "{ct}"),
        ("no-such-program-at-all {ct} {labels}", "not found"),
        ("totalsegmentator", "weights|not installed"),
    ],
)
def test_what_cannot_be_run_says_what_to_do(asked: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        chosen_segmenter(asked, tmp_path)


def test_automatic_means_built_in_where_nothing_else_is(tmp_path: Path) -> None:
    assert chosen_segmenter("auto", tmp_path) is None


def test_labels_written_are_labels_read(case: Path) -> None:
    stored = load_nifti_array(case / "segmentation" / "labels.nii.gz")[0]

    assert set(np.unique(stored)) - {0} == {19, 20, 21}
