"""Uniform blocks under plates, where every number is known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vertebro.errors import InputError
from vertebro.mechanics.loading import bend, press
from vertebro.mechanics.mesh import VertebraMesh, box_mesh
from vertebro.mechanics.model import BoneCondition, build_model
from vertebro.mechanics.settings import ModelSettings

SETTINGS = ModelSettings()
MODULUS = 2980.0 * 0.1**1.05
"""Of 100 mg/cc, MPa."""


def block(cap_voxels: int = 0) -> VertebraMesh:
    return box_mesh((6, 8, 10), density_mg_cc=100.0, spacing_mm=1.0, cap_voxels=cap_voxels)


def test_block_has_the_stiffness_of_a_bar() -> None:
    response = press(build_model(block(), SETTINGS), 0.1, tolerance=1e-10)

    assert response.stiffness_n_per_mm == pytest.approx(MODULUS * 48.0 / 10.0, rel=1e-7)
    assert response.strain_energy_mj == pytest.approx(0.5 * response.reaction_n * 0.1, rel=1e-7)
    assert response.balance < 1e-8


def test_uniform_strain_gives_pistoia_and_crawford_by_hand() -> None:
    mesh = block()
    response = press(build_model(mesh, SETTINGS), 0.05, tolerance=1e-10)

    assert response.effective_strain[mesh.body] == pytest.approx(0.005, rel=1e-5)
    assert response.pistoia_n(mesh.body, 2.0, 0.007) == pytest.approx(MODULUS * 48.0 * 0.007, rel=1e-5)
    assert response.crawford_n(mesh.height_mm, 0.0068) == pytest.approx(MODULUS * 48.0 * 0.0068, rel=1e-6)


def test_caps_and_bone_are_springs_in_series_without_lateral_strain() -> None:
    settings = replace(SETTINGS, poisson_ratio=0.0)
    response = press(build_model(block(cap_voxels=3), settings), 0.1, tolerance=1e-10)

    expected = 48.0 / (10.0 / MODULUS + 6.0 / 2500.0)

    assert response.stiffness_n_per_mm == pytest.approx(expected, rel=1e-6)


def test_bending_a_bar_gives_its_second_moment() -> None:
    settings = replace(SETTINGS, poisson_ratio=0.0)
    model = build_model(box_mesh((4, 12, 24), density_mg_cc=100.0, spacing_mm=1.0), settings)

    response = bend(model, press(model, 0.1, tolerance=1e-10), tolerance=1e-10)

    expected = MODULUS * 4.0 * 12.0**3 / 12.0 / 24.0
    assert response.coupling_n == pytest.approx(0.0, abs=1e-4 * response.axial_n_per_mm)
    assert response.flexion_nmm_per_rad == pytest.approx(expected, rel=0.02)
    assert response.combined_n_per_mm(0.0) == pytest.approx(response.axial_n_per_mm, rel=1e-9)
    assert response.combined_n_per_mm(5.0) < 0.8 * response.axial_n_per_mm


def test_damage_scales_the_body_alone() -> None:
    sound = press(build_model(block(), SETTINGS), 0.1, tolerance=1e-9).stiffness_n_per_mm
    half = press(build_model(block(), SETTINGS, condition=BoneCondition(0.5)), 0.1, tolerance=1e-9)

    assert half.stiffness_n_per_mm == pytest.approx(0.5 * sound, rel=1e-6)


def test_undone_compaction_lowers_the_modulus_by_the_laws_exponent() -> None:
    model = build_model(block(), SETTINGS, condition=BoneCondition(compaction=1.6))

    assert model.young_mpa.max() == pytest.approx(MODULUS / 1.6**1.05)


def test_full_cement_has_the_cements_modulus() -> None:
    mesh = block()
    model = build_model(mesh, SETTINGS, cement_fraction=np.ones(mesh.body.shape))

    assert model.fill_percent == pytest.approx(100.0)
    assert press(model, 0.1, tolerance=1e-9).stiffness_n_per_mm == pytest.approx(2500.0 * 4.8, rel=1e-6)


def test_transversely_isotropic_block_keeps_its_axial_stiffness() -> None:
    settings = replace(SETTINGS, is_transversely_isotropic=True)
    response = press(build_model(block(), settings), 0.1, tolerance=1e-10)

    assert response.stiffness_n_per_mm == pytest.approx(MODULUS * 4.8, rel=1e-6)


def test_nothing_to_press_on_is_refused() -> None:
    mesh = block()
    empty = replace(mesh, body=np.zeros_like(mesh.body), density_mg_cc=np.zeros_like(mesh.density_mg_cc))

    with pytest.raises(InputError, match="plate"):
        press(build_model(empty, SETTINGS), 0.1)


def test_mirrored_block_has_the_same_stiffness() -> None:
    mesh = block(cap_voxels=2)
    rng = np.random.default_rng(4)
    density = np.where(mesh.body, rng.uniform(30.0, 300.0, mesh.body.shape), 0.0).astype(np.float32)
    one = press(build_model(replace(mesh, density_mg_cc=density), SETTINGS), 0.1, tolerance=1e-10)
    other = press(
        build_model(replace(mesh, density_mg_cc=density[::-1].copy()), SETTINGS), 0.1, tolerance=1e-10
    )

    assert other.stiffness_n_per_mm == pytest.approx(one.stiffness_n_per_mm, rel=1e-7)
    assert other.effective_strain[::-1] == pytest.approx(one.effective_strain, rel=1e-4, abs=1e-9)
