"""The plan in words: advice and why, what each needle keeps clear of, and how it is placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from vertebro.case import (
    MARGINS_AROUND,
    MARGINS_OF_TIP,
    CArmPose,
    LevelPlan,
    NeedlePath,
    Placement,
    PlacementStage,
    PlacementStep,
    ProcedureAdviceKind,
    Side,
)
from vertebro.reporting.content import Fact, GridRow, MeasureGrid, NumberText, ReasonText
from vertebro.reporting.needle_pictures import approach_words, mm_text, whole_degrees
from vertebro.reporting.numbers import number_text, plain_number
from vertebro.reporting.wording import Words, joined

_MARGINS = (*MARGINS_AROUND, *MARGINS_OF_TIP)
_ONLY_WHERE_MET = ("foramen", "cleft")
"""Margins without a row where no needle has them: most bodies hold no cleft."""


def plan_line(plan: LevelPlan, words: Words) -> str:
    """The plan of a level in one line for the first page."""
    text = words["plan"]
    cement = number_text(plan.cement_ml, missing="")
    said = text["cement_short"].format(range=f"{cement.interval}\u00a0mL") if cement.is_known else ""
    return str(text["line"]).format(
        level=plan.name,
        advice=text[f"advice_{plan.procedure.advice.value}"],
        access=_access(plan, words),
        cement=said,
    )


def _access(plan: LevelPlan, words: Words) -> str:
    text = words["plan"]
    needles = plan.needles
    if not needles:
        return str(text["access_none"])
    named = joined(
        [
            text["needle_short"].format(
                side=text[path.side.value], device=path.device.removesuffix(" cannula")
            )
            for path in needles
        ],
        words,
    )
    key = "access_unipedicular" if len(needles) == 1 else "access_bipedicular"
    return str(text[key]).format(needles=named)


def advice_title(plan: LevelPlan, words: Words) -> str:
    """The advice as a heading."""
    text, advice = words["plan"], plan.procedure.advice
    if advice is ProcedureAdviceKind.UNDETERMINED:
        return str(text["advice_open"])
    if advice is ProcedureAdviceKind.NEITHER:
        return str(text["advice_neither_title"])
    return str(text["advice_title"]).format(advice=text[f"advice_{advice.value}"])


def reason_texts(plan: LevelPlan) -> tuple[ReasonText, ...]:
    """Every reason with its source."""
    return tuple(ReasonText(reason.text, reason.source) for reason in plan.procedure.reasons)


def plan_facts(plan: LevelPlan, words: Words) -> tuple[Fact, ...]:
    """Access and cement, each with what it rests on."""
    text = words["plan"]
    access = f"{_capital(_access(plan, words))}: {plan.access_reason}."
    cement = number_text(plan.cement_ml, missing=words["measures"]["missing"])
    if cement.is_known:
        said = text["cement_text"].format(value=cement.value, range=cement.interval, basis=cement.basis)
    else:
        said = f"{cement.value}: {cement.basis}."
    return Fact(text["access"], access), Fact(text["cement"], said)


def shown_needles(plan: LevelPlan) -> tuple[NeedlePath, ...]:
    """The recommended path of each side: those to place first, then alternatives."""
    chosen = plan.needles
    others = [path for side in Side if (path := plan.best(side)) is not None and path not in chosen]
    return (*chosen, *others)


def needles_grid(plan: LevelPlan, words: Words) -> MeasureGrid | None:
    """Margins, angles and lengths, a column for each recommended needle; None where there is none."""
    text, paths = words["plan"], shown_needles(plan)
    if not paths:
        return None
    columns = tuple(
        text["needle" if path in plan.needles else "alternative"].format(side=_capital(text[path.side.value]))
        for path in paths
    )
    notes: list[str] = []
    rows = [
        GridRow(text[f"margin_{name}"], tuple(_margin(path.margins_mm, name, words, notes) for path in paths))
        for name in _MARGINS
        if name not in _ONLY_WHERE_MET or any(path.margins_mm.get(name) is not None for path in paths)
    ]
    columns_of_facts = [_needle_facts(path, words, notes) for path in paths]
    rows += [
        GridRow(entries[0][0], tuple(number for _, number in entries))
        for entries in zip(*columns_of_facts, strict=True)
    ]
    return MeasureGrid(text["numbers"], columns, tuple(rows), tuple(notes))


def _margin(margins: Mapping[str, float | None], name: str, words: Words, notes: list[str]) -> NumberText:
    value = margins.get(name)
    if value is None:
        return _missing(words["plan"]["margin_missing"], words, notes)
    return _known(mm_text(value))


def _known(value: str) -> NumberText:
    return NumberText(value, "", "", is_known=True)


def _missing(why: str, words: Words, notes: list[str]) -> NumberText:
    if why not in notes:
        notes.append(why)
    return NumberText(words["measures"]["missing_short"], "", why, is_known=False, note=notes.index(why) + 1)


def _needle_facts(path: NeedlePath, words: Words, notes: list[str]) -> list[tuple[str, NumberText]]:
    text = words["plan"]
    axial = text["axial_in" if path.axial_angle_deg >= 0 else "axial_out"]
    sagittal = text["sagittal_down" if path.sagittal_angle_deg >= 0 else "sagittal_up"]
    if path.length_tissue_mm is None:
        skin = _missing(text["skin_missing"], words, notes)
    else:
        skin = _known(mm_text(path.length_tissue_mm))
    width, height = plain_number(path.pedicle_width_mm, 1), mm_text(path.pedicle_height_mm)
    return [
        (text["grade"], _known(path.gertzbein_robbins)),
        (text["approach"], _known(text[path.approach.value])),
        (text["device"], _known(path.device)),
        (text["axial"], _known(axial.format(angle=_degrees(path.axial_angle_deg)))),
        (text["sagittal"], _known(sagittal.format(angle=_degrees(path.sagittal_angle_deg)))),
        (text["end_on"], _known(end_on_text(path, words))),
        (text["skin"], skin),
        (text["bone"], _known(mm_text(path.length_bone_mm))),
        (
            text["tolerance"],
            _known(
                text["tolerance_text"].format(
                    mm=mm_text(path.tolerance_mm), deg=f"{plain_number(path.tolerance_deg, 1)}°"
                )
            ),
        ),
        (text["pedicle"], _known(f"{width} × {height}")),
    ]


def _degrees(angle: float) -> str:
    return f"{plain_number(abs(angle), 0)}°"


def end_on_text(path: NeedlePath, words: Words) -> str:
    """The C-arm's angles to look down the needle, said from both ends of the beam."""
    backwards = path.entry_bone_lps_mm - path.target_lps_mm
    behind = CArmPose.looking_along(backwards, np.zeros(3))
    front = CArmPose.looking_along(-backwards, np.zeros(3))
    return str(words["plan"]["end_on_text"]).format(label=whole_degrees(behind), front=whole_degrees(front))


