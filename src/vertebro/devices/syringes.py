"""Syringes and injectors for cement: limits and outlets, each with its source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from vertebro.errors import InputError


@dataclass(frozen=True, slots=True)
class Syringe:
    """What pushes the cement into the cannula."""

    key: str
    name: str
    volume_ml: float
    limit_kpa: float
    """Highest pressure that is reached with it."""
    outlet_length_mm: float
    outlet_diameter_mm: float
    max_rate_ml_min: float
    source: str


@cache
def load_syringes() -> Mapping[str, Syringe]:
    """All known syringes by key.

    Examples
    --------
    >>> sorted(load_syringes())
    ['screw_injector', 'syringe_1ml', 'syringe_3ml']
    """
    text = resources.files("vertebro.devices").joinpath("data/syringes.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    return MappingProxyType({key: Syringe(key=key, **row) for key, row in rows.items()})


def syringe_named(key: str) -> Syringe:
    """A syringe by its key.

    Raises
    ------
    InputError
        If there is none (``device.unknown``).

    Examples
    --------
    >>> syringe_named("syringe_1ml").limit_kpa
    3200.0
    """
    known = load_syringes()
    if key not in known:
        raise InputError(
            "device.unknown",
            got=f"the syringe {key[:40]!r}",
            needed=f"one of {', '.join(known)}",
            remedy="Choose one of these, or add it to the data file.",
            fields=("syringe",),
        )
    return known[key]
