"""Every ray caster keeps one contract; the NumPy one, ray by ray, is the reference."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.errors import GeometryError
from vertebro.numerics import Backend, ConeBeam, FanBeam, RayVolume, ValueRamps, line_integrals

FAST = [Backend.NUMBA]
TOLERANCE_OF_PEAK = 5e-3
"""Largest difference between a fast caster and the reference on smooth anatomy, of the image's peak.

The reference's images have kinks where rays cross voxel planes; resampling smooths them a little.
"""
TOLERANCE_RMS = 6e-4
"""Root-mean-square difference, of the image's peak."""

VIEWS = {
    "ap": (0.0, 0.0),
    "lateral": (90.0, 0.0),
    "oblique": (33.0, 0.0),
    "tie of two axes": (45.0, 0.0),
    "cranial": (0.0, 30.0),
    "caudal oblique": (-120.0, -25.0),
    "tie of three axes": (45.0, 35.3),
    "steep cranial": (20.0, 70.0),
    "along the table": (0.0, 90.0),
}


def make_beam(lao_deg: float, cra_deg: float, *, pixels: int = 56, size_mm: float = 110.0) -> ConeBeam:
    lao, cra = np.radians(lao_deg), np.radians(cra_deg)
    towards = np.array([np.sin(lao) * np.cos(cra), -np.cos(lao) * np.cos(cra), np.sin(cra)])
    right = np.array([np.cos(lao), np.sin(lao), 0.0])
    down = np.cross(towards, right)
    pitch = size_mm / pixels
    corner = 320.0 * towards - (pixels - 1) / 2 * pitch * (right + down)
    return ConeBeam(-700.0 * towards, corner, right * pitch, down * pitch, (pixels, pixels))


def smooth_blobs(shape: tuple[int, int, int], affine: np.ndarray, seed: int) -> np.ndarray:
    """Band-limited test anatomy: a few Gaussian blobs, faded out before the volume ends."""
    rng = np.random.default_rng(seed)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    values = np.zeros(shape)
    for _ in range(6):
        centre, width = rng.uniform(-10, 10, 3), rng.uniform(5, 8)
        values += rng.uniform(0.3, 1.0) * np.exp(-((world - centre) ** 2).sum(-1) / (2 * width**2))
    fade = [np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in shape]
    return values * fade[0][:, None, None] * fade[1][:, None] * fade[2]


