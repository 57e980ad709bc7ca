"""Tissue measurements on bodies of any shape: they answer or give a reason, and mirror with the patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tissue_bodies import heights, make_anatomy
from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.calibration import Calibration
from vertebro.assessment.cleft import find_cleft
from vertebro.assessment.density import measure_density
from vertebro.assessment.of_class import suggest_of_class
from vertebro.assessment.posterior_wall import measure_posterior_wall
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import Estimate

SETTINGS = TissueSettings()
STRAIGHT = Calibration("phantom", 0.8, 0.0, 0.0, 8.0, 0.0, "a phantom")
OF_TYPES = {"OF 2", "OF 3", "OF 4", "none", "undetermined"}


def measure_all(anatomy: LevelAnatomy) -> tuple[object, ...]:
    cleft, _ = find_cleft(anatomy, SETTINGS)
    wall, _ = measure_posterior_wall(anatomy, None, None, SETTINGS)
    density, _ = measure_density(anatomy, STRAIGHT, SETTINGS)
    loss = Estimate(30.0, 25.0, 35.0, "percent", "test")
    kind = suggest_of_class(anatomy, heights(27.0, 27.0, 27.0), loss, wall, cleft, SETTINGS)
    return cleft, wall, density, kind


@settings(max_examples=20, deadline=None)
@given(
    height_mm=st.floats(2.0, 40.0),
    depth_mm=st.floats(4.0, 40.0),
    width_mm=st.floats(4.0, 60.0),
    canal_mm=st.floats(1.0, 25.0),
    complete=st.booleans(),
    is_body_only=st.booleans(),
    with_lamina=st.booleans(),
    noise_hu=st.sampled_from([0.0, 60.0, 400.0]),
)
def test_any_box_is_answered_or_given_a_reason(
    height_mm: float,
    depth_mm: float,
    width_mm: float,
    canal_mm: float,
    complete: bool,
    is_body_only: bool,
    with_lamina: bool,
    noise_hu: float,
) -> None:
    def noise(hu: np.ndarray, _axes: object) -> None:
        hu += np.random.default_rng(1).normal(0.0, noise_hu, hu.shape).astype(np.float32)

    anatomy = make_anatomy(
        height_mm=height_mm,
        depth_mm=depth_mm,
        width_mm=width_mm,
        canal_mm=canal_mm,
        complete=complete,
        is_body_only=is_body_only,
        with_lamina=with_lamina,
        voxel_mm=1.5,
        paint=noise,
    )

    cleft, wall, density, kind = measure_all(anatomy)

    for estimate in (
        cleft.volume_ml,
        wall.bulge_mm,
        wall.canal_depth_mm,
        wall.canal_encroachment_percent,
        density.core_hu,
        density.bmd_mg_cc,
    ):
        assert estimate.basis
    assert kind.type in OF_TYPES
    assert kind.reasons


@pytest.mark.parametrize("what", ["nothing", "one voxel", "a sheet"])
def test_degenerate_bodies_do_not_fail(what: str) -> None:
    anatomy = make_anatomy()
    body = np.zeros_like(anatomy.body)
    if what == "one voxel":
        body[30, 40, 30] = True
    if what == "a sheet":
        body[20:40, 30:60, 30] = True
    _, wall, density, kind = measure_all(replace(anatomy, body=body, vertebra=body))

    assert not wall.bulge_mm.is_known
    assert not density.core_hu.is_known
    assert kind.type == "undetermined"


@settings(max_examples=8, deadline=None)
@given(x_mm=st.floats(-10.0, 10.0), push_mm=st.floats(0.0, 6.0), push_x_mm=st.floats(-4.0, 4.0))
def test_the_mirrored_patient_gets_the_mirrored_answer(x_mm: float, push_mm: float, push_x_mm: float) -> None:
    def paint(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        x, y, z = axes
        hu[(x - x_mm) ** 2 + (y - 4.0) ** 2 + z**2 < 25.0] = -1000.0

    def wall(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        return -push_mm * np.exp(-(((x - push_x_mm) / 5.0) ** 2) - (z / 5.0) ** 2)

    anatomy = make_anatomy(back_wall=wall, paint=paint)
    mirrored = replace(
        anatomy,
        hu=np.ascontiguousarray(anatomy.hu[::-1]),
        body=np.ascontiguousarray(anatomy.body[::-1]),
        vertebra=np.ascontiguousarray(anatomy.vertebra[::-1]),
    )

    cleft, back, density, kind = measure_all(anatomy)
    other_cleft, other_back, other_density, other_kind = measure_all(mirrored)

    assert other_cleft.volume_ml.require() == pytest.approx(cleft.volume_ml.require(), abs=1e-6)
    assert other_back.bulge_mm.require() == pytest.approx(back.bulge_mm.require(), abs=1e-6)
    assert other_back.canal_depth_mm.require() == pytest.approx(back.canal_depth_mm.require(), abs=1e-6)
    assert other_density.core_hu.require() == pytest.approx(density.core_hu.require(), abs=1e-3)
    assert other_kind.type == kind.type
