from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balloon_cases import wedge_case
from vertebro.balloon import BalloonSettings, balloon_levels, inflate_balloons
from vertebro.case import ClinicalContext, InflationStop, LevelInflation, Mobility, ProcedureAdviceKind
from vertebro.errors import SettingsError
from vertebro.reporting import balloon_json

RECENT = ClinicalContext(fracture_age_days=10.0)
L1 = BalloonSettings(levels=("L1",))


def inflated(settings: BalloonSettings = L1, context: ClinicalContext = RECENT) -> LevelInflation:
    volume, assessment, plan = wedge_case()
    return inflate_balloons(volume, assessment, plan, settings, context=context).levels["L1"]


def width_mm(level: LevelInflation) -> float:
    height = level.heights_after_mm.anterior
    assert height.upper is not None
    assert height.lower is not None
    return height.upper - height.lower


def test_cavity_is_the_balloons_volume():
    level = inflated(replace(L1, volume_ml=1.7))

    assert level.cavity_ml == pytest.approx(sum(b.volume_ml for b in level.balloons), rel=1e-6)
    assert [b.volume_ml for b in level.balloons] == pytest.approx([1.7, 1.7])
    assert {b.stop for b in level.balloons} <= {InflationStop.ASKED_VOLUME, InflationStop.WALL_CONTACT}
    assert level.cavity.values.max() <= 1.0
    assert level.density_ratio.values.max() > 1.2


def test_steps_are_half_a_millilitre_and_lift_never_sinks():
    level = inflated()

    for balloon in level.balloons:
        volumes = [step.volume_ml for step in balloon.steps]
        assert volumes[1] == pytest.approx(0.5)
        assert np.diff(volumes[1:]) == pytest.approx(0.5)
        assert np.all(np.diff([step.lift_share for step in balloon.steps]) >= 0.0)
        assert balloon.pressure_kpa <= balloon.rated_pressure_kpa


def test_a_recent_wedge_gains_height_in_front_and_straightens():
    level = inflated()
    before, full, after = level.heights_before_mm, level.heights_inflated_mm, level.heights_after_mm

    gain = after.anterior.require() - before.anterior.require()
    assert gain > 1.0
    assert gain > after.posterior.require() - before.posterior.require()
    assert full.anterior.require() > after.anterior.require()
    assert level.wedge_change_deg.require() < -1.0
    assert level.mobility is Mobility.MOBILE


def test_letting_the_balloons_down_loses_the_share_that_is_set():
    kept = inflated(replace(L1, deflation_loss=0.0))
    lost = inflated(replace(L1, deflation_loss=0.5))
    before = kept.heights_before_mm.anterior.require()

    full = kept.heights_after_mm.anterior.require() - before

    assert lost.heights_after_mm.anterior.require() - before == pytest.approx(0.5 * full)


def test_an_old_fracture_gains_nothing_and_an_unknown_age_is_told_with_a_wide_range():
    recent, old, unknown = (
        inflated(),
        inflated(context=ClinicalContext(fracture_age_days=400.0)),
        inflated(context=ClinicalContext()),
    )

    assert old.mobility is Mobility.HEALED
    assert old.heights_after_mm.anterior.require() < recent.heights_after_mm.anterior.require() - 1.0
    assert unknown.mobility is Mobility.UNKNOWN
    assert width_mm(unknown) > width_mm(recent)
    assert unknown.heights_after_mm.anterior.lower <= unknown.heights_before_mm.anterior.require()
    assert "balloon.age_unknown" in {item.code for item in unknown.findings}
    assert "balloon.healing" in {item.code for item in old.findings}


def test_the_chosen_balloon_is_used_and_its_rated_volume_stops_it():
    level = inflated(replace(L1, device="10 mm tamp", volume_ml=12.0))

    assert {b.device for b in level.balloons} == {"10 mm tamp"}
    assert all(b.volume_ml <= b.rated_volume_ml for b in level.balloons)


def test_rated_pressure_stops_strong_bone():
    level = inflated(replace(L1, damage_ratio=1.0, volume_ml=4.0, hardening=0.6))
    strong = [b for b in level.balloons if b.stop is InflationStop.RATED_PRESSURE]

    assert all(b.pressure_kpa <= b.rated_pressure_kpa for b in level.balloons)
    assert all("balloon.rated_pressure" in {item.code for item in level.findings} for _ in strong)


def test_levels_follow_the_advice_unless_named():
    _, assessment, plan = wedge_case()
    advised = plan.levels["L1"]
    kyphoplasty = replace(advised.procedure, advice=ProcedureAdviceKind.KYPHOPLASTY)
    urged = replace(plan, levels={**plan.levels, "L1": replace(advised, procedure=kyphoplasty)})

    assert balloon_levels(assessment, plan, BalloonSettings()) == ()
    assert [level.name for level in balloon_levels(assessment, urged, BalloonSettings())] == ["L1"]
    assert [level.name for level in balloon_levels(assessment, plan, L1)] == ["L1"]


def test_a_level_that_the_case_lacks_is_refused():
    _, assessment, plan = wedge_case()
    with pytest.raises(SettingsError) as caught:
        balloon_levels(assessment, plan, BalloonSettings(levels=("L5",)))

    assert caught.value.code == "balloon.level"


def test_no_path_is_a_finding():
    volume, assessment, plan = wedge_case()
    bare = replace(plan, levels={**plan.levels, "L1": replace(plan.levels["L1"], paths=())})

    result = inflate_balloons(volume, assessment, bare, L1)

    assert result.levels == {}
    assert [item.code for item in result.findings] == ["balloon.no_path"]


def test_json_fits_its_schema_and_equal_runs_are_equal():
    volume, assessment, plan = wedge_case()
    first, second = (inflate_balloons(volume, assessment, plan, L1, context=RECENT) for _ in range(2))

    assert balloon_json(first) == balloon_json(second)
    assert first.levels["L1"].cavity.values.tobytes() == second.levels["L1"].cavity.values.tobytes()
    assert balloon_json(first)["levels"]["L1"]["cavity_ml"] > 0.5
