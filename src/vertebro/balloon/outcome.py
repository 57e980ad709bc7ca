"""From the share of lost height regained to heights and angles that a reader sees."""

from __future__ import annotations

import math

import numpy as np

from vertebro.balloon.fracture import Fracture
from vertebro.balloon.settings import BalloonSettings
from vertebro.balloon.steps import Lift
from vertebro.case import Estimate, Heights, LevelAssessment

_ORDER = ("posterior", "middle", "anterior")
_LOSS_FACTORS = (0.5, 1.75)
"""Loss on deflation between half and nearly twice the setting (assumed from a third to a half reported)."""
_BASIS = "simulated balloon; its average fitted to published means on made spines, not tested on patients"


def heights_after(
    level: LevelAssessment, fracture: Fracture, lift: Lift, settings: BalloonSettings
) -> tuple[Heights, Heights]:
    """Heights with the balloons inflated, and after they are let down."""
    inflated, after = {}, {}
    for name, deficit in zip(_ORDER, fracture.deficits_mm, strict=True):
        before = getattr(level.heights_mm, name)
        inflated[name] = _raised(before, float(deficit), lift, (1.0, 1.0, 1.0))
        after[name] = _raised(before, float(deficit), lift, _kept(settings))
    return _heights(inflated), _heights(after)


def angle_changes(fracture: Fracture, lift: Lift, settings: BalloonSettings) -> tuple[Estimate, Estimate]:
    """Change of the body's wedge angle and of the kyphosis after the balloons are let down.

    The neighbours are taken to follow the endplates for between half and all of the change.
    """
    if not fracture.is_known:
        why = "the body's heights before and expected are not both known"
        return Estimate.missing("deg", why), Estimate.missing("deg", why)
    posterior, _, anterior = (float(value) for value in fracture.deficits_mm)
    apart = 0.9 * fracture.depth_mm

    def angle(share: float) -> float:
        return -math.degrees(math.atan((anterior - posterior) * share / apart)) + 0.0

    kept = _kept(settings)
    shares = (lift.value * kept[0], lift.lower * kept[1], lift.upper * kept[2])
    wedge = sorted(angle(share) for share in shares)
    value = angle(shares[0])
    body = Estimate(value, wedge[0], wedge[-1], "deg", _BASIS)
    ends = sorted([wedge[0], wedge[-1], 0.5 * wedge[0], 0.5 * wedge[-1]])
    basis = _BASIS + "; the spine above and below follows the body's change by half to all of it"
    return body, Estimate(value, ends[0], ends[-1], "deg", basis)


def _kept(settings: BalloonSettings) -> tuple[float, float, float]:
    """Share of the gain that stays: best estimate, least, most."""
    low, high = (min(factor * settings.deflation_loss, 1.0) for factor in _LOSS_FACTORS)
    return 1.0 - settings.deflation_loss, 1.0 - high, 1.0 - low


def _raised(before: Estimate, deficit: float, lift: Lift, kept: tuple[float, float, float]) -> Estimate:
    if before.value is None or before.lower is None or before.upper is None:
        return Estimate.missing("mm", before.basis)
    gain = deficit * lift.value * kept[0]
    low, high = deficit * lift.lower * kept[1], deficit * lift.upper * kept[2]
    value = before.value + gain
    down = float(np.hypot(before.value - before.lower, gain - low))
    up = float(np.hypot(before.upper - before.value, high - gain))
    return Estimate(value, value - down, value + up, "mm", _BASIS)


def _heights(named: dict[str, Estimate]) -> Heights:
    return Heights(named["anterior"], named["middle"], named["posterior"])
