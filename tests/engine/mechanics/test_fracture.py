"""Damage of a broken body by age, oedema and gap; unbroken values from neighbours; discs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from vertebro.assessment import assess_levels
from vertebro.case import Cleft, ClinicalContext, Estimate, GenantGrade, LevelAssessment
from vertebro.mechanics.disc import Disc, endplate_give_mm3_per_mpa, pressure_change_percent
from vertebro.mechanics.fracture import bone_condition, broken_strength, compaction_of, is_broken
from vertebro.mechanics.intact import from_neighbours
from vertebro.mechanics.mesh import box_mesh
from vertebro.mechanics.model import SOUND, BoneCondition, build_model
from vertebro.mechanics.settings import FractureSettings, ModelSettings
from vertebro.phantoms import PhantomSettings, make_phantom

SETTINGS = FractureSettings()


@cache
def sound_level() -> LevelAssessment:
    patient = make_phantom(PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0)))
    return assess_levels(patient.volume, patient.labels).levels["L1"]


def crushed(*, gap: bool = False) -> LevelAssessment:
    """The same level, with three quarters of its height left."""
    level = sound_level()
    heights = replace(
        level.heights_mm,
        **{
            name: Estimate.symmetric(
                0.75 * getattr(level.expected_heights_mm, name).require(), 0.5, "mm", "crushed"
            )
            for name in ("anterior", "middle", "posterior")
        },
    )
    cleft = Cleft(gap, Estimate(0.5, 0.3, 0.7, "ml", "gas")) if gap else level.cleft
    return replace(level, genant_grade=GenantGrade.MODERATE, heights_mm=heights, cleft=cleft)


def ratio(context: ClinicalContext, *, gap: bool = False) -> float:
    return bone_condition(crushed(gap=gap), context, SETTINGS)[0].stiffness_ratio


def test_a_sound_level_is_left_alone() -> None:
    assert bone_condition(sound_level(), ClinicalContext(), SETTINGS) == (SOUND, ())


def test_crushing_is_undone_by_the_height_lost() -> None:
    assert is_broken(crushed())
    assert compaction_of(crushed()) == pytest.approx(1 / 0.75)


def test_unknown_age_is_taken_for_fresh_and_told() -> None:
    condition, found = bone_condition(crushed(), ClinicalContext(), SETTINGS)

    assert condition.stiffness_ratio == SETTINGS.fresh_stiffness_ratio
    assert [item.code for item in found] == ["mechanics.collapsed", "mechanics.fracture_age"]


def test_stiffness_returns_with_healing() -> None:
    fresh, middle, healed = (ratio(ClinicalContext(fracture_age_days=days)) for days in (10.0, 111.0, 400.0))

    assert fresh == SETTINGS.fresh_stiffness_ratio
    assert healed == SETTINGS.healed_stiffness_ratio
    assert middle == pytest.approx((fresh + healed) / 2)


def test_oedema_or_a_gap_means_not_healed() -> None:
    old = ClinicalContext(fracture_age_days=400.0, oedema_levels=("L1",))

    assert ratio(old) == SETTINGS.fresh_stiffness_ratio
    assert ratio(ClinicalContext(fracture_age_days=400.0), gap=True) == pytest.approx(
        SETTINGS.fresh_stiffness_ratio * SETTINGS.cleft_extra_ratio
    )


def test_broken_strength_rests_on_neighbours_alone() -> None:
    intact = Estimate(4000.0, 3000.0, 5000.0, "N", "neighbours")
    broken = broken_strength(intact, BoneCondition(0.1, 0.89, 1.4), SETTINGS)
    stiffer = broken_strength(intact, BoneCondition(5.0, 0.89, 1.4), SETTINGS)

    assert broken.value == stiffer.value == pytest.approx(3560.0)
    assert not broken_strength(Estimate.missing("N", "none"), SOUND, SETTINGS).is_known


def test_neighbours_weigh_by_nearness() -> None:
    near = Estimate(10.0, 8.0, 12.0, "N", "")
    far = Estimate(16.0, 13.0, 19.0, "N", "")

    value = from_neighbours("L1", {"T12": near, "L3": far}, "N").require()

    assert 10.0 < value < 13.0
    assert not from_neighbours("L1", {}, "N").is_known
    assert not from_neighbours("a name of its own", {"L2": near}, "N").is_known


def test_healthy_disc_has_the_measured_pressure() -> None:
    disc = Disc.healthy(1500.0, 30.0, 30.0)

    assert disc.pressure_mpa(1000.0, 30.0, 30.0) == pytest.approx(1.5 * 1000.0 / 1500.0)
    assert disc.annulus_share(30.0, 30.0) == pytest.approx(1.0 - 1.5 * 0.4)


def test_stiffer_endplate_raises_pressure_by_the_published_class() -> None:
    disc = Disc.healthy(1400.0, 60.0, 60.0)

    # Rohlmann 2006: +2.4 %; Polikeit 2003 with bulge down to 7 %: about +19 %
    assert 2.0 < pressure_change_percent(disc, 60.0, 0.07 * 60.0, 60.0) < 25.0
    assert pressure_change_percent(disc, 60.0, 60.0, 60.0) == 0.0


def test_cement_behind_an_endplate_takes_its_give_away() -> None:
    mesh = box_mesh((24, 24, 14), density_mg_cc=80.0, spacing_mm=1.0, cap_voxels=2)
    cement = mesh.body & False
    cement[4:22, 4:22, 8:16] = True

    gives = [
        endplate_give_mm3_per_mpa(build_model(mesh, ModelSettings(), cement_fraction=share), 1)
        for share in (None, cement.astype(float))
    ]

    assert 0.0 < gives[1] < 0.5 * gives[0]
