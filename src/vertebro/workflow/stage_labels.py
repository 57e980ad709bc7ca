"""Stage ``labels``: read the vertebra labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertebro.errors import InputError
from vertebro.imaging import LabelVolume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.labels import read_labels
from vertebro.progress import Progress
from vertebro.workflow.stages import Inputs, StageResult


def run(inputs: Inputs, settings: None, *, seed: int, progress: Progress) -> StageResult:  # noqa: ARG001
    """Read the labels named by the person.

    Raises
    ------
    InputError
        If none were named (``labels.missing``).
    """
    path = inputs["paths"].get("labels")
    if path is None:
        raise InputError(
            "labels.missing",
            got="a CT without vertebra labels",
            needed="a label file of its vertebrae",
            remedy="Pass one with --labels: NIfTI in VerSe or TotalSegmentator numbers, or a DICOM SEG.",
            fields=("labels",),
        )
    labels = read_labels(path, inputs["ct"], convention=inputs["options"].label_convention, progress=progress)
    return StageResult(labels, labels.findings, {"n_labels": float(len(labels.names))})


def save(result: LabelVolume, folder: CaseFolder) -> list[Path]:
    """Keep the labels as they were read."""
    return folder.save_noun("labels", result)


def load(folder: CaseFolder) -> Any:
    """Load the labels that were kept."""
    return folder.load_noun("labels", LabelVolume)
