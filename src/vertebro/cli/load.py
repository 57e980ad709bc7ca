"""``vertebro load``: stiffness, strength and everyday loads of a case's levels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vertebro.cli.arguments import CaseArgument, JsonOption, QuietOption, parse_levels
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json

if TYPE_CHECKING:
    from vertebro.case import LevelMechanics, LoadState, MechanicsResult
    from vertebro.mechanics import MechanicsSettings
    from vertebro.workflow import CaseRun

LoadedOption = Annotated[
    str | None,
    typer.Option("--levels", metavar="L1,L2", help="Levels to show, separated by commas; all without it."),
]
NonlinearOption = Annotated[
    bool,
    typer.Option(
        "--nonlinear", help="Raise the load on every level until it fails, not only on treated ones."
    ),
]
WeightOption = Annotated[
    float | None, typer.Option("--weight-kg", metavar="KG", help="The person's weight, for everyday loads.")
]
HeightOption = Annotated[
    float | None, typer.Option("--height-cm", metavar="CM", help="The person's height, for everyday loads.")
]
InpOption = Annotated[
    str | None,
    typer.Option(
        "--inp", metavar="DIR", help="Write each shown level as CalculiX input, as it is, to a folder."
    ),
]
SpacingOption = Annotated[
    float | None, typer.Option("--spacing-mm", metavar="MM", help="Edge of the model's cubes, 0.3 to 2.")
]


DECK_STEP = 0.005
"""Moduli of a deck are rounded to powers of 1.005: a few hundred materials instead of one for each cube."""


def load(
    case: CaseArgument,
    levels: LoadedOption = None,
    nonlinear: NonlinearOption = False,
    weight_kg: WeightOption = None,
    height_cm: HeightOption = None,
    spacing_mm: SpacingOption = None,
    inp: InpOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Tell how stiff and strong each level is, before and after cement, against everyday loads."""
    with errors_in_words(as_json=as_json):
        from vertebro.workflow import rerun_case

        shown = parse_levels(levels)
        settings = _settings(
            nonlinear=nonlinear, weight_kg=weight_kg, height_cm=height_cm, spacing_mm=spacing_mm
        )
        with progress_shown(quiet=quiet) as progress:
            finished = rerun_case(
                case, stages=("mechanics",), settings={"mechanics": settings}, progress=progress
            )
        result: MechanicsResult = finished.result("mechanics")
        if shown:
            kept = {name: level for name, level in result.levels.items() if name in shown}
            result = replace(result, levels=kept)
        show_json(result.to_json()) if as_json else show_mechanics(result)
        if inp is not None:
            _write_inp(finished, settings, tuple(result.levels), Path(inp))
        say(f"Mechanics: {finished.folder.root / 'mechanics.json'}")


def _write_inp(finished: CaseRun, settings: MechanicsSettings, levels: tuple[str, ...], folder: Path) -> None:
    """Each level under plates, as the linear model has it before treatment, for another solver."""
    from vertebro.io.calculix import write_inp
    from vertebro.materials.bone_density import scanner_default
    from vertebro.mechanics.fracture import bone_condition
    from vertebro.mechanics.loading import plate_problem
    from vertebro.mechanics.mesh import build_mesh
    from vertebro.mechanics.model import build_model
    from vertebro.workflow import stored_options

    volume, labels, assessment = (finished.result(name) for name in ("ct", "labels", "assessment"))
    law = assessment.calibration or scanner_default(volume.facts.kvp_kv)
    context = stored_options(finished.folder.root).context
    folder.mkdir(parents=True, exist_ok=True)
    for name in levels:
        level = assessment.levels[name]
        mesh = build_mesh(volume, labels, assessment.bodies, level, law, settings.model)
        condition, _ = bone_condition(level, context, settings.fracture)
        model = build_model(mesh, settings.model, condition=condition)
        stem = "".join(letter if letter.isalnum() else "_" for letter in name)
        place = folder / f"{stem}.inp"
        write_inp(place, plate_problem(model, 0.1), relative_step=DECK_STEP)
        say(f"CalculiX input: {place}")


def _settings(
    *, nonlinear: bool, weight_kg: float | None, height_cm: float | None, spacing_mm: float | None
) -> MechanicsSettings:
    from vertebro.mechanics import MechanicsSettings, ModelSettings, PersonSettings

    return MechanicsSettings(
        model=ModelSettings() if spacing_mm is None else ModelSettings(spacing_mm=spacing_mm),
        person=PersonSettings(weight_kg=weight_kg, height_cm=height_cm),
        nonlinear="all" if nonlinear else "treated",
    )


def show_mechanics(result: MechanicsResult) -> None:
    """A few lines for each level, then the findings."""
    from rich.console import Console

    from vertebro.cli.tables import show_findings

    out = Console()
    if not result.levels:
        out.print("No level could be modelled; see the findings.", markup=False)
    for name, level in result.levels.items():
        for line in level_lines(name, level):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    show_findings((*result.findings, *(item for level in result.levels.values() for item in level.findings)))


def level_lines(name: str, level: LevelMechanics) -> list[str]:
    """What is told of a level, line by line."""
    broken = " (broken)" if level.is_broken else ""
    density = level.density_mg_cc
    dense = f", density {density.value:.0f} mg/cc" if density.value is not None else ""
    lines = [f"{name}{broken}{dense}: {state_line(level.before)}"]
    if level.after is not None and level.gain is not None:
        lines.append(f"  with {level.gain.cement_ml:.1f} mL of cement: {state_line(level.after)}")
    known = {key: item.value for key, item in level.before.factor_of_risk.items() if item.value is not None}
    if known:
        worst = max(known, key=lambda key: known[key])
        lines.append(f"  {worst.replace('_', ' ')}: {known[worst]:.2f} of the strength")
    return lines


def state_line(state: LoadState) -> str:
    """Stiffness and strength of a state in a few words."""
    stiff, strong = state.stiffness_n_per_mm, state.strength_n
    words = f"stiffness {stiff.value:.0f} N/mm ({stiff.lower:.0f} to {stiff.upper:.0f})"
    if strong.value is None:
        return f"{words}, strength not known"
    return f"{words}, strength {strong.value:.0f} N ({strong.lower:.0f} to {strong.upper:.0f})"
