"""Read many label paths in one process with little memory, and tell how each ended: run as a script.

Usage: ``python read_labels_under_limits.py MEGABYTES CT < PATHS``: one path to a line; every second
one is also compared with the CT. One JSON line comes back for each: how it ended (``"labels"``, an
error code, or the name of an exception that should not come through), and how long it took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback

import numpy as np

from vertebro.errors import InputError
from vertebro.imaging import LabelVolume, Volume
from vertebro.io import load_nifti_array, read_labels
from vertebro.io.label_grid import count_values


def is_sound(labels: LabelVolume) -> bool:
    """Every label present has a name and every name a label; the grid is finite."""
    present = set(np.flatnonzero(count_values(labels.labels)).tolist()) - {0}
    return present == set(labels.names) and bool(np.all(np.isfinite(labels.geometry.lps_from_voxel)))


def main() -> None:
    megabytes = int(sys.argv[1])
    array, geometry, _, _ = load_nifti_array(sys.argv[2])
    volume = Volume(array.astype(np.int16), geometry)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    for count, line in enumerate(sys.stdin):
        begin = time.monotonic()
        trace = ""
        try:
            labels = read_labels(line.rstrip("\n"), volume if count % 2 else None)
            end = "labels" if is_sound(labels) else "bad labels"
        except InputError as error:
            end = error.code
        except BaseException as error:  # noqa: BLE001 - what must not happen is what is looked for here
            end, trace = f"!{type(error).__name__}", traceback.format_exc()
        seconds = time.monotonic() - begin
        report = {"path": line.rstrip("\n"), "end": end, "seconds": seconds, "trace": trace[-1500:]}
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
