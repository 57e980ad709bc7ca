"""``vertebro inject``: simulate the cement of a planned case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from vertebro.cli.arguments import CaseArgument, JsonOption, QuietOption, parse_levels
from vertebro.cli.console import errors_in_words, progress_shown, say, show_json

if TYPE_CHECKING:
    from pathlib import Path

    from vertebro.case import InjectionResult, LevelInjection
    from vertebro.cement import InjectionSettings
    from vertebro.progress import Progress
    from vertebro.workflow import CaseRun

ProductOption = Annotated[
    str | None,
    typer.Option("--product", metavar="NAME", help="Cement: generic, low, medium or high (viscosity)."),
]
VolumeOption = Annotated[
    float | None,
    typer.Option("--volume-ml", metavar="ML", help="Cement for each level; the plan's without it."),
]
RateOption = Annotated[
    float | None, typer.Option("--rate-ml-min", metavar="ML/MIN", help="Rate, both needles together.")
]
StartOption = Annotated[
    float | None,
    typer.Option("--start-min", metavar="MIN", help="Minutes after the start of mixing; the product's own."),
]
RunsOption = Annotated[
    int | None,
    typer.Option("--runs", metavar="N", min=0, help="Runs to explore what the CT does not show; 0 for none."),
]
NeedlesOption = Annotated[
    str | None, typer.Option("--needles", metavar="both|left|right", help="Which of the planned needles.")
]
CompareOption = Annotated[
    str | None,
    typer.Option(
        "--compare", metavar="WHAT", help="Compare products, needles or rates on the same draws instead."
    ),
]
InjectedOption = Annotated[
    str | None,
    typer.Option("--levels", metavar="L1,L2", help="Levels to inject; the plan's own without it."),
]


def inject(
    case: CaseArgument,
    product: ProductOption = None,
    volume_ml: VolumeOption = None,
    rate_ml_min: RateOption = None,
    start_min: StartOption = None,
    runs: RunsOption = None,
    needles: NeedlesOption = None,
    levels: InjectedOption = None,
    compare: CompareOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Inject cement into the planned levels of a case: fill, pressures, heat and what could leak."""
    with errors_in_words(as_json=as_json):
        from vertebro.workflow import rerun_case

        given: dict[str, object] = {
            "product": product,
            "volume_ml": volume_ml,
            "rate_ml_min": rate_ml_min,
            "start_min": start_min,
            "needles": needles,
            "levels": parse_levels(levels) or None,
        }
        asked = {name: value for name, value in given.items() if value is not None}
        with progress_shown(quiet=quiet) as progress:
            if "levels" not in asked:
                asked |= _worst_if_none(rerun_case(case, stages=("plan",), progress=progress))
            settings = _settings(asked, runs)
            if compare is not None:
                _compare(case, compare, settings, runs, progress)
                return
            finished = rerun_case(
                case, stages=("injection",), settings={"injection": settings}, progress=progress
            )
        result = finished.result("injection")
        show_json(result.to_json()) if as_json else show_injection(result)
        say(f"Injection: {finished.folder.root / 'injection.json'}")


def _compare(
    case: Path, what: str, settings: InjectionSettings, runs: int | None, progress: Progress
) -> None:
    """Show ways to inject the same levels side by side; nothing is kept in the case."""
    from rich.console import Console
    from rich.table import Table

    from vertebro.case import InjectionResult
    from vertebro.cement import compare_injections, survey_level, treated_levels, ways_of
    from vertebro.cement.compare import table_of
    from vertebro.cement.inject_case import dose_ml
    from vertebro.workflow import rerun_case

    planned = rerun_case(case, stages=("plan",), progress=progress)
    plan, assessment = planned.result("plan"), planned.result("assessment")
    told = {}
    for name in treated_levels(plan, settings.levels):
        survey = survey_level(
            planned.result("ct"),
            planned.result("labels"),
            assessment,
            assessment.levels[name],
            settings,
            spacing_mm=settings.ensemble.spacing_mm,
        )
        ways = ways_of(what, plan.levels[name], settings)
        dose = dose_ml(plan.levels[name], settings)
        told[name] = compare_injections(survey, ways, dose, runs=runs or 20, progress=progress)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("Level", what, "Any leak %", "Canal %", "Leaked mL", "Fill %", "Syringe kPa"):
        table.add_column(heading)
    for row in table_of(told):
        table.add_row(*row)
    Console().print(table)
    Console().print(InjectionResult.NOTICE, markup=False, highlight=False, soft_wrap=True)


