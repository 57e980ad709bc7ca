"""What was found and measured at each level of a spine.

Local frame of a vertebra: x to the patient's **right**, y to **anterior**, z to **superior**
(right-handed), origin at the body's centre; ``lps_from_vertebra`` carries it to the world.
All numbers a reader sees are :class:`~vertebro.case.estimate.Estimate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from vertebro.case.estimate import Estimate
from vertebro.findings import Finding
from vertebro.imaging import VolumeGeometry
from vertebro.materials.bone_density import DensityCalibration


class GenantGrade(IntEnum):
    """Semi-quantitative grade of height loss (Genant 1993)."""

    NORMAL = 0
    MILD = 1
    MODERATE = 2
    SEVERE = 3


class FractureShape(StrEnum):
    """Which height is reduced most."""

    WEDGE = "wedge"
    """Anterior height."""
    BICONCAVE = "biconcave"
    """Middle height."""
    CRUSH = "crush"
    """The whole body, the posterior height included."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Heights:
    """Anterior, middle and posterior height of a body, mm, along the body's own vertical."""

    anterior: Estimate
    middle: Estimate
    posterior: Estimate

    def to_json(self) -> dict[str, object]:
        """The heights as JSON-ready data."""
        return {name: getattr(self, name).to_json() for name in ("anterior", "middle", "posterior")}


@dataclass(frozen=True, eq=False, slots=True)
class EndplatePlane:
    """A plane fitted to one endplate: a point on it and its unit normal (to superior), world frame."""

    point_lps_mm: NDArray[np.float64]
    normal_lps: NDArray[np.float64]
    residual_mm: float
    """Median absolute distance of the endplate's surface from the plane."""


