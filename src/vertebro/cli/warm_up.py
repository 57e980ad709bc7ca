"""``vertebro warm-up``: compile everything once, so that no case waits for it."""

from __future__ import annotations

from vertebro.cli.arguments import QuietOption
from vertebro.cli.console import errors_in_words, progress_shown, say


def warm_up(quiet: QuietOption = False) -> None:
    """Compile the numerical kernels and keep them on disk: once after installing, in half a minute."""
    with errors_in_words():
        from vertebro.workflow.readiness import make_ready

        with progress_shown(quiet=quiet) as progress:
            seconds = make_ready(progress)
        if not quiet:
            say(f"Ready after {seconds:.1f} s; from now on kernels are loaded from disk.")
