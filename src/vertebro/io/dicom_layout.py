"""Where the planes of a stack lie against each other: order, gaps, doubles, sideways shifts.

Everything here is arithmetic on positions; no pixel is touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.findings import Finding, finding
from vertebro.io.dicom_image import Plane
from vertebro.io.dicom_series import SAME_PLACE_MM, heights_mm, normal_of

MAX_FILLED_GAP_MM = 10.0
"""Wider gaps are not filled (assumed: a third of a lumbar body's height; more would invent endplates)."""
EVEN_FRACTION = 0.02
"""Slices within this share of the spacing from their even place count as even (assumed) …"""
EVEN_MM = 0.1
"""… or within this distance, since headers round positions to as little as 0.1 mm."""
SHIFT_PIXELS = 0.1
"""Planes shifted sideways by less are left alone: no measurement here can tell (assumed)."""
MAX_SHIFT_FRACTION = 1.5
"""Planes shifted by more than this share of their own width form no body (assumed)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Planes in the order of their places along the common normal."""

    planes: tuple[Plane, ...]
    along_mm: NDArray[np.float64]
    """(n,) places along the normal, ascending."""
    shift_px: NDArray[np.float64]
    """(n, 2) sideways place of each plane, in columns and rows, from the leftmost and topmost."""

    @property
    def is_shifted(self) -> bool:
        """Whether planes must be moved sideways to stand straight above each other."""
        return bool(self.shift_px.max() > SHIFT_PIXELS)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """(columns, rows) of the grid that holds every plane, shifted or not."""
        pixels = self.planes[0].image.pixels
        if not self.is_shifted:
            return pixels.columns, pixels.rows
        extra = np.ceil(self.shift_px.max(axis=0) - 1e-6).astype(int)
        return pixels.columns + int(extra[0]), pixels.rows + int(extra[1])

    @property
    def lean_deg(self) -> float:
        """Angle between the line through the planes' corners and their common normal."""
        first = self.planes[0]
        spacing = np.array([first.column_spacing_mm, first.row_spacing_mm])
        centred = self.along_mm - self.along_mm.mean()
        drift = (centred @ (self.shift_px * spacing)) / (centred @ centred)
        return math.degrees(math.atan(float(np.hypot(*drift))))

    def selected(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Layout:
        """Only some planes, in the same order, on the same sideways grid."""
        index = np.arange(len(self.planes))[keep]
        planes = tuple(self.planes[i] for i in index)
        return Layout(planes, self.along_mm[index], self.shift_px[index])


@dataclass(frozen=True, slots=True)
class EvenGrid:
    """Even places along the normal, and how each is made from the planes around it."""

    spacing_mm: float
    lower: NDArray[np.intp]
    """(m,) index of the plane at or below each place …"""
    upper: NDArray[np.intp]
    """… and at or above it."""
    weight: NDArray[np.float64]
    """(m,) share of the upper one."""
    is_interpolated: bool
    """Whether any place needed interpolation."""


def arrange(planes: Sequence[Plane]) -> tuple[Layout, list[Finding]]:
    """Order planes by place, keep one of each place, and measure how they stand.

    Parameters
    ----------
    planes : sequence of Plane
        Of one stack: same orientation, size and spacing.

    Returns
    -------
    layout : Layout
        Only the longest run of planes without a gap above :data:`MAX_FILLED_GAP_MM`.
    findings : list of Finding

    Raises
    ------
    GeometryError
        If the planes lie beside rather than behind each other (``dicom.scattered``).
    """
    notes: list[Finding] = []
    along = heights_mm(planes)
    names = [plane.image.facts.sop_instance_uids[0] for plane in planes]
    order = sorted(range(len(planes)), key=lambda i: (along[i], planes[i].instance_number, names[i]))
    kept: list[int] = []
    for i in order:
        if not kept or along[i] - along[kept[-1]] >= SAME_PLACE_MM:
            kept.append(i)
    if len(kept) < len(planes):
        n_doubles = len(planes) - len(kept)
        message = f"{n_doubles} slices lie where another one lies; the first of each place was kept."
        notes.append(finding("dicom.doubled_slices", message, evidence={"count": n_doubles}))
    first, last = _longest_run(along[kept])
    if last - first < len(kept):
        dropped = len(kept) - (last - first)
        message = (
            f"The slices have a gap wider than {MAX_FILLED_GAP_MM:g} mm; the longest part without one was "
            f"read and {dropped} slices beyond it were left out."
        )
        notes.append(finding("dicom.wide_gap", message, evidence={"left_out": dropped}))
    kept = kept[first:last]
    chosen = tuple(planes[i] for i in kept)
    return Layout(chosen, along[kept], _shifts(chosen)), notes


def _longest_run(along_mm: NDArray[np.float64]) -> tuple[int, int]:
    """First and one past the last of the longest run without a wide gap."""
    steps = np.diff(along_mm)
    if not len(steps):
        return 0, len(along_mm)
    is_wide = (steps > MAX_FILLED_GAP_MM + EVEN_MM) & (steps > 1.5 * np.median(steps))
    ends = [0, *(np.flatnonzero(is_wide) + 1).tolist(), len(along_mm)]
    runs = list(pairwise(ends))
    return max(runs, key=lambda run: (along_mm[run[1] - 1] - along_mm[run[0]], run[1] - run[0]))


def _shifts(planes: Sequence[Plane]) -> NDArray[np.float64]:
    """(n, 2) sideways places in columns and rows, the smallest of each being 0."""
    first = planes[0]
    positions = np.array([plane.position_lps_mm for plane in planes])
    axes = np.array([first.row_direction_lps, first.column_direction_lps]).T
    sideways = positions @ axes / np.array([first.column_spacing_mm, first.row_spacing_mm])
    sideways -= sideways.min(axis=0)
    limits = np.array([first.image.pixels.columns, first.image.pixels.rows]) * MAX_SHIFT_FRACTION
    if (sideways.max(axis=0) > limits).any():
        raise GeometryError(
            "dicom.scattered",
            got="slices that lie beside each other instead of behind each other",
            needed="a stack of slices",
            remedy="Choose another series, or export this one again: its positions are damaged.",
        )
    return np.asarray(sideways)


def even_grid(along_mm: NDArray[np.float64]) -> tuple[EvenGrid, list[Finding]]:
    """Even places for planes that may have gaps or uneven distances.

    Parameters
    ----------
    along_mm : (n,) float array, ascending, n ≥ 2

    Returns
    -------
    grid : EvenGrid
    findings : list of Finding

    Examples
    --------
    >>> grid, notes = even_grid(np.array([0.0, 1.0, 3.0]))
    >>> grid.lower.tolist(), grid.upper.tolist(), grid.weight.tolist()
    ([0, 1, 1, 2], [0, 1, 2, 2], [0.0, 0.0, 0.5, 0.0])
    """
    steps = np.diff(along_mm)
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])  # the lower median: a step that occurs
    counts = np.maximum(1, np.rint(steps / usual)).astype(int)
    index = np.concatenate([[0], np.cumsum(counts)])
    spacing = float(along_mm[-1] - along_mm[0]) / int(index[-1])
    residual = float(np.abs(along_mm - along_mm[0] - index * spacing).max())
    tolerance = max(EVEN_MM, EVEN_FRACTION * spacing)
    if residual <= tolerance:
        places = index.astype(np.float64)
        notes = _gap_findings(counts, spacing, len(along_mm))
    else:
        spacing = usual
        places = (along_mm - along_mm[0]) / spacing
        message = (
            f"Slices are unevenly spaced ({steps.min():.2f} to {steps.max():.2f} mm); they were "
            f"interpolated onto an even spacing of {spacing:.2f} mm."
        )
        evidence = {"smallest_mm": round(float(steps.min()), 3), "largest_mm": round(float(steps.max()), 3)}
        notes = [finding("dicom.uneven_spacing", message, evidence=evidence)]
    targets = np.arange(int(np.floor(places[-1] + 1e-6)) + 1, dtype=np.float64)
    lower = np.clip(np.searchsorted(places, targets + 1e-9, side="right") - 1, 0, len(places) - 1)
    upper = np.minimum(lower + 1, len(places) - 1)
    width = np.where(upper > lower, places[upper] - places[lower], 1.0)
    weight = np.clip((targets - places[lower]) / width, 0.0, 1.0)
    weight[weight < 1e-6] = 0.0
    upper = np.where(weight == 0.0, lower, upper)
    is_interpolated = len(targets) != len(places) or bool(weight.any())
    return EvenGrid(spacing, lower, upper, weight, is_interpolated), notes


def _gap_findings(counts: NDArray[np.int_], spacing_mm: float, n_slices: int) -> list[Finding]:
    """A finding if slices are missing between others."""
    n_missing = int((counts - 1).sum())
    if not n_missing:
        return []
    widest = float(counts.max()) * spacing_mm
    where = [int(i) + 1 for i in np.flatnonzero(counts > 1)]
    shown = ", ".join(str(i) for i in where[:5]) + (" …" if len(where) > 5 else "")
    message = (
        f"{n_missing} slices are missing (after slice {shown} of {n_slices}); the gaps, up to {widest:.1f} "
        "mm from slice to slice, were filled by interpolation."
    )
    evidence = {"missing": n_missing, "widest_step_mm": round(widest, 2)}
    return [finding("dicom.missing_slices", message, evidence=evidence)]


def common_normal(layout: Layout) -> NDArray[np.float64]:
    """(3,) the direction in which the planes follow each other."""
    return normal_of(layout.planes[0])
