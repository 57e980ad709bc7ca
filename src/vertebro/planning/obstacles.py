"""What a needle's tip and way must keep off beside the walls: endplates, foramina, a gas cleft.

Frame: the vertebra's (right, anterior, superior), mm, suffix ``_v``; masks lie on the site's patch,
whose axes run along it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure

from vertebro.case import Side
from vertebro.geometry import apply_affine

FACING = 0.7
"""A surface within 45° of facing up or down belongs to an endplate."""
RIM_MM = 1.5
"""Of the body's depth and width, kept out at its walls: their edges face up or down, too."""
FORAMEN_HEIGHT_MM = 9.0
"""A nerve's opening reaches so far above and below a pedicle (assumed: half of an opening about 18 mm
high)."""
MIN_CLEFT_MM3 = 40.0
"""Smaller pieces of gas are no cleft (assumed: a pellet of 3.4 mm)."""


@dataclass(frozen=True, eq=False, slots=True)
class Obstacle:
    """A region of the patch with its outermost voxel centres."""

    mask: NDArray[np.bool_]
    rim_v: NDArray[np.float64]
    """(n, 3); empty where there is no such region."""
    rim: cKDTree | None
    """The same, for distances; None where there is no such region."""

    @property
    def is_there(self) -> bool:
        """Whether the region has any voxel."""
        return self.rim is not None


def obstacle(mask: NDArray[np.bool_], vertebra_from_patch: NDArray[np.float64]) -> Obstacle:
    """A mask as an obstacle."""
    rim = mask & ~ndimage.binary_erosion(mask)
    rim_v = apply_affine(vertebra_from_patch, np.argwhere(rim).reshape(-1, 3))
    return Obstacle(mask, rim_v, cKDTree(rim_v) if len(rim_v) else None)


@dataclass(frozen=True, eq=False, slots=True)
class Endplates:
    """Surface points of both endplates, for distances from them."""

    superior: cKDTree | None
    """None where the surface shows none."""
    inferior: cKDTree | None


def find_surface(
    coverage: NDArray[np.float32], vertebra_from_patch: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, 3) points on the 0.5 surface, about a voxel apart, and their (n, 3) normals to outside."""
    corners, _, normals, _ = measure.marching_cubes(coverage, 0.5)
    return apply_affine(vertebra_from_patch, corners), np.asarray(normals, dtype=np.float64)


def find_endplates(
    surface_v: NDArray[np.float64], normals_v: NDArray[np.float64], box: Mapping[str, float]
) -> Endplates:
    """Both endplates: the part of the body's surface that faces up or down.

    Parameters
    ----------
    surface_v, normals_v : (n, 3) float arrays
        Points and outward normals of the bone's surface.
    box : mapping
        The body's ``back``, ``front``, ``half_width``, ``bottom`` and ``top``, mm.
    """
    in_body = (
        (surface_v[:, 1] > box["back"] + RIM_MM)
        & (surface_v[:, 1] < box["front"] - RIM_MM)
        & (np.abs(surface_v[:, 0]) < box["half_width"] - RIM_MM)
    )
    upper = surface_v[in_body & (normals_v[:, 2] > FACING)]
    lower = surface_v[in_body & (normals_v[:, 2] < -FACING)]
    return Endplates(cKDTree(upper) if len(upper) else None, cKDTree(lower) if len(lower) else None)


def find_foramina(
    free: NDArray[np.bool_],
    vertebra_from_patch: NDArray[np.float64],
    pedicles: Mapping[Side, tuple[NDArray[np.float64], float, float, float]],
    back_mm: float,
) -> dict[Side, Obstacle]:
    """The nerves' openings above and below each pedicle.

    Parameters
    ----------
    free : (i, j, k) bool array
        Where there is no bone of this vertebra.
    vertebra_from_patch : (4, 4) float array
    pedicles : mapping
        Side to centre (3,), width, height and the y of the rear end, mm.
    back_mm : float
        y of the body's back wall.

    Notes
    -----
    A box from the midline side of the pedicle to its outer wall, from its rear end to the body's back
    wall, directly above and below it: what a nerve root passes on its way out.
    """
    x, y, z = (
        vertebra_from_patch[a, 3] + vertebra_from_patch[a, a] * np.arange(free.shape[a]) for a in range(3)
    )
    found = {}
    for side, (centre, width_mm, height_mm, rear_mm) in pedicles.items():
        sign = 1.0 if side is Side.RIGHT else -1.0
        out = sign * (x - centre[0])
        from_pedicle = np.abs(z - centre[2]) - 0.5 * height_mm
        box = (
            ((out > -width_mm) & (out < 0.5 * width_mm) & (sign * x > 0.0))[:, None, None]
            & ((y > rear_mm) & (y < back_mm))[None, :, None]
            & ((from_pedicle > 0.0) & (from_pedicle < FORAMEN_HEIGHT_MM))[None, None, :]
        )
        found[side] = obstacle(np.asarray(free & box), vertebra_from_patch)
    return found


def find_cleft(
    gas: NDArray[np.bool_], body: NDArray[np.bool_], vertebra_from_patch: NDArray[np.float64]
) -> Obstacle:
    """The gas-filled cleft in a body: all pieces of gas in it that are large enough."""
    pieces, count = ndimage.label(gas & body)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1) * float(vertebra_from_patch[0, 0]) ** 3
    large = np.flatnonzero(sizes >= MIN_CLEFT_MM3)
    return obstacle(np.isin(pieces, large[large > 0]), vertebra_from_patch)
