"""Planning one level: needle paths of both sides, procedure, cement.

The real CT is read from ``../shared/data`` where that folder is; a phantom stands in elsewhere.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rows import Row

if TYPE_CHECKING:
    from vertebro.imaging import LabelVolume, Volume

N_REPEATS = 3
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "verse012-L1-fracture"


def bench_plan() -> list[Row]:
    """``plan_treatment``, warm, for each level."""
    from vertebro.assessment import assess_levels
    from vertebro.planning import plan_treatment

    volume, labels, name = _patient()
    assessment = assess_levels(volume, labels)
    n_levels = len(assessment.levels)
    plan_treatment(volume, labels, assessment)
    walls, cpus = [], []
    for _ in range(N_REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        plan_treatment(volume, labels, assessment)
        walls.append((time.perf_counter() - wall) / n_levels)
        cpus.append((time.process_time() - cpu) / n_levels)
    return [
        Row(
            subject="plan",
            what=f"plan_treatment, each level: {name}",
            wall_s=statistics.median(walls),
            n_repeats=N_REPEATS,
            target="<= 2 CPU s",
            note=f"{statistics.median(cpus):.2f} CPU s",
        )
    ]


def _patient() -> tuple[Volume, LabelVolume, str]:
    from vertebro.io import read_ct, read_labels
    from vertebro.phantoms import PhantomSettings, make_phantom

    if REAL.is_dir():
        volume = read_ct(REAL / "ct.nii.gz")
        return volume, read_labels(REAL / "vertebrae.nii.gz", volume), "lumbar CT, 6 levels"
    patient = make_phantom(PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(1.0, 1.0, 1.0)))
    return patient.volume, patient.labels, "phantom, 3 levels"
