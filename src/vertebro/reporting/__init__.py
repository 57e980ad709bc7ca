"""From an assessment to a report a radiologist wants to read: HTML, PDF, figures and JSON.

:func:`compose_report` decides what is said; :func:`write_html`, :func:`write_pdf` and
:func:`write_figures` set it; the ``*_json`` functions give the same results to
other programs, checked against the published schemas. Nothing here needs a network or reads a clock.
"""

from vertebro.reporting.compose import ReportFacts, compose_report
from vertebro.reporting.content import CaseReport
from vertebro.reporting.documents import (
    assessment_json,
    balloon_json,
    injection_json,
    json_text,
    load_schema,
    manifest_json,
    mechanics_json,
    plan_json,
    validate_document,
    write_json,
)
from vertebro.reporting.html import html_from_report, write_html
from vertebro.reporting.pdf import pdf_from_report, write_figures, write_pdf
from vertebro.reporting.settings import ReportSettings

__all__ = [
    "CaseReport",
    "ReportFacts",
    "ReportSettings",
    "assessment_json",
    "balloon_json",
    "compose_report",
    "html_from_report",
    "injection_json",
    "json_text",
    "load_schema",
    "manifest_json",
    "mechanics_json",
    "pdf_from_report",
    "plan_json",
    "validate_document",
    "write_figures",
    "write_html",
    "write_json",
    "write_pdf",
]
