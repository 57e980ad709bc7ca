"""Heat conduction and curing against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erf

from vertebro.cement.heat import HeatSettings, law_numbers, simulate_curing_heat
from vertebro.imaging import ScalarVolume, VolumeGeometry
from vertebro.materials.curing import CuringLaw
from vertebro.materials.thermal import CementHeat, ThermalTissue
from vertebro.materials.thermal_dose import cem43_rate, henriques_rate_per_s
from vertebro.numerics import heat_kernels as kernels
from vertebro.numerics.heat import HeatStepper, heat_problem

pytestmark = pytest.mark.physics


def uniform(shape: tuple[int, int, int], conductivity: float, capacity: float, spacing_mm: float = 1.0):
    one = np.ones(shape)
    return heat_problem(conductivity * one, capacity * one, 0.0 * one, (spacing_mm,) * 3)


def test_adiabatic_rise_follows_the_logistic():
    """A cell that loses nothing: with m = n = 1 and no activation energy the logistic is exact."""
    law = np.array([0.02, 0.0, 1.0, 1.0, 1.0, 0.0])
    start, dt, steps, rise_k = 0.01, 7.0, 60, 90.0
    alpha = np.array([start])
    for _ in range(steps):
        after = np.empty(1)
        kernels.cure(alpha, np.array([310.0]), np.array([rise_k]), np.zeros(1), dt, law, 0.02, after)
        alpha = after

    exact = 1.0 / (1.0 + (1.0 - start) / start * math.exp(-0.02 * dt * steps))
    assert alpha[0] == pytest.approx(exact, rel=1e-4)


def test_adiabatic_temperature_equals_the_heat_of_reaction():
    """Insulated cement that cures alone warms by Q·Δα/c: the whole chain, Arrhenius rate included."""
    law = CuringLaw(limit_at_37=1.0, limit_slope_per_k=0.0)
    cement = CementHeat(curing=law)
    rise = cement.heat_j_cm3 / cement.heat_capacity_j_cm3k
    problem = uniform((3, 3, 3), 0.2, cement.heat_capacity_j_cm3k)
    stepper = HeatStepper(problem, np.zeros((3, 3, 3)))
    alpha = np.full(27, 0.005)
    for _ in range(240):
        after = np.empty(27)
        kelvin = stepper.theta.ravel() + 310.15
        kernels.cure(alpha, kelvin, np.full(27, rise), np.zeros(27), 4.0, law_numbers(law), 0.02, after)
        source = (after - alpha).reshape(3, 3, 3) * cement.heat_j_cm3 * 1e-3 / 4.0
        stepper.step(source, 4.0)
        alpha = after

    assert alpha.min() > 0.999
    assert stepper.theta == pytest.approx(rise * (alpha.reshape(3, 3, 3) - 0.005), rel=1e-4)


@pytest.mark.parametrize(("seconds", "published"), [(60.0, 0.686), (120.0, 0.380), (300.0, 0.129)])
def test_hot_sphere_cools_as_in_the_endless_body(seconds: float, published: float):
    radius, diffusivity = 8.0, 0.15
    axis = np.arange(-30.0, 30.5, 1.0)
    far = np.sqrt(sum(part**2 for part in np.meshgrid(axis, axis, axis, indexing="ij")))
    stepper = HeatStepper(uniform(far.shape, diffusivity * 2.5, 2.5), np.clip(radius - far + 0.5, 0.0, 1.0))
    for _ in range(30):
        stepper.step(None, seconds / 30.0)

    x = radius / (2.0 * math.sqrt(diffusivity * seconds))
    exact = float(erf(x)) - 2.0 * x / math.sqrt(math.pi) * math.exp(-x * x)
    middle = far.shape[0] // 2
    assert exact == pytest.approx(published, abs=6e-4)
    assert stepper.theta[middle, middle, middle] == pytest.approx(exact, rel=0.02)


def test_contact_of_two_half_spaces_settles_between_by_effusivity():
    count, hot = 400, 60.0
    conductivity = np.where(np.arange(count) < count // 2, 0.2, 0.5)
    capacity = np.where(np.arange(count) < count // 2, 1.9, 3.8)
    shape = (count, 1, 1)
    problem = heat_problem(
        conductivity.reshape(shape), capacity.reshape(shape), np.zeros(shape), (0.1, 1.0, 1.0)
    )
    stepper = HeatStepper(
        problem, np.where(np.arange(count) < count // 2, hot, 0.0).reshape(shape).astype(float)
    )
    for _ in range(100):
        stepper.step(None, 0.2)

    left, right = stepper.theta[count // 2 - 1, 0, 0], stepper.theta[count // 2, 0, 0]
    face = (0.2 * left + 0.5 * right) / 0.7  # the flux through both half cells is the same
    first, second = math.sqrt(0.2 * 1.9), math.sqrt(0.5 * 3.8)
    assert face == pytest.approx(first * hot / (first + second), rel=0.02)


def test_time_stepping_is_of_second_order():
    """Halving the step quarters the error of a smooth mode's decay."""
    count = 32
    wave = np.cos(np.pi * (np.arange(count) + 0.5) / count).reshape(count, 1, 1)
    rate = 0.15 * 2.0 * (1.0 - math.cos(math.pi / count))
    errors = []
    for steps in (4, 8, 16):
        stepper = HeatStepper(uniform((count, 1, 1), 0.15 * 2.0, 2.0), wave.copy())
        for _ in range(steps):
            stepper.step(None, 600.0 / steps)
        errors.append(abs(stepper.theta[0, 0, 0] / wave[0, 0, 0] - math.exp(-rate * 600.0)))

    orders = [math.log2(errors[i] / errors[i + 1]) for i in range(2)]
    assert min(orders) > 1.8


