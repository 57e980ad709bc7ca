"""Stage ``dicom``: levels and planned needles as DICOM segmentations, their numbers as structured reports.

The content date is the study's date, so that the same case gives the same objects; when the
measuring was done stands in the manifest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from vertebro.imaging import ImageFacts
from vertebro.io.case_folder import CaseFolder
from vertebro.io.dicom_plan import planned_paths, write_plan_seg, write_plan_sr
from vertebro.io.dicom_seg_writer import write_seg
from vertebro.io.dicom_sr import write_sr
from vertebro.progress import Progress
from vertebro.workflow.stages import Inputs, StageResult

SEGMENTATION = "dicom/segmentation.dcm"
MEASUREMENTS = "dicom/measurements.dcm"
PLAN_SEGMENTATION = "dicom/plan-segmentation.dcm"
PLAN_REPORT = "dicom/plan.dcm"
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
    return StageResult((inputs["ct"], inputs["labels"], inputs["assessment"], inputs["plan"]))


def save(result: tuple, folder: CaseFolder) -> list[Path]:  # type: ignore[type-arg]
    """Write the objects; those of the plan only where it recommends a path."""
    volume, labels, assessment, plan = result
    when = content_time(volume.facts)
    with folder.replacing(SEGMENTATION) as path:
        write_seg(path, volume, labels, when=when)
    with folder.replacing(MEASUREMENTS) as path:
        write_sr(path, volume, assessment, when=when)
    if not planned_paths(plan):
        return [Path(SEGMENTATION), Path(MEASUREMENTS)]
    with folder.replacing(PLAN_SEGMENTATION) as path:
        write_plan_seg(path, volume, labels, plan, when=when)
    with folder.replacing(PLAN_REPORT) as path:
        write_plan_sr(path, volume, plan, when=when)
    return [Path(name) for name in (SEGMENTATION, MEASUREMENTS, PLAN_SEGMENTATION, PLAN_REPORT)]


def load(folder: CaseFolder) -> tuple[Path, Path]:
    """Where the objects lie."""
    return folder.path(SEGMENTATION), folder.path(MEASUREMENTS)
