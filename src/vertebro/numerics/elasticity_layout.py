"""How fields lie in memory for the elasticity kernels, and running them on bands of planes.

See :mod:`vertebro.numerics.elasticity_kernels` for the layout. The number of bands depends on the grid
alone, so results are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

TILE = 64
"""The same as the kernels'."""

N_BANDS = 4
SMALLEST_SHARED_NODES = 100_000
"""Grids with fewer nodes are worked on by one thread: threads would gain little, and where other programs
share the cores each hand-over waits for its turn."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Layout:
    """A grid of elements as the kernels see it."""

    n_elements: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @property
    def n_nodes(self) -> tuple[int, int, int]:
        """Nodes along the three axes."""
        i, j, k = self.n_elements
        return (i + 1, j + 1, k + 1)

    @property
    def width(self) -> int:
        """Nodes along the third axis: the step in a row from one line of nodes to the next."""
        return self.n_elements[2] + 1

    @property
    def row(self) -> int:
        """Elements in a row, filled up to whole tiles."""
        return -(-self.n_elements[1] * self.width // TILE) * TILE

    @property
    def pitch(self) -> int:
        """Nodes in a row, with room for what a tile's last elements touch."""
        return -(-(self.row + self.width + 2) // 8) * 8

    @property
    def field_shape(self) -> tuple[int, int, int]:
        """Of a nodal vector field."""
        return (self.n_elements[0] + 1, 3, self.pitch)

    def zeros(self, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """A nodal vector field of zeros."""
        return np.zeros(self.field_shape, dtype)

    def pack(self, field: NDArray[Any], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """``(3, i+1, j+1, k+1)`` as the kernels lay it out."""
        packed = self.zeros(dtype)
        n = self.n_nodes[1] * self.n_nodes[2]
        packed[:, :, :n] = np.moveaxis(field, 0, 1).reshape(self.n_nodes[0], 3, n)
        return packed

    def unpack(self, packed: NDArray[np.float64]) -> NDArray[np.float64]:
        """The reverse of :meth:`pack`, float64."""
        n = self.n_nodes[1] * self.n_nodes[2]
        cut = packed[:, :, :n].reshape(self.n_nodes[0], 3, *self.n_nodes[1:])
        return np.ascontiguousarray(np.moveaxis(cut, 1, 0), dtype=np.float64)

    def pack_elements(self, values: NDArray[np.float64], dtype: DTypeLike) -> NDArray[Any]:
        """``(m, i, j, k)`` constants, times volume / 64, as the kernels lay them out."""
        m, ni, nj, nk = values.shape
        scale = float(np.prod(self.spacing_mm)) / 64.0
        packed = np.zeros((ni, m, self.row), dtype)
        view = packed[:, :, : nj * self.width].reshape(ni, m, nj, self.width)
        np.multiply(np.moveaxis(values, 0, 1), scale, out=view[..., :nk], casting="same_kind")
        return packed

    def steps(self, kind: type[np.floating]) -> tuple[np.floating, np.floating, np.floating]:
        """2 / spacing along each axis."""
        a, b, c = (kind(2.0 / h) for h in self.spacing_mm)
        return (a, b, c)

    def coarser(self) -> Layout:
        """Twice the spacing, over the same bricks."""
        i, j, k = (-(-n // 2) for n in self.n_elements)
        a, b, c = (2.0 * h for h in self.spacing_mm)
        return Layout((i, j, k), (a, b, c))

    def bands(self) -> list[tuple[int, int]]:
        """First plane, and one past the last, of each band of node planes."""
        n_planes = self.n_elements[0] + 1
        is_small = n_planes * self.n_nodes[1] * self.n_nodes[2] < SMALLEST_SHARED_NODES
        n_bands = 1 if is_small else min(N_BANDS, max(1, n_planes // 4))
        edges = [round(n_planes * n / n_bands) for n in range(n_bands + 1)]
        return list(pairwise(edges))


def inner(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Sum of the products of two fields of the same shape.

    Not by the array library's own routine, which starts threads for it and waits for them.

    Examples
    --------
    >>> inner(np.ones((2, 2)), np.full((2, 2), 3.0))
    12.0
    """
    return float(np.einsum("i,i->", first.reshape(-1), second.reshape(-1)))


def filled_tiles(packed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(planes, tiles): True where a tile holds at least one element."""
    ni, m, row = packed.shape
    return np.ascontiguousarray(packed.reshape(ni, m, row // TILE, TILE).any(axis=(1, 3)))


def run_bands(
    pool: ThreadPoolExecutor | None,
    work: Callable[[int, int], Result],
    bands: list[tuple[int, int]],
) -> list[Result]:
    """``work(first, stop)`` on every band, in threads; results in the order of the bands."""
    if pool is None or len(bands) == 1:
        return [work(first, stop) for first, stop in bands]
    return list(pool.map(lambda band: work(*band), bands))
