"""One vertebra lifted out of the scan, on its own axes: what every measurement works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import EndplatePlane, Estimate, Heights
from vertebro.findings import Finding
from vertebro.imaging import VolumeGeometry


@dataclass(frozen=True, eq=False, slots=True)
class LevelAnatomy:
    """A vertebra on an isotropic patch whose array axes run to right, anterior and superior.

    The patch is resampled once from the CT and the labels; all arrays share ``patch.shape``.
    """

    name: str
    label: int
    complete: bool
    """Whether the whole body lies inside the field of view."""
    is_body_only: bool
    """Whether the source labels only bodies (no posterior elements)."""
    lps_from_vertebra: NDArray[np.float64]
    """(4, 4): local frame (right, anterior, superior; mm; origin at the body's centre) to world."""
    patch: VolumeGeometry
    """Isotropic grid; its axes are the local frame's axes."""
    hu: NDArray[np.float32]
    """CT on the patch; −1024 outside the scan."""
    vertebra: NDArray[np.bool_]
    """The label's mask on the patch."""
    body: NDArray[np.bool_]
    """The vertebral body on the patch, internal gas filled in."""
    other_bone: NDArray[np.bool_]
    """Other labelled levels on the patch."""
    superior_endplate: EndplatePlane | None
    inferior_endplate: EndplatePlane | None
    height_lines_lps_mm: Mapping[str, NDArray[np.float64]]
    heights_mm: Heights
    heights_right_mm: Heights
    heights_left_mm: Heights
    depth_mm: Estimate
    """Front-to-back depth of the body at mid-height, mid-sagittal."""
    findings: tuple[Finding, ...] = ()
    source_spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Voxel size of CT and labels (the coarser) seen along right, anterior and superior."""
