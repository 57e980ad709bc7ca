"""The canal's depth from wall to lamina, by labels and by CT alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tissue_bodies import make_anatomy
from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.canal import CanalProfile, canal_profile, narrowest_mm
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.assessment.wall_profile import back_surface_mm, wall_profile

SETTINGS = TissueSettings()


def follow(anatomy: LevelAnatomy) -> CanalProfile:
    wall = wall_profile(anatomy, SETTINGS)
    assert wall is not None
    return canal_profile(anatomy, back_surface_mm(anatomy), wall.line_mm, wall.rows, SETTINGS)


@pytest.mark.parametrize("canal_mm", [10.0, 16.0, 22.0])
@pytest.mark.parametrize("is_body_only", [False, True])
def test_depth_of_a_straight_canal(canal_mm: float, is_body_only: bool) -> None:
    profile = follow(make_anatomy(canal_mm=canal_mm, is_body_only=is_body_only))

    assert profile.is_known
    assert narrowest_mm(profile) == pytest.approx(canal_mm, abs=0.8)
    assert profile.is_bony.mean() > 0.8


def test_no_lamina_is_a_reason_not_a_number() -> None:
    by_label = follow(make_anatomy(with_lamina=False))
    by_ct = follow(make_anatomy(with_lamina=False, is_body_only=True))

    assert "no lamina in the labels" in by_label.reason
    assert "no lamina on the CT" in by_ct.reason
    assert not by_label.is_known


def test_label_that_takes_in_the_ligament_does_not_narrow_the_canal() -> None:
    anatomy = make_anatomy(canal_mm=18.0)
    thick = anatomy.vertebra & ~anatomy.body
    for _ in range(3):
        thick = thick | np.roll(thick, 1, axis=1)

    generous = replace(anatomy, vertebra=anatomy.body | thick)

    assert narrowest_mm(follow(generous)) == pytest.approx(18.0, abs=0.8)


def test_gap_between_laminae_is_bridged_by_the_spinolaminar_line() -> None:
    def gap(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        hu[(axes[1] < -20.0) & (axes[2] > -2.0)] = 40.0

    profile = follow(make_anatomy(canal_mm=16.0, is_body_only=True, paint=gap))

    assert 0.2 < profile.is_bony.mean() < 0.6
    assert np.ptp(profile.back_mm) < 0.5
    assert narrowest_mm(profile) == pytest.approx(16.0, abs=0.8)
