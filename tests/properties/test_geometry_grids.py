"""What must hold for any grid: places do not depend on how an image is stored."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from vertebro.geometry import apply_affine, rotation_about_axis
from vertebro.imaging import Interpolation, Volume, VolumeGeometry, resample, sample_at

OPPOSITE = dict(zip("LRPASI", "RLAPIS", strict=True))


@st.composite
def grids(draw: st.DrawFn, max_size: int = 7) -> VolumeGeometry:
    """Any size, spacing, pose and handedness."""
    shape = tuple(draw(st.integers(2, max_size)) for _ in range(3))
    spacing = [draw(st.floats(0.3, 3.0)) for _ in range(3)]
    flips = [draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)]
    order = draw(st.permutations(range(3)))
    affine = np.eye(4)
    affine[:3, :3] = np.diag(np.multiply(spacing, flips))[:, order]
    affine[:3, 3] = [draw(st.floats(-200.0, 200.0)) for _ in range(3)]
    grid = VolumeGeometry(shape, affine)  # type: ignore[arg-type]
    axis = [draw(st.floats(-1.0, 1.0)) for _ in range(3)]
    assume(np.linalg.norm(axis) > 0.1)
    return grid.transformed(rotation_about_axis(axis, draw(st.floats(-3.0, 3.0)), grid.centre_lps_mm))


def _values(grid: VolumeGeometry, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 100.0, grid.shape).astype(np.float32)


def _stored_otherwise(
    array: np.ndarray, grid: VolumeGeometry, order: tuple[int, ...], flips: tuple[bool, ...]
) -> tuple[np.ndarray, VolumeGeometry]:
    """The same image with its axes permuted and flipped, its affine following."""
    affine = grid.lps_from_voxel.copy()
    for axis, is_flipped in enumerate(flips):
        if is_flipped:
            affine[:3, 3] += (grid.shape[axis] - 1) * affine[:3, axis]
            affine[:3, axis] *= -1.0
            array = np.flip(array, axis)
    moved = affine.copy()
    moved[:3, :3] = affine[:3, list(order)]
    array = np.ascontiguousarray(array.transpose(order))
    return array, VolumeGeometry(array.shape, moved)  # type: ignore[arg-type]


storages = st.tuples(
    st.sampled_from(list(itertools.permutations(range(3)))),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
seeds = st.integers(0, 2**16)


@given(grids(), storages, seeds)
def test_values_in_the_world_do_not_depend_on_storage(
    grid: VolumeGeometry, storage: tuple[tuple[int, ...], tuple[bool, ...]], seed: int
) -> None:
    array = _values(grid, seed)
    other_array, other_grid = _stored_otherwise(array, grid, *storage)
    spread = np.random.default_rng(seed + 1).uniform(-1.2, 1.2, (20, 3)) * np.array(grid.shape) / 2.0
    points = apply_affine(grid.lps_from_voxel, spread + (np.array(grid.shape) - 1) / 2.0)

    assert np.allclose(sample_at(array, grid, points), sample_at(other_array, other_grid, points), atol=0.01)


@given(grids(), storages)
def test_the_set_of_places_does_not_depend_on_storage(
    grid: VolumeGeometry, storage: tuple[tuple[int, ...], tuple[bool, ...]]
) -> None:
    _, other = _stored_otherwise(np.zeros(grid.shape), grid, *storage)

    def in_order(points: np.ndarray) -> list[tuple[float, ...]]:
        return sorted(tuple(np.round(point, 6) + 0.0) for point in points)

    assert np.allclose(other.centre_lps_mm, grid.centre_lps_mm, atol=1e-6)
    assert np.allclose(in_order(other.corners_lps_mm), in_order(grid.corners_lps_mm), atol=1e-5)
    assert np.isclose(other.voxel_volume_mm3, grid.voxel_volume_mm3)


@given(grids(), storages)
def test_axis_codes_follow_the_axes(
    grid: VolumeGeometry, storage: tuple[tuple[int, ...], tuple[bool, ...]]
) -> None:
    scores = np.sort(np.abs(grid.axis_directions_lps), axis=1)
    assume(float((scores[:, 2] - scores[:, 1]).min()) > 0.05)  # clearly nearest to one world axis
    order, flips = storage
    _, other = _stored_otherwise(np.zeros(grid.shape), grid, order, flips)

    turned = [
        OPPOSITE[code] if is_flipped else code
        for code, is_flipped in zip(grid.axis_codes, flips, strict=True)
    ]
    assert other.axis_codes == "".join(turned[axis] for axis in order)


@given(grids(), storages, seeds)
def test_resampling_to_another_storage_and_back_changes_nothing(
    grid: VolumeGeometry, storage: tuple[tuple[int, ...], tuple[bool, ...]], seed: int
) -> None:
    array = _values(grid, seed)
    expected, other = _stored_otherwise(array, grid, *storage)

    there = resample(array, grid, other)
    back = resample(there, other, grid)

    assert np.allclose(there, expected, atol=0.01)
    assert np.allclose(back, array, atol=0.01)


@given(grids(), st.integers(1, 3), seeds)
def test_labels_survive_a_finer_grid_and_back(grid: VolumeGeometry, factor: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 30, grid.shape).astype(np.uint8)
    finer_from_grid = np.diag([1.0 / factor] * 3 + [1.0])
    finer_from_grid[:3, 3] = -0.5 + 0.5 / factor
    finer = VolumeGeometry(
        tuple(n * factor for n in grid.shape),  # type: ignore[arg-type]
        grid.lps_from_voxel @ finer_from_grid,
    )

    there = resample(labels, grid, finer, interpolation=Interpolation.NEAREST)

    assert np.array_equal(there, labels.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2))
    if factor % 2:
        assert np.array_equal(resample(there, finer, grid, interpolation=Interpolation.NEAREST), labels)


@given(grids(), seeds, st.data())
def test_cropping_moves_no_voxel(grid: VolumeGeometry, seed: int, data: st.DataObject) -> None:
    volume = Volume(_values(grid, seed), grid)
    start = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, grid.shape, strict=True))

    part = volume.crop(start, stop)  # type: ignore[arg-type]

    centre = part.geometry.lps_from_voxel[:3, 3]
    assert np.isclose(part.hu[0, 0, 0], sample_at(volume.hu, grid, centre), atol=0.01)


@given(grids(), seeds)
def test_moving_patient_and_points_together_changes_nothing(grid: VolumeGeometry, seed: int) -> None:
    array = _values(grid, seed)
    new_from_lps = rotation_about_axis([1.0, -2.0, 0.5], 0.8, [30.0, 0.0, -50.0])
    points = apply_affine(grid.lps_from_voxel, np.random.default_rng(seed).uniform(0.0, 1.0, (10, 3)))

    here = sample_at(array, grid, points)
    there = sample_at(array, grid.transformed(new_from_lps), apply_affine(new_from_lps, points))

    assert np.allclose(here, there, atol=0.01)
