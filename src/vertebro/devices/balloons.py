"""Balloon tamps: length, rated volume and pressure, each with its source."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from vertebro.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Balloon:
    """A balloon that is blown up in a vertebral body."""

    name: str
    length_mm: float
    deflated_diameter_mm: float
    rated_pressure_kpa: float
    """Highest pressure that its maker allows."""
    rated_volume_ml: float
    """Largest volume that its maker allows."""
    cannula_gauge: int
    """Thinnest cannula that it passes."""
    source: str

    @property
    def deflated_ml(self) -> float:
        """Room that the folded balloon takes.

        Examples
        --------
        >>> round(balloon_named("15 mm tamp").deflated_ml, 3)
        0.106
        """
        return math.pi / 4.0 * self.deflated_diameter_mm**2 * self.length_mm / 1000.0


@cache
def load_balloons() -> tuple[Balloon, ...]:
    """All known balloons, shortest first.

    Examples
    --------
    >>> [balloon.length_mm for balloon in load_balloons()]
    [10.0, 15.0, 20.0]
    """
    text = resources.files("vertebro.devices").joinpath("data/balloons.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["balloon"]
    return tuple(sorted((Balloon(**row) for row in rows), key=lambda balloon: balloon.length_mm))


def balloon_named(name: str) -> Balloon:
    """The balloon of that name or length (``"15 mm tamp"``, ``"15"``).

    Raises
    ------
    SettingsError
        If there is none (``balloon.device``).
    """
    for balloon in load_balloons():
        if name in (balloon.name, f"{balloon.length_mm:g}"):
            return balloon
    raise SettingsError(
        "balloon.device",
        got=f"the balloon {name[:30]!r}",
        needed="one of " + ", ".join(balloon.name for balloon in load_balloons()),
        remedy="Name a balloon of the list.",
        fields=("device",),
    )
