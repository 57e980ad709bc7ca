"""A person's own path gets the same judgement as a planned one."""

from __future__ import annotations

import numpy as np
import pytest

from small_patient import small_phantom
from vertebro.assessment import assess_levels
from vertebro.case import Approach, Assessment, NeedlePath
from vertebro.errors import InputError
from vertebro.planning import judge_path, plan_treatment


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    patient = small_phantom()
    return assess_levels(patient.volume, patient.labels, levels=("L1",))


@pytest.fixture(scope="module")
def best(assessment: Assessment) -> NeedlePath:
    patient = small_phantom()
    path = plan_treatment(patient.volume, patient.labels, assessment).levels["L1"].best("left")
    assert path is not None
    return path


def _judge(assessment: Assessment, entry, target, **changes) -> NeedlePath:  # type: ignore[no-untyped-def]
    patient = small_phantom()
    options = {"side": "left", "entry_lps_mm": entry, "target_lps_mm": target} | changes
    return judge_path(patient.volume, patient.labels, assessment, "L1", **options)


def test_the_planned_path_given_back_is_judged_the_same(assessment: Assessment, best: NeedlePath) -> None:
    own = _judge(assessment, best.entry_bone_lps_mm, best.target_lps_mm)

    assert own.recommended
    assert own.approach is best.approach
    assert own.gertzbein_robbins == best.gertzbein_robbins
    for name, value in best.margins_mm.items():
        assert own.margins_mm[name] == pytest.approx(value, abs=0.05)


@pytest.mark.parametrize("shift_mm", [8.0, 12.0, 16.0, 20.0])
def test_a_path_through_the_canal_says_by_how_much(
    assessment: Assessment, best: NeedlePath, shift_mm: float
) -> None:
    inward = np.array([shift_mm, 0.0, 0.0])  # the left pedicle's medial side is to the patient's right

    own = _judge(assessment, best.entry_bone_lps_mm - inward, best.target_lps_mm)

    assert not own.recommended
    assert own.gertzbein_robbins in "CDE"
    assert own.margins_mm["canal"] < -2.0
    assert any("canal" in text and "mm" in text for text in own.broken_limits)
    assert any("medial wall" in text for text in own.broken_limits)
    assert own.tolerance_mm == 0.0


def test_a_tip_too_far_forward_is_told(assessment: Assessment, best: NeedlePath) -> None:
    along = best.target_lps_mm - best.entry_bone_lps_mm
    direction = along / np.linalg.norm(along)
    near, through = (
        _judge(assessment, best.entry_bone_lps_mm, best.target_lps_mm + mm * direction) for mm in (7.5, 20.0)
    )

    for own in (near, through):
        assert [text for text in own.broken_limits if "too near the anterior wall" in text]
        assert not own.recommended
    assert through.margins_mm["anterior_wall"] < 0.0
    assert through.margins_mm["anterior_wall"] < near.margins_mm["anterior_wall"] < 3.0


def test_a_path_lateral_of_the_pedicle_counts_as_beside_it(assessment: Assessment, best: NeedlePath) -> None:
    own = _judge(assessment, best.entry_bone_lps_mm + np.array([30.0, 0.0, 0.0]), best.target_lps_mm)

    assert own.approach is Approach.PARAPEDICULAR


def test_a_wider_cannula_leaves_less_bone(assessment: Assessment, best: NeedlePath) -> None:
    thin, wide = (
        _judge(assessment, best.entry_bone_lps_mm, best.target_lps_mm, device=g) for g in ("13", "8")
    )

    assert wide.margins_mm["medial"] == pytest.approx(
        thin.margins_mm["medial"] - (4.19 - 2.41) / 2.0, abs=0.01
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"device": "3"}, "plan.device"),
        ({"entry_lps_mm": (0.0, -500.0, 0.0)}, "plan.direction"),
        ({"target_lps_mm": (np.nan, 0.0, 0.0)}, "plan.direction"),
    ],
)
def test_what_cannot_be_judged_is_refused(assessment, best, changes, code) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        _judge(assessment, best.entry_bone_lps_mm, best.target_lps_mm, **changes)

    assert caught.value.code == code


def test_a_level_that_was_not_assessed_is_refused(assessment: Assessment) -> None:
    patient = small_phantom()
    with pytest.raises(InputError) as caught:
        judge_path(
            patient.volume,
            patient.labels,
            assessment,
            "T12",
            side="left",
            entry_lps_mm=(0.0, 0.0, 0.0),
            target_lps_mm=(0.0, -10.0, 0.0),
        )

    assert caught.value.code == "plan.level"
