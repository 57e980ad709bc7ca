"""Compiled transmission, blur and chords against their plain versions."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.numerics import (
    Backend,
    ConeBeam,
    ellipsoid_lengths_mm,
    gaussian_blur,
    transmitted,
    tube_lengths_mm,
    with_grain,
)

BEAM = ConeBeam([10, -700, 5], [-60, 400, 60], [2.0, 0.1, 0], [0, 0, -2.0], (60, 60))


def test_transmission_agrees_with_the_plain_sum() -> None:
    rng = np.random.default_rng(0)
    paths = np.stack([rng.uniform(-1, 60, (70, 31)), rng.uniform(0, 9, (70, 31))]).astype(np.float32)
    attenuation = rng.uniform(0.1, 1.5, (2, 9)).astype(np.float32)
    weights = rng.dirichlet(np.ones(9)).astype(np.float32)

    fast = transmitted(paths, attenuation, weights)
    plain = transmitted(paths, attenuation, weights, backend=Backend.NUMPY)

    np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-30)


def test_transmission_of_a_large_image_is_shared_among_threads_without_change() -> None:
    paths = np.random.default_rng(1).uniform(0, 20, (1, 500, 600)).astype(np.float32)
    attenuation, weights = np.float32([[0.2, 0.4]]), np.float32([0.5, 0.5])

    one = transmitted(paths, attenuation, weights, n_threads=1)
    many = transmitted(paths, attenuation, weights, n_threads=4)

    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.7])
def test_blur_agrees_with_the_plain_convolution(sigma: float) -> None:
    image = np.random.default_rng(2).random((37, 53), dtype=np.float32)

    fast = gaussian_blur(image, sigma)
    plain = gaussian_blur(image, sigma, backend=Backend.NUMPY)

    np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-6)


def test_blur_leaves_a_flat_image_alone() -> None:
    np.testing.assert_allclose(gaussian_blur(np.full((20, 20), 3.0, np.float32), 2.0), 3.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((-30, 0, -20), (35, 10, 25)),
        ((0, -40, 0), (0, 60, 0)),
        ((10, -300, 5), (10, 200, 5)),
        ((-200, 0, 0), (200, 0, 0)),
    ],
)
@pytest.mark.parametrize("bore", [0.0, 4.0])
def test_tube_agrees_with_the_plain_chords(start: tuple, end: tuple, bore: float) -> None:
    fast = tube_lengths_mm(BEAM, start, end, (9.0, bore))
    plain = tube_lengths_mm(BEAM, start, end, (9.0, bore), backend=Backend.NUMPY)

    assert plain[1].max() > 5.0
    for one, other in zip(fast, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_ball_has_its_chords() -> None:
    centre, radius = np.array([3.0, 20.0, -4.0]), 12.0

    length = ellipsoid_lengths_mm(BEAM, centre, np.eye(3) * radius)

    rays = BEAM.pixel_mm(np.arange(60)[:, None], np.arange(60)) - BEAM.source_mm
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    offset = centre - BEAM.source_mm
    miss = np.sqrt(offset @ offset - (rays @ offset) ** 2)
    np.testing.assert_allclose(length, 2 * np.sqrt(np.maximum(radius**2 - miss**2, 0)), atol=2e-3)


def test_grain_moves_grey_values_by_its_strength_and_stays_within_a_byte() -> None:
    grey = np.full((200, 300), 128, np.uint8)
    grain = np.clip(np.random.default_rng(3).normal(0, 32, (264, 364)), -127, 127).astype(np.int8)

    strong = with_grain(grey, np.full_like(grey, 80), grain, (10, 20)).astype(float)
    clipped = with_grain(np.full_like(grey, 254), np.full_like(grey, 255), grain, (0, 0))

    assert strong.std() == pytest.approx(10.0, rel=0.03)
    assert clipped.max() == 255
    assert clipped.min() > 100
