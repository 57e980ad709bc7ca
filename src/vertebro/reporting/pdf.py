"""The report as a tagged PDF, and its figures as files: set by typst, which needs no network.

What the case says reaches typst as a JSON file, never as markup, so that no string of a case can be
read as an instruction.
"""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import date
from importlib import resources
from pathlib import Path

from vertebro.reporting.content import CaseReport
from vertebro.reporting.figure import Figure
from vertebro.reporting.files import write_whole
from vertebro.reporting.printable import printable
from vertebro.reporting.svg import svg_from_figure
from vertebro.reporting.typesetting import typeset

FIGURE_PPI = 220.0
"""Resolution of the figures' PNG files, pixels per inch of paper."""


def pdf_from_report(report: CaseReport) -> bytes:
    """The report as PDF bytes (PDF/UA-1: tagged, with the words for each figure).

    Equal reports give equal bytes on the same machine; the document's date is ``report.made_on``.

    Examples
    --------
    See :func:`vertebro.reporting.compose_report`.
    """
    sources = {
        "main.typ": resources.files("vertebro.reporting").joinpath("templates", "report.typ").read_bytes(),
        "report.json": json.dumps(_data(report), ensure_ascii=False).encode("utf-8"),
    }
    for key, figure in report.figures.items():
        sources[f"figures/{key}.svg"] = svg_from_figure(figure).encode("utf-8")
    return typeset(sources, format="pdf", pdf_standards=["ua-1"])


def write_pdf(report: CaseReport, path: str | os.PathLike[str]) -> Path:
    """Write the report as a PDF file; returns its path."""
    return write_whole(path, pdf_from_report(report))


def write_figures(report: CaseReport, folder: str | os.PathLike[str]) -> list[Path]:
    """Write every figure as ``<key>.svg`` and ``<key>.png``; returns the paths.

    Parameters
    ----------
    report : CaseReport
    folder : path
        Made where it is missing. Other files in it are left alone.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    written = []
    for key, figure in report.figures.items():
        written.append(write_whole(root / f"{key}.svg", svg_from_figure(figure).encode("utf-8")))
        written.append(write_whole(root / f"{key}.png", png_from_figure(figure)))
    return written


def png_from_figure(figure: Figure, ppi: float = FIGURE_PPI) -> bytes:
    """A figure as PNG bytes at the given resolution."""
    sheet = (
        f"#set page(width: {figure.width_mm:.3f}mm, height: {figure.height_mm:.3f}mm, margin: 0mm)\n"
        '#image("figure.svg", width: 100%)\n'
    )
    sources = {"main.typ": sheet.encode(), "figure.svg": svg_from_figure(figure).encode("utf-8")}
    return typeset(sources, format="png", ppi=ppi)


def _data(report: CaseReport) -> dict[str, object]:
    """The report without its figures' shapes, as JSON-ready data for the template."""
    plain = {
        item.name: getattr(report, item.name)
        for item in dataclasses.fields(report)
        if item.name not in ("figures", "words")
    }
    data: dict[str, object] = {name: _plain(value) for name, value in plain.items()}
    data["words"] = _plain(report.words)
    data["figures"] = {
        key: {
            "caption": figure.caption,
            "description": figure.description,
            "width_mm": figure.width_mm,
            "height_mm": figure.height_mm,
        }
        for key, figure in report.figures.items()
    }
    data["date"] = _date_parts(report.made_on)
    return data


def _plain(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value


def _date_parts(text: str) -> list[int]:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return []
    return [day.year, day.month, day.day]
