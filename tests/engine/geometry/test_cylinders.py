"""The surface of a cylinder."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.geometry import cylinder_mesh


@pytest.mark.parametrize("end", [(0.0, 0.0, 10.0), (6.0, 0.0, -8.0), (3.0, -4.0, 0.0)])
def test_a_cylinder_is_closed_and_encloses_its_volume(end: tuple[float, float, float]) -> None:
    start, stop = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]) + end
    vertices, faces = cylinder_mesh(start, stop, 2.0, n_around=200)

    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0
    assert volume == pytest.approx(np.pi * 4.0 * np.linalg.norm(end), rel=1e-3)
    edges = np.sort(np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)
