"""4×4 transforms against hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.geometry import (
    apply_affine,
    apply_direction,
    compose,
    invert_affine,
    is_rigid,
    rigid_from_axes,
    rotation_about_axis,
    translation,
)

SCALED = np.array(
    [[0.0, -2.0, 0.0, 10.0], [3.0, 0.0, 0.0, 20.0], [0.0, 0.0, 0.5, 30.0], [0.0, 0.0, 0.0, 1.0]]
)


def test_apply_affine_to_one_point() -> None:
    assert apply_affine(SCALED, [1.0, 2.0, 4.0]).tolist() == [6.0, 23.0, 32.0]


def test_apply_affine_keeps_leading_axes() -> None:
    points = np.arange(24, dtype=float).reshape(2, 4, 3)

    moved = apply_affine(SCALED, points)

    assert moved.shape == (2, 4, 3)
    assert moved[1, 3].tolist() == apply_affine(SCALED, points[1, 3]).tolist()


def test_apply_affine_accepts_integers_and_returns_float64() -> None:
    moved = apply_affine(np.eye(4), np.array([[1, 2, 3]], dtype=np.int16))

    assert moved.dtype == np.float64


def test_apply_affine_to_no_points() -> None:
    assert apply_affine(SCALED, np.empty((0, 3))).shape == (0, 3)


def test_directions_are_not_moved_but_scaled() -> None:
    assert apply_direction(SCALED, [1.0, 1.0, 2.0]).tolist() == [-2.0, 3.0, 1.0]


def test_inverse_of_a_scaled_affine_by_hand() -> None:
    inverse = invert_affine(SCALED)

    assert np.allclose(inverse[0], [0.0, 1.0 / 3.0, 0.0, -20.0 / 3.0])
    assert np.allclose(inverse[1], [-0.5, 0.0, 0.0, 5.0])
    assert inverse[3].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_inverse_of_a_singular_matrix_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        invert_affine(np.diag([1.0, 0.0, 1.0, 1.0]))


def test_compose_applies_the_last_link_first() -> None:
    turned = rotation_about_axis([0, 0, 1], np.pi / 2)
    moved = translation([5.0, 0.0, 0.0])

    assert np.allclose(apply_affine(compose(turned, moved), [0.0, 0.0, 0.0]), [0.0, 5.0, 0.0])
    assert np.allclose(apply_affine(compose(moved, turned), [0.0, 0.0, 0.0]), [5.0, 0.0, 0.0])


def test_compose_of_nothing_is_the_identity() -> None:
    assert compose().tolist() == np.eye(4).tolist()


@pytest.mark.parametrize(
    ("axis", "point", "expected"),
    [
        ([1, 0, 0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]),
        ([0, 1, 0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]),
        ([0, 0, 1], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
        ([0, 0, -7], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]),
    ],
)
def test_quarter_turns_follow_the_right_hand(
    axis: list[float], point: list[float], expected: list[float]
) -> None:
    assert np.allclose(apply_affine(rotation_about_axis(axis, np.pi / 2), point), expected)


def test_rotation_about_a_diagonal_permutes_the_axes() -> None:
    third_turn = rotation_about_axis([1, 1, 1], 2.0 * np.pi / 3.0)

    assert np.allclose(apply_affine(third_turn, np.eye(3)), np.roll(np.eye(3), 1, axis=1))


def test_rotation_leaves_its_centre_and_axis_in_place() -> None:
    centre, axis = np.array([3.0, -4.0, 5.0]), np.array([1.0, 2.0, -2.0])
    turned = rotation_about_axis(axis, 1.1, centre)

    assert np.allclose(apply_affine(turned, [centre, centre + axis]), [centre, centre + axis])


def test_rotation_needs_a_direction() -> None:
    with pytest.raises(AssertionError, match="needs a direction"):
        rotation_about_axis([0.0, 0.0, 0.0], 1.0)


def test_rigid_from_axes_carries_local_axes_to_the_world() -> None:
    # right, anterior, superior of a patient, in LPS
    axes = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
    lps_from_vertebra = rigid_from_axes([10.0, 20.0, 30.0], axes)

    assert apply_affine(lps_from_vertebra, [1.0, 2.0, 3.0]).tolist() == [9.0, 18.0, 33.0]
    assert is_rigid(lps_from_vertebra)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.eye(4), True),
        (rotation_about_axis([1, 2, 3], 0.7, [4, 5, 6]), True),
        (np.diag([1.0, 1.0, -1.0, 1.0]), False),
        (np.diag([2.0, 1.0, 1.0, 1.0]), False),
        (np.diag([2.0, 0.5, 1.0, 1.0]), False),
        (SCALED, False),
    ],
)
def test_is_rigid(matrix: np.ndarray, expected: bool) -> None:
    assert is_rigid(matrix) is expected


def test_is_rigid_tolerance() -> None:
    nearly = np.diag([1.0 + 1e-4, 1.0, 1.0, 1.0])

    assert not is_rigid(nearly)
    assert is_rigid(nearly, tolerance=1e-3)