def traded_texts(paths: Iterable[NeedlePath], words: Words) -> tuple[Fact, ...]:
    """What was given up for each needle."""
    text = words["plan"]
    return tuple(
        Fact(f"{text['traded']} ({text[path.side.value]})", "; ".join(path.traded))
        for path in paths
        if path.traded
    )


def step_sentences(placement: Placement, front_margin_mm: float | None, words: Words) -> tuple[str, ...]:
    """What is seen in both views at each step."""
    return tuple(_sentence(step, placement, front_margin_mm, words) for step in placement.steps)


def _sentence(step: PlacementStep, placement: Placement, front_margin_mm: float | None, words: Words) -> str:
    text = words["plan"]
    front = text["front_missing"] if front_margin_mm is None else mm_text(front_margin_mm)
    return approach_words(text, f"say_{step.stage.value}", placement.approach).format(
        place=_place(step, placement.side, words),
        depth=mm_text(step.depth_mm),
        behind=mm_text(max(step.before_wall_mm, 0.0)),
        inside=mm_text(max(-step.before_wall_mm, 0.0)),
        front=front,
        gap=_gap(step, words),
    )


def _gap(step: PlacementStep, words: Words) -> str:
    text, gap = words["plan"], step.lateral_of_medial_border_mm
    if gap is None:
        return str(text["gap_unknown"])
    if gap >= 0:
        return str(text["gap_outside"]).format(mm=mm_text(gap))
    key = {PlacementStage.FINAL: "gap_crossed_final"}.get(step.stage, "gap_crossed_wall")
    return str(text[key]).format(mm=mm_text(-gap))


def _place(step: PlacementStep, side: Side, words: Words) -> str:
    text = words["plan"]
    if step.lateral_of_medial_border_mm is None:
        return str(text["place_unknown"])
    if step.clock_hour is None:
        return str(text["place_middle"])
    return str(text["place_hour"]).format(hour=step.clock_hour, where=text[_where(step.clock_hour, side)])


def _where(hour: int, side: Side) -> str:
    """The part of the pedicle at an hour of AP's clock: the patient's left is on the picture's right.

    Examples
    --------
    >>> _where(2, Side.LEFT), _where(10, Side.RIGHT), _where(9, Side.LEFT), _where(12, Side.LEFT)
    ('where_upper_outer', 'where_upper_outer', 'where_inner', 'where_upper')
    """
    turn = np.radians(hour * 30.0)
    up, outward = float(np.cos(turn)), float(np.sin(turn)) * (1.0 if side is Side.LEFT else -1.0)
    vertical = "upper" if up > 0.3 else "lower" if up < -0.3 else ""
    sideways = "outer" if outward > 0.3 else "inner" if outward < -0.3 else ""
    return "where_" + "_".join(part for part in (vertical, sideways) if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
