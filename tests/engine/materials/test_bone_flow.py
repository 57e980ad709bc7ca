"""From density to porosity and permeability."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.errors import SettingsError
from vertebro.materials.bone_flow import (
    BoneFlowSettings,
    permeability_mm2,
    porosity_from_mineral,
    porous_shear_rate_per_s,
)

SETTINGS = BoneFlowSettings()


def test_denser_bone_is_less_porous_and_less_permeable() -> None:
    porosity = porosity_from_mineral([30.0, 60.0, 120.0, 240.0], SETTINGS)
    across, along = permeability_mm2(porosity, SETTINGS)

    assert np.all(np.diff(porosity) < 0.0)
    assert np.all(np.diff(along) < 0.0)
    assert np.allclose(along / across, SETTINGS.permeability_ratio)


def test_usual_osteoporotic_bone_lies_in_the_measured_range() -> None:
    """Baroud 2004: (4.45 ± 1.72)e-8 m² along the spine."""
    porosity = porosity_from_mineral([90.0, 105.0, 120.0], SETTINGS)
    _, along = permeability_mm2(porosity, SETTINGS)

    assert np.all((along > 0.0445 - 2 * 0.0172) & (along < 0.0445 + 2 * 0.0172))


def test_porosity_stays_within_its_bounds() -> None:
    porosity = porosity_from_mineral([-1e6, 1e6], SETTINGS)

    assert porosity.tolist() == [SETTINGS.highest_porosity, SETTINGS.lowest_porosity]


@pytest.mark.parametrize("index", [0.3, 0.5, 0.8])
def test_the_pores_shear_rate_gives_christopher_and_middlemans_viscosity(index: float) -> None:
    speed, k, phi, consistency = 0.2, 0.04, 0.9, 1e-4
    effective = consistency / 12.0 * (9.0 + 3.0 / index) ** index * (150.0 * k * phi) ** ((1.0 - index) / 2.0)
    expected = effective * speed ** (index - 1.0)

    rate = float(porous_shear_rate_per_s(speed, k, phi, index))

    assert consistency * rate ** (index - 1.0) == pytest.approx(expected, rel=1e-9)


def test_a_setting_outside_its_range_is_refused() -> None:
    with pytest.raises(SettingsError):
        BoneFlowSettings(marrow_pa_s=-1.0)
