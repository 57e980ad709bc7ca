"""Attenuation of the reference tissues against numbers printed elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.errors import InputError
from vertebro.materials import AttenuationTable, reference_attenuation, reference_tissues

# Linear attenuation, 1/cm, at the density given: computed independently with xraylib 4 total cross sections.
PRINTED_PER_CM = {
    ("water", 1.0): {40: 0.2683, 60: 0.2059, 80: 0.1837, 100: 0.1707, 120: 0.1614},
    ("skeletal_muscle", 1.05): {40: 0.2823, 60: 0.2150, 80: 0.1913, 100: 0.1776, 120: 0.1678},
    ("adipose", 0.95): {40: 0.2267, 60: 0.1878, 80: 0.1716, 100: 0.1610, 120: 0.1529},
    ("cortical_bone", 1.92): {40: 1.278, 60: 0.6045, 80: 0.4279, 100: 0.3562, 120: 0.3180},
    ("hydroxyapatite", 1.0): {40: 0.9876, 60: 0.4067, 80: 0.2589, 100: 0.2019},
    ("dipotassium_phosphate", 1.0): {40: 0.9326, 60: 0.3890, 80: 0.2508, 100: 0.1971},
}
# Mass attenuation, cm2/g, printed by NIST (Hubbell & Seltzer, SRD 126) at 60, 80, 100 and 150 keV.
NIST = {
    "water": (0.2059, 0.1837, 0.1707, 0.1505),
    "cortical_bone": (0.3148, 0.2229, 0.1855, 0.1480),
    "air": (0.1875, 0.1662, 0.1541, 0.1356),
}


@pytest.mark.parametrize("material", list(PRINTED_PER_CM))
def test_linear_attenuation(material: tuple[str, float]) -> None:
    name, density = material
    for energy, printed in PRINTED_PER_CM[material].items():
        value = density * float(reference_attenuation().mass_attenuation_cm2_g(name, float(energy)))
        assert value == pytest.approx(printed, rel=0.005)


@pytest.mark.parametrize("material", list(NIST))
def test_nist_table(material: str) -> None:
    values = reference_attenuation().mass_attenuation_cm2_g(material, [60.0, 80.0, 100.0, 150.0])

    np.testing.assert_allclose(values, NIST[material], rtol=0.004)


def test_interpolation_is_straight_in_logarithms() -> None:
    table = AttenuationTable(np.array([40.0, 160.0]), {"x": np.array([8.0, 1.0])})

    assert float(table.mass_attenuation_cm2_g("x", 80.0)) == pytest.approx(8.0**0.5)


def test_attenuation_falls_with_energy_and_bone_stays_above_water() -> None:
    table = reference_attenuation()
    for name, column in table.columns.items():
        assert np.all(np.diff(column) < 0.0), name
    low = table.energies_kev < 130.0
    assert np.all(table.columns["cortical_bone"][low] > table.columns["water"][low])


def test_compositions_add_up_and_every_tissue_has_a_column_and_a_source() -> None:
    tissues = reference_tissues()

    assert set(tissues) == set(reference_attenuation().columns)
    for tissue in tissues.values():
        assert tissue.source
        assert tissue.density_g_cc > 0.0
        assert bool(tissue.formula) != bool(tissue.composition)
        if tissue.composition:
            assert sum(tissue.composition.values()) == pytest.approx(1.0, abs=1e-6)


def test_unknown_material_and_energy_are_refused() -> None:
    with pytest.raises(InputError, match=r"Needed: one of"):
        reference_attenuation().mass_attenuation_cm2_g("unobtainium", 60.0)
    with pytest.raises(InputError, match=r"30 to 200 keV"):
        reference_attenuation().mass_attenuation_cm2_g("water", 12.0)
