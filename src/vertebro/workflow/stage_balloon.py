"""Stage ``balloon``: balloons where kyphoplasty is advised or asked for; their cavities as NIfTI."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vertebro.balloon import BalloonSettings, inflate_balloons
from vertebro.case import BalloonResult
from vertebro.imaging import ScalarVolume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.nifti import save_nifti
from vertebro.progress import Progress
from vertebro.reporting import balloon_json
from vertebro.workflow.stages import Inputs, StageResult


def run(
    inputs: Inputs,
    settings: BalloonSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing here is random
    progress: Progress,
) -> StageResult:
    """Inflate the balloons of every level that is to have them."""
    context = inputs["options"].context
    result = inflate_balloons(
        inputs["ct"], inputs["assessment"], inputs["plan"], settings, context=context, progress=progress
    )
    findings = (*result.findings, *(item for level in result.levels.values() for item in level.findings))
    stats = {f"cavity_ml_{name}": level.cavity_ml for name, level in result.levels.items()}
    return StageResult(result, findings, stats)


def save(result: BalloonResult, folder: CaseFolder) -> list[Path]:
    """Keep the result as documented JSON and losslessly, and its fields as NIfTI."""
    written = [folder.write_json("balloon.json", balloon_json(result)), *folder.save_noun("balloon", result)]
    for name, level in result.levels.items():
        stem = "".join(letter if letter.isalnum() else "_" for letter in name)
        for field, kind in ((level.cavity, "cavity"), (level.density_ratio, "density-ratio")):
            place = Path(f"balloon/{stem}-{kind}.nii.gz")
            with folder.replacing(place) as path:
                _write_field(path, field)
            written.append(place)
    return written


def _write_field(path: Path, field: ScalarVolume) -> None:
    save_nifti(path, np.asarray(field.values), field.geometry, description=f"vertebro: {field.quantity}"[:79])


def load(folder: CaseFolder) -> BalloonResult:
    """Load the result that was kept."""
    loaded: BalloonResult = folder.load_noun("balloon", BalloonResult)
    return loaded
