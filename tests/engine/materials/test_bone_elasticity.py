"""Published laws of modulus and strength against the values printed for them."""

from __future__ import annotations

import pytest

from vertebro.errors import InputError
from vertebro.materials.bone_elasticity import bone_law, bone_laws, cemented_modulus_mpa


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("kopperdahl_2002", [128.0, 266.0, 406.0, 550.0]),
        ("crawford_2003", [127.0, 288.0, 450.0, 611.0]),
    ],
)
def test_modulus_at_printed_densities(law: str, expected: list[float]) -> None:
    values = bone_law(law).modulus_mpa([50.0, 100.0, 150.0, 200.0])

    assert values == pytest.approx(expected, abs=1.0)


def test_apparent_density_laws_go_through_ash() -> None:
    # 0.2 g/cc apparent is 120 mg/cc ash, which is (120 - 38.9) / 1.06 mg/cc K2HPO4
    k2hpo4 = (120.0 - 38.9) / 1.06

    assert float(bone_law("morgan_2003").modulus_mpa(k2hpo4)) == pytest.approx(384.0, abs=1.0)


def test_femur_law_is_far_too_soft_for_vertebrae() -> None:
    ash_100 = (100.0 - 38.9) / 1.06

    assert float(bone_law("keller_femur").modulus_mpa(ash_100)) == pytest.approx(54.0, abs=1.0)


@pytest.mark.parametrize("name", sorted(bone_laws()))
def test_no_law_gives_negative_or_undefined_values(name: str) -> None:
    law = bone_law(name)

    for density in (-500.0, 0.0, 5.0, 2000.0):
        assert float(law.modulus_mpa(density)) >= 0.0
        assert float(law.yield_stress_mpa(density)) >= 0.0


def test_share_of_bone_outside_a_laws_range() -> None:
    assert bone_law("kopperdahl_2002").outside_range_fraction([10.0, 100.0, 200.0, 400.0]) == 0.5


def test_unknown_law_is_refused() -> None:
    with pytest.raises(InputError, match="kopperdahl_2002"):
        bone_law("guesswork")


def test_cement_share_is_clipped() -> None:
    assert cemented_modulus_mpa(100.0, [-1.0, 2.0], 2000.0).tolist() == [100.0, 2000.0]
