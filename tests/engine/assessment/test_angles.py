"""Sagittal angles between endplates."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.assessment.angles import endplate_angle, sagittal_angle_deg
from vertebro.case import EndplatePlane
from vertebro.geometry import rotation_about_axis

RIGHT = np.array([-1.0, 0.0, 0.0])
UP = np.array([0.0, 0.0, 1.0])


def tilted_to_front(degrees: float) -> np.ndarray:
    """An endplate's normal that looks forward by so much: its front edge stands lower."""
    return np.array([0.0, -np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])


@pytest.mark.parametrize("degrees", [-30.0, -5.0, 0.0, 12.0, 60.0])
def test_upper_endplate_looking_forward_is_kyphotic(degrees):
    assert sagittal_angle_deg(tilted_to_front(degrees), UP, RIGHT) == pytest.approx(degrees)


def test_sideways_tilt_does_not_count():
    sideways = np.array([np.sin(0.3), 0.0, np.cos(0.3)])

    assert sagittal_angle_deg(sideways, UP, RIGHT) == pytest.approx(0.0, abs=1e-9)


def test_angle_is_the_same_however_the_patient_lies():
    turn = rotation_about_axis([0.3, -0.5, 0.8], 1.1)[:3, :3]

    turned = sagittal_angle_deg(turn @ tilted_to_front(17.0), turn @ UP, turn @ RIGHT)

    assert turned == pytest.approx(17.0)


def test_missing_endplate_gives_a_missing_angle():
    plane = EndplatePlane(np.zeros(3), UP, 0.1)

    assert not endplate_angle(plane, None, RIGHT, 1.0, "basis").is_known
    assert endplate_angle(plane, plane, RIGHT, 1.0, "basis").value == 0.0
