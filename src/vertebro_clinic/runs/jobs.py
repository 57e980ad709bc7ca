"""Queueing, taking, keeping alive and finishing jobs. All state is in the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.queries.visible import lock_case, subject_of
from vertebro_clinic.pathway.domain.records import require_writer
from vertebro_clinic.runs.models import Job, JobState

SILENCE = timedelta(seconds=90)
MOST_ATTEMPTS = 3


def queue_run(*, actor: Actor, case_id: int, kind: str, inputs: Mapping[str, Any], key: str) -> Job:
    """Queue a run of the engine. The same key again returns the job that stands."""
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, {Role.RADIOLOGIST, Role.NURSE})
        job, is_new = Job.objects.get_or_create(
            key=key,
            defaults={
                "kind": kind,
                "case": case,
                "inputs": dict(inputs),
                "queued_at": timezone.now(),
                "queued_by_id": actor.user_id,
            },
        )
        if is_new:
            audit.record(
                actor, "run.queue", subject_of(case), is_write=True, detail={"job": job.pk, "kind": kind}
            )
    return job


def cancel_run(*, actor: Actor, job: Job) -> None:
    """Ask for a job to be stopped: at once while it waits, at the next heartbeat while it runs."""
    with transaction.atomic():
        case = lock_case(actor, job.case_id)
        require_writer(actor, case, {Role.RADIOLOGIST, Role.NURSE})
        now = Job.objects.select_for_update().get(pk=job.pk)
        now.wants_cancel = True
        if now.state == JobState.QUEUED:
            now.state, now.finished_at = JobState.CANCELLED, timezone.now()
        now.save()
        audit.record(actor, "run.cancel", subject_of(case), is_write=True, detail={"job": job.pk})


def take_job(worker: str) -> Job | None:
    """Take the oldest waiting job for a worker; none when nothing waits."""
    with transaction.atomic():
        waiting = Job.objects.select_for_update(skip_locked=_can_skip()).filter(state=JobState.QUEUED)
        job = waiting.order_by("queued_at", "pk").first()
        if job is None:
            return None
        job.state, job.worker, job.heartbeat_at = JobState.RUNNING, worker, timezone.now()
        job.attempts += 1
        job.progress, job.message, job.error = 0.0, "", ""
        job.save()
        return job


def _can_skip() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


def heartbeat(job_id: int, worker: str, *, progress: float, message: str) -> bool:
    """Say that the worker lives and how far it is.

    False when it should stop (cancelled, or the job was taken back).
    """
    mine = Job.objects.filter(pk=job_id, worker=worker, state=JobState.RUNNING)
    alive = mine.update(heartbeat_at=timezone.now(), progress=progress, message=message[:200])
    return bool(alive) and not mine.filter(wants_cancel=True).exists()


def finish_job(job_id: int, worker: str, state: JobState, *, error: str = "") -> bool:
    """Close a job that this worker still holds; False when it was taken back in the meantime."""
    changed = Job.objects.filter(pk=job_id, worker=worker, state=JobState.RUNNING).update(
        state=state,
        error=error[:4000],
        finished_at=timezone.now(),
        progress=1.0 if state == JobState.DONE else 0.0,
    )
    return bool(changed)


def reap(now: datetime | None = None) -> int:
    """Give the jobs of silent workers back to the queue; after three attempts they fail. Returns how many."""
    now = now or timezone.now()
    silent = Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=now - SILENCE)
    lost = silent.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=JobState.FAILED, finished_at=now, error="the worker died three times on this job"
    )
    back = silent.filter(attempts__lt=MOST_ATTEMPTS).update(state=JobState.QUEUED, worker="")
    return lost + back
