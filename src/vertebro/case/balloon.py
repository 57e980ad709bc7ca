"""What a balloon kyphoplasty does to a level, as predicted: cavity, compacted rim, height regained.

World frame LPS, millimetres; fields lie on the level's own grid in the frame of the CT, that is before
the endplates were lifted. Pressures are what the gauge reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vertebro.case.assessment import Heights
from vertebro.case.estimate import Estimate
from vertebro.case.plan import Side
from vertebro.findings import Finding
from vertebro.imaging import ScalarVolume


class InflationStop(StrEnum):
    """Why inflation ended."""

    RATED_PRESSURE = "rated_pressure"
    """The balloon's highest pressure was reached."""
    RATED_VOLUME = "rated_volume"
    """The balloon's largest volume was reached."""
    WALL_CONTACT = "wall_contact"
    """The balloon reached the body's side, front or back wall."""
    BREACH = "breach"
    """The balloon reached a gap in the body's surface."""
    REDUCTION = "reduction"
    """The lost height was regained."""
    ASKED_VOLUME = "asked_volume"
    """The volume that the person asked for was reached."""
    NO_ROOM = "no_room"
    """There is no room for another step."""


class Mobility(StrEnum):
    """Whether the broken parts can still move against each other."""

    MOBILE = "mobile"
    """Recent, or not healed around a cleft: height may be regained."""
    STIFFENING = "stiffening"
    """Healing has begun."""
    HEALED = "healed"
    """Old: hardly any height will be regained."""
    UNKNOWN = "unknown"
    """Nobody has said how old the fracture is."""


@dataclass(frozen=True, slots=True)
class InflationStep:
    """One reading during inflation."""

    volume_ml: float
    """In this balloon."""
    pressure_kpa: float
    cavity_ml: float
    """Of that, room made by crushing and pushing bone aside."""
    lift_share: float
    """Share of the lost height regained so far, by all balloons together."""


@dataclass(frozen=True, eq=False, slots=True)
class BalloonInflation:
    """One balloon: where it lay and how it went."""

    side: Side
    device: str
    centre_lps_mm: NDArray[np.float64]
    axis_lps: NDArray[np.float64]
    """Unit vector along the balloon, towards its tip."""
    length_mm: float
    steps: tuple[InflationStep, ...]
    stop: InflationStop
    rated_pressure_kpa: float
    rated_volume_ml: float

    @property
    def volume_ml(self) -> float:
        """Volume at the end of inflation."""
        return self.steps[-1].volume_ml if self.steps else 0.0

    @property
    def pressure_kpa(self) -> float:
        """Pressure at the end of inflation."""
        return self.steps[-1].pressure_kpa if self.steps else 0.0

    def to_json(self) -> dict[str, object]:
        """The balloon as JSON-ready data."""
        return {
            "side": self.side.value,
            "device": self.device,
            "centre_lps_mm": [round(float(x), 3) + 0.0 for x in self.centre_lps_mm],
            "axis_lps": [round(float(x), 5) + 0.0 for x in self.axis_lps],
            "length_mm": round(self.length_mm, 3),
            "volume_ml": round(self.volume_ml, 4),
            "pressure_kpa": round(self.pressure_kpa, 2),
            "rated_volume_ml": self.rated_volume_ml,
            "rated_pressure_kpa": self.rated_pressure_kpa,
            "stop": self.stop.value,
            "curve": [
                {
                    "volume_ml": round(step.volume_ml, 4),
                    "pressure_kpa": round(step.pressure_kpa, 2),
                    "cavity_ml": round(step.cavity_ml, 4),
                    "lift_share": round(step.lift_share, 4),
                }
                for step in self.steps
            ],
        }


@dataclass(frozen=True, eq=False, slots=True)
class LevelInflation:
    """The balloons of one level and what they did."""

    name: str
    balloons: tuple[BalloonInflation, ...]
    mobility: Mobility
    cavity: ScalarVolume
    """Share of each voxel (0–1) that the balloons took at the end of inflation."""
    density_ratio: ScalarVolume
    """Density of the bone left in each voxel against that before; 1 outside the compacted rim."""
    heights_before_mm: Heights
    heights_inflated_mm: Heights
    """With the balloons inflated."""
    heights_after_mm: Heights
    """After they are let down: part of the gain is lost again."""
    wedge_change_deg: Estimate
    """Change of the body's own wedge angle; negative where it straightens."""
    kyphosis_change_deg: Estimate
    """Change of the kyphosis over the neighbours' endplates; negative where it straightens."""
    findings: tuple[Finding, ...] = ()

    @property
    def cavity_ml(self) -> float:
        """Volume of the cavity that cement will fill first."""
        return self.cavity.integral_ml()

    @property
    def curve(self) -> tuple[tuple[float, float], ...]:
        """(mL, kPa): all balloons' volume against their mean pressure, step by step."""
        longest = max((len(balloon.steps) for balloon in self.balloons), default=0)
        points = []
        for index in range(longest):
            now = [b.steps[min(index, len(b.steps) - 1)] for b in self.balloons if b.steps]
            points.append(
                (sum(step.volume_ml for step in now), sum(step.pressure_kpa for step in now) / len(now))
            )
        return tuple(points)

    def to_json(self) -> dict[str, object]:
        """The level as JSON-ready data; fields are in their own files."""
        return {
            "balloons": [balloon.to_json() for balloon in self.balloons],
            "mobility": self.mobility.value,
            "cavity_ml": round(self.cavity_ml, 4),
            "heights_before_mm": self.heights_before_mm.to_json(),
            "heights_inflated_mm": self.heights_inflated_mm.to_json(),
            "heights_after_mm": self.heights_after_mm.to_json(),
            "wedge_change_deg": self.wedge_change_deg.to_json(),
            "kyphosis_change_deg": self.kyphosis_change_deg.to_json(),
            "findings": [item.to_json() for item in self.findings],
        }


@dataclass(frozen=True, eq=False, slots=True)
class BalloonResult:
    """The balloons of a case; empty where no level is to have one."""

    levels: Mapping[str, LevelInflation]
    findings: tuple[Finding, ...] = field(default=())
    schema_version: int = 1

    def to_json(self) -> dict[str, object]:
        """The balloons as JSON-ready data (``docs/reference/balloon-json.md``)."""
        return {
            "schema_version": self.schema_version,
            "levels": {name: level.to_json() for name, level in self.levels.items()},
            "findings": [item.to_json() for item in self.findings],
        }
