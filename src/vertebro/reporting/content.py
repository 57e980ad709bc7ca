"""What a report says, as plain data: every word and number ready to be set, nothing about layout.

:func:`vertebro.reporting.compose_report` fills it; the HTML page and the PDF are two settings of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vertebro.reporting.figure import Figure


@dataclass(frozen=True, slots=True)
class NumberText:
    """An estimate in words: the value, its interval, what it rests on."""

    value: str
    """``"18.2 mm"``, or the words for a missing value."""
    interval: str
    """``"17.6–18.8"``; empty where the value is missing."""
    basis: str
    """What the number rests on, or why there is none."""
    is_known: bool
    note: int = 0
    """Number of the note below the table that holds the basis; 0 where the basis stands beside it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what stands for it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FindingText:
    """A finding with its meaning and remedy from the registry."""

    severity: str
    """``"block"``, ``"warn"`` or ``"info"``."""
    severity_text: str
    code: str
    title: str
    message: str
    where: str
    meaning: str
    remedy: str
    source: str
    evidence: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One level in the table of all levels."""

    name: str
    anchor: str
    """Where the level's details stand; empty where there are none."""
    tone: str
    """``"normal"``, ``"mild"``, ``"moderate"``, ``"severe"`` or ``"ungraded"``."""
    grade: str
    shape: str
    loss: NumberText
    anterior: NumberText
    middle: NumberText
    posterior: NumberText
    wedge: NumberText
    kyphosis: NumberText
    bulge: NumberText
    core_hu: NumberText
    cleft: str
    of_type: str
    summary: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured number of a level."""

    name: str
    number: NumberText
    basis_rows: int = 1
    """How many rows the cell with the basis spans; 0 where the row above covers this one."""


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """Measures that belong together."""

    title: str
    measures: tuple[Measure, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row of a small grid of numbers."""

    name: str
    numbers: tuple[NumberText, ...]


@dataclass(frozen=True, slots=True)
class MeasureGrid:
    """Numbers that are best compared across: heights on both sides, widths and depths."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]
    notes: tuple[str, ...]
    """What the numbers rest on; numbered where there is more than one."""


@dataclass(frozen=True, slots=True)
class LevelBlock:
    """The details of one abnormal level."""

    name: str
    anchor: str
    tone: str
    title: str
    summary: str
    figures: tuple[str, ...]
    """Keys into :attr:`CaseReport.figures`."""
    figures_caption: str
    groups: tuple[MeasureGroup, ...]
    grids: tuple[MeasureGrid, ...]
    of_type: str
    of_reasons: tuple[str, ...]
    of_still_needed: tuple[str, ...]
    findings: tuple[FindingText, ...]


@dataclass(frozen=True, slots=True)
class ReasonText:
    """One reason for the advice, with its source."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class StepsText:
    """How one needle is placed."""

    title: str
    figure: str
    """Key into :attr:`CaseReport.figures`."""
    sentences: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class PlanBlock:
    """The plan of one level."""

    level: str
    anchor: str
    tone: str
    title: str
    advice: str
    reasons: tuple[ReasonText, ...]
    still_needed: tuple[str, ...]
    facts: tuple[Fact, ...]
    """Access and cement, each with what it rests on."""
    needles: MeasureGrid | None
    """Margins, angles and lengths, a column for each recommended needle; None where there is none."""
    sections: tuple[str, ...]
    """Keys of the sections along the needles, two for each."""
    sections_caption: str
    solids: tuple[str, ...]
    """Keys of the pictures in three dimensions."""
    solids_caption: str
    views: tuple[str, ...]
    """Keys of the simulated X-ray views."""
    views_caption: str
    steps: tuple[StepsText, ...]
    findings: tuple[FindingText, ...]


@dataclass(frozen=True, slots=True)
class BalloonBlock:
    """The balloons of one level."""

    level: str
    anchor: str
    tone: str
    title: str
    headline: str
    """What is predicted, in one sentence."""
    facts: tuple[Fact, ...]
    sections: tuple[str, ...]
    """Keys of the sections: before, after, from the feet."""
    sections_caption: str
    pressure: str
    """Key of the chart of pressure against volume."""
    findings: tuple[FindingText, ...]


@dataclass(frozen=True, slots=True)
class InjectionBlock:
    """The simulated injection of one level."""

    level: str
    anchor: str
    tone: str
    title: str
    notice: str
    """How far to trust it."""
    facts: tuple[Fact, ...]
    chances: tuple[Fact, ...]
    """How often cement left the bone; empty where no ensemble was run."""
    sections: tuple[str, ...]
    """Keys of the sections with the cement."""
    sections_caption: str
    chance_sections: tuple[str, ...]
    chance_caption: str
    charts: tuple[str, ...]
    charts_caption: str
    findings: tuple[FindingText, ...]


@dataclass(frozen=True, slots=True)
class MechanicsBlock:
    """Stiffness and strength of one level, before and after cement."""

    level: str
    anchor: str
    tone: str
    title: str
    notice: str
    """How far to trust it."""
    facts: tuple[Fact, ...]
    sections: tuple[str, ...]
    """Keys of the sections with the strain: before, after."""
    sections_caption: str
    charts: tuple[str, ...]
    """Keys of the load curve and of loads against strength."""
    charts_caption: str
    findings: tuple[FindingText, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The first thing read."""

    text: str
    detail: str
    tone: str


@dataclass(frozen=True, slots=True)
class SettingText:
    """One setting as it was used."""

    name: str
    value: str
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """The settings of one stage."""

    title: str
    settings: tuple[SettingText, ...]


@dataclass(frozen=True, slots=True)
class InputText:
    """One input file of the case."""

    role: str
    path: str
    n_files: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StageText:
    """One stage as it was run; when and how long stands in the manifest, so that a report repeats."""

    name: str
    key: str
    seed: str
    backend: str


@dataclass(frozen=True, slots=True)
class CaseReport:
    """Everything the report says."""

    language: str
    words: Mapping[str, object]
    """Fixed words of the page in that language (headings, column names, definitions)."""
    case_id: str
    made_on: str
    """ISO date; empty where none was given."""
    title: str
    headline: Headline
    alerts: tuple[FindingText, ...]
    """Findings that forbid use of something until a person has looked."""
    statements: tuple[str, ...]
    """Sentences below the headline: what was graded, what is borderline, what was cut."""
    patient: tuple[Fact, ...]
    image: tuple[Fact, ...]
    abnormal: tuple[LevelRow, ...]
    key_findings: tuple[FindingText, ...]
    more_findings: str
    """How many findings are only in the full list; empty where none."""
    levels: tuple[LevelRow, ...]
    level_notes: tuple[str, ...]
    """The bases that the numbers of the full table refer to."""
    blocks: tuple[LevelBlock, ...]
    findings: tuple[FindingText, ...]
    overview: str
    """Key of the picture of the whole spine; empty where there is none."""
    profile: str
    """Key of the height profile; empty where there is none."""
    settings: tuple[SettingsTable, ...]
    inputs: tuple[InputText, ...]
    options: tuple[Fact, ...]
    """What the person asked for."""
    stages: tuple[StageText, ...]
    software: tuple[Fact, ...]
    figures: Mapping[str, Figure]
    plan_line: str = ""
    """The plan of the worst level in one line; empty where there is none."""
    plans: tuple[PlanBlock, ...] = ()
    balloons: tuple[BalloonBlock, ...] = ()
    injections: tuple[InjectionBlock, ...] = ()
    mechanics: tuple[MechanicsBlock, ...] = ()
