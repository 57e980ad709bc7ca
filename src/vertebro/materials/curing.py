"""How bone cement cures: the share of its monomer that has reacted, over time and temperature.

Autocatalytic kinetics with an Arrhenius rate and a limit of conversion,
``dα/dt = A·exp(−Ea/RT)·α^m·(limit(T) − α)^n``: slow at first, fast once some polymer is there, and ending
below full conversion where the cement stays colder than its glass transition. Temperatures in °C,
times in seconds, energies in joules.

References
----------
.. [1] Borzacchiello et al., J Mater Sci Mater Med 1998;9:317, the form of the law for bone cement (its
   constants recalled, not read).
.. [2] Stańczyk and van Rietbergen, J Biomech 2004;37:1803, the same in trabecular bone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import require_range
from vertebro.settings import setting, validate

GAS_CONSTANT_J_MOLK = 8.314462618
"""CODATA 2018."""
KELVIN_AT_0_DEGC = 273.15
_STEPS = 4000


@dataclass(frozen=True, slots=True)
class CuringLaw:
    """Constants of the curing reaction.

    Examples
    --------
    >>> law = CuringLaw.from_setting_time(660.0, at_degc=37.0)
    >>> round(float(law.conversion_at(660.0, 37.0)), 3)
    0.5
    """

    pre_exponential_per_s: float = setting(
        2.42598e8,
        "Arrhenius factor; made to fit a product's setting time by from_setting_time.",
        lower=0.0,
        source="derived: conversion one half after 660 s at 37 °C, the setting time measured for a "
        "medium-viscosity cement (Hindawi Int J Biomater 2011, 571728)",
    )
    activation_energy_j_mol: float = setting(
        62_000.0,
        "How strongly warmth speeds the reaction.",
        lower=0.0,
        upper=150_000.0,
        unit="J/mol",
        source="recalled: 60 to 65 kJ/mol in papers that use the law of Borzacchiello 1998",
    )
    order_m: float = setting(
        0.98, "Exponent of the polymer already there.", lower=0.0, upper=3.0, source="recalled: as above"
    )
    order_n: float = setting(
        1.06, "Exponent of the monomer still there.", lower=0.0, upper=4.0, source="recalled: as above"
    )
    initial_conversion: float = setting(
        5e-3,
        "Conversion at the end of mixing, which starts the reaction off.",
        lower=0.0,
        upper=0.5,
        source="assumed: autocatalysis needs a seed; between 0.001 and 0.02 only the clock moves, which "
        "the setting time sets right again",
    )
    limit_at_37: float = setting(
        0.90,
        "Conversion at which the reaction ends at 37 °C.",
        lower=0.05,
        upper=1.0,
        source="assumed: some monomer is trapped where the cement turns to glass before all has reacted",
    )
    limit_slope_per_k: float = setting(
        0.1 / 68.0,
        "How much further it goes for each kelvin above 37 °C, up to full conversion.",
        lower=0.0,
        upper=0.1,
        unit="1/K",
        source="assumed: full conversion at the glass transition of PMMA, about 105 °C",
    )

    def __post_init__(self) -> None:
        validate(self)

    @classmethod
    def from_setting_time(cls, setting_s: float, at_degc: float = 37.0, **constants: float) -> CuringLaw:
        """The law whose conversion reaches one half after the setting time, held at one temperature.

        Parameters
        ----------
        setting_s : float, > 0
            From the start of mixing until the cement is hard, s.
        at_degc : float
            Temperature at which that was measured.
        **constants : float
            Other constants of the law, where not the defaults.

        Raises
        ------
        SettingsError
            If the setting time is not between 10 s and 10 h, or the temperature not between 0 and 100 °C
            (``material.range``).
        """
        require_range("setting_s", setting_s, 10.0, 36_000.0, code="material.range", unit="s")
        require_range("at_degc", at_degc, 0.0, 100.0, code="material.range", unit="°C")
        unit_law = cls(pre_exponential_per_s=1.0, **constants)
        rate = unit_law._progress_to(0.5, at_degc) / setting_s
        return replace(unit_law, pre_exponential_per_s=float(rate / unit_law._arrhenius(at_degc)))

    def rate_per_s(self, conversion: ArrayLike, degc: ArrayLike) -> NDArray[np.float64]:
        """``dα/dt`` at a conversion and temperature.

        Examples
        --------
        >>> law = CuringLaw.from_setting_time(660.0)
        >>> bool(law.rate_per_s(0.5, 60.0) > 3.0 * law.rate_per_s(0.5, 37.0))
        True
        """
        left = np.maximum(self.limit(degc) - np.asarray(conversion, dtype=np.float64), 0.0)
        reaction = np.power(np.asarray(conversion, dtype=np.float64), self.order_m) * left**self.order_n
        return self.pre_exponential_per_s * self._arrhenius(degc) * reaction * (left > 0.0)

    def limit(self, degc: ArrayLike) -> NDArray[np.float64]:
        """Conversion at which the reaction ends at a temperature."""
        rising = self.limit_at_37 + self.limit_slope_per_k * (np.asarray(degc, dtype=np.float64) - 37.0)
        return np.clip(rising, 0.0, 1.0)

    def conversion_at(self, seconds: ArrayLike, degc: float) -> NDArray[np.float64]:
        """Conversion some time after mixing, held at one temperature.

        Parameters
        ----------
        seconds : array_like, ≥ 0
        degc : float

        Returns
        -------
        float array of the shape of ``seconds``
        """
        wanted = np.asarray(seconds, dtype=np.float64)
        scale = self.pre_exponential_per_s * float(self._arrhenius(degc))
        grid = self._conversion_grid(degc)
        if scale == 0.0 or grid.size < 2:
            return np.full(wanted.shape, self.initial_conversion)
        return np.asarray(np.interp(wanted * scale, self._progress(grid, degc), grid))

    def _arrhenius(self, degc: ArrayLike) -> NDArray[np.float64]:
        kelvin = np.asarray(degc, dtype=np.float64) + KELVIN_AT_0_DEGC
        return np.asarray(np.exp(-self.activation_energy_j_mol / (GAS_CONSTANT_J_MOLK * kelvin)))

    def _conversion_grid(self, degc: float) -> NDArray[np.float64]:
        """Conversions from the start to just below the limit, dense at both ends."""
        start, end = self.initial_conversion, float(self.limit(degc))
        if not start < end:
            return np.array([start])
        share = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, _STEPS)))
        return start + (end - start) * share**2 * (1.0 - 1e-6)

    def _progress(self, grid: NDArray[np.float64], degc: float) -> NDArray[np.float64]:
        """``∫ dα / (α^m (limit−α)^n)`` up to each conversion: time in units of the Arrhenius rate."""
        middle = 0.5 * (grid[1:] + grid[:-1])
        left = float(self.limit(degc)) - middle
        slowness = 1.0 / (middle**self.order_m * left**self.order_n)
        return np.concatenate([[0.0], np.cumsum(slowness * np.diff(grid))])

    def _progress_to(self, conversion: float, degc: float) -> float:
        grid = self._conversion_grid(degc)
        require_range("conversion", conversion, grid[0], grid[-1], code="material.range")
        return float(np.interp(conversion, grid, self._progress(grid, degc)))
