"""``vertebro info``: what this installation is and can do, at once."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Annotated

import typer

import vertebro
from vertebro.cli.console import show, show_json
from vertebro.workflow import STAGES

_LIBRARIES = ("numpy", "scipy", "numba", "pydicom", "highdicom", "typst")


def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show version, libraries and the stages that this installation can run."""
    content = {
        "version": vertebro.__version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cores": os.cpu_count(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "stages": [
            {"name": stage.name, "does": stage.title, "writes": list(stage.writes)} for stage in STAGES
        ],
        "medical_device": False,
    }
    if as_json:
        show_json(content)
        return
    show(f"vertebro {content['version']} (Python {content['python']}, {content['system']})")
    show("libraries: " + ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES))
    show("stages:")
    for stage in STAGES:
        show(f"  {stage.name:<12} {stage.title}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
