"""Gas in the body counts, gas in the disc does not; the volume is right whatever the blur."""

from __future__ import annotations

import numpy as np
import pytest

from tissue_bodies import ball, make_anatomy
from vertebro.assessment.cleft import find_cleft, gas_pockets
from vertebro.assessment.tissue_settings import TissueSettings

SETTINGS = TissueSettings()


@pytest.mark.parametrize("blur_mm", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("voxel_mm", [0.8, 1.0])
def test_volume_of_a_ball_of_gas(blur_mm: float, voxel_mm: float) -> None:
    radius = 5.0
    truth = 4.0 / 3.0 * np.pi * (radius**3 + radius * blur_mm**2) / 1000.0  # a ramp of ±blur holds this
    anatomy = make_anatomy(voxel_mm=voxel_mm, paint=ball((0.0, 3.0, 0.0), radius, -1000.0, blur_mm))

    cleft, findings = find_cleft(anatomy, SETTINGS)

    assert cleft.present is True
    assert cleft.volume_ml.require() == pytest.approx(truth, rel=0.06)
    assert cleft.volume_ml.lower <= truth <= cleft.volume_ml.upper
    assert [item.code for item in findings] == ["tissue.gas_cleft"]


def test_no_gas_is_no_cleft_and_says_that_fluid_is_not_seen() -> None:
    cleft, findings = find_cleft(make_anatomy(), SETTINGS)

    assert cleft.present is False
    assert cleft.volume_ml.require() == 0.0
    assert "MRI" in cleft.note
    assert findings == ()


@pytest.mark.parametrize(("depth_hu", "is_found"), [(-100.0, False), (-600.0, True)])
def test_fat_is_no_gas(depth_hu: float, is_found: bool) -> None:
    anatomy = make_anatomy(paint=ball((0.0, 3.0, 0.0), 4.0, depth_hu))

    assert find_cleft(anatomy, SETTINGS)[0].present is is_found


def test_vacuum_in_the_disc_is_not_counted() -> None:
    def disc_gas(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        x, y, z = axes
        hu[(np.abs(x) < 12.0) & (np.abs(y) < 8.0) & (z > 12.2) & (z < 17.0)] = -900.0

    cleft, findings = find_cleft(make_anatomy(paint=disc_gas), SETTINGS)

    assert cleft.present is False
    assert "not counted" in cleft.note
    assert findings == ()


def test_cleft_that_opens_into_the_disc_says_so_and_counts_only_the_body() -> None:
    def gas(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        x, y, z = axes
        hu[(np.abs(x) < 8.0) & (np.abs(y) < 6.0) & (z > 7.0) & (z < 16.0)] = -1000.0

    cleft, findings = find_cleft(make_anatomy(paint=gas), SETTINGS)

    in_body_ml = 15 * 11 * 6 / 1000.0  # voxel centres: |x| <= 7, |y| <= 5, 8 <= z <= 13
    assert cleft.present is True
    assert cleft.volume_ml.lower <= in_body_ml <= cleft.volume_ml.upper
    assert cleft.touches_superior_endplate
    assert not cleft.touches_inferior_endplate
    assert "disc above" in cleft.note
    assert [item.code for item in findings] == ["tissue.gas_cleft", "tissue.cleft_opens"]


@pytest.mark.parametrize(
    ("centre", "touched"),
    [
        ((0.0, 0.0, 0.0), (False, False, False)),
        ((0.0, 0.0, 6.0), (True, False, False)),
        ((0.0, 0.0, -6.0), (False, True, False)),
        ((0.0, 9.0, 0.0), (False, False, True)),
    ],
)
def test_what_a_cleft_touches(centre: tuple[float, float, float], touched: tuple[bool, bool, bool]) -> None:
    cleft, _ = find_cleft(make_anatomy(paint=ball(centre, 5.0, -1000.0)), SETTINGS)

    found = (cleft.touches_superior_endplate, cleft.touches_inferior_endplate, cleft.touches_anterior_wall)
    assert found == touched


def test_cement_makes_gas_unjudged() -> None:
    def cement_and_streak(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        ball((0.0, 0.0, 0.0), 6.0, 2600.0)(hu, axes)
        ball((0.0, 9.0, 0.0), 3.0, -700.0)(hu, axes)

    cleft, findings = find_cleft(make_anatomy(paint=cement_and_streak), SETTINGS)

    assert cleft.present is None
    assert not cleft.volume_ml.is_known
    assert [item.code for item in findings] == ["tissue.earlier_cement"]


def test_a_bone_island_is_not_cement() -> None:
    cleft, findings = find_cleft(make_anatomy(paint=ball((0.0, 0.0, 0.0), 6.0, 1100.0)), SETTINGS)

    assert cleft.present is False
    assert findings == ()


def test_fill_outside_the_scan_is_not_gas() -> None:
    def cut(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        hu[axes[2] > 5.0] = -1024.0

    anatomy = make_anatomy(paint=cut, complete=False)

    assert not gas_pockets(anatomy, SETTINGS).inside.any()
    assert find_cleft(anatomy, SETTINGS)[0].present is None


def test_gas_in_the_seen_part_of_a_cut_level_is_found() -> None:
    anatomy = make_anatomy(paint=ball((0.0, 0.0, 0.0), 5.0, -1000.0), complete=False)

    cleft, _ = find_cleft(anatomy, SETTINGS)

    assert cleft.present is True
    assert "may be larger" in cleft.note
