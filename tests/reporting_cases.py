"""Spines with hand-set results, for the report's tests: what is shown must be what was set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vertebro.case import (
    Assessment,
    BodyDimensions,
    BoneDensity,
    Cleft,
    EndplatePlane,
    Estimate,
    FractureShape,
    GenantGrade,
    Heights,
    InputFile,
    LevelAssessment,
    Manifest,
    OfSuggestion,
    PosteriorWall,
    StageRecord,
)
from vertebro.geometry import rigid_from_axes, rotation_about_axis
from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry

CUT = "the level is cut by the field of view"
PITCH_MM = 36.0
BODY_HALF_MM = (20.0, 15.0, 12.0)
"""Half the size of every body: right, anterior, superior."""


def estimate(value: float, half: float = 0.5, unit: str = "mm", basis: str = "ruler") -> Estimate:
    return Estimate.symmetric(value, half, unit, basis)


def heights(anterior: float, middle: float, posterior: float) -> Heights:
    return Heights(estimate(anterior), estimate(middle), estimate(posterior))


def no_heights(reason: str) -> Heights:
    missing = Estimate.missing("mm", reason)
    return Heights(missing, missing, missing)


def level(
    name: str, label: int, centre_lps_mm: tuple[float, float, float], tilt_deg: float = 0.0
) -> LevelAssessment:
    """A normal level whose own axes lean forward by ``tilt_deg``."""
    turn = rotation_about_axis((1.0, 0.0, 0.0), np.deg2rad(tilt_deg))[:3, :3]
    axes = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]) @ turn.T
    frame = rigid_from_axes(centre_lps_mm, axes)
    anterior, superior = axes[1], axes[2]
    centre = np.array(centre_lps_mm)
    lines = {
        part: np.stack([centre + y * anterior - 12.0 * superior, centre + y * anterior + 12.0 * superior])
        for part, y in (("anterior", 12.0), ("middle", 0.0), ("posterior", -12.0))
    }
    size = estimate(40.0)
    return LevelAssessment(
        name=name,
        label=label,
        complete=True,
        lps_from_vertebra=frame,
        superior_endplate=EndplatePlane(centre + 12.0 * superior, superior, 0.2),
        inferior_endplate=EndplatePlane(centre - 12.0 * superior, superior, 0.2),
        height_lines_lps_mm=lines,
        heights_mm=heights(24.0, 23.5, 24.5),
        heights_right_mm=heights(24.1, 23.6, 24.6),
        heights_left_mm=heights(23.9, 23.4, 24.4),
        expected_heights_mm=heights(24.2, 23.7, 24.7),
        dimensions=BodyDimensions(size, size, size, size, size, size, estimate(28.0, 1.0, "ml")),
        height_loss_percent=estimate(2.0, 4.0, "percent", "anterior against expected"),
        genant_grade=GenantGrade.NORMAL,
        genant_shape=FractureShape.NONE,
        grade_is_certain=True,
        wedge_angle_deg=estimate(1.2, 1.0, "deg"),
        kyphosis_deg=estimate(3.4, 1.5, "deg", "levels above and below"),
        cleft=Cleft(False, estimate(0.0, 0.0, "ml")),
        posterior_wall=PosteriorWall(estimate(0.5), estimate(15.0), estimate(3.0, 5.0, "percent")),
        density=BoneDensity(
            estimate(120.0, 9.0, "hu"), Estimate.missing("mg/cc", "nothing calibrates it"), "none"
        ),
        of_suggestion=OfSuggestion("none", (), ()),
        summary=f"{name} keeps its height.",
    )


def fractured(normal: LevelAssessment) -> LevelAssessment:
    """The level with a severe wedge and a cleft."""
    return replace(
        normal,
        heights_mm=heights(13.3, 17.0, 22.2),
        height_loss_percent=estimate(45.0, 3.0, "percent", "anterior against expected"),
        genant_grade=GenantGrade.SEVERE,
        genant_shape=FractureShape.WEDGE,
        wedge_angle_deg=estimate(15.5, 1.5, "deg"),
        cleft=Cleft(True, estimate(1.4, 0.2, "ml"), touches_superior_endplate=True),
        of_suggestion=OfSuggestion("OF 4", ("Both endplates are deformed.",), ("MRI with STIR.",)),
        summary=f"{normal.name} has lost almost half of its front height.",
    )


def cut_off(normal: LevelAssessment) -> LevelAssessment:
    """The level as the edge of the scan leaves it."""
    return replace(
        normal,
        complete=False,
        superior_endplate=None,
        inferior_endplate=None,
        height_lines_lps_mm={},
        heights_mm=no_heights(CUT),
        heights_right_mm=no_heights(CUT),
        heights_left_mm=no_heights(CUT),
        expected_heights_mm=no_heights(CUT),
        height_loss_percent=Estimate.missing("percent", CUT),
        genant_grade=None,
        grade_is_certain=False,
        wedge_angle_deg=Estimate.missing("deg", CUT),
        kyphosis_deg=Estimate.missing("deg", CUT),
        cleft=Cleft(None, Estimate.missing("ml", CUT)),
        summary=f"{normal.name} is cut by the edge of the image.",
    )


def spine(
    names: tuple[str, ...] = ("T12", "L1", "L2"), tilt_deg: float = 0.0, spacing_mm: float = 2.0
) -> tuple[Volume, LabelVolume, Assessment]:
    """A scan with one box of bone for each level, all normal, labels 1, 2, … from the top.

    The world's origin is the middle of the uppermost body; the boxes lean by ``tilt_deg``.
    """
    n_levels = len(names)
    shape = (44, 56, round((PITCH_MM * n_levels + 20.0) / spacing_mm))
    shape = (round(88 / spacing_mm), round(112 / spacing_mm), shape[2])
    origin = (-44.0, -48.0, -PITCH_MM * (n_levels - 0.5) - 10.0)
    grid = VolumeGeometry.from_spacing(shape, (spacing_mm,) * 3, origin)
    levels = {
        name: level(name, index + 1, (0.0, 0.0, -PITCH_MM * index), tilt_deg)
        for index, name in enumerate(names)
    }
    index = np.indices(shape).reshape(3, -1).T
    lps = index @ grid.lps_from_voxel[:3, :3].T + grid.lps_from_voxel[:3, 3]
    bodies = np.zeros(shape, np.uint8)
    for entry in levels.values():
        own = (lps - entry.lps_from_vertebra[:3, 3]) @ entry.lps_from_vertebra[:3, :3]
        bodies.reshape(-1)[np.all(np.abs(own) <= BODY_HALF_MM, axis=1)] = entry.label
    hu = np.where(bodies > 0, 400, 40).astype(np.int16)
    facts = ImageFacts(source_kind="phantom", series_description="boxes")
    labels = LabelVolume(bodies, grid, {entry.label: name for name, entry in levels.items()}, extent="body")
    return Volume(hu, grid, facts), labels, Assessment(levels, grid, bodies)


def with_level(assessment: Assessment, changed: LevelAssessment) -> Assessment:
    """The assessment with one level replaced."""
    return replace(assessment, levels={**assessment.levels, changed.name: changed})


def fracture_case() -> tuple[Volume, LabelVolume, Assessment]:
    """T12 normal, L1 severe wedge with cleft, L2 cut off."""
    volume, labels, assessment = spine()
    assessment = with_level(assessment, fractured(assessment.levels["L1"]))
    return volume, labels, with_level(assessment, cut_off(assessment.levels["L2"]))


def manifest() -> Manifest:
    return Manifest(
        vertebro_version="9.8.7",
        inputs=(InputFile("ct", "scan.nii.gz", "ab" * 32), InputFile("labels", "labels.nii.gz", "cd" * 32)),
        options={"label_convention": "verse"},
        stages=(
            StageRecord(
                name="assessment",
                key="ef" * 32,
                settings={"mild_percent": 20.0},
                seed=0,
                backend="numba",
                outputs={"assessment.json": "01" * 32},
                started_utc="2026-01-02T03:04:05Z",
                run_time_s=3.21,
                stats={"n_levels": 3.0},
            ),
        ),
        platform={"python": "3.11"},
        state="complete",
    )
