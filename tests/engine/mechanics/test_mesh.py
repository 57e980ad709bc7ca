"""From CT and labels to a mesh with caps, on made spines whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from real_data import real_data
from vertebro.assessment import assess_levels
from vertebro.case import Assessment
from vertebro.imaging import LabelVolume, Volume
from vertebro.io import read_ct, read_labels
from vertebro.materials.bone_density import scanner_default
from vertebro.mechanics.loading import press
from vertebro.mechanics.mesh import VertebraMesh, build_mesh
from vertebro.mechanics.model import build_model
from vertebro.mechanics.settings import ModelSettings
from vertebro.phantoms import PhantomSettings, make_phantom


@cache
def spine() -> tuple[Volume, LabelVolume, Assessment]:
    patient = make_phantom(PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(1.0, 1.0, 1.0)))
    return patient.volume, patient.labels, assess_levels(patient.volume, patient.labels)


def mesh_of(level: str = "L1", labels: LabelVolume | None = None, **settings: object) -> VertebraMesh:
    volume, own, assessment = spine()
    law = scanner_default(120.0)
    chosen = ModelSettings(**settings)  # type: ignore[arg-type]
    return build_mesh(volume, labels or own, assessment.bodies, assessment.levels[level], law, chosen)


def test_mesh_has_the_assessed_volume_and_height() -> None:
    mesh = mesh_of()
    level = spine()[2].levels["L1"]

    assert mesh.body_ml == pytest.approx(level.dimensions.volume_ml.require(), rel=0.05)
    assert mesh.height_mm == pytest.approx(level.heights_mm.middle.require(), rel=0.12)
    assert mesh.findings == ()


def test_caps_touch_bone_end_in_planes_and_leave_the_arch_free() -> None:
    mesh = mesh_of()

    for cap, side in ((mesh.cap_superior, 1), (mesh.cap_inferior, -1)):
        planes = np.flatnonzero(cap.any(axis=(0, 1)))
        outer = cap[:, :, planes[-1] if side > 0 else planes[0]]
        assert (outer == cap.any(axis=2)).all()
        assert not (cap & mesh.bone).any()
        assert outer.sum() > 0.6 * mesh.body.any(axis=2).sum()
        assert mesh.body[np.roll(cap, -side, axis=2) & ~cap].all()


def test_cutting_the_arch_changes_little_under_axial_load() -> None:
    whole, body = mesh_of(), mesh_of(keeps_posterior=False)
    stiff = [press(build_model(m, ModelSettings()), 0.1).stiffness_n_per_mm for m in (whole, body)]

    assert body.posterior.sum() == 0
    assert 0.9 < stiff[1] / stiff[0] <= 1.0


def test_two_millimetres_against_one_within_eight_percent() -> None:
    stiff = []
    for spacing in (1.0, 2.0):
        model = build_model(mesh_of(spacing_mm=spacing), ModelSettings(spacing_mm=spacing))
        stiff.append(press(model, 0.1).stiffness_n_per_mm)

    assert stiff[1] == pytest.approx(stiff[0], rel=0.08)


def test_soft_layers_are_softer_than_caps() -> None:
    mesh = mesh_of()
    caps, layers = (press(build_model(mesh, ModelSettings(ends=ends)), 0.1) for ends in ("caps", "layers"))

    assert layers.stiffness_n_per_mm < 0.7 * caps.stiffness_n_per_mm


def test_a_loose_piece_is_left_out_and_told() -> None:
    _, labels, _ = spine()
    number = labels.label_of("L1")
    array = labels.labels.copy()
    array[2:22, 2:22, 2:32] = number

    mesh = mesh_of(labels=replace(labels, labels=array))

    assert "mechanics.pieces" in [item.code for item in mesh.findings]
    assert mesh.bone.sum() < 1.3 * mesh_of().bone.sum()


def test_a_mask_at_the_border_is_told() -> None:
    volume, labels, assessment = spine()
    number = labels.label_of("L1")
    where = np.argwhere(labels.labels == number)
    start = (int(np.median(where[:, 0])), 0, 0)
    cut = LabelVolume(
        labels.labels[start[0] :], labels.geometry.crop(start, labels.labels.shape), labels.names
    )
    bodies = assessment.bodies[start[0] :]
    law, settings = scanner_default(120.0), ModelSettings()

    mesh = build_mesh(volume, cut, bodies, assessment.levels["L1"], law, settings)

    assert "mechanics.cut" in [item.code for item in mesh.findings]
    assert np.isfinite(press(build_model(mesh, settings), 0.1).stiffness_n_per_mm)


@pytest.mark.real_data
@pytest.mark.slow
def test_real_levels_mesh_without_hand_work_and_converge() -> None:
    volume = read_ct(real_data("verse012-L1-fracture", "ct.nii.gz"))
    labels = read_labels(real_data("verse012-L1-fracture", "vertebrae.nii.gz"), volume)
    assessment = assess_levels(volume, labels)
    law = assessment.calibration
    assert law is not None

    for name in ("T10", "T11", "T12", "L2"):
        stiff = []
        for spacing in (1.0, 2.0):
            settings = ModelSettings(spacing_mm=spacing)
            mesh = build_mesh(volume, labels, assessment.bodies, assessment.levels[name], law, settings)
            assert mesh.cap_superior.any()
            assert mesh.cap_inferior.any()
            stiff.append(press(build_model(mesh, settings), 0.2, tolerance=1e-4).stiffness_n_per_mm)
        assert stiff[1] == pytest.approx(stiff[0], rel=0.08), name
