"""Telling how far long work is, and letting it be stopped.

Work that takes more than a moment accepts ``progress``: a function called as
``progress(fraction, text)`` with a fraction from 0 to 1. It may raise
:class:`~vertebro.errors.Cancelled`; nothing catches that but the workflow.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
MAX_THREADS = 4
"""More threads than this gain nothing: the array libraries share the memory's bandwidth (measured)."""

Progress = Callable[[float, str], None]
"""``progress(fraction_done, what_is_being_done)``."""


def silent(fraction: float, text: str) -> None:
    """Say nothing."""


def scaled(progress: Progress, start: float, stop: float) -> Progress:
    """A progress function for a part of the work, mapped onto ``[start, stop]`` of the whole.

    Examples
    --------
    >>> seen = []
    >>> scaled(lambda fraction, text: seen.append(fraction), 0.5, 1.0)(0.5, "half of the second half")
    >>> seen
    [0.75]
    """

    def report(fraction: float, text: str) -> None:
        progress(start + (stop - start) * fraction, text)

    return report


def map_in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], progress: Progress, describe: Callable[[Item], str]
) -> list[Result]:
    """Do the same work on every item, some at a time, and tell how far it is.

    For work that spends its time in array libraries, which let other threads run. The order of the
    results is that of the items; what ``work`` or ``progress`` raises ends the rest.

    Examples
    --------
    >>> map_in_threads(abs, [-1, 2], silent, str)
    [1, 2]
    """
    with ThreadPoolExecutor(max_workers=min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        futures = [pool.submit(work, item) for item in items]
        results = []
        try:
            for index, (item, future) in enumerate(zip(items, futures, strict=True)):
                progress(index / len(items), describe(item))
                results.append(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results
