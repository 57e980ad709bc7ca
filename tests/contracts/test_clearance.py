"""One contract for both versions of the clearance around a needle."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.planning.clearance import (
    AHEAD,
    INFERIOR,
    LATERAL,
    MEDIAL,
    SUPERIOR,
    clearance,
    clearance_reference,
    length_along,
    nearest_to_segment,
)

VERSIONS = pytest.mark.parametrize("version", [clearance_reference, clearance], ids=["numpy", "numba"])
FORWARD = np.array([0.0, 1.0, 0.0])
TIP = np.zeros(3)


@VERSIONS
@pytest.mark.parametrize(
    ("point", "row", "distance"),
    [
        ((-3.0, -5.0, 0.0), MEDIAL, 3.0),
        ((4.0, -5.0, 1.0), LATERAL, np.sqrt(17.0)),
        ((0.5, -5.0, 2.0), SUPERIOR, np.sqrt(4.25)),
        ((0.5, -5.0, -2.0), INFERIOR, np.sqrt(4.25)),
        ((0.0, 6.0, 0.0), AHEAD, 6.0),
    ],
)
def test_a_point_counts_in_its_direction(version, point, row, distance) -> None:  # type: ignore[no-untyped-def]
    table = version(np.array([point]), TIP, FORWARD, 10.0, -1.0)

    assert table[row, 0] == pytest.approx(distance)
    assert np.isinf(np.delete(table[:, 0], row)).all()


@VERSIONS
def test_the_left_side_mirrors_the_right(version) -> None:  # type: ignore[no-untyped-def]
    points = np.random.default_rng(1).normal(size=(200, 3)) * 8.0

    right = version(points, TIP, FORWARD, 12.0, -1.0)
    left = version(points * [-1.0, 1.0, 1.0], TIP, FORWARD, 12.0, 1.0)

    assert np.allclose(right, left)


@VERSIONS
def test_what_lies_behind_the_watched_length_is_not_seen(version) -> None:  # type: ignore[no-untyped-def]
    table = version(np.array([[1.0, -11.0, 0.0]]), TIP, FORWARD, 10.0, -1.0)

    assert np.isinf(table[:, 0]).all()


def test_both_versions_agree() -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        points = rng.normal(size=(500, 3)) * 10.0
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        arguments = (points, rng.normal(size=3), direction, float(rng.uniform(5.0, 30.0)), 1.0)
        assert np.allclose(clearance(*arguments), clearance_reference(*arguments), atol=1e-9)


def test_the_distance_to_a_segment_is_that_of_its_nearest_point() -> None:
    points = np.array([[3.0, -4.0, 0.0], [0.0, 5.0, 0.0], [0.0, -13.0, 4.0]])

    distances = [nearest_to_segment(points[i : i + 1], TIP, FORWARD, 10.0) for i in range(3)]

    assert distances == pytest.approx([3.0, 5.0, 5.0])


def test_no_points_are_infinitely_far() -> None:
    assert np.isinf(nearest_to_segment(np.empty((0, 3)), TIP, FORWARD, 10.0))


def test_the_length_inside_and_outside_a_mask_is_counted() -> None:
    mask = np.zeros((11, 41, 11), dtype=bool)
    mask[:, 10:14, :] = True
    first = np.array([-5.0, -30.0, -5.0])

    inside, outside = length_along(mask, first, 1.0, TIP, FORWARD, 40.0)

    assert inside == pytest.approx(4.0, abs=1.0)
    assert inside + outside == pytest.approx(40.0, abs=1.0)
    assert length_along(mask, first, 1.0, TIP, np.array([0.0, -1.0, 0.0]), 40.0)[0] == 0.0


def test_the_length_along_a_mask_agrees_with_numpy() -> None:
    rng = np.random.default_rng(3)
    mask = rng.random((30, 30, 30)) < 0.5
    first = np.full(3, -10.3)
    for _ in range(20):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        end = rng.uniform(-8.0, 8.0, 3)
        behind = 0.35 * np.arange(int(30.0 / 0.35) + 1)
        index = np.rint((end - behind[:, None] * direction - first) / 0.7).astype(int)
        within = np.all((index >= 0) & (index < 30), axis=1)
        hits = within & mask[tuple(np.clip(index, 0, 29).T)]

        inside, outside = length_along(mask, first, 0.7, end, direction, 30.0)

        assert inside == pytest.approx(0.35 * hits.sum())
        assert outside == pytest.approx(0.35 * (~hits).sum())
