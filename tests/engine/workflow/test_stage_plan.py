"""The stage that plans: what it keeps, when it runs again, and what bodies alone give."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from small_patient import small_phantom, write_small_patient
from vertebro.assessment import assess_levels
from vertebro.case import ClinicalContext
from vertebro.planning import plan_treatment
from vertebro.reporting import validate_document
from vertebro.workflow import RunOptions, rerun_case, run_case, stored_options

CONTEXT = ClinicalContext(fracture_age_days=10.0, oedema_levels=("L1",), is_tumour=False)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planned")
    ct, labels = write_small_patient(root / "patient")
    options = RunOptions(levels=("L1",), context=CONTEXT)
    run_case(ct, root / "case", labels=labels, stages=("plan",), options=options)
    return root / "case"


def test_the_plan_is_kept_as_documented_json(case: Path) -> None:
    document = json.loads((case / "plan.json").read_text())

    validate_document(document, "plan")
    assert document["context"]["oedema_levels"] == ["L1"]
    assert document["levels"]["L1"]["procedure"]["advice"] == "kyphoplasty"
    assert {path["side"] for path in document["levels"]["L1"]["paths"]} == {"left", "right"}


def test_the_kept_plan_is_the_plan(case: Path) -> None:
    again = rerun_case(case, stages=("plan",))

    assert "plan" in again.reused
    assert again.result("plan").to_json() == json.loads((case / "plan.json").read_text())
    assert again.result("plan").levels["L1"].best("left").margins_mm["medial"] > 0.0


def test_surfaces_are_kept_for_vertebra_and_cannulas(case: Path) -> None:
    names = sorted(path.name for path in (case / "stl").iterdir())

    assert names == ["L1-left-cannula.stl", "L1-right-cannula.stl", "L1.stl"]
    for name in names:
        content = (case / "stl" / name).read_bytes()
        assert len(content) == 84 + 50 * int(np.frombuffer(content[80:84], "<u4")[0])


def test_new_facts_plan_again_and_nothing_else(case: Path) -> None:
    healed = replace(CONTEXT, oedema_levels=())

    again = rerun_case(case, stages=("plan",), context=healed)

    assert again.ran == ("plan",)
    assert again.result("plan").levels["L1"].procedure.advice.value == "neither"
    assert stored_options(case).context == healed
    rerun_case(case, stages=("plan",), context=CONTEXT)


def test_labels_of_bodies_alone_give_a_finding_and_no_path() -> None:
    patient = small_phantom()
    assessment = assess_levels(patient.volume, patient.labels, levels=("L1",))
    bodies = replace(patient.labels, labels=assessment.bodies, extent="body", subregions=None)

    plan = plan_treatment(patient.volume, bodies, assessment)

    level = plan.levels["L1"]
    assert level.paths == ()
    assert level.access == "none"
    assert "plan.no_canal" in {item.code for item in level.findings}
    assert level.cement_ml.value is not None
