"""``vertebro clinic``: the service in a browser.

The engine does not know it: it is loaded by name when asked for.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from vertebro.cli.console import EXIT_FAILED, say


def clinic(
    demo: Annotated[
        bool, typer.Option("--demo", help="Two sites with invented patients, made anew at each start.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", "-p", min=1024, max=65535, help="Port on this machine.")
    ] = 8800,
    case_folder: Annotated[
        Path | None,
        typer.Option("--case", metavar="DIR", help="With --demo: a case folder whose report a patient gets."),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Folder for database, uploads and secret key."),
    ] = None,
) -> None:
    """Start the clinic on this machine: one record from referral to follow-up, in the browser."""
    try:
        command = importlib.import_module("vertebro_clinic.start.command")
        importlib.import_module("django")
    except ModuleNotFoundError as missing:
        say(f"The clinic is not installed ({missing.name} is missing): pip install 'vertebro[clinic]'")
        raise typer.Exit(EXIT_FAILED) from missing
    command.start(command.Options(port=port, demo=demo, case_folder=case_folder, home=home))
