"""Beam, materials, noise and hardening against published and computed numbers."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.case import CArmPose
from vertebro.devices import load_c_arm
from vertebro.fluoroscopy import (
    BeamModel,
    BeamSettings,
    Ellipsoid,
    FluoroscopySettings,
    barium_cement,
    prepare_anatomy,
    render_view,
)
from vertebro.fluoroscopy.detector import add_noise
from vertebro.fluoroscopy.energy_bins import energy_bins
from vertebro.fluoroscopy.projection import equivalent_soft_tissue
from vertebro.fluoroscopy.tissue import density_ramps
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.materials.beam_attenuation import (
    beam_attenuation,
    linear_attenuation_per_cm,
    mixture_attenuation_cm2_g,
    mixture_density_g_cc,
)
from vertebro.materials.spectra import tube_spectrum
from vertebro.numerics import transmitted

ENERGIES_KEV = [30, 40, 50, 60, 70, 80, 100, 120]


@pytest.mark.parametrize(
    ("material", "printed"),
    [
        # NIST SRD 126 as evaluated by xraylib; linear (1/cm) for the first three, cm2/g for the others
        ("water", [0.3756, 0.2683, 0.2269, 0.2059, 0.1929, 0.1837, 0.1707, 0.1614]),
        ("pmma", [0.3608, 0.2797, 0.2468, 0.2289, 0.2172, 0.2084, 0.1953, 0.1852]),
        ("steel_316l", [69.0, 30.8, 16.6, 10.2, 6.90, 5.01, 3.10, 2.23]),
        ("barium_sulfate", [6.222, 14.66, 8.253, 5.116, 3.416, 2.414, 1.362, 0.8683]),
        ("zirconium_dioxide", [18.50, 8.497, 4.626, 2.821, 1.868, 1.318, 0.7552, 0.4968]),
        ("hydroxyapatite", [2.099, 0.9876, 0.5867, 0.4067, 0.3131, 0.2589, 0.2019, 0.1734]),
    ],
)
def test_attenuation_is_within_one_percent_of_the_tables(material: str, printed: list[float]) -> None:
    if material in ("water", "pmma", "steel_316l"):
        found = linear_attenuation_per_cm(material, ENERGIES_KEV)
    else:
        found = beam_attenuation().mass_attenuation_cm2_g(material, ENERGIES_KEV)

    # steel's row is for a composition and density (about 7.9) that its source does not print
    np.testing.assert_allclose(found, printed, rtol=0.01)


@pytest.mark.parametrize(
    ("fraction", "density", "per_cm"),
    [
        (0.0, 1.190, [0.247, 0.229, 0.217, 0.208]),
        (0.2, 1.395, [2.534, 1.642, 1.157, 0.869]),
        (0.3, 1.527, [4.002, 2.549, 1.760, 1.293]),
        (0.4, 1.686, [5.776, 3.645, 2.489, 1.805]),
    ],
)
def test_barium_cement_attenuates_as_computed(fraction: float, density: float, per_cm: list[float]) -> None:
    mix = {"barium_sulfate": fraction, "pmma": 1 - fraction}

    assert mixture_density_g_cc(mix) == pytest.approx(density, rel=1e-3)
    found = mixture_density_g_cc(mix) * mixture_attenuation_cm2_g(mix, [50, 60, 70, 80])
    np.testing.assert_allclose(found, per_cm, rtol=0.01)


def test_barium_jumps_at_its_edge_and_bone_does_not() -> None:
    below, above = 37.43, 37.45
    table = beam_attenuation()

    barium = table.mass_attenuation_cm2_g("barium_sulfate", [below, above])
    mineral = table.mass_attenuation_cm2_g("hydroxyapatite", [below, above])

    assert barium[1] / barium[0] > 4.0
    assert mineral[1] < mineral[0]


@pytest.mark.parametrize(
    ("kv", "plain", "copper", "behind_water"),
    [
        (60, 36.8, 40.6, 46.8),
        (70, 40.3, 44.5, 51.9),
        (80, 43.8, 48.4, 56.8),
        (100, 50.1, 55.0, 64.9),
        (120, 55.4, 60.4, 72.0),
    ],
)
def test_mean_energies_of_spectra(kv: float, plain: float, copper: float, behind_water: float) -> None:
    aluminium = tube_spectrum(kv, {"aluminium": 3.0})
    filtered = aluminium.filtered("copper", 0.1)

    assert aluminium.mean_energy_kev == pytest.approx(plain, abs=0.3)
    assert filtered.mean_energy_kev == pytest.approx(copper, abs=0.3)
    assert filtered.filtered("water", 200.0).mean_energy_kev == pytest.approx(behind_water, abs=0.3)


def test_half_value_layer_of_the_filtered_80_kv_beam() -> None:
    beam = tube_spectrum(80.0, {"aluminium": 3.0, "copper": 0.1})

    half = beam.filtered("aluminium", 4.58)  # SpekPy's first half-value layer, mm

    assert half.air_kerma_ugy_per_mas / beam.air_kerma_ugy_per_mas == pytest.approx(0.5, abs=0.005)


def test_tube_output_between_tabulated_voltages_lies_between() -> None:
    outputs = [tube_spectrum(kv, {"aluminium": 3.0}).air_kerma_ugy_per_mas for kv in (80.0, 82.5, 85.0)]

    assert outputs[0] < outputs[1] < outputs[2]
    assert outputs[1] == pytest.approx((outputs[0] + outputs[2]) / 2, rel=0.02)


@pytest.mark.parametrize("with_metal", [False, True])
def test_every_hounsfield_unit_attenuates_as_it_says_at_70_kev(with_metal: bool) -> None:
    hu = np.array([-900.0, -700.0, -100.0, 0.0, 40.0, 99.0, 150.0, 400.0, 1200.0, 2300.0])
    materials = ["soft_tissue", "hydroxyapatite", "titanium"][: 3 if with_metal else 2]
    density = density_ramps(BeamSettings(), with_metal=with_metal)(hu).astype(np.float64)

    per_cm = sum(
        rho * float(beam_attenuation().mass_attenuation_cm2_g(name, 70.0))
        for name, rho in zip(materials, density, strict=True)
    )

    water = float(linear_attenuation_per_cm("water", 70.0))
    np.testing.assert_allclose(per_cm, water * (1 + hu / 1000), rtol=2e-4)


def test_bone_mineral_of_a_hounsfield_unit_follows_displacement_of_soft_tissue() -> None:
    # 0.77 mg/cc of hydroxyapatite a HU at 70 keV (water displaced, solid 3.16 g/cc)
    density = density_ramps(BeamSettings(), with_metal=False)(np.array([600.0, 1100.0]))

    per_hu = 1000 * (density[1, 1] - density[1, 0]) / 500
    assert per_hu == pytest.approx(0.77, rel=0.03)
    assert density[0, 1] < density[0, 0]


def test_few_bins_give_the_signal_of_the_full_spectrum() -> None:
    bins = energy_bins(load_c_arm("mobile_c_arm"), BeamSettings())
    names = ({"soft_tissue": 1.0}, {"hydroxyapatite": 1.0}, {"barium_sulfate": 0.3, "pmma": 0.7})
    few = np.stack([bins.attenuation_cm2_g(mix) for mix in names])
    energies = bins.spectrum.energies_kev
    many = np.stack([mixture_attenuation_cm2_g(mix, energies) for mix in names])
    weights = bins.spectrum.photons_per_mas_cm2 * bins.response_kev
    grid = np.array([(s, b, c) for s in (5.0, 15.0, 25.0, 40.0) for b in (0.0, 3.0, 8.0) for c in (0.0, 1.0)])

    approximate = np.exp(-grid @ few) @ bins.weights
    exact = np.exp(-grid @ many) @ (weights / weights.sum())

    assert bins.weights.size >= 8
    # in -ln(signal), which is what the monitor shows
    assert np.abs(np.log(approximate / exact)).max() < 0.03
    without_cement = grid[:, 2] == 0
    assert np.abs(np.log(approximate / exact))[without_cement].max() < 0.015


def test_beam_hardens_with_a_spectrum_and_not_with_one_energy() -> None:
    arm, depth_cm = load_c_arm("mobile_c_arm"), np.linspace(0, 30, 13).astype(np.float32)
    curves = {}
    for model in BeamModel:
        bins = energy_bins(arm, BeamSettings(model=model))
        mu = bins.attenuation_cm2_g({"water": 1.0}).astype(np.float32)[None]
        curves[model] = -np.log(transmitted(depth_cm[None], mu, bins.weights.astype(np.float32)))

    bends = {model: np.diff(curve, 2) for model, curve in curves.items()}
    assert np.all(bends[BeamModel.POLYENERGETIC] < -1e-4)
    np.testing.assert_allclose(bends[BeamModel.MONOENERGETIC], 0.0, atol=2e-5)


def test_noise_has_the_variance_of_its_quanta() -> None:
    signal, photons = np.full((400, 400), 0.02, np.float32), 5000.0

    noisy = add_noise(signal, photons, 0.0, np.random.default_rng(5)).astype(np.float64)

    assert noisy.mean() == pytest.approx(0.02, rel=1e-3)
    assert noisy.var() / noisy.mean() * photons == pytest.approx(1.0, rel=0.02)


def make_water_ball(radius_mm: float, spacing_mm: float = 1.0) -> Volume:
    n = 2 * int(radius_mm / spacing_mm + 4)
    axis = (np.arange(n) - (n - 1) / 2) * spacing_mm
    distance = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    share = np.clip((radius_mm - distance) / spacing_mm + 0.5, 0, 1)
    grid = VolumeGeometry.from_spacing((n, n, n), (spacing_mm,) * 3, (axis[0],) * 3)
    return Volume((share * 1000 - 1000).astype(np.float32), grid)


QUIET = BeamSettings(model=BeamModel.MONOENERGETIC, single_energy_kev=60.0, scatter=False, noise=False)


@pytest.mark.parametrize(("diameter_mm", "transmission"), [(50.0, 0.3572), (100.0, 0.1276)])
def test_water_ball_lets_through_what_it_should_at_60_kev(diameter_mm: float, transmission: float) -> None:
    settings = FluoroscopySettings(65, 65, beam=QUIET)

    view = render_view(make_water_ball(diameter_mm / 2), CArmPose.parse("RPO 20 CRA 15", (0, 0, 0)), settings)

    assert float(view.signal[32, 32]) == pytest.approx(transmission, rel=0.01)
    assert float(view.signal[0, 0]) == pytest.approx(1.0, abs=1e-5)


def test_five_millimetres_of_barium_cement_darken_water_by_the_computed_factor() -> None:
    settings = FluoroscopySettings(129, 129, beam=QUIET)
    ball, pose = make_water_ball(50.0, 2.0), CArmPose.parse("lateral", (0, 0, 0))
    anatomy = prepare_anatomy(ball, QUIET)
    slab = Ellipsoid(
        (0.0, 0.0, 0.0), np.diag([2.5, 20.0, 20.0]), barium_cement()
    )  # 5 mm thick along the beam

    plain = render_view(anatomy, pose, settings).signal[64, 64]
    cemented = render_view(anatomy, pose, settings, instruments=[slab]).signal[64, 64]

    # exp(-(2.549 - 0.206) * 0.5), the tissue displaced being 1.03 g/cc
    assert float(cemented / plain) == pytest.approx(0.31, rel=0.02)


def test_turning_patient_and_c_arm_together_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    hu = np.kron(rng.integers(-1000, 900, (8, 8, 8)), np.ones((5, 5, 5))).astype(np.int16)
    grid = VolumeGeometry.from_spacing(hu.shape, (1.2, 1.0, 1.5), (-24.0, -20.0, -30.0))
    angle = np.radians(30.0)  # about the patient's long axis: LAO 30 more
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    settings = FluoroscopySettings(128, 128, beam=BeamSettings(noise=False))

    still = render_view(Volume(hu, grid), CArmPose(20.0, 10.0, (1.0, 2.0, 3.0)), settings)
    centre = turn[:3, :3] @ np.array([1.0, 2.0, 3.0])
    turned = render_view(Volume(hu, grid.transformed(turn)), CArmPose(50.0, 10.0, tuple(centre)), settings)

    np.testing.assert_allclose(turned.signal, still.signal, rtol=1e-4)
    assert np.abs(turned.pixels.astype(int) - still.pixels.astype(int)).max() <= 1


def test_one_line_integral_does_for_one_energy() -> None:
    hu = np.array([-900.0, -300.0, 40.0, 300.0, 1500.0])
    grid = VolumeGeometry.from_spacing((1, 1, 5), (1.0, 1.0, 1.0))
    anatomy = prepare_anatomy(Volume(hu.astype(np.float32)[None, None], grid))
    table = beam_attenuation()

    alone = equivalent_soft_tissue(anatomy, 60.0)(hu)[0] * table.mass_attenuation_cm2_g("soft_tissue", 60.0)

    each = zip(anatomy.materials, anatomy.ramps(hu), strict=True)
    together = sum(rho * table.mass_attenuation_cm2_g(name, 60.0) for name, rho in each)
    np.testing.assert_allclose(alone, together, rtol=1e-4)
