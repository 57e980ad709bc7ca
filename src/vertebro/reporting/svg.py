"""Write a figure as SVG: deterministic, self-contained, with colours from a palette.

Text is escaped by the XML writer, so a level name or a caption can hold anything.
"""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vertebro.reporting.figure import Dot, Figure, Path, Raster, Shape, Text
from vertebro.reporting.printable import printable

FONT_FAMILY: Final = "'DejaVu Sans', Verdana, sans-serif"
"""For figures that stand alone; inside a page they take the page's own."""

PAPER: Final[Mapping[str, str]] = MappingProxyType(
    {
        # on a chart
        "ink": "#1d2733",
        "muted": "#5b6875",
        "grid": "#dde3e8",
        "band": "#d8e6ea",
        "band-edge": "#7fa3ad",
        "paper": "#ffffff",
        "normal": "#2f7f86",
        "mild": "#8a6d00",
        "moderate": "#b85400",
        "severe": "#b3202c",
        "ungraded": "#66727e",
        # on a CT picture, the same in any colour scheme
        "image-paper": "#000000",
        "image-rim": "#0b0f13",
        "image-ink": "#f4f7f9",
        "image-normal": "#7fd6d6",
        "image-mild": "#ffd84d",
        "image-moderate": "#ff9d3c",
        "image-severe": "#ff6b70",
        "image-ungraded": "#b9c3cc",
        "image-anterior": "#ffd84d",
        "image-middle": "#8be28b",
        "image-posterior": "#8fb8ff",
        "image-endplate": "#f4f7f9",
        "image-needle": "#6fd8ff",
        "image-cement": "#ff8ad8",
    }
)
"""Colour of every role on white paper."""


def paper_colour(role: str) -> str:
    """The colour of a role on white paper."""
    return PAPER[role]


def page_colour(role: str) -> str:
    """The colour of a role inside the HTML page: a CSS custom property, except on CT pictures."""
    return PAPER[role] if role.startswith("image-") else f"var(--fig-{role})"


def svg_from_figure(
    figure: Figure, *, colour: Callable[[str], str] = paper_colour, standalone: bool = True
) -> str:
    """The figure as SVG text.

    Parameters
    ----------
    figure : Figure
    colour : callable
        Role to CSS colour: :func:`paper_colour` for files and print, :func:`page_colour` inside the
        HTML report.
    standalone : bool
        Give it a size in millimetres, a font and a background; otherwise it fills its container.

    Returns
    -------
    str
        One ``<svg>`` element. Equal figures give equal text.

    Examples
    --------
    >>> dot = Figure("dot", 10.0, 10.0, "A dot", "One dot.", (Dot(5.0, 5.0, 1.0, "ink"),))
    >>> svg_from_figure(dot).startswith("<svg")
    True
    """
    root = ET.Element("svg")
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("viewBox", f"0 0 {_n(figure.width_mm)} {_n(figure.height_mm)}")
    root.set("role", "img")
    root.set("aria-label", printable(figure.description))
    if standalone:
        root.set("width", f"{_n(figure.width_mm)}mm")
        root.set("height", f"{_n(figure.height_mm)}mm")
        root.set("font-family", FONT_FAMILY)
        paper = "image-paper" if figure.is_image else "paper"
        ET.SubElement(root, "rect", width="100%", height="100%", fill=colour(paper))
    for shape in figure.shapes:
        _append(root, shape, colour)
    return ET.tostring(root, encoding="unicode")


def png_from_grey(grey: NDArray[np.uint8]) -> bytes:
    """A grey picture as PNG bytes, without dates or other facts of the machine."""
    from PIL import Image  # noqa: PLC0415 - only when a picture is written

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


@lru_cache(maxsize=256)
def _encoded(pixels: bytes, shape: tuple[int, int]) -> str:
    """A grey picture as base64 of its PNG; kept, because page, PDF and files show the same pictures."""
    grey = np.frombuffer(pixels, np.uint8).reshape(shape)
    return base64.b64encode(png_from_grey(grey)).decode("ascii")


def _append(root: ET.Element, shape: Shape, colour: Callable[[str], str]) -> None:
    match shape:
        case Raster():
            data = _encoded(shape.grey.tobytes(), shape.grey.shape)
            element = ET.SubElement(root, "image", preserveAspectRatio="none")
            element.set("href", f"data:image/png;base64,{data}")
            for name, value in zip(
                ("x", "y", "width", "height"),
                (shape.x_mm, shape.y_mm, shape.width_mm, shape.height_mm),
                strict=True,
            ):
                element.set(name, _n(value))
        case Path():
            _append_path(root, shape, colour)
        case Dot():
            element = ET.SubElement(root, "circle", cx=_n(shape.x_mm), cy=_n(shape.y_mm))
            element.set("r", _n(shape.radius_mm))
            element.set("style", f"fill:{colour(shape.role)}")
            _note(element, shape.note)
        case Text():
            _append_text(root, shape, colour)


def _append_path(root: ET.Element, path: Path, colour: Callable[[str], str]) -> None:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in path.points)
    element = ET.SubElement(root, "polygon" if path.closed or path.filled else "polyline", points=points)
    if path.filled:
        element.set("style", f"fill:{colour(path.role)};stroke:none")
        if path.opacity < 1.0:
            element.set("fill-opacity", _n(path.opacity))
    else:
        dash = f";stroke-dasharray:{_n(4 * path.width_mm)} {_n(3 * path.width_mm)}" if path.dashed else ""
        element.set(
            "style",
            f"fill:none;stroke:{colour(path.role)};stroke-width:{_n(path.width_mm)}"
            f";stroke-linejoin:round;stroke-linecap:round{dash}",
        )
    _note(element, path.note)


def _append_text(root: ET.Element, text: Text, colour: Callable[[str], str]) -> None:
    element = ET.SubElement(root, "text", x=_n(text.x_mm), y=_n(text.y_mm))
    element.set("font-size", _n(text.size_mm))
    if text.anchor != "start":
        element.set("text-anchor", text.anchor)
    if text.bold:
        element.set("font-weight", "700")
    style = f"fill:{colour(text.role)}"
    if text.on_image:
        rim = _n(0.28 * text.size_mm)
        style += f";stroke:{colour('image-rim')};stroke-width:{rim};paint-order:stroke;stroke-linejoin:round"
    element.set("style", style)
    element.text = printable(text.words)


def _note(element: ET.Element, note: str) -> None:
    if note:
        ET.SubElement(element, "title").text = printable(note)


def _n(value: float) -> str:
    """A number with at most three decimals, written one way only."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
