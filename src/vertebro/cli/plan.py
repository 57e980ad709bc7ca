"""``vertebro plan``: procedure, needle paths and cement range of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vertebro.cli.arguments import (
    AgeOption,
    CaseArgument,
    JsonOption,
    OedemaOption,
    QuietOption,
    TumourOption,
    parse_levels,
    parse_point,
    told_context,
)
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json
from vertebro.cli.tables import show_path, show_plan

if TYPE_CHECKING:
    from vertebro.case import NeedlePath
    from vertebro.workflow import CaseRun

ShownOption = Annotated[
    str | None,
    typer.Option("--levels", metavar="L1,L2", help="Levels to show, separated by commas; all without it."),
]
EntryOption = Annotated[
    str | None,
    typer.Option("--entry", metavar="X,Y,Z", help="Your own path: a point behind the bone, LPS mm."),
]
TargetOption = Annotated[
    str | None, typer.Option("--target", metavar="X,Y,Z", help="Your own path: its tip, LPS mm.")
]
LevelOption = Annotated[str | None, typer.Option("--level", metavar="L1", help="Your own path: its level.")]
SideOption = Annotated[
    str | None, typer.Option("--side", metavar="left|right", help="Your own path: the patient's side.")
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="GAUGE", help="Your own path: gauge of its cannula.")
]


def plan(
    case: CaseArgument,
    levels: ShownOption = None,
    fracture_age_days: AgeOption = None,
    oedema: OedemaOption = None,
    tumour: TumourOption = None,
    entry: EntryOption = None,
    target: TargetOption = None,
    level: LevelOption = None,
    side: SideOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Plan the treatment of a case: procedure and why, needle paths and their margins, cement range."""
    with errors_in_words(as_json=as_json):
        from vertebro.workflow import rerun_case, stored_options

        context = told_context(stored_options(case).context, fracture_age_days, oedema, tumour)
        asked = {"entry": entry, "target": target, "level": level, "side": side}
        is_own = _is_own_path(asked)
        shown = parse_levels(levels)
        with progress_shown(quiet=quiet) as progress:
            wanted = "assessment" if is_own else "plan"
            finished = rerun_case(case, stages=(wanted,), context=context, progress=progress)
        if is_own:
            path = _judged(finished, asked, device)
            show_json(path.to_json()) if as_json else show_path(path)
            return
        result = finished.result("plan")
        if shown:
            kept = {name: entry for name, entry in result.levels.items() if name in shown}
            result = replace(result, levels=kept)
        show_json(result.to_json()) if as_json else show_plan(result)
        say(f"Plan: {finished.folder.root / 'plan.json'}")


def _is_own_path(asked: dict[str, str | None]) -> bool:
    """Whether a person gives a path of their own; all four parts or none.

    Raises
    ------
    SettingsError
        If some of them are missing (``plan.own_path``).
    """
    missing = [f"--{name}" for name, value in asked.items() if value is None]
    if missing and len(missing) < len(asked):
        from vertebro.errors import SettingsError

        raise SettingsError(
            "plan.own_path",
            got=f"a path of your own without {', '.join(missing)}",
            needed="--entry, --target, --level and --side together",
            remedy="Give all four, or none to have paths planned.",
            fields=tuple(missing),
        )
    return not missing


def _judged(finished: CaseRun, asked: dict[str, Any], device: str | None) -> NeedlePath:
    from vertebro.errors import SettingsError
    from vertebro.planning import judge_path

    if asked["side"] not in ("left", "right"):
        raise SettingsError(
            "plan.side",
            got=f"the side {asked['side'][:20]!r}",
            needed="left or right, the patient's",
            remedy="Give one of the two.",
            fields=("side",),
        )
    return judge_path(
        finished.result("ct"),
        finished.result("labels"),
        finished.result("assessment"),
        parse_levels(asked["level"])[0],
        side=asked["side"],
        entry_lps_mm=parse_point(asked["entry"]),
        target_lps_mm=parse_point(asked["target"]),
        device=device,
    )
