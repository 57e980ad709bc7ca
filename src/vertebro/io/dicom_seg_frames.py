"""The frames of a DICOM segmentation: where each lies, the grid that holds them, and their pixels.

World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.imaging import VolumeGeometry
from vertebro.io.dicom_image import PixelFormat
from vertebro.io.dicom_pixels import PixelReader
from vertebro.io.dicom_values import first_item, items, number, numbers, text, whole
from vertebro.io.label_grid import MAX_GRID_VOXELS
from vertebro.io.untrusted import DamagedBytes

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_FRAMES = 100_000
MAX_DECODED_PIXELS = 2**31
"""Compressed segmentations that unpack to more are refused."""
GRID_TOLERANCE = 0.05
"""Frames may lie this share of the spacing off the regular grid (assumed; rounding in headers)."""
HALF = 0.5
"""A fractional segmentation counts where at least this much of a voxel is taken."""


@dataclass(frozen=True, slots=True)
class Frames:
    """All frames of a file: which segment each shows, and where it lies."""

    segment: tuple[int, ...]
    """Segment number of each frame; 0 in a label map, whose pixels hold the numbers."""
    position_lps_mm: NDArray[np.float64]
    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    """Between rows, between columns."""
    slice_spacing_mm: float | None
    rows: int
    columns: int


def read_frames(dataset: Dataset) -> Frames:
    """What the functional groups say of every frame.

    Raises
    ------
    DamagedBytes
        If descriptions are missing, or differ where a grid needs them equal.
    """
    rows, columns = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    n_frames = whole(dataset, "NumberOfFrames", 1)
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = first_item(dataset, "SharedFunctionalGroupsSequence")
    if not (1 <= rows <= 2**14 and 1 <= columns <= 2**14 and 1 <= n_frames <= MAX_FRAMES):
        raise DamagedBytes(f"{n_frames} frames of {columns} × {rows} pixels")
    if len(per_frame) != n_frames:
        raise DamagedBytes(f"{n_frames} frames but {len(per_frame)} descriptions of frames")
    is_map = text(dataset, "SegmentationType").upper() == "LABELMAP"
    numbers_, positions, orientations, measures = [], [], set(), set()
    for own in per_frame:
        segment = _group(own, shared, "SegmentIdentificationSequence")
        numbers_.append(0 if segment is None else whole(segment, "ReferencedSegmentNumber", 0))
        place = numbers(_require(own, shared, "PlanePositionSequence"), "ImagePositionPatient", 3)
        turn = numbers(_require(own, shared, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)
        size = _require(own, shared, "PixelMeasuresSequence")
        spacing = numbers(size, "PixelSpacing", 2)
        if place is None or turn is None or spacing is None:
            raise DamagedBytes("frames without position, orientation or pixel size")
        positions.append(place)
        orientations.add(tuple(round(x, 5) for x in turn))
        between = number(size, "SpacingBetweenSlices") or number(size, "SliceThickness")
        measures.add((*(round(x, 6) for x in spacing), between))
    if len(orientations) != 1 or len(measures) != 1:
        raise DamagedBytes("frames of different orientation or pixel size")
    if not is_map and 0 in numbers_:
        raise DamagedBytes("frames that belong to no segment")
    turn_array = np.array(next(iter(orientations)))
    row_spacing, column_spacing, between = next(iter(measures))
    return Frames(
        segment=tuple(numbers_),
        position_lps_mm=np.array(positions),
        row_direction=_unit(turn_array[:3]),
        column_direction=_unit(turn_array[3:]),
        spacing_mm=(float(row_spacing or 0.0), float(column_spacing or 0.0)),
        slice_spacing_mm=between if between is not None and between > 0.0 else None,
        rows=rows,
        columns=columns,
    )


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    if not 0.9 < length < 1.1:
        raise DamagedBytes("an orientation that is no direction")
    return vector / length


def _group(own: Dataset, shared: Dataset | None, keyword: str) -> Dataset | None:
    """A functional group of a frame: its own, or the one that all frames share."""
    return first_item(own, keyword) or first_item(shared, keyword)


def _require(own: Dataset, shared: Dataset | None, keyword: str) -> Dataset:
    group = _group(own, shared, keyword)
    if group is None:
        raise DamagedBytes(f"frames without {keyword}")
    return group


def regular_grid(frames: Frames) -> tuple[VolumeGeometry, NDArray[np.int64]]:
    """The regular grid that holds all frames, and the slice of each frame in it.

    Raises
    ------
    GeometryError
        If there is no such grid of sensible size (``labels.seg_grid``).
    """
    normal = np.cross(frames.row_direction, frames.column_direction)
    along_mm = frames.position_lps_mm @ normal
    levels = np.unique(np.round(along_mm, 3))
    gaps = np.diff(levels)
    gaps = gaps[gaps > 0.01]
    stated = frames.slice_spacing_mm
    if stated is not None and _are_multiples(gaps, stated):
        spacing_mm = stated
    else:  # a grid finer than most gaps would be made of holes
        spacing_mm = float(np.median(gaps)) if len(gaps) else 1.0
    steps = (along_mm - levels[0]) / spacing_mm
    slices = np.round(steps).astype(np.int64) if np.abs(steps).max() < 2**20 else np.zeros(1, np.int64)
    n_slices = int(slices.max()) + 1
    start = int(np.argmin(along_mm))
    origin = frames.position_lps_mm[start]
    drift_mm = frames.position_lps_mm - origin - np.outer((along_mm - along_mm[start]), normal)
    off_grid = float(np.abs(steps - slices).max()) if len(slices) == len(steps) else 1.0
    too_large = float(n_slices) * frames.rows * frames.columns > MAX_GRID_VOXELS
    if (
        off_grid > GRID_TOLERANCE
        or np.abs(drift_mm).max() > GRID_TOLERANCE * max(frames.spacing_mm)
        or too_large
    ):
        raise GeometryError(
            "labels.seg_grid",
            got=f"a segmentation whose {len(levels)} slice positions form no regular grid of sensible size",
            needed="parallel, evenly spaced slices",
            remedy="Resample the segmentation to a regular grid and export it again.",
        )
    affine = np.eye(4)
    affine[:3, 0] = frames.row_direction * frames.spacing_mm[1]
    affine[:3, 1] = frames.column_direction * frames.spacing_mm[0]
    affine[:3, 2] = normal * spacing_mm
    affine[:3, 3] = origin
    return VolumeGeometry((frames.columns, frames.rows, n_slices), affine), slices


def _are_multiples(gaps: NDArray[np.float64], spacing_mm: float) -> bool:
    if not len(gaps):
        return True
    ratios = gaps / spacing_mm
    return bool(np.all(np.abs(ratios - np.round(ratios)) < GRID_TOLERANCE) and ratios.min() > 0.5)


# --- pixels ------------------------------------------------------------------------------------


def fill_labels(
    dataset: Dataset,
    frames: Frames,
    slices: NDArray[np.int64],
    values: Mapping[int, int],
    shape: tuple[int, int, int],
) -> tuple[NDArray[np.uint8], int]:
    """Labels on the grid, and how many voxels two vertebrae claimed.

    Parameters
    ----------
    dataset : Dataset
        With its pixel data.
    frames : Frames
    slices : (n_frames,) int array
        Slice of the grid that each frame is.
    values : mapping of segment number to label value
        Segments left out here are passed over.
    shape : (columns, rows, slices)

    Raises
    ------
    DamagedBytes
        If there are fewer pixels than declared.
    """
    labels = np.zeros(shape, np.uint8)
    kind = text(dataset, "SegmentationType").upper()
    full = number(dataset, "MaximumFractionalValue") or 255.0
    strength = np.zeros(shape, np.uint8) if kind == "FRACTIONAL" else None
    n_overlapping = 0
    for index, pixels in enumerate(_pixels(dataset, frames)):
        k = int(slices[index])
        if kind == "LABELMAP":
            table = np.zeros(int(pixels.max()) + 1, np.uint8)
            for segment, value in values.items():
                if segment < len(table):
                    table[segment] = value
            labels[:, :, k] = table[pixels].T
            continue
        value = values.get(frames.segment[index], 0)
        if not value:
            continue
        plane = labels[:, :, k]
        if strength is None:
            mask = pixels.T > 0
            taken = mask & (plane > 0) & (plane != value)
            n_overlapping += int(taken.sum())
            plane[mask & ~taken] = value
        else:
            amount = pixels.T.astype(np.uint8)
            stronger = (amount >= HALF * full) & (amount > strength[:, :, k])
            plane[stronger] = value
            strength[:, :, k][stronger] = amount[stronger]
    return labels, n_overlapping


def _pixels(dataset: Dataset, frames: Frames) -> Iterator[NDArray[Any]]:
    """Each frame as a (rows, columns) array."""
    bits = whole(dataset, "BitsAllocated", 0)
    meta = getattr(dataset, "file_meta", None)
    syntax = text(meta, "TransferSyntaxUID") if meta is not None else ""
    is_native = syntax in ("", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99")
    n_pixels = frames.rows * frames.columns
    n_frames = len(frames.segment)
    if bits not in (1, 8, 16) or whole(dataset, "SamplesPerPixel", 1) != 1:
        raise DamagedBytes(f"pixels of {bits} bits")
    if not is_native:
        if n_frames * n_pixels > MAX_DECODED_PIXELS:
            raise DamagedBytes("more compressed pixels than any scan has")
        pixels = PixelFormat(
            transfer_syntax=syntax,
            rows=frames.rows,
            columns=frames.columns,
            bits_allocated=bits,
            bits_stored=bits,
            high_bit=bits - 1,
            is_signed=False,
            samples=1,
            photometric="MONOCHROME2",
            n_frames=n_frames,
            is_big_endian=False,
            padding=None,
        )
        with PixelReader() as reader:
            yield from reader.decoded(pixels, dataset.PixelData)
        return
    content = dataset.PixelData
    if len(content) * 8 < n_frames * n_pixels * bits:
        raise DamagedBytes("pixel data that break off")
    if bits > 1:
        array = np.frombuffer(content, "<u1" if bits == 8 else "<u2", count=n_frames * n_pixels)
        yield from array.reshape(n_frames, frames.rows, frames.columns)
        return
    packed = np.frombuffer(content, np.uint8)
    for index in range(n_frames):
        first, last = index * n_pixels, (index + 1) * n_pixels
        window = np.unpackbits(packed[first // 8 : math.ceil(last / 8)], bitorder="little")
        skip = first - 8 * (first // 8)
        yield window[skip : skip + n_pixels].reshape(frames.rows, frames.columns)
