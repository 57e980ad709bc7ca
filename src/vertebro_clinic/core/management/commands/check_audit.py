"""``python -m vertebro_clinic check_audit``: prove that no entry of the audit log was changed or removed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vertebro_clinic.core.domain.audit import check_chain


class Command(BaseCommand):
    """Recompute the hash chain; exit code 1 with every problem named when it does not hold."""

    help = "Prove that no entry of the audit log was changed or removed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and say so."""
        report = check_chain()
        for problem in report.problems:
            self.stderr.write(problem)
        if report.problems:
            raise CommandError(f"The audit log does not hold: {len(report.problems)} problems.")
        self.stdout.write(f"The audit log holds: {report.length} entries, last hash {report.last_hash}")
