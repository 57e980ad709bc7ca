"""Which OF class shape and back wall suggest, and what CT must leave open."""

from __future__ import annotations

import numpy as np
import pytest

from tissue_bodies import heights, make_anatomy
from tissue_levels import FLAT_WALL, NO_GAS
from vertebro.assessment.of_class import endplate_deformity, suggest_of_class
from vertebro.assessment.posterior_wall import measure_posterior_wall
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import Cleft, Estimate

SETTINGS = TissueSettings()
EXPECTED = heights(27.0, 27.0, 27.0)


def loss(value: float) -> Estimate:
    return Estimate.symmetric(value, 3.0, "percent", "test")


def wedge_top(y: np.ndarray) -> np.ndarray:
    """Upper endplate that falls by 10 mm from back to front."""
    return 13.5 - 10.0 * (y + 16.5) / 33.0


def sag(sign: float):
    """An endplate 8 mm lower in the middle than at its rims."""
    return lambda y: sign * (13.5 - 8.0 * np.clip(1.0 - (y / 14.0) ** 2, 0.0, None))


def push(_x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return -5.0 * np.exp(-((z / 6.0) ** 2))


def test_whole_body_suggests_none_but_leaves_oedema_and_ligaments_open() -> None:
    suggestion = suggest_of_class(make_anatomy(), EXPECTED, loss(2.0), FLAT_WALL, NO_GAS, SETTINGS)

    assert suggestion.type == "none"
    assert any("STIR" in item for item in suggestion.still_needed)
    assert any("OF 5" in item for item in suggestion.still_needed)


def test_one_endplate_with_a_sound_wall_is_of_2() -> None:
    anatomy = make_anatomy(top=wedge_top)

    suggestion = suggest_of_class(anatomy, EXPECTED, loss(33.0), FLAT_WALL, NO_GAS, SETTINGS)
    deformity = endplate_deformity(anatomy, EXPECTED, SETTINGS)

    assert suggestion.type == "OF 2"
    assert deformity is not None
    assert deformity.superior_percent == pytest.approx(100.0 * 8.5 / 27.0, abs=4.0)
    assert deformity.inferior_percent < 4.0
    assert [reason.split()[0] for reason in suggestion.reasons] == ["upper"]


def test_one_endplate_with_the_wall_pushed_back_is_of_3() -> None:
    anatomy = make_anatomy(top=wedge_top, back_wall=push)
    wall, _ = measure_posterior_wall(anatomy, None, None, SETTINGS)

    suggestion = suggest_of_class(anatomy, EXPECTED, loss(33.0), wall, NO_GAS, SETTINGS)

    assert suggestion.type == "OF 3"


def test_both_endplates_are_of_4() -> None:
    anatomy = make_anatomy(top=sag(1.0), bottom=sag(-1.0))

    suggestion = suggest_of_class(anatomy, EXPECTED, loss(59.0), FLAT_WALL, NO_GAS, SETTINGS)
    deformity = endplate_deformity(anatomy, EXPECTED, SETTINGS)

    assert suggestion.type == "OF 4"
    assert deformity is not None
    assert deformity.superior_depression_mm == pytest.approx(8.0, abs=1.0)
    assert deformity.inferior_depression_mm == pytest.approx(8.0, abs=1.0)


def test_a_gas_cleft_alone_is_a_fracture() -> None:
    cleft = Cleft(True, Estimate(0.5, 0.4, 0.6, "ml", "test"))

    suggestion = suggest_of_class(make_anatomy(), EXPECTED, loss(2.0), FLAT_WALL, cleft, SETTINGS)

    assert suggestion.type == "OF 2"
    assert any("cleft" in reason for reason in suggestion.reasons)


@pytest.mark.parametrize("case", ["cut", "no loss", "no expectation"])
def test_what_cannot_be_judged_is_undetermined(case: str) -> None:
    anatomy = make_anatomy(complete=case != "cut")
    unknown = Estimate.missing("percent", "no neighbour")
    expected = (
        EXPECTED
        if case != "no expectation"
        else heights(27.0, 27.0, 27.0).__class__(unknown, unknown, unknown)
    )

    suggestion = suggest_of_class(
        anatomy, expected, unknown if case == "no loss" else loss(30.0), FLAT_WALL, NO_GAS, SETTINGS
    )

    assert suggestion.type == "undetermined"
    assert suggestion.reasons
