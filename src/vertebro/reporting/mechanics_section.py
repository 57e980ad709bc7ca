"""The report's section on stiffness and strength, in a clinician's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vertebro.case import Assessment, Estimate, Finding, LevelMechanics, LoadState, MechanicsResult
from vertebro.reporting.content import Fact, FindingText, MechanicsBlock
from vertebro.reporting.figure import Figure
from vertebro.reporting.mechanics_figures import curve_figure, risk_figure, strain_figure
from vertebro.reporting.wording import Words, tone_of


@dataclass(frozen=True, slots=True)
class MechanicsSource:
    """What the section is written from."""

    assessment: Assessment
    mechanics: MechanicsResult
    words: Words
    finding_text: Callable[[Finding, Words], FindingText]


def told_levels(mechanics: MechanicsResult) -> tuple[LevelMechanics, ...]:
    """The levels that have a block of their own: broken or treated; the weakest where none is."""
    told = tuple(level for level in mechanics.levels.values() if level.is_broken or level.after is not None)
    if told or not mechanics.levels:
        return told
    known = [level for level in mechanics.levels.values() if level.before.strength_n.is_known]
    return (min(known, key=lambda level: level.before.strength_n.require()),) if known else ()


def mechanics_blocks(source: MechanicsSource, figures: dict[str, Figure]) -> tuple[MechanicsBlock, ...]:
    """The mechanics of each told level; its figures are added to ``figures``."""
    return tuple(
        _block(source, level, number, figures)
        for number, level in enumerate(told_levels(source.mechanics), start=1)
        if level.name in source.assessment.levels
    )


def _block(
    source: MechanicsSource, level: LevelMechanics, number: int, figures: dict[str, Figure]
) -> MechanicsBlock:
    words, stem = source.words, f"mechanics-{number:02d}"
    told = words["mechanics"]
    assessed = source.assessment.levels[level.name]
    centre = assessed.lps_from_vertebra[:3, 3]

    def kept(figure: Figure | None) -> list[str]:
        if figure is None:
            return []
        figures[figure.key] = figure
        return [figure.key]

    sections = kept(strain_figure(level, centre, "before", words, f"{stem}-strain-before"))
    if level.after is not None:
        sections += kept(strain_figure(level, centre, "after", words, f"{stem}-strain-after"))
    loads = [
        (str(told[f"activity_{name}"]), load)
        for name, load in source.mechanics.loads_n.get(level.name, {}).items()
    ]
    charts = kept(curve_figure(level, words, f"{stem}-curve"))
    charts += kept(risk_figure(level, loads, words, f"{stem}-risk"))
    return MechanicsBlock(
        level=level.name,
        anchor=f"mechanics-{assessed.label}",
        tone=tone_of(assessed),
        title=told["title"].format(level=level.name),
        notice=told["notice"],
        facts=mechanics_facts(level, source.mechanics, words),
        sections=tuple(sections),
        sections_caption=told["sections_caption"],
        charts=tuple(charts),
        charts_caption=told["charts_caption"],
        findings=tuple(source.finding_text(item, words) for item in level.findings),
    )


def mechanics_facts(level: LevelMechanics, result: MechanicsResult, words: Words) -> tuple[Fact, ...]:
    """What is told of a level, each number with its interval."""
    told = words["mechanics"]
    facts = [
        Fact(told["density"], _number(level.density_mg_cc, 0, told)),
        Fact(told["stiffness"], _before_after(level, "stiffness_n_per_mm", told)),
        Fact(told["strength"].capitalize(), _before_after(level, "strength_n", told)),
    ]
    if level.is_broken:
        facts.append(Fact(told["basis"], told["broken_text"]))
        intact = level.intact_stiffness_n_per_mm, level.intact_strength_n
        if intact[0].is_known:
            text = told["intact_text"].format(
                stiffness=_number(intact[0], 0, told), strength=_number(intact[1], 0, told)
            )
            facts.append(Fact(told["intact"], text))
    if level.gain is not None:
        gain = level.gain
        facts.append(
            Fact(
                told["gain"],
                told["gain_text"].format(
                    ml=f"{gain.cement_ml:.1f}",
                    fill=f"{gain.fill_percent:.0f}",
                    ratio=_number(gain.stiffness_ratio, 2, told, unit=False),
                    per_ml=_number(gain.stiffness_gain_per_ml, 0, told),
                ),
            )
        )
    facts += _neighbours(level, told)
    facts += _loads(level, told)
    for name, state in (("before", level.before), ("after", level.after)):
        if state is not None and state.failure_site:
            facts.append(Fact(told["site"].format(state=told[name]), state.failure_site + "."))
    facts += _others(level, result, told)
    return tuple(facts)


def _before_after(level: LevelMechanics, field: str, told: Words) -> str:
    before = _number(getattr(level.before, field), 0, told)
    if level.after is None:
        return before
    return str(told["pair"].format(before=before, after=_number(getattr(level.after, field), 0, told)))


def _neighbours(level: LevelMechanics, told: Words) -> list[Fact]:
    return [
        Fact(
            told["neighbour"].format(level=item.name),
            told["neighbour_text"].format(
                jump=_number(item.stiffness_jump, 2, told, unit=False),
                change=_number(item.disc_pressure_change_percent, 1, told, unit=False),
            ),
        )
        for item in level.neighbours
    ]


def _loads(level: LevelMechanics, told: Words) -> list[Fact]:
    """The activities that matter most, against the strength as it will be."""
    state: LoadState = level.before
    name = "before"
    if level.after is not None and level.after.strength_n.is_known:
        state, name = level.after, "after"
    known = [(key, risk) for key, risk in state.factor_of_risk.items() if risk.is_known]
    if not known:
        return []
    said = "; ".join(
        told["risk_text"].format(activity=told[f"activity_{key}"], share=_number(risk, 2, told, unit=False))
        for key, risk in known
    )
    return [Fact(told["risk"].format(state=told[name]), said + ".")]


def _others(level: LevelMechanics, result: MechanicsResult, told: Words) -> list[Fact]:
    others = [item for item in result.levels.values() if item.name != level.name]
    if not others:
        return []
    said = "; ".join(
        told["other_text"].format(
            level=item.name,
            stiffness=f"{item.before.stiffness_n_per_mm.require():.0f}",
            strength=(
                f"{item.before.strength_n.require():.0f} N"
                if item.before.strength_n.is_known
                else told["unknown"]
            ),
        )
        for item in others
    )
    return [Fact(told["others"], said + ".")]


def _number(item: Estimate, decimals: int, told: Words, *, unit: bool = True) -> str:
    """A number with its interval, or that there is none."""
    if item.value is None or item.lower is None or item.upper is None:
        return str(told["unknown"])
    named = f" {item.unit}" if unit and item.unit != "1" else ""
    return str(
        told["number"].format(
            value=f"{item.value:.{decimals}f}",
            low=f"{item.lower:.{decimals}f}",
            high=f"{item.upper:.{decimals}f}",
            unit=named,
        )
    )
