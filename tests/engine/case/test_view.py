"""Poses as they are said, and views as they are kept."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.case import CArmPose
from vertebro.errors import SettingsError

ORIGIN = (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "towards"),
    [
        ("ap", [0, 1, 0]),  # detector behind a patient lying prone
        ("PA", [0, -1, 0]),
        ("lateral", [1, 0, 0]),
        ("right lateral", [-1, 0, 0]),
        ("LAO 90", [1, 0, 0]),
        ("RAO 90", [-1, 0, 0]),
        ("LAO 30", [0.5, -np.sqrt(0.75), 0]),
        ("LPO 30", [0.5, np.sqrt(0.75), 0]),
        ("RPO 30", [-0.5, np.sqrt(0.75), 0]),
        ("CRA 30", [0, -np.sqrt(0.75), 0.5]),
        ("LAO 90 CAU 30", [np.sqrt(0.75), 0, -0.5]),
    ],
)
def test_what_is_said_points_the_detector_there(text: str, towards: list[float]) -> None:
    np.testing.assert_allclose(CArmPose.parse(text, ORIGIN).towards_detector_lps, towards, atol=1e-12)


@pytest.mark.parametrize(
    "text", ["", "sideways", "LAO", "LAO 20 RAO 10", "CRA 10 CAU 5", "LAO 20 please", "LAO 200", "CRA 95"]
)
def test_what_is_no_pose_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        CArmPose.parse(text, ORIGIN)


def test_an_isocentre_that_is_no_place_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        CArmPose(0.0, 0.0, (0.0, float("nan"), 0.0))

    assert caught.value.code == "view.isocentre"


@pytest.mark.parametrize(
    "text", ["AP", "PA", "LEFT LATERAL", "LAO 20 CRA 10", "RPO 15 CAU 5", "LPO 25", "AP CRA 10"]
)
def test_a_label_says_the_pose(text: str) -> None:
    spoken = text.replace("AP CRA", "LPO 0 CRA")

    assert CArmPose.parse(spoken, ORIGIN).label == text


def test_looking_along_a_needle_gives_a_pose_with_that_direction() -> None:
    rng = np.random.default_rng(1)
    for direction in rng.normal(size=(20, 3)):
        pose = CArmPose.looking_along(direction, ORIGIN)
        np.testing.assert_allclose(
            pose.towards_detector_lps, direction / np.linalg.norm(direction), atol=1e-9
        )


def test_moving_the_table_moves_the_isocentre_the_other_way_in_the_patient() -> None:
    pose = CArmPose(0.0, 0.0, (10.0, 20.0, 30.0), table_shift_lps_mm=(1.0, 2.0, -3.0))

    assert pose.isocentre_in_patient_mm.tolist() == [9.0, 18.0, 33.0]
