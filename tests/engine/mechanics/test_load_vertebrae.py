"""A made spine with a broken level, from labels to the documented JSON and back from the case folder."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from vertebro.assessment import assess_levels
from vertebro.case import (
    Assessment,
    ClinicalContext,
    LevelMechanics,
    MechanicsResult,
    StrengthMethod,
)
from vertebro.imaging import LabelVolume, ScalarVolume, Volume
from vertebro.imaging.lift import patch_grid
from vertebro.io.case_folder import CaseFolder
from vertebro.mechanics import (
    CementField,
    MechanicsSettings,
    ModelSettings,
    PersonSettings,
    load_vertebrae,
)
from vertebro.phantoms import Fracture, PhantomSettings, make_phantom
from vertebro.reporting import mechanics_json
from vertebro.workflow import stage_mechanics

COARSE = MechanicsSettings(
    model=ModelSettings(spacing_mm=2.0),
    person=PersonSettings(weight_kg=70.0, height_cm=170.0, sex="F"),
    nonlinear="none",
)


@cache
def broken_spine() -> tuple[Volume, LabelVolume, Assessment]:
    settings = PhantomSettings(
        levels=("T12", "L1", "L2"),
        spacing_mm=(1.5, 1.5, 1.5),
        fractures=(Fracture("L1", shape="wedge", height_loss_percent=35.0),),
    )
    patient = make_phantom(settings)
    return patient.volume, patient.labels, assess_levels(patient.volume, patient.labels)


def ball_of_cement(radius_mm: float = 9.0) -> dict[str, CementField]:
    """In the middle of L1, on a grid of its own."""
    level = broken_spine()[2].levels["L1"]
    half = np.full(3, radius_mm + 2.0)
    grid = patch_grid(level.lps_from_vertebra, -half, half, 1.0)
    local = np.indices(grid.shape, dtype=np.float64) - (np.array(grid.shape)[:, None, None, None] - 1) / 2
    share = (np.sqrt((local**2).sum(axis=0)) <= radius_mm).astype(np.float32)
    return {"L1": CementField(ScalarVolume(share, grid, "cement share of the voxel"))}


@cache
def loaded() -> MechanicsResult:
    return load_vertebrae(*broken_spine(), COARSE, cement=ball_of_cement())


def level(name: str) -> LevelMechanics:
    return loaded().levels[name]


def test_broken_level_never_takes_its_strength_from_its_stiffness() -> None:
    assert level("L1").is_broken
    assert level("L1").before.strength_method is StrengthMethod.NEIGHBOURS
    assert not level("L1").before.crawford_n.is_known
    assert not level("L1").before.pistoia_n.is_known
    assert level("L2").before.strength_method is StrengthMethod.STIFFNESS


def test_broken_level_is_softer_than_its_sound_neighbours() -> None:
    neighbours = [level(name).before.stiffness_n_per_mm.require() for name in ("T12", "L2")]

    assert level("L1").before.stiffness_n_per_mm.require() < 0.8 * min(neighbours)
    intact = level("L1").intact_stiffness_n_per_mm.require()
    assert min(neighbours) <= intact <= max(neighbours)


def test_cement_stiffens_and_its_volume_is_kept() -> None:
    treated = level("L1")
    assert treated.after is not None
    assert treated.gain is not None

    assert treated.gain.stiffness_ratio.require() > 1.2
    assert treated.gain.cement_ml == pytest.approx(4 / 3 * np.pi * 9.0**3 / 1000.0, rel=0.1)
    assert treated.gain.fill_percent == pytest.approx(100 * treated.gain.cement_ml / treated.body_ml)
    assert [item.name for item in treated.neighbours] == ["T12", "L2"]
    for item in treated.neighbours:
        assert item.disc_pressure_change_percent.require() >= 0.0


def test_reactions_balance_and_energy_is_half_the_work() -> None:
    for item in loaded().levels.values():
        state = item.before
        assert state.strain_energy_mj == pytest.approx(
            0.5 * state.reaction_n * state.displacement_mm, rel=1e-4
        )
        assert "fulfil" in state.solver


def test_fragile_bone_is_told_for_a_woman() -> None:
    codes = {item.code for item in level("T12").findings}
    strength = level("T12").before.strength_n.require()

    assert ("mechanics.fragile" in codes) == (strength < 4500.0)


def test_healed_fracture_is_stiffer_than_a_fresh_one() -> None:
    old = ClinicalContext(fracture_age_days=500.0, oedema_levels=())

    healed = load_vertebrae(*broken_spine(), replace(COARSE, bends=False), levels=("L1",), context=old)

    assert list(healed.levels) == ["L1"]
    fresh = level("L1").before.stiffness_n_per_mm.require()
    assert healed.levels["L1"].before.stiffness_n_per_mm.require() > 1.5 * fresh


def test_uncalibrated_scan_and_unknown_person_are_told() -> None:
    volume, labels, assessment = broken_spine()
    bare = replace(assessment, calibration=None)
    settings = replace(COARSE, person=PersonSettings(), bends=False)

    result = load_vertebrae(volume, labels, bare, settings, levels=("L2",))

    assert {item.code for item in result.findings} == {"mechanics.uncalibrated", "mechanics.person_unknown"}
    assert result.levels["L2"].calibration == "scanner_default"
    wide, usual = (r.levels["L2"].before.stiffness_n_per_mm for r in (result, loaded()))
    assert (wide.upper or 0.0) / wide.require() > (usual.upper or 0.0) / usual.require()


def test_result_fits_its_schema_and_survives_the_case_folder(tmp_path: Path) -> None:
    document = mechanics_json(loaded())
    folder = CaseFolder.open_for_writing(tmp_path / "case")

    written = stage_mechanics.save(loaded(), folder)
    back = stage_mechanics.load(folder)

    assert document["levels"]["L1"]["states"]["after"] is not None
    assert document["levels"]["L2"]["states"]["after"] is None
    assert back.to_json() == loaded().to_json()
    assert Path("mechanics/L1-strain-after.nii.gz") in written


@pytest.mark.slow
def test_load_curve_bends_over_and_cement_raises_it() -> None:
    settings = replace(COARSE, nonlinear="treated", bends=False, curve_spacing_mm=3.0, end_strain_percent=2.0)

    treated = load_vertebrae(
        *broken_spine(),
        replace(settings, model=ModelSettings(spacing_mm=1.5)),
        levels=("L1",),
        cement=ball_of_cement(),
    ).levels["L1"]

    assert treated.after is not None
    assert treated.before.strength_method is StrengthMethod.NONLINEAR
    first, last = treated.before.curve[1], treated.before.curve[-1]
    assert last.force_n / last.displacement_mm < 0.8 * first.force_n / first.displacement_mm
    assert treated.after.strength_n.require() > treated.before.strength_n.require()
    assert treated.before.damage is not None
    assert (
        0.0 <= float(treated.before.damage.values.min()) <= float(treated.before.damage.values.max()) <= 1.0
    )
    assert "of the body" in treated.before.failure_site
