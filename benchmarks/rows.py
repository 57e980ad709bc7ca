"""What a benchmark returns, how modules are found, and the tools that measure."""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing."""

    subject: str
    """What was worked on: ``"import"``, ``"verse012-L1-fracture"``."""
    what: str
    """What was done."""
    wall_s: float
    """Median wall time of the repeats."""
    n_repeats: int = 1
    peak_mb: float | None = None
    """Highest resident memory of the process, MB; None where not measured."""
    target: str = ""
    """What the project aims at, in words; nothing is asserted."""
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """The row as JSON-ready data."""
        return asdict(self)


def run_all(names: Sequence[str] = ()) -> Iterator[Row]:
    """Rows of every ``bench_*`` function in every ``bench_*.py`` here, in alphabetical order."""
    for path in sorted(FOLDER.glob("bench_*.py")):
        module = importlib.import_module(f"benchmarks.{path.stem}")
        for function_name in sorted(vars(module)):
            full_name = f"{path.stem}.{function_name}"
            if not function_name.startswith("bench_") or (names and not any(n in full_name for n in names)):
                continue
            yield from getattr(module, function_name)()


def timed(work: Callable[[], object], n_repeats: int = 5) -> float:
    """Median wall time of ``work()`` in seconds."""
    times = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@dataclass(frozen=True, slots=True)
class ProcessRun:
    """One run of a command: its wall time, highest resident memory and exit code."""

    wall_s: float
    peak_mb: float
    exit_code: int


def run_process(command: Sequence[str | Path]) -> ProcessRun:
    """Run a command to its end, watching its memory (children included) fifty times a second."""
    start = time.perf_counter()
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident_bytes(watched))
            time.sleep(0.02)
    return ProcessRun(time.perf_counter() - start, peak / 1e6, process.returncode)


def _resident_bytes(process: psutil.Process) -> int:
    try:
        members = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in members)
    except psutil.Error:  # the process ended between two looks
        return 0


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    return {
        "platform": platform.platform(),
        "python": sys.version.split()[0],
        "n_cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "when_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def table(rows: Sequence[Row]) -> str:
    """The rows as an aligned text table."""
    head = ("subject", "what", "time s", "peak MB", "target", "note")
    lines = [
        (
            row.subject,
            row.what,
            f"{row.wall_s:.3f}",
            "" if row.peak_mb is None else f"{row.peak_mb:.0f}",
            row.target,
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, tuple("-" * width for width in widths), *lines]
    )
