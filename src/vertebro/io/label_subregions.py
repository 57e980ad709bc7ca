"""Vertebrae from subregion labels 41–50 alone: which arch belongs to which body.

The numbers tell parts apart, not vertebrae. Bodies are found as separate pieces; each arch joins the
body it touches, each process the arch it touches. Nothing says which level a vertebra is, so that it
stays unnamed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.errors import ReadError
from vertebro.imaging import VolumeGeometry

BODY = (49, 50)
ARCH = 41
PROCESSES = (42, 43, 44, 45, 46, 47, 48)
FIRST_UNNAMED = 101
"""Label of the uppermost vertebra without a name: no convention uses these numbers for vertebrae."""

SMALLEST_BODY_MM3 = 1500.0
"""assumed: half the body of a small cervical vertebra; smaller pieces of body belong to the nearest."""
MAX_BOX_VOXELS = 2**25
"""Largest box around the spine that is worked on (about 1.5 GB of working memory)."""
_NEAR_MM = 3.0
"""Parts are neighbours when they come closer than this (assumed: two voxels of a 1.5 mm grid)."""


def vertebrae_from_subregions(subregions: NDArray[np.generic], geometry: VolumeGeometry) -> NDArray[np.uint8]:
    """Number the vertebrae of a subregion file from cranial to caudal, 101 and up.

    Parameters
    ----------
    subregions : (i, j, k) integer array
        41 arch, 42 spinous process, 43–48 transverse and articular processes, 49 and 50 body.
    geometry : VolumeGeometry

    Returns
    -------
    (i, j, k) uint8 array

    Raises
    ------
    ReadError
        If there is no body among them (``labels.no_body``).
    """
    box = _bounding_box(subregions)
    parts = subregions[box]
    if parts.size > MAX_BOX_VOXELS:
        raise ReadError(
            "labels.too_large",
            got=f"subregion labels over {parts.size} voxels",
            needed=f"at most {MAX_BOX_VOXELS} voxels around the spine",
            remedy="Give the file of vertebra labels beside the subregions, or crop to the spine.",
        )
    numbered = _split_bodies(parts, geometry)
    _join((ARCH,), parts, numbered, geometry)
    _join(PROCESSES, parts, numbered, geometry)
    result = np.zeros(subregions.shape, np.uint8)
    result[box] = numbered
    return result


def _bounding_box(subregions: NDArray[np.generic]) -> tuple[slice, ...]:
    box = []
    for axis in range(3):
        filled = np.flatnonzero(subregions.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(0, 1))
    return tuple(box)


def _split_bodies(parts: NDArray[np.generic], geometry: VolumeGeometry) -> NDArray[np.uint8]:
    """Label of the vertebra for each body voxel."""
    is_body = np.isin(parts, BODY)
    seeds, n_seeds = ndimage.label(parts == BODY[1]) if (parts == BODY[1]).any() else ndimage.label(is_body)
    sizes_mm3 = np.bincount(seeds.ravel(), minlength=1)[1:] * geometry.voxel_volume_mm3
    kept = np.flatnonzero(sizes_mm3 >= SMALLEST_BODY_MM3) + 1
    if not len(kept) and n_seeds:
        kept = np.array([int(np.argmax(sizes_mm3)) + 1])
    if not len(kept) or len(kept) > 40:
        raise ReadError(
            "labels.no_body",
            got=f"subregion labels with {len(kept)} separate vertebral bodies",
            needed="subregions 49 or 50 for at least one body",
            remedy="Give the file of vertebra labels beside the subregions.",
        )
    centres = np.array(ndimage.center_of_mass(seeds > 0, seeds, kept))
    heights_mm = centres @ geometry.lps_from_voxel[2, :3]
    table = np.zeros(n_seeds + 1, np.uint8)
    table[kept[np.argsort(-heights_mm)]] = FIRST_UNNAMED + np.arange(len(kept))
    numbered = table[seeds]
    nearest = ndimage.distance_transform_edt(
        numbered == 0, sampling=geometry.spacing_mm, return_distances=False, return_indices=True
    )
    return np.where(is_body, numbered[tuple(nearest)], 0).astype(np.uint8)


def _join(
    kinds: tuple[int, ...],
    parts: NDArray[np.generic],
    numbered: NDArray[np.uint8],
    geometry: VolumeGeometry,
) -> None:
    """Give each piece of some kinds the number of what it touches most, or lies nearest to, in place."""
    distance_mm, nearest = ndimage.distance_transform_edt(
        numbered == 0, sampling=geometry.spacing_mm, return_indices=True
    )
    owner = numbered[tuple(nearest)]
    for kind in kinds:
        pieces, _ = ndimage.label(parts == kind)
        for index, box in enumerate(ndimage.find_objects(pieces), start=1):
            is_piece = pieces[box] == index
            gaps = distance_mm[box][is_piece]
            is_close = gaps <= max(_NEAR_MM, float(gaps.min()))
            votes = np.bincount(owner[box][is_piece][is_close])
            numbered[box][is_piece] = int(np.argmax(votes))
