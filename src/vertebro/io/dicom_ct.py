"""Assemble a stack of DICOM planes into one CT volume on a rectangular, evenly spaced grid.

Array axes of the result: column index (along the rows), row index (down the columns), slice. The
affine comes from the planes' own positions and directions, so that flipped, reversed and oblique
series end in the same place of the world. Slices are ordered by their projected position.

Where the planes form no rectangular even stack they are put on one:

- *shifted* planes (gantry tilt, or a table that moved sideways): each plane is moved within itself
  by linear interpolation; no plane is mixed with another;
- *missing* planes: gaps up to 10 mm are filled by linear interpolation between the neighbours; of a
  stack with wider gaps only the longest part without one is kept;
- *uneven* spacing: linear interpolation onto the median spacing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import ReadError
from vertebro.findings import Finding, finding
from vertebro.imaging import ImageFacts, Volume, VolumeGeometry
from vertebro.io.dicom_image import DEFLATED, NATIVE_SYNTAXES, Plane
from vertebro.io.dicom_layout import EvenGrid, Layout, arrange, common_normal, even_grid
from vertebro.io.dicom_pixels import PixelReader
from vertebro.io.dicom_series import MIN_SLICES, Stack
from vertebro.io.image_findings import LOWEST_HU, MIN_PADDING_SHARE, padding_finding
from vertebro.io.untrusted import DamagedBytes
from vertebro.progress import Progress

MAX_VOXELS = 2**29
"""Largest volume assembled: 2,048 slices of 512 × 512 (1 GB as int16)."""
PADDING_HU = -500.0
"""A padding value above this, in HU, would punch holes into the body: it is not believed (assumed)."""
MAX_DAMAGED_FRACTION = 0.2
"""A series with a larger share of damaged slices is refused (assumed)."""

_BLOCK = 32
_BLOCK_PIXELS = 2**24
_TILE = 64
HuArray = NDArray[np.int16] | NDArray[np.float32]


@dataclass(slots=True)
class _Tally:
    """What was met while reading pixels."""

    n_padding: int = 0
    """Voxels that hold the header's padding value or less than the lowest HU."""
    lowest_hu: float = 0.0
    """Lowest value met."""
    is_padding_ignored: bool = False
    damaged: list[int] = field(default_factory=list)


def assemble(stack: Stack, progress: Progress) -> Volume:
    """Read the pixels of a stack and make a volume of them.

    Parameters
    ----------
    stack : Stack
    progress : callable

    Returns
    -------
    Volume
        int16 where every rescale is whole and the values fit, else float32. ``facts`` filled from
        the first slice; findings about the stack's geometry and scale.

    Raises
    ------
    ReadError
        If too few planes can be read (``dicom.too_few_slices``, ``dicom.damaged``) or the volume
        would be too large (``dicom.too_large``).
    GeometryError
        If the planes form no stack.
    """
    layout, notes = arrange(stack.planes)
    _require_count(len(layout.planes))
    _require_size(layout)
    hu, tally = _read_planes(layout, progress)
    if tally.damaged:
        notes.append(_damaged_finding(tally, len(layout.planes)))
        keep = np.ones(len(layout.planes), dtype=bool)
        keep[tally.damaged] = False
        layout, hu = layout.selected(keep), hu[:, :, keep]
    grid, gap_notes = even_grid(layout.along_mm)
    if grid.is_interpolated:
        _require_size(layout, len(grid.lower))
        hu = _interpolated(hu, grid)
    notes += gap_notes + _scale_findings(layout.planes, tally, hu.size) + _tilt_findings(layout)
    notes += _frame_findings(layout.planes)
    return Volume(hu, _geometry(layout, grid), _facts(layout, grid), tuple(notes))


# --- checks before reading ---------------------------------------------------------------------


def _require_count(n_slices: int) -> None:
    if n_slices < MIN_SLICES:
        raise ReadError(
            "dicom.too_few_slices",
            got=f"{n_slices} slices at different places",
            needed=f"at least {MIN_SLICES}",
            remedy="Export the whole series again.",
        )


