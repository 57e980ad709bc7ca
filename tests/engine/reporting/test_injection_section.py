"""The injection in a clinician's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cement_case import box_survey, needle
from vertebro.case import InjectionResult, LevelInjection
from vertebro.cement import (
    EnsembleSettings,
    InjectionSettings,
    drive,
    level_injection,
    make_site,
    nominal_variation,
)
from vertebro.cement.ensemble import leak_probability, make_job
from vertebro.reporting.injection_figures import course_figures, dose_figure, nice_top
from vertebro.reporting.injection_section import chance_facts, injection_facts
from vertebro.reporting.wording import load_words

SETTINGS = InjectionSettings(
    volume_ml=1.5, step_s=10.0, with_heat=False, ensemble=EnsembleSettings(runs=2, step_s=15.0, workers=1)
)
WORDS = load_words("en")


@pytest.fixture(scope="module")
def injected() -> LevelInjection:
    survey = box_survey()
    site = make_site(survey, [needle()], SETTINGS, nominal_variation(survey, SETTINGS, 1, 0))
    return level_injection(drive(site, 1.5, keep_frames=False, n_threads=1), 1.5)


def test_one_run_says_that_it_has_no_range(injected: LevelInjection) -> None:
    facts = {fact.name: fact.value for fact in injection_facts(injected, WORDS)}

    assert facts["Cement"].startswith("1.5 of 1.5 mL of Generic acrylic cement")
    assert "ask for several" in facts["In the bone"]
    assert "kPa" in facts["Pressure"]
    assert chance_facts(injected, WORDS) == ()


def test_chances_come_with_their_interval_and_the_notice(injected: LevelInjection) -> None:
    told = leak_probability(make_job(box_survey(), [needle()], SETTINGS, 1.5, 3))
    level = replace(injected, leak_probability=told)

    facts = {fact.name: fact.value for fact in chance_facts(level, WORDS)}

    assert "of 2 runs" in facts["Anywhere"]
    assert " to " in facts["Spinal canal"]
    assert (
        "95 of 100 runs" in {fact.name: fact.value for fact in injection_facts(level, WORDS)}["In the bone"]
    )
    assert "not calibrated on patients" in WORDS["injection"]["notice"]
    assert "not calibrated on patients" in InjectionResult.NOTICE
    figure = dose_figure(level, WORDS, "dose")
    assert figure is not None
    assert figure.shapes


def test_courses_are_drawn_only_where_something_happened(injected: LevelInjection) -> None:
    assert [figure.key for figure in course_figures(injected, WORDS, "x")] == ["x-pressure", "x-volume"]
    nothing = replace(injected, series={name: values[:1] for name, values in injected.series.items()})
    assert course_figures(nothing, WORDS, "x") == ()


@pytest.mark.parametrize(("value", "top"), [(0.3, 0.4), (5.0, 6.0), (1000.0, 1000.0), (801.0, 1000.0)])
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert nice_top(value) == pytest.approx(top)
