"""Bone-access cannulas: gauge, diameters, lengths, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Cannula:
    """A cannula through which needle, balloon and cement go."""

    name: str
    gauge: int
    outer_diameter_mm: float
    inner_diameter_mm: float
    lengths_mm: tuple[float, ...]
    use: str
    """``"vertebroplasty"``, ``"kyphoplasty"`` or ``"either"``."""
    source: str

    @property
    def radius_mm(self) -> float:
        """Outer radius."""
        return self.outer_diameter_mm / 2.0

    def length_for(self, depth_mm: float, grip_mm: float = 20.0) -> float | None:
        """The shortest stocked length that reaches ``depth_mm`` with ``grip_mm`` left outside, or None."""
        return next((length for length in self.lengths_mm if length >= depth_mm + grip_mm), None)


@cache
def load_cannulas() -> tuple[Cannula, ...]:
    """All known cannulas, thinnest first.

    Examples
    --------
    >>> [cannula.gauge for cannula in load_cannulas()]
    [13, 11, 10, 8]
    """
    text = resources.files("vertebro.devices").joinpath("data/cannulas.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["cannula"]
    cannulas = [Cannula(**{**row, "lengths_mm": tuple(map(float, row["lengths_mm"]))}) for row in rows]
    return tuple(sorted(cannulas, key=lambda cannula: cannula.outer_diameter_mm))


def cannula_named(name: str) -> Cannula:
    """The cannula of that name or gauge (``"11 G cannula"``, ``"11"``).

    Raises
    ------
    KeyError
        If there is none.
    """
    for cannula in load_cannulas():
        if name in (cannula.name, str(cannula.gauge), f"{cannula.gauge}G"):
            return cannula
    raise KeyError(name)
