"""``vertebro segment``: find the vertebrae in a CT, and correct what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vertebro.cli.arguments import JsonOption, QuietOption, SeriesOption
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json
from vertebro.cli.tables import show_findings

if TYPE_CHECKING:
    from vertebro.case.segmentation import SpineSegmentation
    from vertebro.workflow import CaseRun

TargetArgument = Annotated[
    Path,
    typer.Argument(metavar="CT|CASE", help="A CT to segment, or the case folder of one to correct."),
]
SegmentCaseOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="CASE", help="Case folder for a CT: new, empty, or of an earlier run."
    ),
]
ClickOption = Annotated[
    list[str] | None,
    typer.Option(
        "--click",
        metavar="WORDS",
        help="A correction; may be repeated. One of: 'name L1 x,y,z', 'lowest L5', 'highest T10', "
        "'add x,y,z', 'remove x,y,z', 'merge x,y,z x,y,z', 'split x,y,z', 'disc x,y,z x,y,z', "
        "'paint L1 x,y,z radius', 'erase x,y,z radius'. Positions are LPS millimetres.",
    ),
]
UndoOption = Annotated[
    int,
    typer.Option("--undo", metavar="N", min=0, help="Take back the last N corrections of the case first."),
]
SegmenterOption = Annotated[
    str,
    typer.Option(
        "--segmenter",
        metavar="NAME",
        help="auto, builtin, totalsegmentator, or a command with {ct} and {labels}.",
    ),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FOLDER", help="Where TotalSegmentator's weights lie."),
]
CompareOption = Annotated[
    Path | None,
    typer.Option("--compare", metavar="LABELS", help="Other labels of the same CT: show how far they agree."),
]


def segment(
    target: TargetArgument,
    case: SegmentCaseOption = None,
    click: ClickOption = None,
    undo: UndoOption = 0,
    segmenter: SegmenterOption = "auto",
    weights: WeightsOption = None,
    compare: CompareOption = None,
    series: SeriesOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find, outline and name the vertebrae of a CT; correct them with --click."""
    with errors_in_words(as_json=as_json):
        from vertebro.errors import SettingsError
        from vertebro.io.case_folder import CaseFolder
        from vertebro.workflow import RunOptions, rerun_case, run_case, stored_options

        with progress_shown(quiet=quiet) as progress:
            if target.is_dir() and CaseFolder(target).is_case:
                earlier = stored_options(target).corrections
                said = (*earlier[: max(len(earlier) - undo, 0)], *(click or ()))
                finished = rerun_case(target, stages=("labels",), corrections=said, progress=progress)
            elif case is None:
                raise SettingsError(
                    "case.folder",
                    got="a CT without a place for what is found in it",
                    needed="a case folder",
                    remedy="Name one with -o CASE.",
                    fields=("case",),
                )
            else:
                options = RunOptions(
                    series=series,
                    segmenter=segmenter,
                    weights=None if weights is None else str(weights),
                    corrections=tuple(click or ()),
                )
                finished = run_case(target, case, stages=("labels",), options=options, progress=progress)
        result = finished.result("segmentation")
        if result is None:
            names = ", ".join(finished.result("labels").names.values())
            say(f"Labels came from elsewhere: {names}.")
        elif as_json:
            show_json(result.to_json())
        else:
            _show(result)
        show_findings(finished.result("labels").findings)
        if compare is not None:
            _show_agreement(finished, compare)
        say(f"Case folder: {finished.folder.root}")


def _show(result: SpineSegmentation) -> None:
    """Each level in a table: name, place, size, confidence."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Level", "Middle (LPS mm)", "Width × depth × height mm", "Confidence", ""):
        table.add_column(heading, no_wrap=True)
    for name, level in result.levels.items():
        table.add_row(
            name,
            ", ".join(f"{value:.0f}" for value in level.centre_lps_mm),
            " × ".join(f"{2.0 * value:.0f}" for value in level.half_size_mm),
            f"{100.0 * level.confidence:.0f} %",
            "reaches the border" if level.is_cut else "",
        )
    Console().print(table)


def _show_agreement(finished: CaseRun, other: Path) -> None:
    from vertebro.io.labels import read_labels
    from vertebro.segmentation import agreement

    second = read_labels(other, finished.result("ct"))
    for item in agreement(finished.result("labels"), second):
        if not item.name:
            say(f"{item.other_name}: only in the other labels")
        elif not item.other_name:
            say(f"{item.name}: not in the other labels")
        else:
            same = "" if item.name == item.other_name else f", called {item.other_name} there"
            say(f"{item.name}: Dice {item.dice:.2f}{same}")
