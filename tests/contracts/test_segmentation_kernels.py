"""Compiled loops of the segmentation against slow, obvious versions."""

from __future__ import annotations

import itertools

import numpy as np

from vertebro.imaging import VolumeGeometry, sample_at
from vertebro.segmentation.canal_kernels import best_path, enclosure, mirror_likeness
from vertebro.segmentation.chain_kernels import best_chain
from vertebro.segmentation.directions import direction_mesh
from vertebro.segmentation.growth_kernels import grow_levels
from vertebro.segmentation.ray_kernels import excess_at, near_line, sample_rays
from vertebro.segmentation.surface_kernels import best_radii


def test_best_path_is_the_best_of_all():
    random = np.random.default_rng(1)
    score = random.normal(0.0, 1.0, (3, 3, 4)).astype(np.float32)
    best = 0.0
    places = list(itertools.product(range(3), range(3)))
    for first in range(4):
        for length in range(1, 5 - first):
            for steps in itertools.product(places, repeat=length):
                total, is_path = 0.0, True
                for k, (i, j) in enumerate(steps):
                    total += score[i, j, first + k]
                    if k > 0:
                        di, dj = abs(i - steps[k - 1][0]), abs(j - steps[k - 1][1])
                        is_path &= max(di, dj) <= 1
                        total -= 0.1 * (di + dj)
                if is_path:
                    best = max(best, total)

    path = best_path(score, 0.1)

    moves = np.abs(np.diff(path[:, :2], axis=0)).sum()
    assert np.isclose(score[tuple(path.T)].sum() - 0.1 * moves, best, atol=1e-5)


def test_enclosure_counts_rays_that_meet_bone():
    hu = np.zeros((11, 11, 1), np.float32)
    hu[9, 5, 0] = hu[5, 8, 0] = 500.0
    candidates = np.zeros(hu.shape, bool)
    candidates[5, 5, 0] = True
    steps = np.arange(1, 5)
    rays = np.stack([np.outer(steps, way) for way in ((1, 0), (0, 1), (-1, 0), (0, -1))]).astype(np.int32)

    share = enclosure(hu, candidates, rays, 200.0, 1)

    assert share[5, 5, 0] == np.float32(0.5)
    assert np.count_nonzero(share) == 1


def test_mirror_likeness_is_one_for_a_mirror_image():
    random = np.random.default_rng(2)
    half = random.normal(0.0, 50.0, (5, 9, 2))
    hu = np.concatenate([half, np.zeros((1, 9, 2)), half[::-1]]).astype(np.float32)
    candidates = np.zeros(hu.shape, bool)
    candidates[5, 4], candidates[3, 4] = True, True

    likeness = mirror_likeness(hu, candidates, 4, 3, 200.0)

    assert likeness[5, 4, 0] == 1.0
    expected = np.mean([np.abs(hu[3 - d, 1:8, 0] - hu[3 + d, 1:8, 0]) for d in (1, 2, 3)])
    assert np.isclose(likeness[3, 4, 0], 1.0 - expected / 200.0, atol=1e-6)


def test_best_chain_finds_evenly_spaced_peaks():
    score = np.full(100, -1.0)
    score[[10, 30, 50, 70, 90]] = 3.0
    score[[37, 61]] = 2.0

    chain = best_chain(score, np.full(100, 20.0), np.arange(9, 40), 0, 99)

    assert chain.tolist() == [10, 30, 50, 70, 90]


def test_best_radii_equals_brute_force_on_a_chain():
    random = np.random.default_rng(3)
    cost = random.uniform(0.0, 1.0, (5, 4)).astype(np.float32)
    neighbours = np.array([[1, -1], [0, 2], [1, 3], [2, 4], [3, -1]], np.int32)
    reverse = np.array([[0, -1], [0, 0], [1, 0], [1, 0], [1, -1]], np.int32)

    def total(labels):
        return sum(cost[s, x] for s, x in enumerate(labels)) + 0.05 * sum(
            (a - b) ** 2 for a, b in itertools.pairwise(labels)
        )

    best = min(itertools.product(range(4), repeat=5), key=total)

    assert best_radii(cost, neighbours, reverse, 0.05, 3, 8).tolist() == list(best)


def test_sample_rays_equals_interpolation_in_the_world():
    random = np.random.default_rng(4)
    grid = VolumeGeometry.from_spacing((30, 30, 30), (1.5, 1.5, 1.5), (-20.0, -20.0, -20.0))
    hu = random.normal(0.0, 100.0, grid.shape).astype(np.float32)
    unit = direction_mesh(2).unit
    radius = np.broadcast_to(np.array([0.4, 0.9]), (len(unit), 2)).copy()
    shape = np.array([10.0, 8.0, -6.0, 0.0, 0.0, 6.0, 0.0, 0.0])

    values = sample_rays(hu, grid.voxel_from_lps, shape, unit, radius, unit, np.array([0.0, 1.0]))

    for place, offset in enumerate((0.0, 1.0)):
        points = unit[:, None, :] * radius[..., None] * np.array([10.0, 8.0, 6.0]) + offset * unit[:, None, :]
        np.testing.assert_allclose(values[place], sample_at(hu, grid, points), atol=2e-3)


def test_excess_of_a_ball_is_the_distance_to_it():
    shape = np.array([10.0, 10.0, -10.0, 0.0, 0.0, 10.0, 0.0, 0.0])
    table = np.ones((181, 360))
    points = np.array([[0.0, 0.0, 4.0], [0.0, 12.0, 0.0], [6.0, 8.0, 0.0], [90.0, 0.0, 0.0]])

    excess = excess_at(points, np.eye(4), shape, table, 10.0)

    np.testing.assert_allclose(excess, [-6.0, 2.0, 0.0, 20.0], atol=1e-9)


def test_near_line_equals_all_distances():
    random = np.random.default_rng(5)
    points, line = random.uniform(-10, 10, (200, 3)), random.uniform(-10, 10, (20, 3))

    near = near_line(points, line, 4.0)

    distance = np.linalg.norm(points[:, None] - line[None], axis=2).min(axis=1)
    np.testing.assert_array_equal(near, distance <= 4.0)


def test_growth_stays_in_bone_and_in_its_own_levels_reach():
    bone = np.zeros((20, 60, 40), np.float32)
    bone[8:12, 10:50, 18:22] = 1.0
    bodies = np.zeros(bone.shape, np.uint8)
    bodies[5:15, 40:55, 12:28] = 1
    frame = np.eye(4)[None].copy()
    frame[0, :3, 3] = (-10.0, -47.0, -16.0)
    sizes = np.array([[12.0, 12.0, -7.0, 0.0, 200.0, 0.0]])

    labels, cost = grow_levels(bone, bodies, frame, sizes, np.array([1.0, 1.0, 1.0]))

    grown = (labels == 1) & (bodies == 0)
    assert grown.any()
    assert not (grown & (bone == 0.0)).any()
    assert (cost[grown] < 200.0).all()
