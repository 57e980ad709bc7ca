"""One level in words: its row in the table of all levels, and its block of details."""

from __future__ import annotations

from dataclasses import fields, replace

from vertebro.case import Assessment, Estimate, LevelAssessment
from vertebro.reporting.content import (
    FindingText,
    GridRow,
    LevelBlock,
    LevelRow,
    Measure,
    MeasureGrid,
    MeasureGroup,
    NumberText,
)
from vertebro.reporting.numbers import number_text
from vertebro.reporting.wording import Words, grade_text, is_abnormal, joined, shape_text, tone_of

_PARTS = ("anterior", "middle", "posterior")


class _Notes:
    """Bases of numbers, each given a number when it first occurs."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def number_of(self, basis: str) -> int:
        if not basis:
            return 0
        if basis not in self.texts:
            self.texts.append(basis)
        return self.texts.index(basis) + 1


def level_rows(assessment: Assessment, words: Words) -> tuple[tuple[LevelRow, ...], tuple[str, ...]]:
    """The rows of the table of all levels, and the notes that their numbers refer to."""
    notes = _Notes()
    missing = words["measures"]["missing_short"]

    def said(estimate: Estimate) -> NumberText:
        return number_text(estimate, missing=missing, note=notes.number_of(estimate.basis))

    rows = tuple(
        LevelRow(
            name=level.name,
            anchor=anchor_of(level) if is_abnormal(level) else "",
            tone=tone_of(level),
            grade=grade_text(level, words),
            shape=shape_text(level, words),
            loss=said(level.height_loss_percent),
            anterior=said(level.heights_mm.anterior),
            middle=said(level.heights_mm.middle),
            posterior=said(level.heights_mm.posterior),
            wedge=said(level.wedge_angle_deg),
            kyphosis=said(level.kyphosis_deg),
            bulge=number_text(level.posterior_wall.bulge_mm, missing=missing),
            core_hu=said(level.density.core_hu),
            cleft=cleft_word(level, words),
            of_type=of_word(level, words),
            summary=level.summary,
        )
        for level in assessment.levels.values()
    )
    return rows, tuple(notes.texts)


def without_notes(row: LevelRow) -> LevelRow:
    """The row for a table whose numbers' bases stand in the details that it links to."""
    numbers = {
        item.name: replace(getattr(row, item.name), note=0)
        for item in fields(row)
        if isinstance(getattr(row, item.name), NumberText)
    }
    return replace(row, **numbers)


def anchor_of(level: LevelAssessment) -> str:
    """A link target that any level name can have."""
    return f"level-{level.label}"


def cleft_word(level: LevelAssessment, words: Words) -> str:
    """Whether there is a gas cleft."""
    key = {True: "cleft_yes", False: "cleft_no", None: "cleft_unknown"}[level.cleft.present]
    return str(words["measures"][key])


def of_word(level: LevelAssessment, words: Words) -> str:
    """The suggested OF class for a table."""
    return str(words["of"]["short"].get(level.of_suggestion.type, level.of_suggestion.type))


def level_block(
    level: LevelAssessment,
    words: Words,
    figures: tuple[str, ...],
    figures_caption: str,
    findings: tuple[FindingText, ...],
) -> LevelBlock:
    """The details of a level."""
    of_class = level.of_suggestion
    titles = {"none": words["of"]["none"], "undetermined": words["of"]["undetermined"]}
    return LevelBlock(
        name=level.name,
        anchor=anchor_of(level),
        tone=tone_of(level),
        title=f"{level.name}: {_title_text(level, words)}",
        summary=level.summary,
        figures=figures,
        figures_caption=figures_caption,
        groups=tuple(_sharing_bases(make(level, words)) for make in _GROUPS),
        grids=(_sides_grid(level, words), _size_grid(level, words)),
        of_type=titles.get(of_class.type, words["of"]["title"].format(type=of_class.type)),
        of_reasons=of_class.reasons,
        of_still_needed=of_class.still_needed,
        findings=findings,
    )


def _title_text(level: LevelAssessment, words: Words) -> str:
    """Grade and shape, as a heading says them."""
    if level.genant_grade is None or level.genant_shape.value == "none":
        return grade_text(level, words)
    key = "title" if level.grade_is_certain else "title_uncertain"
    return str(words["grade"][key]).format(
        grade=words["grade"][tone_of(level)], shape=shape_text(level, words)
    )


def _measure(name: str, estimate: Estimate, words: Words) -> Measure:
    return Measure(name, number_text(estimate, missing=words["measures"]["missing"]))


