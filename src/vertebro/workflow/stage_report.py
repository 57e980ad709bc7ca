"""Stage ``report``: one page for a minute, then the details; HTML, PDF and figures."""

from __future__ import annotations

from pathlib import Path

from vertebro.assessment import AssessmentSettings
from vertebro.case import Manifest
from vertebro.fluoroscopy import FluoroscopySettings
from vertebro.io.case_folder import CaseFolder
from vertebro.planning import PlanSettings
from vertebro.progress import Progress
from vertebro.reporting import (
    CaseReport,
    ReportFacts,
    ReportSettings,
    compose_report,
    write_figures,
    write_html,
    write_pdf,
)
from vertebro.workflow.stages import Inputs, StageResult

HTML = "report.html"
PDF = "report.pdf"
FIGURES = "figures"


def run(inputs: Inputs, settings: ReportSettings, *, seed: int, progress: Progress) -> StageResult:  # noqa: ARG001
    """Compose the report of a case."""
    chosen = inputs["options"].settings
    manifest: Manifest = inputs["manifest"]
    facts = ReportFacts(
        case_id=manifest.inputs[0].sha256[:8],
        manifest=manifest,
        methods={
            "Measuring and grading": chosen.get("assessment") or AssessmentSettings(),
            "Planning": chosen.get("plan") or PlanSettings(),
            "Simulated X-rays": chosen.get("views") or FluoroscopySettings(),
        },
    )
    progress(0.2, "Drawing the levels")
    report = compose_report(
        inputs["ct"],
        inputs["assessment"],
        labels=inputs["labels"],
        plan=inputs["plan"],
        views=inputs["views"],
        injection=inputs["injection"],
        balloon=inputs["balloon"],
        mechanics=inputs["mechanics"],
        facts=facts,
        settings=settings,
    )
    progress(0.6, "Setting the pages")
    return StageResult(report)


def save(result: CaseReport, folder: CaseFolder) -> list[Path]:
    """Write page, PDF and figures."""
    with folder.replacing(HTML) as path:
        write_html(result, path)
    with folder.replacing(PDF) as path:
        write_pdf(result, path)
    figures = write_figures(result, folder.path(f"{FIGURES}/any").parent)
    return [Path(HTML), Path(PDF), *(Path(FIGURES) / figure.name for figure in figures)]


def load(folder: CaseFolder) -> Path:
    """Where the page lies."""
    return folder.path(HTML)
