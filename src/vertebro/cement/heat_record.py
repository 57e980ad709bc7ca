"""Keeping book of the heat while it is simulated: peaks, times, doses, curves, energy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vertebro.case import HeatResult, SiteHeat
from vertebro.cement.heat_grid import HeatGrid
from vertebro.imaging import ScalarVolume
from vertebro.materials.curing import GAS_CONSTANT_J_MOLK
from vertebro.materials.thermal import CementHeat
from vertebro.materials.thermal_dose import HENRIQUES_ENERGY_J_MOL, HENRIQUES_RATE_PER_S
from vertebro.numerics import heat_kernels as kernels
from vertebro.numerics.heat import HeatStepper

Cells = NDArray[np.float64]
_LOG_RATE = math.log(HENRIQUES_RATE_PER_S)
_ENERGY_OVER_R = HENRIQUES_ENERGY_J_MOL / GAS_CONSTANT_J_MOLK


@dataclass(eq=False, slots=True)
class HeatRecord:
    """What has been felt so far."""

    grid: HeatGrid | None
    cement: ScalarVolume
    sites: Mapping[str, NDArray[np.bool_]]
    body_degc: float
    times_s: list[float]
    fields: tuple[Cells, ...]
    """Peak °C, seconds above 45 and 50, minutes at 43, burn integral."""
    site_cells: dict[str, NDArray[np.bool_]]
    curves: dict[str, list[float]]
    released_j: float = 0.0
    balance: float = 0.0
    conversion_end: float = 0.0
    _start: tuple[float, float] = field(default=(0.0, 0.0))

    @classmethod
    def start(
        cls,
        grid: HeatGrid | None,
        cement: ScalarVolume,
        sites: Mapping[str, NDArray[np.bool_]],
        body_degc: float,
        injected_s: float,
    ) -> HeatRecord:
        """An empty record; sites without a voxel are left out."""
        kept = {name: mask for name, mask in sites.items() if mask.any()}
        shape = grid.fraction.shape if grid else (0, 0, 0)
        fields = (np.full(shape, body_degc), *(np.zeros(shape) for _ in range(4)))
        cells = {} if grid is None else {name: grid.joined(mask) for name, mask in kept.items()}
        return cls(grid, cement, kept, body_degc, [injected_s], fields, cells, {name: [] for name in kept})

    def begin(self, theta: Cells, conversion: NDArray[np.float64], cement: CementHeat) -> None:
        """Note the start: curves, and the energy to measure from."""
        assert self.grid is not None
        joules = self.grid.cement_cm3 * cement.heat_j_cm3
        self._start = (
            float(np.sum(self.grid.problem.capacity * theta)),
            float(np.dot(joules, conversion)),
        )
        self._note_curves(theta)

    def add(self, before: Cells, after: Cells, dt_s: float, time_s: float, released_j: float) -> None:
        """Add one step."""
        kernels.add_dose(before, after, self.body_degc, dt_s, _LOG_RATE, _ENERGY_OVER_R, *self.fields)
        self.released_j = released_j - self._start[1]
        self.times_s.append(time_s)
        self._note_curves(after)

    def end(
        self, stepper: HeatStepper, conversion: NDArray[np.float64], cement_cm3: NDArray[np.float64]
    ) -> None:
        """Draw up the energy balance."""
        gained = stepper.stored_j() - self._start[0] + stepper.lost_j
        scale = max(self.released_j, abs(self._start[0]), 1e-12)
        self.balance = abs(gained - self.released_j) / scale
        self.conversion_end = float(np.average(conversion, weights=cement_cm3))

    def result(self) -> HeatResult:
        """Everything as fields on the cement's grid."""
        names = (
            "highest temperature",
            "time above 45 °C",
            "time above 50 °C",
            "thermal dose",
            "burn integral",
        )
        units = ("degC", "s", "s", "min", "1")
        volumes = [
            ScalarVolume(self._field(index), self.cement.geometry, name, unit)
            for index, (name, unit) in enumerate(zip(names, units, strict=True))
        ]
        sites = {name: self._site(mask, volumes) for name, mask in self.sites.items()}
        curves = {
            name: np.array(values if values else [self.body_degc] * len(self.times_s))
            for name, values in self.curves.items()
        }
        peak, above_45, above_50, cem43, henriques = volumes
        return HeatResult(
            peak_degc=peak,
            seconds_above_45=above_45,
            seconds_above_50=above_50,
            cem43_min=cem43,
            henriques=henriques,
            sites=sites,
            times_s=np.array(self.times_s),
            site_curves_degc=curves,
            conversion_end=self.conversion_end,
            released_j=self.released_j,
            energy_balance_error=self.balance,
        )

    def _field(self, index: int) -> NDArray[np.float32]:
        outside = self.body_degc if index == 0 else 0.0
        if self.grid is None:
            return np.full(self.cement.values.shape, outside, dtype=np.float32)
        return self.grid.spread(self.fields[index], self.cement.values.shape, outside)

    def _site(self, mask: NDArray[np.bool_], volumes: list[ScalarVolume]) -> SiteHeat:
        return SiteHeat(*(float(volume.values[mask].max()) for volume in volumes))

    def _note_curves(self, theta: Cells) -> None:
        for name, cells in self.site_cells.items():
            warm = theta[cells]
            self.curves[name].append(self.body_degc + (float(warm.mean()) if warm.size else 0.0))
