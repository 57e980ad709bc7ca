"""Stage ``plan``: procedure, needle paths and cement range; surfaces of vertebrae and cannulas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertebro.case import TreatmentPlan
from vertebro.devices.cannulas import cannula_named
from vertebro.geometry import cylinder_mesh
from vertebro.imaging import LabelVolume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.mesh_stl import write_stl, write_stl_mesh
from vertebro.planning import PlanSettings, plan_treatment
from vertebro.progress import Progress
from vertebro.reporting import plan_json
from vertebro.workflow.stages import Inputs, StageResult

SMOOTHING_MM = 0.5
"""Rounds the voxels' steps on the vertebra's surface."""


def run(
    inputs: Inputs,
    settings: PlanSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing here is random
    progress: Progress,
) -> StageResult:
    """Plan every assessed level."""
    context = inputs["options"].context
    plan = plan_treatment(
        inputs["ct"], inputs["labels"], inputs["assessment"], settings, context=context, progress=progress
    )
    findings = (*plan.findings, *(item for level in plan.levels.values() for item in level.findings))
    n_paths = sum(path.recommended for level in plan.levels.values() for path in level.paths)
    return StageResult(plan, findings, {"n_recommended_paths": float(n_paths)})


def save(result: TreatmentPlan, folder: CaseFolder) -> list[Path]:
    """Keep the plan as documented JSON and losslessly, and its surfaces as STL."""
    return [
        folder.write_json("plan.json", plan_json(result)),
        *folder.save_noun("plan", result),
        *_save_surfaces(result, folder),
    ]


def _save_surfaces(plan: TreatmentPlan, folder: CaseFolder) -> list[Path]:
    """The vertebra of each level that has a recommended path, and the cannula on each such path."""
    labels = folder.load_noun("labels", LabelVolume)
    numbers = {name: label for label, name in labels.names.items()}
    written = []
    for name, level in plan.levels.items():
        paths = [path for path in level.paths if path.recommended]
        if not paths:
            continue
        stem = "".join(letter if letter.isalnum() else "_" for letter in name)
        vertebra = Path(f"stl/{stem}.stl")
        with folder.replacing(vertebra) as place:
            write_stl(place, labels.labels == numbers[name], labels.geometry, smoothing_mm=SMOOTHING_MM)
        written.append(vertebra)
        for path in paths:
            start = path.entry_bone_lps_mm if path.entry_skin_lps_mm is None else path.entry_skin_lps_mm
            mesh = cylinder_mesh(start, path.target_lps_mm, cannula_named(path.device).radius_mm)
            cannula = Path(f"stl/{stem}-{path.side.value}-cannula.stl")
            with folder.replacing(cannula) as place:
                write_stl_mesh(place, *mesh)
            written.append(cannula)
    return written


def load(folder: CaseFolder) -> Any:
    """Load the plan that was kept."""
    return folder.load_noun("plan", TreatmentPlan)
