"""The unit system."""

from __future__ import annotations

import pytest

from vertebro import units


def test_volumes() -> None:
    assert units.ml_from_mm3(1.0) == 0.001
    assert units.mm3_from_ml(4.5) == 4500.0
    assert units.ml_from_mm3(units.mm3_from_ml(3.3)) == pytest.approx(3.3)


def test_millimetre_newton_and_second_make_megapascal() -> None:
    """1 Pa·s is 1 N·s/m² = 1e-6 N·s/mm²; 1 MPa is 1 N/mm² = 1000 kPa."""
    newton_second_per_mm2 = 1.0 / (1000.0 * 1000.0)

    assert pytest.approx(newton_second_per_mm2) == units.MPA_S_PER_PA_S
    assert units.KPA_PER_MPA == 1000.0
