"""The report as one self-contained HTML page: no script, no request to anywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vertebro.reporting.content import CaseReport
from vertebro.reporting.figure import Figure
from vertebro.reporting.files import write_whole
from vertebro.reporting.printable import printable
from vertebro.reporting.svg import PAPER, page_colour, svg_from_figure

_DARK = {
    "ink": "#e6ebef",
    "muted": "#a3b0bb",
    "grid": "#2f3a44",
    "band": "#27434a",
    "band-edge": "#5f949f",
    "paper": "#161c22",
    "normal": "#6cc3c9",
    "mild": "#e2bd45",
    "moderate": "#f2a156",
    "severe": "#ff8a8d",
    "ungraded": "#9aa7b2",
}
"""Colours of a figure's roles on the page's dark paper."""


def html_from_report(report: CaseReport) -> str:
    """The report as HTML text.

    Every string of the case is escaped by the template engine; figures are inline SVG written by an
    XML writer. The page allows itself nothing but its own styles and embedded pictures.

    Examples
    --------
    See :func:`vertebro.reporting.compose_report`.
    """
    import jinja2  # noqa: PLC0415 - only when a page is written
    from markupsafe import Markup  # noqa: PLC0415

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vertebro.reporting", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )

    def draw(key: str) -> Any:
        return Markup(svg_from_figure(report.figures[key], colour=page_colour, standalone=False))  # noqa: S704

    def figure(key: str) -> Figure:
        return report.figures[key]

    template = environment.get_template("report.html.j2")
    return template.render(
        report=report, words=report.words, draw=draw, figure=figure, light=_light(), dark=_DARK
    )


def write_html(report: CaseReport, path: str | os.PathLike[str]) -> Path:
    """Write the report as one HTML file; returns its path."""
    return write_whole(path, html_from_report(report).encode("utf-8"))


def _light() -> dict[str, str]:
    return {role: colour for role, colour in PAPER.items() if not role.startswith("image-")}
