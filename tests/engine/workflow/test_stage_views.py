"""Stage ``views`` and ``vertebro view``: right pictures of the right level, the same every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from small_patient import write_small_patient
from vertebro.case import GenantGrade, Side, ViewKind
from vertebro.cli.main import app
from vertebro.errors import SettingsError
from vertebro.fluoroscopy import FluoroscopySettings
from vertebro.workflow import RunOptions, rerun_case, run_case
from vertebro.workflow.view_poses import (
    frontal_pose,
    lateral_pose,
    level_to_view,
    parse_barrel,
    target_levels,
)

SMALL = {"views": FluoroscopySettings(n_rows=256, n_columns=256)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    ct, labels = write_small_patient(tmp_path_factory.mktemp("patient"))
    case = tmp_path_factory.mktemp("run") / "case"
    return run_case(ct, case, labels=labels, stages=("views",), options=RunOptions(settings=SMALL))


def test_only_the_fractured_level_is_viewed(run):
    views = run.result("views")
    assert list(views.levels) == ["L1"]
    kinds = [(view.kind, view.side) for view in views.levels["L1"]]
    assert kinds == [
        (ViewKind.AP, None),
        (ViewKind.LATERAL, None),
        (ViewKind.BARREL, Side.LEFT),
        (ViewKind.BARREL, Side.RIGHT),
    ]


def test_needles_are_dark_where_the_plan_says(run):
    plan = run.result("plan").levels["L1"]
    for view in run.result("views").levels["L1"][:2]:
        for path in plan.needles:
            middle = (path.entry_bone_lps_mm + path.target_lps_mm) / 2
            column, row = np.rint(view.picture.project(middle)).astype(int)
            assert view.picture.pixels[row, column] < 40


def test_end_on_a_needle_is_a_point(run):
    plan = run.result("plan").levels["L1"]
    for view in run.result("views").levels["L1"][2:]:
        path = plan.best(view.side)
        ends = view.picture.project(np.stack([path.entry_bone_lps_mm, path.target_lps_mm]))
        assert np.linalg.norm(ends[0] - ends[1]) * view.pixel_at_isocentre_mm < 0.1


def test_left_needle_is_on_the_right_of_ap(run):
    view = run.result("views").levels["L1"][0]
    plan = run.result("plan").levels["L1"]
    columns = {side: view.picture.project(plan.best(side).isthmus_lps_mm)[0] for side in Side}
    assert columns[Side.LEFT] > columns[Side.RIGHT]
    assert view.orientation == ("L", "F")


def test_steps_show_the_tip_at_its_place(run):
    (first, *_) = run.result("views").placements
    for step in first.steps:
        for picture in (step.ap, step.lateral):
            place = picture.project(step.tip_lps_mm)
            assert np.all(place >= 0)
            assert np.all(place < picture.pixels.shape[0])


def test_files_are_written_and_carry_the_patients_directions(run):
    root = run.folder.root
    assert sorted(path.name for path in (root / "views").iterdir()) == [
        "L1-ap.png",
        "L1-barrel-left.png",
        "L1-barrel-right.png",
        "L1-lateral.png",
    ]
    lateral = pydicom.dcmread(root / "dicom" / "view-L1-lateral.dcm")
    assert list(lateral.PatientOrientation) == ["P", "F"]


def test_the_same_case_gives_the_same_pictures_and_keeps_them(run, tmp_path):
    inputs = {item.role: item.path for item in run.manifest.inputs}
    again = run_case(
        inputs["ct"], tmp_path / "again", labels=inputs["labels"], stages=("views",),
        options=RunOptions(settings=SMALL),
    )  # fmt: skip
    first, second = (found.manifest.stage("views").outputs for found in (run, again))
    assert first == second
    assert "views" in rerun_case(again.folder.root, stages=("views",), settings=SMALL).reused


def test_a_named_level_is_viewed_too_the_worst_first(run):
    assessment = run.result("assessment")
    named = [level.name for level in target_levels(assessment, ("T12",))]
    assert named == ["L1", "T12"]


def test_a_healthy_spine_gets_no_views(run):
    assessment = run.result("assessment")
    healthy = {
        name: replace(level, genant_grade=GenantGrade.NORMAL, cleft=replace(level.cleft, present=False))
        for name, level in assessment.levels.items()
    }
    calm = replace(assessment, levels=healthy)
    assert target_levels(calm) == ()
    assert level_to_view(calm, None).name == "L1"


def test_square_poses_look_along_the_levels_own_axes(run):
    level = run.result("assessment").levels["L1"]
    right, anterior, _ = level.lps_from_vertebra[:3, :3].T
    assert np.allclose(frontal_pose(level).towards_detector_lps, -anterior, atol=1e-9)
    assert np.allclose(lateral_pose(level).towards_detector_lps, -right, atol=1e-9)


@pytest.mark.parametrize("text", ["barrel", "barrel:up", "barrel:L1:left:x", "barrels:left"])
def test_a_barrel_without_a_side_is_refused(text):
    with pytest.raises(SettingsError) as refused:
        parse_barrel(text)
    assert refused.value.code == "view.pose"


def _view(run, *options):
    return CliRunner().invoke(app, ["view", str(run.folder.root), "--quiet", "--size", "512", *options])


def test_view_writes_a_picture_down_the_needle(run, tmp_path):
    picture = tmp_path / "left.png"
    result = _view(run, "--pose", "barrel:L1:left", "--needles", "-o", str(picture))
    assert result.exit_code == 0, result.output
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert "LPO" in result.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--pose", "upside down"), "view.pose"),
        (("--level", "L5"), "view.level"),
        (("--pose", "barrel:L5:left"), "view.level"),
        (("--c-arm", "none"), "device.unknown"),
        (("--size", "100"), "view.size"),
    ],
)
def test_view_says_what_it_cannot_do(run, tmp_path, options, code):
    result = _view(run, "-o", str(tmp_path / "x.png"), *options)
    assert result.exit_code in (1, 2)
    assert code in result.stderr
    assert not (tmp_path / "x.png").exists()


def test_view_of_no_case_and_into_no_folder(run, tmp_path):
    missing = CliRunner().invoke(app, ["view", str(tmp_path), "-o", str(tmp_path / "x.png")])
    assert (missing.exit_code, "case.not_found" in missing.stderr) == (1, True)
    nowhere = _view(run, "-o", str(Path(tmp_path / "gone" / "x.png")))
    assert (nowhere.exit_code, "view.not_writable" in nowhere.stderr) == (1, True)
