"""Writing and proving the audit log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.models import AuditEntry, AuditHead

FIRST_HASH = "0" * 64
_HEAD = 1


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose record an action touched: numbers only."""

    patient_id: int | None = None
    case_id: int | None = None
    site_id: int | None = None


def _chained(entry: AuditEntry) -> str:
    content = [
        entry.sequence,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        str(entry.actor_kind),
        entry.user_id,
        entry.action,
        entry.is_write,
        entry.patient_id,
        entry.case_id,
        entry.site_id,
        entry.detail,
        entry.previous_hash,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def record(
    actor: Actor,
    action: str,
    subject: Subject,
    *,
    is_write: bool,
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry. Stands in the transaction of the write that it tells of.

    Parameters
    ----------
    action : str
        What was done, as ``noun.verb``, such as ``consent.sign``.
    detail : dict, optional
        Field names, states, reasons; never a patient's name.
    """
    assert connection.in_atomic_block, "an audit entry belongs to the transaction of its write"
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=_HEAD)
    entry = AuditEntry(
        sequence=head.length + 1,
        at=timezone.now(),
        actor_kind=actor.kind,
        user_id=actor.user_id,
        action=action,
        is_write=is_write,
        patient_id=subject.patient_id,
        case_id=subject.case_id,
        site_id=subject.site_id,
        detail=(detail or {}) | ({"proxy": actor.proxy_id} if actor.proxy_id else {}),
        previous_hash=head.hash,
    )
    entry.hash = _chained(entry)
    entry.save(force_insert=True)
    head.length, head.hash = entry.sequence, entry.hash
    head.save(update_fields=["length", "hash"])
    return entry


def record_read(actor: Actor, action: str, subject: Subject, detail: dict[str, Any] | None = None) -> None:
    """Append a read, in a transaction of its own."""
    with transaction.atomic():
        record(actor, action, subject, is_write=False, detail=detail)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the chain found; sound when ``problems`` is empty."""

    length: int
    last_hash: str
    problems: tuple[str, ...]


def _problems_of(entries: Iterator[AuditEntry]) -> Iterator[tuple[AuditEntry, str | None]]:
    previous, expected = FIRST_HASH, 1
    for entry in entries:
        trouble = None
        if entry.sequence != expected:
            trouble = f"entry {expected} is missing"
        elif entry.previous_hash != previous:
            trouble = f"entry {entry.sequence} does not follow the one before it"
        elif _chained(entry) != entry.hash:
            trouble = f"entry {entry.sequence} was changed"
        yield entry, trouble
        previous, expected = entry.hash, entry.sequence + 1


def check_chain() -> ChainReport:
    """Recompute every hash from the first entry on and compare the end with the kept head."""
    problems: list[str] = []
    length, last = 0, FIRST_HASH
    for entry, trouble in _problems_of(AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000)):
        if trouble:
            problems.append(trouble)
        length, last = entry.sequence, entry.hash
    head = AuditHead.objects.filter(pk=_HEAD).first()
    if (head.length, head.hash) != (length, last) if head else length:
        problems.append("the end of the log is not the one that was kept: entries are missing there")
    return ChainReport(length, last, tuple(problems))


def when(entry: AuditEntry) -> datetime:
    """The moment of an entry, in UTC."""
    return entry.at.astimezone(UTC)
