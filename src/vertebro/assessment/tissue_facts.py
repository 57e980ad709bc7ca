"""What the grey values tell of each level, gathered: cleft, wall, density, suggested class, sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.grading import Grading
from vertebro.assessment.settings import AssessmentSettings
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import (
    BodyDimensions,
    BoneDensity,
    Cleft,
    Estimate,
    Finding,
    Heights,
    LevelAssessment,
    OfSuggestion,
    PosteriorWall,
)
from vertebro.imaging import LabelVolume, Volume
from vertebro.progress import Progress


@dataclass(frozen=True, eq=False, slots=True)
class TissueFacts:
    """Grey-value facts of one level."""

    cleft: Cleft
    posterior_wall: PosteriorWall
    density: BoneDensity
    findings: tuple[Finding, ...]

    def complete(
        self,
        anatomy: LevelAnatomy,
        *,
        expected_heights_mm: Heights,
        dimensions: BodyDimensions,
        grading: Grading,
        wedge_angle_deg: Estimate,
        kyphosis_deg: Estimate,
        findings: tuple[Finding, ...],
        settings: AssessmentSettings,
    ) -> LevelAssessment:
        """One level's assessment from its geometry, its grade and these facts."""
        return LevelAssessment(
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
            expected_heights_mm=expected_heights_mm,
            dimensions=dimensions,
            height_loss_percent=grading.loss_percent,
            genant_grade=grading.grade,
            genant_shape=grading.shape,
            grade_is_certain=grading.is_certain,
            wedge_angle_deg=wedge_angle_deg,
            kyphosis_deg=kyphosis_deg,
            cleft=self.cleft,
            posterior_wall=self.posterior_wall,
            density=self.density,
            of_suggestion=OfSuggestion("undetermined", (), ()),
            summary="",
            findings=(*findings, *self.findings),
        )


def tissue_facts(
    volume: Volume,
    labels: LabelVolume,
    chosen: Sequence[LevelAnatomy],
    spine: Sequence[LevelAnatomy],
    settings: TissueSettings,
    progress: Progress,
) -> tuple[dict[str, TissueFacts], list[Finding]]:
    """Facts of the chosen levels by name."""
    facts: dict[str, TissueFacts] = {}
    for index, anatomy in enumerate(chosen):
        progress(index / len(chosen), f"reading the bone of {anatomy.name}")
        none = "not measured yet"
        facts[anatomy.name] = TissueFacts(
            Cleft(None, Estimate.missing("ml", none)),
            PosteriorWall(*(Estimate.missing(unit, none) for unit in ("mm", "mm", "percent"))),
            BoneDensity(Estimate.missing("hu", none), Estimate.missing("mg/cc", none), "none"),
            (),
        )
    return facts, []
