"""The report's section on the simulated injection, in a clinician's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vertebro.case import (
    Assessment,
    Compartment,
    Estimate,
    Finding,
    InjectionResult,
    LevelAssessment,
    LevelInjection,
)
from vertebro.case.injection import LEAKS
from vertebro.devices.cements import load_cement
from vertebro.imaging import Volume
from vertebro.reporting.content import Fact, FindingText, InjectionBlock
from vertebro.reporting.figure import Figure
from vertebro.reporting.injection_figures import cement_figure, chance_figure, course_figures, dose_figure
from vertebro.reporting.reformats import LevelPicture
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words, tone_of

VIEWS = ("sagittal", "coronal", "axial")
TOLD_ML = 0.03
"""Less cement in a compartment is not told."""


@dataclass(frozen=True, slots=True)
class InjectionSource:
    """What the section is written from."""

    volume: Volume
    assessment: Assessment
    injection: InjectionResult
    words: Words
    settings: ReportSettings
    finding_text: Callable[[Finding, Words], FindingText]


def injection_blocks(source: InjectionSource, figures: dict[str, Figure]) -> tuple[InjectionBlock, ...]:
    """The injection of each level; its figures are added to ``figures``."""
    blocks = []
    for number, (name, injection) in enumerate(source.injection.levels.items(), start=1):
        level = source.assessment.levels.get(name)
        if level is not None:
            blocks.append(_block(source, level, injection, number, figures))
    return tuple(blocks)


def _block(
    source: InjectionSource,
    level: LevelAssessment,
    injection: LevelInjection,
    number: int,
    figures: dict[str, Figure],
) -> InjectionBlock:
    words, stem = source.words, f"injection-{number:02d}"
    told = words["injection"]
    picture = LevelPicture(source.volume, source.assessment, level, words, source.settings)

    def kept(figure: Figure | None) -> list[str]:
        if figure is None:
            return []
        figures[figure.key] = figure
        return [figure.key]

    sections = [
        key for view in VIEWS for key in kept(cement_figure(picture, injection, view, f"{stem}-{view}"))
    ]
    chances = [
        key
        for view in VIEWS
        for key in kept(chance_figure(picture, injection, view, f"{stem}-chance-{view}"))
    ]
    charts = [key for figure in course_figures(injection, words, stem) for key in kept(figure)]
    charts += kept(dose_figure(injection, words, f"{stem}-dose"))
    return InjectionBlock(
        level=level.name,
        anchor=f"injection-{level.label}",
        tone=tone_of(level),
        title=told["title"].format(level=level.name),
        notice=told["notice"],
        facts=injection_facts(injection, words),
        chances=chance_facts(injection, words),
        sections=tuple(sections),
        sections_caption=told["sections_caption"],
        chance_sections=tuple(chances),
        chance_caption=told["chance_caption"],
        charts=tuple(charts),
        charts_caption=told["charts_caption"],
        findings=tuple(source.finding_text(item, words) for item in injection.findings),
    )


def injection_facts(injection: LevelInjection, words: Words) -> tuple[Fact, ...]:
    """What one injection did, each number with its range over the runs where there are any."""
    told = words["injection"]
    ranges = injection.leak_probability.estimates if injection.leak_probability else {}
    inside = injection.volumes_ml[Compartment.INSIDE]
    facts = [
        Fact(
            told["cement"],
            told["cement_text"].format(
                injected=f"{injection.injected_ml:.1f}",
                asked=f"{injection.asked_ml:.1f}",
                product=load_cement(injection.product).name,
                start=f"{injection.start_min:g}",
                rate=f"{injection.rate_ml_min:g}",
            ),
        ),
        Fact(
            told["fill"],
            told["fill_text"].format(
                inside=f"{inside:.1f}",
                percent=f"{injection.fill_percent:.0f}",
                range=_range(ranges.get("fill_percent"), 0, "%", told),
            ),
        ),
        Fact(told["outside"], _outside(injection, words)),
        Fact(told["wall"], _wall(injection, ranges.get("distance_to_posterior_wall_mm"), words)),
        Fact(
            told["shape"],
            told["shape_text"].format(
                joined=told["joined" if injection.endplate_to_endplate else "not_joined"],
                symmetry=f"{injection.symmetry_percent:.0f}",
            ),
        ),
        Fact(
            told["pressure"],
            told["pressure_text"].format(
                syringe=f"{injection.peak_syringe_pressure_kpa:.0f}",
                share=f"{100 * injection.cannula_share:.0f}",
                tissue=f"{injection.peak_tissue_pressure_kpa:.0f}",
                range=_range(ranges.get("peak_syringe_pressure_kpa"), 0, "kPa", told),
            ),
        ),
    ]
    heat = _heat(injection, words)
    return tuple(facts + ([Fact(told["heat"], heat)] if heat else []))


def chance_facts(injection: LevelInjection, words: Words) -> tuple[Fact, ...]:
    """How often cement left the bone over the runs, and from which dose on the risk rises."""
    told, probability = words["injection"], injection.leak_probability
    if probability is None:
        return ()
    facts = []
    for place in ("any", *(item.value for item in LEAKS)):
        chance = probability.chances[place]
        share = chance.probability
        facts.append(
            Fact(
                told[f"place_{place}"],
                told["chance_text"].format(
                    share=f"{100 * (share.value or 0.0):.0f}",
                    low=f"{100 * (share.lower or 0.0):.0f}",
                    high=f"{100 * (share.upper or 0.0):.0f}",
                    runs=probability.n_runs,
                    most=f"{chance.upper_ml:.2f}",
                ),
            )
        )
    if probability.places:
        first = probability.places[:3]
        said = "; ".join(
            told["place_text"].format(
                kind=told[item.kind.value],
                place=told[f"place_{item.compartment.value}"],
                basis=told[item.basis.value],
                share=f"{100 * item.share_of_runs:.0f}",
            )
            for item in first
        )
        facts.append(Fact(told["places"], said))
    rising = probability.rising_dose_ml
    facts.append(
        Fact(
            told["dose"],
            told["dose_flat"] if rising is None else told["dose_text"].format(volume=f"{rising:.1f}"),
        )
    )
    return tuple(facts)


def _outside(injection: LevelInjection, words: Words) -> str:
    told = words["injection"]
    parts = [
        f"{told[f'place_{place.value}']} {injection.volumes_ml[place]:.2f} mL"
        for place in LEAKS
        if injection.volumes_ml[place] >= TOLD_ML
    ]
    return told["outside_text"].format(parts=", ".join(parts)) if parts else str(told["outside_none"])


def _wall(injection: LevelInjection, spread: Estimate | None, words: Words) -> str:
    told = words["injection"]
    distance = injection.distance_to_posterior_wall_mm
    if distance is None:
        return str(told["wall_none"])
    text = told["wall_text"].format(distance=f"{distance:.0f}", range=_range(spread, 0, "mm", told))
    if injection.posterior_quarter_s is None:
        return str(text + " " + told["quarter_no"])
    times, injected = injection.series["time_s"], injection.series["injected_ml"]
    index = int((times <= injection.posterior_quarter_s + 1e-6).sum()) - 1
    dose = float(injected[max(index, 0)])
    return str(
        text
        + " "
        + told["quarter_yes"].format(dose=f"{dose:.1f}", time=f"{injection.posterior_quarter_s:.0f}")
    )


def _heat(injection: LevelInjection, words: Words) -> str:
    told, heat = words["injection"], injection.temperature
    centre, canal = heat.get("centre_peak_c"), heat.get("canal_peak_c")
    if centre is None:
        return ""
    parts = [told["heat_centre"].format(centre=f"{centre:.0f}")]
    wall = heat.get("posterior_wall_peak_c")
    if wall is not None:
        seconds = heat.get("posterior_wall_above_45_s") or 0.0
        parts.append(told["heat_wall"].format(wall=f"{wall:.0f}", seconds=f"{seconds:.0f}"))
    if canal is not None:
        parts.append(told["heat_canal"].format(canal=f"{canal:.0f}"))
    return "; ".join(parts) + "."


def _range(spread: Estimate | None, decimals: int, unit: str, told: Words) -> str:
    """The range over the runs, or that there is none."""
    if spread is None or spread.lower is None or spread.upper is None:
        return str(told["no_range"])
    return str(
        told["range"].format(
            low=f"{spread.lower:.{decimals}f}", high=f"{spread.upper:.{decimals}f}", unit=unit
        )
    )
