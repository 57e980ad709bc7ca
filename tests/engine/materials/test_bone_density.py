"""Density laws without any image."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.materials.bone_density import (
    DensityCalibration,
    apparent_density_g_cc,
    ash_density_mg_cc,
    hydroxyapatite_mg_cc,
    scanner_default,
)


def test_phantom_law_is_a_straight_line() -> None:
    law = DensityCalibration("phantom", 0.8, -5.0)

    assert law.density_mg_cc(np.array([-100.0, 0.0, 250.0])).tolist() == [-85.0, -5.0, 195.0]


def test_curved_law_never_rises_again_in_gas() -> None:
    law = DensityCalibration("internal", 0.46, 37.0, 0.0004)

    values = law.density_mg_cc(np.array([-575.0, -1000.0]))

    assert values[0] == values[1] == pytest.approx(37.0 - 0.46**2 / (4 * 0.0004))


def test_spread_adds_both_parts_in_squares() -> None:
    law = DensityCalibration("internal", 0.8, 0.0, sd_percent=3.0, sd_mg_cc=4.0)

    assert law.sd_at_mg_cc(100.0) == pytest.approx(5.0)


def test_scanner_default_is_wider_where_the_voltage_is_unknown() -> None:
    known, guessed = scanner_default(120.0), scanner_default(None)

    assert guessed.slope_mg_cc_per_hu == known.slope_mg_cc_per_hu
    assert guessed.sd_at_mg_cc(100.0) > 1.2 * known.sd_at_mg_cc(100.0)


def test_lower_voltage_needs_less_mineral_for_a_hounsfield_unit() -> None:
    assert scanner_default(80.0).slope_mg_cc_per_hu < scanner_default(140.0).slope_mg_cc_per_hu


def test_published_conversions() -> None:
    assert ash_density_mg_cc(0.0) == 38.9
    assert float(apparent_density_g_cc(ash_density_mg_cc(100.0))) == pytest.approx(144.9 / 600.0)
    assert 80.0 < float(hydroxyapatite_mg_cc(100.0)) < 95.0
