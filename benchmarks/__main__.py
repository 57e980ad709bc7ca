"""Run every benchmark: ``python -m benchmarks [NAME …]``.

Each module ``bench_<subject>.py`` has functions ``bench_<what>() -> list[Row]``. All rows are printed
as one table and written to ``benchmarks/results/local/<date>.json`` with the machine they ran on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.rows import Row, machine, run_all, table

RESULTS = Path(__file__).parent / "results" / "local"


def main() -> int:
    """Measure, print, write; 1 if a benchmark could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="only benchmarks whose name holds one of these")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    rows: list[Row] = []
    for row in run_all(options.names):
        rows.append(row)
        print(f"{row.subject}: {row.what} done", file=sys.stderr)
    record = {"machine": machine(), "rows": [row.to_json() for row in rows]}
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2) if options.json else table(rows))
    print(
        f"kept in {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}",
        file=sys.stderr,
    )
    return int(any(row.note.startswith("failed") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
