"""Telling how far long work is, and letting it be stopped.

Work that takes more than a moment accepts ``progress``: a function called as
``progress(fraction, text)`` with a fraction from 0 to 1. It may raise
:class:`~vertebro.errors.Cancelled`; nothing catches that but the workflow.
"""

from __future__ import annotations

from collections.abc import Callable

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
