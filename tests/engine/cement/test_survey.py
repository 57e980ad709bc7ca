"""What is read from the CT: porosity, gas, gaps, compartments, routes."""

from __future__ import annotations

import numpy as np
import pytest

from cement_case import box_survey, planned_phantom
from small_patient import small_phantom
from vertebro.assessment import assess_levels
from vertebro.case import Compartment, RouteBasis, RouteKind
from vertebro.cement import InjectionSettings, survey_level
from vertebro.cement.regions import ORDER
from vertebro.cement.routes import draw_routes, seen_routes
from vertebro.cement.settings import RouteSettings
from vertebro.errors import InputError
from vertebro.phantoms import Fracture, PhantomSettings, make_phantom


@pytest.fixture(scope="module")
def gapped() -> tuple[object, object, object]:
    patient = make_phantom(
        PhantomSettings(
            levels=("T12", "L1", "L2"),
            fractures=(Fracture("L1", "wedge", 40.0, cleft=True, anterior_wall_gap_mm=4.0),),
            spacing_mm=(1.0, 1.0, 1.0),
            field_of_view_mm=(120.0, 120.0),
            margin_mm=12.0,
        )
    )
    assessment = assess_levels(patient.volume, patient.labels, levels=("L1",))
    return patient.volume, patient.labels, assessment


@pytest.mark.slow
def test_a_gap_and_a_cleft_are_seen_where_they_are(gapped: tuple[object, object, object]) -> None:
    volume, labels, assessment = gapped
    survey = survey_level(volume, labels, assessment, assessment.levels["L1"], InjectionSettings())  # type: ignore[arg-type,attr-defined]

    routes = seen_routes(survey)

    assert [route.compartment for route in routes] == [Compartment.PARAVERTEBRAL]
    assert routes[0].basis is RouteBasis.SEEN
    assert abs(float(routes[0].exit_v[0])) < 6.0
    assert float(routes[0].normal_v[1]) > 0.8
    gas_ml = float(survey.void.sum()) * survey.spacing_mm**3 / 1000.0
    assert gas_ml == pytest.approx(assessment.levels["L1"].cleft.volume_ml.value, rel=0.25)  # type: ignore[attr-defined]


def test_a_sound_level_shows_no_gap() -> None:
    patient, (assessment, _) = small_phantom(), planned_phantom()

    survey = survey_level(
        patient.volume, patient.labels, assessment, assessment.levels["L1"], InjectionSettings(spacing_mm=1.5)
    )

    assert survey.openings == ()
    assert not survey.void.any()
    inner = survey.porosity[survey.body]
    assert 0.75 < float(np.median(inner)) < 0.95
    assert np.all(survey.porosity[~survey.domain] == 0.0)


def test_compartments_lie_where_they_should() -> None:
    survey = box_survey()

    def at(x: float, y: float, z: float) -> Compartment:
        index = np.rint(survey.index_of(np.array([x, y, z]))).astype(int)
        return ORDER[int(survey.compartments[tuple(index)])]

    assert at(0.0, 0.0, 0.0) is Compartment.INSIDE
    assert at(0.0, -22.0, 0.0) is Compartment.CANAL
    assert at(17.0, -22.0, 0.0) is Compartment.FORAMEN
    assert at(0.0, 0.0, 13.0) is Compartment.DISC_ABOVE
    assert at(0.0, 0.0, -13.0) is Compartment.DISC_BELOW
    assert at(0.0, 22.0, 0.0) is Compartment.PARAVERTEBRAL


def test_drawn_routes_repeat_and_always_hold_the_basivertebral_vein() -> None:
    survey = box_survey()

    for seed in range(5):
        first = draw_routes(survey, RouteSettings(), np.random.default_rng(seed))
        again = draw_routes(survey, RouteSettings(), np.random.default_rng(seed))
        assert first[0].kind is RouteKind.BASIVERTEBRAL_VEIN
        assert first[0].compartment is Compartment.CANAL
        assert [route.width_mm for route in first] == [route.width_mm for route in again]


def test_fractured_endplates_have_more_fissures_than_sound_ones() -> None:
    survey = box_survey()
    counts = {Compartment.DISC_ABOVE: 0, Compartment.DISC_BELOW: 0}

    for seed in range(120):
        for route in draw_routes(survey, RouteSettings(), np.random.default_rng(seed)):
            if route.compartment in counts:
                counts[route.compartment] += 1

    assert counts[Compartment.DISC_ABOVE] > 2 * counts[Compartment.DISC_BELOW] > 0


def test_a_level_without_a_body_is_refused() -> None:
    patient, (assessment, _) = small_phantom(), planned_phantom()
    level = assessment.levels["L1"]
    gone = type(level)(**{**{n: getattr(level, n) for n in level.__dataclass_fields__}, "label": 99})

    with pytest.raises(InputError) as refused:
        survey_level(patient.volume, patient.labels, assessment, gone, InjectionSettings())
    assert refused.value.code == "cement.no_bone"
