"""From Hounsfield units to bone mineral density: the laws, without any image.

Density is in mg/cc of K2HPO4 unless said otherwise, as liquid phantoms give it; conversions to ash
and apparent density follow published regressions. HU are those of the scan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.materials.attenuation import AttenuationTable, reference_attenuation, reference_tissues

_ENERGY_STEP_KEV = 0.5
_HARDENED_MEAN_KEV = ((80.0, 56.8), (100.0, 64.9), (120.0, 72.0), (140.0, 78.0))
"""Mean photon energy behind 20 cm of water by tube voltage (computed with SpekPy; 140 kV: assumed)."""
_SCANNER_SD_PERCENT = 12.0
"""Standard deviation between scanners and years at one voltage, in proportion to density (assumed from
the 10 to 20 % by which uncalibrated scanners differ, Free et al., Acad Radiol 2018)."""
_SCANNER_SD_MG_CC = 15.0
"""The same whatever the density: offset of water and the fat of the marrow (assumed)."""


@dataclass(frozen=True, slots=True)
class DensityCalibration:
    """How HU become density on one scan: ``intercept + slope·HU + curvature·HU²``, and how sure that is.

    Examples
    --------
    >>> law = DensityCalibration("phantom", 0.8, 0.0, basis="site phantom", sd_percent=4.0)
    >>> law.density_mg_cc([0.0, 100.0]).tolist()
    [0.0, 80.0]
    >>> round(law.sd_at_mg_cc(80.0), 1)
    3.2
    """

    method: str
    """``"phantom"``, ``"internal"`` (the patient's own tissues), ``"scanner_default"`` or ``"given"``."""
    slope_mg_cc_per_hu: float
    intercept_mg_cc: float
    curvature_mg_cc_per_hu2: float = 0.0
    sd_percent: float = 0.0
    """Standard deviation in proportion to the density."""
    sd_mg_cc: float = 0.0
    """Standard deviation whatever the density."""
    basis: str = ""
    """One sentence: how it was had."""

    def density_mg_cc(self, hu: ArrayLike) -> NDArray[np.float64]:
        """Density of voxels, mg/cc; may be negative in fat and gas.

        Below the lowest point of an upward bend the value there is kept.
        """
        values = np.asarray(hu, dtype=np.float64)
        if self.curvature_mg_cc_per_hu2 > 0.0:  # below its lowest point the parabola would rise again
            values = np.maximum(values, -self.slope_mg_cc_per_hu / (2.0 * self.curvature_mg_cc_per_hu2))
        density = (
            self.intercept_mg_cc + (self.slope_mg_cc_per_hu + self.curvature_mg_cc_per_hu2 * values) * values
        )
        return np.asarray(density)

    def sd_at_mg_cc(self, density_mg_cc: float) -> float:
        """Standard deviation of a density that this law gives, mg/cc."""
        return math.hypot(self.sd_percent / 100.0 * density_mg_cc, self.sd_mg_cc)

    def to_json(self) -> dict[str, object]:
        """The law as JSON-ready data."""
        return {
            "method": self.method,
            "slope_mg_cc_per_hu": round(self.slope_mg_cc_per_hu, 6),
            "intercept_mg_cc": round(self.intercept_mg_cc, 3),
            "curvature_mg_cc_per_hu2": round(self.curvature_mg_cc_per_hu2, 9),
            "sd_percent": round(self.sd_percent, 3),
            "sd_mg_cc": round(self.sd_mg_cc, 3),
            "basis": self.basis,
        }


def scanner_default(kvp_kv: float | None) -> DensityCalibration:
    """The law of an uncalibrated scan: mineral in water at the usual energy of the tube voltage.

    Parameters
    ----------
    kvp_kv : float or None
        Tube voltage; 120 kV is taken, with a wider interval, where none is known.

    Examples
    --------
    >>> law = scanner_default(120.0)
    >>> law.method, round(float(law.density_mg_cc(100.0)))
    ('scanner_default', 90)
    """
    gain = mineral_gain_mg_cc_per_hu(energy_from_kvp_kev(kvp_kv))
    told = "an assumed 120 kV" if kvp_kv is None else f"{kvp_kv:.0f} kV"
    return DensityCalibration(
        "scanner_default",
        gain,
        0.0,
        sd_percent=_SCANNER_SD_PERCENT * (1.0 if kvp_kv is not None else 1.5),
        sd_mg_cc=_SCANNER_SD_MG_CC,
        basis=f"no calibration: the usual scale of a scanner at {told}",
    )


def ash_density_mg_cc(k2hpo4_mg_cc: ArrayLike) -> NDArray[np.float64]:
    """Ash density from K2HPO4-equivalent density.

    References
    ----------
    .. [1] Keyak JH, Lee IY, Skinner HB, J Biomed Mater Res 1994;28:1329: 1.06·ρ + 38.9 mg/cc.

    Examples
    --------
    >>> ash_density_mg_cc([100.0]).round(1).tolist()
    [144.9]
    """
    return np.asarray(1.06 * np.asarray(k2hpo4_mg_cc, dtype=np.float64) + 38.9)


def apparent_density_g_cc(ash_mg_cc: ArrayLike) -> NDArray[np.float64]:
    """Wet apparent density, g/cc, from ash density, mg/cc.

    References
    ----------
    .. [1] Schileo E et al., J Biomech 2008;41:2483: ash is 0.6 of apparent density.

    Examples
    --------
    >>> apparent_density_g_cc(120.0).round(3).tolist()
    0.2
    """
    return np.asarray(np.asarray(ash_mg_cc, dtype=np.float64) / 600.0)


def hydroxyapatite_mg_cc(k2hpo4_mg_cc: ArrayLike, energy_kev: float = 72.0) -> NDArray[np.float64]:
    """Density in hydroxyapatite equivalents of a density in K2HPO4 equivalents.

    Both raise the same HU; the ratio is that of their gains over water at the energy.

    Examples
    --------
    >>> hydroxyapatite_mg_cc(100.0).round(0).tolist()
    88.0
    """
    table, tissues = reference_attenuation(), reference_tissues()
    water = float(table.mass_attenuation_cm2_g("water", energy_kev))

    def raised(name: str) -> float:
        return float(table.mass_attenuation_cm2_g(name, energy_kev)) - water / tissues[name].density_g_cc

    ratio = raised("dipotassium_phosphate") / raised("hydroxyapatite")
    return np.asarray(ratio * np.asarray(k2hpo4_mg_cc, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class TissueFit:
    """The five-tissue fit at its best energy."""

    energy_kev: float
    r_squared: float
    attenuation_slope: float
    """Mass attenuation (cm²/g) per HU."""
    attenuation_intercept: float
    density_slope: float
    """Material density (g/cc) per HU."""
    density_intercept: float
    coefficients: tuple[float, float, float]
    """(intercept, slope, curvature) of density in mg/cc of K2HPO4 against HU."""


def fit_tissues(hu_by_tissue: dict[str, float], table: AttenuationTable) -> TissueFit:
    """Effective energy and HU-to-density law from the mean HU of reference tissues.

    Parameters
    ----------
    hu_by_tissue : dict
        Tissue key to mean HU; at least three tissues.
    table : AttenuationTable
        Holds the tissues, ``water``, ``triglyceride`` and ``dipotassium_phosphate``.

    Returns
    -------
    TissueFit

    References
    ----------
    .. [1] Michalski AS et al., CT-based internal density calibration for opportunistic skeletal
       assessment using abdominal CT scans, Med Eng Phys 2020, doi 10.1016/j.medengphy.2020.01.009.

    Examples
    --------
    >>> means = {"adipose": -82.6, "air": -956.8, "blood": 39.2, "cortical_bone": 1226.2,
    ...          "skeletal_muscle": 24.6}
    >>> fit_tissues(means, reference_attenuation()).r_squared > 0.99
    True
    """
    if len(hu_by_tissue) < 3:
        raise ValueError("a fit needs at least three tissues")
    hu = np.array(list(hu_by_tissue.values()), dtype=np.float64)
    lowest, highest = table.range_kev
    energies = np.arange(lowest, highest + 1e-9, _ENERGY_STEP_KEV)
    attenuation = np.stack([table.mass_attenuation_cm2_g(name, energies) for name in hu_by_tissue])
    best = int(np.argmax(_r_squared(hu, attenuation)))
    energy = float(energies[best])
    at_best = attenuation[:, best]
    mu_slope, mu_intercept = np.polyfit(hu, at_best, 1)
    water = float(table.mass_attenuation_cm2_g("water", energy))
    rho_slope, rho_intercept = np.polyfit(hu, (hu / 1000.0 + 1.0) * water / at_best, 1)
    fat = float(table.mass_attenuation_cm2_g("triglyceride", energy))
    mineral = float(table.mass_attenuation_cm2_g("dipotassium_phosphate", energy))
    scale = 1000.0 / (mineral - fat)
    coefficients = (
        float(scale * rho_intercept * (mu_intercept - fat)),
        float(scale * (rho_intercept * mu_slope + rho_slope * (mu_intercept - fat))),
        float(scale * rho_slope * mu_slope),
    )
    return TissueFit(
        energy,
        float(_r_squared(hu, at_best[:, None])[0]),
        float(mu_slope),
        float(mu_intercept),
        float(rho_slope),
        float(rho_intercept),
        coefficients,
    )


def _r_squared(hu: NDArray[np.float64], attenuation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n energies,): squared correlation of HU with attenuation, tissues along the first axis."""
    x = hu - hu.mean()
    y = attenuation - attenuation.mean(axis=0)
    return np.asarray((x @ y) ** 2 / ((x @ x) * np.einsum("ij,ij->j", y, y)))


def mineral_gain_mg_cc_per_hu(energy_kev: float) -> float:
    """mg/cc of K2HPO4 that raise water by one HU at an effective energy, mineral displacing water.

    Examples
    --------
    >>> round(mineral_gain_mg_cc_per_hu(70.0), 2)
    0.87
    """
    table, solid = reference_attenuation(), reference_tissues()["dipotassium_phosphate"].density_g_cc
    water = float(table.mass_attenuation_cm2_g("water", energy_kev))
    mineral = float(table.mass_attenuation_cm2_g("dipotassium_phosphate", energy_kev))
    return float(water / (mineral - water / solid))


def energy_from_kvp_kev(kvp_kv: float | None) -> float:
    """Effective energy in the patient by tube voltage; 120 kV is taken where none is known.

    Examples
    --------
    >>> energy_from_kvp_kev(120.0)
    72.0
    """
    volts, energies = zip(*_HARDENED_MEAN_KEV, strict=True)
    return float(np.interp(120.0 if kvp_kv is None else kvp_kv, volts, energies))
