"""Arguments and options that several subcommands share, with their help texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vertebro.case import ClinicalContext

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
AgeOption = Annotated[
    float | None,
    typer.Option("--fracture-age-days", metavar="DAYS", min=0.0, help="Days since the fracture."),
]
OedemaOption = Annotated[
    str | None,
    typer.Option("--oedema", metavar="L1,L2|none", help="Levels at which MRI showed marrow oedema, or none."),
]
TumourOption = Annotated[
    bool | None,
    typer.Option("--tumour/--no-tumour", help="Whether a tumour is known or suspected; unsaid without it."),
]
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


def parse_point(text: str) -> tuple[float, float, float]:
    """A point from three comma-separated numbers.

    Raises
    ------
    SettingsError
        If it is none (``plan.point``).

    Examples
    --------
    >>> parse_point("1, -2.5,3")
    (1.0, -2.5, 3.0)
    """
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError as problem:
        from vertebro.errors import SettingsError

        raise SettingsError(
            "plan.point",
            got=f"the point {text[:40]!r}",
            needed="three numbers separated by commas, LPS millimetres",
            remedy="Write it like --entry=12.5,-80,301 (with '=', so that a minus sign is no option).",
            fields=("entry", "target"),
        ) from problem
    return x, y, z


def told_context(
    known: ClinicalContext, fracture_age_days: float | None, oedema: str | None, tumour: bool | None
) -> ClinicalContext:
    """What is known of the patient, with what was told now put over it."""
    if fracture_age_days is not None:
        known = replace(known, fracture_age_days=fracture_age_days)
    if oedema is not None:
        is_none = oedema.strip().lower() == "none"
        known = replace(known, oedema_levels=() if is_none else parse_levels(oedema))
    return known if tumour is None else replace(known, is_tumour=tumour)
