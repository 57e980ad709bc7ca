"""What everyday life puts on a vertebra, and what that means against its strength.

Compression along the spine in newtons, by body weight, height and posture, from a published equation
whose coefficients, scatter and source stand in ``activity_loads.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from vertebro.case import Estimate
from vertebro.mechanics.settings import PersonSettings

GRAVITY_N_PER_KG = 9.81


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing people do.

    Examples
    --------
    >>> activities()["standing"].title
    'standing'
    """

    name: str
    title: str
    trunk_deg: float
    """How far the trunk leans forwards."""
    load_kg: float = 0.0
    """In the hands."""
    distance_cm: float = 0.0
    """Of that load from the spine."""
    dynamic: float = 1.0
    """How much more than when held still."""
    measured_mpa: float | None = None
    """Disc pressure measured in one man, to compare with; not used."""


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("vertebro.mechanics").joinpath("activity_loads.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


@cache
def activities() -> Mapping[str, Activity]:
    """The activities by name, lightest first."""
    return MappingProxyType({name: Activity(name, **row) for name, row in _table()["activity"].items()})


def equation_source() -> str:
    """Citation of the load equation."""
    return str(_table()["equation"]["source"])


def compression_n(
    activity: Activity, weight_kg: float, height_cm: float, extra_stoop_deg: float = 0.0
) -> float:
    """Compression at the lumbosacral disc, N.

    Parameters
    ----------
    activity : Activity
    weight_kg, height_cm : float
        Of the person.
    extra_stoop_deg : float
        Leaning forwards beyond what the activity asks, as with a bent back.

    Examples
    --------
    >>> round(compression_n(activities()["standing"], 70.0, 174.0))
    575
    """
    row = _table()["equation"]
    weight, load = weight_kg * GRAVITY_N_PER_KG, activity.load_kg * GRAVITY_N_PER_KG
    angle = math.radians(min(90.0, activity.trunk_deg + extra_stoop_deg))
    still = (
        row["a"] * weight * height_cm * math.sin(angle)
        + row["b"] * load * activity.distance_cm
        + row["c"] * (weight / 2.0 + load)
        + row["d"]
    )
    return float(activity.dynamic * still)


def activity_loads(level: str, person: PersonSettings) -> dict[str, Estimate]:
    """Load of each activity on a level, with its interval.

    Parameters
    ----------
    level : str
        ``"T1"`` to ``"L6"``; another name is taken for the lumbosacral disc.
    person : PersonSettings
        What is not known is taken as usual, with a wider interval.

    Examples
    --------
    >>> loads = activity_loads("L2", PersonSettings(weight_kg=70.0, height_cm=174.0))
    >>> round(loads["standing"].value)
    518
    """
    usual, factors = _table()["person"], _table()["level_factor"]
    weight = person.weight_kg or float(usual["weight_kg"])
    height = person.height_cm or float(usual["height_cm"])
    scatter = [float(_table()["equation"]["scatter_percent"])]
    scatter.append(float(_table()["level_factor_basis"]["scatter_percent"]))
    if person.weight_kg is None:
        scatter.append(float(usual["weight_sd_percent"]))
    half = 1.96 * math.hypot(*scatter) / 100.0
    told = f"{weight:g} kg, {height:g} cm" + ("" if person.weight_kg else " (assumed)")
    loads = {}
    for name, activity in activities().items():
        value = float(factors.get(level, 1.0)) * compression_n(
            activity, weight, height, person.extra_stoop_deg
        )
        loads[name] = Estimate(
            value,
            value / (1.0 + half),
            value * (1.0 + half),
            "N",
            f"{activity.title}, {told}; static equation by weight, height and posture",
        )
    return loads


def factor_of_risk(loads: Mapping[str, Estimate], strength_n: Estimate) -> dict[str, Estimate]:
    """Load over strength, activity by activity; missing where no strength is known.

    Examples
    --------
    >>> loads = {"standing": Estimate(500.0, 400.0, 600.0, "N", "an equation")}
    >>> factor_of_risk(loads, Estimate(2000.0, 1600.0, 2500.0, "N", "a model"))["standing"].value
    0.25
    """
    if not strength_n.is_known or strength_n.require() <= 0.0:
        return {name: Estimate.missing("1", strength_n.basis) for name in loads}
    return {
        name: ratio_of(load, strength_n, f"load of {load.basis.split(',')[0]} over strength")
        for name, load in loads.items()
    }


def ratio_of(top: Estimate, bottom: Estimate, basis: str, *, unit: str = "1") -> Estimate:
    """One estimate over another, their intervals taken as independent and log-normal.

    Examples
    --------
    >>> one = Estimate(2.0, 1.0, 4.0, "N", "")
    >>> ratio_of(one, Estimate(1.0, 1.0, 1.0, "N", ""), "by hand").upper
    4.0
    """
    if not (top.is_known and bottom.is_known) or bottom.require() <= 0.0 or top.require() <= 0.0:
        return Estimate.missing(unit, (bottom if top.is_known else top).basis or basis)
    value = top.require() / bottom.require()

    def spread(item: Estimate, side: str) -> float:
        edge = item.lower if side == "down" else item.upper
        edge = max(float(edge or 0.0), 1e-3 * item.require())
        return abs(math.log(edge / item.require()))

    up = math.hypot(spread(top, "up"), spread(bottom, "down"))
    down = math.hypot(spread(top, "down"), spread(bottom, "up"))
    return Estimate(value, value * math.exp(-down), value * math.exp(up), unit, basis)


@dataclass(frozen=True, slots=True)
class StrengthThreshold:
    """Below what strength bone counts as fragile, for a sex."""

    sex: str
    fragile_n: float
    low_n: float
    source: str


def strength_threshold(sex: str) -> StrengthThreshold | None:
    """The thresholds for ``"F"`` or ``"M"``; None for anything else.

    Examples
    --------
    >>> strength_threshold("F").fragile_n, strength_threshold("")
    (4500.0, None)
    """
    rows = _table()["threshold"]
    if sex not in rows:
        return None
    return StrengthThreshold(
        sex,
        float(rows[sex]["fragile_n"]),
        float(rows[sex]["low_n"]),
        str(_table()["threshold_basis"]["source"]),
    )
