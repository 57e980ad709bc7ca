"""Cements and syringes as data."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vertebro.cement.site import rheology_of
from vertebro.devices.cements import (
    CementPhase,
    CementProduct,
    Sourced,
    cement_from_toml,
    cement_names,
    load_cement,
)
from vertebro.devices.syringes import load_syringes, syringe_named
from vertebro.errors import InputError


@pytest.mark.parametrize("name", cement_names())
def test_every_value_has_a_source(name: str) -> None:
    product = load_cement(name)

    values = [getattr(product, item.name) for item in fields(CementProduct)]
    sourced = [value for value in values if isinstance(value, Sourced)]
    assert len(sourced) >= 14
    assert all(len(value.source) > 10 for value in sourced)
    assert len(product.flow_source) > 10


@pytest.mark.parametrize("name", cement_names())
def test_cement_is_like_toothpaste_when_injected_and_hard_after_ten_to_twenty_minutes(name: str) -> None:
    """Toothpaste flows at some tens to a thousand pascal seconds at 1/s."""
    product = load_cement(name)
    start = product.waiting_until_min.value

    viscosity = float(rheology_of(product).viscosity_pa_s(60.0 * start, 1.0))

    assert 20.0 <= viscosity <= 1000.0
    assert 10.0 <= product.hard_min(start + 2.0) <= 20.0


def test_families_are_ordered_by_viscosity() -> None:
    at = [
        float(rheology_of(load_cement(name)).viscosity_pa_s(300.0, 1.0)) for name in ("low", "medium", "high")
    ]

    assert at[0] < at[1] < at[2]


def test_a_warm_room_shortens_the_phases() -> None:
    product = load_cement("generic")

    assert product.phase_at(9.0, 18.0) is CementPhase.WORKING
    assert product.phase_at(9.0, 30.0) is CementPhase.SETTING


def test_an_unknown_cement_names_the_known_ones() -> None:
    with pytest.raises(InputError) as refused:
        load_cement("concrete")
    assert refused.value.code == "device.unknown"
    assert "generic" in refused.value.needed


@pytest.mark.parametrize("text", ["", "name = 'x'", "name = 3\n[flow]\nrows = []"])
def test_a_file_that_lacks_values_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        cement_from_toml("own", text)
    assert refused.value.code == "cement.data"


def test_syringes_have_limits_and_sources() -> None:
    for syringe in load_syringes().values():
        assert 500.0 < syringe.limit_kpa <= 10_000.0
        assert len(syringe.source) > 20
    with pytest.raises(InputError):
        syringe_named("bucket")
