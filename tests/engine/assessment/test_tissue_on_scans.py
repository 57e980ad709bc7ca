"""Cleft, wall, density and class on whole scans: phantoms of known truth and real images."""

from __future__ import annotations

from functools import cache

import pytest

from real_data import real_data
from vertebro.assessment import assess_levels
from vertebro.assessment.density import patient_density
from vertebro.case import Assessment
from vertebro.io import read_ct, read_labels
from vertebro.phantoms import Fracture, Phantom, PhantomSettings, make_phantom

pytestmark = pytest.mark.slow


@cache
def phantom(
    shape: str, retropulsion_mm: float, cleft_ml: float, spacing_mm: tuple[float, float, float]
) -> Phantom:
    fracture = Fracture(
        "L1", shape, 32.0, cleft=cleft_ml > 0.0, cleft_ml=max(cleft_ml, 0.05), retropulsion_mm=retropulsion_mm
    )
    return make_phantom(
        PhantomSettings(
            levels=("T12", "L1", "L2"),
            fractures=(fracture,),
            spacing_mm=spacing_mm,
            field_of_view_mm=(130.0, 150.0),
            seed=round(10 * retropulsion_mm),
        )
    )


@cache
def assessed(
    shape: str, retropulsion_mm: float, cleft_ml: float, spacing_mm: tuple[float, float, float]
) -> Assessment:
    patient = phantom(shape, retropulsion_mm, cleft_ml, spacing_mm)
    return assess_levels(patient.volume, patient.labels)


CASES = [
    ("wedge", 2.0, 0.6, (0.8, 0.8, 1.0)),
    ("crush", 4.0, 0.0, (1.0, 1.0, 1.0)),
    ("wedge", 6.0, 1.2, (0.8, 0.8, 1.5)),
    ("biconcave", 0.0, 0.0, (1.0, 1.0, 1.0)),
]


@pytest.mark.parametrize("case", CASES)
def test_retropulsion_within_a_millimetre(case: tuple[str, float, float, tuple[float, float, float]]) -> None:
    truth = phantom(*case).truth.levels["L1"]
    wall = assessed(*case).levels["L1"].posterior_wall

    assert wall.bulge_mm.require() == pytest.approx(truth.retropulsion_mm, abs=1.0)
    assert wall.canal_depth_mm.require() == pytest.approx(truth.canal_depth_mm, abs=1.5)


@pytest.mark.parametrize("case", CASES)
def test_cleft_by_volume_and_never_in_a_neighbour(
    case: tuple[str, float, float, tuple[float, float, float]],
) -> None:
    truth = phantom(*case).truth.levels
    levels = assessed(*case).levels

    for name, level in levels.items():
        assert level.cleft.present is truth[name].cleft.present, name
    if truth["L1"].cleft.present:
        volume = levels["L1"].cleft.volume_ml
        assert volume.require() == pytest.approx(truth["L1"].cleft.volume_ml, rel=0.12)


@pytest.mark.parametrize("case", CASES)
def test_core_and_calibrated_density_hold_the_truth(
    case: tuple[str, float, float, tuple[float, float, float]],
) -> None:
    truth = phantom(*case).truth.levels["L2"]
    core_hu, bmd, names = patient_density(assessed(*case).levels.values())

    assert "L1" not in names
    assert core_hu.require() == pytest.approx(truth.core_hu, abs=8.0)
    assert bmd.lower <= truth.bmd_mg_cc <= bmd.upper
    assert bmd.require() == pytest.approx(truth.bmd_mg_cc, rel=0.12)


def test_unbroken_levels_of_a_phantom_get_plain_sentences() -> None:
    for case in CASES:
        for name in ("T12", "L2"):
            level = assessed(*case).levels[name]
            assert level.of_suggestion.type == "none"
            assert "bulges" not in level.summary
            assert "narrower" not in level.summary


@cache
def verse012() -> Assessment:
    volume = read_ct(real_data("verse012-L1-fracture", "ct.nii.gz"))
    return assess_levels(volume, read_labels(real_data("verse012-L1-fracture", "vertebrae.nii.gz"), volume))


@pytest.mark.real_data
def test_the_real_fracture_has_its_gas_cleft_and_its_neighbours_have_none() -> None:
    levels = verse012().levels

    assert levels["L1"].cleft.present is True
    assert 0.1 <= levels["L1"].cleft.volume_ml.require() <= 0.6
    assert [levels[name].cleft.present for name in ("T10", "T11", "T12", "L2", "L3")] == [False] * 5
    assert "gas cleft" in levels["L1"].summary


@pytest.mark.real_data
def test_the_real_fractures_class_wall_and_canal() -> None:
    levels = verse012().levels

    assert levels["L1"].of_suggestion.type in ("OF 3", "OF 4")
    assert {levels[name].of_suggestion.type for name in ("T10", "T11", "T12", "L2", "L3")} == {"none"}
    for name, level in levels.items():
        bulge = level.posterior_wall.bulge_mm
        assert bulge.lower < 1.0 <= bulge.upper, name  # what healthy walls read lies within the interval
        assert "tissue.wall_bulge" not in [item.code for item in level.findings], name
        assert 10.0 < level.posterior_wall.canal_depth_mm.require() < 18.0, name


@pytest.mark.real_data
def test_the_real_patients_density_is_not_that_of_the_rubble() -> None:
    levels = verse012().levels
    core_hu, _, names = patient_density(levels.values())

    assert "L1" not in names
    assert 80.0 < core_hu.require() < 130.0
    assert levels["L1"].density.core_hu.require() > core_hu.upper
    assert "tissue.rubble_density" in [item.code for item in verse012().findings]


@pytest.mark.real_data
@pytest.mark.parametrize("labels", ["totalsegmentator_labels.nii.gz", "vertebrae_verse_labels.nii.gz"])
def test_whole_abdomen_by_either_label_file(labels: str) -> None:
    volume = read_ct(real_data("abdomen-3mm", "ct.nii.gz"))
    levels = assess_levels(volume, read_labels(real_data("abdomen-3mm", labels), volume)).levels

    for name in ("L1", "L2", "L3", "L4", "L5"):
        level = levels[name]
        assert level.cleft.present is False, name
        assert 95.0 < level.density.core_hu.require() < 125.0, name
        assert level.density.bmd_mg_cc.is_known
        assert level.posterior_wall.canal_depth_mm.is_known
    assert not levels["T12"].posterior_wall.bulge_mm.is_known
    assert levels["T12"].summary == "T12: cut by the field of view, not graded."
