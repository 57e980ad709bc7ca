"""Bulge, displaced corners and encroachment against analytic walls."""

from __future__ import annotations

import numpy as np
import pytest

from tissue_bodies import make_anatomy
from vertebro.assessment.posterior_wall import measure_posterior_wall
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.assessment.wall_profile import wall_profile

SETTINGS = TissueSettings()
UP, DOWN = 36.0, -36.0


def bump(push_mm: float, centre_z_mm: float = 0.0, half_height_mm: float = 5.0):
    return lambda _x, z: -push_mm * np.exp(-(((z - centre_z_mm) / half_height_mm) ** 2))


def concave(depth_mm: float):
    return lambda _x, z: depth_mm * (1.0 - (z / 13.5) ** 2)


@pytest.mark.parametrize("push_mm", [0.0, 2.0, 4.0, 6.0])
@pytest.mark.parametrize("voxel_mm", [0.75, 1.0])
def test_bulge_in_the_middle_of_the_wall(push_mm: float, voxel_mm: float) -> None:
    anatomy = make_anatomy(back_wall=bump(push_mm), voxel_mm=voxel_mm)

    wall, _ = measure_posterior_wall(anatomy, None, None, SETTINGS)

    assert wall.bulge_mm.require() == pytest.approx(push_mm, abs=voxel_mm)
    assert wall.bulge_mm.lower <= push_mm <= wall.bulge_mm.upper


def test_an_outline_too_far_back_is_no_wall() -> None:
    anatomy = make_anatomy(back_wall=bump(22.0))

    wall, findings = measure_posterior_wall(anatomy, None, None, SETTINGS)

    assert not wall.bulge_mm.is_known
    assert "not labelled" in wall.bulge_mm.basis
    assert not findings


def test_healthy_concave_wall_is_negative() -> None:
    anatomy = make_anatomy(back_wall=concave(3.0))

    wall, findings = measure_posterior_wall(anatomy, None, None, SETTINGS)

    assert wall.bulge_mm.require() < -0.3
    assert findings == ()


@pytest.mark.parametrize("push_mm", [3.0, 5.0])
def test_corner_carried_back_is_read_from_the_neighbours(push_mm: float) -> None:
    def upper_half(_x: np.ndarray, z: np.ndarray) -> np.ndarray:
        return -push_mm / (1.0 + np.exp(-(z - 2.0) / 1.5))

    anatomy = make_anatomy(back_wall=upper_half)
    above, below = make_anatomy(name="T12", centre_z_mm=UP), make_anatomy(name="L2", centre_z_mm=DOWN)

    alone, _ = measure_posterior_wall(anatomy, None, None, SETTINGS)
    wall, findings = measure_posterior_wall(anatomy, above, below, SETTINGS)
    profile = wall_profile(anatomy, SETTINGS, above, below)

    assert alone.bulge_mm.require() < push_mm / 2.0
    assert wall.bulge_mm.require() == pytest.approx(push_mm, abs=1.2)
    assert profile is not None
    assert profile.corner_step_mm is not None
    assert profile.corner_step_mm[1] == pytest.approx(push_mm, abs=1.0)
    assert "upper corner displaced" in wall.bulge_mm.basis
    assert ("tissue.wall_step" in [item.code for item in findings]) == (push_mm > 4.0)


@pytest.mark.parametrize("push_mm", [0.0, 3.0, 6.0])
def test_encroachment_against_the_neighbours(push_mm: float) -> None:
    anatomy = make_anatomy(back_wall=bump(push_mm), canal_mm=16.0)
    above, below = make_anatomy(name="T12", centre_z_mm=UP), make_anatomy(name="L2", centre_z_mm=DOWN)

    wall, _ = measure_posterior_wall(anatomy, above, below, SETTINGS)

    assert wall.canal_depth_mm.require() == pytest.approx(16.0 - push_mm, abs=1.0)
    assert wall.canal_encroachment_percent.require() == pytest.approx(100.0 * push_mm / 16.0, abs=6.0)


def test_encroachment_needs_a_neighbour() -> None:
    wall, _ = measure_posterior_wall(make_anatomy(), None, make_anatomy(complete=False), SETTINGS)

    assert wall.canal_depth_mm.is_known
    assert not wall.canal_encroachment_percent.is_known
    assert "no neighbouring canal" in wall.canal_encroachment_percent.basis


def test_one_neighbour_gives_a_wider_interval() -> None:
    anatomy, below = make_anatomy(), make_anatomy(name="L2", centre_z_mm=DOWN)
    above = make_anatomy(name="T12", centre_z_mm=UP)

    one = measure_posterior_wall(anatomy, None, below, SETTINGS)[0].canal_encroachment_percent
    two = measure_posterior_wall(anatomy, above, below, SETTINGS)[0].canal_encroachment_percent

    assert one.upper - one.lower > two.upper - two.lower


def test_cut_level_is_missing_with_its_reason() -> None:
    wall, findings = measure_posterior_wall(make_anatomy(complete=False), None, None, SETTINGS)

    assert not wall.bulge_mm.is_known
    assert "field of view" in wall.canal_depth_mm.basis
    assert findings == ()


def test_bulge_within_the_outlines_error_is_not_pointed_out() -> None:
    small = measure_posterior_wall(make_anatomy(back_wall=bump(1.0)), None, None, SETTINGS)[1]
    large = measure_posterior_wall(make_anatomy(back_wall=bump(5.0)), None, None, SETTINGS)[1]

    assert small == ()
    assert [item.code for item in large] == ["tissue.wall_bulge"]
