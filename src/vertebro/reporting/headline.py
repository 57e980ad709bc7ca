"""The first sentence of the report, and the ones below it."""

from __future__ import annotations

from vertebro.case import Assessment, GenantGrade, LevelAssessment
from vertebro.reporting.content import Headline
from vertebro.reporting.numbers import number_text, with_interval
from vertebro.reporting.wording import Words, joined, level_ranges, shape_text, tone_of


def worst_level(assessment: Assessment) -> LevelAssessment | None:
    """The level of the highest grade above normal, by height loss among equals."""
    graded = [level for level in assessment.levels.values() if level.genant_grade]
    if not graded:
        return None
    return max(graded, key=lambda level: (level.genant_grade or 0, level.height_loss_percent.value or 0.0))


def headline_of(assessment: Assessment, words: Words) -> Headline:
    """The result in one line, with one line of detail."""
    text, said = words["headline"], words["grade"]
    levels = list(assessment.levels.values())
    graded = [level for level in levels if level.genant_grade is not None]
    clefts = [level.name for level in levels if level.cleft.present]
    worst = worst_level(assessment)
    if worst is not None:
        has_shape = worst.genant_shape.value != "none"
        grade = said[tone_of(worst)]
        line = text["one" if has_shape else "one_no_shape"].format(
            level=worst.name, grade=grade, shape=shape_text(worst, words)
        )
        return Headline(line, _detail(worst, graded, words), tone_of(worst))
    if clefts:
        return Headline(text["cleft_only"].format(levels=joined(clefts, words)), "", "mild")
    if not graded:
        return Headline(text["nothing"], text["nothing_detail"], "ungraded")
    named = level_ranges(level.name for level in graded)
    if any(not level.grade_is_certain for level in graded):
        return Headline(text["none_clear"].format(range=named), text["calm_borderline"], "normal")
    line = text["none"].format(range=named)
    detail = text["calm_one"] if len(graded) == 1 else text["calm"].format(count=len(graded))
    return Headline(line, detail, "normal")


def _detail(worst: LevelAssessment, graded: list[LevelAssessment], words: Words) -> str:
    text = words["headline"]
    parts = []
    if worst.height_loss_percent.is_known:
        loss = with_interval(number_text(worst.height_loss_percent, missing=""))
        parts.append(text["loss"].format(loss=loss))
    if worst.cleft.present:
        parts.append(text["with_cleft"])
    others = [
        text["other"].format(level=level.name, grade=words["grade"][tone_of(level)])
        for level in graded
        if level.genant_grade and level.genant_grade > GenantGrade.NORMAL and level is not worst
    ]
    if others:
        parts.append(text["others"].format(levels=joined(others, words)))
    detail = "; ".join(parts)
    return f"{detail[0].upper()}{detail[1:]}." if detail else ""


def statements_of(assessment: Assessment, words: Words) -> tuple[str, ...]:
    """What was graded, what is borderline, what could not be graded."""
    text = words["statements"]
    levels = list(assessment.levels.values())
    graded = [level.name for level in levels if level.genant_grade is not None]
    borderline = [
        level.name for level in levels if level.genant_grade is not None and not level.grade_is_certain
    ]
    cut = [level.name for level in levels if level.genant_grade is None and not level.complete]
    ungraded = [level.name for level in levels if level.genant_grade is None and level.complete]
    said = []
    if graded:
        key = "graded_one" if len(graded) == 1 else "graded"
        said.append(text[key].format(range=level_ranges(graded), count=len(graded)))
    if borderline:
        said.append(text["borderline"].format(levels=level_ranges(borderline)))
    if cut:
        said.append(text["cut"].format(levels=level_ranges(cut)))
    if ungraded:
        said.append(text["ungraded"].format(levels=level_ranges(ungraded)))
    return tuple(said)