def centred(linear: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = -linear @ ((np.array(shape) - 1) / 2)
    return affine


GRIDS = {
    "axis-aligned": (np.diag([1.5, 1.2, 2.0]), (44, 52, 36)),
    "mirrored": (np.diag([-1.5, 1.2, -2.0]), (44, 52, 36)),
    "axes swapped": (np.array([[0, 0, 1.4], [0, -1.4, 0], [1.8, 0, 0]]), (40, 44, 50)),
    "tilted and sheared": (
        np.array([[1.3, 0.2, 0.1], [-0.2, 1.4, 0.5], [0.1, 0.0, 1.7]]),
        (46, 46, 42),
    ),
}


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("view", VIEWS)
def test_fast_caster_agrees_with_ray_by_ray_reference(backend: Backend, grid: str, view: str) -> None:
    linear, shape = GRIDS[grid]
    affine = centred(linear, shape)
    volume = RayVolume(smooth_blobs(shape, affine, 3).astype(np.float32), affine, floor=0.0)
    beam = make_beam(*VIEWS[view])

    fast = line_integrals(volume, beam, backend=backend)
    reference = line_integrals(volume, beam, backend=Backend.NUMPY)

    assert reference.max() > 5.0
    assert np.abs(fast - reference).max() <= TOLERANCE_OF_PEAK * reference.max()
    assert np.sqrt(np.mean((fast - reference) ** 2)) <= TOLERANCE_RMS * reference.max()


@pytest.mark.parametrize("backend", FAST)
def test_view_aligned_with_the_voxels_needs_no_resampling_and_agrees_to_rounding(backend: Backend) -> None:
    linear, shape = GRIDS["axis-aligned"]
    affine = centred(linear, shape)
    rng = np.random.default_rng(1)
    volume = RayVolume(rng.random(shape, dtype=np.float32), affine)
    beam = make_beam(0.0, 0.0)

    fast = line_integrals(volume, beam, backend=backend)
    reference = line_integrals(volume, beam, backend=Backend.NUMPY)

    np.testing.assert_allclose(fast, reference, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("backend", FAST)
def test_several_maps_in_one_pass_equal_maps_cast_one_by_one(backend: Backend) -> None:
    linear, shape = GRIDS["axis-aligned"]
    affine = centred(linear, shape)
    hu = (smooth_blobs(shape, affine, 5) * 1500 - 1000).astype(np.int16)
    volume = RayVolume(hu, affine, floor=-950.0)
    both = ValueRamps.through_points(
        [-950.0, -900.0, 100.0, 3000.0], [[0, 0.1, 1.1, 0.5], [0, 0.0, 0.0, 2.2]]
    )
    beam = make_beam(25.0, 10.0)

    together = line_integrals(volume, beam, both, backend=backend)
    apart = [
        line_integrals(volume, beam, ValueRamps(both.knots, both.slopes[m : m + 1]), backend=backend)[0]
        for m in range(2)
    ]
    reference = line_integrals(volume, beam, both, backend=Backend.NUMPY)

    np.testing.assert_allclose(together, np.stack(apart), rtol=1e-5, atol=1e-4)
    for fast, slow in zip(together, reference, strict=True):
        assert np.sqrt(np.mean((fast - slow) ** 2)) <= 2e-3 * slow.max()


@pytest.mark.parametrize("backend", FAST)
def test_empty_voxels_may_be_skipped_without_changing_the_image(backend: Backend) -> None:
    linear, shape = GRIDS["axis-aligned"]
    affine = centred(linear, shape)
    values = smooth_blobs(shape, affine, 7).astype(np.float32)
    values[values < 0.2] = 0.0
    beam = make_beam(33.0, 20.0)

    skipping = line_integrals(RayVolume(values, affine, floor=0.0), beam, backend=backend)
    everything = line_integrals(RayVolume(values, affine, floor=-1.0), beam, backend=backend)

    np.testing.assert_allclose(skipping, everything, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("backend", [*FAST, Backend.NUMPY])
def test_a_window_of_the_detector_shows_the_same_as_the_whole(backend: Backend) -> None:
    linear, shape = GRIDS["tilted and sheared"]
    affine = centred(linear, shape)
    volume = RayVolume(smooth_blobs(shape, affine, 2).astype(np.float32), affine)
    beam = make_beam(40.0, 15.0)

    whole = line_integrals(volume, beam, backend=backend)
    part = line_integrals(volume, beam.window(10, 20, (12, 16)), backend=backend)

    assert np.abs(part - whole[:, 10:22, 20:36]).max() <= TOLERANCE_OF_PEAK * whole.max()


@pytest.mark.parametrize("backend", FAST)
def test_fan_beam_agrees_with_ray_by_ray_reference(backend: Backend) -> None:
    linear, shape = GRIDS["axis-aligned"]
    affine = centred(linear, shape)
    volume = RayVolume(smooth_blobs(shape, affine, 4).astype(np.float32), affine)
    beam = FanBeam([0, -541, 30], [-100, 408, 30], [4.0, 0, 0], [0, 0, -2.0], (30, 51))

    fast = line_integrals(volume, beam, backend=backend)
    reference = line_integrals(volume, beam, backend=Backend.NUMPY)

    assert np.abs(fast - reference).max() <= TOLERANCE_OF_PEAK * reference.max()


@pytest.mark.parametrize("backend", [*FAST, Backend.NUMPY])
def test_source_inside_the_volume_is_refused(backend: Backend) -> None:
    volume = RayVolume(np.ones((10, 10, 10), np.float32), np.diag([100.0, 100.0, 100.0, 1.0]))
    beam = ConeBeam([500, 500, 500], [490, 1500, 490], [1, 0, 0], [0, 0, 1], (2, 2))

    with pytest.raises(GeometryError) as caught:
        line_integrals(volume, beam, backend=backend)

    assert caught.value.code == "rays.source_inside"


def test_fan_that_does_not_move_along_a_voxel_axis_is_refused() -> None:
    volume = RayVolume(np.ones((10, 10, 10), np.float32), np.eye(4))
    beam = FanBeam([0, -541, 30], [-100, 408, 30], [4.0, 0, 0], [0, 0.5, -2.0], (3, 3))

    with pytest.raises(GeometryError) as caught:
        line_integrals(volume, beam)

    assert caught.value.code == "rays.fan_axis"
