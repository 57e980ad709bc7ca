"""Turn a case's results into what its report says. Pure: no files are read or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vertebro.case import (
    Assessment,
    BalloonResult,
    Finding,
    InjectionResult,
    LevelAssessment,
    Manifest,
    MechanicsResult,
    PlanViews,
    Severity,
    TreatmentPlan,
)
from vertebro.findings import registry
from vertebro.imaging import LabelVolume, Volume
from vertebro.reporting.balloon_section import BalloonSource, balloon_blocks
from vertebro.reporting.content import (
    BalloonBlock,
    CaseReport,
    Fact,
    FindingText,
    InjectionBlock,
    LevelBlock,
    MechanicsBlock,
    PlanBlock,
)
from vertebro.reporting.facts import image_facts, patient_facts
from vertebro.reporting.figure import Figure
from vertebro.reporting.headline import headline_of, statements_of
from vertebro.reporting.injection_section import InjectionSource, injection_blocks
from vertebro.reporting.level_text import level_block, level_rows, without_notes
from vertebro.reporting.mechanics_section import MechanicsSource, mechanics_blocks
from vertebro.reporting.methods import input_texts, option_facts, settings_tables, software_facts, stage_texts
from vertebro.reporting.overview import overview_figure
from vertebro.reporting.plan_section import PlanSource, first_page_line, plan_blocks, planned_levels
from vertebro.reporting.profile import profile_figure
from vertebro.reporting.reformats import LevelPicture, level_figure
from vertebro.reporting.settings import ReportSettings
from vertebro.reporting.wording import Words, is_abnormal, load_words

_WEIGHT = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}
VIEWS = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What the report says of the case beside its images and measurements."""

    case_id: str = ""
    """Shown in the header of every page."""
    made_on: str = ""
    """ISO date of the report; the clock is never read."""
    manifest: Manifest | None = None
    """Inputs by hash, stages and versions."""
    methods: Mapping[str, Any] = field(default_factory=dict)
    """Title of a stage to the settings it ran with: a settings dataclass is shown with the meaning and
    source of every value, a plain mapping (from a manifest) with its values alone."""


def compose_report(  # noqa: PLR0913 - one noun each
    volume: Volume,
    assessment: Assessment,
    *,
    labels: LabelVolume | None = None,
    plan: TreatmentPlan | None = None,
    views: PlanViews | None = None,
    balloon: BalloonResult | None = None,
    injection: InjectionResult | None = None,
    mechanics: MechanicsResult | None = None,
    facts: ReportFacts | None = None,
    settings: ReportSettings | None = None,
) -> CaseReport:
    """Everything the report says about a case, with its figures.

    Parameters
    ----------
    volume : Volume
        The CT that was assessed.
    assessment : Assessment
    labels : LabelVolume, optional
        The labels it rests on; their findings and convention are reported.
    plan : TreatmentPlan, optional
        Told for every abnormal level.
    views : PlanViews, optional
        Pictures of the plan; without them it is told in words and sections of the CT.
    balloon : BalloonResult, optional
        Told for every level that has balloons.
    injection : InjectionResult, optional
        The simulated cement of the levels that the plan would treat.
    mechanics : MechanicsResult, optional
        Stiffness and strength, told for broken and treated levels.
    facts : ReportFacts, optional
        The case's name, the report's date, the manifest and the settings it was made with.
    settings : ReportSettings, optional

    Returns
    -------
    CaseReport
        Equal inputs give an equal report.

    Examples
    --------
    >>> from vertebro.imaging import VolumeGeometry
    >>> import numpy as np
    >>> grid = VolumeGeometry.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    >>> empty = Assessment({}, grid, np.zeros((4, 4, 4), np.uint8))
    >>> compose_report(Volume(np.zeros((4, 4, 4), np.int16), grid), empty).headline.text
    'No level could be graded'
    """
    chosen, known = settings or ReportSettings(), facts or ReportFacts()
    words = load_words(chosen.language)
    findings = all_findings(volume, labels, assessment, plan, views, balloon, injection, mechanics)
    texts = tuple(finding_text(item, words) for item in findings)
    rows, notes = level_rows(assessment, words)
    figures: dict[str, Figure] = {}
    overview = overview_figure(volume, assessment, words, chosen)
    profile = profile_figure(assessment, words)
    for figure in (overview, profile):
        if figure is not None:
            figures[figure.key] = figure
    blocks = _blocks(volume, assessment, words, chosen, figures)
    plans: tuple[PlanBlock, ...] = ()
    if plan is not None:
        source = PlanSource(volume, labels, assessment, plan, views, words, chosen, finding_text)
        plans = plan_blocks(source, figures)
    balloons: tuple[BalloonBlock, ...] = ()
    if balloon is not None:
        inflated = BalloonSource(volume, assessment, balloon, words, chosen, finding_text)
        balloons = balloon_blocks(inflated, figures)
    injections: tuple[InjectionBlock, ...] = ()
    if injection is not None:
        poured = InjectionSource(volume, assessment, injection, words, chosen, finding_text)
        injections = injection_blocks(poured, figures)
    loaded: tuple[MechanicsBlock, ...] = ()
    if mechanics is not None:
        loaded = mechanics_blocks(MechanicsSource(assessment, mechanics, words, finding_text), figures)
    alerts = tuple(text for text in texts if text.severity == Severity.BLOCK.value)
    others = tuple(text for text in texts if text.severity == Severity.WARN.value)
    shown = others[: chosen.n_key_findings]
    return CaseReport(
        language=words["language"],
        words=words,
        case_id=known.case_id,
        made_on=known.made_on,
        title=words["title"]["report"],
        headline=headline_of(assessment, words),
        alerts=alerts,
        statements=statements_of(assessment, words),
        patient=patient_facts(volume.facts, words),
        image=image_facts(volume, labels, words),
        abnormal=tuple(without_notes(row) for row in rows if row.anchor),
        key_findings=shown,
        more_findings=_more(len(texts) - len(alerts) - len(shown), len(alerts) + len(shown), words),
        levels=rows,
        level_notes=notes,
        blocks=blocks,
        findings=texts,
        overview=overview.key if overview else "",
        profile=profile.key if profile else "",
        settings=settings_tables({**known.methods, words["sections"]["report"]: chosen}),
        inputs=input_texts(known.manifest),
        options=option_facts(known.manifest),
        stages=stage_texts(known.manifest),
        software=software_facts(known.manifest, words),
        figures=figures,
        plan_line=first_page_line(assessment, plan, views, words) if plan is not None else "",
        plans=plans,
        injections=injections,
        mechanics=loaded,
        balloons=balloons,
    )


