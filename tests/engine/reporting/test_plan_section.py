"""The plan in the report: what was planned is what is told and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reporting_cases import fracture_case
from vertebro.case import (
    Approach,
    CArmPose,
    ClinicalContext,
    Estimate,
    LevelPlan,
    NeedlePath,
    Picture,
    Placement,
    PlacementStage,
    PlacementStep,
    PlanView,
    PlanViews,
    ProcedureAdvice,
    ProcedureAdviceKind,
    Reason,
    Side,
    TreatmentPlan,
    ViewDose,
    ViewKind,
    finding,
)
from vertebro.geometry import apply_affine
from vertebro.reporting import compose_report, html_from_report, pdf_from_report
from vertebro.reporting.needle_pictures import needle_section
from vertebro.reporting.settings import ReportSettings

MARGINS = {
    "medial": 2.1,
    "lateral": 3.2,
    "superior": 4.3,
    "inferior": None,
    "canal": 2.6,
    "foramen": 5.2,
    "anterior_wall": 6.5,
    "superior_endplate": 7.4,
    "inferior_endplate": 8.1,
    "cleft": None,
}


def path_of(level, side, *, skin=True):
    """A needle from behind and outside to the middle of the body; local right is the patient's right."""
    out = 1.0 if side is Side.RIGHT else -1.0
    local = {"skin": (34, -70, 6), "entry": (20, -32, 3), "isthmus": (14, -18, 1), "target": (3, 8, -2)}
    lps = {
        name: apply_affine(level.lps_from_vertebra, np.array([out * x, y, z], float))
        for name, (x, y, z) in local.items()
    }
    return NeedlePath(
        side=side,
        approach=Approach.TRANSPEDICULAR,
        device="11 G cannula",
        access="bipedicular",
        recommended=True,
        entry_skin_lps_mm=lps["skin"] if skin else None,
        entry_bone_lps_mm=lps["entry"],
        isthmus_lps_mm=lps["isthmus"],
        target_lps_mm=lps["target"],
        margins_mm=MARGINS,
        tightest="medial",
        tightest_lps_mm=lps["isthmus"],
        gertzbein_robbins="B",
        axial_angle_deg=23.0,
        sagittal_angle_deg=-7.0,
        end_on_view_deg=(0.0, 0.0),
        length_tissue_mm=41.5 if skin else None,
        length_bone_mm=44.0,
        tolerance_deg=2.5,
        tolerance_mm=1.5,
        pedicle_width_mm=9.0,
        pedicle_height_mm=14.0,
        score=1.0,
        traded=("a longer way through muscle",),
    )


def level_plan(level, access="bipedicular"):
    advice = ProcedureAdvice(
        ProcedureAdviceKind.EITHER, (Reason("either", "Both would do.", "Smith 2020"),), ("An MRI.",)
    )
    note = finding("plan.skin_outside_scan", f"{level.name} right: skin unknown.", where=level.name)
    paths = (path_of(level, Side.LEFT), path_of(level, Side.RIGHT, skin=False))
    cement = Estimate(4.0, 3.0, 5.0, "ml", "a share of the body")
    return LevelPlan(level.name, advice, cement, paths, access, "two reach more", (note,))


def pictures(plan):
    """Views whose columns run to the patient's left and rows to the feet, 2 pixels to the mm."""
    matrix = np.array([[2.0, 0, 0, 80], [0, 0, -2.0, 40], [0, 0, 0, 1.0]])
    picture = Picture(np.full((160, 160), 120, np.uint8), matrix)
    pose, dose = CArmPose(180.0, -12.6, (0.0, 0.0, 0.0)), ViewDose(0.1, 0.1, 1.0, 80.0, 30.0)
    view = PlanView("L1", ViewKind.AP, None, picture, pose, "mobile_c_arm", 0.5, ("L", "F"), 80.0, dose)
    barrel = replace(view, kind=ViewKind.BARREL, side=Side.LEFT)
    tips = plan.best("left")
    steps = tuple(
        PlacementStep(stage, tip, depth, gap, wall, hour, picture, picture)
        for stage, tip, depth, gap, wall, hour in (
            (PlacementStage.ENTRY, tips.entry_bone_lps_mm, 0.0, 11.0, 20.0, 2),
            (PlacementStage.PEDICLE, tips.isthmus_lps_mm, 15.0, 6.0, 5.0, None),
            (PlacementStage.WALL, tips.isthmus_lps_mm, 20.0, -1.5, 0.0, None),
            (PlacementStage.FINAL, tips.target_lps_mm, 44.0, -4.0, -24.0, None),
        )
    )
    return PlanViews({"L1": (view, barrel)}, (Placement("L1", Side.LEFT, steps, None, None),))


@pytest.fixture(scope="module")
def case():
    volume, labels, assessment = fracture_case()
    levels = {name: level_plan(level) for name, level in assessment.levels.items()}
    plan = TreatmentPlan(levels, ClinicalContext())
    return volume, labels, assessment, plan, pictures(levels["L1"])


@pytest.fixture(scope="module")
def report(case):
    volume, labels, assessment, plan, views = case
    return compose_report(volume, assessment, labels=labels, plan=plan, views=views)


def numbers(block):
    return {row.name: [number.value for number in row.numbers] for row in block.needles.rows}


