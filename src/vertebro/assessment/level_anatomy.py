"""From labels to anatomies: each level lifted once onto its own axes and measured there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.body_split import RoughBody, rough_body
from vertebro.assessment.completeness import Completeness, border_points, completeness_of
from vertebro.assessment.endplates import LocalPlane
from vertebro.assessment.frame import (
    WORLD_ANTERIOR_LPS,
    LiftedBody,
    LocalFrame,
    body_on,
    find_frame,
    spine_tangents,
)
from vertebro.assessment.heights import SagittalReading, missing_heights, read_sagittal
from vertebro.assessment.settings import AssessmentSettings
from vertebro.assessment.tissue_regions import source_spacing_along_axes
from vertebro.case import EndplatePlane, Estimate, Finding, finding, level_order
from vertebro.geometry import apply_affine, apply_direction
from vertebro.imaging import LabelVolume, Volume, VolumeGeometry
from vertebro.imaging.lift import MaskCrop, crop_mask, hu_on, nearest_on, patch_grid

BODY_SUBREGIONS = (49, 50)
"""Numbers of the body's parts among subregion labels 41–50."""
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False, slots=True)
class LevelSeed:
    """A label before it is lifted: its mask and a first guess of its body."""

    name: str
    label: int
    box: Box
    crop: MaskCrop
    body_crop: MaskCrop | None
    rough: RoughBody


@dataclass(frozen=True, eq=False, slots=True)
class MeasuredLevel:
    """A level's anatomy with what later steps need beside it."""

    anatomy: LevelAnatomy
    seed: LevelSeed
    lifted: LiftedBody
    first_mm: NDArray[np.float64]
    """Local position of the patch's first voxel."""


@dataclass(frozen=True, eq=False, slots=True)
class _Placed:
    """A level on its patch, before it is read."""

    seed: LevelSeed
    frame: LocalFrame
    patch: VolumeGeometry
    lifted: LiftedBody
    whole: Completeness
    spacing_mm: tuple[float, float, float]


def find_seeds(
    labels: LabelVolume, wanted: dict[int, str], settings: AssessmentSettings
) -> tuple[list[LevelSeed], list[Finding]]:
    """Seeds of the wanted labels, cranial to caudal, and findings about labels without a body."""
    boxes = ndimage.find_objects(np.maximum(labels.labels, 0)) if wanted else []
    seeds: list[LevelSeed] = []
    findings: list[Finding] = []
    for label, name in wanted.items():
        box = boxes[label - 1] if 0 < label <= len(boxes) else None
        seed = None if box is None else _seed(labels, label, name, box, settings)
        if seed is None:
            findings.append(
                finding(
                    "assess.no_body",
                    f"The label of {name} holds nothing like a vertebral body; the level was not assessed.",
                    where=name,
                )
            )
        else:
            seeds.append(seed)
    seeds.sort(key=lambda seed: -float(seed.rough.centre_lps_mm[2]))
    known = [level_order(seed.name) for seed in seeds]
    if len(set(known)) == len(known):
        in_order = sorted(seeds, key=lambda seed: level_order(seed.name))
        if [seed.name for seed in in_order] != [seed.name for seed in seeds]:
            findings.append(
                finding(
                    "assess.order",
                    "The levels' names do not run from top to bottom in the image; names were kept as given.",
                )
            )
    return seeds, findings


def _seed(
    labels: LabelVolume, label: int, name: str, box: Box, settings: AssessmentSettings
) -> LevelSeed | None:
    crop = crop_mask(labels.labels, label, box, labels.geometry)
    if crop.mask.sum() * labels.geometry.voxel_volume_mm3 < 1000.0 * settings.min_body_volume_ml:
        return None
    body_crop = None
    if labels.subregions is not None and settings.use_subregions:
        of_body = np.isin(labels.subregions[box], BODY_SUBREGIONS) & (labels.labels[box] == label)
        if of_body.sum() * labels.geometry.voxel_volume_mm3 >= 1000.0 * settings.min_body_volume_ml:
            border = (crop.mask.shape[0] - of_body.shape[0]) // 2
            body_crop = MaskCrop(np.pad(of_body, border), crop.geometry)
    rough = rough_body(crop, WORLD_ANTERIOR_LPS)
    if rough is None or rough.radius_mm <= 0.0:
        return None
    return LevelSeed(name, label, box, crop, body_crop, rough)


def measure_level(
    seed: LevelSeed,
    tangent_lps: NDArray[np.float64],
    volume: Volume,
    labels: LabelVolume,
    settings: AssessmentSettings,
) -> MeasuredLevel | None:
    """Lift one level and measure it; None where no body can be made out."""
    frame = find_frame(seed.crop, seed.rough, tangent_lps, settings, seed.body_crop)
    if frame is None:
        return None
    pose = frame.lps_from_vertebra
    patch = _patch(frame, volume, labels.geometry, settings)
    lifted = body_on(seed.crop, patch, pose, settings, seed.body_crop)
    if lifted is None:
        return None
    first_mm = -apply_affine(patch.voxel_from_lps, pose[:3, 3]) * patch.spacing_mm[0]
    height = float(np.nanmedian(lifted.surfaces.top_mm - lifted.surfaces.bottom_mm))
    volume_ml = float(lifted.split.body.sum()) * patch.voxel_volume_mm3 / 1000.0
    if height < settings.min_body_height_mm or volume_ml < settings.min_body_volume_ml:
        return None
    spacing = _source_spacing(volume.geometry, labels.geometry, pose)
    border = border_points(seed.crop, (labels.geometry, volume.geometry))
    whole = completeness_of(lifted.split.body, lifted.surfaces, patch, border, pose)
    placed = _Placed(seed, frame, patch, lifted, whole, spacing)
    anatomy = _anatomy(placed, volume, labels, settings)
    return MeasuredLevel(anatomy, seed, lifted, first_mm)


