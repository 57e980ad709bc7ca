"""Darcy pressure and injection: one pressure solution against PETSc and PyAMG, and steps a second.

Pressure: a block with smooth log-normal permeability of contrast 10⁴, two open sides, random supply, to
a relative residual of 1e-8; setting up the preconditioner counts, assembling a peer's matrix does not.
Peers are found by ``PETSC_PYTHON`` (a Python with petsc4py; Debian's also needs ``PETSC_DIR``) and
``PYAMG_PYTHON``; those not found are listed as skipped. Runs alternate. ``DARCY_CELLS`` sets the cells
along an edge (default 100; the published comparison is at 200).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import csc_matrix

from benchmarks.rows import Row
from vertebro.numerics import darcy_reference, usable_threads
from vertebro.numerics.darcy_flow import DarcyMedium, FlowSettings, Newtonian, Opening, at_rest, step
from vertebro.numerics.darcy_multigrid import Bands, NodeLinks
from vertebro.numerics.darcy_pressure import FlowMatrix, preconditioner, solve_pressure

PEERS = Path(__file__).parent / "peers"
N_REPEATS = 2


def _system(n: int) -> tuple[FlowMatrix, NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    field = gaussian_filter(rng.standard_normal((n, n, n)), 2.0, mode="wrap")
    k = 10.0 ** np.clip(field / field.std(), -2.0, 2.0)
    faces = []
    for axis in range(3):
        t = np.zeros((n + 2,) * 3)
        low, high = np.moveaxis(k, axis, 0)[:-1], np.moveaxis(k, axis, 0)[1:]
        place = [slice(1, -1)] * 3
        place[axis] = slice(1, -2)
        t[tuple(place)] = np.moveaxis(2.0 * low * high / (low + high), 0, axis)
        faces.append(t)
    sink = np.zeros((n + 2,) * 3)
    sink[1, 1:-1, 1:-1], sink[-2, 1:-1, 1:-1] = 2.0 * k[0], 2.0 * k[-1]
    active = np.zeros(sink.shape, bool)
    active[1:-1, 1:-1, 1:-1] = True
    q = np.where(active, rng.standard_normal(sink.shape), 0.0)
    none = np.zeros(0, np.int64)
    links = NodeLinks(none, none, np.zeros(0))
    return FlowMatrix(faces[0], faces[1], faces[2], sink, links, csc_matrix((0, 0)), active), q


def _own(matrix: FlowMatrix, q: NDArray[np.float64]) -> tuple[float, float, int]:
    bands = Bands(usable_threads())
    wall, cpu = time.perf_counter(), time.process_time()
    grid = preconditioner(matrix, bands)
    found = solve_pressure(matrix, (q, np.zeros(0)), None, grid, bands, tolerance=1e-8)
    return time.perf_counter() - wall, time.process_time() - cpu, found.iterations


def _peer(python: str | None, script: str, kind: str, job: Path) -> dict[str, float] | None:
    if python is None or not Path(python).exists():
        return None
    out = job.with_name(f"{kind}.json")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [python, str(PEERS / script), str(job), str(out), kind]
    run = subprocess.run(command, check=False, capture_output=True, env=environment)
    return json.loads(out.read_text(encoding="utf-8")) if run.returncode == 0 else None


def bench_pressure() -> list[Row]:
    """One cold solution of the pressure, here and by algebraic multigrid."""
    n = int(os.environ.get("DARCY_CELLS", "100"))
    matrix, q = _system(n)
    petsc, pyamg = os.environ.get("PETSC_PYTHON"), os.environ.get("PYAMG_PYTHON")
    peers = [
        ("PETSc hypre", petsc, "petsc_solve.py", "hypre"),
        ("PETSc GAMG", petsc, "petsc_solve.py", "gamg"),
        ("PyAMG Ruge-Stüben", pyamg, "pyamg_solve.py", "ruge_stuben"),
    ]
    own: list[tuple[float, float, int]] = []
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        job = Path(name) / "system.npz"
        sparse, cells = darcy_reference.sparse_matrix(matrix)
        csr = sparse.tocsr()
        np.savez(job, indptr=csr.indptr, indices=csr.indices, data=csr.data, right=q.reshape(-1)[cells])
        del sparse, csr, cells
        for who, python, script, kind in peers:
            own.append(_own(matrix, q))
            result = _peer(python, script, kind, job)
            if result is None:
                rows.append(
                    Row(who, "skipped", 0.0, 0, note="not found or failed; see the module's docstring")
                )
                continue
            note = (
                f"processor {result['cpu_s']:.2f} s; {result['iterations']:.0f} steps; vertebro in the same "
                f"turn {own[-1][0]:.2f} s, processor {own[-1][1]:.2f} s: "
                f"{result['wall_s'] / own[-1][0]:.1f} times in wall, "
                f"{result['cpu_s'] / own[-1][1]:.1f} in processor time"
            )
            rows.append(Row(who, f"{n}³ pressure", result["wall_s"], 1, peak_mb=result["peak_mb"], note=note))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    best = min(own)
    note = (
        f"processor {best[1]:.2f} s; {best[2]} steps; peak of this whole process, matrices for peers included"
    )
    first = Row("vertebro", f"{n}³ pressure", best[0], len(own), peak_mb=peak, target="1/15 hypre", note=note)
    return [first, *rows]


def _body(spacing_mm: float, has_gas: bool) -> tuple[DarcyMedium, Newtonian, Opening]:
    """An elliptic body of heterogeneous bone in tissue, 68 mm across, with a thin wall that has gaps."""
    n = round(68 / spacing_mm)
    axis = (np.arange(n) - (n - 1) / 2) * spacing_mm
    x, y, z = axis[:, None, None], axis[:, None], axis
    inside = ((x / 24.0) ** 2 + (y / 17.0) ** 2 < 1.0) & (np.abs(z) < 13.0)
    rng = np.random.default_rng(0)
    field = gaussian_filter(rng.standard_normal((n, n, n)), 2.0 / spacing_mm)
    k = np.where(inside, 0.04 * 10.0 ** (0.5 * field / field.std()), 0.01)
    layers = []
    for a in range(3):
        moved = np.moveaxis(inside, a, 0)
        layer = np.zeros(moved.shape)
        wall = moved[:-1] != moved[1:]
        layer[:-1][wall] = np.where(rng.random(int(wall.sum())) > 0.01, 5e4, 10.0)
        layers.append(np.ascontiguousarray(np.moveaxis(layer, 0, a)))
    resident = np.where(inside, 2e-5, 1e-6)
    if has_gas:
        resident[inside & (np.abs(z - 6.0) < 2.0) & (np.abs(x) < 12.0) & (np.abs(y) < 8.0)] = 2e-11
    medium = DarcyMedium(spacing_mm, np.where(inside, 0.85, 0.5), k, (layers[0], layers[1], layers[2]))
    middle = (n - 1) / 2
    return (
        medium,
        Newtonian(resident),
        Opening((middle + 6 / spacing_mm, middle + 4 / spacing_mm, middle), 1.3),
    )


def bench_injection() -> list[Row]:
    """Injected time over computing time at 2 mL/min, after the first 10 s."""
    rows = []
    for spacing_mm, has_gas, dt_s, target in (
        (1.0, False, 1.0, "20x"),
        (1.0, True, 1.0, "20x"),
        (1.0, False, 0.1, "4x"),
    ):
        medium, resident, mouth = _body(spacing_mm, has_gas)
        settings, cement, supply = FlowSettings(), Newtonian(2e-4), [(mouth, 33.0)]
        state = step(
            medium, at_rest(medium), supply, injected=cement, resident=resident, dt_s=10.0, settings=settings
        ).state
        wall, cpu, n_steps = time.perf_counter(), time.process_time(), 10
        for _ in range(n_steps):
            state = step(
                medium, state, supply, injected=cement, resident=resident, dt_s=dt_s, settings=settings
            ).state
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        what = f"{spacing_mm:g} mm, {dt_s:g} s steps{', gas cleft' if has_gas else ''}"
        note = f"{n_steps * dt_s / wall:.1f}x real time; processor {1000 * cpu / n_steps:.0f} ms a step"
        rows.append(Row("injection", what, wall / n_steps, n_steps, target=target, note=note))
    return rows
