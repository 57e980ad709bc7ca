"""Voxel elasticity: an elliptic vertebral body pressed by 1 %, here, in ParOSol and in CalculiX.

The body is 43×37×28 mm, its moduli 50 to 2000 MPa in 64 steps (a stiff shell and endplates, soft waves
within), ν 0.3, both ends held sideways, at 1, 0.5 and 0.35 mm. Programs take turns, and ratios of the
best of the rounds are what counts: the machine's other work disturbs all alike. The error is that of
the reaction, against our own solution to 1e-12. ParOSol is found by ``PAROSOL_PYTHON`` (a Python that
has parosol-py), CalculiX as ``ccx`` on the path; those not found are listed as skipped.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, run_process
from vertebro.io.calculix import CalculixSolver, write_inp
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    IsotropicMaterial,
    NodeConditions,
    resultant,
    solve_elasticity,
)
from vertebro.numerics.elastoplasticity import PlasticMaterial, solve_load_path

PEER = Path(__file__).parent / "peers" / "parosol_press.py"
HEIGHT_MM, STRAIN, TOLERANCE = 28.0, -0.01, 1e-6
N_STEPS = 15


@dataclass(frozen=True)
class Timed:
    """One solution by one program."""

    wall_s: float
    cpu_s: float
    force_n: float
    peak_mb: float | None = None


def young_mpa(h: float) -> NDArray[np.float64]:
    """(i, j, k): the body's moduli, 0 outside it."""
    a, b = 21.5, 18.5
    counts = [int(np.ceil(2 * a / h)) + 1, int(np.ceil(2 * b / h)) + 1, round(HEIGHT_MM / h)]
    x, y = ((np.arange(n) - (n - 1) / 2) * h for n in counts[:2])
    z = (np.arange(counts[2]) + 0.5) * h
    x, y = x[:, None, None], y[:, None]
    reach = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    wave = np.sin(x / 2.3 + 1) * np.cos(y / 2.9) * np.sin(z / 3.1 + 0.4)
    wave = wave + 0.5 * np.sin(x / 1.1) * np.sin(y / 1.3 + 2) * np.cos(z / 1.2)
    level = np.round(63 * (wave + 1.5) / 3.0) / 63
    young = np.where((reach > 0.93) | (z < 1) | (z > HEIGHT_MM - 1), 2000.0, 50.0 * 10.0**level)
    return np.where(reach <= 1.0, young, 0.0)


def _problem(h: float, strain: float = STRAIN) -> tuple[ElasticityProblem, NDArray[np.bool_]]:
    material = IsotropicMaterial(young_mpa(h), 0.3)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    conditions = NodeConditions.free(material.shape).hold(bottom).hold(top, (0, 1))
    conditions = conditions.hold(top, (2,), strain * material.shape[2] * h)
    return ElasticityProblem(material, (h, h, h), conditions), top


def _ours(problem: ElasticityProblem, top: NDArray[np.bool_], tolerance: float) -> Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    solution = solve_elasticity(problem, ElasticitySettings(tolerance=tolerance), throw=True)
    force = float(resultant(solution, top)[0][2])
    return Timed(time.perf_counter() - wall, time.process_time() - cpu, force)


def _our_memory_mb(h: float) -> float:
    """Highest resident memory of a process that solves the case once."""
    script = f"from benchmarks.bench_elasticity import _ours, _problem; _ours(*_problem({h}), {TOLERANCE})"
    return run_process([sys.executable, "-c", script]).peak_mb


def _parosol(h: float, problem: ElasticityProblem, folder: Path) -> Timed | None:
    python = os.environ.get("PAROSOL_PYTHON")
    if not python:
        return None
    job, out = folder / "job.npz", folder / "out.json"
    material = problem.material
    assert isinstance(material, IsotropicMaterial)
    np.savez(
        job,
        young_mpa=material.young_mpa,
        spacing_mm=h,
        strain=STRAIN,
        tolerance=TOLERANCE,
        folder=str(folder / "parosol"),
    )
    subprocess.run([python, str(PEER), str(job), str(out)], check=True, capture_output=True)
    answer = json.loads(out.read_text(encoding="utf-8"))
    return Timed(answer["wall_s"], answer["cpu_s"], answer["force_n"], answer["peak_mb"])


