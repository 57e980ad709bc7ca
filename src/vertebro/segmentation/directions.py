"""A mesh of directions: an icosahedron with divided faces, and interpolation between its corners."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, cKDTree


@dataclass(frozen=True, eq=False, slots=True)
class DirectionMesh:
    """Unit vectors spread evenly over the sphere, and who borders on whom."""

    unit: NDArray[np.float64]
    """(n, 3)."""
    neighbours: NDArray[np.int32]
    """(n, 6), −1 where a direction has five."""
    reverse: NDArray[np.int32]
    """(n, 6): at which place the neighbour lists this direction."""
    nearest: NDArray[np.int32]
    """(181, 360, 3): the three nearest directions at every degree of polar angle and longitude."""
    weight: NDArray[np.float64]
    """(181, 360, 3): their weights, which sum to 1."""

    def table(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(181, 360): values of the mesh at every degree of polar angle and longitude."""
        return np.asarray((values[self.nearest] * self.weight).sum(axis=2))


@cache
def direction_mesh(divisions: int) -> DirectionMesh:
    """A mesh of ``10 · divisions² + 2`` directions, ordered from caudal to cranial.

    Examples
    --------
    >>> len(direction_mesh(4).unit)
    162
    """
    corners = _icosahedron()
    points: list[NDArray[np.float64]] = []
    for face in ConvexHull(corners).simplices:
        a, b, c = corners[face]
        for i in range(divisions + 1):
            for j in range(divisions + 1 - i):
                point = (a * i + b * j + c * (divisions - i - j)) / divisions
                points.append(point / np.linalg.norm(point))
    rounded = np.asarray(np.unique(np.round(np.array(points), 9), axis=0), dtype=np.float64)
    unit = _distinct(rounded)
    unit = unit[np.lexsort((np.arctan2(unit[:, 1], unit[:, 0]), np.round(unit[:, 2], 6)))]
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    neighbours = np.full((len(unit), 6), -1, dtype=np.int32)
    rows: list[set[int]] = [set() for _ in unit]
    for face in ConvexHull(unit).simplices:
        for one in face:
            rows[one].update(int(other) for other in face if other != one)
    for one, row in enumerate(rows):
        neighbours[one, : len(row)] = sorted(row)[:6]
    reverse = np.full_like(neighbours, -1)
    for one in range(len(unit)):
        for place, other in enumerate(neighbours[one]):
            if other >= 0:
                reverse[one, place] = int(np.flatnonzero(neighbours[other] == one)[0])
    polar, longitude = np.radians(np.arange(181.0))[:, None], np.radians(np.arange(360.0))[None, :]
    sphere = np.stack(
        [
            np.sin(polar) * np.cos(longitude),
            np.sin(polar) * np.sin(longitude),
            np.cos(polar) * np.ones_like(longitude),
        ],
        axis=-1,
    )
    distance, nearest = cKDTree(unit).query(sphere, k=3)
    weight = 1.0 / (distance + 1e-4) ** 2
    weight /= weight.sum(axis=2, keepdims=True)
    return DirectionMesh(unit, neighbours, reverse, nearest.astype(np.int32), weight)


def _icosahedron() -> NDArray[np.float64]:
    golden = 0.5 * (1.0 + np.sqrt(5.0))
    rows = []
    for one in (-1.0, 1.0):
        for two in (-golden, golden):
            rows += [(0.0, one, two), (one, two, 0.0), (two, 0.0, one)]
    corners = np.array(rows)
    return np.asarray(corners / np.linalg.norm(corners[0]))


def _distinct(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points without near twins (edges are shared by faces)."""
    tree = cKDTree(points)
    twins = {later for _, later in tree.query_pairs(1e-5)}
    return points[[index for index in range(len(points)) if index not in twins]]
