"""Bone cements as data: how they flow, when they set, what they weigh, heat and bear.

Each cement is a ``.toml`` file in ``data/cements``; every value stands with its spread and its source.
Times count from the start of mixing. No laws here: :mod:`vertebro.materials.cement_rheology` reads the
rows of the flow table.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from vertebro.errors import InputError

_FOLDER = "data/cements"
_GAS_CONSTANT = 8.314462618
_PHASE_REFERENCE_C = 22.0


class CementPhase(StrEnum):
    """What can be done with cement at a time."""

    MIXING = "mixing"
    """Powder and liquid are being mixed."""
    WAITING = "waiting"
    """Too runny to inject."""
    WORKING = "working"
    """Can be injected; as thick as toothpaste."""
    SETTING = "setting"
    """Too stiff to inject, not yet hard."""
    SET = "set"
    """Hard."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """A number with its spread and what it rests on."""

    value: float
    spread: float
    source: str


@dataclass(frozen=True, slots=True)
class FlowRow:
    """The flow curve at one age, at the reference temperature."""

    age_min: float
    consistency_pa_s: float
    index: float
    yield_pa: float


@dataclass(frozen=True, slots=True)
class CementProduct:
    """One cement."""

    key: str
    name: str
    family: str
    """``"low"``, ``"medium"``, ``"high"`` (viscosity) or ``"generic"``."""
    needs_source: str
    """What a user must know of the example before relying on it."""
    flow_rows: tuple[FlowRow, ...]
    flow_source: str
    reference_c: Sourced
    activation_kj_mol: Sourced
    set_min: Sourced
    """Age at which it is hard, at the reference temperature."""
    viscosity_spread: Sourced
    """Factor up and down that holds about 95 % of batches and reports."""
    mixing_until_min: Sourced
    waiting_until_min: Sourced
    working_until_min: Sourced
    opacifier: str
    """A beam material."""
    opacifier_mass_fraction: Sourced
    density_g_cc: Sourced
    heat_j_g: Sourced
    conductivity_w_mk: Sourced
    heat_capacity_j_gk: Sourced
    modulus_mpa: Sourced
    poisson_ratio: Sourced
    compressive_strength_mpa: Sourced

    def ageing_rate(self, temperature_c: float) -> float:
        """Minutes of age for a minute of the clock at a temperature.

        Examples
        --------
        >>> load_cement("generic").ageing_rate(22.0)
        1.0
        """
        inverse = 1.0 / (self.reference_c.value + 273.15) - 1.0 / (temperature_c + 273.15)
        return math.exp(self.activation_kj_mol.value * 1e3 / _GAS_CONSTANT * inverse)

    def phase_at(self, minutes: float, room_c: float = _PHASE_REFERENCE_C) -> CementPhase:
        """The phase after so many minutes in a room of that temperature.

        Examples
        --------
        >>> [load_cement("generic").phase_at(minutes).value for minutes in (0.5, 2, 6, 15, 40)]
        ['mixing', 'waiting', 'working', 'setting', 'set']
        >>> load_cement("generic").phase_at(9.0, room_c=30.0).value
        'setting'
        """
        if minutes < self.mixing_until_min.value:
            return CementPhase.MIXING
        age = self.mixing_until_min.value + (minutes - self.mixing_until_min.value) * self.ageing_rate(room_c)
        if age < self.waiting_until_min.value:
            return CementPhase.WAITING
        if age < self.working_until_min.value:
            return CementPhase.WORKING
        return CementPhase.SETTING if age < self.set_min.value else CementPhase.SET

    def hard_min(
        self, injected_min: float, room_c: float = _PHASE_REFERENCE_C, body_c: float = 37.0
    ) -> float:
        """Minutes after mixing at which cement injected at a time is hard in the body.

        Examples
        --------
        >>> 10.0 < load_cement("generic").hard_min(5.0) < 20.0
        True
        """
        left = self.set_min.value - injected_min * self.ageing_rate(room_c)
        return injected_min + max(left, 0.0) / self.ageing_rate(body_c)


@cache
def cement_names() -> tuple[str, ...]:
    """Keys of the cements that can be loaded.

    Examples
    --------
    >>> cement_names()
    ('generic', 'high_viscosity', 'low_viscosity', 'medium_viscosity')
    """
    folder = resources.files("vertebro.devices").joinpath(_FOLDER)
    return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load_cement(key: str) -> CementProduct:
    """A cement by its key; ``"low"``, ``"medium"`` and ``"high"`` will do for the examples.

    Raises
    ------
    InputError
        If there is none (``device.unknown``).

    Examples
    --------
    >>> load_cement("high").name
    'High-viscosity acrylic cement'
    """
    full = key if key in cement_names() else f"{key}_viscosity"
    if full not in cement_names():
        raise InputError(
            "device.unknown",
            got=f"the cement {key[:40]!r}",
            needed=f"one of {', '.join(cement_names())}",
            remedy="Choose one of these, or add a data file.",
            fields=("product",),
        )
    file = resources.files("vertebro.devices").joinpath(_FOLDER).joinpath(f"{full}.toml")
    return cement_from_toml(full, file.read_text(encoding="utf-8"))


def cement_from_toml(key: str, text: str) -> CementProduct:
    """A cement from the text of a data file, for products that are not shipped.

    Raises
    ------
    InputError
        If a value is missing or has no source (``cement.data``).
    """
    try:
        return _product(key, tomllib.loads(text))
    except (KeyError, TypeError, ValueError) as problem:
        raise InputError(
            "cement.data",
            got=f"a cement file that lacks or misstates {problem}",
            needed="the tables of the shipped examples, each value with value, spread and source",
            remedy="Compare it with data/cements/generic.toml.",
            fields=("product",),
        ) from problem


def _product(key: str, data: Mapping[str, Any]) -> CementProduct:
    flow, phases, heat, cured = data["flow"], data["phases"], data["heat"], data["cured"]
    return CementProduct(
        key=key,
        name=data["name"],
        family=data["family"],
        needs_source=data["needs_source"],
        flow_rows=tuple(FlowRow(**{name: float(x) for name, x in row.items()}) for row in flow["rows"]),
        flow_source=flow["source"],
        reference_c=_sourced(flow["reference_c"]),
        activation_kj_mol=_sourced(flow["activation_kj_mol"]),
        set_min=_sourced(flow["set_min"]),
        viscosity_spread=_sourced(flow["spread_factor"]),
        mixing_until_min=_sourced(phases["mixing_until_min"]),
        waiting_until_min=_sourced(phases["waiting_until_min"]),
        working_until_min=_sourced(phases["working_until_min"]),
        opacifier=data["opacifier"]["material"],
        opacifier_mass_fraction=_sourced(data["opacifier"]["mass_fraction"]),
        density_g_cc=_sourced(data["bulk"]["density_g_cc"]),
        heat_j_g=_sourced(heat["heat_j_g"]),
        conductivity_w_mk=_sourced(heat["conductivity_w_mk"]),
        heat_capacity_j_gk=_sourced(heat["heat_capacity_j_gk"]),
        modulus_mpa=_sourced(cured["modulus_mpa"]),
        poisson_ratio=_sourced(cured["poisson_ratio"]),
        compressive_strength_mpa=_sourced(cured["compressive_strength_mpa"]),
    )


def _sourced(row: Mapping[str, Any]) -> Sourced:
    if not str(row["source"]).strip():
        raise ValueError("a value without a source")
    return Sourced(float(row["value"]), float(row["spread"]), str(row["source"]))