def _require_size(layout: Layout, n_slices: int | None = None) -> None:
    shape = (*layout.plane_shape, n_slices or len(layout.planes))
    if math.prod(shape) > MAX_VOXELS:
        raise ReadError(
            "dicom.too_large",
            got=f"a series of {shape[0]} × {shape[1]} × {shape[2]} voxels",
            needed=f"at most {MAX_VOXELS} voxels",
            remedy="Choose another series, or crop this one to the spine when exporting it.",
        )


# --- pixels ------------------------------------------------------------------------------------


def _read_planes(layout: Layout, progress: Progress) -> tuple[HuArray, _Tally]:
    """All planes in HU, moved sideways where needed; slices that cannot be read are noted."""
    planes = layout.planes
    slot = {(id(plane.image), plane.frame_index): index for index, plane in enumerate(planes)}
    by_image: dict[int, list[Plane]] = {}
    for plane in planes:
        by_image.setdefault(id(plane.image), []).append(plane)
    _require_mostly_whole(sum(_is_cut_short(plane) for plane in planes), len(planes))
    is_whole = all(plane.slope.is_integer() and plane.intercept.is_integer() for plane in planes)
    writer = _Writer(layout, np.dtype(np.int16 if is_whole else np.float32))
    seen: set[int] = set()
    with PixelReader() as reader:
        for wanted in by_image.values():
            try:
                for plane, stored in reader.stored_values(wanted[0].image, wanted):
                    index = slot[(id(plane.image), plane.frame_index)]
                    writer.put(index, _hounsfield(plane, stored, writer.tally))
                    seen.add(index)
                    progress(len(seen) / len(planes), "reading the slices")
            except DamagedBytes:
                continue  # its slices stay unseen and are counted below
    writer.tally.damaged = [index for index in range(len(planes)) if index not in seen]
    _require_mostly_whole(len(writer.tally.damaged), len(planes))
    return writer.finished(), writer.tally


def _is_cut_short(plane: Plane) -> bool:
    """Whether a file is too small for the plane it declares: told before anything is set aside for it."""
    pixels = plane.image.pixels
    if pixels.transfer_syntax not in NATIVE_SYNTAXES or pixels.transfer_syntax == DEFLATED:
        return False
    end = plane.image.pixel_offset + (plane.frame_index + 1) * pixels.frame_bytes
    return end > plane.image.file.size


def _require_mostly_whole(n_damaged: int, n_slices: int) -> None:
    if n_damaged > MAX_DAMAGED_FRACTION * n_slices or n_slices - n_damaged < MIN_SLICES:
        raise ReadError(
            "dicom.damaged",
            got=f"a series of which {n_damaged} of {n_slices} slices are damaged or cannot be decoded",
            needed="complete images",
            remedy="Copy the images again, or ask for the disc or export to be repeated.",
        )


