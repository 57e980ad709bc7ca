"""Sections through a scan: they show what lies there, whatever the scan's own axes."""

from __future__ import annotations

import numpy as np
import pytest

from reporting_cases import BODY_HALF_MM, spine
from vertebro.geometry import rotation_about_axis
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.reporting.planes import Section, grey_from_hu, outlines, slab_mean, values_at
from vertebro.reporting.reformats import section_of
from vertebro.reporting.settings import ReportSettings

SETTINGS = ReportSettings()


def ramp_along(direction_lps: np.ndarray, spacing_mm: float = 2.0) -> Volume:
    """A scan whose value is ten times the distance along a direction from the world's origin."""
    grid = VolumeGeometry.from_spacing((60, 60, 60), (spacing_mm,) * 3, (-59.0, -59.0, -59.0))
    index = np.indices(grid.shape).reshape(3, -1).T
    lps = index @ grid.lps_from_voxel[:3, :3].T + grid.lps_from_voxel[:3, 3]
    return Volume((10.0 * lps @ direction_lps).reshape(grid.shape).astype(np.float32), grid)


@pytest.mark.parametrize("view", ["sagittal", "coronal", "axial"])
@pytest.mark.parametrize("tilt_deg", [0.0, 25.0])
def test_reformat_lies_in_the_plane_of_the_levels_own_axes(view, tilt_deg):
    level = spine(("L1",), tilt_deg)[2].levels["L1"]
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[view]
    normal = level.lps_from_vertebra[:3, axis]
    volume = ramp_along(normal)
    settings = ReportSettings(picture_width_mm=60.0, picture_height_mm=60.0)

    values = slab_mean(volume, section_of(level, view, settings), spacing_mm=1.0, slab_mm=2.0)

    assert np.nanmax(np.abs(values)) < 0.02  # ten per millimetre: within 2 µm of the plane


@pytest.mark.parametrize(
    ("view", "towards", "column_or_row", "sign"),
    [
        ("sagittal", 1, "column", -1),  # anterior at the left
        ("sagittal", 2, "row", -1),  # superior at the top
        ("coronal", 0, "column", -1),  # patient's right at the left
        ("coronal", 2, "row", -1),
        ("axial", 0, "column", -1),
        ("axial", 1, "row", -1),  # anterior at the top
    ],
)
def test_reformat_shows_each_direction_where_the_convention_puts_it(view, towards, column_or_row, sign):
    level = spine(("L1",), 15.0)[2].levels["L1"]
    volume = ramp_along(level.lps_from_vertebra[:3, towards])
    settings = ReportSettings(picture_width_mm=50.0, picture_height_mm=50.0)

    values = slab_mean(volume, section_of(level, view, settings), spacing_mm=1.0, slab_mm=0.0)

    axis = 1 if column_or_row == "column" else 0
    steps = np.diff(values, axis=axis)
    assert np.all(steps * sign > 0)
    assert abs(float(np.median(steps)) * sign - 10.0) < 0.05


def test_section_places_world_points_where_its_pixels_are():
    section = section_of(spine(("L1",), 20.0)[2].levels["L1"], "sagittal", SETTINGS)
    positions = section.positions(1.0)
    rows, columns = positions.shape[:2]

    sheet = section.sheet_from_lps(positions)

    step = np.array([section.width_mm / columns, section.height_mm / rows]) * section.sheet_per_mm
    expected = (np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) + 0.5) * step
    assert np.allclose(sheet, expected)


@pytest.mark.parametrize("view", ["sagittal", "coronal", "axial"])
def test_outline_of_a_tilted_box_has_the_boxs_size(view):
    _, _, assessment = spine(("L1",), 20.0, spacing_mm=1.0)
    level = assessment.levels["L1"]
    section = section_of(level, view, SETTINGS)
    values = values_at(
        assessment.bodies, assessment.geometry, section.positions(0.5), outside=0.0, label=level.label
    )

    (outline,) = outlines(values, lambda pixel: (pixel + 0.5) * 0.5)

    size = np.ptp(np.array(outline), axis=0)
    right, anterior, superior = (2 * half for half in BODY_HALF_MM)
    expected = {"sagittal": (anterior, superior), "coronal": (right, superior), "axial": (right, anterior)}[
        view
    ]
    assert np.allclose(size, expected, atol=1.5)


def test_values_outside_the_scan_are_marked_and_shown_in_their_own_grey():
    volume = ramp_along(np.array([1.0, 0.0, 0.0]))
    section = Section(
        np.array([59.0, 0.0, 0.0]), np.array([1.0, 0, 0]), np.array([0, 0, -1.0]), 40.0, 10.0, 1.0
    )

    values = slab_mean(volume, section, spacing_mm=1.0, slab_mm=0.0)
    grey = grey_from_hu(values, -1000.0, 1000.0)

    assert np.isnan(values[:, 25:]).all()
    assert np.isfinite(values[:, :19]).all()
    assert set(grey[:, 25:].ravel().tolist()) == {40}


def test_section_wholly_outside_the_scan_is_empty_and_no_error():
    volume = ramp_along(np.array([1.0, 0.0, 0.0]))
    far = np.full((3, 3, 3), 500.0)

    assert np.isnan(values_at(volume.hu, volume.geometry, far)).all()


def test_cropping_to_the_section_changes_no_value():
    volume = ramp_along(np.array([0.3, 0.5, 0.81]))
    turn = rotation_about_axis((1.0, 1.0, 0.0), 0.4)[:3, :3]
    section = Section(np.array([5.0, -7.0, 3.0]), turn[:, 0], turn[:, 1], 20.0, 20.0, 1.0)
    positions = section.positions(1.0)

    values = values_at(volume.hu, volume.geometry, positions)

    assert np.allclose(values, 10.0 * positions @ [0.3, 0.5, 0.81], atol=0.02)


def test_slab_mean_averages_across_the_section():
    grid = VolumeGeometry.from_spacing((21, 21, 21), (1.0, 1.0, 1.0), (-10.0, -10.0, -10.0))
    hu = np.zeros(grid.shape, np.float32)
    hu[:, :, 10] = 300.0  # one bright slice at z = 0
    section = Section(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 10.0, 10.0, 1.0)

    thin = slab_mean(Volume(hu, grid), section, spacing_mm=1.0, slab_mm=0.0)
    thick = slab_mean(Volume(hu, grid), section, spacing_mm=1.0, slab_mm=4.0)

    assert np.allclose(thin, 300.0)
    assert 60.0 < float(thick.mean()) < 100.0