def _sharing_bases(group: MeasureGroup) -> MeasureGroup:
    """The group with equal bases that follow each other said once."""
    measures: list[Measure] = []
    first = 0
    for index, measure in enumerate(group.measures):
        if index > 0 and measure.number.basis == measures[first].number.basis:
            measures.append(replace(measure, basis_rows=0))
            measures[first] = replace(measures[first], basis_rows=measures[first].basis_rows + 1)
        else:
            first = index
            measures.append(measure)
    return replace(group, measures=tuple(measures))


def _loss_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text = words["measures"]
    return MeasureGroup(
        text["loss_title"],
        (
            _measure(text["loss"], level.height_loss_percent, words),
            _measure(text["volume_ml"], level.dimensions.volume_ml, words),
        ),
    )


def _angles_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text = words["measures"]
    return MeasureGroup(
        text["form"],
        (
            _measure(text["wedge"], level.wedge_angle_deg, words),
            _measure(text["kyphosis"], level.kyphosis_deg, words),
        ),
    )


def _wall_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text, wall = words["measures"], level.posterior_wall
    return MeasureGroup(
        text["wall"],
        (
            _measure(text["bulge"], wall.bulge_mm, words),
            _measure(text["canal_depth"], wall.canal_depth_mm, words),
            _measure(text["encroachment"], wall.canal_encroachment_percent, words),
        ),
    )


def _cleft_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text, cleft = words["measures"], level.cleft
    remarks = []
    if cleft.present:
        touched = [
            text[part]
            for part, touches in (
                ("superior_endplate", cleft.touches_superior_endplate),
                ("inferior_endplate", cleft.touches_inferior_endplate),
                ("anterior_wall", cleft.touches_anterior_wall),
            )
            if touches
        ]
        remarks.append(
            text["cleft_touches"].format(parts=joined(touched, words)) if touched else text["cleft_apart"]
        )
    if cleft.note:
        remarks.append(cleft.note)
    title = f"{text['cleft']}: {cleft_word(level, words)}"
    measures = (_measure(text["cleft_volume"], cleft.volume_ml, words),) if cleft.present is not False else ()
    return MeasureGroup(title, measures, tuple(remarks))


def _density_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text, density = words["measures"], level.density
    remark = text.get(f"calibration_{density.calibration}", density.calibration)
    return MeasureGroup(
        text["density"],
        (_measure(text["core_hu"], density.core_hu, words), _measure(text["bmd"], density.bmd_mg_cc, words)),
        (remark,) if remark else (),
    )


def _grid(
    title: str, columns: tuple[str, ...], rows: list[tuple[str, list[Estimate]]], words: Words
) -> MeasureGrid:
    notes = _Notes()
    for _, estimates in rows:
        for estimate in estimates:
            notes.number_of(estimate.basis)
    is_one = len(notes.texts) == 1
    missing = words["measures"]["missing_short"]
    return MeasureGrid(
        title,
        columns,
        tuple(
            GridRow(
                name,
                tuple(
                    number_text(
                        estimate, missing=missing, note=0 if is_one else notes.number_of(estimate.basis)
                    )
                    for estimate in estimates
                ),
            )
            for name, estimates in rows
        ),
        tuple(notes.texts),
    )


def _sides_grid(level: LevelAssessment, words: Words) -> MeasureGrid:
    text = words["measures"]
    sides = (level.heights_right_mm, level.heights_mm, level.heights_left_mm, level.expected_heights_mm)
    rows = [(str(words["columns"][part]), [getattr(heights, part) for heights in sides]) for part in _PARTS]
    columns = (text["right"], text["midline"], text["left"], text["expected"])
    return _grid(text["heights_sides"], columns, rows, words)


def _size_grid(level: LevelAssessment, words: Words) -> MeasureGrid:
    text, size = words["measures"], level.dimensions
    rows = [
        (text["superior_endplate"].capitalize(), [size.width_superior_mm, size.depth_superior_mm]),
        (text["mid_height"].capitalize(), [size.width_middle_mm, size.depth_middle_mm]),
        (text["inferior_endplate"].capitalize(), [size.width_inferior_mm, size.depth_inferior_mm]),
    ]
    return _grid(text["size"], (text["width"], text["depth"]), rows, words)


_GROUPS = (
    _loss_group,
    _angles_group,
    _wall_group,
    _cleft_group,
    _density_group,
)
"""The groups of measures, in the order in which they are read."""