def _calculix(problem: ElasticityProblem, top: NDArray[np.bool_], folder: Path) -> Timed | None:
    program = shutil.which("ccx")
    if program is None:
        return None
    deck = write_inp(folder / "body.inp", problem, solver=CalculixSolver.ITERATIVE)
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([program, "body"], cwd=folder, check=True, capture_output=True)
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    numbers, force, counts = set(deck.node_numbers[top].tolist()), 0.0, False
    for line in (folder / "body.dat").read_text(encoding="ascii").splitlines():
        if "(fx,fy,fz)" in line:
            counts = True
        elif counts and line.strip():
            parts = line.split()
            force += float(parts[3]) if int(parts[0]) in numbers else 0.0
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(wall, cpu, force)


def _row(who: str, n_elements: int, runs: list[Timed], exact: float, against: list[Timed]) -> Row:
    wall, cpu = min(run.wall_s for run in runs), min(run.cpu_s for run in runs)
    error = max(abs(run.force_n / exact - 1.0) for run in runs)
    note = f"processor {cpu:.2f} s; reaction error {error:.1e}"
    if against:
        least = min(run.wall_s for run in against), min(run.cpu_s for run in against)
        note += f"; ours {wall / least[0]:.1f}x faster, {cpu / least[1]:.1f}x in processor seconds"
    peaks = [run.peak_mb for run in runs if run.peak_mb is not None]
    return Row(who, f"{n_elements} elements", wall, len(runs), max(peaks, default=None), note=note)


def _race(h: float, n_rounds: int) -> list[Row]:
    """The same body in all programs, by turns."""
    problem, top = _problem(h)
    n_elements = int(problem.material.is_material.sum())
    exact = _ours(problem, top, 1e-12).force_n
    ours: list[Timed] = []
    peers: dict[str, list[Timed]] = {"ParOSol, 2 ranks": [], "CalculiX iterative": []}
    with tempfile.TemporaryDirectory() as name:
        for turn in range(n_rounds):
            ours.append(_ours(problem, top, TOLERANCE))
            run = _parosol(h, problem, Path(name))
            peers["ParOSol, 2 ranks"] += [run] if run else []
            if h >= 0.5 and turn == 0:
                run = _calculix(problem, top, Path(name))
                peers["CalculiX iterative"] += [run] if run else []
    own = _row("vertebro", n_elements, ours, exact, [])
    rows = [replace(own, peak_mb=_our_memory_mb(h), target=_TARGETS.get(h, ""))]
    for who, theirs in peers.items():
        if theirs:
            rows.append(_row(who, n_elements, theirs, exact, ours))
        elif who != "CalculiX iterative" or h >= 0.5:
            rows.append(Row(who, f"{n_elements} elements", 0.0, 0, note="skipped: not found"))
    return rows


def bench_body_of_1_mm() -> list[Row]:
    """35 thousand elements."""
    return _race(1.0, 3)


def bench_body_of_half_a_mm() -> list[Row]:
    """280 thousand elements."""
    return _race(0.5, 2)


def bench_body_of_a_third_mm() -> list[Row]:
    """810 thousand elements, without CalculiX."""
    return _race(0.35, 1)


_TARGETS = {
    0.5: "10x ParOSol (5x processor), 30x CalculiX, <= 600 MB",
    0.35: "8x ParOSol",
}


def bench_beyond_yield() -> list[Row]:
    """Load–displacement curve to 3 % of the body at 1 mm."""
    problem, top = _problem(1.0, -0.03)
    n_elements = int(problem.material.is_material.sum())
    wall, cpu = time.perf_counter(), time.process_time()
    curve = solve_load_path(
        problem, PlasticMaterial(), np.linspace(0.0, 1.0, N_STEPS + 1)[1:].tolist(), monitor=top
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    note = (
        f"processor {cpu:.1f} s; {sum(curve.n_newton)} Newton steps; peak {-curve.force_n[:, 2].min():.0f} N"
    )
    return [
        Row(
            "vertebro",
            f"{N_STEPS} steps beyond yield, {n_elements} elements",
            wall,
            1,
            target="<= 60 s",
            note=note,
        )
    ]
