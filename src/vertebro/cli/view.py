"""``vertebro view``: a simulated X-ray image of a case from any side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vertebro.cli.arguments import CaseArgument, QuietOption
from vertebro.cli.console import errors_in_words, progress_shown, say
from vertebro.cli.tables import show_findings

if TYPE_CHECKING:
    from vertebro.case import CArmPose
    from vertebro.fluoroscopy import FluoroscopySettings, Rod
    from vertebro.workflow import CaseRun

PoseOption = Annotated[
    str,
    typer.Option(
        "--pose",
        metavar="POSE",
        help="ap, pa, lateral, 'LAO 20 CRA 10', barrel:left, or barrel:L1:left (down the planned needle).",
    ),
]
PictureOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="PNG", help="The picture; replaced if it exists.")
]
LevelOption = Annotated[
    str | None,
    typer.Option("--level", metavar="L1", help="Level in the middle; the worst one without it."),
]
CArmOption = Annotated[
    str, typer.Option("--c-arm", metavar="NAME", help="C-arm: mobile_c_arm or fixed_biplane.")
]
VoltageOption = Annotated[
    float, typer.Option("--kvp", metavar="KV", min=50.0, max=125.0, help="Tube voltage, kV.")
]
SizeOption = Annotated[int, typer.Option("--size", metavar="PIXELS", help="Rows and columns: 512 or 1024.")]
NeedlesOption = Annotated[
    bool, typer.Option("--needles", help="Put the recommended needles of the level into the picture.")
]


def view(
    case: CaseArgument,
    output: PictureOption,
    pose: PoseOption = "ap",
    level: LevelOption = None,
    c_arm: CArmOption = "mobile_c_arm",
    kvp: VoltageOption = 80.0,
    size: SizeOption = 1024,
    needles: NeedlesOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show a case as a C-arm would, from any side, with or without the planned needles."""
    with errors_in_words():
        from vertebro.numerics import warm_up_in_background
        from vertebro.workflow import rerun_case
        from vertebro.workflow.view_poses import is_barrel

        warm_up_in_background()  # while the case is read

        settings = _settings(c_arm, kvp, size)
        with progress_shown(quiet=quiet) as progress:
            wanted = "plan" if needles or is_barrel(pose) else "assessment"
            finished = rerun_case(case, stages=(wanted,), progress=progress)
            chosen, rods = _pose_and_needles(finished, pose, level, needles=needles)
            progress(0.9, "Taking the view (the first on a machine takes up to half a minute)")
            from vertebro.fluoroscopy import render_view
            from vertebro.io import write_png

            image = render_view(finished.result("ct"), chosen, settings, instruments=rods)
            _write(output, lambda: write_png(output, image.pixels))
        show_findings(image.findings)
        say(f"{chosen.label}: {output}")


def _settings(c_arm: str, kvp: float, size: int) -> FluoroscopySettings:
    from vertebro.devices import load_c_arm
    from vertebro.errors import SettingsError
    from vertebro.fluoroscopy import BeamSettings, FluoroscopySettings

    load_c_arm(c_arm)
    if size not in (512, 1024):
        raise SettingsError(
            "view.size",
            got=f"a picture of {size} pixels",
            needed="512 or 1024",
            remedy="Choose one of the two.",
            fields=("size",),
        )
    return FluoroscopySettings(size, size, c_arm=c_arm, beam=replace(BeamSettings(), tube_voltage_kv=kvp))


def _pose_and_needles(
    finished: CaseRun, pose: str, level: str | None, *, needles: bool
) -> tuple[CArmPose, list[Rod]]:
    from vertebro.case import CArmPose
    from vertebro.workflow.view_poses import (
        barrel_pose,
        is_barrel,
        level_to_view,
        needle_rod,
        parse_barrel,
        recommended_path,
    )

    assessment = finished.result("assessment")
    if is_barrel(pose):
        named, side = parse_barrel(pose)
        shown = level_to_view(assessment, named or level)
        chosen = barrel_pose(recommended_path(finished.result("plan"), shown.name, side))
    else:
        shown = level_to_view(assessment, level)
        chosen = CArmPose.parse(pose, shown.lps_from_vertebra[:3, 3])
    if not needles:
        return chosen, []
    planned = finished.result("plan").levels.get(shown.name)
    return chosen, [needle_rod(path) for path in planned.needles] if planned else []


def _write(path: Path, write: Callable[[], None]) -> None:
    """Write a file, or say in words why it could not be written."""
    from vertebro.errors import InputError

    try:
        write()
    except OSError as problem:
        raise InputError(
            "view.not_writable",
            got=f"the place {path}, which cannot be written ({problem.strerror})",
            needed="a file in a folder that exists and can be written",
            remedy="Choose another place after -o.",
            fields=("output",),
        ) from problem
