"""The main job: measuring and grading a CT, whole process and within one.

The real CT is read from ``../shared/data`` where that folder is; a phantom stands in elsewhere.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rows import ProcessRun, Row, run_process

N_REPEATS = 3
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "verse012-L1-fracture"


def bench_assess() -> list[Row]:
    """``vertebro assess`` as a process, ``vertebro run`` with report, and ``assess_levels`` alone, warm."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ct, labels, name = _patient(root)
        rows = [
            _command(root, ct, labels, ("assess", name, "<= 5 s, <= 1500 MB")),
            _command(root, ct, labels, ("run", name, "")),
        ]
        return [*rows, _in_process(ct, labels, name)]


def _patient(root: Path) -> tuple[Path, Path, str]:
    if REAL.is_dir():
        return REAL / "ct.nii.gz", REAL / "vertebrae.nii.gz", "lumbar CT, 6 levels"
    command = Path(sys.executable).with_name("vertebro")
    run_process([command, "phantom", "-o", root / "phantom", "--levels", "T10-L3", "--spacing", "1,1,1"])
    return root / "phantom" / "ct.nii.gz", root / "phantom" / "labels.nii.gz", "phantom, 6 levels"


def _command(root: Path, ct: Path, labels: Path, what: tuple[str, str, str]) -> Row:
    verb, name, target = what
    command = Path(sys.executable).with_name("vertebro")

    def once(index: int) -> ProcessRun:
        return run_process([command, verb, ct, "-l", labels, "-o", root / f"{verb}{index}", "-q"])

    once(-1)
    runs = [once(index) for index in range(N_REPEATS)]
    failed = [run.exit_code for run in runs if run.exit_code]
    return Row(
        subject="assess",
        what=f"vertebro {verb}: {name}",
        wall_s=statistics.median(run.wall_s for run in runs),
        n_repeats=N_REPEATS,
        peak_mb=max(run.peak_mb for run in runs),
        target=target,
        note=f"failed with exit code {failed[0]}" if failed else "",
    )


def _in_process(ct: Path, labels: Path, name: str) -> Row:
    from vertebro.assessment import assess_levels
    from vertebro.io import read_ct, read_labels

    volume = read_ct(ct)
    label_volume = read_labels(labels, volume)
    assess_levels(volume, label_volume)
    walls, cpus = [], []
    for _ in range(N_REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        assess_levels(volume, label_volume)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Row(
        subject="assess",
        what=f"assess_levels: {name}",
        wall_s=statistics.median(walls),
        n_repeats=N_REPEATS,
        note=f"{statistics.median(cpus):.2f} CPU s",
    )
