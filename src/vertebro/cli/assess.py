"""``vertebro assess``: measure and grade the levels of a CT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vertebro.cli.arguments import (
    CaseOption,
    ConventionOption,
    CtArgument,
    JsonOption,
    LabelsOption,
    LevelsOption,
    QuietOption,
    SeriesOption,
    parse_levels,
)
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json
from vertebro.cli.tables import show_assessment, show_findings
from vertebro.findings import Severity

if TYPE_CHECKING:
    from vertebro.workflow import CaseRun


def assess(
    ct: CtArgument,
    case: CaseOption,
    labels: LabelsOption = None,
    levels: LevelsOption = None,
    series: SeriesOption = None,
    label_convention: ConventionOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure heights, angles, density and grade of every level, into a case folder."""
    with errors_in_words(as_json=as_json):
        from vertebro.workflow import RunOptions, run_case

        options = RunOptions(series=series, label_convention=label_convention, levels=parse_levels(levels))
        with progress_shown(quiet=quiet) as progress:
            finished = run_case(
                ct, case, labels=labels, stages=("assessment",), options=options, progress=progress
            )
        if as_json:
            show_json(finished.result("assessment").to_json())
        else:
            show_assessment(finished.result("assessment"))
        say_what_was_done(finished)
        say(f"For the report: vertebro report {case}")


def say_what_was_done(finished: CaseRun) -> None:
    """Findings of images, spine and levels, and what was reused, on standard error."""
    assessment = finished.result("assessment")
    show_findings(
        (*finished.result("ct").findings, *finished.result("labels").findings, *assessment.findings)
    )
    for level in assessment.levels.values():
        show_findings(item for item in level.findings if item.severity is not Severity.INFO)
    if finished.reused:
        say(f"Still valid and reused: {', '.join(finished.reused)}.")
    say(f"Case folder: {finished.folder.root}")
