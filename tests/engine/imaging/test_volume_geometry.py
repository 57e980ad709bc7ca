"""Voxel grids in the world: axes, spacing, crops, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vertebro.errors import GeometryError
from vertebro.geometry import apply_affine, rotation_about_axis, translation
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.volume_geometry import MAX_DISTANCE_MM

AXES = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}


def _grid(codes: str, spacing_mm: tuple[float, float, float] = (0.8, 0.9, 2.5)) -> VolumeGeometry:
    """A grid whose axes run towards the named directions."""
    affine = np.eye(4)
    affine[:3, :3] = 0.0
    for axis, letter in enumerate(codes):
        world, sign = AXES[letter]
        affine[world, axis] = sign * spacing_mm[axis]
    affine[:3, 3] = (10.0, -20.0, 30.0)
    return VolumeGeometry((4, 5, 6), affine)


@pytest.mark.parametrize(
    "codes", ["LPS", "RPS", "LAS", "RAS", "PSL", "SPL", "IRA", "AIR", "PIR", "SLP", "LIP"]
)
def test_axis_codes_of_permuted_and_flipped_axes(codes: str) -> None:
    grid = _grid(codes)

    assert grid.axis_codes == codes
    assert grid.spacing_mm == (0.8, 0.9, 2.5)


@pytest.mark.parametrize("codes", ["LPS", "RAI", "PSR", "ILA"])
@pytest.mark.parametrize("angle_deg", [-40.0, -20.0, 20.0, 40.0])
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_axis_codes_of_oblique_grids(codes: str, angle_deg: float, axis: tuple[int, int, int]) -> None:
    oblique = _grid(codes).transformed(rotation_about_axis(axis, np.radians(angle_deg)))

    assert oblique.axis_codes == codes


def test_axis_codes_name_each_world_axis_once_even_when_two_array_axes_are_nearest_to_it() -> None:
    # both in-plane axes are nearest to x by a hair; the best assignment of all three still names x, y and z
    affine = np.eye(4)
    affine[:3, 0] = (0.75, 0.66, 0.0)
    affine[:3, 1] = (0.72, -0.69, 0.0)
    grid = VolumeGeometry((3, 3, 3), affine)

    assert sorted(grid.axis_codes) == ["A", "L", "S"]


def test_axis_codes_of_a_tilted_gantry() -> None:
    affine = np.diag([0.7, 0.7, 5.0, 1.0])
    affine[1, 2] = 5.0 * np.tan(np.radians(25.0))

    grid = VolumeGeometry((10, 10, 10), affine)

    assert grid.axis_codes == "LPS"
    assert grid.voxel_volume_mm3 == pytest.approx(0.7 * 0.7 * 5.0)
    assert grid.spacing_mm[2] == pytest.approx(5.0 / np.cos(np.radians(25.0)))


def test_axis_directions_are_unit_rows() -> None:
    grid = _grid("PIR")

    assert grid.axis_directions_lps.tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]]


def test_voxel_volume_does_not_depend_on_handedness() -> None:
    assert _grid("LPS").voxel_volume_mm3 == pytest.approx(0.8 * 0.9 * 2.5)
    assert _grid("RPS").voxel_volume_mm3 == pytest.approx(0.8 * 0.9 * 2.5)


def test_corners_and_centre_by_hand() -> None:
    grid = VolumeGeometry.from_spacing((3, 2, 1), (1.0, 2.0, 4.0), (10.0, 20.0, 30.0))

    assert grid.corners_lps_mm.min(axis=0).tolist() == [10.0, 20.0, 30.0]
    assert grid.corners_lps_mm.max(axis=0).tolist() == [12.0, 22.0, 30.0]
    assert grid.centre_lps_mm.tolist() == [11.0, 21.0, 30.0]


def test_voxel_from_lps_undoes_lps_from_voxel() -> None:
    grid = _grid("IRA")

    assert np.allclose(grid.voxel_from_lps @ grid.lps_from_voxel, np.eye(4))
    assert grid.voxel_from_lps is grid.voxel_from_lps


def test_crop_keeps_every_remaining_voxel_in_place() -> None:
    grid = _grid("SLP")

    part = grid.crop((1, 2, 3), (3, 5, 6))

    assert part.shape == (2, 3, 3)
    assert np.allclose(
        apply_affine(part.lps_from_voxel, [1, 1, 1]), apply_affine(grid.lps_from_voxel, [2, 3, 4])
    )


def test_crop_may_reach_beyond_the_grid_to_make_room() -> None:
    grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 3.0))

    wider = grid.crop((-1, 0, -2), (3, 2, 2))

    assert wider.shape == (4, 2, 4)
    assert wider.lps_from_voxel[:3, 3].tolist() == [-1.0, 0.0, -6.0]


def test_transformed_moves_the_world() -> None:
    grid = _grid("LPS").transformed(translation([1.0, 2.0, 3.0]))

    assert grid.lps_from_voxel[:3, 3].tolist() == [11.0, -18.0, 33.0]
    assert grid.shape == (4, 5, 6)


def test_equality_is_exact_and_closeness_is_in_millimetres() -> None:
    grid = _grid("LPS")
    moved = grid.transformed(translation([5e-4, 0.0, 0.0]))

    assert grid == _grid("LPS")
    assert grid != moved
    assert grid.is_close(moved)
    assert not grid.is_close(moved, tolerance_mm=1e-4)
    assert not grid.is_close(VolumeGeometry((4, 5, 7), grid.lps_from_voxel), tolerance_mm=100.0)
    assert grid != "a grid"


def test_closeness_sees_a_rotation_that_keeps_the_origin() -> None:
    grid = VolumeGeometry.from_spacing((200, 200, 200), (1.0, 1.0, 1.0))
    turned = grid.transformed(rotation_about_axis([0, 0, 1], 1e-3))

    assert not grid.is_close(turned, tolerance_mm=0.1)
    assert grid.is_close(turned, tolerance_mm=0.3)


def test_a_grid_cannot_be_changed() -> None:
    grid = _grid("LPS")

    with pytest.raises(dataclasses.FrozenInstanceError):
        grid.shape = (1, 1, 1)  # type: ignore[misc]
    for matrix in (grid.lps_from_voxel, grid.voxel_from_lps):
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 9.0
    with pytest.raises(TypeError):
        hash(grid)


def test_the_given_affine_is_copied() -> None:
    affine = np.eye(4)
    grid = VolumeGeometry((2, 2, 2), affine)

    affine[0, 3] = 99.0

    assert grid.lps_from_voxel[0, 3] == 0.0


def test_a_noisy_last_row_is_cleaned() -> None:
    affine = np.eye(4)
    affine[3] = (1e-9, 0.0, 0.0, 1.0 + 1e-9)

    assert VolumeGeometry((2, 2, 2), affine).lps_from_voxel[3].tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "shape", [(0, 5, 5), (5, -1, 5), (5, 5), (5, 5, 5, 5), (), (2**20, 2**20, 2**20), (2**62, 4, 4)]
)
def test_senseless_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError) as caught:
        VolumeGeometry(shape, np.eye(4))  # type: ignore[arg-type]

    assert caught.value.code == "geometry.shape"


def _affine(**entries: float) -> np.ndarray:
    affine = np.eye(4)
    for place, value in entries.items():
        affine[int(place[1]), int(place[2])] = value
    return affine


@pytest.mark.parametrize(
    "affine",
    [
        pytest.param(np.full((4, 4), np.nan), id="not a number"),
        pytest.param(_affine(a03=np.inf), id="infinite origin"),
        pytest.param(_affine(a03=2 * MAX_DISTANCE_MM), id="two kilometres away"),
        pytest.param(_affine(a00=1e308), id="overflow"),
        pytest.param(_affine(a00=0.0), id="no length"),
        pytest.param(_affine(a00=1e-300), id="underflow"),
        pytest.param(_affine(a22=101.0), id="ten-centimetre voxels"),
        pytest.param(_affine(a02=1.0, a22=0.0), id="two axes alike"),
        pytest.param(_affine(a02=1.0, a22=5e-4), id="two axes nearly alike"),
        pytest.param(np.eye(3), id="three by three"),
    ],
)
def test_senseless_affines_are_refused_without_a_warning(affine: np.ndarray) -> None:
    with pytest.raises(GeometryError) as caught:
        VolumeGeometry((4, 4, 4), affine)

    assert caught.value.code == "geometry.affine"
    assert "Export the image again" in str(caught.value)
