"""Poses and projections over random views and grids."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebro.case import CArmPose
from vertebro.devices import load_c_arm
from vertebro.fluoroscopy import cone_beam, image_axes, triangulate
from vertebro.numerics import Backend, RayVolume, line_integrals

PLANE = load_c_arm("mobile_c_arm").plane()
angles = st.tuples(st.floats(-180.0, 180.0), st.floats(-89.0, 89.0))
places = st.tuples(*[st.floats(-300.0, 300.0)] * 3)


def seen(beam: object, points: np.ndarray) -> np.ndarray:
    matrix = beam.projection_matrix()
    image = points @ matrix[:, :3].T + matrix[:, 3]
    return image[..., :2] / image[..., 2:]


@given(angles, places)
def test_image_axes_are_square_to_each_other_and_to_the_beam(angle: tuple, place: tuple) -> None:
    pose = CArmPose(*angle, place)
    axes = np.stack([*image_axes(pose), pose.towards_detector_lps])

    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


@given(angles, places)
def test_a_pose_is_found_again_from_its_direction(angle: tuple, place: tuple) -> None:
    pose = CArmPose(*angle, place)

    again = CArmPose.looking_along(pose.towards_detector_lps, place)

    np.testing.assert_allclose(again.towards_detector_lps, pose.towards_detector_lps, atol=1e-9)


@given(angles, angles, places)
@settings(deadline=None)
def test_two_different_views_find_a_point_again(first: tuple, second: tuple, place: tuple) -> None:
    poses = [CArmPose(*angle, place) for angle in (first, second)]
    between = np.cross(poses[0].towards_detector_lps, poses[1].towards_detector_lps)
    if np.linalg.norm(between) < 0.1:
        return
    beams = [cone_beam(pose, PLANE, (512, 512)) for pose in poses]
    points = np.array(place) + np.array([[20.0, -10.0, 5.0], [-30.0, 25.0, 15.0]])

    found = triangulate([beam.projection_matrix() for beam in beams], [seen(beam, points) for beam in beams])

    np.testing.assert_allclose(found, points, atol=1e-5)


@given(angles, st.integers(0, 2**31))
@settings(deadline=None, max_examples=25)
def test_any_grid_and_any_view_cast_as_the_reference_does(angle: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(12, 24, 3))
    linear = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ np.diag(rng.uniform(1.0, 3.0, 3))
    linear += rng.uniform(-0.15, 0.15, (3, 3))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = linear, -linear @ ((np.array(shape) - 1) / 2)
    fade = [np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 4 for n in shape]
    values = (fade[0][:, None, None] * fade[1][:, None] * fade[2]).astype(np.float32)
    beam = cone_beam(CArmPose(*angle, (0.0, 0.0, 0.0)), PLANE, (256, 256)).window(96, 96, (64, 64))
    volume = RayVolume(values, affine, fast_axis=int(rng.integers(0, 3)))

    fast = line_integrals(volume, beam)[0]
    reference = line_integrals(volume, beam, backend=Backend.NUMPY)[0]

    peak = max(float(reference.max()), 1.0)
    # a dozen voxels across: the reference's kinks at voxel planes are wide against the pixels
    assert np.abs(fast - reference).max() <= 2e-2 * peak
    assert np.sqrt(np.mean((fast - reference) ** 2)) <= 2e-3 * peak
