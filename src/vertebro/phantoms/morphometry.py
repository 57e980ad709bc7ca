"""Average sizes of vertebrae T4 to S1, read from ``morphometry.csv``.

Sources. Endplate widths and depths, posterior heights and canal sizes: recalled from Panjabi et al.,
Spine 1991;16:861 (thoracic) and 1992;17:299 (lumbar), means of 12 cadavers, unverified. Pedicle
isthmus widths, heights and transverse angles: recalled from Zindrick et al., Spine 1987;12:160,
unverified. Ratios of anterior to posterior height, disc heights and the sizes of processes: assumed,
chosen to be typical of an adult's lumbar and thoracic CT. All of S1: assumed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Morphometry:
    """Average sizes of one level; columns of ``morphometry.csv``."""

    level: str
    verse_label: int
    width_superior_mm: float
    depth_superior_mm: float
    width_inferior_mm: float
    depth_inferior_mm: float
    posterior_height_mm: float
    anterior_posterior_ratio: float
    """Anterior over posterior height."""
    pedicle_width_mm: float
    """Narrowest outer width, in the transverse plane."""
    pedicle_height_mm: float
    pedicle_angle_deg: float
    """Angle between pedicle axis and sagittal plane; positive where it runs medially to the front."""
    canal_width_mm: float
    canal_depth_mm: float
    disc_below_mm: float
    spinous_length_mm: float
    spinous_drop_deg: float
    """How far below the horizontal the spinous process points."""
    transverse_half_span_mm: float
    """From the midline to the tip of a transverse process."""


@cache
def morphometry() -> Mapping[str, Morphometry]:
    """Sizes by level, from cranial to caudal.

    Examples
    --------
    >>> morphometry()["L1"].posterior_height_mm
    23.8
    """
    text = resources.files("vertebro.phantoms").joinpath("morphometry.csv").read_text(encoding="utf-8")
    rows: dict[str, Morphometry] = {}
    numeric = [item.name for item in fields(Morphometry)][2:]
    for row in csv.DictReader(text.splitlines()):
        sizes = {name: float(row[name]) for name in numeric}
        rows[row["level"]] = Morphometry(row["level"], int(row["verse_label"]), **sizes)
    return MappingProxyType(rows)
