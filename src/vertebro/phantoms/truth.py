"""What is known of a phantom because it was made so.

World frame LPS, millimetres; vertebra frame x right, y anterior, z superior. All measures come from the
formulas of :mod:`vertebro.phantoms.body_kernels`, none from voxels, except the volumes that say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import FractureShape, GenantGrade
from vertebro.geometry import apply_affine, apply_direction, compose
from vertebro.geometry.transforms import Affine
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.body import (
    BodyHeights,
    Shape,
    endplate_points,
    huber_plane,
    measure_body,
    surface_height_mm,
)
from vertebro.phantoms.grid import FinalGrid
from vertebro.phantoms.posterior import PedicleShape
from vertebro.phantoms.settings import PhantomSettings
from vertebro.phantoms.spine import PhantomVertebra


@dataclass(frozen=True, eq=False, slots=True)
class PedicleTruth:
    """One pedicle's axis and narrowest place, world frame."""

    isthmus_lps_mm: NDArray[np.float64]
    """Centre of the narrowest cross-section."""
    direction_lps: NDArray[np.float64]
    """Unit vector along the axis, to anterior."""
    width_mm: float
    """Outer width of the narrowest cross-section, across the axis in the body's transverse plane."""
    height_mm: float


@dataclass(frozen=True, eq=False, slots=True)
class CleftTruth:
    """The gas-filled cleft of a level."""

    present: bool
    volume_ml: float
    """Counted on the phantom's grid, half-filled voxels in."""
    centre_lps_mm: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class GapTruth:
    """Slits through a body's surface: width in mm, 0 for none."""

    anterior_wall_mm: float = 0.0
    posterior_wall_mm: float = 0.0
    endplate_mm: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class PlaneTruth:
    """A robust (Huber) plane through an endplate's true surface, world frame."""

    point_lps_mm: NDArray[np.float64]
    normal_lps: NDArray[np.float64]
    """To superior, unit."""


@dataclass(frozen=True, eq=False, slots=True)
class LevelTruth:
    """Everything known of one level."""

    name: str
    label: int
    """VerSe number."""
    lps_from_vertebra: Affine
    """Vertebra frame to world: z bisects the robust endplate planes, origin midway between them at
    half the depth."""
    heights_mm: BodyHeights
    """Along z, mid-sagittal, between the endplates' surfaces: anterior at 95 % and posterior at 5 % of
    ``depth_mm`` from the back wall; middle: median column within ±3 mm and ±8 % of the depth. Where
    a leaning wall cuts such a column, the surfaces are carried on to it."""
    plane_heights_mm: BodyHeights
    """As ``heights_mm``, but anterior and posterior between robust (Huber) planes through the whole
    endplates, which a hollow in the middle pulls together."""
    surface_heights_mm: BodyHeights
    """As ``heights_mm``, but the middle at the very centre."""
    heights_right_mm: BodyHeights
    """As ``heights_mm``, in the sagittal plane half way to the right edge."""
    heights_left_mm: BodyHeights
    unfractured_heights_mm: BodyHeights
    """``heights_mm`` before the fracture."""
    height_loss_percent: float
    """Largest of the three losses against ``unfractured_heights_mm``."""
    genant_grade: GenantGrade
    genant_shape: FractureShape
    fracture_shape: FractureShape
    """As asked for, also where the loss is too small to grade."""
    wedge_angle_deg: float
    """Between the robust endplate planes, sagittal; positive where the front is lower."""
    kyphosis_deg: float | None
    """Upper endplate of the level above against lower endplate of the level below; None at the ends."""
    superior_plane: PlaneTruth
    inferior_plane: PlaneTruth
    depth_mm: float
    """Mid-sagittal, at mid-height; retropulsion and a buckled front wall left out."""
    width_superior_mm: float
    width_inferior_mm: float
    depth_superior_mm: float
    depth_inferior_mm: float
    body_volume_ml: float
    """Counted on the phantom's grid."""
    pedicles: Mapping[str, PedicleTruth]
    """``"right"`` and ``"left"``, the patient's."""
    core_hu: float
    """Mean CT value set for the trabecular core, sclerosis aside."""
    bmd_mg_cc: float
    cleft: CleftTruth
    gaps: GapTruth
    canal_depth_mm: float
    """Front-to-back on the midline at the narrowest, retropulsion taken off."""
    retropulsion_mm: float
    oedema: bool
    shape_vector: Shape
    """The body's formula parameters (:mod:`vertebro.phantoms.body_kernels`)."""
    lps_from_construction: Affine
    """Frame of the formulas to world, as made (before a mirror)."""


