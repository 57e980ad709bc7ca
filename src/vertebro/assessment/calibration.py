"""From Hounsfield units to bone mineral density: by a phantom, by the patient's own tissues, or not.

Two ways by tissues:

* **Water and mineral** (the default): air and soft tissues check the scale's offset and slope, the
  tube voltage gives the effective energy, and mineral displaces water. Its interval is wide where the
  voltage is unknown.
* **Five-tissue fit** (Michalski 2020): at every energy the tissues' HU are regressed on their mass
  attenuation; the energy with the best correlation is the scan's effective energy. Density is then
  that of a mixture of potassium phosphate and fat. It needs air and compact bone beside a soft
  tissue, and a change of 0.001 cm²/g in the attenuation taken for fat moves it by 30 mg/cc.

Density is in mg/cc of K2HPO4, as liquid phantoms give it. HU are those of the scan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vertebro.assessment.calibration_tissues import NO_ENHANCED_VESSEL, TissueSample, sample_tissues
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import Estimate
from vertebro.findings import Finding, finding
from vertebro.imaging import LabelVolume, Volume
from vertebro.materials import published_attenuation, reference_attenuation, reference_tissues
from vertebro.materials.bone_density import (
    DensityCalibration,
    energy_from_kvp_kev,
    fit_tissues,
    mineral_gain_mg_cc_per_hu,
)

SOFT_TISSUES = ("adipose", "blood", "skeletal_muscle")
_ENERGY_SD_KEV = 5.0
"""Standard deviation of that energy between scanners and patients (assumed)."""
_UNKNOWN_VOLTAGE_FACTOR = 1.5
"""By how much more it is where even the voltage is a guess (assumed: 100 and 140 kV are 7 keV away)."""
_MARROW_FAT_SD_MG_CC = 8.0
"""Standard deviation left by the unknown fat of the marrow in single-energy CT (assumed)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How HU become density: ``bmd = intercept + slope·HU + curvature·HU²``, and how sure that is.

    Examples
    --------
    >>> straight = Calibration("phantom", 0.8, 0.0, 0.0, 8.0, 0.0, "site phantom")
    >>> straight.bmd(Estimate(100.0, 95.0, 105.0, "hu", "core")).value
    80.0
    """

    kind: str
    """``"phantom"``, ``"internal"`` or ``"none"``."""
    slope_mg_cc_per_hu: float
    intercept_mg_cc: float
    curvature_mg_cc_per_hu2: float
    sd_percent: float
    """Standard deviation in proportion to the density."""
    sd_mg_cc: float
    """Standard deviation whatever the density."""
    basis: str
    """One sentence: how it was had, or why there is none."""
    energy_kev: float | None = None
    r_squared: float | None = None
    samples: tuple[TissueSample, ...] = ()
    alternatives: tuple[tuple[float, float, float], ...] = ()
    """(intercept, slope, curvature) with one tissue left out at a time."""
    contrast: str = "unknown"
    """``"none"``, ``"arterial"``, ``"portal"`` or ``"unknown"``."""
    contrast_shift_hu: float = 0.0
    """What contrast adds to the core; taken off before thresholds are applied, not from the core."""
    findings: tuple[Finding, ...] = ()

    def bmd(self, core_hu: Estimate) -> Estimate:
        """Density of a core in mg/cc; missing, with the reason, where there is no calibration."""
        if self.kind == "none":
            return Estimate.missing("mg/cc", self.basis)
        if not core_hu.is_known:
            return Estimate.missing("mg/cc", core_hu.basis)
        hu = core_hu.require()
        value = self._density(hu, self.intercept_mg_cc, self.slope_mg_cc_per_hu, self.curvature_mg_cc_per_hu2)
        gain = abs(self.slope_mg_cc_per_hu + 2.0 * self.curvature_mg_cc_per_hu2 * hu)
        core_half = gain * ((core_hu.upper or hu) - (core_hu.lower or hu)) / 2.0
        spread = [self._density(hu, *other) - value for other in self.alternatives]
        tissues = float(np.sqrt(np.mean(np.square(spread)))) if spread else 0.0
        sd = math.hypot(self.sd_percent / 100.0 * value, self.sd_mg_cc, tissues)
        return Estimate.symmetric(value, math.hypot(1.96 * sd, core_half), "mg/cc", self.basis)

    def density_law(self) -> DensityCalibration | None:
        """The law itself, for whoever turns voxels into density; None where there is no calibration."""
        if self.kind == "none":
            return None
        spread = [
            self._density(150.0, *other)
            - self._density(
                150.0, self.intercept_mg_cc, self.slope_mg_cc_per_hu, self.curvature_mg_cc_per_hu2
            )
            for other in self.alternatives
        ]
        tissues = float(np.sqrt(np.mean(np.square(spread)))) if spread else 0.0
        return DensityCalibration(
            method=self.kind,
            slope_mg_cc_per_hu=self.slope_mg_cc_per_hu,
            intercept_mg_cc=self.intercept_mg_cc,
            curvature_mg_cc_per_hu2=self.curvature_mg_cc_per_hu2,
            sd_percent=self.sd_percent,
            sd_mg_cc=math.hypot(self.sd_mg_cc, tissues),
            basis=self.basis,
        )

    @staticmethod
    def _density(hu: float, intercept: float, slope: float, curvature: float) -> float:
        return intercept + slope * hu + curvature * hu * hu


def calibrate(volume: Volume, labels: LabelVolume, settings: TissueSettings) -> Calibration:
    """Calibrate a scan: by the given phantom law, else by tissues found in it, else not at all.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
        Tells where the spine is, so that muscle and aorta are sought beside it.
    settings : TissueSettings

    Returns
    -------
    Calibration
        ``findings``: ``tissue.contrast``, ``tissue.calibration_weak``, ``tissue.calibration_none``.
    """
    samples = sample_tissues(volume, labels, settings)
    contrast, shift, found = _contrast(volume, samples, settings)
    if settings.phantom_slope_mg_cc_per_hu is not None:
        base = _by_phantom(settings)
    else:
        base = calibration_from_tissues(samples, volume.facts.kvp_kv, settings)
    return Calibration(
        kind=base.kind,
        slope_mg_cc_per_hu=base.slope_mg_cc_per_hu,
        intercept_mg_cc=base.intercept_mg_cc,
        curvature_mg_cc_per_hu2=base.curvature_mg_cc_per_hu2,
        sd_percent=base.sd_percent,
        sd_mg_cc=base.sd_mg_cc,
        basis=base.basis,
        energy_kev=base.energy_kev,
        r_squared=base.r_squared,
        samples=samples,
        alternatives=base.alternatives,
        contrast=contrast,
        contrast_shift_hu=shift,
        findings=(*base.findings, *found),
    )


def no_calibration(reason: str) -> Calibration:
    """The calibration of a scan that cannot be calibrated."""
    return Calibration("none", 0.0, 0.0, 0.0, 0.0, 0.0, reason)


def _by_phantom(settings: TissueSettings) -> Calibration:
    slope = settings.phantom_slope_mg_cc_per_hu
    assert slope is not None
    return Calibration(
        "phantom",
        slope,
        settings.phantom_intercept_mg_cc,
        0.0,
        settings.phantom_accuracy_percent,
        0.0,
        f"the site's phantom law: {slope:g} mg/cc per HU, {settings.phantom_intercept_mg_cc:g} mg/cc at 0 HU",
    )


def calibration_from_tissues(
    samples: Sequence[TissueSample], kvp_kv: float | None, settings: TissueSettings
) -> Calibration:
    """The best calibration that the usable tissue samples allow.

    Parameters
    ----------
    samples : sequence of TissueSample
    kvp_kv : float or None
        Tube voltage, where the source told it.
    settings : TissueSettings
    """
    means = {sample.tissue: sample.mean_hu for sample in samples if sample.is_used}
    soft = [name for name in SOFT_TISSUES if name in means]
    can_fit = "air" in means and "cortical_bone" in means and bool(soft)
    if settings.internal_law == "five_tissue" and can_fit:
        return _by_five_tissues(means, settings)
    if soft and len(means.keys() - {"cortical_bone"}) >= 2:
        return _by_scale_check({k: v for k, v in means.items() if k != "cortical_bone"}, kvp_kv, settings)
    lacking = "; ".join(
        f"{sample.tissue.replace('_', ' ')}: {sample.note}" for sample in samples if not sample.is_used
    )
    reason = f"no phantom was given and too few tissues can calibrate this scan ({lacking})"
    found = finding("tissue.calibration_none", f"Density in mg/cc is not given: {reason}.")
    return Calibration("none", 0.0, 0.0, 0.0, 0.0, 0.0, reason, findings=(found,))


def _by_five_tissues(means: dict[str, float], settings: TissueSettings) -> Calibration:
    table = published_attenuation()
    fit = fit_tissues(means, table)
    droppable = [name for name in means if name not in ("air", "cortical_bone")] if len(means) > 3 else []
    alternatives = tuple(
        fit_tissues({k: v for k, v in means.items() if k != name}, table).coefficients for name in droppable
    )
    intercept, slope, curvature = fit.coefficients
    names = ", ".join(name.replace("_", " ") for name in means)
    return Calibration(
        "internal",
        slope,
        intercept,
        curvature,
        settings.internal_accuracy_percent,
        0.0 if alternatives else _MARROW_FAT_SD_MG_CC,
        f"K2HPO4 equivalent by the patient's own tissues ({names}), "
        f"effective energy {fit.energy_kev:.0f} keV",
        energy_kev=fit.energy_kev,
        r_squared=fit.r_squared,
        alternatives=alternatives,
    )


def _by_scale_check(means: dict[str, float], kvp_kv: float | None, settings: TissueSettings) -> Calibration:
    """Offset and slope of the scale from air and soft tissue; gain from the tube voltage.

    A ridge towards the ideal scale (offset 0 ± 5 HU, slope 1 ± 0.03) keeps two tissues from saying
    more than they know; a tissue's own natural spread is 8 HU (air 5 HU). All four: assumed.
    """
    energy = energy_from_kvp_kev(kvp_kv)
    table, tissues = reference_attenuation(), reference_tissues()
    water = float(table.mass_attenuation_cm2_g("water", energy))
    ideal = np.array(
        [
            1000.0 * (float(table.mass_attenuation_cm2_g(k, energy)) * tissues[k].density_g_cc / water - 1.0)
            for k in means
        ]
    )
    sd = np.array([5.0 if name == "air" else 8.0 for name in means])
    measured = np.array(list(means.values()))
    design = np.stack([np.ones_like(ideal), ideal], axis=1) / sd[:, None]
    prior_mean, prior_sd = np.array([0.0, 1.0]), np.array([5.0, 0.03])
    normal = design.T @ design + np.diag(prior_sd**-2)
    offset, scale = np.linalg.solve(normal, design.T @ (measured / sd) + prior_mean / prior_sd**2)
    covariance = np.linalg.inv(normal)
    gain = mineral_gain_mg_cc_per_hu(energy)
    gains = [mineral_gain_mg_cc_per_hu(energy + step) for step in (-_ENERGY_SD_KEV, _ENERGY_SD_KEV)]
    energy_percent = (
        50.0 * (gains[1] - gains[0]) / gain * (1.0 if kvp_kv is not None else _UNKNOWN_VOLTAGE_FACTOR)
    )
    voltage = "an assumed 120 kV" if kvp_kv is None else f"{kvp_kv:.0f} kV"
    names = ", ".join(name.replace("_", " ") for name in means)
    lacks = [] if "air" in means else ["no air around the patient"]
    lacks += ["no tube voltage (120 kV assumed)"] if kvp_kv is None else []
    found: tuple[Finding, ...] = ()
    if lacks:
        found = (
            finding(
                "tissue.calibration_weak",
                f"Density in mg/cc rests on {names} with {' and '.join(lacks)}: its interval is wide.",
                evidence={"energy_kev": round(energy, 1), "offset_hu": round(float(offset), 1)},
            ),
        )
    return Calibration(
        "internal",
        gain / float(scale),
        -gain * float(offset) / float(scale),
        0.0,
        math.hypot(settings.internal_accuracy_percent, energy_percent),
        math.hypot(gain * math.sqrt(float(covariance[0, 0])), _MARROW_FAT_SD_MG_CC),
        f"K2HPO4 equivalent, scale checked on {names}, effective energy {energy:.0f} keV from {voltage}",
        energy_kev=energy,
        findings=found,
    )


def _contrast(
    volume: Volume, samples: Sequence[TissueSample], settings: TissueSettings
) -> tuple[str, float, tuple[Finding, ...]]:
    """Contrast phase, its shift of the core in HU, and what to say about it."""
    phase = settings.contrast_phase
    blood = next((sample for sample in samples if sample.tissue == "blood" and sample.n_voxels), None)
    is_plain = any(sample.note == NO_ENHANCED_VESSEL for sample in samples)
    if phase == "unknown" and blood is not None:
        phase = "arterial" if blood.mean_hu >= settings.blood_arterial_hu else "portal"
    elif phase == "unknown" and is_plain:
        phase = "none"
    elif phase == "unknown" and volume.facts.contrast_agent:
        phase = "portal"
    shift = {
        "arterial": settings.contrast_shift_arterial_hu,
        "portal": settings.contrast_shift_portal_hu,
    }.get(phase, 0.0)
    if not shift:
        return phase, 0.0, ()
    seen = f"aorta {blood.mean_hu:.0f} HU" if blood is not None else "as stated by the source"
    found = finding(
        "tissue.contrast",
        f"Contrast in the vessels ({phase} phase, {seen}) raises spongy bone by about {shift:.0f} HU; "
        "thresholds are applied after taking that off.",
        evidence={"phase": phase, "shift_hu": shift},
    )
    return phase, shift, (found,)
