"""Genant's semi-quantitative grade and shape from height losses.

One rule: each height's loss is taken against the height expected of the unfractured body
(:mod:`vertebro.assessment.expected_heights`); the largest of the three decides the grade. The shape is
*crush* where the posterior height has itself lost at least the mildest grade and most of what the worst
height has lost, else *wedge* or *biconcave* by whether the anterior or the middle height has lost more.

Classes (Genant 1993; printed classes share their borders, taken here as ``[20, 25)`` mild,
``[25, 40]`` moderate, ``> 40`` severe) are settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.assessment.expected_heights import is_own_expectation, loss_percent
from vertebro.assessment.settings import AssessmentSettings
from vertebro.case import Estimate, FractureShape, GenantGrade, Heights


@dataclass(frozen=True, slots=True)
class Grading:
    """A level's grade, shape and the loss behind them."""

    loss_percent: Estimate
    grade: GenantGrade | None
    shape: FractureShape
    is_certain: bool


def grade_of(loss_percent_value: float, settings: AssessmentSettings) -> GenantGrade:
    """The class of a height loss.

    Examples
    --------
    >>> [int(grade_of(loss, AssessmentSettings())) for loss in (19.9, 20.0, 25.0, 40.0, 40.1)]
    [0, 1, 2, 2, 3]
    """
    if loss_percent_value > settings.genant_severe_percent:
        return GenantGrade.SEVERE
    if loss_percent_value >= settings.genant_moderate_percent:
        return GenantGrade.MODERATE
    if loss_percent_value >= settings.genant_mild_percent:
        return GenantGrade.MILD
    return GenantGrade.NORMAL


def grade_level(heights: Heights, expected: Heights, settings: AssessmentSettings) -> Grading:
    """Grade one complete level.

    Parameters
    ----------
    heights, expected : Heights
        Measured and expected without fracture.
    settings : AssessmentSettings

    Returns
    -------
    Grading
        Without a grade where no height has an expectation.
    """
    losses = {
        name: loss
        for name in ("anterior", "middle", "posterior")
        if (loss := loss_percent(getattr(heights, name), getattr(expected, name))) is not None
    }
    if not losses:
        return ungraded("no height of this level has an expectation to compare with")
    alone = is_own_expectation(expected)
    judged = [name for name in losses if not (alone and name == "posterior")] or list(losses)
    worst = max(judged, key=lambda name: losses[name].require())
    loss = losses[worst]
    value, lower, upper = loss.require(), loss.lower or 0.0, loss.upper or 0.0
    basis = (
        f"loss of the {worst} height, the largest of the three, against the unfractured height expected from "
        "neighbouring levels and this body's own shape"
    )
    grade = grade_of(value, settings)
    return Grading(
        Estimate(value, min(lower, value), max(upper, value), "percent", basis),
        grade,
        _shape(losses, grade, settings),
        not alone and grade_of(lower, settings) == grade_of(upper, settings),
    )


def ungraded(reason: str) -> Grading:
    """No grade, and why."""
    return Grading(Estimate.missing("percent", reason), None, FractureShape.NONE, False)


def _shape(losses: dict[str, Estimate], grade: GenantGrade, settings: AssessmentSettings) -> FractureShape:
    if grade is GenantGrade.NORMAL:
        return FractureShape.NONE
    values = {name: loss.require() for name, loss in losses.items()}
    back = values.get("posterior", 0.0)
    if back >= max(settings.genant_mild_percent, settings.crush_share * max(values.values())):
        return FractureShape.CRUSH
    if values.get("anterior", 0.0) >= values.get("middle", 0.0):
        return FractureShape.WEDGE
    return FractureShape.BICONCAVE
