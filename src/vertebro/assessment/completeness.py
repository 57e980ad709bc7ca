"""Whether a body lies wholly inside the scan.

A body is cut where its own label touches the border of the CT or of the label volume over more than
a few square millimetres. Processes and pedicles on the border do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.endplates import ColumnSurfaces
from vertebro.geometry import apply_affine, compose, invert_affine
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop

ENDPLATE_CUT_FRACTION = 0.02
"""Share of an endplate that may end on the border before the endplate counts as cut (assumed)."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What the field of view left of a body.

    Examples
    --------
    >>> Completeness(120.0, True, False).is_endplate_cut
    True
    """

    cut_area_mm2: float
    superior_is_cut: bool
    inferior_is_cut: bool

    @property
    def is_endplate_cut(self) -> bool:
        """Whether heights cannot be measured."""
        return self.superior_is_cut or self.inferior_is_cut


def border_points(crop: MaskCrop, grids: tuple[VolumeGeometry, ...]) -> tuple[NDArray[np.float64], float]:
    """World positions of a label's voxels on a border of any grid, and the area one of them stands for.

    A voxel is on a grid's border when the next voxel outward would lie outside the grid.

    Parameters
    ----------
    crop : MaskCrop
    grids : tuple of VolumeGeometry
        The labels' and the CT's.

    Returns
    -------
    (n, 3) float array, mm, and the mean area of a voxel's face, mm²
    """
    index = np.argwhere(crop.mask)
    spacing = np.array(crop.geometry.spacing_mm)
    face_mm2 = float(np.prod(spacing) / np.cbrt(np.prod(spacing)))
    on_border = np.zeros(len(index), dtype=bool)
    for grid in grids:
        grid_from_crop = compose(grid.voxel_from_lps, crop.geometry.lps_from_voxel)
        place = apply_affine(grid_from_crop, index)
        reach = 0.75 * np.abs(grid_from_crop[:3, :3]).sum(axis=1)
        last = np.array(grid.shape) - 0.5
        on_border |= np.any((place - reach < -0.5) | (place + reach > last), axis=1)
    return apply_affine(crop.geometry.lps_from_voxel, index[on_border]), face_mm2


def completeness_of(
    body: NDArray[np.bool_],
    surfaces: ColumnSurfaces,
    patch: VolumeGeometry,
    border: tuple[NDArray[np.float64], float],
    lps_from_vertebra: NDArray[np.float64],
) -> Completeness:
    """How much of a body lies on a border.

    Parameters
    ----------
    body : (i, j, k) bool array on ``patch``
    surfaces : ColumnSurfaces
        Of that body, in the local frame.
    patch : VolumeGeometry
        Axes to right, anterior, superior.
    border : points and face area of :func:`border_points`
    lps_from_vertebra : (4, 4) float array
    """
    points, face_mm2 = border
    if len(points) == 0:
        return Completeness(0.0, False, False)
    grown = ndimage.binary_dilation(body)
    index = np.round(apply_affine(patch.voxel_from_lps, points)).astype(int)
    inside = np.all((index >= 0) & (index < np.array(body.shape)), axis=1)
    index, points = index[inside], points[inside]
    of_body = grown[tuple(index.T)]
    index, points = index[of_body], points[of_body]
    area = len(points) * face_mm2
    if len(points) == 0:
        return Completeness(0.0, False, False)
    z = apply_affine(invert_affine(lps_from_vertebra), points)[:, 2]
    reach = 1.5 * np.sqrt(face_mm2) + patch.spacing_mm[0]
    endplate_mm2 = max(float(np.isfinite(surfaces.top_mm).sum()) * patch.spacing_mm[0] ** 2, 1.0)
    column = index[:, 0], index[:, 1]
    cut = [
        float((np.abs(z - heights[column]) <= reach).sum()) * face_mm2 / endplate_mm2 > ENDPLATE_CUT_FRACTION
        for heights in (surfaces.top_mm, surfaces.bottom_mm)
    ]
    return Completeness(area, bool(cut[0]), bool(cut[1]))
