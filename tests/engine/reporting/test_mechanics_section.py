"""The report's section on stiffness and strength."""

from __future__ import annotations

from functools import cache

from vertebro.assessment import assess_levels
from vertebro.case import Assessment, MechanicsResult
from vertebro.imaging import Volume
from vertebro.mechanics import MechanicsSettings, ModelSettings, load_vertebrae
from vertebro.phantoms import Fracture, PhantomSettings, make_phantom
from vertebro.reporting import CaseReport, compose_report, html_from_report


@cache
def case() -> tuple[Volume, Assessment, MechanicsResult]:
    patient = make_phantom(
        PhantomSettings(
            levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0), fractures=(Fracture("L1", "wedge", 40.0),)
        )
    )
    assessment = assess_levels(patient.volume, patient.labels)
    settings = MechanicsSettings(model=ModelSettings(spacing_mm=2.0), nonlinear="none", bends=False)
    return patient.volume, assessment, load_vertebrae(patient.volume, patient.labels, assessment, settings)


def report() -> CaseReport:
    volume, assessment, mechanics = case()
    return compose_report(volume, assessment, mechanics=mechanics)


def test_the_broken_level_is_told_with_intervals_and_the_others_in_one_line() -> None:
    (block,) = report().mechanics
    facts = {fact.name: fact.value for fact in block.facts}

    assert block.level == "L1"
    assert "N/mm (" in facts["Stiffness"]
    assert "measured series of broken vertebrae" in facts["What it rests on"]
    assert "T12" in facts["Other levels"]
    assert "L2" in facts["Other levels"]


def test_figures_of_strain_and_loads_are_drawn() -> None:
    made = report()
    (block,) = made.mechanics

    assert [key.rsplit("-", 1)[-1] for key in (*block.sections, *block.charts)] == ["before", "risk"]
    assert all(key in made.figures for key in (*block.sections, *block.charts))
    assert "front to the left" in made.figures[block.sections[0]].description


def test_page_holds_the_section_and_its_findings() -> None:
    page = html_from_report(report())

    assert "Stiffness and strength" in page
    assert "modelled as damaged" in page


def test_without_mechanics_there_is_no_section() -> None:
    volume, assessment, _ = case()

    assert compose_report(volume, assessment).mechanics == ()
