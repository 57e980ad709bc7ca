"""Which procedure the reasons point to, and that a missing fact forbids a recommendation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tissue_bodies import known
from tissue_levels import make_level
from vertebro.case import Cleft, ClinicalContext, Estimate, FractureShape, GenantGrade, PosteriorWall
from vertebro.case import ProcedureAdviceKind as Kind
from vertebro.planning.procedure import ProcedureSettings, choose_procedure

RECENT = ClinicalContext(fracture_age_days=14.0, oedema_levels=("L1",), is_tumour=False)
WIDE_MM = 8.0


def _loss(percent: float) -> Estimate:
    return Estimate(percent, percent - 4.0, percent + 4.0, "percent", "neighbours")


BROKEN = make_level("L1", grade=GenantGrade.MODERATE, shape=FractureShape.WEDGE, loss=_loss(35.0))
SLIGHT = make_level("L1", grade=GenantGrade.MILD, shape=FractureShape.WEDGE, loss=_loss(15.0))
PLANA = make_level("L1", grade=GenantGrade.SEVERE, shape=FractureShape.CRUSH, loss=_loss(80.0))
HEALTHY = make_level("L1")


def _advice(level=BROKEN, context=RECENT, width_mm=WIDE_MM):  # type: ignore[no-untyped-def]
    return choose_procedure(level, context, width_mm, ProcedureSettings())


@pytest.mark.parametrize(
    ("level", "context", "width_mm", "kind"),
    [
        (BROKEN, RECENT, WIDE_MM, Kind.KYPHOPLASTY),
        (BROKEN, replace(RECENT, fracture_age_days=200.0), WIDE_MM, Kind.VERTEBROPLASTY),
        (SLIGHT, RECENT, WIDE_MM, Kind.VERTEBROPLASTY),
        (BROKEN, RECENT, 4.0, Kind.EITHER),
        (BROKEN, RECENT, None, Kind.KYPHOPLASTY),
        (PLANA, RECENT, WIDE_MM, Kind.NEITHER),
        (BROKEN, replace(RECENT, is_infected=True), WIDE_MM, Kind.NEITHER),
        (BROKEN, replace(RECENT, has_neurological_deficit=True), WIDE_MM, Kind.NEITHER),
        (BROKEN, replace(RECENT, oedema_levels=()), WIDE_MM, Kind.NEITHER),
        (BROKEN, replace(RECENT, oedema_levels=("L2",)), WIDE_MM, Kind.NEITHER),
        (BROKEN, replace(RECENT, oedema_levels=None), WIDE_MM, Kind.UNDETERMINED),
        (BROKEN, replace(RECENT, fracture_age_days=None), WIDE_MM, Kind.UNDETERMINED),
        (make_level("L1", grade=None), RECENT, WIDE_MM, Kind.UNDETERMINED),
        (HEALTHY, ClinicalContext(), WIDE_MM, Kind.NEITHER),
        (HEALTHY, replace(RECENT, oedema_levels=()), WIDE_MM, Kind.NEITHER),
        (HEALTHY, RECENT, WIDE_MM, Kind.VERTEBROPLASTY),
    ],
)
def test_the_reasons_decide(level, context, width_mm, kind) -> None:  # type: ignore[no-untyped-def]
    assert _advice(level, context, width_mm).advice is kind


def test_every_reason_has_a_source() -> None:
    cleft = Cleft(True, known(1.0, "ml"))
    wall = PosteriorWall(known(4.0), known(14.0), known(10.0, "percent"))
    level = make_level("T4", grade=GenantGrade.MODERATE, loss=_loss(35.0), cleft=cleft, wall=wall)
    context = replace(RECENT, oedema_levels=("T4",), is_tumour=True)

    advice = _advice(level, context, 4.0)

    assert {reason.points_to for reason in advice.reasons} == {
        "ask",
        "either",
        "kyphoplasty",
        "vertebroplasty",
    }
    assert all(reason.source and reason.text for reason in advice.reasons)


def test_what_is_missing_is_asked_for() -> None:
    needed = " ".join(_advice(context=ClinicalContext()).still_needed)

    for fact in ("MRI", "pain begin", "tumour", "conservative"):
        assert fact in needed
    assert "!" not in needed


def test_a_healthy_level_asks_for_oedema_alone() -> None:
    advice = _advice(HEALTHY, ClinicalContext())

    assert len(advice.still_needed) == 1
    assert "oedema" in advice.still_needed[0]
    assert "Nothing on CT" in advice.reasons[0].text


def test_a_cleft_makes_a_level_of_normal_shape_a_target() -> None:
    level = make_level("L1", cleft=Cleft(True, known(1.0, "ml")))

    assert _advice(level, RECENT).advice is not Kind.NEITHER