def _worst_if_none(planned: CaseRun) -> dict[str, object]:
    """Where the plan would treat no level, the worst broken one: whoever asks wants to see it."""
    from vertebro.cement import treated_levels
    from vertebro.workflow.view_poses import target_levels

    plan = planned.result("plan")
    if treated_levels(plan):
        return {}
    broken = [
        level.name for level in target_levels(planned.result("assessment")) if plan.levels[level.name].needles
    ]
    if broken:
        say(f"The plan advises no procedure yet (see 'vertebro plan'); {broken[0]}, the worst, is injected.")
    return {"levels": (broken[0],)} if broken else {}


def _settings(asked: dict[str, object], runs: int | None) -> InjectionSettings:
    from vertebro.cement import EnsembleSettings, InjectionSettings
    from vertebro.devices.cements import load_cement

    settings = InjectionSettings(**asked)  # type: ignore[arg-type]
    load_cement(settings.product)
    return settings if runs is None else replace(settings, ensemble=EnsembleSettings(runs=runs))


def show_injection(result: InjectionResult) -> None:
    """A few lines for each level, then its findings."""
    from rich.console import Console

    from vertebro.cli.tables import show_findings

    out = Console()
    if not result.levels:
        out.print("No level to inject: the plan would treat none. Name levels with --levels.", markup=False)
    for name, level in result.levels.items():
        for line in _lines(name, level):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    show_findings((*result.findings, *(item for level in result.levels.values() for item in level.findings)))
    if result.levels:
        out.print(result.NOTICE, markup=False, highlight=False, soft_wrap=True)


def _lines(name: str, level: LevelInjection) -> list[str]:
    from vertebro.case import Compartment

    inside = level.volumes_ml[Compartment.INSIDE]
    outside = {place.value: value for place, value in level.volumes_ml.items() if place.value != "inside"}
    leaked = ", ".join(
        f"{place.replace('_', ' ')} {value:.2f} mL" for place, value in outside.items() if value >= 0.005
    )
    distance, product = level.distance_to_posterior_wall_mm, level.product.replace("_", " ")
    lines = [
        f"{name}: {level.injected_ml:.2f} of {level.asked_ml:.2f} mL {product} cement, "
        f"{inside:.2f} mL inside ({level.fill_percent:.0f} % of the body)",
        f"  outside: {leaked or 'none'}",
        f"  syringe up to {level.peak_syringe_pressure_kpa:.0f} kPa, of which "
        f"{100 * level.cannula_share:.0f} % in the cannula; bone up to "
        f"{level.peak_tissue_pressure_kpa:.1f} kPa",
        f"  nearest to the back wall: {'no cement' if distance is None else f'{distance:.1f} mm'}; endplate "
        f"to endplate: {'yes' if level.endplate_to_endplate else 'no'}",
    ]
    peak = level.temperature.get("centre_peak_c")
    if peak is not None:
        canal = level.temperature.get("canal_peak_c")
        beside = "" if canal is None else f", canal up to {canal:.1f} °C"
        lines.append(f"  heat: centre up to {peak:.0f} °C{beside}")
    if level.leak_probability is not None:
        chances = level.leak_probability.chances
        said = ", ".join(
            f"{place.replace('_', ' ')} {100 * (chance.probability.value or 0.0):.0f} % "
            f"({100 * (chance.probability.lower or 0.0):.0f}–{100 * (chance.probability.upper or 0.0):.0f})"
            for place, chance in chances.items()
        )
        lines.append(f"  leaks in {level.leak_probability.n_runs} runs: {said}")
    return lines
