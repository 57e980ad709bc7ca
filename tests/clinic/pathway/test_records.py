"""Records: saved against lost updates, signed, corrected with a trace."""

from __future__ import annotations

import pytest

from vertebro_clinic.core.errors import ChangedMeanwhile, ConditionsUnmet, NotAllowed
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.records import (
    add_row,
    change_row,
    correct_record,
    current,
    retire_row,
    save_record,
    sign_record,
)
from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.pathway.models import Consultation, ImagingReview, LevelFinding, Referral
from vertebro_clinic.start.demo.journey import walk_to

pytestmark = pytest.mark.django_db


def test_two_writers_on_one_record_lose_nothing(world, act_as) -> None:
    seen = current(world.dana, Referral).version
    common = {"actor": act_as("bob"), "case_id": world.dana.pk, "model": Referral, "version": seen}
    save_record(**common, values={"pain_now": 7})

    with pytest.raises(ChangedMeanwhile, match="Bob saved this in the meantime") as caught:
        save_record(**{**common, "actor": act_as("sol")}, values={"pain_now": 4})

    assert caught.value.current.pain_now == 7
    assert current(world.dana, Referral).pain_now == 7


def test_every_earlier_state_is_kept(world, act_as) -> None:
    for pain in (3, 5, 8):
        record = current(world.dana, Referral)
        save_record(
            actor=act_as("bob"),
            case_id=world.dana.pk,
            model=Referral,
            values={"pain_now": pain},
            version=record.version,
        )

    states = current(world.dana, Referral).history.order_by("history_id").values_list("pain_now", flat=True)
    assert list(states) == [None, 3, 5, 8]


def test_a_signed_record_is_corrected_by_a_copy_with_a_reason(world, cast) -> None:
    case = walk_to(Stage.CONSULTATION, case_id=world.dana.pk, cast=cast)
    signed = current(case, ImagingReview)
    common = {"actor": cast.radiologist, "case_id": case.pk, "model": ImagingReview}

    with pytest.raises(NotAllowed, match="signed"):
        save_record(**common, values={"conclusion": "other"}, version=signed.version)
    with pytest.raises(ConditionsUnmet):
        correct_record(**common, reason=" ")
    copy = correct_record(**common, reason="Counted again: it is L2.")

    old = ImagingReview.objects.get(pk=signed.pk)
    assert (old.is_current, old.retired_reason, old.is_signed) == (False, "Counted again: it is L2.", True)
    assert (copy.is_current, copy.is_signed) == (True, False)
    assert LevelFinding.objects.filter(review=copy, is_current=True).count() == 1


def test_what_belongs_to_a_signed_record_is_fixed_with_it(world, cast) -> None:
    case = walk_to(Stage.CONSULTATION, case_id=world.dana.pk, cast=cast)
    level = LevelFinding.objects.get(case=case)
    common = {"actor": cast.radiologist, "roles": {Role.RADIOLOGIST}}

    with pytest.raises(NotAllowed, match="signed record"):
        change_row(**common, row=level, values={"level": "L2"}, version=level.version)
    with pytest.raises(NotAllowed, match="signed record"):
        retire_row(**common, row=level, reason="x")
    with pytest.raises(NotAllowed, match="signed record"):
        add_row(**common, case_id=case.pk, model=LevelFinding, values={"review": level.review, "level": "L3"})

    correct_record(actor=cast.radiologist, case_id=case.pk, model=ImagingReview, reason="Counted again.")
    copy = LevelFinding.objects.get(case=case, review__is_current=True)
    assert change_row(**common, row=copy, values={"level": "L2"}, version=copy.version).level == "L2"
    assert LevelFinding.objects.get(pk=level.pk).level == "L1"


def test_signing_needs_the_version_that_was_seen(world, cast) -> None:
    case = walk_to(Stage.CONSULTATION, case_id=world.dana.pk, cast=cast)
    saved = save_record(
        actor=cast.radiologist, case_id=case.pk, model=Consultation, values={"pain_now": 6}, version=0
    )

    with pytest.raises(ChangedMeanwhile):
        sign_record(actor=cast.radiologist, case_id=case.pk, model=Consultation, version=saved.version + 1)


def test_roles_write_their_own_records_only(world, act_as) -> None:
    for key in ("bob", "sol", "quinn", "rita"):
        with pytest.raises(NotAllowed):
            save_record(
                actor=act_as(key),
                case_id=world.dana.pk,
                model=Consultation,
                values={"pain_now": 6},
                version=0,
            )
