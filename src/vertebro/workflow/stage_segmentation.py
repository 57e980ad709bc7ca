"""Stage ``segmentation``: find the vertebrae in the CT where the person brings no labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebro.case import read_correction
from vertebro.case.segmentation import SpineSegmentation
from vertebro.imaging import VolumeGeometry
from vertebro.io.case_folder import CaseFolder
from vertebro.io.nifti import save_nifti
from vertebro.progress import Progress, scaled
from vertebro.segmentation import SegmentationSettings, correct, segment_spine
from vertebro.workflow.external_segmenter import chosen_segmenter
from vertebro.workflow.stages import Inputs, StageResult

SUMMARY = "segmentation.json"
_FIELDS = ("labels", "subregions", "canal", "skin", "confidence")


def run(
    inputs: Inputs,
    settings: SegmentationSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing here is random
    progress: Progress,
) -> StageResult:
    """Segment the CT and apply the person's corrections; nothing where labels come from elsewhere."""
    options = inputs["options"]
    weights = Path(options.weights) if options.weights else None
    if inputs["paths"].get("labels") is not None or chosen_segmenter(options.segmenter, weights) is not None:
        return StageResult(None)
    corrections = [read_correction(text) for text in options.corrections]
    volume = inputs["ct"]
    result = segment_spine(volume, settings, progress=scaled(progress, 0.0, 0.8 if corrections else 1.0))
    if corrections:
        result = correct(volume, result, corrections, settings, progress=scaled(progress, 0.8, 1.0))
    return StageResult(result, result.findings, {"n_levels": float(len(result.levels))})


def save(result: SpineSegmentation | None, folder: CaseFolder) -> list[Path]:
    """Keep the segmentation losslessly, its summary as JSON and its masks as NIfTI."""
    if result is None:
        return []
    written = [
        folder.write_json(SUMMARY, result.to_json()),
        *folder.save_noun("segmentation", replace(result, work=None)),
    ]
    arrays: dict[str, NDArray[Any] | None] = {
        "labels": result.labels.labels,
        "subregions": result.labels.subregions,
        "canal": result.canal,
        "skin": result.skin,
        "confidence": np.asarray(result.confidence.values),
    }
    for name in _FIELDS:
        array = arrays[name]
        if array is not None:
            written.append(_write(folder, name, array, result.labels.geometry))
    return written


def _write(folder: CaseFolder, name: str, array: NDArray[Any], geometry: VolumeGeometry) -> Path:
    place = Path(f"segmentation/{name}.nii.gz")
    with folder.replacing(place) as path:
        save_nifti(path, array, geometry, description=f"vertebro: {name}")
    return place


def load(folder: CaseFolder) -> Any:
    """Load the segmentation that was kept; None where labels came from elsewhere."""
    if not folder.path(SUMMARY).exists():
        return None
    return folder.load_noun("segmentation", SpineSegmentation)
