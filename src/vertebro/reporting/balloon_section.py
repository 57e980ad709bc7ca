"""The report's section on balloons: one block for each level that has them, in a clinician's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vertebro.case import Assessment, BalloonResult, Estimate, Finding, LevelAssessment, LevelInflation
from vertebro.imaging import Volume
from vertebro.reporting.balloon_pictures import BalloonPicture, balloon_figures
from vertebro.reporting.content import BalloonBlock, Fact, FindingText
from vertebro.reporting.figure import Figure
from vertebro.reporting.numbers import plain_number, range_text
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words, tone_of

_PSI_KPA = 6.894757


@dataclass(frozen=True, slots=True)
class BalloonSource:
    """What the section is written from."""

    volume: Volume
    assessment: Assessment
    balloon: BalloonResult
    words: Words
    settings: ReportSettings
    finding_text: Callable[[Finding, Words], FindingText]


def balloon_blocks(source: BalloonSource, figures: dict[str, Figure]) -> tuple[BalloonBlock, ...]:
    """The balloons of each level; their figures are added to ``figures``."""
    return tuple(
        _block(source, source.assessment.levels[name], inflation, number, figures)
        for number, (name, inflation) in enumerate(source.balloon.levels.items(), start=1)
        if name in source.assessment.levels
    )


def _block(
    source: BalloonSource,
    level: LevelAssessment,
    inflation: LevelInflation,
    number: int,
    figures: dict[str, Figure],
) -> BalloonBlock:
    words = source.words["balloon"]
    picture = BalloonPicture(source.volume, level, inflation, source.words, source.settings)
    sections, pressure = balloon_figures(picture, f"balloon-{number:02d}")
    for figure in (*sections, pressure):
        figures[figure.key] = figure
    side = words[inflation.balloons[0].side.value]
    return BalloonBlock(
        level=level.name,
        anchor=f"balloon-{level.label}",
        tone=tone_of(level),
        title=words["title"].format(level=level.name),
        headline=headline(inflation, words),
        facts=_facts(inflation, words),
        sections=tuple(figure.key for figure in sections),
        sections_caption=words["sections_caption"].format(side=side),
        pressure=pressure.key,
        findings=tuple(source.finding_text(item, source.words) for item in inflation.findings),
    )


def headline(inflation: LevelInflation, words: Words) -> str:
    """What is predicted, in one sentence."""
    before, after = inflation.heights_before_mm.anterior, inflation.heights_after_mm.anterior
    cavity = plain_number(inflation.cavity_ml, 1)
    if before.value is None or after.value is None or after.lower is None or after.upper is None:
        return str(words["headline_cavity"].format(cavity=cavity))
    gain = after.value - before.value
    low, high = max(after.lower - before.value, 0.0), max(after.upper - before.value, 0.0)
    return str(
        words["headline"].format(gain=plain_number(gain, 1), range=range_text(low, high, 1), cavity=cavity)
    )


def _facts(inflation: LevelInflation, words: Words) -> tuple[Fact, ...]:
    facts = [
        Fact(
            words["balloon"].format(side=words[balloon.side.value]),
            words["balloon_text"].format(
                device=balloon.device,
                volume=plain_number(balloon.volume_ml, 1),
                pressure=f"{balloon.pressure_kpa:.0f}",
                psi=f"{balloon.pressure_kpa / _PSI_KPA:.0f}",
                stop=words[f"stop_{balloon.stop.value}"],
            ),
        )
        for balloon in inflation.balloons
    ]
    for part in ("anterior", "middle", "posterior"):
        before = getattr(inflation.heights_before_mm, part)
        inflated = getattr(inflation.heights_inflated_mm, part)
        after = getattr(inflation.heights_after_mm, part)
        if before.value is not None and after.value is not None:
            text = words["height_text"].format(
                before=plain_number(before.value, 1),
                inflated=plain_number(inflated.value, 1),
                after=plain_number(after.value, 1),
                range=range_text(after.lower, after.upper, 1),
            )
            facts.append(Fact(words[f"height_{part}"], text))
    facts += _angle(inflation.kyphosis_change_deg, words)
    facts.append(Fact(words["mobility"], words[f"mobility_{inflation.mobility.value}"]))
    facts.append(
        Fact(words["cavity"], words["cavity_text"].format(volume=plain_number(inflation.cavity_ml, 1)))
    )
    facts.append(Fact(words["basis"], words["basis_text"]))
    return tuple(facts)


def _angle(change: Estimate, words: Words) -> list[Fact]:
    if change.value is None or change.lower is None or change.upper is None:
        return []
    text = words["kyphosis_text"].format(
        value=plain_number(change.value, 1), range=range_text(change.lower, change.upper, 1)
    )
    return [Fact(words["kyphosis"], text)]
