"""First surfaces and their light, on solids whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.numerics.surface_shading import LIGHT, first_surface, shaded


def _ball(radius: float = 12.0, n: int = 33) -> np.ndarray:
    place = np.indices((n, n, n)) - (n - 1) / 2
    return np.clip(radius - np.linalg.norm(place, axis=0) + 0.5, 0.0, 1.0).astype(np.float32)


def test_a_balls_first_surface_is_its_near_half() -> None:
    depth = first_surface(_ball())

    y, x = np.indices(depth.shape) - 16.0
    true = 16.0 - np.sqrt(np.maximum(144.0 - x**2 - y**2, 0.0))
    inner = np.hypot(x, y) < 10.0
    assert np.abs(depth - true)[inner].max() < 0.15
    assert np.isnan(depth[np.hypot(x, y) > 13.0]).all()


def test_a_ball_is_brightest_where_it_faces_the_light() -> None:
    field = _ball()

    bright = shaded(field, first_surface(field))

    brightest = np.unravel_index(int(bright.argmax()), bright.shape)
    towards = LIGHT / np.linalg.norm(LIGHT)
    assert brightest[0] == pytest.approx(16.0 + 12.0 * towards[0], abs=2.5)
    assert brightest[1] == pytest.approx(16.0 + 12.0 * towards[1], abs=2.5)
    assert bright[0, 0] == 0.0


def test_a_groove_is_darker_than_the_wall_around_it() -> None:
    field = np.zeros((40, 40, 20), np.float32)
    field[:, :, 6:] = 1.0
    field[:, 18:22, 6:12] = 0.0

    bright = shaded(field, first_surface(field))

    assert bright[20, 19:21].max() < 0.9 * bright[20, 5:14].min()


def test_nothing_is_dark_and_without_depth() -> None:
    empty = np.zeros((4, 4, 4), np.float32)

    assert np.isnan(first_surface(empty)).all()
    assert (shaded(empty, first_surface(empty)) == 0.0).all()
