"""Stage ``labels``: the vertebra labels, from the person's file, a segmenter of theirs, or our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertebro.errors import InputError
from vertebro.imaging import LabelVolume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.labels import read_labels
from vertebro.progress import Progress
from vertebro.workflow.external_segmenter import chosen_segmenter, run_segmenter
from vertebro.workflow.stages import Inputs, StageResult


def run(inputs: Inputs, settings: None, *, seed: int, progress: Progress) -> StageResult:  # noqa: ARG001
    """Read the labels named by the person, or take those that were found in the CT.

    Raises
    ------
    InputError
        If none were named and no vertebra was found (``labels.none_found``).
    """
    path, options = inputs["paths"].get("labels"), inputs["options"]
    if path is not None:
        labels = read_labels(path, inputs["ct"], convention=options.label_convention, progress=progress)
    elif inputs["segmentation"] is not None:
        labels = inputs["segmentation"].labels
    else:
        weights = Path(options.weights) if options.weights else None
        segmenter = chosen_segmenter(options.segmenter, weights)
        assert segmenter is not None, "the segmentation stage left the work to no one"
        labels = run_segmenter(segmenter, inputs["ct"], progress)
    if not labels.names:
        told = " ".join(item.message for item in labels.findings)
        raise InputError(
            "labels.none_found",
            got=f"a CT without labels. {told or 'No vertebra was found in it'}".rstrip(". "),
            needed="a CT of a spine, or a label file of its vertebrae",
            remedy="Pass labels with --labels, or another CT. 'vertebro segment' shows what was found.",
            fields=("labels",),
        )
    return StageResult(labels, labels.findings, {"n_labels": float(len(labels.names))})


def save(result: LabelVolume, folder: CaseFolder) -> list[Path]:
    """Keep the labels as they were read."""
    return folder.save_noun("labels", result)


def load(folder: CaseFolder) -> Any:
    """Load the labels that were kept."""
    return folder.load_noun("labels", LabelVolume)
