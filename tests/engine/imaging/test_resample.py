"""Interpolation against numbers worked by hand, and between grids of any axes."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.geometry import apply_affine, rotation_about_axis
from vertebro.imaging import Interpolation, VolumeGeometry, resample, sample_at

GRID = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 2.0, 4.0), (10.0, 20.0, 30.0))
CUBE = np.array([[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 70.0]]], np.float32)


def test_values_at_voxel_centres_are_the_voxels() -> None:
    points = apply_affine(GRID.lps_from_voxel, [[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])

    assert sample_at(CUBE, GRID, points).tolist() == CUBE.ravel().tolist()


def test_trilinear_value_by_hand() -> None:
    # a quarter along i, half along j, three quarters along k:
    # sum of w_i w_j w_k values = 0.75*0.5*(0.25*(0+2) + 0.75*(1+3)) + 0.25*0.5*(0.25*(4+6) + 0.75*(5+70))
    expected = 0.375 * (0.5 + 3.0) + 0.125 * (2.5 + 56.25)

    assert float(sample_at(CUBE, GRID, [10.25, 21.0, 33.0])) == pytest.approx(expected)


def test_nearest_value() -> None:
    points = [[10.4, 20.9, 31.9], [10.6, 21.1, 32.1]]

    assert sample_at(CUBE, GRID, points, interpolation=Interpolation.NEAREST).tolist() == [0.0, 70.0]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((9.5, 20.0, 30.0), 0.0),
        ((9.51, 19.01, 28.01), 0.0),
        ((11.5, 23.0, 36.0), 70.0),
        ((9.49, 20.0, 30.0), -1024.0),
        ((10.0, 18.98, 30.0), -1024.0),
        ((10.0, 20.0, 36.01), -1024.0),
        ((np.nan, 20.0, 30.0), -1024.0),
    ],
)
def test_a_voxel_fills_its_cell_and_no_more(point: tuple[float, float, float], expected: float) -> None:
    assert float(sample_at(CUBE, GRID, point)) == expected


def test_the_value_outside_can_be_chosen() -> None:
    assert float(sample_at(CUBE, GRID, [0.0, 0.0, 0.0], outside=7.0)) == 7.0


def test_sample_at_keeps_the_points_shape() -> None:
    points = np.full((2, 3, 4, 3), 10.0)

    assert sample_at(CUBE, GRID, points).shape == (2, 3, 4)


def test_sample_at_takes_integers_and_masks() -> None:
    point = [10.5, 20.0, 30.0]

    assert float(sample_at(np.array(CUBE, np.int16), GRID, point)) == 2.0
    assert float(sample_at(CUBE > 3.5, GRID, point)) == 0.5


def _smooth(grid: VolumeGeometry) -> np.ndarray:
    """A linear function of the world, which trilinear interpolation must keep exactly."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    points = apply_affine(grid.lps_from_voxel, index)
    return np.asarray(3.0 * points[..., 0] - 2.0 * points[..., 1] + 0.5 * points[..., 2] + 7.0, np.float32)


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_a_linear_ramp_survives_any_pair_of_axes(
    flip: tuple[int, int, int], order: tuple[int, int, int]
) -> None:
    source = VolumeGeometry.from_spacing((24, 24, 24), (1.0, 1.0, 1.0), (-12.0, -12.0, -12.0))
    affine = np.eye(4)
    affine[:3, :3] = np.diag([0.7 * s for s in flip])[:, order]
    affine[:3, 3] = -4.5 * affine[:3, :3].sum(axis=1)
    target = VolumeGeometry((10, 10, 10), affine).transformed(rotation_about_axis([1, 2, 3], 0.4))

    resampled = resample(_smooth(source), source, target)

    assert np.allclose(resampled, _smooth(target), atol=1e-4)


def test_resample_agrees_with_sample_at_everywhere_outside_included() -> None:
    rng = np.random.default_rng(1)
    array = rng.normal(size=(6, 7, 8)).astype(np.float32)
    source = VolumeGeometry.from_spacing((6, 7, 8), (1.0, 1.2, 2.0))
    target = VolumeGeometry.from_spacing((9, 9, 9), (1.1, 1.1, 1.7), (-1.5, -1.0, -2.0)).transformed(
        rotation_about_axis([1, 1, 0], 0.3)
    )
    index = np.stack(np.meshgrid(*[np.arange(9)] * 3, indexing="ij"), axis=-1)
    points = apply_affine(target.lps_from_voxel, index)

    for kind in (Interpolation.LINEAR, Interpolation.NEAREST):
        ours = resample(array, source, target, interpolation=kind, outside=-5.0)
        theirs = sample_at(array, source, points, interpolation=kind, outside=-5.0)

        assert (theirs == -5.0).any()
        assert (theirs != -5.0).any()
        assert np.allclose(ours, theirs, atol=1e-5)


def test_onto_its_own_grid_nothing_changes() -> None:
    assert resample(CUBE, GRID, GRID).tolist() == CUBE.tolist()
    assert np.allclose(resample(CUBE, GRID, GRID, interpolation=Interpolation.CUBIC), CUBE, atol=1e-4)


def test_nearest_keeps_the_type_and_the_set_of_labels() -> None:
    labels = np.zeros((8, 8, 8), np.int16)
    labels[2:6, 2:6, 2:6] = 300
    grid = VolumeGeometry.from_spacing((8, 8, 8), (1.0, 1.0, 1.0))
    finer = VolumeGeometry.from_spacing((16, 16, 16), (0.5, 0.5, 0.5), (-0.25, -0.25, -0.25))

    resampled = resample(labels, grid, finer, interpolation=Interpolation.NEAREST)

    assert resampled.dtype == np.int16
    assert np.unique(resampled).tolist() == [0, 300]
    assert int((resampled == 300).sum()) == 8 * 64


def test_fill_values_outside() -> None:
    away = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0), (100.0, 0.0, 0.0))
    labels = np.ones((2, 2, 2), np.uint8)

    assert np.unique(resample(CUBE, GRID, away)).tolist() == [-1024.0]
    assert np.unique(resample(labels, GRID, away, interpolation=Interpolation.NEAREST)).tolist() == [0]
    assert np.unique(resample(CUBE, GRID, away, outside=3.0)).tolist() == [3.0]


def test_the_source_is_left_as_it_was() -> None:
    before = CUBE.copy()

    resample(CUBE, GRID, VolumeGeometry.from_spacing((4, 4, 4), (0.5, 0.5, 0.5)))

    assert CUBE.tolist() == before.tolist()


def test_a_single_slice_can_be_resampled() -> None:
    flat = VolumeGeometry.from_spacing((4, 4, 1), (1.0, 1.0, 5.0))
    array = np.full((4, 4, 1), 50.0, np.float32)
    thin = VolumeGeometry.from_spacing((4, 4, 5), (1.0, 1.0, 1.0), (0.0, 0.0, -2.0))

    assert np.unique(resample(array, flat, thin)).tolist() == [50.0]
