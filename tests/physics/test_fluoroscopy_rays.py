"""Line integrals against mathematics: chords, conservation of mass, invariance, convergence."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.numerics import Backend, ConeBeam, RayVolume, line_integrals


def beam_at(
    lao_deg: float,
    cra_deg: float,
    *,
    pixels: int,
    size_mm: float,
    source_mm: float = 700.0,
    detector_mm: float = 400.0,
) -> ConeBeam:
    lao, cra = np.radians(lao_deg), np.radians(cra_deg)
    towards = np.array([np.sin(lao) * np.cos(cra), -np.cos(lao) * np.cos(cra), np.sin(cra)])
    right = np.array([np.cos(lao), np.sin(lao), 0.0])
    down = np.cross(towards, right)
    pitch = size_mm / pixels
    corner = detector_mm * towards - (pixels - 1) / 2 * pitch * (right + down)
    return ConeBeam(-source_mm * towards, corner, right * pitch, down * pitch, (pixels, pixels))


def rays(beam: ConeBeam) -> np.ndarray:
    rows, columns = beam.shape
    pixels = beam.pixel_mm(np.arange(rows)[:, None], np.arange(columns)[None, :])
    directions = pixels - beam.source_mm
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def miss_distance(beam: ConeBeam, centre: np.ndarray) -> np.ndarray:
    offset = centre - beam.source_mm
    along = rays(beam) @ offset
    return np.sqrt(np.maximum(offset @ offset - along**2, 0.0))


def voxels_of(
    inside, spacing: float, half_width_mm: float, samples: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """A solid as partial-volume voxels, sampled ``samples``³ times each, centred on the origin."""
    n = 2 * int(np.ceil(half_width_mm / spacing)) + 1
    fine = (np.arange(n * samples) + 0.5) / samples - 0.5 - (n - 1) / 2
    fine *= spacing
    values = np.empty((n, n, n), np.float32)
    for i in range(n):
        x = fine[i * samples : (i + 1) * samples]
        block = inside(x[:, None, None], fine[None, :, None], fine[None, None, :])
        block = np.broadcast_to(block, (samples, n * samples, n * samples))
        values[i] = block.reshape(samples, n, samples, n, samples).mean((0, 2, 4))
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -(n - 1) / 2 * spacing
    return values, affine


@pytest.mark.parametrize("view", [(0, 0), (30, 0), (45, 0), (0, 30), (30, 25), (90, -15)])
def test_chords_of_a_sphere(view: tuple[float, float]) -> None:
    radius = 25.0
    values, affine = voxels_of(lambda x, y, z: x**2 + y**2 + z**2 < radius**2, 1.0, 28.0)
    beam = beam_at(*view, pixels=128, size_mm=90.0)

    integral = line_integrals(RayVolume(values, affine), beam)[0]

    offset = miss_distance(beam, np.zeros(3))
    inner = offset < 0.8 * radius
    chord = 2 * np.sqrt(radius**2 - offset[inner] ** 2)
    error = integral[inner] / chord - 1
    assert np.sqrt(np.mean(error**2)) < 0.004
    assert abs(error.mean()) < 0.001


@pytest.mark.parametrize("lao_deg", [0.0, 20.0, 40.0])
def test_chord_of_a_turned_cube_grows_as_one_over_cosine(lao_deg: float) -> None:
    half = 20.0
    values, affine = voxels_of(
        lambda x, y, z: (np.abs(x) < half) & (np.abs(y) < half) & (np.abs(z) < half), 1.0, 24.0
    )
    beam = beam_at(lao_deg, 0.0, pixels=3, size_mm=0.6)

    integral = line_integrals(RayVolume(values, affine), beam)[0, 1, 1]

    assert integral == pytest.approx(2 * half / np.cos(np.radians(lao_deg)), rel=2e-3)


@pytest.mark.parametrize("cra_deg", [0.0, 20.0, 35.0])
def test_chords_of_a_long_cylinder_seen_at_a_slant(cra_deg: float) -> None:
    radius = 15.0
    values, affine = voxels_of(
        lambda x, y, z: (x**2 + y**2 < radius**2) & (np.abs(z) < 1e9), 1.0, 60.0, samples=3
    )
    beam = beam_at(0.0, cra_deg, pixels=64, size_mm=32.0)

    integral = line_integrals(RayVolume(values, affine), beam)[0]

    direction = rays(beam)
    across = np.hypot(direction[..., 0], direction[..., 1])
    offset = np.abs(beam.source_mm[0] * direction[..., 1] - beam.source_mm[1] * direction[..., 0]) / across
    inner = offset < 0.7 * radius
    chord = 2 * np.sqrt(radius**2 - offset[inner] ** 2) / across[inner]
    assert np.sqrt(np.mean((integral[inner] / chord - 1) ** 2)) < 0.005


def gaussian_voxels(width_mm: float, spacing: float, half_width_mm: float) -> tuple[np.ndarray, np.ndarray]:
    n = 2 * int(np.ceil(half_width_mm / spacing)) + 1
    axis = (np.arange(n) - (n - 1) / 2) * spacing
    profile = np.exp(-(axis**2) / (2 * width_mm**2))
    values = profile[:, None, None] * profile[:, None] * profile
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -(n - 1) / 2 * spacing
    return values.astype(np.float32), affine


@pytest.mark.parametrize("view", [(0, 0), (30, 0), (45, 0), (33, 28), (0, 40)])
def test_parallel_projection_conserves_mass(view: tuple[float, float]) -> None:
    values, affine = gaussian_voxels(5.0, 1.0, 24.0)
    source_mm, detector_mm = 3e6, 100.0
    beam = beam_at(*view, pixels=160, size_mm=80.0, source_mm=source_mm, detector_mm=detector_mm)

    integral = line_integrals(RayVolume(values, affine), beam)[0]

    mass = values.sum(dtype=np.float64)
    on_detector = integral.sum(dtype=np.float64) * 0.5**2
    magnification = 1 + detector_mm / source_mm
    assert on_detector == pytest.approx(mass * magnification**2, rel=1e-4)


def test_turning_volume_and_beam_together_leaves_the_image_unchanged() -> None:
    rng = np.random.default_rng(4)
    values = rng.random((30, 34, 28), dtype=np.float32)
    affine = np.diag([1.1, 0.9, 1.5, 1.0])
    affine[:3, 3] = [-16, -15, -20]
    beam = beam_at(25.0, 15.0, pixels=64, size_mm=60.0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = turn, [300.0, -200.0, 50.0]

    still = line_integrals(RayVolume(values, affine), beam)
    moved = line_integrals(RayVolume(values, move @ affine), beam.transformed(move))

    np.testing.assert_allclose(moved, still, atol=2e-3)


@pytest.mark.parametrize("view", [(0, 0), (27, 18), (45, 0), (45, 35.3)])
def test_error_in_a_smooth_body_falls_with_the_square_of_the_voxel_size(view: tuple[float, float]) -> None:
    width = 6.0
    beam = beam_at(*view, pixels=128, size_mm=50.0)
    exact = width * np.sqrt(2 * np.pi) * np.exp(-(miss_distance(beam, np.zeros(3)) ** 2) / (2 * width**2))
    errors = []
    for spacing in (3.0, 1.5, 0.75):
        values, affine = gaussian_voxels(width, spacing, 30.0)
        integral = line_integrals(RayVolume(values, affine), beam)[0]
        errors.append(np.sqrt(np.mean((integral - exact) ** 2)))

    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 1.85)
    assert errors[-1] < 2e-3 * exact.max()


@pytest.mark.slow
@pytest.mark.parametrize(("view", "least_order"), [((0, 0), 1.75), ((27, 18), 1.1)])
def test_error_in_a_sphere_of_partial_volume_voxels_falls(
    view: tuple[float, float], least_order: float
) -> None:
    radius = 20.0
    beam = beam_at(*view, pixels=96, size_mm=66.0)
    offset = miss_distance(beam, np.zeros(3))
    inner = offset < 0.8 * radius
    chord = 2 * np.sqrt(radius**2 - offset[inner] ** 2)
    errors = []
    for spacing in (2.0, 1.0, 0.5):
        values, affine = voxels_of(lambda x, y, z: x**2 + y**2 + z**2 < radius**2, spacing, 22.0)
        integral = line_integrals(RayVolume(values, affine), beam)[0]
        errors.append(np.sqrt(np.mean((integral[inner] - chord) ** 2)))

    assert np.log2(errors[0] / errors[2]) / 2 > least_order
    assert errors[2] < 0.05


def test_reference_and_compiled_caster_find_the_same_chord_in_a_slab() -> None:
    values = np.ones((40, 30, 40), np.float32)
    affine = np.diag([1.0, 2.0, 1.0, 1.0])
    affine[:3, 3] = [-19.5, -29.0, -19.5]
    beam = beam_at(0.0, 0.0, pixels=8, size_mm=8.0)

    slanted = 60.0 / np.abs(rays(beam)[..., 1])

    for backend in Backend:
        integral = line_integrals(RayVolume(values, affine), beam, backend=backend)[0]
        np.testing.assert_allclose(integral, slanted, rtol=1e-5)
