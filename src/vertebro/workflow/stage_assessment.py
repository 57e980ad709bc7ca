"""Stage ``assessment``: measure and grade each level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertebro.assessment import AssessmentSettings, assess_levels
from vertebro.case import Assessment
from vertebro.io.case_folder import CaseFolder
from vertebro.progress import Progress
from vertebro.reporting import assessment_json
from vertebro.workflow.stages import Inputs, StageResult


def run(
    inputs: Inputs,
    settings: AssessmentSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing here is random
    progress: Progress,
) -> StageResult:
    """Assess the levels asked for, or all."""
    levels = inputs["options"].levels
    assessment = assess_levels(
        inputs["ct"], inputs["labels"], settings, levels=levels or None, progress=progress
    )
    return StageResult(assessment, assessment.findings, {"n_levels": float(len(assessment.levels))})


def save(result: Assessment, folder: CaseFolder) -> list[Path]:
    """Keep the assessment losslessly and as JSON that fits its published schema."""
    return [
        folder.write_json("assessment.json", assessment_json(result)),
        *folder.save_noun("assessment", result),
    ]


def load(folder: CaseFolder) -> Any:
    """Load the assessment that was kept."""
    return folder.load_noun("assessment", Assessment)
