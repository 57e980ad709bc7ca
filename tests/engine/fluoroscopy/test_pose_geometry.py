"""Poses, projection matrices and back."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.case import CArmPose
from vertebro.devices import load_c_arm
from vertebro.errors import InputError
from vertebro.fluoroscopy import cone_beam, image_axes, triangulate
from vertebro.fluoroscopy.pose_geometry import reach_findings

MAIN = load_c_arm("fixed_biplane").plane("main")
LATERAL = load_c_arm("fixed_biplane").plane("lateral")
ISOCENTRE = (12.0, -30.0, 150.0)


@pytest.mark.parametrize("text", ["ap", "pa", "lateral", "LAO 33 CRA 21", "RPO 40 CAU 12"])
def test_isocentre_appears_in_the_middle_and_magnified(text: str) -> None:
    pose = CArmPose.parse(text, ISOCENTRE)
    beam = cone_beam(pose, MAIN, (512, 512))
    right, down = image_axes(pose)
    points = np.array([ISOCENTRE, ISOCENTRE + 10 * right, ISOCENTRE + 10 * down])

    image = points @ beam.projection_matrix()[:, :3].T + beam.projection_matrix()[:, 3]
    image = image[:, :2] / image[:, 2:]

    magnified = 10 * MAIN.source_detector_mm / MAIN.source_isocentre_mm / (MAIN.detector_width_mm / 512)
    np.testing.assert_allclose(
        image, [[255.5, 255.5], [255.5 + magnified, 255.5], [255.5, 255.5 + magnified]], atol=1e-8
    )


@pytest.mark.parametrize("text", ["ap", "lateral", "LAO 33 CRA 21"])
def test_rays_and_matrix_agree(text: str) -> None:
    rng = np.random.default_rng(0)
    beam = cone_beam(CArmPose.parse(text, ISOCENTRE), MAIN, (400, 300))
    rows, columns, depth = rng.uniform(0, 400, 50), rng.uniform(0, 300, 50), rng.uniform(0.3, 0.9, 50)

    points = beam.source_mm + depth[:, None] * (beam.pixel_mm(rows, columns) - beam.source_mm)
    image = points @ beam.projection_matrix()[:, :3].T + beam.projection_matrix()[:, 3]

    np.testing.assert_allclose(image[:, 0] / image[:, 2], columns, atol=1e-8)
    np.testing.assert_allclose(image[:, 1] / image[:, 2], rows, atol=1e-8)
    np.testing.assert_allclose(image[:, 2], depth, atol=1e-10)


@pytest.mark.parametrize("text", ["ap", "pa", "LAO 40", "RAO 40", "LPO 40", "RPO 40", "LPO 20 CRA 15"])
def test_frontal_views_show_the_patients_right_on_the_left_and_the_head_on_top(text: str) -> None:
    right, down = image_axes(CArmPose.parse(text, ISOCENTRE))

    assert right[0] > 0.7
    assert down[2] < -0.9


def test_lateral_view_looks_from_the_left_with_the_front_on_the_left() -> None:
    right, down = image_axes(CArmPose.parse("lateral", ISOCENTRE))

    np.testing.assert_allclose(right, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(down, [0, 0, -1], atol=1e-12)


def test_image_is_mirrored_only_when_asked_to_be() -> None:
    plain, mirrored = (CArmPose(0.0, 0.0, ISOCENTRE, is_mirrored=flag) for flag in (False, True))

    np.testing.assert_allclose(image_axes(plain)[0], -image_axes(mirrored)[0])
    np.testing.assert_allclose(image_axes(plain)[1], image_axes(mirrored)[1])


def test_two_views_find_points_again() -> None:
    rng = np.random.default_rng(2)
    beams = [
        cone_beam(CArmPose.parse("ap", ISOCENTRE), MAIN, (1024, 1024)),
        cone_beam(CArmPose.parse("lateral", ISOCENTRE), LATERAL, (1024, 1024)),
    ]
    points = np.array(ISOCENTRE) + rng.uniform(-60, 60, (40, 3))
    matrices = [beam.projection_matrix() for beam in beams]
    images = []
    for matrix in matrices:
        image = points @ matrix[:, :3].T + matrix[:, 3]
        images.append(image[:, :2] / image[:, 2:])

    exact = triangulate(matrices, images)
    shaken = triangulate(matrices, [image + rng.normal(0, 0.2, image.shape) for image in images])

    np.testing.assert_allclose(exact, points, atol=1e-6)
    assert np.sqrt(np.mean((shaken - points) ** 2)) < 0.1


def test_error_of_triangulation_is_what_the_geometry_says() -> None:
    rng = np.random.default_rng(3)
    beams = [cone_beam(CArmPose.parse(text, ISOCENTRE), MAIN, (1024, 1024)) for text in ("ap", "lateral")]
    matrices = [beam.projection_matrix() for beam in beams]
    point = np.tile(ISOCENTRE, (2000, 1))
    middle = np.full((2000, 2), 511.5)

    found = triangulate(matrices, [middle + rng.normal(0, 0.5, middle.shape) for _ in beams])

    pixel_at_isocentre = MAIN.detector_width_mm / 1024 * MAIN.source_isocentre_mm / MAIN.source_detector_mm
    spread = (found - point).std(axis=0)
    # x is seen by the frontal view alone, y by the lateral, z by both
    expected = 0.5 * pixel_at_isocentre * np.array([1.0, 1.0, np.sqrt(0.5)])
    np.testing.assert_allclose(spread, expected, rtol=0.06)


def test_one_view_or_the_same_view_twice_cannot_triangulate() -> None:
    matrix = cone_beam(CArmPose.parse("ap", ISOCENTRE), MAIN, (64, 64)).projection_matrix()

    with pytest.raises(InputError) as caught:
        triangulate([matrix, matrix], [[[3, 3]], [[3, 3]]])

    assert caught.value.code == "view.triangulation"


@pytest.mark.parametrize(
    ("plane", "text", "is_reached"),
    [
        (MAIN, "ap", True),
        (MAIN, "LPO 30 CRA 20", True),
        (LATERAL, "lateral", True),
        (LATERAL, "right lateral", False),
        (load_c_arm("mobile_c_arm").plane(), "LPO 10 CRA 60", False),
    ],
)
def test_poses_beyond_the_machines_reach_are_told(plane: object, text: str, is_reached: bool) -> None:
    found = reach_findings(CArmPose.parse(text, ISOCENTRE), plane)

    assert [item.code for item in found] == ([] if is_reached else ["view.unreachable"])
