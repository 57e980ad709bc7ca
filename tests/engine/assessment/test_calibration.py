"""Calibration by phantom, by tissues, by fewer tissues, and not at all."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from real_data import real_data
from vertebro.assessment.calibration import (
    calibrate,
    calibration_from_tissues,
    energy_from_kvp_kev,
    fit_tissues,
    mineral_gain_mg_cc_per_hu,
)
from vertebro.assessment.calibration_tissues import TissueSample
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import Estimate
from vertebro.errors import SettingsError
from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
from vertebro.materials import published_attenuation, reference_attenuation, reference_tissues

SETTINGS = TissueSettings()
CORE = Estimate(100.0, 98.0, 102.0, "hu", "core")
PRINTED = {
    "adipose": -82.579,
    "air": -956.834,
    "blood": 39.249,
    "cortical_bone": 1226.214,
    "skeletal_muscle": 24.561,
}
"""Tissue means printed with the public calibration of one subject (Walle, Matheson, Boyd 2025)."""


def ideal_hu(tissue: str, energy_kev: float) -> float:
    table, known = reference_attenuation(), reference_tissues()
    water = float(table.mass_attenuation_cm2_g("water", energy_kev))
    linear = float(table.mass_attenuation_cm2_g(tissue, energy_kev)) * known[tissue].density_g_cc
    return 1000.0 * (linear / water - 1.0)


def used(tissue: str, hu: float) -> TissueSample:
    return TissueSample(tissue, hu, 10.0, 500, True)


def ideal_samples(energy_kev: float, *tissues: str) -> list[TissueSample]:
    return [used(tissue, ideal_hu(tissue, energy_kev)) for tissue in tissues]


def test_five_tissue_fit_reproduces_the_printed_calibration() -> None:
    fit = fit_tissues(PRINTED, published_attenuation())

    assert fit.energy_kev == 97.0
    assert fit.r_squared == pytest.approx(0.998965, abs=1e-6)
    assert fit.attenuation_slope == pytest.approx(0.000016, abs=5e-7)
    assert fit.attenuation_intercept == pytest.approx(0.171240, abs=1e-6)
    assert fit.density_slope == pytest.approx(0.000893, abs=5e-7)
    assert fit.density_intercept == pytest.approx(0.968731, abs=1e-6)


@pytest.mark.parametrize("hu", [-50.0, 0.0, 40.0, 100.0, 200.0, 500.0])
def test_density_of_the_printed_calibration_within_one_mg_cc(hu: float) -> None:
    # the published two-component model from the fit's own printed numbers, six decimals where printed
    table = published_attenuation()
    fat, mineral = (
        float(table.mass_attenuation_cm2_g(name, 97.0)) for name in ("triglyceride", "dipotassium_phosphate")
    )
    slope = fit_tissues(PRINTED, table).attenuation_slope  # printed with two digits only
    expected = 1000.0 * (0.000893 * hu + 0.968731) * (slope * hu + 0.171240 - fat) / (mineral - fat)

    intercept, linear, curved = fit_tissues(PRINTED, table).coefficients

    assert intercept + linear * hu + curved * hu**2 == pytest.approx(expected, abs=0.2)


def test_finer_interpolation_moves_the_energy_by_one_step_only() -> None:
    assert fit_tissues(PRINTED, reference_attenuation()).energy_kev == pytest.approx(97.0, abs=1.0)


@pytest.mark.real_data
def test_printed_means_are_those_of_the_file() -> None:
    text = real_data("verse004-L2-calibrated", "calibration.txt").read_text(encoding="utf-8")
    rows = re.findall(r"^\s+([A-Z][A-Za-z ]+?)\s+(-?\d+\.\d+)\s+\d+\.\d+\s+\d+ \[used\]", text, re.MULTILINE)

    assert {name.lower().replace(" ", "_"): float(mean) for name, mean in rows} == PRINTED
    energy = re.search(r"Energy \[keV\]:\s+([\d.]+)", text)
    assert energy is not None
    assert float(energy.group(1)) == fit_tissues(PRINTED, published_attenuation()).energy_kev


def test_phantom_law_is_taken_before_tissues() -> None:
    settings = replace(SETTINGS, phantom_slope_mg_cc_per_hu=0.75, phantom_intercept_mg_cc=-4.0)
    calibration = calibrate(*empty_scan(), settings)

    assert calibration.kind == "phantom"
    assert calibration.bmd(CORE).require() == pytest.approx(71.0)


def test_phantom_law_outside_its_range_is_refused() -> None:
    with pytest.raises(SettingsError):
        TissueSettings(phantom_slope_mg_cc_per_hu=12.0)
    with pytest.raises(SettingsError, match="arterial"):
        TissueSettings(contrast_phase="late")


@pytest.mark.parametrize("kvp", [80.0, 100.0, 120.0])
def test_water_with_mineral_is_recovered_on_an_ideal_scan(kvp: float) -> None:
    energy = energy_from_kvp_kev(kvp)
    truth_mg_cc = 90.0
    core = Estimate.symmetric(truth_mg_cc / mineral_gain_mg_cc_per_hu(energy), 1.0, "hu", "mixture")

    calibration = calibration_from_tissues(
        ideal_samples(energy, "air", "adipose", "skeletal_muscle"), kvp, SETTINGS
    )

    assert calibration.kind == "internal"
    assert calibration.bmd(core).require() == pytest.approx(truth_mg_cc, rel=0.01)
    assert calibration.findings == ()


def test_a_scale_that_is_off_is_corrected() -> None:
    energy = energy_from_kvp_kev(120.0)
    ideal = ideal_samples(energy, "air", "adipose", "skeletal_muscle")
    drifted = [used(item.tissue, 1.03 * item.mean_hu + 8.0) for item in ideal]
    core_hu = 1.03 * 100.0 + 8.0

    straight = calibration_from_tissues(ideal, 120.0, SETTINGS).bmd(CORE).require()
    core = Estimate.symmetric(core_hu, 2.0, "hu", "core")
    corrected = calibration_from_tissues(drifted, 120.0, SETTINGS).bmd(core).require()

    uncorrected = calibration_from_tissues(ideal, 120.0, SETTINGS).bmd(core).require()
    assert abs(corrected - straight) < 0.5 * abs(uncorrected - straight)


def test_fewer_tissues_and_an_unknown_voltage_widen_the_interval() -> None:
    energy = energy_from_kvp_kev(120.0)
    whole = calibration_from_tissues(
        ideal_samples(energy, "air", "adipose", "skeletal_muscle"), 120.0, SETTINGS
    )
    fewer = calibration_from_tissues(ideal_samples(energy, "adipose", "skeletal_muscle"), None, SETTINGS)

    wide, narrow = fewer.bmd(CORE), whole.bmd(CORE)
    assert wide.upper - wide.lower > narrow.upper - narrow.lower
    assert [item.code for item in fewer.findings] == ["tissue.calibration_weak"]
    assert wide.lower <= narrow.require() <= wide.upper


def test_one_tissue_is_no_calibration() -> None:
    calibration = calibration_from_tissues(
        [used("adipose", -100.0), TissueSample("air", 0.0, 0.0, 0, False, "no region large enough")],
        120.0,
        SETTINGS,
    )

    assert calibration.kind == "none"
    assert "air: no region large enough" in calibration.bmd(CORE).basis
    assert [item.code for item in calibration.findings] == ["tissue.calibration_none"]


def test_five_tissue_law_on_request_spans_its_leave_one_out_spread() -> None:
    settings = replace(SETTINGS, internal_law="five_tissue")
    calibration = calibration_from_tissues([used(k, v) for k, v in PRINTED.items()], 120.0, settings)

    bmd = calibration.bmd(CORE)
    assert calibration.energy_kev == pytest.approx(97.0, abs=1.0)
    assert len(calibration.alternatives) == 3
    for intercept, slope, curvature in calibration.alternatives:
        assert bmd.lower <= intercept + 100.0 * slope + 1e4 * curvature <= bmd.upper


def scan_of(blocks: dict[str, float], kvp: float | None = 120.0) -> tuple[Volume, LabelVolume]:
    """A synthetic trunk of 3 mm: air, fat rind, muscle, an aorta and a labelled spine column."""
    geometry = VolumeGeometry.from_spacing((100, 80, 40), (3.0, 3.0, 3.0))
    x, y, z = np.meshgrid(*(np.arange(n) * 3.0 for n in geometry.shape), indexing="ij")
    dx, dy = x - 150.0, y - 130.0
    hu = np.full(geometry.shape, blocks["air"], np.float32)
    trunk = (dx / 130.0) ** 2 + ((y - 120.0) / 95.0) ** 2
    hu[trunk < 1.0] = blocks["adipose"]
    hu[trunk < 0.6] = blocks["skeletal_muscle"]
    hu[(dx - 12.0) ** 2 + (dy + 45.0) ** 2 < 12.0**2] = blocks["blood"]
    spine = (dx**2 + dy**2 < 20.0**2) & (z > 10.0) & (z < 110.0)
    hu[spine] = 150.0
    hu += np.random.default_rng(3).normal(0.0, 8.0, hu.shape).astype(np.float32)
    labels = LabelVolume(spine.astype(np.uint8) * 20, geometry, {20: "L1"})
    return Volume(hu, geometry, ImageFacts(kvp_kv=kvp)), labels


def empty_scan() -> tuple[Volume, LabelVolume]:
    geometry = VolumeGeometry.from_spacing((20, 20, 20), (3.0, 3.0, 3.0))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[8:12, 8:12, 8:12] = 20
    return Volume(np.full(geometry.shape, 300, np.int16), geometry), LabelVolume(labels, geometry, {20: "L1"})


PLAIN = {"air": -1000.0, "adipose": -100.0, "skeletal_muscle": 55.0, "blood": 45.0}


def test_tissues_are_found_in_a_trunk() -> None:
    calibration = calibrate(*scan_of(PLAIN), SETTINGS)
    means = {sample.tissue: sample.mean_hu for sample in calibration.samples if sample.is_used}

    assert means["air"] == pytest.approx(-1000.0, abs=2.0)
    assert means["adipose"] == pytest.approx(-100.0, abs=2.0)
    assert means["skeletal_muscle"] == pytest.approx(55.0, abs=2.0)
    assert calibration.contrast == "none"
    assert calibration.kind == "internal"


@pytest.mark.parametrize(("blood", "phase", "shift"), [(150.0, "portal", 14.75), (300.0, "arterial", 20.0)])
def test_contrast_is_seen_in_the_aorta(blood: float, phase: str, shift: float) -> None:
    calibration = calibrate(*scan_of({**PLAIN, "blood": blood}), SETTINGS)

    assert calibration.contrast == phase
    assert calibration.contrast_shift_hu == shift
    assert [item.code for item in calibration.findings] == ["tissue.contrast"]


def test_what_the_person_says_of_contrast_holds() -> None:
    settings = replace(SETTINGS, contrast_phase="none")

    assert calibrate(*scan_of({**PLAIN, "blood": 300.0}), settings).contrast_shift_hu == 0.0


def test_foam_and_padding_are_not_air() -> None:
    for not_air in (-930.0, -1024.0):
        volume, labels = scan_of({**PLAIN, "air": not_air})
        if not_air == -1024.0:
            hu = volume.hu.copy()
            hu[hu < -900.0] = -1024.0
            volume = replace(volume, hu=hu)
        air = next(item for item in calibrate(volume, labels, SETTINGS).samples if item.tissue == "air")
        assert not air.is_used


def test_no_labels_no_tissues() -> None:
    volume, labels = scan_of(PLAIN)
    nothing = LabelVolume(np.zeros_like(labels.labels), labels.geometry, {})

    assert calibrate(volume, nothing, SETTINGS).kind == "none"
