"""The load curve of blocks whose yielding is known, and what bounds the gain by cement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vertebro.case import CurvePoint
from vertebro.imaging import ScalarVolume
from vertebro.mechanics.loading import press
from vertebro.mechanics.mesh import box_mesh
from vertebro.mechanics.model import BoneCondition, build_model
from vertebro.mechanics.nonlinear import (
    coarsened,
    column_strength_n,
    limited_by_columns,
    load_curve,
    plastic_material,
)
from vertebro.mechanics.settings import MechanicsSettings, ModelSettings
from vertebro.mechanics.states import Curve, Pressed

SETTINGS = MechanicsSettings(curve_spacing_mm=1.0, end_strain_percent=1.3)
YIELD = 37.4 * 0.1**1.39
"""Of 100 mg/cc, MPa."""


def test_block_yields_at_the_laws_stress() -> None:
    model = build_model(box_mesh((3, 3, 4), density_mg_cc=100.0, spacing_mm=1.0), SETTINGS.model)

    curve = load_curve(Pressed(model, press(model, 0.01), None), SETTINGS)

    # 5 % hardening from 0.57 to 1.3 % strain and some damage: a few percent above first yield
    assert YIELD * 9.0 < curve.strength_n < 1.1 * YIELD * 9.0
    slope = curve.points[1].force_n / curve.points[1].displacement_mm
    assert slope == pytest.approx(2980.0 * 0.1**1.05 * 9.0 / 4.0, rel=1e-3)


def test_yield_strain_follows_bone_cement_and_caps() -> None:
    mesh = box_mesh((4, 4, 4), density_mg_cc=100.0, spacing_mm=1.0, cap_voxels=1)
    cement = np.zeros(mesh.body.shape)
    cement[2, 2, 3] = 1.0
    model = build_model(mesh, SETTINGS.model, cement_fraction=cement)

    strain = np.asarray(plastic_material(model).yield_strain_compression)

    assert strain[1, 1, 3] == pytest.approx(YIELD / (2980.0 * 0.1**1.05))
    assert strain[2, 2, 3] == pytest.approx(85.0 / 2500.0)
    assert strain[mesh.cap_superior].min() >= 1.0


def test_larger_cubes_keep_the_stiffness_of_a_block() -> None:
    model = build_model(
        box_mesh((8, 8, 8), density_mg_cc=100.0, spacing_mm=1.0, cap_voxels=4), ModelSettings()
    )
    shifted = replace(model, mesh=model.mesh)

    coarse = coarsened(shifted, 2)

    assert coarse.mesh.spacing_mm == 2.0
    assert press(coarse, 0.1).stiffness_n_per_mm == pytest.approx(
        press(model, 0.1).stiffness_n_per_mm, rel=0.08
    )


def test_cement_that_leaves_bone_at_one_end_adds_little() -> None:
    mesh = box_mesh((8, 8, 8), density_mg_cc=100.0, spacing_mm=1.0, cap_voxels=2)
    short = np.where(mesh.body, 1.0, 0.0)
    short[:, :, np.flatnonzero(mesh.body.any(axis=(0, 1)))[-1]] = 0.0
    weak = BoneCondition(0.5, 0.9)
    before = column_strength_n(build_model(mesh, ModelSettings(), condition=weak))

    ended = column_strength_n(build_model(mesh, ModelSettings(), condition=weak, cement_fraction=short))
    through = column_strength_n(
        build_model(mesh, ModelSettings(), cement_fraction=np.where(mesh.body, 1.0, 0.0))
    )

    assert ended == pytest.approx(before)
    assert through > 20.0 * before


def test_curve_ends_where_uncemented_bone_crushes() -> None:
    mesh = box_mesh((2, 2, 2), density_mg_cc=100.0, spacing_mm=1.0)
    damage = ScalarVolume(np.zeros(mesh.body.shape, np.float32), mesh.geometry, "share of stiffness lost")
    points = tuple(CurvePoint(0.1 * n, 100.0 * n) for n in range(6))
    before = Curve(points[:3], 200.0, damage, "", "")
    after = Curve(points, 500.0, damage, "", "")

    ended = limited_by_columns(after, before, 1.25)

    assert ended.is_limited
    assert (ended.strength_n, ended.points[-1].force_n) == (250.0, 250.0)
    assert ended.points[-1].displacement_mm == pytest.approx(0.25)
    assert limited_by_columns(after, before, 9.0) is after
