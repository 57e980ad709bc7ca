"""Pictures of a plan: the X-ray views to work from, and the needle at each step of its placement.

World frame LPS, millimetres; sides are the patient's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.case.plan import Approach, Side
from vertebro.case.view import CArmPose, ViewDose
from vertebro.findings import Finding


class ViewKind(StrEnum):
    """Which view of a level it is."""

    AP = "ap"
    """From behind, square to the level: along its own front-to-back axis."""
    LATERAL = "lateral"
    """From the patient's left, along the level's own axis from side to side."""
    BARREL = "barrel"
    """Looking down a needle: end-on."""


class PlacementStage(StrEnum):
    """The steps in which a needle is placed, each checked in both views before the next."""

    ENTRY = "entry"
    """The tip touches the bone."""
    PEDICLE = "pedicle"
    """The tip is at the pedicle's narrowest section."""
    WALL = "wall"
    """The tip is at the back wall of the body."""
    FINAL = "final"
    """The tip is where the plan wants it."""


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A simulated X-ray picture and where the world falls in it.

    Examples
    --------
    >>> flat = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])
    >>> picture = Picture(np.zeros((9, 9), np.uint8), flat)
    >>> part = picture.cropped((4.0, 5.0), half_px=2)
    >>> picture.project([4.0, 5.0, 0.0]).tolist(), part.project([4.0, 5.0, 0.0]).tolist()
    ([4.0, 5.0], [2.0, 2.0])
    """

    pixels: NDArray[np.uint8]
    """(rows, columns): as displayed; row 0 on top."""
    projection_matrix: NDArray[np.float64]
    """(3, 4): homogeneous (column, row, 1) from homogeneous LPS position."""

    def project(self, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """(..., 2): column and row at which points of the world appear; pixel centres at whole numbers."""
        points = np.asarray(points_lps_mm, dtype=np.float64)
        homogeneous = points @ self.projection_matrix[:, :3].T + self.projection_matrix[:, 3]
        return np.asarray(homogeneous[..., :2] / homogeneous[..., 2:])

    def cropped(self, centre: tuple[float, float], half_px: int) -> Picture:
        """The square of ``2 half_px + 1`` pixels around a column and row, moved inside where it must be."""
        rows, columns = self.pixels.shape
        size = min(2 * half_px + 1, rows, columns)
        left = int(np.clip(round(centre[0]) - half_px, 0, columns - size))
        top = int(np.clip(round(centre[1]) - half_px, 0, rows - size))
        shift = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
        part = np.array(self.pixels[top : top + size, left : left + size])
        return Picture(part, shift @ self.projection_matrix)


@dataclass(frozen=True, eq=False, slots=True)
class PlanView:
    """One view of a level with the recommended needles in it."""

    level: str
    kind: ViewKind
    side: Side | None
    """Of the needle that is looked down; None for the other views."""
    picture: Picture
    pose: CArmPose
    c_arm: str
    pixel_at_isocentre_mm: float
    """What a pixel spans at the isocentre, the middle of the body."""
    orientation: tuple[str, str]
    """Where rows and columns run to in the patient, in DICOM letters: ``("L", "F")`` in AP."""
    tube_voltage_kv: float
    dose: ViewDose
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """``"ap"``, ``"lateral"``, ``"barrel-left"``."""
        return self.kind.value if self.side is None else f"{self.kind.value}-{self.side.value}"


@dataclass(frozen=True, eq=False, slots=True)
class PlacementStep:
    """Where the tip is at one step, and how that is recognised in the two views."""

    stage: PlacementStage
    tip_lps_mm: NDArray[np.float64]
    depth_mm: float
    """From the entry into bone to the tip."""
    lateral_of_medial_border_mm: float | None
    """How far the tip lies to the outer side of the pedicle's inner border in AP; negative once it has
    crossed it; None where the pedicle could not be outlined."""
    before_wall_mm: float
    """How far the tip lies behind the back wall of the body, along the needle; negative inside the body."""
    clock_hour: int | None
    """Where the tip stands on the pedicle as on a clock's face, in AP; None where it is near the middle."""
    ap: Picture | None = None
    lateral: Picture | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Placement:
    """The placement of one recommended needle, step by step."""

    level: str
    side: Side
    steps: tuple[PlacementStep, ...]
    pedicle_ring_lps_mm: NDArray[np.float64] | None
    """(n, 3): closed outline of the pedicle at its narrowest section; None where it could not be drawn."""
    back_wall_lps_mm: NDArray[np.float64] | None
    """(2, 3): lower and upper end of the body's back wall in the middle; None where it was not measured."""
    approach: Approach = Approach.TRANSPEDICULAR


@dataclass(frozen=True, eq=False, slots=True)
class PlanViews:
    """All pictures of a plan: by level, the worst first, and the steps for the worst level."""

    levels: Mapping[str, tuple[PlanView, ...]]
    placements: tuple[Placement, ...] = ()
