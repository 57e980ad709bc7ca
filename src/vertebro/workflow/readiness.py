"""Getting an installation ready, so that nobody's first case waits for the compiler."""

from __future__ import annotations

import time

from vertebro.numerics import warm_up
from vertebro.progress import Progress, scaled, silent


def make_ready(progress: Progress = silent) -> float:
    """Compile all kernels and keep them on disk; load them where that is done already.

    Called once after installing, and by a server when it starts.

    Parameters
    ----------
    progress : Progress

    Returns
    -------
    float
        Seconds that it took.

    Examples
    --------
    >>> make_ready() >= 0.0
    True
    """
    from vertebro.planning.clearance import compile_kernels  # noqa: PLC0415 - brings a compiler with it

    start = time.perf_counter()
    warm_up(scaled(progress, 0.0, 0.9))
    progress(0.9, "Making ready: distances around needles")
    compile_kernels()
    progress(1.0, "Ready")
    return time.perf_counter() - start
