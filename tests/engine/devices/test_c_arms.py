"""C-arm data files."""

from __future__ import annotations

from importlib import resources

import pytest

from vertebro.devices import c_arm_from_toml, c_arm_names, load_c_arm
from vertebro.errors import InputError


@pytest.mark.parametrize("key", c_arm_names())
def test_every_c_arm_makes_sense_and_names_its_sources(key: str) -> None:
    arm = load_c_arm(key)

    assert set(arm.sources) >= {"geometry", "movement", "beam", "detector", "grid", "limits"}
    assert all(len(text) > 20 for text in arm.sources.values())
    for plane in arm.planes.values():
        assert plane.source_isocentre_mm < plane.source_detector_mm
        assert plane.detector_width_mm / plane.pixel_mm > 1000
    assert arm.grid_scatter_transmission < arm.grid_primary_transmission


def test_a_mobile_and_a_biplane_machine_are_there() -> None:
    assert {load_c_arm(key).kind for key in c_arm_names()} == {"mobile", "fixed-biplane"}
    assert set(load_c_arm("fixed_biplane").planes) == {"main", "lateral"}


def test_unknown_machine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="mobile_c_arm") as caught:
        load_c_arm("warp_drive")

    assert caught.value.code == "device.unknown"


def test_unknown_plane_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        load_c_arm("mobile_c_arm").plane("lateral")

    assert caught.value.code == "device.plane"


def test_a_machine_of_ones_own_can_be_described() -> None:
    text = resources.files("vertebro.devices").joinpath("data/c_arms/mobile_c_arm.toml").read_text("utf-8")

    own = c_arm_from_toml("own", text.replace("1020.0", "1100.0"))

    assert own.plane().source_detector_mm == 1100.0