def _patch(
    frame: LocalFrame, volume: Volume, label_grid: VolumeGeometry, settings: AssessmentSettings
) -> VolumeGeometry:
    finest = min(*volume.spacing_mm, *label_grid.spacing_mm)
    step = float(np.clip(finest, settings.patch_spacing_min_mm, settings.patch_spacing_max_mm))
    margin = settings.patch_margin_mm
    lower = frame.lower_mm - np.array([margin, settings.patch_posterior_margin_mm, margin])
    return patch_grid(frame.lps_from_vertebra, lower, frame.upper_mm + margin, step)


def _source_spacing(
    ct_grid: VolumeGeometry, label_grid: VolumeGeometry, pose: NDArray[np.float64]
) -> tuple[float, float, float]:
    ct, label = source_spacing_along_axes(ct_grid, pose), source_spacing_along_axes(label_grid, pose)
    return (max(ct[0], label[0]), max(ct[1], label[1]), max(ct[2], label[2]))


def _anatomy(
    placed: _Placed, volume: Volume, labels: LabelVolume, settings: AssessmentSettings
) -> LevelAnatomy:
    seed, patch, lifted, whole = placed.seed, placed.patch, placed.lifted, placed.whole
    pose = placed.frame.lps_from_vertebra
    complete = whole.cut_area_mm2 <= settings.cut_area_mm2
    readings = _readings(lifted, whole, placed.spacing_mm[2], settings)
    middle, right, left = readings
    reason = _why_missing(whole)
    others = nearest_on(labels.labels, labels.geometry, patch)
    return LevelAnatomy(
        name=seed.name,
        label=seed.label,
        complete=complete,
        is_body_only=placed.frame.is_body_only,
        lps_from_vertebra=pose,
        patch=patch,
        hu=hu_on(volume.hu, volume.geometry, patch),
        vertebra=lifted.split.vertebra,
        body=lifted.split.body,
        other_bone=np.asarray((others != 0) & (others != seed.label) & ~lifted.split.vertebra),
        superior_endplate=None if whole.superior_is_cut else _endplate(lifted.top, pose),
        inferior_endplate=None if whole.inferior_is_cut else _endplate(lifted.bottom, pose),
        height_lines_lps_mm={}
        if middle is None
        else {name: apply_affine(pose, line) for name, line in middle.lines_mm.items()},
        heights_mm=middle.heights if middle else missing_heights(reason),
        heights_right_mm=right.heights if right else missing_heights(reason),
        heights_left_mm=left.heights if left else missing_heights(reason),
        depth_mm=middle.depth_mm if middle else Estimate.missing("mm", reason),
        findings=_findings(placed, settings),
        source_spacing_mm=placed.spacing_mm,
    )


def _why_missing(whole: Completeness) -> str:
    if whole.is_endplate_cut:
        which = " and ".join(
            name for name, cut in (("upper", whole.superior_is_cut), ("lower", whole.inferior_is_cut)) if cut
        )
        return f"the {which} endplate is cut by the field of view"
    return "no endplates could be made out"


def _readings(
    lifted: LiftedBody, whole: Completeness, across_mm: float, settings: AssessmentSettings
) -> tuple[SagittalReading | None, SagittalReading | None, SagittalReading | None]:
    """Mid-sagittal, right and left readings; None where endplates are cut."""
    if whole.is_endplate_cut:
        return None, None, None
    columns = np.flatnonzero(np.isfinite(lifted.surfaces.top_mm).any(axis=1))
    width = float(np.ptp(lifted.surfaces.x_mm[columns]))
    aside = settings.para_sagittal_percent / 100.0 * width
    middle, right, left = (read_sagittal(lifted, x, across_mm, settings) for x in (0.0, aside, -aside))
    return middle, right, left


def _endplate(plane: LocalPlane | None, pose: NDArray[np.float64]) -> EndplatePlane | None:
    if plane is None:
        return None
    return EndplatePlane(
        point_lps_mm=apply_affine(pose, [0.0, 0.0, plane.at(0.0, 0.0)]),
        normal_lps=apply_direction(pose, plane.normal()),
        residual_mm=plane.residual_mm,
    )


def _findings(placed: _Placed, settings: AssessmentSettings) -> tuple[Finding, ...]:
    seed, whole, voxel_mm = placed.seed, placed.whole, placed.spacing_mm[2]
    found = []
    if whole.cut_area_mm2 > settings.cut_area_mm2:
        found.append(
            finding(
                "assess.cut",
                f"The body of {seed.name} reaches the border of image or labels; it is not graded.",
                where=seed.name,
                evidence={"area_mm2": round(whole.cut_area_mm2, 1)},
            )
        )
    if placed.frame.is_body_only:
        found.append(
            finding(
                "assess.body_only",
                f"The label of {seed.name} covers only the body: the direction to its front "
                "rests on the image's own axes and the body's symmetry.",
                where=seed.name,
            )
        )
    if voxel_mm > settings.coarse_voxel_mm:
        found.append(
            finding(
                "assess.coarse",
                f"Voxels of {voxel_mm:.1f} mm along the height of {seed.name}: its grade is a rough one.",
                where=seed.name,
                evidence={"voxel_mm": round(voxel_mm, 2)},
            )
        )
    return tuple(found)


def tangents_of(seeds: list[LevelSeed]) -> list[NDArray[np.float64]]:
    """Line of the spine at every seed."""
    return spine_tangents([seed.rough.centre_lps_mm for seed in seeds])
