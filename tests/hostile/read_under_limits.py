"""Read many paths in one process with little memory, and tell how each ended: run as a script.

Usage: ``python read_under_limits.py MEGABYTES < PATHS``: one path to a line; one JSON line comes back
for each: how it ended (``"volume"``, an error code, or the name of an exception that should not
come through), and how long it took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
from pathlib import Path

from vertebro.errors import InputError
from vertebro.io import read_ct


def main() -> None:
    megabytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    for line in sys.stdin:
        path = line.rstrip("\n")
        begin = time.monotonic()
        trace = ""
        try:
            volume = read_ct(path)
            end = "volume" if volume.hu.size and volume.hu.min() >= -1024 else "bad volume"
        except InputError as error:
            end = error.code
        except BaseException as error:  # noqa: BLE001 - what must not happen is what is looked for here
            end, trace = f"!{type(error).__name__}", traceback.format_exc()
        seconds = time.monotonic() - begin
        status = Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1]
        peak = int(status.split()[0]) / 1024.0
        report = {"path": path, "end": end, "seconds": seconds, "peak_megabytes": peak, "trace": trace}
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