def test_a_step_of_any_length_neither_swings_nor_grows():
    spike = np.zeros((9, 9, 9))
    spike[4, 4, 4] = 100.0
    stepper = HeatStepper(uniform(spike.shape, 0.5, 2.0), spike)

    stepper.step(None, 1e5)

    assert stepper.theta == pytest.approx(100.0 / 729.0, abs=0.05)


def test_insulated_box_keeps_its_heat():
    random = np.random.default_rng(3)
    shape = (12, 10, 8)
    problem = heat_problem(
        random.uniform(0.1, 0.6, shape), random.uniform(1.5, 4.0, shape), np.zeros(shape), (1.0, 1.2, 0.8)
    )
    stepper = HeatStepper(problem, random.uniform(-10.0, 60.0, shape))
    before = stepper.stored_j()
    for dt in (0.1, 1.0, 10.0, 100.0):
        stepper.step(None, dt)

    assert stepper.stored_j() == pytest.approx(before, rel=1e-5)


def test_curing_heat_is_stored_or_carried_away():
    grid = VolumeGeometry.from_spacing((30, 30, 30), (1.0, 1.0, 1.0))
    share = np.zeros(grid.shape, np.float32)
    share[11:19, 11:19, 11:19] = 0.85
    tissue = np.full(grid.shape, ThermalTissue.CANCELLOUS, np.uint8)
    tissue[:, :8] = ThermalTissue.CANAL

    heat = simulate_curing_heat(
        ScalarVolume(share, grid, "share"),
        tissue,
        CementHeat(),
        injected_s=300.0,
        sites={"centre": share > 0},
        settings=HeatSettings(margin_mm=8.0),
    )

    assert heat.energy_balance_error < 1e-5
    assert heat.released_j == pytest.approx(
        CementHeat().heat_j_cm3 * share.sum() / 1000.0 * (heat.conversion_end - 0.00984), rel=0.01
    )


