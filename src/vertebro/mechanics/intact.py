"""What a broken body would be unbroken, from its neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vertebro.case import Estimate, Level, level_order

NEIGHBOUR_SD_PERCENT = 12.0
"""How far one sound level's stiffness or strength strays from its neighbours' trend (assumed from the
spread of published levels within one spine, 10 to 15 %)."""


def from_neighbours(name: str, values: Mapping[str, Estimate], unit: str) -> Estimate:
    """A level's value from the nearest sound levels above and below: weighted by nearness.

    Parameters
    ----------
    name : str
    values : mapping
        Of sound levels.
    unit : str

    Examples
    --------
    >>> values = {"T12": Estimate(10.0, 8.0, 12.0, "N", ""), "L2": Estimate(14.0, 11.0, 17.0, "N", "")}
    >>> from_neighbours("L1", values, "N").value
    12.0
    """
    order = _orders((name, *values))
    if order is None:
        return Estimate.missing(unit, "the level's name gives no neighbours")
    place = order[name]
    above = max((n for n in values if order[n] < place), key=lambda n: order[n], default=None)
    below = min((n for n in values if order[n] > place), key=lambda n: order[n], default=None)
    used = [n for n in (above, below) if n is not None]
    if not used:
        return Estimate.missing(unit, "no sound neighbour in the scan")
    weights = [1.0 / abs(order[n] - place) for n in used]
    total = sum(weights)
    value = sum(w * values[n].require() for w, n in zip(weights, used, strict=True)) / total
    own = max(math.log((values[n].upper or 0.0) / values[n].require()) for n in used)
    distance = min(abs(order[n] - place) for n in used)
    spread = math.exp(math.hypot(own, 1.96 * NEIGHBOUR_SD_PERCENT / 100.0 * math.sqrt(distance)))
    return Estimate(
        value, value / spread, value * spread, unit, f"as {' and '.join(used)}, the nearest sound levels"
    )


def _orders(names: Sequence[str]) -> dict[str, int] | None:
    known = {level.value for level in Level}
    if any(name not in known for name in names):
        return None
    absent = [extra for extra in ("T13", "L6") if extra not in names]  # most spines have neither
    return {
        name: level_order(name) - sum(level_order(extra) < level_order(name) for extra in absent)
        for name in names
    }
