"""The ``vertebro`` command."""

from __future__ import annotations

import sys

import typer

from vertebro.cli import assess, demo, info, phantom, report, run_stages

app = typer.Typer(
    name="vertebro",
    help=(
        "From a CT of a broken vertebra to a fracture report. For research, education and rehearsal; "
        "not a certified medical device.\n\n"
        "Exit codes: 0 done, 1 failed, 2 bad usage, 130 stopped by Ctrl-C."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run_stages.run)
app.command("assess")(assess.assess)
app.command("report")(report.report)
app.command("phantom")(phantom.phantom)
app.command("demo")(demo.demo)
app.command("info")(info.info)


def run() -> None:
    """Entry point of the ``vertebro`` script."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
        sys.stderr.reconfigure(encoding="utf-8", errors="replace")
    app()


if __name__ == "__main__":
    run()
