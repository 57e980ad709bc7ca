"""The PDF report: the same words on paper, tagged, with its fonts, whatever the case is called."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import pytest

from external_tools import require_tool
from reporting_cases import fracture_case, fractured, manifest, spine, with_level
from vertebro.findings import finding
from vertebro.reporting import ReportFacts, compose_report, pdf_from_report, write_pdf

INSTALL = "apt-get install poppler-utils"
HOSTILE = '#panic("x") *bold* $x^2$ `raw` @ref <label> \\ [ ] = // "q" <b>\x07'
SHOWN = '#panic("x") *bold* $x^2$ `raw` @ref <label> \\ [ ] = // "q" <b>'


def poppler(tool: str, *arguments: str) -> str:
    program = require_tool(tool, INSTALL)
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def report_of(case, **options):
    volume, labels, assessment = case
    return compose_report(volume, assessment, labels=labels, **options)


def words(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    report = report_of(fracture_case(), facts=ReportFacts("case-7", "2026-01-02", manifest()))
    return write_pdf(report, tmp_path_factory.mktemp("pdf") / "report.pdf")


def test_pdf_is_tagged_a4_titled_and_dated_as_told(pdf):
    info = poppler("pdfinfo", str(pdf))

    assert re.search(r"Tagged:\s+yes", info)
    assert re.search(r"Page size:.*A4", info)
    assert re.search(r"Title:\s+Vertebral fracture report", info)
    assert re.search(r"CreationDate:\s+Fri Jan  2", info)


def test_every_font_is_embedded(pdf):
    rows = poppler("pdffonts", str(pdf)).splitlines()[2:]

    assert rows
    assert all(re.search(r"\syes\s+(yes|no)\s+(yes|no)\s+\d+\s+\d+$", row) for row in rows)


def test_pdf_holds_levels_numbers_findings_hashes(pdf):
    text = words(poppler("pdftotext", "-layout", str(pdf), "-"))

    for part in (
        "L1: severe wedge fracture",
        "Height loss 45 % (42–48); with a gas-filled cleft.",
        "13.3 mm",
        "12.8–13.8",
        "T12 keeps its height.",
        "L2: cut by the field of view, not graded.",
        "nothing calibrates it",
        "MRI with STIR.",
        "case-7",
        "9.8.7",
    ):
        assert part in text
    assert "ab" * 16 in text


def test_pdf_says_once_that_it_is_no_device(pdf):
    assert words(poppler("pdftotext", str(pdf), "-")).count("Not a certified medical device") == 1


def test_first_page_is_the_summary_and_pages_are_counted(pdf):
    count = int(re.search(r"Pages:\s+(\d+)", poppler("pdfinfo", str(pdf))).group(1))
    pages = [
        words(poppler("pdftotext", "-f", str(n), "-l", str(n), str(pdf), "-")) for n in range(1, count + 1)
    ]

    assert 3 <= count <= 6
    assert "Not a certified medical device" in pages[0]
    assert "Level by level" in pages[1]
    assert [f"page {n} of {count}" in page for n, page in enumerate(pages, start=1)] == [True] * count
    assert all("Case case-7" in page for page in pages)


def test_summary_of_a_long_and_broken_spine_stays_on_one_page(tmp_path):
    names = tuple([f"T{n}" for n in range(4, 13)] + [f"L{n}" for n in range(1, 6)])
    volume, labels, assessment = spine(names, spacing_mm=3.0)
    for name in ("T6", "T9", "T12", "L2", "L4"):
        assessment = with_level(assessment, fractured(assessment.levels[name]))
    volume = volume.with_findings(*(finding("image.metal", f"Rod {n} near the spine.") for n in range(9)))

    path = write_pdf(report_of((volume, labels, assessment)), tmp_path / "r.pdf")

    first = words(poppler("pdftotext", "-f", "1", "-l", "1", str(path), "-"))
    assert "Not a certified medical device" in first
    assert "3 more findings stand in the full list." in first


def test_hostile_words_are_set_as_they_are(tmp_path):
    volume, labels, assessment = spine(("L1", HOSTILE))
    level = replace(
        fractured(assessment.levels[HOSTILE]),
        summary=HOSTILE,
        findings=(finding("image.metal", HOSTILE, where=HOSTILE),),
    )
    facts = replace(volume.facts, patient_name=HOSTILE, series_description=HOSTILE)
    case = (replace(volume, facts=facts), labels, with_level(assessment, level))

    path = write_pdf(report_of(case, facts=ReportFacts(HOSTILE, "not a date")), tmp_path / "r.pdf")

    assert words(poppler("pdftotext", "-layout", str(path), "-")).count(SHOWN) > 4


def test_name_in_another_script_is_no_error(tmp_path):
    volume, labels, assessment = spine(("L1",))
    facts = replace(volume.facts, patient_name="Müller^Žofia=山田^太郎=やまだ^たろう")

    path = write_pdf(report_of((replace(volume, facts=facts), labels, assessment)), tmp_path / "r.pdf")

    assert "Müller, Žofia" in words(poppler("pdftotext", str(path), "-"))


def test_equal_reports_are_equal_bytes():
    facts = ReportFacts("case-7", "2026-01-02", manifest())

    assert pdf_from_report(report_of(fracture_case(), facts=facts)) == pdf_from_report(
        report_of(fracture_case(), facts=facts)
    )


@pytest.mark.parametrize("names", [("L1",), ("T12", "L1", "L2")])
def test_normal_spine_has_a_report_without_level_details(names, tmp_path):
    path = write_pdf(report_of(spine(names)), tmp_path / "r.pdf")

    text = words(poppler("pdftotext", str(path), "-"))
    assert "No fracture found at" in text
    assert "Level by level" not in text
