"""Odd input to the model: metal, gas, earlier cement, no mineral; and the published study's bins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vertebro.errors import SettingsError
from vertebro.materials.bone_elasticity import METAL_MODULUS_MPA, bone_law
from vertebro.mechanics.loading import press
from vertebro.mechanics.mesh import VertebraMesh, box_mesh
from vertebro.mechanics.model import build_model
from vertebro.mechanics.settings import ModelSettings

SETTINGS = ModelSettings()


def block_with(value: float, size: int = 10) -> VertebraMesh:
    """A block of 100 mg/cc with a cube of another density in its middle."""
    mesh = box_mesh((20, 20, 20), density_mg_cc=100.0, spacing_mm=1.0)
    density = mesh.density_mg_cc.copy()
    low, high = 11 - size // 2, 11 + size // 2
    density[low:high, low:high, low:high] = value
    return replace(mesh, density_mg_cc=density)


def codes(mesh: VertebraMesh) -> list[str]:
    return [item.code for item in build_model(mesh, SETTINGS).findings]


def test_plain_bone_has_nothing_to_say() -> None:
    assert codes(block_with(100.0)) == []


def test_metal_is_stiff_and_told() -> None:
    model = build_model(block_with(3000.0, 4), SETTINGS)

    assert [item.code for item in model.findings] == ["mechanics.metal"]
    assert model.young_mpa.max() == METAL_MODULUS_MPA
    assert np.isfinite(press(model, 0.1).stiffness_n_per_mm)


def test_cement_of_an_earlier_treatment_is_cement_not_bone() -> None:
    model = build_model(block_with(1500.0), SETTINGS)

    assert [item.code for item in model.findings] == ["mechanics.earlier_cement"]
    assert model.young_mpa.max() == pytest.approx(SETTINGS.cement_modulus_mpa)
    assert model.cement_ml == pytest.approx(1.0)


def test_dense_shell_is_no_cement() -> None:
    mesh = box_mesh((20, 20, 20), density_mg_cc=900.0, spacing_mm=1.0)
    inner = np.zeros_like(mesh.body)
    inner[3:19, 3:19, 3:19] = True
    mesh = replace(mesh, density_mg_cc=np.where(inner, 100.0, mesh.density_mg_cc).astype(np.float32))

    assert codes(mesh) == []


def test_gas_carries_nothing() -> None:
    mesh = block_with(-800.0)
    model = build_model(mesh, SETTINGS)

    assert "mechanics.gas" in [item.code for item in model.findings]
    assert np.count_nonzero(model.young_mpa) == 7000


@pytest.mark.parametrize("density", [0.0, -40.0])
def test_bone_without_mineral_is_soft_told_and_finite(density: float) -> None:
    mesh = box_mesh((8, 8, 8), density_mg_cc=density, spacing_mm=1.0)
    model = build_model(mesh, SETTINGS)
    response = press(model, 0.1)

    assert [item.code for item in model.findings] == ["mechanics.zero_density"]
    assert response.stiffness_n_per_mm == pytest.approx(8.0 * SETTINGS.floor_modulus_mpa, rel=1e-3)


def test_two_pieces_leave_only_the_loaded_one() -> None:
    mesh = box_mesh((8, 8, 8), density_mg_cc=100.0, spacing_mm=1.0)
    loose = np.zeros_like(mesh.body)
    loose[0, 0, 4:6] = True
    apart = np.zeros_like(mesh.body)
    apart[0:1, 0:1, 4:6] = True
    density = np.where(apart, 100.0, mesh.density_mg_cc).astype(np.float32)
    lone = replace(mesh, posterior=apart, density_mg_cc=density)

    one = press(build_model(mesh, SETTINGS), 0.1)
    two = press(build_model(lone, SETTINGS), 0.1)

    assert two.stiffness_n_per_mm == pytest.approx(one.stiffness_n_per_mm, rel=0.01)
    assert np.isfinite(two.effective_strain).all()


def test_one_voxel_bridge_stays_finite() -> None:
    mesh = box_mesh((9, 9, 9), density_mg_cc=100.0, spacing_mm=1.0)
    body = mesh.body.copy()
    body[:, :, 5] = False
    body[5, 5, 5] = True
    density = np.where(body, 100.0, 0.0).astype(np.float32)

    response = press(build_model(replace(mesh, body=body, density_mg_cc=density), SETTINGS), 0.1)

    assert 0.0 < response.stiffness_n_per_mm < 0.2 * 266.0 * 9.0
    assert np.isfinite(response.effective_strain).all()


def test_published_bins_take_the_next_bins_density() -> None:
    mesh = box_mesh((4, 4, 4), density_mg_cc=100.0, spacing_mm=1.0)
    density = mesh.density_mg_cc.copy()
    density[1, 1, 1] = 1249.0  # bins of 10 mg/cc from -31
    model = build_model(replace(mesh, density_mg_cc=density), ModelSettings(compat="walle2025"))

    # 100 lies in the bin from 99 to 109; the next one's middle is 114
    assert model.young_mpa[2, 2, 2] == pytest.approx(float(bone_law().modulus_mpa(114.0)), rel=1e-6)


@pytest.mark.parametrize("change", [{"ends": "springs"}, {"compat": "other"}])
def test_unknown_choices_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="one of"):
        ModelSettings(**change)  # type: ignore[arg-type]
