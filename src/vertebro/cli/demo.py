"""``vertebro demo``: the main job on a made-up patient, from CT to report."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from vertebro.cli.arguments import QuietOption
from vertebro.cli.console import errors_in_words, progress_shown, say, show
from vertebro.cli.tables import show_assessment


def demo(
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to write it.")] = Path(
        "demo-output"
    ),
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in the web browser.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Make a phantom patient with a fracture, run every stage on it, and show the report."""
    with errors_in_words():
        from vertebro.phantoms import Fracture, PhantomSettings, make_phantom
        from vertebro.progress import scaled
        from vertebro.workflow import run_case
        from vertebro.workflow.phantom_files import DICOM, LABELS, write_phantom

        patient = folder / "patient"
        settings = PhantomSettings(
            fractures=(
                Fracture("L1", "wedge", 38.0, cleft=True, retropulsion_mm=2.5),
                Fracture("T11", "biconcave", 23.0),
            ),
            trabecular_bmd_mg_cc=70.0,
        )
        with progress_shown(quiet=quiet) as progress:
            made = make_phantom(settings, progress=scaled(progress, 0.0, 0.3))
            progress(0.3, "writing the patient's CT as DICOM")
            write_phantom(patient, made, as_dicom=True)
            finished = run_case(
                patient / DICOM, folder / "case", labels=patient / LABELS, progress=scaled(progress, 0.4, 1.0)
            )
        show_assessment(finished.result("assessment"))
        page = (folder / "case" / "report.html").resolve()
        show(f"Report: {page.as_uri()}")
        show(f"        {page.with_suffix('.pdf')}")
        if open_report and not webbrowser.open(page.as_uri()):
            say("No web browser could be started here; open the address above.")
