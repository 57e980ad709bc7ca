"""Attaching a finished case folder of the engine to a patient of the demo."""

from __future__ import annotations

from pathlib import Path

from django.utils import timezone

from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.pathway.models import Case
from vertebro_clinic.runs.models import Job, JobState
from vertebro_clinic.runs.worker import attach, copy_in


def attach_demo_report(case_folder: Path) -> Case:
    """Put the report on the record of the patient whose procedure is being chosen; returns their case."""
    case = (
        Case.objects.select_related("patient", "site")
        .filter(stage=Stage.PROCEDURE_CHOICE)
        .order_by("pk")
        .first()
    )
    assert case is not None, "the demo has a case at every stage"
    folder = copy_in(case_folder.resolve(), str(case.key))
    job, _is_new = Job.objects.get_or_create(
        key=f"demo:{case.key}",
        defaults={
            "kind": "run",
            "case": case,
            "state": JobState.DONE,
            "queued_at": timezone.now(),
            "finished_at": timezone.now(),
            "progress": 1.0,
        },
    )
    attach(job, folder)
    return case
