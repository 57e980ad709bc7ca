"""What a body's heights would be if it were not fractured, from its neighbours and its own shape.

Two kinds of witness, each carried over by the ratio of level-typical heights
(``level_heights.csv``) and combined by inverse variance:

- the same height of complete, unfractured levels near by: levels differ little from their
  neighbours, and the two sides together cancel what the table gets wrong;
- for the anterior and middle height, the body's own posterior height, where that is itself not lost.

A level counts as fractured, and is dropped as a witness, when one of its heights falls short of what
the others say by the mildest grade; this is repeated until it settles.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import numpy as np

from vertebro.assessment.settings import AssessmentSettings
from vertebro.case import Estimate, Heights
from vertebro.case.level import Level

NAMES = ("anterior", "middle", "posterior")
UNKNOWN_LEVEL_SPREAD = 2.0
"""Factor on the spread where a level has no typical heights, so ratios of one are used (assumed)."""
OWN_EXPECTATION = "its own posterior height"
TABLE_SOURCE = (
    "typical heights: posterior after Panjabi 1991 and 1992 (recalled), ratios assumed after Black 1991 and "
    "Eastell 1991 (recalled); unverified"
)


@dataclass(frozen=True, slots=True)
class LevelMeasure:
    """The measured heights of one level, as a witness for others."""

    name: str
    order: int
    """Place along the spine: neighbours differ by one."""
    heights_mm: Mapping[str, Estimate]
    usable: bool
    """Complete, and not known to be fractured."""


@dataclass(frozen=True, slots=True)
class _Witness:
    value_mm: float
    sigma_mm: float
    source: str


@cache
def typical_heights() -> Mapping[str, Mapping[str, float]]:
    """Level-typical heights (mm) of an unfractured adult body, by level and height.

    Only ratios between levels and heights are used, never the sizes themselves.

    Examples
    --------
    >>> typical_heights()["L1"]["posterior"]
    23.8
    """
    text = resources.files("vertebro.assessment").joinpath("level_heights.csv").read_text(encoding="utf-8")
    rows = {}
    for row in csv.DictReader(text.splitlines()):
        posterior = float(row["posterior_height_mm"])
        rows[row["level"]] = {
            "anterior": posterior * float(row["anterior_posterior_ratio"]),
            "middle": posterior * float(row["middle_posterior_ratio"]),
            "posterior": posterior,
        }
    return MappingProxyType(rows)


def expected_heights(
    measures: list[LevelMeasure], settings: AssessmentSettings
) -> tuple[dict[str, Heights], frozenset[str]]:
    """Expected heights of every level, and the levels taken as fractured on the way.

    Parameters
    ----------
    measures : list of LevelMeasure
        All levels, in any order.
    settings : AssessmentSettings

    Returns
    -------
    dict of level name to Heights, and the names of levels not used as witnesses
    """
    suspects = _initial_suspects(measures, settings)
    for _ in range(len(measures) + 1):
        expected = {item.name: _expect(item, measures, suspects, settings) for item in measures}
        now = frozenset(
            item.name for item in measures if item.usable and _is_short(item, expected[item.name], settings)
        )
        if now == suspects:
            break
        suspects = now
    return expected, suspects


def loss_percent(height: Estimate, expected: Estimate) -> Estimate | None:
    """``100 · (1 − height / expected)`` with both uncertainties; None where either is missing.

    Examples
    --------
    >>> loss = loss_percent(Estimate.symmetric(15.0, 1.0, "mm", ""), Estimate.symmetric(20.0, 1.0, "mm", ""))
    >>> loss.value
    25.0
    """
    if height.value is None or expected.value is None or expected.value <= 0.0:
        return None
    ratio = height.value / expected.value
    relative = np.hypot(_sigma(height) / max(height.value, 1e-6), _sigma(expected) / expected.value)
    half = 100.0 * 1.96 * float(relative) * ratio
    loss = 100.0 * (1.0 - ratio)
    return Estimate.symmetric(loss, half, "percent", "against the expected unfractured height")


def is_own_expectation(expected: Heights) -> bool:
    """Whether a posterior height is expected only from itself, for want of neighbours."""
    return expected.posterior.basis.startswith(OWN_EXPECTATION)


def _sigma(estimate: Estimate) -> float:
    if estimate.lower is None or estimate.upper is None:
        return 0.0
    return (estimate.upper - estimate.lower) / (2.0 * 1.96)


def _typical(name: str, height: str) -> tuple[float, bool]:
    table = typical_heights()
    if name in table:
        return table[name][height], True
    flat = {"anterior": 1.0, "middle": 0.93, "posterior": 1.0}
    return flat[height], False


def _initial_suspects(measures: list[LevelMeasure], settings: AssessmentSettings) -> frozenset[str]:
    """Levels that look broken by their own shape, or small against the median of the spine."""
    limit = settings.genant_mild_percent / 100.0
    sizes = {
        item.name: float(
            np.median(
                [
                    value / _typical(item.name, key)[0]
                    for key in NAMES
                    if (value := item.heights_mm[key].value)
                ]
            )
        )
        for item in measures
        if item.usable
        and all(item.heights_mm[key].value for key in NAMES)
        and _typical(item.name, "posterior")[1]
    }
    usual = float(np.median(list(sizes.values()))) if sizes else 1.0
    suspects = set()
    for item in measures:
        if item.name not in sizes:
            continue
        posterior = item.heights_mm["posterior"].require() / _typical(item.name, "posterior")[0]
        for key in NAMES:
            share = item.heights_mm[key].require() / _typical(item.name, key)[0]
            if share < (1.0 - limit) * max(posterior, usual):
                suspects.add(item.name)
    return frozenset(suspects)


def _is_short(item: LevelMeasure, expected: Heights, settings: AssessmentSettings) -> bool:
    """Whether a level has lost at least the mildest grade somewhere."""
    for key in NAMES:
        loss = loss_percent(item.heights_mm[key], getattr(expected, key))
        if loss is not None and loss.value is not None and loss.value >= settings.genant_mild_percent:
            return True
    return False


def _expect(
    item: LevelMeasure, measures: list[LevelMeasure], suspects: frozenset[str], settings: AssessmentSettings
) -> Heights:
    witnesses = {key: _neighbour_witnesses(item, key, measures, suspects, settings) for key in NAMES}
    posterior = _combine(witnesses["posterior"])
    own = item.heights_mm["posterior"]
    lost = loss_percent(own, posterior) if posterior.is_known else None
    own_is_whole = lost is None or (lost.value or 0.0) < settings.posterior_intact_percent
    if own.value is not None and own_is_whole:
        for key in ("anterior", "middle"):
            witnesses[key].extend(_own_shape_witness(item, key, settings))
    if not posterior.is_known and own.value is not None:
        spread = 1.96 * settings.lone_posterior_percent / 100.0 * own.value
        posterior = Estimate(
            own.value,
            max(own.value - spread, 0.0),
            own.value + 2.0 * spread,
            "mm",
            f"{OWN_EXPECTATION}: no complete unfractured neighbour to compare with, so a crush of the "
            "whole body cannot be told from a small body",
        )
    return Heights(_combine(witnesses["anterior"]), _combine(witnesses["middle"]), posterior)


def _neighbour_witnesses(
    item: LevelMeasure,
    key: str,
    measures: list[LevelMeasure],
    suspects: frozenset[str],
    settings: AssessmentSettings,
) -> list[_Witness]:
    """What the nearest sound levels above and below say of one height."""
    found: list[_Witness] = []
    here, here_known = _typical(item.name, key)
    for side in (-1, 1):
        nearest = sorted(
            (
                other
                for other in measures
                if other.usable
                and other.name not in suspects
                and (other.order - item.order) * side > 0
                and other.heights_mm[key].value is not None
            ),
            key=lambda other: abs(other.order - item.order),
        )
        for other in nearest[:2]:
            distance = abs(other.order - item.order)
            if distance > settings.neighbour_reach:
                continue
            there, there_known = _typical(other.name, key)
            both = here_known and there_known
            value = other.heights_mm[key].require() * (here / there if both else 1.0)
            spread = settings.neighbour_spread_percent / 100.0 * distance
            factor = 1.0 if both else UNKNOWN_LEVEL_SPREAD
            sigma = float(np.hypot(spread * factor * value, _sigma(other.heights_mm[key])))
            found.append(_Witness(value, sigma, other.name))
    return found


def _own_shape_witness(item: LevelMeasure, key: str, settings: AssessmentSettings) -> list[_Witness]:
    """A height from the body's own posterior height and this spine's usual shape."""
    own = item.heights_mm["posterior"]
    if own.value is None:
        return []
    here, known = _typical(item.name, key)
    back, _ = _typical(item.name, "posterior")
    ratio = here / back
    spread = settings.shape_spread_percent / 100.0 * (1.0 if known else UNKNOWN_LEVEL_SPREAD)
    value = own.value * ratio
    sigma = float(np.hypot(spread * value, _sigma(own) * ratio))
    return [_Witness(value, sigma, OWN_EXPECTATION)]


def _combine(witnesses: list[_Witness]) -> Estimate:
    """Inverse-variance mean; the interval also grows with the witnesses' disagreement."""
    if not witnesses:
        return Estimate.missing("mm", "no complete unfractured level near enough to compare with")
    values = np.array([item.value_mm for item in witnesses])
    weights = 1.0 / np.square([max(item.sigma_mm, 1e-3) for item in witnesses])
    mean = float((values * weights).sum() / weights.sum())
    sigma = float(np.sqrt(1.0 / weights.sum()))
    if len(values) > 1:
        chi = float((weights * np.square(values - mean)).sum() / (len(values) - 1))
        sigma *= max(1.0, np.sqrt(chi))
    half = 1.96 * sigma
    names = ", ".join(item.source for item in witnesses)
    return Estimate(
        mean,
        max(mean - half, 0.0),
        mean + half,
        "mm",
        f"from {names}, carried over by level-typical ratios; {TABLE_SOURCE}",
    )


def spine_order(names: list[str]) -> list[int]:
    """Place of every level along the spine, neighbours one apart, gaps kept where names tell of them.

    Parameters
    ----------
    names : list of str
        From cranial to caudal.
        Names that are no known levels count as one further.

    Examples
    --------
    >>> spine_order(["T12", "L1", "L3"])
    [0, 1, 3]
    """
    usual = [level.value for level in Level if level not in (Level.T13, Level.L6)]
    orders: list[int] = []
    for index, name in enumerate(names):
        if index == 0:
            orders.append(0)
            continue
        before = names[index - 1]
        step = usual.index(name) - usual.index(before) if name in usual and before in usual else 1
        orders.append(orders[-1] + max(step, 1))
    return orders
