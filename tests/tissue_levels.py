"""Finished level assessments for tests of what is said about them."""

from __future__ import annotations

import numpy as np

from tissue_bodies import heights, known
from vertebro.case import (
    BodyDimensions,
    BoneDensity,
    Cleft,
    Estimate,
    FractureShape,
    GenantGrade,
    LevelAssessment,
    OfSuggestion,
    PosteriorWall,
)

NO_GAS = Cleft(False, Estimate(0.0, 0.0, 0.0, "ml", "none"))
FLAT_WALL = PosteriorWall(
    Estimate(-0.5, -1.5, 0.5, "mm", "wall"), known(16.0), Estimate(2.0, -9.0, 13.0, "percent", "neighbours")
)


def make_level(
    name: str = "L1",
    *,
    grade: GenantGrade | None = GenantGrade.NORMAL,
    shape: FractureShape = FractureShape.NONE,
    loss: Estimate | None = None,
    complete: bool = True,
    is_certain: bool = True,
    cleft: Cleft = NO_GAS,
    wall: PosteriorWall = FLAT_WALL,
) -> LevelAssessment:
    mm = known(30.0)
    whole = heights(26.0, 25.0, 27.0)
    return LevelAssessment(
        name=name,
        label=20,
        complete=complete,
        lps_from_vertebra=np.eye(4),
        superior_endplate=None,
        inferior_endplate=None,
        height_lines_lps_mm={},
        heights_mm=whole,
        heights_right_mm=whole,
        heights_left_mm=whole,
        expected_heights_mm=whole,
        dimensions=BodyDimensions(mm, mm, mm, mm, mm, mm, known(30.0, "ml")),
        height_loss_percent=loss or Estimate(3.0, -2.0, 8.0, "percent", "neighbours"),
        genant_grade=grade,
        genant_shape=shape,
        grade_is_certain=is_certain,
        wedge_angle_deg=known(3.0, "deg"),
        kyphosis_deg=known(5.0, "deg"),
        cleft=cleft,
        posterior_wall=wall,
        density=BoneDensity(Estimate.missing("hu", "none"), Estimate.missing("mg/cc", "none"), "none"),
        of_suggestion=OfSuggestion("none", (), ()),
        summary="",
    )
