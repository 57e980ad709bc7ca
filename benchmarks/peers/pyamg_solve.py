"""Solve a stored sparse system by PyAMG: ``pyamg_solve.py system.npz result.json ruge_stuben|smoothed``."""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyamg
from scipy.sparse import csr_matrix


def main(job: str, out: str, kind: str) -> None:
    with np.load(job) as system:
        matrix = csr_matrix((system["data"], system["indices"], system["indptr"]))
        right = system["right"]
    wall, cpu = time.perf_counter(), time.process_time()
    build = pyamg.ruge_stuben_solver if kind == "ruge_stuben" else pyamg.smoothed_aggregation_solver
    history: list[float] = []
    x = build(matrix).solve(right, tol=1e-8, accel="cg", maxiter=300, residuals=history)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {"wall_s": wall, "cpu_s": cpu, "peak_mb": peak_mb, "iterations": len(history) - 1}
    result["sum"] = float(x.sum())
    Path(out).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
