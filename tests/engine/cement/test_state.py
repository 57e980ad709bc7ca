"""One injection, a moment at a time: mass, limits, purity, odd settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cement_case import box_survey, needle
from vertebro.case import Compartment, Side
from vertebro.cement import (
    Ending,
    InjectionAction,
    InjectionSettings,
    InjectionSite,
    begin,
    drive,
    level_injection,
    make_site,
    nominal_variation,
    step,
)
from vertebro.cement.deposit import cement_fraction, compartment_volumes_ml
from vertebro.errors import SettingsError

SETTINGS = InjectionSettings(volume_ml=2.0, step_s=5.0, with_heat=False)


def a_site(
    settings: InjectionSettings = SETTINGS,
    *,
    tip: tuple[float, float, float] = (-4.0, 4.0, 0.0),
    with_void: bool = False,
    porosity: float = 0.9,
    seed: int = 0,
) -> InjectionSite:
    survey = box_survey(with_void=with_void, porosity=porosity)
    variation = nominal_variation(survey, settings, 1, seed)
    return make_site(survey, [needle(tip_v=tip)], settings, variation)


def test_cement_is_neither_made_nor_lost() -> None:
    run = drive(a_site(), 2.0, keep_frames=False, n_threads=1)

    volumes = compartment_volumes_ml(run.state)

    assert run.ending is Ending.COMPLETE
    assert sum(volumes.values()) == pytest.approx(2.0, abs=1e-9)
    assert run.state.injected_ml == pytest.approx(2.0, abs=1e-9)
    assert volumes[Compartment.INSIDE] > 1.0


def test_the_field_holds_what_was_injected() -> None:
    run = drive(a_site(), 2.0, keep_frames=False, n_threads=1)

    field = cement_fraction(run.state)

    assert field.min() >= 0.0
    assert field.max() <= 1.0
    held_ml = float(field.sum(dtype=np.float64)) * box_survey().spacing_mm ** 3 / 1000.0
    assert held_ml == pytest.approx(2.0, rel=1e-4)


def test_a_step_is_pure_and_repeats_to_the_byte() -> None:
    before = begin(a_site())
    action = InjectionAction((2.0,))

    first, second = step(before, action, 3.0, n_threads=1), step(before, action, 3.0, n_threads=1)

    assert before.injected_ml == 0.0
    assert first.flow.saturation.tobytes() == second.flow.saturation.tobytes()
    assert first.injected_ml == pytest.approx(0.1)


def test_waiting_lets_the_cement_thicken_and_injects_nothing() -> None:
    state = step(begin(a_site()), InjectionAction((2.0,)), 5.0, n_threads=1)

    later = step(state, InjectionAction.wait(1), 30.0, n_threads=1)

    assert later.injected_ml == state.injected_ml
    assert later.age_s == pytest.approx(state.age_s + 30.0)
    assert later.excess_age_s > state.excess_age_s
    assert later.flow.saturation.tobytes() == state.flow.saturation.tobytes()


def test_the_syringe_never_exceeds_its_limit() -> None:
    settings = replace(SETTINGS, product="high", start_min=13.0, rate_ml_min=10.0)
    site = a_site(settings)
    state = begin(site)

    for _ in range(4):
        state = step(state, InjectionAction((10.0,)), 2.0, n_threads=1)
        assert max(state.syringe_kpa) <= site.syringe.limit_kpa * (1 + 1e-9)

    assert state.is_limited
    assert 0.0 < state.rates_ml_min[0] < 10.0


def test_most_of_the_pressure_is_lost_in_the_cannula() -> None:
    """Baroud and Steffen 2005: about 95 %."""
    level = level_injection(drive(a_site(), 2.0, keep_frames=False, n_threads=1), 2.0)

    assert level.cannula_share >= 0.90
    assert level.peak_tissue_pressure_kpa < 100.0


def test_a_void_fills_before_the_bone_around_it() -> None:
    site = a_site(with_void=True, tip=(0.0, 2.0, 2.0))

    run = drive(site, 1.0, keep_frames=False, n_threads=1)

    void = site.survey.void[site.box]
    filled = run.state.flow.saturation
    assert filled[void].mean() > 4.0 * filled[site.in_body & ~void].mean()
    assert sum(compartment_volumes_ml(run.state).values()) == pytest.approx(1.0, abs=1e-9)


def test_set_cement_is_not_injected_and_says_so() -> None:
    run = drive(a_site(replace(SETTINGS, start_min=60.0)), 2.0, n_threads=1)
    level = level_injection(run, 2.0)

    assert run.ending is Ending.SET
    assert level.injected_ml == 0.0
    assert "cement.set" in {item.code for item in level.findings}


def test_a_needle_in_the_canal_gives_its_cement_to_the_canal() -> None:
    level = level_injection(drive(a_site(tip=(0.0, -20.0, 0.0)), 1.0, n_threads=1), 1.0)

    assert level.volumes_ml[Compartment.CANAL] == pytest.approx(1.0)
    assert {"cement.needle_outside", "cement.leak_canal"} <= {item.code for item in level.findings}


def test_solid_bone_takes_little_and_pressure_stays_bounded() -> None:
    settings = replace(SETTINGS, product="high", start_min=17.0, rate_ml_min=15.0, step_s=20.0)
    site = a_site(settings, porosity=0.3)

    run = drive(site, 0.5, keep_frames=False, n_threads=1)

    assert max(peak for peak, _ in run.peak) <= site.syringe.limit_kpa * (1 + 1e-9)
    assert run.ending in (Ending.COMPLETE, Ending.SET, Ending.PRESSURE)
    assert sum(compartment_volumes_ml(run.state).values()) == pytest.approx(run.state.injected_ml, abs=1e-9)


@pytest.mark.slow
def test_forty_millilitres_into_a_small_body_are_accounted_for() -> None:
    settings = replace(SETTINGS, volume_ml=40.0, rate_ml_min=20.0, step_s=10.0, start_min=4.0)
    level = level_injection(drive(a_site(settings), 40.0, keep_frames=False, n_threads=1), 40.0)

    assert sum(level.volumes_ml.values()) == pytest.approx(level.injected_ml, abs=1e-6)
    assert level.volumes_ml[Compartment.INSIDE] <= box_survey().body_ml + 1e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda: InjectionSettings(volume_ml=-1.0),
        lambda: InjectionSettings(volume_ml=float("nan")),
        lambda: InjectionSettings(rate_ml_min=0.0),
        lambda: InjectionSettings(needles="middle"),
        lambda: begin(a_site(), start_min=-2.0),
        lambda: step(begin(a_site()), InjectionAction((-1.0,)), 1.0),
        lambda: step(begin(a_site()), InjectionAction((1.0,)), 0.0),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: object) -> None:
    with pytest.raises(SettingsError):
        make()  # type: ignore[operator]


def test_one_rate_for_each_needle() -> None:
    with pytest.raises(TypeError):
        step(begin(a_site()), InjectionAction((1.0, 1.0)), 1.0)


def test_two_needles_share_the_dose() -> None:
    survey = box_survey()
    paths = [needle(Side.LEFT, (-8.0, 4.0, 0.0)), needle(Side.RIGHT, (8.0, 4.0, 0.0))]
    site = make_site(survey, paths, SETTINGS, nominal_variation(survey, SETTINGS, 2, 0))

    level = level_injection(drive(site, 2.0, keep_frames=False, n_threads=1), 2.0)

    assert [round(part.injected_ml, 6) for part in level.needles] == [1.0, 1.0]
    assert level.symmetry_percent > 80.0


def test_a_protocol_may_stop_at_the_posterior_quarter() -> None:
    settings = replace(SETTINGS, stop_at_posterior_quarter=True, step_s=2.0)
    run = drive(a_site(settings, tip=(0.0, -5.0, 0.0)), 4.0, keep_frames=False, n_threads=1)

    assert run.ending is Ending.POSTERIOR_QUARTER
    assert run.posterior_quarter_s is not None
    assert run.state.injected_ml < 4.0
