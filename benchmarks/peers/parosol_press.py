"""Press a body of bricks with ParOSol: run by a Python that has parosol-py, as its own process.

``python parosol_press.py job.npz out.json``: the job holds ``young_mpa`` (i, j, k), ``spacing_mm``,
``strain``, ``tolerance`` and ``folder``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from parosol_py.api import solve


def main(job: Path, out: Path) -> None:
    """Solve once; write wall and processor seconds, memory of one process and the reaction."""
    with np.load(job) as case:
        h = float(case["spacing_mm"])
        material = np.ascontiguousarray(case["young_mpa"].transpose(2, 1, 0))
        start = time.perf_counter()
        result = solve(
            material=material,
            spacing=(h, h, h),
            strain=float(case["strain"]),
            tolerance=float(case["tolerance"]),
            mpi_processes=2,
            outputs=("sed",),
            work_dir=str(case["folder"]),
        )
        wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = {
        "wall_s": wall,
        "own_timer_s": result.summary.run.overall_time_seconds,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1e3,
        "force_n": result.diagnostics["mechanics"]["reaction_force"]["z"],
    }
    out.write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