@pytest.mark.parametrize(
    ("degc", "minutes", "dose"), [(47, 1, 16), (50, 1, 128), (56, 1, 8192), (43, 240, 240), (45, 60, 240)]
)
def test_equivalent_minutes_anchors(degc: float, minutes: float, dose: float):
    assert float(cem43_rate(degc)) * minutes == pytest.approx(dose, rel=1e-6)


@pytest.mark.parametrize(
    ("degc", "seconds", "rounded"), [(55, 30, 1.0), (50, 60, 0.058), (60, 5, 5.3), (44, 21600, 0.25)]
)
def test_henriques_anchors(degc: float, seconds: float, rounded: float):
    exact = seconds * 3.1e98 * math.exp(-6.28e5 / (8.314462618 * (degc + 273.15)))

    assert float(henriques_rate_per_s(degc)) * seconds == pytest.approx(exact, rel=1e-6)
    assert exact == pytest.approx(rounded, rel=0.03)


def test_doses_of_a_constant_temperature_sum_to_their_anchors():
    fields = [np.full((1, 1, 1), 37.0), *(np.zeros((1, 1, 1)) for _ in range(4))]
    warm = np.full((1, 1, 1), 13.0)
    log_rate, energy = math.log(3.1e98), 6.28e5 / 8.314462618
    for _ in range(60):
        kernels.add_dose(warm, warm, 37.0, 1.0, log_rate, energy, *fields)

    peak, above_45, above_50, cem43, burn = (float(field[0, 0, 0]) for field in fields)
    assert (peak, above_45, above_50) == (50.0, 60.0, 60.0)
    assert cem43 == pytest.approx(128.0, rel=1e-6)
    assert burn == pytest.approx(60.0 * float(henriques_rate_per_s(50.0)), rel=1e-6)


def test_time_above_a_threshold_is_cut_where_the_line_crosses_it():
    fields = [np.full((1, 1, 1), 37.0), *(np.zeros((1, 1, 1)) for _ in range(4))]

    kernels.add_dose(np.full((1, 1, 1), 3.0), np.full((1, 1, 1), 13.0), 37.0, 10.0, 0.0, 0.0, *fields)

    assert float(fields[1][0, 0, 0]) == pytest.approx(5.0)
    assert float(fields[2][0, 0, 0]) == pytest.approx(0.0)


@pytest.mark.slow
def test_canal_leak_heats_the_wall_as_in_the_porcine_experiment():
    """Cement in the canal raised the back wall by 19 °C (BMC Musculoskelet Disord 2011;12:116)."""
    axis = np.arange(-24.0, 24.5, 1.0)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    body = (np.sqrt((x / 15) ** 2 + (y / 12) ** 2) <= 1.0) & (np.abs(z) <= 16)
    canal = (np.abs(x) <= 7) & (y < -12.5) & (y > -22.0)
    tissue = np.full(x.shape, ThermalTissue.BATH, np.uint8)
    tissue[body] = ThermalTissue.CANCELLOUS
    tissue[canal] = ThermalTissue.CANAL
    grid = VolumeGeometry.from_spacing(x.shape, (1.0, 1.0, 1.0))
    wall = (np.abs(x) <= 2) & (np.abs(z) <= 2) & (y < -12.0) & (y > -13.6)

    def peak(leak: bool) -> float:
        share = np.where(x**2 + y**2 + z**2 <= 6.5**2, 0.85, 0.0)
        if leak:
            share = np.where(canal & (np.abs(z) <= 6.5) & (y > -20.5), 1.0, share)
        heat = simulate_curing_heat(
            ScalarVolume(share.astype(np.float32), grid, "share"),
            tissue,
            CementHeat(),
            injected_s=300.0,
            sites={"wall": wall},
            settings=HeatSettings(perfusion=0.0, margin_mm=12.0),
        )
        return heat.sites["wall"].peak_degc

    assert peak(True) - peak(False) == pytest.approx(19.0, abs=8.0)
