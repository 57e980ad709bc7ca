"""Plans on a real scan: 3 mm from left to right, skin partly outside, L1 collapsed."""

from __future__ import annotations

import pytest

from real_data import real_data
from vertebro.assessment import assess_levels
from vertebro.case import ProcedureAdviceKind, Side, TreatmentPlan
from vertebro.io import read_ct, read_labels
from vertebro.planning import plan_treatment


@pytest.fixture(scope="module")
def plan() -> TreatmentPlan:
    folder = real_data("verse012-L1-fracture")
    volume = read_ct(folder / "ct.nii.gz")
    labels = read_labels(folder / "vertebrae.nii.gz", volume)
    assessment = assess_levels(volume, labels, levels=("T11", "T12", "L1", "L2"))
    return plan_treatment(volume, labels, assessment)


@pytest.mark.slow
def test_every_level_has_a_safe_path_on_both_sides(plan: TreatmentPlan) -> None:
    for level in plan.levels.values():
        for side in Side:
            path = level.best(side)
            assert path is not None, (level.name, side, level.findings)
            assert path.broken_limits == ()
            assert path.gertzbein_robbins == "A"
            assert min(path.margins_mm[name] for name in ("medial", "lateral", "canal")) >= 1.0
            assert -15.0 <= path.sagittal_angle_deg <= 25.0
            assert 0.0 <= path.axial_angle_deg <= 35.0


@pytest.mark.slow
def test_a_skin_outside_the_scan_is_said(plan: TreatmentPlan) -> None:
    for level in plan.levels.values():
        paths = [path for side in Side if (path := level.best(side)) is not None]
        n_unknown = sum(path.entry_skin_lps_mm is None for path in paths)
        n_said = sum(item.code == "plan.skin_outside_scan" for item in level.findings)
        assert n_unknown == n_said


@pytest.mark.slow
def test_nothing_is_recommended_before_anyone_has_told_of_oedema(plan: TreatmentPlan) -> None:
    assert plan.levels["L1"].procedure.advice is ProcedureAdviceKind.UNDETERMINED
    assert plan.levels["L2"].procedure.advice is ProcedureAdviceKind.NEITHER
