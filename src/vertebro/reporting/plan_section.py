"""The report's section on the plan: one block for each level that may be treated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vertebro.case import (
    Assessment,
    Finding,
    LevelAssessment,
    LevelPlan,
    PlanViews,
    TreatmentPlan,
)
from vertebro.devices.cannulas import cannula_named
from vertebro.imaging import LabelVolume, Volume
from vertebro.reporting.content import FindingText, PlanBlock, StepsText
from vertebro.reporting.figure import Figure
from vertebro.reporting.headline import worst_level
from vertebro.reporting.needle_pictures import (
    NeedlePicture,
    approach_words,
    section_figure,
    steps_figure,
    view_figure,
)
from vertebro.reporting.plan_text import (
    advice_title,
    needles_grid,
    plan_facts,
    plan_line,
    reason_texts,
    shown_needles,
    step_sentences,
    traded_texts,
)
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.solid_pictures import SOLID_VIEWS, Solid, solid_figure
from vertebro.reporting.wording import Words, is_abnormal, joined, tone_of


@dataclass(frozen=True, slots=True)
class PlanSource:
    """What the section is written from."""

    volume: Volume
    labels: LabelVolume | None
    assessment: Assessment
    plan: TreatmentPlan
    views: PlanViews | None
    words: Words
    settings: ReportSettings
    finding_text: Callable[[Finding, Words], FindingText]


def planned_levels(
    assessment: Assessment, plan: TreatmentPlan, views: PlanViews | None
) -> tuple[LevelAssessment, ...]:
    """The levels whose plan is told: abnormal ones, and those that views were taken of."""
    viewed = views.levels if views else {}
    return tuple(
        level
        for level in assessment.levels.values()
        if level.name in plan.levels and (is_abnormal(level) or level.name in viewed)
    )


def first_page_line(
    assessment: Assessment, plan: TreatmentPlan, views: PlanViews | None, words: Words
) -> str:
    """The plan of the worst level in one line; empty where no level may be treated."""
    levels = planned_levels(assessment, plan, views)
    if not levels:
        return ""
    worst = worst_level(assessment)
    chosen = worst if worst is not None and worst.name in plan.levels else levels[0]
    return plan_line(plan.levels[chosen.name], words)


def plan_blocks(source: PlanSource, figures: dict[str, Figure]) -> tuple[PlanBlock, ...]:
    """The plan of each level; its figures are added to ``figures``."""
    levels = planned_levels(source.assessment, source.plan, source.views)
    return tuple(_block(source, level, number, figures) for number, level in enumerate(levels, start=1))


def _block(source: PlanSource, level: LevelAssessment, number: int, figures: dict[str, Figure]) -> PlanBlock:
    plan, words = source.plan.levels[level.name], source.words
    text = words["plan"]
    stem = f"plan-{number:02d}"

    def kept(figure: Figure) -> str:
        figures[figure.key] = figure
        return figure.key

    sections = [kept(figure) for figure in _section_figures(source, level, plan, stem)]
    solids = [kept(figure) for figure in _solid_figures(source, level, plan, stem)]
    taken = source.views.levels.get(level.name, ()) if source.views else ()
    views = [kept(view_figure(view, level, words, f"{stem}-{view.name}")) for view in taken]
    sides = joined([text[path.side.value] for path in shown_needles(plan)], words)
    return PlanBlock(
        level=level.name,
        anchor=f"plan-{level.label}",
        tone=tone_of(level),
        title=text["title"].format(level=level.name),
        advice=advice_title(plan, words),
        reasons=reason_texts(plan),
        still_needed=plan.procedure.still_needed,
        facts=(*plan_facts(plan, words), *traded_texts(plan.needles, words)),
        needles=needles_grid(plan, words),
        sections=tuple(sections),
        sections_caption=text["sections_caption"].format(side=sides),
        solids=tuple(solids),
        solids_caption=text["solids_caption"],
        views=tuple(views),
        views_caption=text["views_caption"],
        steps=_steps(source, plan, stem, figures),
        findings=tuple(source.finding_text(item, words) for item in plan.findings),
    )


def _section_figures(source: PlanSource, level: LevelAssessment, plan: LevelPlan, stem: str) -> list[Figure]:
    made = []
    for path in shown_needles(plan):
        picture = NeedlePicture(
            volume=source.volume,
            labels=source.labels,
            level=level,
            path=path,
            radius_mm=_radius_mm(path.device),
            words=source.words,
            settings=source.settings,
        )
        made += [
            section_figure(picture, view, f"{stem}-{path.side.value}-{view}")
            for view in ("axial", "sagittal")
        ]
    return made


def _solid_figures(source: PlanSource, level: LevelAssessment, plan: LevelPlan, stem: str) -> list[Figure]:
    """The vertebra with the needles to place, in three dimensions; none without labels or needles."""
    needles = tuple(
        (path, radius) for path in plan.needles if (radius := _radius_mm(path.device)) is not None
    )
    if source.labels is None or not needles:
        return []
    solid = Solid(source.labels, level, needles, source.words)
    drawn = (solid_figure(solid, view, f"{stem}-solid-{view}") for view in SOLID_VIEWS)
    return [figure for figure in drawn if figure is not None]


def _radius_mm(device: str) -> float | None:
    try:
        return cannula_named(device).radius_mm
    except KeyError:
        return None


def _steps(
    source: PlanSource, plan: LevelPlan, stem: str, figures: dict[str, Figure]
) -> tuple[StepsText, ...]:
    text = source.words["plan"]
    placements = source.views.placements if source.views else ()
    told = []
    for placement in placements:
        path = plan.best(placement.side)
        if placement.level != plan.name or path is None:
            continue
        figure = steps_figure(placement, source.words, f"{stem}-{placement.side.value}-steps")
        if figure is not None:
            figures[figure.key] = figure
        side = text[placement.side.value]
        told.append(
            StepsText(
                title=text["steps"].format(side=side, level=plan.name),
                figure=figure.key if figure else "",
                sentences=step_sentences(placement, path.margins_mm.get("anterior_wall"), source.words),
                rule=approach_words(text, "rule", placement.approach),
            )
        )
    return tuple(told)
