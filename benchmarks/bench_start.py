"""How long a person waits before anything happens: import and the first command."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.rows import ProcessRun, Row, run_process

N_REPEATS = 7


def _row(what: str, command: list[str | Path], target: str) -> Row:
    run_process(command)  # compiled files and disk cache are warm, as for anyone's second start
    runs: list[ProcessRun] = [run_process(command) for _ in range(N_REPEATS)]
    failed = [run.exit_code for run in runs if run.exit_code]
    return Row(
        subject="start",
        what=what,
        wall_s=statistics.median(run.wall_s for run in runs),
        n_repeats=N_REPEATS,
        peak_mb=max(run.peak_mb for run in runs),
        target=target,
        note=f"failed with exit code {failed[0]}" if failed else "",
    )


def bench_start() -> list[Row]:
    """An empty Python (to compare with), ``import vertebro``, ``vertebro info``."""
    command = Path(sys.executable).with_name("vertebro")
    return [
        _row("python -c pass", [sys.executable, "-c", "pass"], ""),
        _row("import vertebro", [sys.executable, "-c", "import vertebro"], "<= 0.3 s"),
        _row("vertebro info", [command, "info"], "<= 0.5 s"),
    ]
