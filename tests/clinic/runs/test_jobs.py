"""Jobs: taken once, kept alive, given back when a worker dies, idempotent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from vertebro_clinic.core.errors import NotAllowed, NotVisible
from vertebro_clinic.runs.jobs import (
    MOST_ATTEMPTS,
    SILENCE,
    cancel_run,
    finish_job,
    heartbeat,
    queue_run,
    reap,
    take_job,
)
from vertebro_clinic.runs.models import Job, JobState
from vertebro_clinic.runs.worker import attach, run_one, summary_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(world, act_as) -> Job:
    return queue_run(
        actor=act_as("alice"), case_id=world.dana.pk, kind="run", inputs={"ct": "nowhere"}, key="k"
    )


def test_the_same_work_is_queued_once(job: Job, world, act_as) -> None:
    again = queue_run(actor=act_as("bob"), case_id=world.dana.pk, kind="run", inputs={}, key="k")

    assert again == job


def test_only_the_room_queues_runs_for_its_own_patients(world, act_as) -> None:
    for key, error in (("sol", NotAllowed), ("quinn", NotAllowed), ("charlie", NotVisible)):
        with pytest.raises(error):
            queue_run(actor=act_as(key), case_id=world.dana.pk, kind="run", inputs={}, key="other")


def test_a_job_is_taken_by_one_worker(job: Job) -> None:
    assert take_job("w1") == job
    assert take_job("w2") is None
    assert heartbeat(job.pk, "w1", progress=0.5, message="half") is True
    assert heartbeat(job.pk, "w2", progress=0.9, message="stolen") is False


def test_a_dead_worker_s_job_goes_back_and_its_late_result_is_refused(job: Job) -> None:
    take_job("dead")
    assert reap() == 0

    assert reap(timezone.now() + SILENCE + timedelta(seconds=1)) == 1
    assert take_job("alive") == job
    assert finish_job(job.pk, "dead", JobState.DONE) is False
    assert finish_job(job.pk, "alive", JobState.DONE) is True


def test_a_job_that_kills_three_workers_fails(job: Job) -> None:
    for attempt in range(MOST_ATTEMPTS):
        assert take_job(f"w{attempt}") == job
        reap(timezone.now() + SILENCE + timedelta(seconds=1))

    assert Job.objects.get(pk=job.pk).state == JobState.FAILED


def test_cancelling_stops_a_waiting_job_at_once_and_a_running_one_at_its_heartbeat(job: Job, act_as) -> None:
    take_job("w")
    cancel_run(actor=act_as("alice"), job=job)

    assert heartbeat(job.pk, "w", progress=0.1, message="") is False


def test_the_engine_s_refusal_is_told_in_words(job: Job) -> None:
    assert run_one("w") is True

    failed = Job.objects.get(pk=job.pk)
    assert failed.state == JobState.FAILED
    assert "nowhere" in failed.error


def test_attaching_twice_changes_nothing(job: Job, settings, tmp_path) -> None:
    settings.CASES_ROOT = tmp_path
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="utf-8")

    assert attach(job, folder) == attach(job, folder)


def test_the_summary_tells_the_broken_levels(tmp_path) -> None:
    levels = {
        "T12": {"genant": {"grade": 0}, "summary": "T12: no loss of height."},
        "L1": {"genant": {"grade": 2}, "summary": "L1: moderate wedge fracture."},
        "L5": {"genant": {"grade": None}, "summary": "L5: cut by the edge of the scan."},
    }
    (tmp_path / "assessment.json").write_text(json.dumps({"levels": levels}), encoding="utf-8")

    assert summary_of(tmp_path) == {"levels": [{"level": "L1", "words": "L1: moderate wedge fracture."}]}
    assert summary_of(tmp_path / "none") == {"levels": []}
