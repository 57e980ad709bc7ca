"""Where a phantom's voxels lie, and its mirror image and axis orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine, compose, invert_affine, rotation_about_axis, translation
from vertebro.geometry.transforms import Affine
from vertebro.imaging import VolumeGeometry
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.settings import PhantomSettings
from vertebro.phantoms.spine import PhantomVertebra

_WORLD_CENTRE_LPS_MM = (0.0, 12.5, -310.0)
"""Where the middle of the run stands: not at the world's origin, as in no real scan."""
_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
_SPINE_FIELD_MM = (130.0, 150.0)
_SWAP_SIDES = {43: 44, 44: 43, 45: 46, 46: 45, 47: 48, 48: 47}


@dataclass(frozen=True, slots=True)
class Trunk:
    """The trunk's elliptic outline in the patient frame, mm."""

    half_width_mm: float
    half_depth_mm: float
    centre_y_mm: float
    back_y_mm: float


def make_trunk(settings: PhantomSettings) -> Trunk:
    """The trunk's outline: its back stands behind the longest spinous processes."""
    half_width = 0.5 * settings.trunk_width_mm
    half_depth = 0.36 * settings.trunk_width_mm
    back = -86.0 * settings.body_scale - 0.85 * settings.fat_mm
    return Trunk(half_width, half_depth, back + half_depth, back)


def lps_from_patient(settings: PhantomSettings) -> Affine:
    """World from the patient frame (x right, y anterior, z superior)."""
    return compose(
        translation(_WORLD_CENTRE_LPS_MM),
        make_turn(settings.patient_rotation_deg),
        np.diag([-1.0, -1.0, 1.0, 1.0]),
    )


def make_turn(angles_deg: tuple[float, float, float]) -> Affine:
    """Rotation about the world's axes to left, posterior and superior, in that order."""
    turn = np.eye(4)
    for axis, angle in zip(np.eye(3), angles_deg, strict=True):
        turn = compose(rotation_about_axis(axis, np.radians(angle)), turn)
    return turn


def make_grid(settings: PhantomSettings, spine: tuple[PhantomVertebra, ...], trunk: Trunk) -> VolumeGeometry:
    """The grid in its canonical order: axes to left, posterior and superior, before mirror and reordering."""
    corners = []
    for vertebra in spine:
        p = vertebra.shape
        for y in (p[bk.BACK_Y], p[bk.BACK_Y] + p[bk.DEPTH_INFERIOR]):
            for level, slope in ((bk.Z_SUPERIOR, bk.SLOPE_SUPERIOR), (bk.Z_INFERIOR, bk.SLOPE_INFERIOR)):
                corners.append(apply_affine(vertebra.patient_from_body, (0.0, y, p[level] + p[slope] * y)))
    turn = make_turn(settings.grid_rotation_deg)
    world = lps_from_patient(settings)
    grid_from_patient = compose(invert_affine(turn), world)
    along = apply_affine(grid_from_patient, np.array(corners))[:, 2]
    width, depth, shift = _field(settings, trunk)
    centre = apply_affine(grid_from_patient, (0.0, shift, 0.0))
    lower = np.array([centre[0] - 0.5 * width, centre[1] - 0.5 * depth, along.min() - settings.margin_mm])
    upper = np.array([centre[0] + 0.5 * width, centre[1] + 0.5 * depth, along.max() + settings.margin_mm])
    spacing = np.array(settings.spacing_mm)
    shape = np.maximum(np.round((upper - lower) / spacing).astype(int), 4)
    first = 0.5 * (lower + upper) - 0.5 * (shape - 1) * spacing
    affine = turn @ compose(translation(first), np.diag([*spacing, 1.0]))
    return VolumeGeometry((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _field(settings: PhantomSettings, trunk: Trunk) -> tuple[float, float, float]:
    """Width, depth and the patient y of the field's centre."""
    if settings.field_of_view_mm is not None:
        return (*settings.field_of_view_mm, -18.0)
    if not settings.with_soft_tissue:
        return (*_SPINE_FIELD_MM, -18.0)
    behind = 45.0 if settings.with_table else 10.0
    depth = 2.0 * trunk.half_depth_mm + behind + 10.0
    return 2.0 * trunk.half_width_mm + 24.0, depth, trunk.centre_y_mm - 0.5 * (behind - 10.0)


@dataclass(frozen=True, eq=False, slots=True)
class FinalGrid:
    """The grid as asked for, and how arrays and world positions of the canonical one get there."""

    geometry: VolumeGeometry
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    is_mirrored: bool

    def array(self, canonical: NDArray[np.generic]) -> NDArray[np.generic]:
        """A canonical array in the final axis order."""
        flipped = np.flip(canonical, axis=tuple(axis for axis in range(3) if self.flips[axis]))
        return np.ascontiguousarray(flipped.transpose(self.order))

    def subregions(self, canonical: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Subregion numbers in the final order, sides exchanged where mirrored."""
        result = np.asarray(self.array(canonical), dtype=np.uint8)
        if not self.is_mirrored:
            return result
        table = np.arange(256, dtype=np.uint8)
        for old, new in _SWAP_SIDES.items():
            table[old] = new
        return table[result]

    def frame(self, lps_from_local: Affine) -> Affine:
        """A local frame (right, anterior, superior) after the mirror; stays right-handed."""
        return compose(_MIRROR, lps_from_local, _MIRROR) if self.is_mirrored else lps_from_local

    def point(self, point_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """A world position or direction after the mirror."""
        return np.asarray(point_lps_mm * (-1.0, 1.0, 1.0)) if self.is_mirrored else point_lps_mm


def finish_grid(canonical: VolumeGeometry, settings: PhantomSettings) -> FinalGrid:
    """Mirror and reorder the canonical grid.

    The mirror image is taken about the world's plane x = 0; its first axis is flipped so that the axis
    order stays as asked for.
    """
    letters = {
        "L": (0, False),
        "R": (0, True),
        "P": (1, False),
        "A": (1, True),
        "S": (2, False),
        "I": (2, True),
    }
    order = tuple(letters[code][0] for code in settings.axis_codes)
    flips = [False, False, False]
    for code in settings.axis_codes:
        axis, is_flipped = letters[code]
        flips[axis] = is_flipped
    affine = canonical.lps_from_voxel.copy()
    if settings.mirror:
        affine = _MIRROR @ affine
        flips[0] = not flips[0]
    for axis in range(3):
        if flips[axis]:
            affine[:3, 3] += affine[:3, axis] * (canonical.shape[axis] - 1)
            affine[:3, axis] *= -1.0
    final = np.eye(4)
    final[:3, :3] = affine[:3, list(order)]
    final[:3, 3] = affine[:3, 3]
    shape = (canonical.shape[order[0]], canonical.shape[order[1]], canonical.shape[order[2]])
    return FinalGrid(
        VolumeGeometry(shape, final + 0.0),
        (order[0], order[1], order[2]),
        (flips[0], flips[1], flips[2]),
        settings.mirror,
    )