def all_findings(  # noqa: PLR0913, PLR0917 - one noun each
    volume: Volume,
    labels: LabelVolume | None,
    assessment: Assessment,
    plan: TreatmentPlan | None = None,
    views: PlanViews | None = None,
    balloon: BalloonResult | None = None,
    injection: InjectionResult | None = None,
    mechanics: MechanicsResult | None = None,
) -> tuple[Finding, ...]:
    """The findings of image, labels, spine, levels, the plan of abnormal levels and its views.

    The gravest come first, none twice. What the plan says of levels that nobody would treat is left out.
    """
    sources: list[Iterable[Finding]] = [volume.findings, labels.findings if labels else ()]
    sources.append(assessment.findings)
    sources += [level.findings for level in assessment.levels.values()]
    if plan is not None:
        told = planned_levels(assessment, plan, None)
        sources += [plan.findings, *(plan.levels[level.name].findings for level in told)]
    if views is not None:
        sources += [view.findings for taken in views.levels.values() for view in taken]
    if balloon is not None:
        sources += [balloon.findings, *(level.findings for level in balloon.levels.values())]
    if injection is not None:
        sources += [injection.findings, *(level.findings for level in injection.levels.values())]
    if mechanics is not None:
        sources += [mechanics.findings, *(level.findings for level in mechanics.levels.values())]
    unique: dict[tuple[str, str, str], Finding] = {}
    for source in sources:
        for item in source:
            unique.setdefault((item.code, item.where, item.message), item)
    return tuple(sorted(unique.values(), key=lambda item: _WEIGHT[item.severity]))


def finding_text(item: Finding, words: Words) -> FindingText:
    """A finding with its title, meaning and remedy from the registry."""
    kind = registry().get(item.code)
    return FindingText(
        severity=item.severity.value,
        severity_text=words["severity"][item.severity.value],
        code=item.code,
        title=kind.title if kind else item.code,
        message=item.message,
        where=item.where,
        meaning=kind.meaning if kind else "",
        remedy=kind.remedy if kind else "",
        source=kind.source.rstrip(".") if kind else "",
        evidence=tuple(Fact(name, str(value)) for name, value in item.evidence.items()),
    )


def _blocks(
    volume: Volume,
    assessment: Assessment,
    words: Words,
    settings: ReportSettings,
    figures: dict[str, Figure],
) -> tuple[LevelBlock, ...]:
    """The details of the abnormal levels; their figures are added to ``figures``."""
    blocks = []
    abnormal = [level for level in assessment.levels.values() if is_abnormal(level)]
    for number, level in enumerate(abnormal, start=1):
        picture = LevelPicture(volume, assessment, level, words, settings)
        keys = []
        for view in VIEWS:
            figure = level_figure(picture, view, f"{number:02d}-{_file_word(level)}-{view}")
            figures[figure.key] = figure
            keys.append(figure.key)
        caption = words["figures"]["level_caption"].format(
            level=level.name,
            low=f"{settings.window_low_hu:g}".replace("-", "\u2212"),
            high=f"{settings.window_high_hu:g}",
            slab=f"{settings.slab_mm:g}",
        )
        texts = tuple(finding_text(item, words) for item in level.findings)
        blocks.append(level_block(level, words, tuple(keys), caption, texts))
    return tuple(blocks)


def _file_word(level: LevelAssessment) -> str:
    """A level's name as a part of a file name: letters and digits only."""
    kept = "".join(sign for sign in level.name if sign.isascii() and sign.isalnum())
    return kept[:12] or f"label{level.label}"


def _more(count: int, n_shown: int, words: Words) -> str:
    """How many findings are only in the full list."""
    if count <= 0:
        return ""
    key = ("more" if n_shown else "only") + ("_one" if count == 1 else "")
    return str(words["sections"][key]).format(count=count)
