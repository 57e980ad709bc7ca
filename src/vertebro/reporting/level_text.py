"""One level in words: its row in the table of all levels, and its block of details."""

from __future__ import annotations

from vertebro.case import Assessment, Estimate, LevelAssessment
from vertebro.reporting.content import FindingText, LevelBlock, LevelRow, Measure, MeasureGroup, NumberText
from vertebro.reporting.numbers import number_text, with_interval
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
            core_hu=said(level.density.core_hu),
            cleft=cleft_word(level, words),
            of_type=of_word(level, words),
            summary=level.summary,
        )
        for level in assessment.levels.values()
    )
    return rows, tuple(notes.texts)


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
    shape = "" if level.genant_shape.value == "none" else f" {shape_text(level, words)}"
    of_class = level.of_suggestion
    titles = {"none": words["of"]["none"], "undetermined": words["of"]["undetermined"]}
    return LevelBlock(
        name=level.name,
        anchor=anchor_of(level),
        tone=tone_of(level),
        title=f"{level.name}: {grade_text(level, words)}{shape}",
        summary=level.summary,
        figures=figures,
        figures_caption=figures_caption,
        groups=(
            _heights_group(level, words),
            _angles_group(level, words),
            _wall_group(level, words),
            _cleft_group(level, words),
            _density_group(level, words),
            _sides_group(level, words),
            _size_group(level, words),
        ),
        of_type=titles.get(of_class.type, words["of"]["title"].format(type=of_class.type)),
        of_reasons=of_class.reasons,
        of_still_needed=of_class.still_needed,
        findings=findings,
    )


def _measure(name: str, estimate: Estimate, words: Words, expected: Estimate | None = None) -> Measure:
    missing = words["measures"]["missing"]
    hoped = ""
    if expected is not None and expected.is_known:
        hoped = with_interval(number_text(expected, missing=missing))
    return Measure(name, number_text(estimate, missing=missing), hoped)


def _heights_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    measures = [
        _measure(
            words["columns"][part],
            getattr(level.heights_mm, part),
            words,
            getattr(level.expected_heights_mm, part),
        )
        for part in _PARTS
    ]
    measures.append(_measure(words["measures"]["loss"], level.height_loss_percent, words))
    return MeasureGroup(words["measures"]["heights"], tuple(measures))


def _sides_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text = words["measures"]
    measures = [
        _measure(text[side].format(part=words["columns"][part]), getattr(heights, part), words)
        for side, heights in (("right", level.heights_right_mm), ("left", level.heights_left_mm))
        for part in _PARTS
    ]
    return MeasureGroup(text["heights_sides"], tuple(measures))


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


def _size_group(level: LevelAssessment, words: Words) -> MeasureGroup:
    text, size = words["measures"], level.dimensions
    return MeasureGroup(
        text["size"],
        tuple(_measure(text[name], getattr(size, name), words) for name in size.__dataclass_fields__),
    )