@dataclass(frozen=True, eq=False, slots=True)
class PhantomTruth:
    """What is known of a phantom."""

    levels: Mapping[str, LevelTruth]
    """Cranial to caudal."""
    settings: PhantomSettings

    def cobb_deg(self, upper: str, lower: str) -> float:
        """Sagittal angle from the top of ``upper`` to the bottom of ``lower``; positive kyphotic."""
        return _sagittal_angle_deg(self.levels[upper], self.levels[lower])


@dataclass(frozen=True, slots=True)
class VoxelCounts:
    """What only the painted grid can tell of a level."""

    body_volume_ml: float
    cleft_volume_ml: float
    cleft_centre_lps_mm: NDArray[np.float64] | None


def genant_grade(loss_percent: float) -> GenantGrade:
    """Grade by height loss: below 20 normal, to 25 mild, to 40 moderate, above severe.

    Recalled from Genant et al., J Bone Miner Res 1993;8:1137.

    Examples
    --------
    >>> genant_grade(30.0).name
    'MODERATE'
    """
    if loss_percent < 20.0:
        return GenantGrade.NORMAL
    if loss_percent < 25.0:
        return GenantGrade.MILD
    return GenantGrade.MODERATE if loss_percent <= 40.0 else GenantGrade.SEVERE


def make_truth(
    spine: tuple[PhantomVertebra, ...],
    settings: PhantomSettings,
    world: Affine,
    final: FinalGrid,
    counts: Mapping[str, VoxelCounts],
) -> PhantomTruth:
    """Gather the truth of every level.

    Parameters
    ----------
    world : (4, 4)
        LPS from the patient frame.
    final : FinalGrid
        Carries world positions through the mirror.
    counts : mapping of level name to VoxelCounts
    """
    levels = {
        vertebra.name: _level_truth(vertebra, settings, world, final, counts[vertebra.name])
        for vertebra in spine
    }
    names = list(levels)
    for index in range(1, len(names) - 1):
        angle = _sagittal_angle_deg(levels[names[index - 1]], levels[names[index + 1]])
        object.__setattr__(levels[names[index]], "kyphosis_deg", angle)
    return PhantomTruth(levels, settings)


def _level_truth(
    vertebra: PhantomVertebra,
    settings: PhantomSettings,
    world: Affine,
    final: FinalGrid,
    counts: VoxelCounts,
) -> LevelTruth:
    lps_from_body = compose(world, vertebra.patient_from_body)
    now, before = measure_body(vertebra.shape), measure_body(vertebra.whole)
    loss = max(0.0, *_losses_percent(before.heights, now.heights))
    fracture, p = vertebra.fracture, vertebra.shape
    kind = FractureShape(fracture.shape) if fracture is not None else FractureShape.NONE
    grade = genant_grade(loss)
    sides = ("left", "right") if final.is_mirrored else ("right", "left")
    pedicles = {
        side: _pedicle_truth(shape, lps_from_body, final)
        for side, shape in zip(sides, (vertebra.posterior.right, vertebra.posterior.left), strict=True)
    }
    right, left = measure_body(p, 0.5).heights, measure_body(p, -0.5).heights
    if final.is_mirrored:
        right, left = left, right
    upper, lower = _planes(p, lps_from_body, final)
    push = fracture.retropulsion_mm if fracture is not None else 0.0
    return LevelTruth(
        name=vertebra.name,
        label=vertebra.sizes.verse_label,
        lps_from_vertebra=final.frame(compose(lps_from_body, now.construction_from_vertebra)),
        heights_mm=now.heights,
        plane_heights_mm=now.planes,
        surface_heights_mm=now.surfaces,
        heights_right_mm=right,
        heights_left_mm=left,
        unfractured_heights_mm=before.heights,
        height_loss_percent=loss,
        genant_grade=grade,
        genant_shape=kind if grade is not GenantGrade.NORMAL else FractureShape.NONE,
        fracture_shape=kind,
        wedge_angle_deg=now.wedge_angle_deg,
        kyphosis_deg=None,
        superior_plane=upper,
        inferior_plane=lower,
        depth_mm=now.depth_mm,
        width_superior_mm=2.0 * float(p[bk.HALF_WIDTH_SUPERIOR]),
        width_inferior_mm=2.0 * float(p[bk.HALF_WIDTH_INFERIOR]),
        depth_superior_mm=float(p[bk.DEPTH_SUPERIOR]),
        depth_inferior_mm=float(p[bk.DEPTH_INFERIOR]),
        body_volume_ml=counts.body_volume_ml,
        pedicles=dict(sorted(pedicles.items(), reverse=True)),
        core_hu=settings.trabecular_hu,
        bmd_mg_cc=settings.trabecular_bmd_mg_cc,
        cleft=CleftTruth(
            fracture is not None and fracture.cleft,
            counts.cleft_volume_ml,
            None if counts.cleft_centre_lps_mm is None else final.point(counts.cleft_centre_lps_mm),
        ),
        gaps=GapTruth()
        if fracture is None
        else GapTruth(
            fracture.anterior_wall_gap_mm, fracture.posterior_wall_gap_mm, fracture.endplate_gap_mm
        ),
        canal_depth_mm=2.0 * vertebra.posterior.canal_half_depth_mm - push,
        retropulsion_mm=push,
        oedema=fracture is not None and fracture.oedema,
        shape_vector=p,
        lps_from_construction=lps_from_body,
    )


