"""What the report says: nothing left out, nothing said that was not measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reporting_cases import (
    CUT,
    cut_off,
    estimate,
    fracture_case,
    fractured,
    manifest,
    spine,
    with_level,
)
from vertebro.case import Estimate, FractureShape, GenantGrade, OfSuggestion, Severity
from vertebro.errors import InputError, SettingsError
from vertebro.findings import finding
from vertebro.reporting import ReportFacts, ReportSettings, compose_report
from vertebro.reporting.settings import ReportSettings as Settings

NBSP = "\u00a0"


def report_of(case, **options):
    volume, labels, assessment = case
    return compose_report(volume, assessment, labels=labels, **options)


def test_headline_names_the_worst_level():
    volume, labels, assessment = spine(("T11", "T12", "L1"))
    mild = replace(
        assessment.levels["T11"], genant_grade=GenantGrade.MILD, genant_shape=FractureShape.BICONCAVE
    )
    assessment = with_level(with_level(assessment, mild), fractured(assessment.levels["L1"]))

    report = report_of((volume, labels, assessment))

    assert report.headline.text == "L1: severe wedge fracture"
    assert report.headline.tone == "severe"
    assert (
        report.headline.detail == f"Height loss 45{NBSP}% (42–48); with a gas-filled cleft; also T11 (mild)."
    )
    assert [row.name for row in report.abnormal] == ["T11", "L1"]
    assert [block.name for block in report.blocks] == ["T11", "L1"]


def test_headline_takes_the_larger_loss_among_equal_grades():
    volume, labels, assessment = spine(("T12", "L1"))
    first, second = fractured(assessment.levels["T12"]), fractured(assessment.levels["L1"])
    second = replace(second, height_loss_percent=estimate(60.0, 2.0, "percent"))
    assessment = with_level(with_level(assessment, first), second)

    assert report_of((volume, labels, assessment)).headline.text.startswith("L1:")


def test_normal_spine_is_told_calmly():
    report = report_of(spine(("T12", "L1", "L2")))

    assert report.headline.text == "No fracture found at T12–L2"
    assert report.headline.tone == "normal"
    assert report.blocks == ()
    assert report.abnormal == ()
    assert report.statements == ("Graded: T12–L2 (3 levels).",)


def test_normal_spine_with_a_borderline_level_is_not_told_calmly():
    volume, labels, assessment = spine(("T12", "L1"))
    assessment = with_level(assessment, replace(assessment.levels["L1"], grade_is_certain=False))

    report = report_of((volume, labels, assessment))

    assert report.headline.text == "No clear fracture at T12, L1"
    assert "a mild fracture is not ruled out" in report.headline.detail
    assert report.statements[1].startswith("Borderline: L1.")
    assert report.levels[1].grade == "normal, borderline"


def test_cut_level_is_listed_and_not_graded():
    report = report_of(fracture_case())

    row = report.levels[2]
    assert row.name == "L2"
    assert row.grade == "cut by the field of view: not graded"
    assert row.tone == "ungraded"
    assert row.loss.value == "–"
    assert report.level_notes[row.loss.note - 1] == CUT
    assert "L2: cut by the field of view, not graded." in report.statements
    assert "L2" not in report.headline.text


def test_spine_without_a_gradable_level_says_so():
    volume, labels, assessment = spine(("L1",))
    assessment = with_level(assessment, cut_off(assessment.levels["L1"]))

    report = report_of((volume, labels, assessment))

    assert report.headline.text == "No level could be graded"
    assert report.headline.tone == "ungraded"
    assert report.profile == ""


def test_cleft_without_height_loss_is_abnormal():
    volume, labels, assessment = spine(("T12", "L1"))
    entry = assessment.levels["L1"]
    assessment = with_level(assessment, replace(entry, cleft=replace(entry.cleft, present=True)))

    report = report_of((volume, labels, assessment))

    assert report.headline.text == "L1: gas cleft without graded height loss"
    assert [block.name for block in report.blocks] == ["L1"]


def test_every_known_number_of_a_block_has_interval_and_basis_and_every_missing_one_a_reason():
    block = report_of(fracture_case()).blocks[0]

    numbers = [measure.number for group in block.groups for measure in group.measures]
    assert len(numbers) == 10
    assert all(number.basis for number in numbers)
    assert [bool(number.interval) for number in numbers] == [number.is_known for number in numbers]
    missing = [number for number in numbers if not number.is_known]
    assert [number.basis for number in missing] == ["nothing calibrates it"]


def test_grid_of_heights_shows_both_sides_and_what_was_expected():
    grid = report_of(fracture_case()).blocks[0].grids[0]

    assert grid.columns == ("Patient's right", "Midline", "Patient's left", "Expected, midline")
    assert [number.value for number in grid.rows[0].numbers] == [
        f"24.1{NBSP}mm",
        f"13.3{NBSP}mm",
        f"23.9{NBSP}mm",
        f"24.2{NBSP}mm",
    ]
    assert grid.notes == ("ruler",)


def test_notes_of_the_full_table_hold_each_numbers_basis():
    report = report_of(fracture_case())

    for row in report.levels:
        for number in (row.loss, row.anterior, row.wedge, row.kyphosis, row.core_hu):
            assert report.level_notes[number.note - 1] == number.basis
    assert len(set(report.level_notes)) == len(report.level_notes)


def test_findings_of_image_labels_spine_and_level_all_go_in_gravest_first_and_once():
    volume, labels, assessment = fracture_case()
    metal = finding("image.metal", "A rod.")
    assessment = replace(
        assessment,
        findings=(metal, finding("image.metal", "Looked at by hand.", severity=Severity.INFO)),
    )
    volume = volume.with_findings(metal)
    labels = labels.with_findings(
        finding("image.metal", "Do not use L2.", where="L2", severity=Severity.BLOCK)
    )
    level = replace(assessment.levels["L1"], findings=(finding("image.metal", "A screw.", where="L1"),))
    assessment = with_level(assessment, level)

    report = report_of((volume, labels, assessment))

    assert [(item.severity, item.message) for item in report.findings] == [
        ("block", "Do not use L2."),
        ("warn", "A rod."),
        ("warn", "A screw."),
        ("info", "Looked at by hand."),
    ]
    assert [item.message for item in report.alerts] == ["Do not use L2."]
    assert [item.message for item in report.key_findings] == ["A rod.", "A screw."]
    assert report.more_findings == "One more finding stands in the full list."
    assert [item.message for item in report.blocks[0].findings] == ["A screw."]
    assert report.findings[1].meaning.startswith("Metal brightens")
    assert report.findings[1].remedy.startswith("Read levels beside the metal")


def test_key_findings_are_limited_and_the_rest_counted():
    volume, labels, assessment = fracture_case()
    volume = volume.with_findings(*(finding("image.metal", f"Rod {n}.") for n in range(9)))

    report = compose_report(volume, assessment, labels=labels, settings=ReportSettings(n_key_findings=2))

    assert len(report.key_findings) == 2
    assert report.more_findings == "7 more findings stand in the full list."


def test_of_suggestion_says_what_is_still_needed():
    block = report_of(fracture_case()).blocks[0]

    assert block.of_type == "Suggested OF class: OF 4"
    assert block.of_still_needed == ("MRI with STIR.",)


@pytest.mark.parametrize(
    ("of_type", "said"), [("none", "OF class: none suggested"), ("undetermined", "OF class: not settled")]
)
def test_of_suggestion_that_is_none_reads_as_a_sentence(of_type, said):
    volume, labels, assessment = fracture_case()
    changed = replace(assessment.levels["L1"], of_suggestion=OfSuggestion(of_type, (), ()))

    assert report_of((volume, labels, with_level(assessment, changed))).blocks[0].of_type == said


def test_patient_facts_are_those_of_the_image():
    volume, labels, assessment = spine(("L1",))
    facts = replace(
        volume.facts, patient_name="Doe^Jane", patient_id="P1", birth_date="19450302", sex="F", age_years=80.9
    )

    report = report_of((replace(volume, facts=facts), labels, assessment))

    assert [(fact.name, fact.value) for fact in report.patient] == [
        ("Name", "Doe, Jane"),
        ("Patient ID", "P1"),
        ("Born", "1945-03-02"),
        ("Sex", "female"),
        ("Age", "80 years"),
    ]


def test_methods_show_each_setting_with_meaning_and_source():
    report = report_of(spine(("L1",)), facts=ReportFacts(methods={"Report again": Settings(slab_mm=3.0)}))

    table = report.settings[0]
    slab = next(row for row in table.settings if row.name == "slab_mm")
    assert table.title == "Report again"
    assert slab.value == "3 mm"
    assert slab.meaning.startswith("Thickness")
    assert slab.source.startswith("assumed")


def test_manifest_goes_in_whole():
    report = report_of(spine(("L1",)), facts=ReportFacts(manifest=manifest()))

    assert [(item.role, item.sha256) for item in report.inputs] == [("ct", "ab" * 32), ("labels", "cd" * 32)]
    assert [(item.name, item.seed) for item in report.stages] == [("assessment", "0")]
    assert ("vertebro", "9.8.7") in [(fact.name, fact.value) for fact in report.software]
    assert [(fact.name, fact.value) for fact in report.options] == [("label_convention", "verse")]


def test_figures_are_keyed_safely_whatever_a_level_is_called():
    volume, labels, assessment = spine(("../../x<y>",))
    assessment = with_level(assessment, fractured(assessment.levels["../../x<y>"]))

    report = report_of((volume, labels, assessment))

    assert sorted(report.figures) == [
        "01-xy-axial",
        "01-xy-coronal",
        "01-xy-sagittal",
        "height-profile",
        "overview",
    ]


def test_unknown_language_is_refused():
    with pytest.raises(InputError) as caught:
        report_of(spine(("L1",)), settings=ReportSettings(language="xx"))

    assert caught.value.code == "report.language"


def test_window_turned_around_is_refused():
    with pytest.raises(SettingsError):
        ReportSettings(window_low_hu=900.0, window_high_hu=100.0)


def test_estimate_in_an_unknown_unit_is_shown_with_that_unit():
    volume, labels, assessment = fracture_case()
    level = replace(assessment.levels["L1"], kyphosis_deg=Estimate(1.0, 0.5, 1.5, "furlong", "guess"))

    row = report_of((volume, labels, with_level(assessment, level))).abnormal[0]

    assert row.kyphosis.value == f"1.0{NBSP}furlong"
