"""How X-rays run: a cone from a point to a flat detector, or a fan that is moved along a table.

World frame (LPS, mm) throughout. A detector pixel is named by ``(row, column)``; integers lie at
pixel *centres*. Nothing here knows of voxels or tissue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _vector(value: ArrayLike, name: str) -> NDArray[np.float64]:
    vector = np.array(value, dtype=np.float64)
    if vector.shape != (3,) or not np.all(np.isfinite(vector)):
        raise TypeError(f"{name} must be three finite numbers, not {value!r}")
    vector.setflags(write=False)
    return vector


@dataclass(frozen=True, eq=False)
class ConeBeam:
    """Rays from one focal spot to every pixel of a flat detector.

    Parameters
    ----------
    source_mm : (3,) array
        Focal spot.
    first_pixel_mm : (3,) array
        Centre of pixel (0, 0).
    column_step_mm, row_step_mm : (3,) array
        From one pixel to the next along a row, and from one row to the next.
    shape : (int, int)
        Rows and columns.

    Examples
    --------
    >>> beam = ConeBeam([0, -1000, 0], [-1, 100, 1], [1, 0, 0], [0, 0, -1], (3, 3))
    >>> beam.pixel_mm(1.0, 1.0).tolist()
    [0.0, 100.0, 0.0]
    """

    source_mm: NDArray[np.float64]
    first_pixel_mm: NDArray[np.float64]
    column_step_mm: NDArray[np.float64]
    row_step_mm: NDArray[np.float64]
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        for name in ("source_mm", "first_pixel_mm", "column_step_mm", "row_step_mm"):
            object.__setattr__(self, name, _vector(getattr(self, name), name))
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise TypeError(f"shape must be two positive numbers, not {self.shape}")

    def pixel_mm(self, row: ArrayLike, column: ArrayLike) -> NDArray[np.float64]:
        """World position of a place on the detector; ``row`` and ``column`` broadcast, result (..., 3)."""
        rows, columns = np.broadcast_arrays(np.asarray(row, np.float64), np.asarray(column, np.float64))
        return np.asarray(
            self.first_pixel_mm
            + rows[..., None] * self.row_step_mm
            + columns[..., None] * self.column_step_mm
        )

    def window(self, first_row: int, first_column: int, shape: tuple[int, int]) -> ConeBeam:
        """The rays of a rectangular part of the detector."""
        corner = self.pixel_mm(float(first_row), float(first_column))
        return ConeBeam(self.source_mm, corner, self.column_step_mm, self.row_step_mm, shape)

    def projection_matrix(self) -> NDArray[np.float64]:
        """(3, 4): homogeneous ``(column, row, 1)`` from homogeneous world position.

        The third coordinate, before division, is the depth from the source as a fraction of the
        distance between source and detector plane; it is negative behind the source.

        Examples
        --------
        >>> beam = ConeBeam([0, -1000, 0], [-1, 100, 1], [1, 0, 0], [0, 0, -1], (3, 3))
        >>> image = beam.projection_matrix() @ [0.5, -450.0, 0.0, 1.0]
        >>> (image[:2] / image[2]).round(9).tolist()
        [2.0, 1.0]
        """
        basis = np.stack(
            [self.column_step_mm, self.row_step_mm, self.first_pixel_mm - self.source_mm], axis=1
        )
        linear = np.linalg.inv(basis)
        return np.asarray(np.hstack([linear, -(linear @ self.source_mm)[:, None]]))

    def transformed(self, new_from_old: NDArray[np.float64]) -> ConeBeam:
        """The same rays in another frame (any affine)."""
        linear, offset = new_from_old[:3, :3], new_from_old[:3, 3]
        return ConeBeam(
            linear @ self.source_mm + offset,
            linear @ self.first_pixel_mm + offset,
            linear @ self.column_step_mm,
            linear @ self.row_step_mm,
            self.shape,
        )


@dataclass(frozen=True, eq=False)
class FanBeam:
    """A fan of rays in a plane, one image row for each table position: a CT scanner's localizer.

    Row ``r`` is taken with the whole fan moved by ``r * row_step_mm``, so that rays diverge along
    a row and run parallel from row to row.

    Parameters
    ----------
    source_mm : (3,) array
        Focal spot for row 0.
    first_pixel_mm : (3,) array
        Centre of pixel (0, 0).
    column_step_mm : (3,) array
        From one pixel to the next along a row.
    row_step_mm : (3,) array
        Movement of source and detector from one row to the next, relative to the patient.
    shape : (int, int)
        Rows and columns.
    """

    source_mm: NDArray[np.float64]
    first_pixel_mm: NDArray[np.float64]
    column_step_mm: NDArray[np.float64]
    row_step_mm: NDArray[np.float64]
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        for name in ("source_mm", "first_pixel_mm", "column_step_mm", "row_step_mm"):
            object.__setattr__(self, name, _vector(getattr(self, name), name))
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise TypeError(f"shape must be two positive numbers, not {self.shape}")

    def transformed(self, new_from_old: NDArray[np.float64]) -> FanBeam:
        """The same rays in another frame (any affine)."""
        linear, offset = new_from_old[:3, :3], new_from_old[:3, 3]
        return FanBeam(
            linear @ self.source_mm + offset,
            linear @ self.first_pixel_mm + offset,
            linear @ self.column_step_mm,
            linear @ self.row_step_mm,
            self.shape,
        )


Beam = ConeBeam | FanBeam
"""Any set of rays that can be cast."""
