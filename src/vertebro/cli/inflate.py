"""``vertebro inflate``: what balloons would do to the levels of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vertebro.cli.arguments import (
    AgeOption,
    CaseArgument,
    JsonOption,
    QuietOption,
    parse_levels,
    told_context,
)
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json

if TYPE_CHECKING:
    from vertebro.case import BalloonResult, Estimate, LevelInflation

InflatedOption = Annotated[
    str | None,
    typer.Option(
        "--levels",
        metavar="L1,L2",
        help="Levels to have balloons; those where kyphoplasty is advised without it.",
    ),
]
BalloonOption = Annotated[
    str | None,
    typer.Option("--balloon", metavar="MM", help="Balloon by length: 10, 15 or 20; the longest that fits."),
]
VolumeOption = Annotated[
    float | None,
    typer.Option("--volume-ml", metavar="ML", help="Volume at which to stop each balloon."),
]


def inflate(
    case: CaseArgument,
    levels: InflatedOption = None,
    balloon: BalloonOption = None,
    volume_ml: VolumeOption = None,
    fracture_age_days: AgeOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Inflate balloons in a planned case: pressure, cavity, height regained, when to stop."""
    with errors_in_words(as_json=as_json):
        from vertebro.balloon import BalloonSettings
        from vertebro.devices.balloons import balloon_named
        from vertebro.workflow import rerun_case, stored_options

        asked: dict[str, Any] = {"levels": parse_levels(levels), "volume_ml": volume_ml}
        if balloon is not None:
            asked["device"] = balloon_named(balloon.removesuffix("mm").strip()).name
        settings = replace(BalloonSettings(), **asked)
        context = told_context(stored_options(case).context, fracture_age_days, None, None)
        with progress_shown(quiet=quiet) as progress:
            finished = rerun_case(
                case, stages=("balloon",), settings={"balloon": settings}, context=context, progress=progress
            )
        result: BalloonResult = finished.result("balloon")
        show_json(result.to_json()) if as_json else _show(result)
        say(f"Balloons: {finished.folder.root / 'balloon.json'}")


def _show(result: BalloonResult) -> None:
    """Each level's balloons in a table, then heights and findings in words."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not result.levels:
        say("No level has balloons: kyphoplasty is advised nowhere; name levels with --levels.")
    for name, level in result.levels.items():
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0), title=name)
        for heading in ("Side", "Balloon", "mL", "kPa", "psi", "Stopped because"):
            table.add_column(heading, no_wrap=True)
        for balloon in level.balloons:
            table.add_row(
                balloon.side.value,
                balloon.device,
                f"{balloon.volume_ml:.1f}",
                f"{balloon.pressure_kpa:.0f}",
                f"{balloon.pressure_kpa / 6.895:.0f}",
                balloon.stop.value.replace("_", " "),
            )
        console.print(table)
        for line in _level_lines(level):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    for item in result.findings:
        console.print(item.message, markup=False, highlight=False, soft_wrap=True)


def _level_lines(level: LevelInflation) -> list[str]:
    lines = [f"Cavity {level.cavity_ml:.1f} mL."]
    for part in ("anterior", "middle", "posterior"):
        before: Estimate = getattr(level.heights_before_mm, part)
        after: Estimate = getattr(level.heights_after_mm, part)
        if before.value is None or after.value is None:
            continue
        lines.append(
            f"{part.capitalize()} height {before.value:.1f} to {after.value:.1f} mm "
            f"(range {after.lower:.1f} to {after.upper:.1f})."
        )
    angle = level.kyphosis_change_deg
    if angle.value is not None:
        lines.append(
            f"Kyphosis changes by {angle.value:.1f}° (range {angle.lower:.1f} to {angle.upper:.1f})."
        )
    return [*lines, *(item.message for item in level.findings)]
