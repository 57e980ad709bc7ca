"""``vertebro run``: every stage that exists, from CT to report."""

from __future__ import annotations

from dataclasses import replace

from vertebro.cli.arguments import (
    AgeOption,
    CaseOption,
    ConventionOption,
    CtArgument,
    JsonOption,
    LabelsOption,
    LevelsOption,
    OedemaOption,
    QuietOption,
    SeriesOption,
    TumourOption,
    parse_levels,
    told_context,
)
from vertebro.cli.assess import say_what_was_done
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json
from vertebro.cli.tables import show_assessment


def run(
    ct: CtArgument,
    case: CaseOption,
    labels: LabelsOption = None,
    levels: LevelsOption = None,
    series: SeriesOption = None,
    label_convention: ConventionOption = None,
    fracture_age_days: AgeOption = None,
    oedema: OedemaOption = None,
    tumour: TumourOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run every stage on a CT: assessment, plan, DICOM objects, report."""
    with errors_in_words(as_json=as_json):
        from vertebro.numerics import warm_up_in_background
        from vertebro.workflow import RunOptions, run_case

        warm_up_in_background()  # while the CT is read and measured

        options = RunOptions(series=series, label_convention=label_convention, levels=parse_levels(levels))
        options = replace(options, context=told_context(options.context, fracture_age_days, oedema, tumour))
        with progress_shown(quiet=quiet) as progress:
            finished = run_case(ct, case, labels=labels, options=options, progress=progress)
        if as_json:
            show_json(finished.result("assessment").to_json())
        else:
            show_assessment(finished.result("assessment"))
        say_what_was_done(finished)
        say(f"Report: {finished.folder.root / 'report.html'} and report.pdf")
