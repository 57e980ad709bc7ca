"""The worker: takes a job, runs the engine, puts the result on the record.

Only here is the engine imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import threading
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from vertebro_clinic.core.actor import SYSTEM
from vertebro_clinic.core.domain import audit
from vertebro_clinic.pathway.domain.queries.visible import subject_of
from vertebro_clinic.runs.jobs import finish_job, heartbeat, reap, take_job
from vertebro_clinic.runs.models import Job, JobState, Run

HEARTBEAT_SECONDS = 10.0


class Stopped(Exception):  # noqa: N818 - not an error, somebody asked for it
    """The job was cancelled or taken back."""


def worker_name() -> str:
    """Name this process by machine and number."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Pulse:
    """Keeps a job alive from a thread of its own while the engine computes, and carries its progress."""

    def __init__(self, job_id: int, worker: str) -> None:
        self._job_id, self._worker = job_id, worker
        self._fraction, self._text = 0.0, ""
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        try:
            while not self._over.wait(HEARTBEAT_SECONDS):
                if not heartbeat(self._job_id, self._worker, progress=self._fraction, message=self._text):
                    self._stopped.set()
        finally:
            connection.close()

    def __call__(self, fraction: float, text: str) -> None:
        """The engine's progress; stops the engine when the job is not ours any more."""
        self._fraction, self._text = fraction, text
        if self._stopped.is_set():
            raise Stopped

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()


def run_one(worker: str) -> bool:
    """Take and run one job; False when none waits."""
    reap()
    job = take_job(worker)
    if job is None:
        return False
    from vertebro.errors import Cancelled, VertebroError

    try:
        with Pulse(job.pk, worker) as pulse:
            folder = _compute(job, pulse)
    except (Stopped, Cancelled):
        finish_job(job.pk, worker, JobState.CANCELLED)
    except VertebroError as trouble:
        finish_job(job.pk, worker, JobState.FAILED, error=str(trouble))
    else:
        with transaction.atomic():
            if finish_job(job.pk, worker, JobState.DONE):
                attach(job, folder)
    return True


def _compute(job: Job, progress: Any) -> Path:
    """Run every stage in a folder of the case; what is finished there already is reused."""
    from vertebro.workflow import run_case

    folder: Path = settings.CASES_ROOT / str(job.case.key) / f"job-{job.pk}"
    folder.mkdir(parents=True, exist_ok=True)
    labels = job.inputs.get("labels")
    run_case(Path(job.inputs["ct"]), folder, labels=Path(labels) if labels else None, progress=progress)
    return folder


@transaction.atomic
def attach(job: Job, folder: Path) -> Run:
    """Put a finished case folder on the record. Doing it again changes nothing."""
    manifest = (folder / "manifest.json").read_bytes()
    content = json.loads(manifest)
    run, is_new = Run.objects.get_or_create(
        job=job,
        defaults={
            "case": job.case,
            "folder": str(folder.relative_to(settings.CASES_ROOT)),
            "manifest_hash": hashlib.sha256(manifest).hexdigest(),
            "engine_version": str(content.get("vertebro_version", "")),
            "made_at": timezone.now(),
            "summary": summary_of(folder),
        },
    )
    if is_new:
        audit.record(
            SYSTEM, "run.attach", subject_of(job.case), is_write=True, detail={"manifest": run.manifest_hash}
        )
    return run


def summary_of(folder: Path) -> dict[str, Any]:
    """What the case's page shows of a run: each level with a graded loss, in the engine's own sentence."""
    path = folder / "assessment.json"
    if not path.is_file():
        return {"levels": []}
    levels = json.loads(path.read_text(encoding="utf-8"))["levels"]
    broken = [(name, level) for name, level in levels.items() if level["genant"]["grade"]]
    return {"levels": [{"level": name, "words": level["summary"]} for name, level in broken]}


def copy_in(source: Path, case_key: str) -> Path:
    """Copy a finished case folder under the clinic's own."""
    target: Path = settings.CASES_ROOT / case_key / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target
