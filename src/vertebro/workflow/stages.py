"""The registry of stages: one row each, from which the pipeline, the command line and the docs come.

Nothing heavy is imported here; a stage's code is loaded when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from vertebro.findings import Finding

Inputs = Mapping[str, Any]
"""Results of earlier stages by stage name, and the person's options under ``"options"``."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage hands back."""

    result: Any
    """A noun of :mod:`vertebro.case` or :mod:`vertebro.imaging`, or None for a stage that only writes."""
    findings: tuple[Finding, ...] = ()
    stats: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a case."""

    name: str
    title: str
    """What it does, in words for the progress bar and the docs."""
    needs: tuple[str, ...]
    """Stages whose results it reads."""
    module: str
    """Its code: a module with three functions.

    ``run(inputs, settings, *, seed, progress) -> StageResult``;
    ``save(result, folder) -> list[Path]``, the files written, relative to the case folder;
    ``load(folder) -> result``, from those files.
    """
    reads: tuple[str, ...] = ()
    """Roles of the person's files on which its result depends."""
    settings: str = ""
    """``"module:Class"`` of its settings, empty where it has none."""
    options: tuple[str, ...] = ()
    """Names of the person's options that change its result."""
    writes: tuple[str, ...] = ()
    """What it leaves in the case folder, for the docs."""
    weight: float = 1.0
    """Rough share of the time, for the progress bar."""

    def load_module(self) -> Any:
        """The stage's code."""
        return import_module(self.module)

    def default_settings(self) -> Any:
        """The stage's settings at their defaults, or None."""
        if not self.settings:
            return None
        module, _, name = self.settings.partition(":")
        make: Callable[[], Any] = getattr(import_module(module), name)
        return make()


STAGES: tuple[Stage, ...] = (
    Stage(
        name="ct",
        title="Reading the CT",
        needs=(),
        module="vertebro.workflow.stage_ct",
        reads=("ct",),
        options=("series",),
        writes=("state/ct.json", "state/ct.npz"),
        weight=2.0,
    ),
    Stage(
        name="segmentation",
        title="Finding the vertebrae",
        needs=("ct",),
        module="vertebro.workflow.stage_segmentation",
        reads=("labels",),
        settings="vertebro.segmentation:SegmentationSettings",
        options=("corrections", "segmenter"),
        writes=("segmentation.json", "segmentation/", "state/segmentation.json", "state/segmentation.npz"),
        weight=4.0,
    ),
    Stage(
        name="labels",
        title="Taking the vertebra labels",
        needs=("ct", "segmentation"),
        module="vertebro.workflow.stage_labels",
        reads=("labels",),
        options=("label_convention", "segmenter", "weights"),
        writes=("state/labels.json", "state/labels.npz"),
    ),
    Stage(
        name="assessment",
        title="Measuring and grading each level",
        needs=("ct", "labels"),
        module="vertebro.workflow.stage_assessment",
        settings="vertebro.assessment:AssessmentSettings",
        options=("levels",),
        writes=("assessment.json", "state/assessment.json", "state/assessment.npz"),
        weight=4.0,
    ),
    Stage(
        name="plan",
        title="Planning procedure, needle paths and cement",
        needs=("ct", "labels", "assessment"),
        module="vertebro.workflow.stage_plan",
        settings="vertebro.planning:PlanSettings",
        options=("context",),
        writes=("plan.json", "state/plan.json", "state/plan.npz", "stl/"),
        weight=4.0,
    ),
    Stage(
        name="views",
        title="Taking the views to work from",
        needs=("ct", "labels", "assessment", "plan"),
        module="vertebro.workflow.stage_views",
        settings="vertebro.fluoroscopy:FluoroscopySettings",
        options=("levels",),
        writes=("views/", "dicom/view-*.dcm", "state/views.json", "state/views.npz"),
        weight=4.0,
    ),
    Stage(
        name="balloon",
        title="Inflating balloons",
        needs=("ct", "assessment", "plan"),
        module="vertebro.workflow.stage_balloon",
        settings="vertebro.balloon:BalloonSettings",
        options=("context",),
        writes=("balloon.json", "state/balloon.json", "state/balloon.npz", "balloon/*.nii.gz"),
        weight=2.0,
    ),
    Stage(
        name="injection",
        title="Injecting cement",
        needs=("ct", "labels", "assessment", "plan", "balloon"),
        module="vertebro.workflow.stage_injection",
        settings="vertebro.cement:InjectionSettings",
        writes=(
            "injection.json",
            "state/injection.json",
            "state/injection.npz",
            "fields/",
            "stl/*-cement.stl",
            "dicom/cement.dcm",
            "views/*-injection.gif",
        ),
        weight=6.0,
    ),
    Stage(
        name="mechanics",
        title="Pressing each level until it fails",
        needs=("ct", "labels", "assessment", "plan", "balloon", "injection"),
        module="vertebro.workflow.stage_mechanics",
        settings="vertebro.mechanics:MechanicsSettings",
        options=("context",),
        writes=(
            "mechanics.json",
            "state/mechanics.json",
            "state/mechanics.npz",
            "mechanics/*.nii.gz",
        ),
        weight=8.0,
    ),
    Stage(
        name="dicom",
        title="Writing DICOM segmentations and structured reports",
        needs=("ct", "labels", "assessment", "plan"),
        module="vertebro.workflow.stage_dicom",
        writes=(
            "dicom/segmentation.dcm",
            "dicom/measurements.dcm",
            "dicom/plan-segmentation.dcm",
            "dicom/plan.dcm",
        ),
    ),
    Stage(
        name="report",
        title="Composing the report",
        needs=("ct", "labels", "assessment", "plan", "views", "balloon", "injection", "mechanics"),
        module="vertebro.workflow.stage_report",
        settings="vertebro.reporting:ReportSettings",
        writes=("report.html", "report.pdf", "figures/"),
        weight=4.0,
    ),
)
"""Every stage, in an order in which each comes after what it needs."""


def stage_named(name: str) -> Stage:
    """The stage of that name.

    Raises
    ------
    KeyError
        If there is none.

    Examples
    --------
    >>> stage_named("assessment").needs
    ('ct', 'labels')
    """
    for stage in STAGES:
        if stage.name == name:
            return stage
    raise KeyError(name)
