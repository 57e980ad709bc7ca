"""Sentences as a clinician would write them, honest about what is missing or uncertain."""

from __future__ import annotations

from dataclasses import replace

from tissue_bodies import heights
from tissue_levels import make_level
from vertebro.assessment.expected_heights import OWN_EXPECTATION
from vertebro.assessment.summary import summarise_level, summarise_levels
from vertebro.case import BoneDensity, Cleft, Estimate, FractureShape, GenantGrade, PosteriorWall

LOSS = Estimate(43.0, 38.0, 47.0, "percent", "neighbours")


def percent(value: float, half: float) -> Estimate:
    return Estimate.symmetric(value, half, "percent", "test")


def test_everything_found_is_one_sentence() -> None:
    level = make_level(
        grade=GenantGrade.SEVERE,
        shape=FractureShape.WEDGE,
        loss=LOSS,
        cleft=Cleft(True, Estimate(0.6, 0.5, 0.7, "ml", "test"), touches_superior_endplate=True),
        wall=PosteriorWall(
            Estimate.symmetric(2.1, 0.8, "mm", "test"),
            Estimate.symmetric(12.0, 1.0, "mm", "test"),
            percent(22.0, 9.0),
        ),
    )

    assert summarise_level(level) == (
        "L1: severe wedge fracture deformity, 43 % (38 to 47 %) loss of anterior height, gas cleft "
        "of 0.6 mL touching the superior endplate, posterior wall bulges 2.1 mm into the canal, "
        "canal 22 % narrower than at the neighbouring levels."
    )


def test_the_height_that_lost_most_is_named_whatever_the_shape() -> None:
    crushed = make_level(grade=GenantGrade.SEVERE, shape=FractureShape.CRUSH, loss=LOSS)
    crushed = replace(
        crushed, heights_mm=heights(14.0, 17.0, 20.0), expected_heights_mm=heights(25.0, 25.0, 26.0)
    )

    assert "43 % (38 to 47 %) loss of anterior height" in summarise_level(crushed)


def test_a_level_without_neighbours_says_what_it_was_judged_by() -> None:
    own = Estimate(27.0, 24.0, 30.0, "mm", f"{OWN_EXPECTATION}: no neighbour")
    level = make_level(grade=GenantGrade.NORMAL, loss=percent(2.0, 12.0), is_certain=False)
    level = replace(level, expected_heights_mm=replace(level.expected_heights_mm, posterior=own))

    assert summarise_level(level) == (
        "L1: no clear height loss by its own proportions (loss 2 %, at most 14 %), "
        "no neighbour to compare it with."
    )


def test_a_healthy_level_says_little() -> None:
    assert summarise_level(make_level("L2")) == "L2: no fracture deformity."


def test_a_cut_level_says_so() -> None:
    level = make_level("L3", grade=None, complete=False, loss=Estimate.missing("percent", "cut"))

    assert summarise_level(level) == "L3: cut by the field of view, not graded."


def test_an_ungraded_level_gives_its_reason() -> None:
    level = make_level("T7", grade=None, loss=Estimate.missing("percent", "no neighbour to compare with"))

    assert summarise_level(level) == "T7: not graded (no neighbour to compare with)."


def test_uncertain_grades_are_called_uncertain() -> None:
    near = make_level(grade=GenantGrade.NORMAL, loss=percent(17.0, 6.0), is_certain=False)
    mild = make_level(
        grade=GenantGrade.MILD, shape=FractureShape.BICONCAVE, loss=percent(22.0, 6.0), is_certain=False
    )
    mild = replace(mild, heights_mm=heights(24.0, 19.0, 26.0), expected_heights_mm=heights(25.0, 25.0, 26.0))

    assert summarise_level(near) == (
        "L1: no clear height loss, though a mild fracture cannot be ruled out (loss 17 %, at most 23 %)."
    )
    assert summarise_level(mild) == (
        "L1: mild biconcave fracture deformity, 22 % (16 to 28 %) loss of middle height, grade uncertain."
    )


def test_bulges_and_narrowing_within_their_error_are_not_mentioned() -> None:
    wall = PosteriorWall(
        Estimate.symmetric(2.5, 3.0, "mm", "test"),
        Estimate.symmetric(15.0, 1.0, "mm", "test"),
        percent(15.0, 20.0),
    )

    assert summarise_level(make_level(wall=wall)) == "L1: no fracture deformity."


def test_small_clefts_and_both_endplates() -> None:
    cleft = Cleft(
        True,
        Estimate(0.04, 0.03, 0.05, "ml", "test"),
        touches_superior_endplate=True,
        touches_inferior_endplate=True,
        touches_anterior_wall=True,
    )

    assert summarise_level(make_level(cleft=cleft)) == (
        "L1: no fracture deformity, gas cleft of less than 0.1 mL touching both endplates "
        "and the anterior wall."
    )


def test_spine_names_the_worst_first_and_what_was_not_graded() -> None:
    levels = [
        make_level("T12", grade=GenantGrade.MILD, shape=FractureShape.WEDGE, loss=percent(22.0, 2.0)),
        make_level("L1", grade=GenantGrade.SEVERE, shape=FractureShape.CRUSH, loss=percent(50.0, 4.0)),
        make_level("L2"),
        make_level("L3", grade=None, complete=False),
    ]

    assert summarise_levels(levels) == (
        "2 fracture deformities: L1 (severe crush) and T12 (mild wedge). Not graded: L3."
    )


def test_spine_without_a_fracture_counts_levels_and_tells_density() -> None:
    core = Estimate.symmetric(105.0, 9.0, "hu", "test")
    bmd = Estimate(88.0, 70.0, 106.0, "mg/cc", "test")
    level = replace(make_level("L2"), density=BoneDensity(core, bmd, "internal"))

    assert summarise_levels([level]) == (
        "No fracture deformity in the 1 graded level. Spongy bone of the unfractured level L2: 105 HU, "
        "about 88 mg/cc (70 to 106 mg/cc)."
    )
