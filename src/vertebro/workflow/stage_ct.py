"""Stage ``ct``: read the CT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertebro.imaging import Volume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.ct import read_ct
from vertebro.progress import Progress
from vertebro.workflow.stages import Inputs, StageResult


def run(inputs: Inputs, settings: None, *, seed: int, progress: Progress) -> StageResult:  # noqa: ARG001
    """Read the CT named by the person."""
    volume = read_ct(inputs["paths"]["ct"], series=inputs["options"].series, progress=progress)
    return StageResult(volume, volume.findings, {"n_voxels": float(volume.hu.size)})


def save(result: Volume, folder: CaseFolder) -> list[Path]:
    """Keep the CT as it was read, so that later stages need no other file."""
    return folder.save_noun("ct", result)


def load(folder: CaseFolder) -> Any:
    """Load the CT that was kept."""
    return folder.load_noun("ct", Volume)
