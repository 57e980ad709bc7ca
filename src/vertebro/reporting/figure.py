"""A figure as data: shapes on a sheet measured in millimetres, with no drawing library behind it.

One figure is drawn once and shown thrice: inside the HTML report (where its colours follow the page's
light or dark scheme), inside the PDF, and as a file of its own. :mod:`vertebro.reporting.svg` writes
it. Sheet coordinates: x to the right, y downwards, millimetres of paper, origin at the upper left.

A shape names its *role* (``"outline"``, ``"severe"``, ``"ink"``), never a colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
"""A position on the sheet, mm."""


@dataclass(frozen=True, eq=False, slots=True)
class Raster:
    """A grey picture stretched over a rectangle of the sheet."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    grey: NDArray[np.uint8]
    """(rows, columns): 0 black to 255 white, first row at the top."""


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points, or the area inside them."""

    points: tuple[Point, ...]
    role: str
    width_mm: float = 0.3
    dashed: bool = False
    closed: bool = False
    filled: bool = False
    """Fill the area instead of drawing the line."""
    opacity: float = 1.0
    """Of the filled area."""
    note: str = ""
    """What a reader sees when they point at it."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A round mark."""

    x_mm: float
    y_mm: float
    radius_mm: float
    role: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of words."""

    x_mm: float
    y_mm: float
    """The baseline."""
    words: str
    role: str
    size_mm: float = 2.5
    anchor: str = "start"
    """``"start"``, ``"middle"`` or ``"end"``: which part of the words stands at ``x_mm``."""
    bold: bool = False
    on_image: bool = False
    """Give the letters a dark rim so that they stay legible over bright bone."""


Shape = Raster | Path | Dot | Text


def words_width_mm(words: str, size_mm: float) -> float:
    """About how wide a line of words will be set, on the wide side (DejaVu Sans bold).

    Examples
    --------
    >>> words_width_mm("L1 severe", 2.7) > words_width_mm("L1", 2.7)
    True
    """
    return 0.68 * size_mm * len(words)


@dataclass(frozen=True, slots=True)
class Figure:
    """A finished figure with the words that stand for it where it cannot be seen."""

    key: str
    """Unique in the report, fit for a file name."""
    width_mm: float
    height_mm: float
    caption: str
    description: str
    """What the figure shows, for a reader who cannot see it."""
    shapes: tuple[Shape, ...]
    is_image: bool = False
    """Whether it is drawn on a CT picture (dark in any colour scheme)."""
