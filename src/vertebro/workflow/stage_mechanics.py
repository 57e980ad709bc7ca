"""Stage ``mechanics``: stiffness, strength and risk of each level, before and after cement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vertebro.case import MechanicsResult
from vertebro.imaging import ScalarVolume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.nifti import save_nifti
from vertebro.mechanics import MechanicsSettings, load_vertebrae, simulated_cement
from vertebro.progress import Progress
from vertebro.reporting import mechanics_json
from vertebro.workflow.stages import Inputs, StageResult


def run(
    inputs: Inputs,
    settings: MechanicsSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing here is random
    progress: Progress,
) -> StageResult:
    """Press every level, with the cement that was injected where there is any."""
    options = inputs["options"]
    result = load_vertebrae(
        inputs["ct"],
        inputs["labels"],
        inputs["assessment"],
        settings,
        cement=simulated_cement(inputs.get("injection"), inputs.get("balloon")),
        context=options.context,
        progress=progress,
    )
    findings = (*result.findings, *(item for level in result.levels.values() for item in level.findings))
    return StageResult(result, findings, {"n_levels": float(len(result.levels))})


def save(result: MechanicsResult, folder: CaseFolder) -> list[Path]:
    """Keep the result as documented JSON and losslessly, and its fields as NIfTI."""
    written = [
        folder.write_json("mechanics.json", mechanics_json(result)),
        *folder.save_noun("mechanics", result),
    ]
    for name, level in result.levels.items():
        stem = "".join(letter if letter.isalnum() else "_" for letter in name)
        fields: dict[str, ScalarVolume | None] = {"strain-before": level.before.strain}
        fields["damage-before"] = level.before.damage
        if level.after is not None:
            fields |= {"strain-after": level.after.strain, "damage-after": level.after.damage}
        for kind, field in fields.items():
            if field is None:
                continue
            place = Path(f"mechanics/{stem}-{kind}.nii.gz")
            with folder.replacing(place) as path:
                text = f"vertebro: {field.quantity}, {field.unit}"[:79]
                save_nifti(path, np.asarray(field.values), field.geometry, description=text)
            written.append(place)
    return written


def load(folder: CaseFolder) -> Any:
    """Load the result that was kept."""
    return folder.load_noun("mechanics", MechanicsResult)