def _losses_percent(before: BodyHeights, now: BodyHeights) -> list[float]:
    return [
        100.0 * (1.0 - getattr(now, name) / getattr(before, name))
        for name in ("anterior", "middle", "posterior")
    ]


def _pedicle_truth(shape: PedicleShape, lps_from_body: Affine, final: FinalGrid) -> PedicleTruth:
    return PedicleTruth(
        final.point(apply_affine(lps_from_body, shape.isthmus)),
        final.point(apply_direction(lps_from_body, shape.direction)),
        shape.width_mm,
        shape.height_mm,
    )


def _planes(p: Shape, lps_from_body: Affine, final: FinalGrid) -> tuple[PlaneTruth, PlaneTruth]:
    x, y, upper, lower = endplate_points(p)
    mid_y = p[bk.BACK_Y] + 0.25 * (p[bk.DEPTH_SUPERIOR] + p[bk.DEPTH_INFERIOR])
    planes = []
    for heights in (upper, lower):
        plane = huber_plane(x, y, heights)
        normal = np.array([-plane[1], -plane[2], 1.0])
        planes.append(
            PlaneTruth(
                final.point(apply_affine(lps_from_body, (0.0, mid_y, plane[0] + plane[2] * mid_y))),
                final.point(apply_direction(lps_from_body, normal / np.linalg.norm(normal))),
            )
        )
    return planes[0], planes[1]


def _sagittal_angle_deg(upper: LevelTruth, lower: LevelTruth) -> float:
    """Angle from the upper level's top to the lower level's bottom plane, in their mean sagittal plane."""
    right = upper.lps_from_vertebra[:3, 0] + lower.lps_from_vertebra[:3, 0]
    right = right / np.linalg.norm(right)
    first, second = (
        normal - right * float(normal @ right)
        for normal in (upper.superior_plane.normal_lps, lower.inferior_plane.normal_lps)
    )
    return float(np.degrees(np.arctan2(float(np.cross(first, second) @ right), float(first @ second))))


def column_height_mm(level: LevelTruth, depth_fraction: float, across_mm: float = 0.0) -> float:
    """Distance between a level's endplate surfaces along the vertebra's z, anywhere.

    Parameters
    ----------
    level : LevelTruth
    depth_fraction : float
        Place along ``level.depth_mm``: 0 at the back wall, 1 at the front wall.
    across_mm : float
        Distance from the mid-sagittal plane, as made: to the right, or to the left in a mirrored phantom.
    """
    measures = measure_body(level.shape_vector)
    frame = measures.construction_from_vertebra
    offset = np.array([across_mm, (depth_fraction - 0.5) * measures.depth_mm, 0.0])
    return surface_height_mm(level.shape_vector, apply_affine(frame, offset), frame[:3, 2])
