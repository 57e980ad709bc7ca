"""``vertebro report``: compose the report of a case."""

from __future__ import annotations

from vertebro.cli.arguments import CaseArgument, QuietOption
from vertebro.cli.console import errors_in_words, progress_shown, say, show


def report(case: CaseArgument, quiet: QuietOption = False) -> None:
    """Compose the report of a case (HTML and PDF) from what its folder holds."""
    with errors_in_words():
        from vertebro.workflow import rerun_case

        with progress_shown(quiet=quiet) as progress:
            finished = rerun_case(case, stages=("dicom", "report"), progress=progress)
        if "report" in finished.reused:
            say("Nothing has changed since the report was made; it is still valid.")
        show(str(finished.folder.root / "report.html"))
        show(str(finished.folder.root / "report.pdf"))