def test_only_the_abnormal_level_has_a_plan_told(report):
    assert [block.level for block in report.plans] == ["L1"]


def test_first_page_has_the_plan_in_one_line(report):
    said = report.plan_line.replace("\u00a0", " ")
    assert said.startswith(
        "Plan for L1: vertebroplasty or balloon kyphoplasty; two needles (left 11 G and right 11 G)"
    )
    assert "cement 3.0–5.0 mL" in said


def test_advice_comes_with_reasons_sources_and_what_is_missing(report):
    (block,) = report.plans
    assert [(reason.text, reason.source) for reason in block.reasons] == [("Both would do.", "Smith 2020")]
    assert block.still_needed == ("An MRI.",)


def test_margins_are_the_plans_and_missing_ones_are_explained(report):
    (block,) = report.plans
    told = numbers(block)
    assert told["To the inner (medial) wall"] == ["2.1\u00a0mm", "2.1\u00a0mm"]
    assert told["Tip to the front wall"] == ["6.5\u00a0mm", "6.5\u00a0mm"]
    assert told["To the lower wall"] == ["–", "–"]
    assert told["Skin to bone"] == ["41.5\u00a0mm", "–"]
    assert len(block.needles.notes) == 2
    assert block.needles.columns == ("Left needle", "Right needle")


def test_one_needle_is_enough_and_the_other_is_an_alternative(case):
    volume, labels, assessment, plan, views = case
    one = replace(plan.levels["L1"], access="unipedicular")
    changed = replace(plan, levels={**plan.levels, "L1": one})
    report = compose_report(volume, assessment, labels=labels, plan=changed, views=views)
    assert report.plans[0].needles.columns == ("Left needle", "Right needle (alternative)")
    assert "one needle (left 11 G)" in report.plan_line


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("view", ["axial", "sagittal"])
def test_sections_contain_the_needle_and_keep_the_sides(case, side, view):
    _, _, assessment, plan, _ = case
    level, path = assessment.levels["L1"], plan.levels["L1"].best(side)
    section = needle_section(level, path, view, ReportSettings())
    ends = np.stack([path.entry_bone_lps_mm, path.target_lps_mm])
    assert np.allclose((ends - section.centre_lps_mm) @ section.normal_lps, 0.0, atol=1e-6)
    right, anterior, superior = level.lps_from_vertebra[:3, :3].T
    if view == "axial":
        assert section.rightwards_lps @ right == pytest.approx(-1.0)
        assert section.downwards_lps @ anterior < -0.5
    else:
        assert section.downwards_lps @ superior == pytest.approx(-1.0)
        assert section.rightwards_lps @ anterior < -0.5


def test_each_needle_has_two_sections_and_the_views_follow(report):
    (block,) = report.plans
    assert len(block.sections) == 4
    assert [report.figures[key].caption for key in block.views] == ["AP", "down the left needle"]
    words = [shape.words for shape in report.figures[block.views[0]].shapes if hasattr(shape, "words")]
    assert {"R", "L", "S", "I", "AP CAU 13"} <= set(words)


def test_steps_say_what_the_views_show_and_warn_before_the_wall(report):
    (step,) = report.plans[0].steps
    entry, pedicle, wall, final = (sentence.replace("\u00a0", " ") for sentence in step.sentences)
    assert "2 o'clock (upper outer)" in entry
    assert "still 6.0 mm to the outer side" in pedicle
    assert "already crossed" in wall
    assert "stop here" in wall
    assert "24.0 mm in front of the back wall, 6.5 mm behind the front wall" in final
    assert "stop here" not in final


def test_findings_of_the_plan_join_the_list_once_and_only_of_told_levels(report):
    told = [item.message for item in report.findings if item.code == "plan.skin_outside_scan"]
    assert told == ["L1 right: skin unknown."]


def test_findings_of_the_views_join_the_list_once(case):
    volume, labels, assessment, plan, views = case
    note = finding("view.unreachable", "L1: the arm ends before this pose.", where="L1")
    noted = {
        name: tuple(replace(view, findings=(note,)) for view in taken) for name, taken in views.levels.items()
    }

    report = compose_report(
        volume, assessment, labels=labels, plan=plan, views=PlanViews(noted, views.placements)
    )

    assert [item.message for item in report.findings if item.code == "view.unreachable"] == [note.message]


def test_the_needles_to_place_are_drawn_in_three_dimensions(report):
    (block,) = report.plans
    assert [key.rsplit("-", 1)[-1] for key in block.solids] == ["behind", "oblique", "side"]
    assert all(report.figures[key].description for key in block.solids)


def test_page_and_pdf_show_it(report):
    page = html_from_report(report)
    assert "Smith 2020" in page
    assert page.count("<svg") == len(report.figures)
    assert pdf_from_report(report)[:5] == b"%PDF-"


def test_without_a_plan_nothing_is_said_of_one(case):
    volume, labels, assessment, _, _ = case
    report = compose_report(volume, assessment, labels=labels)
    assert (report.plan_line, report.plans) == ("", ())
    assert 'id="plan-head"' not in html_from_report(report)


def test_a_plan_without_pictures_or_labels_is_still_told(case):
    volume, _, assessment, plan, _ = case
    (block,) = compose_report(volume, assessment, plan=plan).plans
    assert (block.views, block.steps) == ((), ())
    assert len(block.sections) == 4
