"""The audit log: every read and write, chained, guarded by the database."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from vertebro_clinic.core import guards
from vertebro_clinic.core.actor import SYSTEM
from vertebro_clinic.core.domain.audit import Subject, check_chain, record_read
from vertebro_clinic.core.models import AuditEntry, AuditHead

pytestmark = pytest.mark.django_db


def test_the_chain_of_everything_done_so_far_holds() -> None:
    report = check_chain()

    assert report.length > 100
    assert report.problems == ()


def test_an_entry_continues_the_chain() -> None:
    before = AuditHead.objects.get()

    record_read(SYSTEM, "test.read", Subject(1, 2, 3), {"b": 1, "a": "ü"})

    entry = AuditEntry.objects.order_by("-sequence")[0]
    assert (entry.sequence, entry.previous_hash) == (before.length + 1, before.hash)
    assert check_chain().problems == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET action = 'x' WHERE sequence = 3",
        "DELETE FROM core_auditentry WHERE sequence = 3",
        "UPDATE pathway_move SET reason = 'x'",
        "DELETE FROM pathway_consent",
        "DELETE FROM pathway_patient",
    ],
)
def test_the_database_refuses(statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def _without_guard(statement: str) -> None:
    guards.remove(connection, guards.APPEND_ONLY, append_only=True)
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_changed_entry_is_found() -> None:
    _without_guard("UPDATE core_auditentry SET action = 'nothing.happened' WHERE sequence = 7")

    assert check_chain().problems == ("entry 7 was changed",)


def test_a_removed_entry_is_found() -> None:
    _without_guard("DELETE FROM core_auditentry WHERE sequence = 7")

    assert check_chain().problems[0] == "entry 7 is missing"


def test_a_cut_end_is_found() -> None:
    last = AuditHead.objects.get().length
    _without_guard(f"DELETE FROM core_auditentry WHERE sequence > {last - 3}")

    assert check_chain().problems == (
        "the end of the log is not the one that was kept: entries are missing there",
    )


def test_the_check_command_fails_when_the_chain_does_not_hold(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_audit")
    assert "The audit log holds" in capsys.readouterr().out

    _without_guard("UPDATE core_auditentry SET is_write = NOT is_write WHERE sequence = 5")
    with pytest.raises(CommandError, match="1 problems"):
        call_command("check_audit")


def test_the_log_holds_no_names() -> None:
    names = ("Dana", "Doyle", "Erik", "Eide")

    text = " ".join(str(detail) for detail in AuditEntry.objects.values_list("detail", flat=True))

    assert [name for name in names if name in text] == []
