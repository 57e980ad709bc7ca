"""What the grey values tell of each level, gathered: cleft, wall, density, suggested class, sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.calibration import Calibration, calibrate
from vertebro.assessment.cleft import find_cleft
from vertebro.assessment.density import measure_density
from vertebro.assessment.grading import Grading
from vertebro.assessment.of_class import suggest_of_class
from vertebro.assessment.posterior_wall import measure_posterior_wall
from vertebro.assessment.settings import AssessmentSettings
from vertebro.assessment.summary import summarise_level
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import (
    BodyDimensions,
    BoneDensity,
    Cleft,
    Estimate,
    Finding,
    Heights,
    LevelAssessment,
    PosteriorWall,
)
from vertebro.imaging import LabelVolume, Volume
from vertebro.progress import Progress, map_in_threads


@dataclass(frozen=True, eq=False, slots=True)
class ShapeFacts:
    """What the outline alone tells of one level, compared with its neighbours."""

    expected_heights_mm: Heights
    dimensions: BodyDimensions
    grading: Grading
    wedge_angle_deg: Estimate
    kyphosis_deg: Estimate
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False, slots=True)
class TissueFacts:
    """Grey-value facts of one level."""

    cleft: Cleft
    posterior_wall: PosteriorWall
    density: BoneDensity
    findings: tuple[Finding, ...]

    def complete(
        self, anatomy: LevelAnatomy, shape: ShapeFacts, settings: AssessmentSettings
    ) -> LevelAssessment:
        """One level's assessment from its geometry, its grade and these facts."""
        level = LevelAssessment(
            name=anatomy.name,
            label=anatomy.label,
            complete=anatomy.complete,
            lps_from_vertebra=anatomy.lps_from_vertebra,
            superior_endplate=anatomy.superior_endplate,
            inferior_endplate=anatomy.inferior_endplate,
            height_lines_lps_mm=anatomy.height_lines_lps_mm,
            heights_mm=anatomy.heights_mm,
            heights_right_mm=anatomy.heights_right_mm,
            heights_left_mm=anatomy.heights_left_mm,
            expected_heights_mm=shape.expected_heights_mm,
            dimensions=shape.dimensions,
            height_loss_percent=shape.grading.loss_percent,
            genant_grade=shape.grading.grade,
            genant_shape=shape.grading.shape,
            grade_is_certain=shape.grading.is_certain,
            wedge_angle_deg=shape.wedge_angle_deg,
            kyphosis_deg=shape.kyphosis_deg,
            cleft=self.cleft,
            posterior_wall=self.posterior_wall,
            density=self.density,
            of_suggestion=suggest_of_class(
                anatomy,
                shape.expected_heights_mm,
                shape.grading.loss_percent,
                self.posterior_wall,
                self.cleft,
                settings.tissue,
            ),
            summary="",
            findings=(*shape.findings, *self.findings),
        )
        return replace(level, summary=summarise_level(level))


def tissue_facts(
    volume: Volume,
    labels: LabelVolume,
    chosen: Sequence[LevelAnatomy],
    spine: Sequence[LevelAnatomy],
    settings: TissueSettings,
    progress: Progress,
) -> tuple[dict[str, TissueFacts], Calibration]:
    """Facts of the chosen levels by name, and the scan's calibration."""
    calibration = calibrate(volume, labels, settings)
    places = {anatomy.name: index for index, anatomy in enumerate(spine)}

    def of_level(anatomy: LevelAnatomy) -> TissueFacts:
        place = places[anatomy.name]
        above = spine[place - 1] if place > 0 else None
        below = spine[place + 1] if place + 1 < len(spine) else None
        cleft, cleft_findings = find_cleft(anatomy, settings)
        wall, wall_findings = measure_posterior_wall(anatomy, above, below, settings)
        density, density_findings = measure_density(anatomy, calibration, settings)
        return TissueFacts(cleft, wall, density, (*cleft_findings, *wall_findings, *density_findings))

    done = map_in_threads(of_level, chosen, progress, lambda anatomy: f"reading the bone of {anatomy.name}")
    facts = {anatomy.name: fact for anatomy, fact in zip(chosen, done, strict=True)}
    return facts, calibration
