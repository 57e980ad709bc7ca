"""Flat and gently curved sections through a scan, and what is drawn on them.

A section is a grid of world positions with a place on the sheet of a figure. Column to the right and
row downwards on the sheet; every position is in LPS, millimetres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.geometry import apply_affine
from vertebro.imaging import Volume, VolumeGeometry, sample_at
from vertebro.reporting.figure import Point

Positions = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Section:
    """A flat rectangle in the world, shown on a sheet at a fixed scale."""

    centre_lps_mm: Positions
    """(3,): the world position in the middle of the picture."""
    rightwards_lps: Positions
    """(3,): unit direction that runs to the right on the sheet."""
    downwards_lps: Positions
    """(3,): unit direction that runs down the sheet."""
    width_mm: float
    """Of the patient, not of the sheet."""
    height_mm: float
    sheet_per_mm: float
    """Sheet millimetres for each millimetre of the patient."""

    def positions(self, spacing_mm: float) -> Positions:
        """(rows, columns, 3): world positions of the picture's pixel centres."""
        columns = max(1, round(self.width_mm / spacing_mm))
        rows = max(1, round(self.height_mm / spacing_mm))
        x = (np.arange(columns) + 0.5) * self.width_mm / columns - self.width_mm / 2
        y = (np.arange(rows) + 0.5) * self.height_mm / rows - self.height_mm / 2
        flat = x[None, :, None] * self.rightwards_lps + y[:, None, None] * self.downwards_lps
        return np.asarray(self.centre_lps_mm + flat)

    def sheet_from_lps(self, points_lps_mm: ArrayLike) -> Positions:
        """(..., 2): where world positions fall on the sheet (projected along the normal)."""
        offset = np.asarray(points_lps_mm, dtype=np.float64) - self.centre_lps_mm
        x = offset @ self.rightwards_lps + self.width_mm / 2
        y = offset @ self.downwards_lps + self.height_mm / 2
        return np.stack([x, y], axis=-1) * self.sheet_per_mm

    @property
    def normal_lps(self) -> Positions:
        """(3,): unit direction out of the sheet, away from the viewer."""
        return np.cross(self.rightwards_lps, self.downwards_lps)


def slab_mean(volume: Volume, section: Section, *, spacing_mm: float, slab_mm: float) -> NDArray[np.float32]:
    """CT values on a section, averaged over a slab of the given thickness.

    Parameters
    ----------
    volume : Volume
    section : Section
    spacing_mm : float
        Distance between the picture's pixels.
    slab_mm : float
        Thickness over which the values are averaged; 0 for none.

    Returns
    -------
    (rows, columns) float32 array, HU; not a number outside the scan.
    """
    positions = section.positions(spacing_mm)
    count = max(1, 2 * round(slab_mm / 2.0) + 1) if slab_mm > 0 else 1
    offsets = (np.arange(count) - (count - 1) / 2) * (slab_mm / count)
    total = np.zeros(positions.shape[:2], dtype=np.float32)
    for offset in offsets:
        total += values_at(volume.hu, volume.geometry, positions + offset * section.normal_lps)
    return total / np.float32(count)


def values_at(
    array: NDArray[np.generic],
    geometry: VolumeGeometry,
    positions_lps_mm: Positions,
    *,
    outside: float = float("nan"),
    label: int | None = None,
) -> NDArray[np.float32]:
    """Values of a large image at positions that need only a part of it.

    The image is cropped to the positions first, so that a section through one vertebra of a
    whole-body scan costs no more than one through a crop. With ``label``, how much of each position
    lies inside that label: 1 inside, 0 outside, between them at its border.
    """
    flat = positions_lps_mm.reshape(-1, 3)
    ends = np.stack([flat.min(axis=0), flat.max(axis=0)])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    index = apply_affine(geometry.voxel_from_lps, corners)
    limits = np.array(geometry.shape)
    start = np.clip(np.floor(index.min(axis=0)).astype(int) - 1, 0, limits)
    stop = np.clip(np.ceil(index.max(axis=0)).astype(int) + 2, 0, limits)
    if np.any(stop <= start):
        return np.full(positions_lps_mm.shape[:-1], outside, dtype=np.float32)
    part = array[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]]
    window = geometry.crop(
        (int(start[0]), int(start[1]), int(start[2])), (int(stop[0]), int(stop[1]), int(stop[2]))
    )
    if label is not None:
        part = part == label
    return sample_at(part, window, positions_lps_mm, outside=outside)


def grey_from_hu(
    hu: NDArray[np.float32], low_hu: float, high_hu: float, *, outside_grey: int = 40
) -> NDArray[np.uint8]:
    """CT values through a window, as grey; positions outside the scan get one flat dark grey.

    Examples
    --------
    >>> grey_from_hu(np.array([[-300.0, 1300.0, np.nan]], np.float32), -300.0, 1300.0).tolist()
    [[0, 255, 40]]
    """
    is_inside = np.isfinite(hu)
    scaled = np.clip((np.where(is_inside, hu, low_hu) - low_hu) / (high_hu - low_hu), 0.0, 1.0)
    grey = np.round(scaled * 255.0).astype(np.uint8)
    grey[~is_inside] = outside_grey
    return grey


def outlines(
    mask_values: NDArray[np.float32], sheet_from_pixel: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> tuple[tuple[Point, ...], ...]:
    """Closed outlines of a mask on a picture.

    Parameters
    ----------
    mask_values : (rows, columns) float array
        1 inside, 0 outside, between them where the mask was interpolated.
    sheet_from_pixel : callable
        (n, 2) pixel positions (column, row; pixel centres at integers) to sheet millimetres.

    Returns
    -------
    tuple of outlines, each a tuple of points; specks of fewer than 8 points are left out.
    """
    from skimage.measure import find_contours  # noqa: PLC0415 - only when a figure is drawn

    padded = np.pad(mask_values, 1)
    found = []
    for contour in find_contours(padded, 0.5):
        if len(contour) < 8:
            continue
        thinned = contour[:: max(1, len(contour) // 240)]
        sheet = sheet_from_pixel(thinned[:, ::-1] - 1.0)
        found.append(tuple((float(x), float(y)) for x, y in sheet))
    return tuple(found)
