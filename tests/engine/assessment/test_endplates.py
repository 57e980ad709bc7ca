"""Endplate surfaces and planes from made columns."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.assessment.endplates import (
    ColumnSurfaces,
    Outline,
    column_surfaces,
    fit_endplate,
    huber_plane,
)


def made_surfaces(top, bottom=lambda x, y: 0.0 * x, half=(20.0, 15.0)) -> ColumnSurfaces:
    """An elliptic body whose faces are given as functions of (x, y)."""
    x, y = np.arange(-half[0], half[0] + 0.5), np.arange(-half[1], half[1] + 0.5)
    gx, gy = np.meshgrid(x, y, indexing="ij")
    rho = np.hypot(gx / half[0], gy / half[1])
    inside = rho < 1.0
    rim = np.where(inside, (1.0 - rho) * half[1], 0.0)
    return ColumnSurfaces(
        x,
        y,
        np.where(inside, top(gx, gy), np.nan),
        np.where(inside, bottom(gx, gy), np.nan),
        rim,
        first_z_mm=-5.0,
        step_mm=1.0,
    )


def fit(surfaces, which="top"):
    outline = Outline(0.0, 0.0, 20.0, 15.0)
    result = fit_endplate(surfaces, which, outline, rim_margin_mm=1.2, voxel_mm=1.0, threshold=1.345)
    assert result is not None
    return result


def test_plane_is_recovered_under_osteophytes():
    rng = np.random.default_rng(0)

    def with_spurs(x, y):
        z = 25.0 + 0.1 * y - 0.05 * x + rng.normal(0.0, 0.1, x.shape)
        return z + 6.0 * (y > 12.5)

    plane = fit(made_surfaces(with_spurs)).plane

    assert plane.slope_y == pytest.approx(0.1, abs=0.02)
    assert plane.slope_x == pytest.approx(-0.05, abs=0.01)


def test_collapsed_middle_does_not_pull_the_plane_down():
    def sunk(x, y):
        rho2 = (x / 20.0) ** 2 + (y / 15.0) ** 2
        return 25.0 + 0.05 * y - 8.0 * np.clip(1.0 - rho2 / 0.6, 0.0, 1.0) ** 1.5

    whole = fit(made_surfaces(sunk))

    assert whole.hollow_mm > 5.0
    assert whole.ring_doubt == 0.0
    assert whole.plane.at(0.0, 13.0) == pytest.approx(25.65, abs=0.05)
    assert whole.whole_plane.at(0.0, 13.0) < 24.5


def test_broken_ring_leaves_the_word_to_the_whole_endplate():
    broken = fit(made_surfaces(lambda x, y: 25.0 - 6.0 * ((y > 8.0) & (x > 0.0))))

    assert broken.ring_doubt == 1.0
    assert broken.plane == broken.whole_plane


def test_hollow_off_the_middle_tilts_the_ring_less_than_the_whole():
    def sunk(x, y):
        rho2 = (x / 20.0) ** 2 + ((y - 1.5) / 15.0) ** 2
        return 25.0 - 6.0 * np.clip(1.0 - rho2 / 0.5, 0.0, 1.0)

    both = fit(made_surfaces(sunk))

    assert abs(both.ring_plane.slope_y) < 0.3 * abs(both.whole_plane.slope_y)


def test_hollow_of_a_lower_endplate_counts_upwards():
    def sunk(x, y):
        return 5.0 * np.clip(1.0 - np.hypot(x / 20.0, y / 15.0), 0.0, 1.0)

    assert fit(made_surfaces(lambda x, y: 25.0 + 0 * x, sunk), "bottom").hollow_mm > 2.0


def test_surface_is_found_between_voxels():
    coverage = np.zeros((6, 6, 12), np.float32)
    coverage[1:5, 1:5, 3:8] = 1.0
    coverage[1:5, 1:5, 8] = 0.3
    body = coverage >= 0.5

    surfaces = column_surfaces(body, coverage, np.zeros(3), 1.0)

    assert surfaces is not None
    assert np.nanmax(surfaces.top_mm) == pytest.approx(7.0 + 0.5 / 0.7, abs=1e-6)
    assert np.nanmin(surfaces.bottom_mm) == pytest.approx(2.5, abs=1e-6)


def test_empty_body_has_no_surfaces():
    empty = np.zeros((3, 3, 3), np.float32)

    assert column_surfaces(empty > 0.0, empty, np.zeros(3), 1.0) is None


def test_points_on_a_line_make_no_plane():
    x = np.arange(20.0)

    assert huber_plane(x, 2.0 * x, x, 1.345) is None
    assert huber_plane(x[:4], x[:4] ** 2, x[:4], 1.345) is None
