"""Simulated X-rays: one view, every angle, several materials, live pairs; against other projectors.

The task is the same for all: a 512×512×200 float32 CT with a ball of radius 40 mm, cone beam,
source–detector 1100 mm, source–centre 700 mm, 300 mm detector. Error: line integrals through the
ball against its chords, within 0.9 of its radius, root mean square. Times are the best of the
repeats, wall and processor; vertebro may not skip empty voxels here. Peers are found by the
environment variables ``RTK_PYTHON`` and ``DIFFDRR_PYTHON`` (a Python that has the package) and by
``plastimatch`` on the path; those not found are listed as skipped.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row
from vertebro.case import CArmPose
from vertebro.fluoroscopy import (
    BeamModel,
    BeamSettings,
    Fill,
    FluoroscopySettings,
    Instrument,
    LivePair,
    LiveView,
    Rod,
    barium_cement,
    prepare_anatomy,
    render_view,
)
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.numerics import ConeBeam, RayVolume, ValueRamps, line_integrals

PEERS = Path(__file__).parent / "peers"
SHAPE, SPACING_MM = (512, 512, 200), np.array([0.75, 0.75, 1.25])
RADIUS_MM, SOURCE_MM, DETECTOR_DISTANCE_MM, DETECTOR_MM = 40.0, 700.0, 1100.0, 300.0
VIEWS_DEG = ((30.0, 0.0), (0.0, 0.0), (30.0, 20.0), (0.0, 30.0), (45.0, 0.0))
N_REPEATS = 5


def _ball() -> NDArray[np.float32]:
    """Partial-volume voxels of a ball, by distance from its surface."""
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(SHAPE, SPACING_MM, strict=True)]
    square = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2
    distance = np.sqrt(square, dtype=np.float32)
    values = np.zeros(SHAPE, np.float32)
    values[distance < RADIUS_MM] = 1.0
    offsets = (np.arange(4) + 0.5) / 4 - 0.5
    for i, j, k in np.argwhere(np.abs(distance - RADIUS_MM) < 1.0):
        near = [axes[a][index] + offsets * SPACING_MM[a] for a, index in enumerate((i, j, k))]
        inside = near[0][:, None, None] ** 2 + near[1][:, None] ** 2 + near[2] ** 2 < RADIUS_MM**2
        values[i, j, k] = inside.mean()
    return values


def _beam(turn_deg: float, tilt_deg: float, n: int) -> ConeBeam:
    turn, tilt = np.radians(turn_deg), np.radians(tilt_deg)
    towards = np.array([np.sin(turn) * np.cos(tilt), -np.cos(turn) * np.cos(tilt), np.sin(tilt)])
    right = np.array([np.cos(turn), np.sin(turn), 0.0])
    down = np.cross(right, towards)
    pitch = DETECTOR_MM / n
    corner = towards * (DETECTOR_DISTANCE_MM - SOURCE_MM) - (right + down) * pitch * (n - 1) / 2
    return ConeBeam(-SOURCE_MM * towards, corner, right * pitch, down * pitch, (n, n))


def _error_percent(image: NDArray[np.float32]) -> float:
    """Against the chords; the ball looks the same from every side."""
    n = image.shape[0]
    place = (np.arange(n) - (n - 1) / 2) * DETECTOR_MM / n
    reach = np.sqrt(place[:, None] ** 2 + place**2)
    offset = SOURCE_MM * reach / np.hypot(reach, DETECTOR_DISTANCE_MM)
    inner = offset < 0.9 * RADIUS_MM
    chord = 2 * np.sqrt(RADIUS_MM**2 - offset[inner] ** 2)
    return 100.0 * float(np.sqrt(np.mean((image[inner] / chord - 1) ** 2)))


def _best(work: Callable[[], object], n_repeats: int = N_REPEATS) -> tuple[float, float]:
    """Least wall and least processor seconds of the repeats."""
    walls, cpus = [], []
    for _ in range(n_repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def _row(
    who: str, what: str, times: tuple[float, float], error: float | None = None, target: str = ""
) -> Row:
    note = f"processor {times[1]:.3f} s" + ("" if error is None else f"; error {error:.3f} %")
    return Row(who, what, times[0], N_REPEATS, target=target, note=note)


def _own_views(values: NDArray[np.float32]) -> list[Row]:
    affine = np.diag([*SPACING_MM, 1.0])
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    everything = RayVolume(values, affine, floor=-1.0)
    rows = []
    for n in (512, 1024):
        for turn, tilt in VIEWS_DEG if n == 512 else VIEWS_DEG[:1]:
            beam = _beam(turn, tilt, n)
            error = _error_percent(line_integrals(everything, beam)[0])
            # a map that counts empty voxels too: no voxel may be skipped
            times = _best(partial(line_integrals, everything, beam, _ALL))
            rows.append(
                _row("vertebro", f"{n}² view {turn:g}/{tilt:g}°", times, error, "3x RTK" if n == 512 else "")
            )
    return rows


_ALL = ValueRamps(np.array([-1.0], np.float32), np.array([[1.0]], np.float32))


def _peer_views(name: str, python: str | None, script: str, job: Path, labels: list[str]) -> list[Row]:
    if python is None or not Path(python).exists():
        return [Row(name, "skipped", 0.0, 0, note="not found; see the module's docstring")]
    out = job.with_name(f"{name}.npz")
    command = [python, str(PEERS / script), str(job), str(out), str(N_REPEATS)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode:
        return [Row(name, "failed", 0.0, 0, note=f"failed: {run.stderr.strip().splitlines()[-1][:120]}")]
    with np.load(out) as result:
        return [
            _row(name, label, (float(wall), float(cpu)), _error_percent(image))
            for label, image, wall, cpu in zip(
                labels, result["images"], result["wall_s"], result["cpu_s"], strict=True
            )
        ]


def _plastimatch_views(values: NDArray[np.float32], folder: Path) -> list[Row]:
    program = shutil.which("plastimatch")
    if program is None:
        return [Row("plastimatch", "skipped", 0.0, 0, note="not found on the path")]
    corner = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = {corner[0]} {corner[1]} {corner[2]}\n"
        f"ElementSpacing = {SPACING_MM[0]} {SPACING_MM[1]} {SPACING_MM[2]}\nDimSize = 512 512 200\n"
        "ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    ct = folder / "ball.mha"
    ct.write_bytes(header.encode() + np.ascontiguousarray(values.T).tobytes())
    rows = []
    for method in ("exact", "uniform"):
        command = [
            program,
            "drr",
            "-y",
            "30",
            "-a",
            "1",
            "--sad",
            str(SOURCE_MM),
            "--sid",
            str(DETECTOR_DISTANCE_MM),
        ]
        command += [
            "-r",
            "512 512",
            "-z",
            f"{DETECTOR_MM} {DETECTOR_MM}",
            "-i",
            method,
            "-P",
            "none",
            "-t",
            "raw",
        ]
        command += ["-O", str(folder / f"{method}_"), str(ct)]
        walls, cpus = [], []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            found = re.search(r"Total time: ([0-9.]+)", run.stdout)
            walls.append(float(found.group(1)) if found else float("nan"))
            cpus.append(after.ru_utime - before.ru_utime)
        image = np.fromfile(folder / f"{method}_0000.raw", np.float32).reshape(512, 512)
        error = _error_percent(image / image[255:257, 255:257].mean() * 2 * RADIUS_MM)
        rows.append(
            _row(
                "plastimatch",
                f"512² view 30/0° ({method}; processor with file reading)",
                (min(walls), min(cpus)),
                error,
            )
        )
    return rows


def bench_views() -> list[Row]:
    """One view of a 512×512×200 CT at several angles, here and elsewhere."""
    values = _ball()
    rows = _own_views(values)
    with tempfile.TemporaryDirectory() as name:
        job = Path(name) / "job.npz"
        np.savez(
            job,
            values=values,
            spacing_mm=SPACING_MM,
            views_deg=np.array(VIEWS_DEG),
            n_pixels=512,
            detector_mm=DETECTOR_MM,
            source_mm=SOURCE_MM,
            detector_distance_mm=DETECTOR_DISTANCE_MM,
        )
        labels = [f"512² view {turn:g}/{tilt:g}°" for turn, tilt in VIEWS_DEG]
        rows += _peer_views("RTK Joseph", os.environ.get("RTK_PYTHON"), "rtk_cast.py", job, labels)
        rows += _plastimatch_views(values, Path(name))
        names = ["512² view 30/0° (siddon)", "512² view 30/0° (trilinear)"]
        rows += _peer_views("DiffDRR", os.environ.get("DIFFDRR_PYTHON"), "diffdrr_cast.py", job, names)
    return rows


def _body() -> Volume:
    """A body of tissue with a column of bone, 512×512×200, for whole images."""
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(SHAPE, SPACING_MM, strict=True)]
    hu = np.full(SHAPE, -1000, np.int16)
    across = np.hypot(axes[0][:, None] / 170.0, axes[1] / 110.0) < 1.0
    hu[across] = 30
    bone = np.hypot(axes[0][:, None], axes[1] - 50.0) < 20.0
    segments = np.abs(axes[2]) % 32.0 < 25.0
    hu[bone[:, :, None] & segments] = 250
    affine = np.diag([*SPACING_MM, 1.0])
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    return Volume(hu, VolumeGeometry(SHAPE, affine))


def bench_images() -> list[Row]:
    """Whole images (projection, physics, display) with one energy and with a spectrum, 1024²."""
    pose = CArmPose.parse("RPO 20 CRA 10", (0.0, 40.0, 0.0))
    rows, body = [], _body()
    for model in (BeamModel.MONOENERGETIC, BeamModel.POLYENERGETIC):
        settings = FluoroscopySettings(beam=BeamSettings(model=model))
        anatomy = prepare_anatomy(body, settings.beam)
        render_view(anatomy, pose, settings)
        times = _best(partial(render_view, anatomy, pose, settings))
        target = "<= 2.5x one energy" if model is BeamModel.POLYENERGETIC else ""
        rows.append(_row("image 1024²", model.value, times, target=target))
    return rows


def bench_live() -> list[Row]:
    """Biplane pairs with a moving needle and a drop of cement, 1024²."""
    anatomy, rng = prepare_anatomy(_body()), np.random.default_rng(1)
    centre = (0.0, 40.0, 0.0)
    views = [
        LiveView(
            anatomy,
            CArmPose.parse(name, centre),
            FluoroscopySettings(c_arm="fixed_biplane", plane=plane),
            rng=rng,
        )
        for name, plane in (("ap", "main"), ("lateral", "lateral"))
    ]
    pair = LivePair(*views)
    index = np.arange(40) - 19.5
    ball = (index[:, None, None] ** 2 + index[:, None] ** 2 + index**2 < 16.0**2).astype(np.float32)
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = [-10.0, 30.0, -10.0]
    cement = Fill(ball, affine, barium_cement())
    tip = iter(np.tile(np.linspace(0.0, 20.0, 40), 1000))

    def tools(n_tools: int) -> list[Instrument]:
        needle = Rod((38.0, 105.0, 8.0), (12.0, 75.0 - float(next(tip)), 2.0), 3.4, 2.7)
        both: list[Instrument] = [needle, cement]
        return both[:n_tools]

    rows = []
    for what, n_tools in (("needle", 1), ("needle and cement", 2)):
        pair.frames(tools(n_tools))
        n_pairs = 60
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(n_pairs):
            pair.frames(tools(n_tools))
        wall, cpu = (time.perf_counter() - wall) / n_pairs, (time.process_time() - cpu) / n_pairs
        note = f"{1 / wall:.0f} pairs/s; processor {1000 * cpu:.1f} ms a pair"
        rows.append(Row("live pair 1024²", what, wall, n_pairs, target=">= 60 pairs/s", note=note))
    return rows


def bench_first_image() -> list[Row]:
    """A new process's first view of a small CT, compiled code on disk; and with none there."""
    script = (
        "import time, sys; t = time.perf_counter(); import numpy as np, vertebro.fluoroscopy as f; "
        "from vertebro.case import CArmPose; from vertebro.imaging import Volume, VolumeGeometry; "
        "g = VolumeGeometry.from_spacing((60, 60, 60), (2., 2., 2.), (-60., -60., -60.)); "
        "v = Volume(np.zeros(g.shape, np.int16), g); "
        "f.render_view(v, CArmPose.parse('ap', (0, 0, 0)), f.FluoroscopySettings(256, 256)); "
        "print(time.perf_counter() - t)"
    )
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for what, places in (("compiled before", {}), ("nothing compiled", {"NUMBA_CACHE_DIR": name})):
            run = subprocess.run(
                [sys.executable, "-c", script],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, **places},
            )
            rows.append(Row("first image", what, float(run.stdout), 1, target="<= 2 s of compiling"))
    return rows
