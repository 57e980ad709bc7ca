"""The core's density without what does not belong to it, and what it says of the patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tissue_bodies import MARROW_HU, ball, make_anatomy
from tissue_levels import make_level
from vertebro.assessment.calibration import Calibration, no_calibration
from vertebro.assessment.density import core_region, density_findings, measure_density, patient_density
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import BoneDensity, Estimate, GenantGrade

SETTINGS = TissueSettings()
NONE = no_calibration("nothing to calibrate by")


def noisy(sd_hu: float, seed: int = 0):
    def paint(hu: np.ndarray, _axes: object) -> None:
        hu += np.random.default_rng(seed).normal(0.0, sd_hu, hu.shape).astype(np.float32)

    return paint


def test_even_core_reads_its_marrow() -> None:
    density, findings = measure_density(make_anatomy(), NONE, SETTINGS)

    assert density.core_hu.require() == pytest.approx(MARROW_HU, abs=1e-3)
    assert findings == ()


@pytest.mark.parametrize("seed", range(5))
def test_interval_holds_the_truth_under_noise(seed: int) -> None:
    density, _ = measure_density(make_anatomy(paint=noisy(80.0, seed)), NONE, SETTINGS)

    assert density.core_hu.lower <= MARROW_HU <= density.core_hu.upper
    assert density.core_hu.require() == pytest.approx(MARROW_HU, abs=4.0)


@pytest.mark.parametrize("hu_inside", [-900.0, 500.0, 1100.0, 2600.0])
def test_gas_islands_and_cement_are_kept_out(hu_inside: float) -> None:
    anatomy = make_anatomy(paint=ball((5.0, 2.0, 0.0), 5.0, hu_inside))

    density, _ = measure_density(anatomy, NONE, SETTINGS)

    assert density.core_hu.require() == pytest.approx(MARROW_HU, abs=6.0)


def test_core_keeps_clear_of_surface_and_basivertebral_vein() -> None:
    anatomy = make_anatomy()
    mask = core_region(anatomy, SETTINGS).mask
    inside = np.argwhere(anatomy.body)
    core = np.argwhere(mask)

    assert (core.min(axis=0) - inside.min(axis=0))[[0, 2]].min() >= SETTINGS.core_margin_mm
    depth = np.ptp(inside[:, 1]) + 1
    assert core[:, 1].min() - inside[:, 1].min() >= SETTINGS.core_posterior_percent / 100.0 * depth - 1.0
    assert inside[:, 1].max() - core[:, 1].max() >= SETTINGS.core_margin_mm


def test_a_body_without_a_core_gives_a_reason() -> None:
    density, _ = measure_density(make_anatomy(height_mm=9.0), NONE, SETTINGS)

    assert not density.core_hu.is_known
    assert "spongy core" in density.core_hu.basis
    assert not density.bmd_mg_cc.is_known


def test_much_sclerosis_is_pointed_out() -> None:
    def band(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        hu[(np.abs(axes[0]) < 21.0) & (np.abs(axes[1]) < 15.0) & (axes[2] > 2.0) & (axes[2] < 12.0)] = 420.0

    density, findings = measure_density(make_anatomy(paint=band), NONE, SETTINGS)

    assert [item.code for item in findings] == ["tissue.core_sclerosis"]
    assert density.core_hu.require() == pytest.approx(MARROW_HU, abs=15.0)


def test_bmd_follows_the_calibration_and_is_missing_without() -> None:
    anatomy = make_anatomy()
    straight = Calibration("phantom", 0.8, 2.0, 0.0, 8.0, 0.0, "a phantom")

    calibrated, _ = measure_density(anatomy, straight, SETTINGS)
    plain, _ = measure_density(anatomy, NONE, SETTINGS)

    assert calibrated.bmd_mg_cc.require() == pytest.approx(0.8 * MARROW_HU + 2.0, abs=0.01)
    assert calibrated.calibration == "phantom"
    assert not plain.bmd_mg_cc.is_known
    assert plain.bmd_mg_cc.basis == "nothing to calibrate by"


def with_hu(level, hu: float):
    core = Estimate.symmetric(hu, 8.0, "hu", "test")
    return replace(level, density=BoneDensity(core, Estimate.missing("mg/cc", "none"), "none"))


def test_patient_density_leaves_fractured_levels_out() -> None:
    levels = [
        with_hu(make_level("T12"), 95.0),
        with_hu(make_level("L1", grade=GenantGrade.SEVERE), 240.0),
        with_hu(make_level("L2"), 105.0),
        with_hu(make_level("L3", complete=False, grade=None), 300.0),
    ]

    core_hu, bmd, names = patient_density(levels)
    codes = [item.code for item in density_findings(levels, NONE, SETTINGS)]

    assert names == ("T12", "L2")
    assert core_hu.require() == 100.0
    assert not bmd.is_known
    assert codes == ["tissue.rubble_density", "tissue.low_density"]


@pytest.mark.parametrize(
    ("hu", "shift_hu", "code"),
    [
        (90.0, 0.0, "tissue.severe_osteoporosis"),
        (91.0, 0.0, "tissue.low_density"),
        (110.0, 0.0, "tissue.low_density"),
        (111.0, 0.0, None),
        (108.0, 20.0, "tissue.severe_osteoporosis"),
    ],
)
def test_thresholds_after_contrast_is_taken_off(hu: float, shift_hu: float, code: str | None) -> None:
    contrast = replace(NONE, contrast="arterial", contrast_shift_hu=shift_hu)

    found = [item.code for item in density_findings([with_hu(make_level("L2"), hu)], contrast, SETTINGS)]

    assert found == ([] if code is None else [code])
