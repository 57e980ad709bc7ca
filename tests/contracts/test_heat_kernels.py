"""Compiled heat kernels against their plain versions."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.numerics import heat_kernels as fast
from vertebro.numerics import heat_reference as slow


def box(shape: tuple[int, int, int], seed: int = 0):
    random = np.random.default_rng(seed)
    faces = [random.uniform(0.1, 2.0, shape) for _ in range(3)]
    faces[0][-1] = 0.0
    faces[1][:, -1] = 0.0
    faces[2][:, :, -1] = 0.0
    return faces, random.uniform(0.0, 0.5, shape), random.uniform(0.5, 3.0, shape), random.normal(size=shape)


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 1, 7), (3, 1, 1), (2, 2, 2)])
def test_operator(shape: tuple[int, int, int]):
    faces, loss, capacity, u = box(shape)
    out = np.empty(shape)

    fast.apply_heat_operator(*faces, loss, capacity, u, 0.7, out)

    assert out == pytest.approx(
        slow.apply_heat_operator(*faces, loss, capacity, u, 0.7), rel=1e-12, abs=1e-12
    )


def test_solver():
    faces, loss, capacity, rhs = box((4, 5, 3), 1)
    diagonal = slow.apply_heat_operator(*faces, loss, capacity, np.ones((4, 5, 3)), 0.0) + 1.0
    x = np.zeros((4, 5, 3))

    count = fast.solve_heat_step(*faces, loss, capacity, 0.7, 1.0 / diagonal, rhs, x, 1e-12, 300)

    assert count > 0
    assert x == pytest.approx(slow.solve_heat_step(*faces, loss, capacity, 0.7, rhs), rel=1e-9, abs=1e-10)


def test_solver_says_when_it_fails():
    faces, loss, capacity, rhs = box((4, 5, 3), 2)

    count = fast.solve_heat_step(
        *faces, loss, capacity, 0.7, np.ones(rhs.shape), rhs, np.zeros(rhs.shape), 1e-12, 1
    )

    assert count == -1


def test_curing():
    random = np.random.default_rng(5)
    conversion, kelvin = random.uniform(0.01, 0.9, 6), random.uniform(300.0, 370.0, 6)
    rise, drift = random.uniform(0.0, 90.0, 6), random.uniform(-0.5, 0.5, 6)
    law = np.array([2.4e8, 7457.0, 0.98, 1.06, 0.9, 0.0015])
    after = np.empty(6)

    most = fast.cure(conversion, kelvin, rise, drift, 5.0, law, 0.02, after)

    expected = slow.cure(conversion, kelvin, rise, drift, 5.0, law)
    assert after == pytest.approx(expected, rel=1e-4)
    assert after.max() <= 1.0
    assert most == pytest.approx((after - conversion).max())
