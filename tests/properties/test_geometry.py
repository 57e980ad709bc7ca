"""What must hold for any transform and any grid."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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

coordinates = st.floats(-500.0, 500.0, allow_nan=False)
points = arrays(np.float64, (5, 3), elements=coordinates)
vectors = arrays(np.float64, (3,), elements=coordinates)
angles_rad = st.floats(-2.0 * math.pi, 2.0 * math.pi)


@st.composite
def axes(draw: st.DrawFn) -> np.ndarray:
    """A direction of any length that is not nearly zero."""
    axis = draw(vectors)
    assume(np.linalg.norm(axis) > 1e-2)
    return axis


@st.composite
def rigids(draw: st.DrawFn) -> np.ndarray:
    return rotation_about_axis(draw(axes()), draw(angles_rad), draw(vectors))


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Rotated, mirrored, stretched and moderately sheared."""
    stretch = [draw(st.floats(0.2, 5.0)) * draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)]
    sheared = np.eye(4)
    sheared[0, 1], sheared[1, 2] = draw(st.floats(-0.5, 0.5)), draw(st.floats(-0.5, 0.5))
    return compose(draw(rigids()), sheared, np.diag([*stretch, 1.0]))


@given(affines(), points)
def test_there_and_back_is_where_it_was(a_from_b: np.ndarray, points_b: np.ndarray) -> None:
    back = apply_affine(invert_affine(a_from_b), apply_affine(a_from_b, points_b))

    assert np.allclose(back, points_b, atol=1e-7)


@given(affines())
def test_a_transform_times_its_inverse_is_the_identity(a_from_b: np.ndarray) -> None:
    assert np.allclose(compose(a_from_b, invert_affine(a_from_b)), np.eye(4), atol=1e-7)
    assert np.allclose(compose(invert_affine(a_from_b), a_from_b), np.eye(4), atol=1e-7)


@given(affines(), affines(), points)
def test_a_chain_is_one_link_after_the_other(
    a_from_b: np.ndarray, b_from_c: np.ndarray, points_c: np.ndarray
) -> None:
    at_once = apply_affine(compose(a_from_b, b_from_c), points_c)

    assert np.allclose(at_once, apply_affine(a_from_b, apply_affine(b_from_c, points_c)), atol=1e-6)


@given(affines(), affines())
def test_the_inverse_of_a_chain_is_the_chain_of_inverses(a_from_b: np.ndarray, b_from_c: np.ndarray) -> None:
    inverse = compose(invert_affine(b_from_c), invert_affine(a_from_b))

    assert np.allclose(invert_affine(compose(a_from_b, b_from_c)), inverse, atol=1e-6)


@given(rigids(), points)
def test_rigid_transforms_keep_distances(a_from_b: np.ndarray, points_b: np.ndarray) -> None:
    before = np.linalg.norm(np.diff(points_b, axis=0), axis=1)
    after = np.linalg.norm(np.diff(apply_affine(a_from_b, points_b), axis=0), axis=1)

    assert is_rigid(a_from_b)
    assert np.allclose(before, after, atol=1e-8)


@given(rigids())
def test_a_mirrored_rigid_transform_is_not_rigid(a_from_b: np.ndarray) -> None:
    assert not is_rigid(a_from_b @ np.diag([-1.0, 1.0, 1.0, 1.0]))


@given(axes(), angles_rad, vectors)
def test_turning_back_undoes_turning(axis: np.ndarray, angle_rad: float, centre: np.ndarray) -> None:
    there, back = rotation_about_axis(axis, angle_rad, centre), rotation_about_axis(axis, -angle_rad, centre)

    assert np.allclose(compose(there, back), np.eye(4), atol=1e-9)


@given(axes(), angles_rad, angles_rad)
def test_turns_about_one_axis_add_up(axis: np.ndarray, first_rad: float, second_rad: float) -> None:
    both = compose(rotation_about_axis(axis, first_rad), rotation_about_axis(axis, second_rad))

    assert np.allclose(both, rotation_about_axis(axis, first_rad + second_rad), atol=1e-9)


@given(axes(), st.floats(-math.pi, math.pi))
def test_the_trace_of_a_rotation_tells_its_angle(axis: np.ndarray, angle_rad: float) -> None:
    turned = rotation_about_axis(axis, angle_rad)

    assert math.isclose(np.trace(turned[:3, :3]), 1.0 + 2.0 * math.cos(angle_rad), abs_tol=1e-9)


@given(affines(), points)
def test_a_direction_is_the_difference_of_two_points(a_from_b: np.ndarray, points_b: np.ndarray) -> None:
    difference = apply_affine(a_from_b, points_b[1]) - apply_affine(a_from_b, points_b[0])

    assert np.allclose(apply_direction(a_from_b, points_b[1] - points_b[0]), difference, atol=1e-7)


@given(rigids())
def test_a_frame_made_from_its_own_axes_is_itself(lps_from_local: np.ndarray) -> None:
    remade = rigid_from_axes(lps_from_local[:3, 3], lps_from_local[:3, :3].T)

    assert np.array_equal(remade, lps_from_local)


@given(vectors, vectors)
def test_translations_commute(first: np.ndarray, second: np.ndarray) -> None:
    one, other = translation(first), translation(second)

    assert np.array_equal(compose(one, other), compose(other, one))
