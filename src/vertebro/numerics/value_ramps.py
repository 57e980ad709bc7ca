"""Piecewise-linear maps from a voxel's value to quantities that are integrated along rays.

A map is a sum of hinges, ``f_m(h) = Σ_j slopes[m, j] · max(h − knots[j], 0)``: zero below its
lowest knot, continuous, cheap to evaluate while a row of voxels is read. One value (a Hounsfield
unit) can so feed several line integrals (soft tissue, bone mineral, metal) in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_KNOTS = 8
"""Hinges a map may have; the kernels are compiled for exactly this many."""


@dataclass(frozen=True, eq=False)
class ValueRamps:
    """``n_outputs`` piecewise-linear maps that share their knots.

    Parameters
    ----------
    knots : (j,) array, ascending, j ≤ ``MAX_KNOTS``
    slopes : (m, j) array
        Change of slope of each map at each knot.

    Examples
    --------
    >>> water_like = ValueRamps.through_points([-1000.0, 0.0], [[0.0, 1.0]])
    >>> water_like([-1200.0, -500.0, 0.0, 1000.0]).tolist()
    [[0.0, 0.5, 1.0, 2.0]]
    """

    knots: NDArray[np.float32]
    slopes: NDArray[np.float32]

    def __post_init__(self) -> None:
        knots = np.array(self.knots, dtype=np.float32)
        slopes = np.array(self.slopes, dtype=np.float32)
        assert knots.ndim == 1, "knots must be one-dimensional"
        assert 1 <= knots.size <= MAX_KNOTS, f"1 to {MAX_KNOTS} knots"
        assert slopes.ndim == 2, "slopes must be (outputs, knots)"
        assert slopes.shape[1] == knots.size, "a slope for each knot"
        assert np.all(np.diff(knots) > 0), "knots must ascend"
        for name, array in (("knots", knots), ("slopes", slopes)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def identity(cls) -> ValueRamps:
        """The value itself where it is positive, else 0."""
        return cls(np.zeros(1, np.float32), np.ones((1, 1), np.float32))

    @classmethod
    def through_points(cls, values: ArrayLike, outputs: ArrayLike) -> ValueRamps:
        """Maps through given points: zero below the first, straight on beyond the last.

        Parameters
        ----------
        values : (j,) array_like, ascending
        outputs : (m, j) array_like
            Must be 0 at the first value.
        """
        knots = np.asarray(values, dtype=np.float64)
        points = np.atleast_2d(np.asarray(outputs, dtype=np.float64))
        assert np.all(points[:, 0] == 0.0), "a map must start from 0"
        segment = np.diff(points, axis=1) / np.diff(knots)
        slopes = np.zeros_like(points)
        slopes[:, 0] = segment[:, 0]
        slopes[:, 1:-1] = np.diff(segment, axis=1)
        return cls(knots.astype(np.float32), slopes.astype(np.float32))

    @property
    def n_outputs(self) -> int:
        """Number of maps, and so of line integrals for each ray."""
        return int(self.slopes.shape[0])

    @property
    def lowest_knot(self) -> float:
        """Values at or below this map to 0."""
        return float(self.knots[0])

    def __call__(self, values: ArrayLike) -> NDArray[np.float32]:
        """The maps' outputs, shape ``(m, *values.shape)``."""
        array = np.asarray(values, dtype=np.float32)
        result = np.zeros((self.n_outputs, *array.shape), dtype=np.float32)
        for knot, slope in zip(self.knots, self.slopes.T, strict=True):
            hinge = np.maximum(array - knot, np.float32(0.0))
            for m, weight in enumerate(slope):
                result[m] += weight * hinge
        return result

    def padded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Knots and slopes filled up to ``MAX_KNOTS`` with hinges of slope 0."""
        missing = MAX_KNOTS - self.knots.size
        knots = np.concatenate([self.knots, np.full(missing, self.knots[-1], np.float32)])
        slopes = np.pad(self.slopes, ((0, 0), (0, missing)))
        return knots, slopes