class _Writer:
    """Gathers planes in blocks, so that the volume in C order is written in whole cache lines."""

    def __init__(self, layout: Layout, kind: np.dtype[np.generic]) -> None:
        self.tally = _Tally()
        self._layout = layout
        columns, rows = layout.plane_shape
        self._hu = np.full((columns, rows, len(layout.planes)), LOWEST_HU, kind)
        self._block = np.empty((max(1, min(_BLOCK, _BLOCK_PIXELS // (rows * columns))), rows, columns), kind)
        self._start = self._count = 0

    def put(self, index: int, plane: NDArray[np.generic]) -> None:
        """Add the plane (rows, columns) of slice ``index``."""
        if self._layout.is_shifted:
            plane = _moved(plane, self._layout.shift_px[index], self._layout.plane_shape)
        if self._hu.dtype == np.int16 and plane.size and plane.max() > np.iinfo(np.int16).max:
            self._hu = self._hu.astype(np.float32)
            self._block = self._block.astype(np.float32)
        if self._count and (index != self._start + self._count or self._count == len(self._block)):
            self._flush()
        if not self._count:
            self._start = index
        if self._hu.dtype == np.int16 and plane.dtype.kind == "f":
            plane = np.rint(plane)
        self._block[self._count] = plane
        self._count += 1

    def _flush(self) -> None:
        stop = self._start + self._count
        columns, rows = self._hu.shape[:2]
        for i in range(0, columns, _TILE):  # in tiles that stay in the cache
            for j in range(0, rows, _TILE):
                tile = self._block[: self._count, j : j + _TILE, i : i + _TILE]
                self._hu[i : i + _TILE, j : j + _TILE, self._start : stop] = tile.transpose(2, 1, 0)
        self._count = 0

    def finished(self) -> HuArray:
        """The volume (columns, rows, slices)."""
        self._flush()
        return self._hu


def _hounsfield(plane: Plane, stored: NDArray[np.int32], tally: _Tally) -> NDArray[np.generic]:
    """HU of one plane: rescaled, with what was not measured at −1024."""
    is_whole = plane.slope.is_integer() and plane.intercept.is_integer()
    is_small = plane.image.pixels.bits_stored <= 16 and abs(plane.slope) < 2**12
    values: NDArray[np.int32] | NDArray[np.float64]
    if is_whole and is_small and abs(plane.intercept) < 2**30:
        values = stored * np.int32(plane.slope) + np.int32(plane.intercept)
    else:
        values = stored.astype(np.float64) * plane.slope + plane.intercept
    padding = plane.image.pixels.padding
    is_padding = None
    if padding is not None:
        ends_hu = [end * plane.slope + plane.intercept for end in padding]
        if max(ends_hu) <= PADDING_HU:
            is_padding = (stored >= padding[0]) & (stored <= padding[1])
        else:
            tally.is_padding_ignored = True
    is_empty = values < LOWEST_HU
    if is_padding is not None:
        is_empty |= is_padding
    if is_empty.any():
        tally.n_padding += int(is_empty.sum())
        tally.lowest_hu = min(tally.lowest_hu, float(values.min()))
        values[is_empty] = LOWEST_HU
    return values


def _moved(
    plane: NDArray[np.generic], shift_px: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """A plane (rows, columns) on the larger grid ``shape`` (columns, rows), moved right and down.

    Linear interpolation by the fraction of a pixel; air where the plane does not reach.
    """
    whole = np.floor(shift_px + 1e-6).astype(int)
    fraction = np.clip(shift_px - whole, 0.0, 1.0)
    result = np.full((shape[1] + 1, shape[0] + 1), float(LOWEST_HU), np.float32)
    rows, columns = plane.shape
    result[whole[1] : whole[1] + rows, whole[0] : whole[0] + columns] = plane
    for axis, share in ((0, fraction[1]), (1, fraction[0])):
        if share > 1e-3:
            before = np.roll(result, 1, axis=axis)
            result = ((1.0 - share) * result + share * before).astype(np.float32)
    return result[: shape[1], : shape[0]]


def _interpolated(hu: HuArray, grid: EvenGrid) -> HuArray:
    """The volume at the even places of a grid, in slabs so that little more is held."""
    result = np.empty((*hu.shape[:2], len(grid.lower)), hu.dtype)
    weight = grid.weight.astype(np.float32)
    step = max(1, 2**24 // (hu.shape[1] * len(grid.lower) * 4))
    for first in range(0, hu.shape[0], step):
        slab = hu[first : first + step].astype(np.float32)
        mixed = slab[:, :, grid.lower] * (1.0 - weight) + slab[:, :, grid.upper] * weight
        result[first : first + step] = np.rint(mixed) if hu.dtype == np.int16 else mixed
    return result


# --- geometry, facts, findings -----------------------------------------------------------------


def _geometry(layout: Layout, grid: EvenGrid) -> VolumeGeometry:
    first = layout.planes[0]
    row, column = np.array(first.row_direction_lps), np.array(first.column_direction_lps)
    origin = np.array(first.position_lps_mm)
    if layout.is_shifted:
        origin = origin - layout.shift_px[0, 0] * first.column_spacing_mm * row
        origin = origin - layout.shift_px[0, 1] * first.row_spacing_mm * column
    affine = np.eye(4)
    affine[:3, 0] = row * first.column_spacing_mm
    affine[:3, 1] = column * first.row_spacing_mm
    affine[:3, 2] = common_normal(layout) * grid.spacing_mm
    affine[:3, 3] = origin
    return VolumeGeometry((*layout.plane_shape, len(grid.lower)), affine + 0.0)


def _facts(layout: Layout, grid: EvenGrid) -> ImageFacts:
    first = layout.planes[0]
    uids = tuple(plane.image.facts.sop_instance_uids[0] for plane in layout.planes)
    is_as_stored = not grid.is_interpolated and not layout.is_shifted and all(uids)
    return replace(
        first.image.facts,
        slice_thickness_mm=first.thickness_mm,
        slice_spacing_mm=grid.spacing_mm,
        n_slices=len(grid.lower),
        sop_instance_uids=uids if is_as_stored else (),
        slice_axis=2,
    )


def _damaged_finding(tally: _Tally, n_slices: int) -> Finding:
    count = len(tally.damaged)
    message = f"{count} of {n_slices} slices are damaged and were treated as missing."
    return finding("dicom.damaged_slices", message, evidence={"count": count, "n_slices": n_slices})


def _tilt_findings(layout: Layout) -> list[Finding]:
    """What a gantry tilt, or a tag that claims one, means."""
    said = layout.planes[0].image.facts.gantry_tilt_deg or 0.0
    lean = layout.lean_deg
    if layout.is_shifted and lean >= 0.1:
        message = (
            f"The slices lean by {lean:.1f}° (tilted gantry). They were set straight by moving each slice "
            "within itself; in-plane detail is softened by less than a pixel."
        )
        return [finding("dicom.gantry_tilt", message, evidence={"lean_deg": round(lean, 2), "tag_deg": said})]
    if layout.is_shifted:
        message = "Slices are shifted sideways against each other; each was moved back to its place."
        return [finding("dicom.shifted_slices", message)]
    normal = common_normal(layout)
    if abs(said) >= 1.0 and abs(normal[2]) > math.cos(math.radians(abs(said) / 2.0)):
        message = (
            f"The header tells of a gantry tilt of {said:g}°, but the slices' positions show none. It was "
            "taken as corrected by the scanner."
        )
        return [finding("dicom.tilt_unclear", message, evidence={"tag_deg": said})]
    return []


def _frame_findings(planes: tuple[Plane, ...]) -> list[Finding]:
    """A finding if slices of one series name different frames of reference."""
    count = len({plane.image.facts.frame_of_reference_uid for plane in planes})
    if count < 2:
        return []
    message = (
        f"The slices name {count} different frames of reference; as they form one stack they were taken "
        "as one. The first slice's is kept."
    )
    return [finding("dicom.frames_differ", message, evidence={"count": count})]


def _scale_findings(planes: tuple[Plane, ...], tally: _Tally, n_voxels: int) -> list[Finding]:
    """What padding, rescale and compression mean for the values."""
    notes: list[Finding] = []
    if tally.n_padding > MIN_PADDING_SHARE * n_voxels:
        notes.append(padding_finding(tally.n_padding / n_voxels, tally.lowest_hu))
    if tally.is_padding_ignored:
        message = "The header's padding value would be tissue; it was not believed and nothing was replaced."
        notes.append(finding("image.padding_ignored", message))
    if not all(plane.has_rescale for plane in planes):
        message = "The header gives no rescale to Hounsfield units; stored numbers were taken as they are."
        notes.append(finding("dicom.no_rescale", message))
    kinds = {plane.rescale_type for plane in planes} - {"", "HU", "US"}
    if kinds:
        message = (
            f"The header calls the values {', '.join(sorted(kinds))}, not HU: densities are not comparable."
        )
        notes.append(finding("dicom.not_hounsfield", message))
    if any(plane.image.is_lossy for plane in planes):
        message = (
            "The images were compressed with loss: fine fracture lines may be missing, density is less sure."
        )
        notes.append(finding("dicom.lossy", message))
    bits = min(plane.image.pixels.bits_stored for plane in planes)
    if bits <= 8:
        message = f"The images hold only {2**bits} grey levels: this is a windowed copy, densities are lost."
        notes.append(finding("dicom.few_grey_levels", message, evidence={"bits_stored": bits}))
    return notes
