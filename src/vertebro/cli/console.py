"""What all subcommands share: progress, errors in plain words, exit codes.

Exit codes: 0 done; 1 failed (the input could not be used); 2 bad usage (the command was mistyped);
130 stopped by Ctrl-C (what was finished is kept).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from vertebro.errors import Cancelled, InputError, SettingsError, VertebroError
from vertebro.progress import Progress, silent

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def say(text: str = "") -> None:
    """One line to standard error, where progress and remarks go; standard output is for results."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show(text: str) -> None:
    """One line of result to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show_json(content: object) -> None:
    """A result as JSON to standard output."""
    show(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False))


@contextmanager
def errors_in_words(*, as_json: bool = False) -> Iterator[None]:
    """Turn expected trouble into a plain sentence and an exit code; a programmer's error stays loud."""
    try:
        yield
    except Cancelled as stop:
        say(f"Stopped: {stop}.")
        raise typer.Exit(EXIT_INTERRUPTED) from stop
    except KeyboardInterrupt as stop:
        say("Stopped.")
        raise typer.Exit(EXIT_INTERRUPTED) from stop
    except VertebroError as problem:
        code = problem.code if isinstance(problem, InputError) else "failed"
        if as_json:
            show_json({"error": {"code": code, "message": str(problem)}})
        say(f"Error ({code}): {problem}")
        is_usage = isinstance(problem, SettingsError)
        raise typer.Exit(EXIT_USAGE if is_usage else EXIT_FAILED) from problem
    except BrokenPipeError as closed:
        raise typer.Exit(EXIT_FAILED) from closed


@contextmanager
def progress_shown(*, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on a terminal, plain lines where output goes to a file, nothing when quiet."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _plain_lines()


def _plain_lines() -> Progress:
    last = ""

    def report(fraction: float, text: str) -> None:
        nonlocal last
        if text != last:
            say(f"[{fraction:4.0%}] {text}")
            last = text

    return report


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def report(fraction: float, text: str) -> None:
            bar.update(task, completed=fraction, description=text)

        yield report
