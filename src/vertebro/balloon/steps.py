"""A little more into every balloon, a look at pressure, walls and height, until it is enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vertebro.balloon.fracture import Fracture
from vertebro.balloon.growth import Growth
from vertebro.balloon.lift import LiftState, balance
from vertebro.balloon.settings import BalloonSettings
from vertebro.case import InflationStep, InflationStop

_REDUCED = 0.98
"""Share of the lost height from which it counts as regained."""
_LEAST_STEP_ML = 1e-6
_HELD = ({"stiffness": 2.0}, {"load": 2.5}, {"strength": 0.7})
"""What is not known, pulled against the lift: discs and ligaments up to twice the calibrated stiffness, up to
250 N along the prone, sedated spine, crushed bone weaker than the law says (all assumed)."""
_FREE = ({"stiffness": 0.5}, {"load": 0.4}, {"strength": 1.4})
"""The same pulled towards the lift."""


@dataclass(frozen=True, slots=True)
class Lift:
    """Share of the lost height that is regained: best estimate and limits."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False, slots=True)
class Inflation:
    """How the balloons of a level went."""

    steps: tuple[tuple[InflationStep, ...], ...]
    """By balloon."""
    stops: tuple[InflationStop, ...]
    lift: Lift


def inflate_steps(growths: tuple[Growth, ...], fracture: Fracture, settings: BalloonSettings) -> Inflation:
    """Fill all balloons in turn until each has a reason to stop."""
    resistance = fracture.resistance(settings, healed=fracture.healed[0])
    can_lift = bool(fracture.deficits_mm.max() > 0.5)
    volumes = [min(growth.placed.device.deflated_ml, growth.room_ml) for growth in growths]
    stops: list[InflationStop | None] = [None] * len(growths)
    steps: list[list[InflationStep]] = [[InflationStep(volume, 0.0, volume, 0.0)] for volume in volumes]
    share = 0.0
    while any(stop is None for stop in stops):
        wanted = [
            volume if stop else _next_ml(volume, growth, settings)
            for volume, stop, growth in zip(volumes, stops, growths, strict=True)
        ]
        state = balance(growths, tuple(wanted), resistance, settings, at_least=share)
        refused = [
            _refusal(index, growths, volumes, wanted, state, settings) for index in range(len(growths))
        ]
        if any(refusal and not stop for refusal, stop in zip(refused, stops, strict=True)):
            stops = [stop or refusal for stop, refusal in zip(stops, refused, strict=True)]
            continue
        share = state.share
        for index, growth in enumerate(growths):
            if stops[index]:
                continue
            volumes[index] = wanted[index]
            steps[index].append(_step(state, index, wanted[index]))
            stops[index] = _stop_after(growth, wanted[index], share, settings, can_lift=can_lift)
    lift = _lift(growths, tuple(volumes), fracture, settings, share) if can_lift else Lift(0.0, 0.0, 0.0)
    return Inflation(
        tuple(tuple(item) for item in steps), tuple(stop or InflationStop.NO_ROOM for stop in stops), lift
    )


def _next_ml(volume_ml: float, growth: Growth, settings: BalloonSettings) -> float:
    """The volume after one more step: full steps from empty, the last one cut to the limit."""
    done = int(volume_ml / settings.step_ml + 1e-9)
    return min((done + 1) * settings.step_ml, _limit_ml(growth, settings))


def _limit_ml(growth: Growth, settings: BalloonSettings) -> float:
    asked = settings.volume_ml if settings.volume_ml is not None else float("inf")
    return min(growth.placed.device.rated_volume_ml, growth.room_ml, asked)


def _refusal(
    index: int,
    growths: tuple[Growth, ...],
    volumes: list[float],
    wanted: list[float],
    state: LiftState,
    settings: BalloonSettings,
) -> InflationStop | None:
    """Why a balloon's next step is not taken; None where it is."""
    growth, volume = growths[index], volumes[index]
    if wanted[index] - volume < _LEAST_STEP_ML:
        return _end_of_volume(growth, settings)
    rated_mpa = growth.placed.device.rated_pressure_kpa / 1000.0
    return InflationStop.RATED_PRESSURE if state.pressures_mpa[index] > rated_mpa else None


def _end_of_volume(growth: Growth, settings: BalloonSettings) -> InflationStop:
    limit = _limit_ml(growth, settings)
    if settings.volume_ml is not None and limit >= settings.volume_ml:
        return InflationStop.ASKED_VOLUME
    if limit >= growth.placed.device.rated_volume_ml:
        return InflationStop.RATED_VOLUME
    return InflationStop.NO_ROOM


def _stop_after(
    growth: Growth, volume_ml: float, share: float, settings: BalloonSettings, *, can_lift: bool
) -> InflationStop | None:
    """Why a balloon is not filled further after a step; None where it is."""
    if volume_ml >= growth.gap_ml:
        return InflationStop.BREACH
    if volume_ml >= growth.wall_ml:
        return InflationStop.WALL_CONTACT
    if can_lift and share >= _REDUCED and settings.volume_ml is None:
        return InflationStop.REDUCTION
    if volume_ml >= _limit_ml(growth, settings) - _LEAST_STEP_ML:
        return _end_of_volume(growth, settings)
    return None


def _step(state: LiftState, index: int, volume_ml: float) -> InflationStep:
    return InflationStep(volume_ml, 1000.0 * state.pressures_mpa[index], state.crushed_ml[index], state.share)


def _lift(
    growths: tuple[Growth, ...],
    volumes: tuple[float, ...],
    fracture: Fracture,
    settings: BalloonSettings,
    share: float,
) -> Lift:
    """Limits of the lift at the end: what is not known varied part by part, then joined as independent.

    Healing is not joined but taken whole: a fracture whose age nobody knows may not move at all.
    """

    def at(healed: float, **scales: float) -> float:
        held = fracture.resistance(settings, healed=healed, **scales)
        return balance(growths, volumes, held, settings).share

    centre = at(fracture.healed[0])
    down = math.hypot(*(at(fracture.healed[0], **part) - centre for part in _HELD))
    up = math.hypot(*(at(fracture.healed[0], **part) - centre for part in _FREE))
    lower = min(share - down, at(fracture.healed[2]) - down)
    upper = max(share + up, at(fracture.healed[1]) + up)
    return Lift(share, float(np.clip(lower, 0.0, share)), float(np.clip(upper, share, 1.0)))
