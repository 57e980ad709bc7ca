"""Growing cavities against closed forms, and what must hold of every balloon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balloon_cases import block_body
from vertebro.balloon import BalloonSettings
from vertebro.balloon.growth import Placed, cavity_share, compact, grow
from vertebro.balloon.lift import Resistance, balance
from vertebro.devices.balloons import load_balloons
from vertebro.numerics.cavity import (
    CavityMedium,
    cavity_pressures_mpa,
    crushable_limit_mpa,
    tresca_limit_mpa,
)

pytestmark = pytest.mark.physics


def placed(x: float = 0.0, y: float = 0.0, z: float = 0.0, length: int = 1) -> Placed:
    return Placed(load_balloons()[length], np.array([x, y, z]), np.array([0.0, 1.0, 0.0]))


@pytest.mark.parametrize("modulus", [50.0, 300.0])
@pytest.mark.parametrize("poisson", [0.1, 0.3, 0.45])
def test_elastic_cavity(modulus: float, poisson: float):
    (pressure,) = cavity_pressures_mpa(CavityMedium(modulus, poisson), (1.002,))

    shear = modulus / (2.0 * (1.0 + poisson))
    assert pressure == pytest.approx(4.0 * shear * 0.002, rel=0.03)


@pytest.mark.parametrize(("modulus", "strength"), [(100.0, 1.0), (150.0, 2.0), (300.0, 3.0)])
def test_plastic_limit(modulus: float, strength: float):
    limit = tresca_limit_mpa(modulus, 0.3, strength)

    pressures = cavity_pressures_mpa(CavityMedium(modulus, 0.3, strength), (2.0, 4.0))

    assert pressures == pytest.approx((limit, limit), rel=0.10)


@pytest.mark.parametrize("hardening", [0.2, 0.25, 0.4])
def test_crushable_limit_tends_to_its_closed_form(hardening: float):
    medium = CavityMedium(150.0, 0.3, 1.0, crushable=True, hardening=hardening)

    early, late = cavity_pressures_mpa(medium, (1.5, 4.0))

    limit = crushable_limit_mpa(1.0, hardening)
    assert late == pytest.approx(limit, rel=0.05)
    assert early < late


def test_pressure_scales_with_strength():
    growth = (1.2, 2.0)
    weak = cavity_pressures_mpa(CavityMedium(150.0, 0.3, 1.0, crushable=True), growth)
    strong = cavity_pressures_mpa(CavityMedium(300.0, 0.3, 2.0, crushable=True), growth)

    assert np.array(strong) == pytest.approx(2.0 * np.array(weak), rel=1e-3)


@settings(max_examples=12, deadline=None)
@given(
    volume=st.floats(0.2, 4.0),
    x=st.floats(-8.0, 8.0),
    z=st.floats(-4.0, 4.0),
    length=st.integers(0, 2),
)
def test_cavity_holds_the_balloon_and_no_bone_is_lost(volume: float, x: float, z: float, length: int):
    body, chosen = block_body(), BalloonSettings()
    (growth,) = grow(body, (placed(x, 0.0, z, length),), np.zeros(len(body.room)), chosen)

    share = cavity_share(body, growth, volume)
    ratio = compact(body, share, growth.arrival, chosen)

    assert share.sum() * body.voxel_mm3 / 1000.0 == pytest.approx(volume, rel=1e-6)
    assert share.min() >= 0.0
    assert np.all(share <= body.room)
    before = float(np.sum(body.density_mg_cc * body.room))
    after = float(np.sum(body.density_mg_cc * ratio * (body.room - share)))
    assert after == pytest.approx(before, rel=1e-6)
    assert ratio.min() >= 1.0


def test_a_smaller_cavity_lies_within_a_larger_one():
    body = block_body()
    (growth,) = grow(body, (placed(),), np.zeros(len(body.room)), BalloonSettings())

    assert np.all(cavity_share(body, growth, 1.0) <= cavity_share(body, growth, 2.0))


def test_two_balloons_keep_out_of_each_other_and_mirror():
    body = block_body()
    left, right = grow(body, (placed(-5.0), placed(5.0)), np.zeros(len(body.room)), BalloonSettings())
    shares = cavity_share(body, left, 3.0), cavity_share(body, right, 3.0)

    assert np.all(shares[0] + shares[1] <= body.room + 1e-12)
    centres = [np.average(body.points_v[:, 0], weights=share) for share in shares]
    assert centres[0] == pytest.approx(-centres[1], abs=1e-6)


def test_balloon_grows_towards_weak_bone():
    body = block_body()
    body.strength_mpa[body.points_v[:, 0] > 0.0] = 0.2
    (growth,) = grow(body, (placed(),), np.zeros(len(body.room)), BalloonSettings())

    share = cavity_share(body, growth, 2.0)

    assert np.average(body.points_v[:, 0], weights=share) > 1.0


def lifted(volume: float, *, balloons: int = 1, constant: float = 500.0, rising: float = 3000.0) -> float:
    body = block_body()
    places = (placed(-7.0), placed(7.0))[:balloons]
    growths = grow(body, places, np.full(len(body.room), 5.0), BalloonSettings())
    resistance = Resistance(constant, rising)
    return balance(growths, (volume,) * balloons, resistance, BalloonSettings()).share


def test_more_volume_and_a_second_balloon_lift_more():
    assert lifted(1.0) < lifted(2.5) < lifted(2.5, balloons=2)


def test_load_and_stiffness_hold_the_endplates_down():
    assert lifted(2.0, constant=1e6) == 0.0
    assert lifted(2.0, rising=6000.0) < lifted(2.0)


def test_lift_balances_the_work_of_pressure_and_resistance():
    body, chosen = block_body(), BalloonSettings()
    growths = grow(body, (placed(),), np.full(len(body.room), 5.0), chosen)
    state = balance(growths, (2.0,), Resistance(300.0, 2000.0), chosen)

    opened = np.interp(2.0, growths[0].volumes_ml, growths[0].lift_mm3)
    assert 0.0 < state.share < 1.0
    assert state.pressures_mpa[0] * opened == pytest.approx(300.0 + 2000.0 * state.share, rel=1e-6)
    assert state.crushed_ml[0] == pytest.approx(2.0 - state.share * opened / 1000.0, rel=1e-6)
