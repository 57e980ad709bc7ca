"""Which levels of a case are injected, and what is said of one whose treatment is not settled."""

from cement_case import planned_phantom
from small_patient import small_phantom
from vertebro.case import ProcedureAdviceKind
from vertebro.cement import InjectionSettings, inject_cement, treated_levels

QUICK = InjectionSettings(volume_ml=1.0, spacing_mm=2.0, step_s=5.0, with_heat=False)


def test_a_broken_level_is_rehearsed_while_facts_are_missing():
    patient = small_phantom()
    assessment, plan = planned_phantom()

    result = inject_cement(patient.volume, patient.labels, assessment, plan, QUICK)

    assert plan.levels["L1"].procedure.advice is ProcedureAdviceKind.UNDETERMINED
    assert list(result.levels) == ["L1"]
    assert [(item.code, item.where) for item in result.findings] == [("cement.as_if_treated", "L1")]


def test_levels_named_by_the_person_are_injected_without_that_remark():
    _, plan = planned_phantom()

    assert treated_levels(plan, ("L1",)) == ("L1",)
    assert treated_levels(plan, ("T5",)) == ()
