"""Pressure and lift: how much room a balloon makes by crushing bone and how much by raising the endplates.

What the fracture has pressed down can be pressed up the way it came: the endplates move back along the
height that was lost, all of it for a share of 1. At every step each balloon has one pressure, at which the
bone around it crushes (:mod:`vertebro.numerics.cavity`), and the balloons' pressures together hold the
endplates against the load on the spine, the discs and ligaments, and what has healed. The endplate rises as
one piece: of each balloon's volume, the same share goes into the lift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.balloon.growth import Growth
from vertebro.balloon.settings import BalloonSettings
from vertebro.materials.bone_crushing import MODULUS_TO_STRENGTH
from vertebro.numerics.cavity import CavityMedium, cavity_pressures_mpa

_GROWTH = (1.01, 1.03, 1.06, 1.1, 1.2, 1.35, 1.6, 2.0, 2.6, 3.4, 4.4)
"""Radii of the cavity, against the folded balloon's, at which its pressure is worked out."""
_BISECTIONS = 50


@dataclass(frozen=True, slots=True)
class Resistance:
    """What holds the endplates down, as work for a full return of the height."""

    constant_n_mm: float
    """Load and healed bone: the same all the way."""
    rising_n_mm: float
    """Discs and ligaments: grows with the share regained."""
    strength_scale: float = 1.0
    """Strength of the crushed bone against its best estimate."""


def crushing_pressures_mpa(hardening: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Growth of the cavity's radius and its pressure in bone of 1 MPa strength."""
    medium = CavityMedium(MODULUS_TO_STRENGTH, 0.3, 1.0, crushable=True, hardening=hardening)
    pressures = cavity_pressures_mpa(medium, _GROWTH)
    return np.array([1.0, *_GROWTH]), np.array([0.0, *pressures])


@dataclass(frozen=True, eq=False, slots=True)
class LiftState:
    """Pressures and lift at one set of volumes."""

    pressures_mpa: tuple[float, ...]
    crushed_ml: tuple[float, ...]
    """Room of each balloon that was made by crushing."""
    share: float
    """Of the lost height, regained."""


def balance(
    growths: tuple[Growth, ...],
    volumes_ml: tuple[float, ...],
    resistance: Resistance,
    settings: BalloonSettings,
    *,
    at_least: float = 0.0,
) -> LiftState:
    """Find the share of the lost height at which balloons and resistance are in balance.

    Parameters
    ----------
    growths : tuple of Growth
    volumes_ml : tuple of float
        In each balloon.
    resistance : Resistance
    settings : BalloonSettings
    at_least : float
        Share regained before; inflating further does not let it sink.
    """
    curve = crushing_pressures_mpa(settings.hardening)

    def state(share: float) -> LiftState:
        opened = share * sum(
            float(np.interp(volume, growth.volumes_ml, growth.lift_mm3)) / 1000.0
            for growth, volume in zip(growths, volumes_ml, strict=True)
        )
        left = 1.0 - min(opened / max(sum(volumes_ml), 1e-9), 1.0)
        crushed = [volume * left for volume in volumes_ml]
        pressures = [
            _pressure_mpa(growth, volume, room, resistance, settings, curve)
            for growth, volume, room in zip(growths, volumes_ml, crushed, strict=True)
        ]
        return LiftState(tuple(pressures), tuple(crushed), share)

    def surplus(share: float) -> float:
        now = state(share)
        work = sum(
            pressure * float(np.interp(volume, growth.volumes_ml, growth.lift_mm3))
            for pressure, volume, growth in zip(now.pressures_mpa, volumes_ml, growths, strict=True)
        )
        return work - resistance.constant_n_mm - resistance.rising_n_mm * share

    low, high = at_least, 1.0
    if surplus(low) <= 0.0:
        return state(low)
    if surplus(high) >= 0.0:
        return state(high)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if surplus(middle) > 0.0 else (low, middle)
    return state(0.5 * (low + high))


def _pressure_mpa(
    growth: Growth,
    volume_ml: float,
    room_ml: float,
    resistance: Resistance,
    settings: BalloonSettings,
    curve: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> float:
    """Pressure that makes so much room by crushing."""
    strength = float(np.interp(volume_ml, growth.volumes_ml, growth.strength_mpa))
    radius = (max(room_ml, 1e-9) / growth.placed.device.deflated_ml) ** (1.0 / 3.0)
    shape = float(np.interp(radius, *curve))
    return shape * strength * settings.damage_ratio * resistance.strength_scale
