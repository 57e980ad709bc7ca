"""Stage ``dicom``: the levels as a DICOM segmentation, the measurements as a structured report.

The content date is the study's date, so that the same case gives the same objects; when the
measuring was done stands in the manifest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from vertebro.imaging import ImageFacts
from vertebro.io.case_folder import CaseFolder
from vertebro.io.dicom_seg_writer import write_seg
from vertebro.io.dicom_sr import write_sr
from vertebro.progress import Progress
from vertebro.workflow.stages import Inputs, StageResult

SEGMENTATION = "dicom/segmentation.dcm"
MEASUREMENTS = "dicom/measurements.dcm"
_NO_DATE = datetime(1900, 1, 1, tzinfo=UTC)
"""Stands where the images carry no date."""


def content_time(facts: ImageFacts) -> datetime:
    """Midnight of the study's date, or 1 January 1900 where the images carry none.

    Examples
    --------
    >>> content_time(ImageFacts(study_date="20240229")).date().isoformat()
    '2024-02-29'
    """
    try:
        return datetime.strptime(facts.study_date, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return _NO_DATE


def run(inputs: Inputs, settings: None, *, seed: int, progress: Progress) -> StageResult:  # noqa: ARG001
    """Gather what the objects are written from."""
    return StageResult((inputs["ct"], inputs["labels"], inputs["assessment"]))


def save(result: tuple, folder: CaseFolder) -> list[Path]:  # type: ignore[type-arg]
    """Write both objects."""
    volume, labels, assessment = result
    when = content_time(volume.facts)
    with folder.replacing(SEGMENTATION) as path:
        write_seg(path, volume, labels, when=when)
    with folder.replacing(MEASUREMENTS) as path:
        write_sr(path, volume, assessment, when=when)
    return [Path(SEGMENTATION), Path(MEASUREMENTS)]


def load(folder: CaseFolder) -> tuple[Path, Path]:
    """Where the objects lie."""
    return folder.path(SEGMENTATION), folder.path(MEASUREMENTS)
