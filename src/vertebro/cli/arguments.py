"""Arguments and options that several subcommands share, with their help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CtArgument = Annotated[
    Path,
    typer.Argument(metavar="CT", help="DICOM folder, zip, disc or file, or NIfTI (.nii, .nii.gz)."),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        "-l",
        metavar="LABELS",
        help="Vertebra labels: NIfTI in VerSe or TotalSegmentator numbers, their folder, or DICOM SEG.",
    ),
]
CaseOption = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="CASE", help="Case folder: new, empty, or of an earlier run."),
]
CaseArgument = Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")]
LevelsOption = Annotated[
    str | None,
    typer.Option("--levels", metavar="L1,L2", help="Levels to assess, separated by commas; all without it."),
]
SeriesOption = Annotated[
    str | None,
    typer.Option("--series", metavar="UID", help="DICOM series to read; the best one without it."),
]
ConventionOption = Annotated[
    str | None,
    typer.Option(
        "--label-convention",
        metavar="NAME",
        help="verse, totalsegmentator, totalsegmentator-v1, subregions or dicom-seg; recognised without it.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def parse_levels(text: str | None) -> tuple[str, ...]:
    """Level names from a comma-separated list.

    Raises
    ------
    SettingsError
        If one is no level (``level.name``).

    Examples
    --------
    >>> parse_levels("th12, L1")
    ('T12', 'L1')
    """
    from vertebro.case import parse_level

    return tuple(parse_level(part).value for part in (text or "").split(",") if part.strip())
