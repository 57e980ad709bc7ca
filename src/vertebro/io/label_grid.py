"""Whole-number label arrays: checked, counted and located, before anyone gives them a meaning.

World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.errors import ReadError
from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry

LabelArray = NDArray[np.uint8] | NDArray[np.int16]

MAX_GRID_VOXELS = 2**29
"""Largest label grid (as for a CT: 512 × 512 × 2048 voxels)."""
MAX_LABEL = 32767
MAX_DISTINCT = 400
"""assumed: no label file has more structures; an image taken for labels has thousands of values."""
_SAMPLED_VOXELS = 2_000_000
_SLAB = 32


@dataclass(frozen=True, slots=True)
class LabelRegion:
    """Where one label value lies."""

    value: int
    n_voxels: int
    start: tuple[int, int, int]
    stop: tuple[int, int, int]
    centre_lps_mm: tuple[float, float, float]

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Index of the bounding box."""
        return (
            slice(self.start[0], self.stop[0]),
            slice(self.start[1], self.stop[1]),
            slice(self.start[2], self.stop[2]),
        )

    def is_at_border(self, shape: tuple[int, int, int]) -> bool:
        """Whether the region touches the edge of its grid."""
        return any(a == 0 for a in self.start) or any(b == n for b, n in zip(self.stop, shape, strict=True))


def whole_numbers(array: NDArray[np.generic], name: str) -> LabelArray:
    """The array as uint8 or int16 labels, or the reason why it is none.

    Parameters
    ----------
    array : (i, j, k) array of any real type
    name : str
        File name, for the message.

    Raises
    ------
    ReadError
        For values that are no whole numbers (``labels.not_whole``), negative (``labels.negative``),
        too large or too many (``labels.not_labels``), or all zero (``labels.empty``).

    Examples
    --------
    >>> whole_numbers(np.full((2, 2, 2), 20.0), "l1.nii").dtype.name
    'uint8'
    """
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise _not_labels(name, "values that are not numbers")
    if low < 0:
        raise ReadError(
            "labels.negative",
            got=f"negative values (down to {float(low):g}) in {name!r}; it looks like an image, not labels",
            needed="a label file: 0 for background and one whole number for each vertebra",
            remedy="Give the file that holds the labels; the CT itself goes in as the CT.",
        )
    if high > MAX_LABEL:
        raise _not_labels(name, f"values up to {float(high):g}")
    if array.dtype.kind == "f":
        for first in range(0, array.shape[0], _SLAB):
            slab = array[first : first + _SLAB]
            if not np.array_equal(slab, np.round(slab)):
                raise ReadError(
                    "labels.not_whole",
                    got=f"values between whole numbers in {name!r} (probabilities, or a resampled mask)",
                    needed="one whole number for each vertebra",
                    remedy="Export the labels themselves, or resample them with nearest-neighbour.",
                )
    if high == 0:
        raise ReadError(
            "labels.empty",
            got=f"a label file without a single label ({name!r})",
            needed="at least one labelled vertebra",
            remedy="Check that the segmentation found the spine and that the right file was given.",
        )
    labels: LabelArray
    if high <= 255:
        labels = np.ascontiguousarray(array, dtype=np.uint8)
    else:
        labels = np.ascontiguousarray(array, dtype=np.int16)
    n_distinct = int(np.count_nonzero(count_values(labels)[1:]))
    if n_distinct > MAX_DISTINCT:
        raise _not_labels(name, f"{n_distinct} different values")
    return labels


def _not_labels(name: str, what: str) -> ReadError:
    return ReadError(
        "labels.not_labels",
        got=f"{what} in {name!r}; it looks like an image, not labels",
        needed="a label file: 0 for background and one whole number for each vertebra",
        remedy="Give the file that holds the labels; the CT itself goes in as the CT.",
    )


def count_values(labels: LabelArray) -> NDArray[np.int64]:
    """How many voxels each value from 0 up has.

    Notes
    -----
    Counted slab by slab: counting at once would take eight times the labels' memory.

    Examples
    --------
    >>> count_values(np.array([[[0, 2, 2]]], np.uint8)).tolist()
    [1, 0, 2]
    """
    counts = np.zeros(int(labels.max()) + 1, np.int64)
    for first in range(0, labels.shape[0], _SLAB):
        counts += np.bincount(labels[first : first + _SLAB].ravel(), minlength=len(counts))
    return counts


def find_regions(labels: LabelArray, geometry: VolumeGeometry) -> Mapping[int, LabelRegion]:
    """Every label value that occurs, with its size and place.

    Parameters
    ----------
    labels : (i, j, k) uint8 or int16 array
    geometry : VolumeGeometry

    Returns
    -------
    mapping of value to LabelRegion, by rising value

    Notes
    -----
    Centres of very large regions are taken from a regular sample of their voxels.

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((3, 3, 3), (1.0, 1.0, 2.0))
    >>> cube = np.zeros((3, 3, 3), np.uint8)
    >>> cube[1, 1, 1] = 7
    >>> find_regions(cube, grid)[7].centre_lps_mm
    (1.0, 1.0, 2.0)
    """
    counts = count_values(labels)
    regions: dict[int, LabelRegion] = {}
    for index, box in enumerate(ndimage.find_objects(labels)):
        if box is None:
            continue
        value = index + 1
        start = (box[0].start, box[1].start, box[2].start)
        stop = (box[0].stop, box[1].stop, box[2].stop)
        size = np.prod([float(b - a) for a, b in zip(start, stop, strict=True)])
        step = max(1, round((size / _SAMPLED_VOXELS) ** (1 / 3)))
        inside = np.argwhere(labels[box][::step, ::step, ::step] == value)
        middle = inside.mean(axis=0) * step if len(inside) else (np.array(stop) - start - 1) / 2.0
        centre = apply_affine(geometry.lps_from_voxel, middle + start)
        regions[value] = LabelRegion(
            value, int(counts[value]), start, stop, (float(centre[0]), float(centre[1]), float(centre[2]))
        )
    return regions


def keep_values(labels: LabelArray, values: Iterable[int]) -> LabelArray:
    """The labels with every other value set to background; the same array where nothing changes.

    Examples
    --------
    >>> keep_values(np.array([[[0, 1, 2]]], np.uint8), [2]).tolist()
    [[[0, 0, 2]]]
    """
    table = np.zeros(max(int(labels.max()), 255) + 1, dtype=labels.dtype)
    kept = [value for value in values if value < len(table)]
    table[kept] = kept
    present = np.flatnonzero(count_values(labels))
    if np.array_equal(table[present], present):
        return labels
    return table[labels]
