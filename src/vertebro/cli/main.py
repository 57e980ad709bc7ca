"""The ``vertebro`` command."""

from __future__ import annotations

import io
import sys

import typer

from vertebro.cli.assess import assess
from vertebro.cli.clinic import clinic
from vertebro.cli.demo import demo
from vertebro.cli.inflate import inflate
from vertebro.cli.info import info
from vertebro.cli.inject import inject
from vertebro.cli.load import load
from vertebro.cli.phantom import phantom
from vertebro.cli.plan import plan
from vertebro.cli.report import report
from vertebro.cli.run_stages import run as run_all
from vertebro.cli.segment import segment
from vertebro.cli.view import view
from vertebro.cli.warm_up import warm_up

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
app.command("run")(run_all)
app.command("assess")(assess)
app.command("segment")(segment)
app.command("plan")(plan)
app.command("inflate")(inflate)
app.command("inject")(inject)
app.command("view")(view)
app.command("load")(load)
app.command("report")(report)
app.command("phantom")(phantom)
app.command("demo")(demo)
app.command("clinic")(clinic)
app.command("warm-up")(warm_up)
app.command("info")(info)


def run() -> None:
    """Entry point of the ``vertebro`` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    app()


if __name__ == "__main__":
    run()
