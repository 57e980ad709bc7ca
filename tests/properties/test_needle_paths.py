"""Recommended needle paths on random patients, checked by brute force on the labels' own voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from validation.needle_checks import check_path, random_settings
from vertebro.assessment import assess_levels
from vertebro.case import Side, TreatmentPlan
from vertebro.devices.cannulas import cannula_named
from vertebro.phantoms import Phantom, PhantomSettings, make_phantom
from vertebro.planning import plan_treatment

SPACING_MM = 1.25
HALF_VOXEL_MM = 0.5 * SPACING_MM


def _planned(settings: PhantomSettings) -> tuple[Phantom, TreatmentPlan, str]:
    patient = make_phantom(settings)
    level = settings.levels[1]
    assessment = assess_levels(patient.volume, patient.labels, levels=(level,))
    return patient, plan_treatment(patient.volume, patient.labels, assessment), level


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_no_recommended_path_breaks_a_hard_limit(seed: int) -> None:
    patient, plan, level = _planned(random_settings(seed, spacing_mm=SPACING_MM))

    for path in plan.levels[level].paths:
        if path.recommended:
            found = check_path(patient, level, path, cannula_named(path.device).radius_mm)
            assert found.breach_mm <= HALF_VOXEL_MM
            assert found.canal_mm >= -HALF_VOXEL_MM
            assert found.ahead_mm >= 3.0 - HALF_VOXEL_MM
            assert path.gertzbein_robbins == "A"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [101, 102, 103])
def test_an_unbroken_level_has_a_path_on_both_sides(seed: int) -> None:
    _, plan, level = _planned(random_settings(seed, spacing_mm=SPACING_MM, is_broken=False))

    assert all(plan.levels[level].best(side) is not None for side in Side)


@pytest.mark.slow
def test_the_brute_force_check_sees_a_path_moved_out_of_the_pedicle() -> None:
    patient, plan, level = _planned(random_settings(101, spacing_mm=SPACING_MM, is_broken=False))
    path = plan.levels[level].best(Side.LEFT)
    assert path is not None
    frame = plan.levels[level].best(Side.RIGHT)
    assert frame is not None
    inward = frame.isthmus_lps_mm - path.isthmus_lps_mm
    shift = 6.0 * inward / np.linalg.norm(inward)
    moved = replace(
        path,
        entry_bone_lps_mm=path.entry_bone_lps_mm + shift,
        isthmus_lps_mm=path.isthmus_lps_mm + shift,
        target_lps_mm=path.target_lps_mm + shift,
    )

    found = check_path(patient, level, moved, cannula_named(path.device).radius_mm)

    assert found.breach_mm > 1.0
    assert found.canal_mm < -SPACING_MM


@pytest.mark.slow
def test_the_mirrored_patient_has_the_mirrored_plan() -> None:
    settings = replace(random_settings(7, is_broken=True), scoliosis_deg=0.0, noise_hu=0.0)
    settings = replace(settings, patient_rotation_deg=(0.0, 0.0, 0.0), mirror=False)
    _, plan, level = _planned(settings)
    _, mirrored, _ = _planned(replace(settings, mirror=True))

    for side, other in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)):
        one, two = plan.levels[level].best(side), mirrored.levels[level].best(other)
        assert one is not None
        assert two is not None
        assert (one.access, one.device, one.approach) == (two.access, two.device, two.approach)
        for name, value in one.margins_mm.items():
            assert value == pytest.approx(two.margins_mm[name], abs=0.3)
        assert one.axial_angle_deg == pytest.approx(two.axial_angle_deg, abs=3.0)


@pytest.mark.slow
def test_slices_of_three_millimetres_from_left_to_right_move_margins_by_half_a_millimetre_at_most() -> None:
    fine = replace(
        random_settings(5, is_broken=False), spacing_mm=(1.0, 1.0, 1.0), patient_rotation_deg=(0.0, 0.0, 0.0)
    )
    _, plan, level = _planned(fine)
    _, thick, _ = _planned(replace(fine, spacing_mm=(3.0, 1.0, 1.0)))

    for side in Side:
        one, two = plan.levels[level].best(side), thick.levels[level].best(side)
        assert one is not None
        assert two is not None
        smallest = [min(p.margins_mm[name] for name in ("medial", "lateral", "canal")) for p in (one, two)]
        assert np.ptp(smallest) <= 0.5
