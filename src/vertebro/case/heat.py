"""How hot the setting cement makes its surroundings.

Temperatures in °C; times in seconds; fields on the grid of the cement that was simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.imaging import ScalarVolume


@dataclass(frozen=True, slots=True)
class SiteHeat:
    """The heat that one place felt: of each measure, the worst voxel of the place."""

    peak_degc: float
    seconds_above_45: float
    seconds_above_50: float
    cem43_min: float
    """Minutes at 43 °C that would do the same (Sapareto and Dewey 1984)."""
    henriques: float
    """Henriques' burn integral; 1 is the threshold of irreversible damage in skin."""

    def to_json(self) -> dict[str, object]:
        """The place's heat as JSON-ready data."""
        return {
            "peak_degc": round(self.peak_degc, 2),
            "seconds_above_45": round(self.seconds_above_45, 1),
            "seconds_above_50": round(self.seconds_above_50, 1),
            "cem43_min": float(f"{self.cem43_min:.4g}"),
            "henriques": float(f"{self.henriques:.4g}"),
        }


@dataclass(frozen=True, eq=False, slots=True)
class HeatResult:
    """The heat of one injection until it has passed."""

    peak_degc: ScalarVolume
    """Highest temperature of each voxel."""
    seconds_above_45: ScalarVolume
    seconds_above_50: ScalarVolume
    cem43_min: ScalarVolume
    henriques: ScalarVolume
    sites: Mapping[str, SiteHeat]
    """By place, e.g. ``"canal"``, ``"posterior_wall"``, ``"superior_endplate"``, ``"centre"``."""
    times_s: NDArray[np.float64]
    """(n,): seconds after mixing."""
    site_curves_degc: Mapping[str, NDArray[np.float64]]
    """By place, (n,): mean temperature of the place over time."""
    conversion_end: float
    """Mean share of the monomer that had reacted at the end."""
    released_j: float
    """Heat that the cement gave off."""
    energy_balance_error: float
    """Heat that is neither in the tissue nor carried away, against what was given off; near zero."""

    def to_json(self) -> dict[str, object]:
        """The heat as JSON-ready data, fields left out."""
        return {
            "peak_degc": round(float(self.peak_degc.values.max(initial=0.0)), 2),
            "sites": {name: site.to_json() for name, site in self.sites.items()},
            "conversion_end": round(self.conversion_end, 4),
            "released_j": round(self.released_j, 2),
            "duration_s": round(float(self.times_s[-1] - self.times_s[0]), 1) if self.times_s.size else 0.0,
        }
