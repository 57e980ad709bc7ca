"""Which compartment each voxel around a body belongs to, by simple rules on the vertebra's own axes.

Array axes run to right, anterior and superior. Rules, in order: bone of this vertebra; bone of others;
canal (behind the body, between the pedicles); foramina (beside the canal); discs (above and below the
body's outline); all else is paravertebral. Veins have no region: what leaves by a vein lies along it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import Compartment

ORDER = tuple(Compartment)
"""Index of each compartment in a map."""
OTHER_BONE = 255
CANAL_DEPTH_MM = 18.0
"""Canals are 13 to 20 mm deep (recalled)."""
CANAL_HALF_WIDTH_MM = 11.0
"""Half the width of the canal where no pedicle bounds it (assumed: canals are 20 to 25 mm wide)."""
FORAMEN_WIDTH_MM = 12.0
"""A foramen's length from the canal outwards (assumed: a pedicle's width)."""
DISC_MM = 9.0
"""Thickness of disc that is looked at (lumbar discs are 7 to 12 mm high)."""


def index_of(place: Compartment) -> int:
    """Number of a compartment in a map.

    Examples
    --------
    >>> index_of(Compartment.INSIDE), index_of(Compartment.VEIN)
    (0, 6)
    """
    return ORDER.index(place)


def compartment_map(
    body: NDArray[np.bool_],
    vertebra: NDArray[np.bool_],
    other_bone: NDArray[np.bool_],
    vertebra_from_patch: NDArray[np.float64],
    spacing_mm: float,
) -> NDArray[np.uint8]:
    """The compartment of every patch voxel.

    Returns
    -------
    (i, j, k) uint8 array
        Index into :data:`ORDER`; :data:`OTHER_BONE` in other bones.
    """
    shape = body.shape
    regions = np.full(shape, index_of(Compartment.PARAVERTEBRAL), np.uint8)
    x = vertebra_from_patch[0, 3] + spacing_mm * np.arange(shape[0])
    footprint = np.asarray(body.any(axis=2))
    top = _reach(body, up=True)
    bottom = _reach(body, up=False)
    k = np.arange(shape[2])[None, None, :]
    n_disc = DISC_MM / spacing_mm
    regions[footprint[:, :, None] & (k > top[:, :, None]) & (k <= top[:, :, None] + n_disc)] = index_of(
        Compartment.DISC_ABOVE
    )
    regions[footprint[:, :, None] & (k < bottom[:, :, None]) & (k >= bottom[:, :, None] - n_disc)] = index_of(
        Compartment.DISC_BELOW
    )
    back = _back_wall(body)
    rows = np.arange(shape[1])[None, :, None]
    behind = (rows < back[None, None, :]) & (rows >= back[None, None, :] - CANAL_DEPTH_MM / spacing_mm)
    centre_mm = float((x[:, None, None] * body).sum() / body.sum())
    aside_mm = np.abs(x - centre_mm)[:, None, None]
    half_mm = _canal_half_width_mm(vertebra, body, x, centre_mm, spacing_mm)
    is_free = ~vertebra & ~other_bone
    regions[behind & (aside_mm > half_mm) & (aside_mm <= half_mm + FORAMEN_WIDTH_MM) & is_free] = index_of(
        Compartment.FORAMEN
    )
    regions[behind & (aside_mm <= half_mm) & is_free] = index_of(Compartment.CANAL)
    regions[vertebra] = index_of(Compartment.INSIDE)
    regions[other_bone] = OTHER_BONE
    return regions


def _reach(body: NDArray[np.bool_], *, up: bool) -> NDArray[np.int64]:
    """(i, j): last body voxel upwards or downwards; where there is none, that of the nearest column."""
    count = body.shape[2]
    last = count - 1 - np.argmax(body[:, :, ::-1], axis=2) if up else np.argmax(body, axis=2)
    nearest = ndimage.distance_transform_edt(~body.any(axis=2), return_distances=False, return_indices=True)
    return np.asarray(last[tuple(nearest)])


def _back_wall(body: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(k,): rearmost body row in the middle third of the width at each height; extended up and down."""
    columns = np.flatnonzero(body.any(axis=(1, 2)))
    third = max((columns[-1] - columns[0]) // 3, 1)
    middle = np.asarray(body[columns[0] + third : columns[-1] - third + 1].any(axis=0))
    heights = np.flatnonzero(middle.any(axis=0))
    rear = np.argmax(middle, axis=0)
    nearest = np.clip(np.arange(body.shape[2]), heights[0], heights[-1])
    return np.asarray(rear[nearest])


def _canal_half_width_mm(
    vertebra: NDArray[np.bool_],
    body: NDArray[np.bool_],
    x: NDArray[np.float64],
    centre_mm: float,
    spacing_mm: float,
) -> float:
    """Half the gap between the pedicles' inner walls; the usual where no pedicle is labelled."""
    back = _back_wall(body)
    middle = int(np.median(np.flatnonzero(body.any(axis=(0, 1)))))
    top = int(np.flatnonzero(body.any(axis=(0, 1)))[-1])
    row = max(int(back[middle] - round(4.0 / spacing_mm)), 0)
    section = vertebra[:, row, middle : top + 1].any(axis=1)
    walls = [abs(value - centre_mm) for value in x[section]]
    inner = min((wall for wall in walls if wall > 4.0), default=CANAL_HALF_WIDTH_MM)
    return float(np.clip(inner, 7.0, 15.0))