@dataclass(frozen=True, slots=True)
class BodyDimensions:
    """Size of the body: widths (right–left) and depths (anterior–posterior) at three heights, volume."""

    width_superior_mm: Estimate
    width_middle_mm: Estimate
    width_inferior_mm: Estimate
    depth_superior_mm: Estimate
    depth_middle_mm: Estimate
    depth_inferior_mm: Estimate
    volume_ml: Estimate

    def to_json(self) -> dict[str, object]:
        """The sizes as JSON-ready data."""
        return {name: getattr(self, name).to_json() for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Cleft:
    """A gas-filled (vacuum) cleft inside the body."""

    present: bool | None
    """None where it could not be judged."""
    volume_ml: Estimate
    touches_superior_endplate: bool = False
    touches_inferior_endplate: bool = False
    touches_anterior_wall: bool = False
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """The cleft as JSON-ready data."""
        return {
            "present": self.present,
            "volume_ml": self.volume_ml.to_json(),
            "touches_superior_endplate": self.touches_superior_endplate,
            "touches_inferior_endplate": self.touches_inferior_endplate,
            "touches_anterior_wall": self.touches_anterior_wall,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class PosteriorWall:
    """The body's back wall and the canal behind it."""

    bulge_mm: Estimate
    """How far the wall stands behind the line between its upper and lower corners, at most."""
    canal_depth_mm: Estimate
    """Front-to-back depth of the canal at the level, at its narrowest."""
    canal_encroachment_percent: Estimate
    """Loss of canal depth against the neighbouring levels."""

    def to_json(self) -> dict[str, object]:
        """The wall as JSON-ready data."""
        return {
            "bulge_mm": self.bulge_mm.to_json(),
            "canal_depth_mm": self.canal_depth_mm.to_json(),
            "canal_encroachment_percent": self.canal_encroachment_percent.to_json(),
        }


@dataclass(frozen=True, slots=True)
class BoneDensity:
    """Density of the trabecular core (endplates, cortex, cement, gas and sclerosis kept out)."""

    core_hu: Estimate
    bmd_mg_cc: Estimate
    """Bone mineral density; missing where nothing calibrates the scan."""
    calibration: str
    """``"phantom"``, ``"internal"`` or ``"none"``."""

    def to_json(self) -> dict[str, object]:
        """The density as JSON-ready data."""
        return {
            "core_hu": self.core_hu.to_json(),
            "bmd_mg_cc": self.bmd_mg_cc.to_json(),
            "calibration": self.calibration,
        }


@dataclass(frozen=True, slots=True)
class OfSuggestion:
    """A suggested class of the AO Spine–DGOU OF scheme, and what must still be seen to settle it."""

    type: str
    """``"OF 2"`` …, ``"none"`` or ``"undetermined"``."""
    reasons: tuple[str, ...]
    still_needed: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The suggestion as JSON-ready data."""
        return {"type": self.type, "reasons": list(self.reasons), "still_needed": list(self.still_needed)}


@dataclass(frozen=True, eq=False, slots=True)
class LevelAssessment:
    """Everything known of one level."""

    name: str
    """A :class:`~vertebro.case.level.Level` value, or the source's own name where it is none."""
    label: int
    complete: bool
    """Whether the whole body lies inside the field of view; levels cut by it are not graded."""
    lps_from_vertebra: NDArray[np.float64]
    """(4, 4): local frame (right, anterior, superior; mm; origin at the body's centre) to world."""
    superior_endplate: EndplatePlane | None
    inferior_endplate: EndplatePlane | None
    height_lines_lps_mm: Mapping[str, NDArray[np.float64]]
    """``"anterior" | "middle" | "posterior"`` to (2, 3): lower and upper end of the measured line."""
    heights_mm: Heights
    """Mid-sagittal."""
    heights_right_mm: Heights
    """Para-sagittal plane on the patient's right."""
    heights_left_mm: Heights
    expected_heights_mm: Heights
    """What the heights would be if the body were unfractured, from neighbours and level ratios."""
    dimensions: BodyDimensions
    height_loss_percent: Estimate
    """The largest of the three losses against the reference that decides the grade."""
    genant_grade: GenantGrade | None
    """None where the level is not graded; the basis of ``height_loss_percent`` says why."""
    genant_shape: FractureShape
    grade_is_certain: bool
    """False where the loss's interval spans a threshold."""
    wedge_angle_deg: Estimate
    """Superior against inferior endplate of this body, sagittal; positive where the front is lower."""
    kyphosis_deg: Estimate
    """Upper endplate of the level above against lower endplate of the level below; positive kyphotic."""
    cleft: Cleft
    posterior_wall: PosteriorWall
    density: BoneDensity
    of_suggestion: OfSuggestion
    summary: str
    """One plain sentence."""
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The level as JSON-ready data (``docs/reference/assessment-json.md``)."""
        return {
            "complete": self.complete,
            "heights_mm": self.heights_mm.to_json(),
            "heights_right_mm": self.heights_right_mm.to_json(),
            "heights_left_mm": self.heights_left_mm.to_json(),
            "expected_heights_mm": self.expected_heights_mm.to_json(),
            "dimensions": self.dimensions.to_json(),
            "height_loss_percent": self.height_loss_percent.to_json(),
            "genant": {
                "grade": None if self.genant_grade is None else int(self.genant_grade),
                "shape": self.genant_shape.value,
                "certain": self.grade_is_certain,
            },
            "wedge_angle_deg": self.wedge_angle_deg.to_json(),
            "kyphosis_deg": self.kyphosis_deg.to_json(),
            "cleft": self.cleft.to_json(),
            "posterior_wall": self.posterior_wall.to_json(),
            "density": self.density.to_json(),
            "of_suggestion": self.of_suggestion.to_json(),
            "lps_from_vertebra": [[round(float(x), 4) + 0.0 for x in row] for row in self.lps_from_vertebra],
            "summary": self.summary,
            "findings": [item.to_json() for item in self.findings],
        }


@dataclass(frozen=True, eq=False)
class Assessment:
    """The assessment of a spine: its levels from cranial to caudal, and the masks they rest on."""

    levels: Mapping[str, LevelAssessment]
    geometry: VolumeGeometry
    """Grid of ``bodies`` (the labels' grid)."""
    bodies: NDArray[np.uint8] | NDArray[np.int16]
    """(i, j, k): the label of each voxel that belongs to a vertebral **body**; 0 elsewhere."""
    findings: tuple[Finding, ...] = ()
    schema_version: int = 1
    calibration: DensityCalibration | None = None
    """How HU become density on this scan; None where nothing calibrates it."""

    def to_json(self) -> dict[str, object]:
        """The assessment as JSON-ready data (``docs/reference/assessment-json.md``)."""
        return {
            "schema_version": self.schema_version,
            "levels": {name: level.to_json() for name, level in self.levels.items()},
            "findings": [item.to_json() for item in self.findings],
        }
