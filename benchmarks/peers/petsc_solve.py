"""Solve a stored sparse system by PETSc: ``petsc_solve.py system.npz result.json hypre|gamg``."""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from petsc4py import PETSc


def main(job: str, out: str, kind: str) -> None:
    with np.load(job) as system:
        indptr, indices = system["indptr"], system["indices"]
        data, right = system["data"], system["right"]
    n = right.size
    matrix = PETSc.Mat().createAIJ((n, n), csr=(indptr, indices, data))
    del indptr, indices, data
    wall, cpu = time.perf_counter(), time.process_time()
    solver = PETSc.KSP().create()
    solver.setOperators(matrix)
    solver.setType("cg")
    solver.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    solver.setTolerances(rtol=1e-8, max_it=500)
    solver.getPC().setType(kind)
    if kind == "hypre":
        solver.getPC().setHYPREType("boomeramg")
    b, x = PETSc.Vec().createWithArray(right), PETSc.Vec().createSeq(n)
    solver.solve(b, x)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {"wall_s": wall, "cpu_s": cpu, "peak_mb": peak_mb, "iterations": solver.getIterationNumber()}
    result["sum"] = float(x.getArray().sum())
    Path(out).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
