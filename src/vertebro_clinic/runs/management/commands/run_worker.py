"""``python -m vertebro_clinic run_worker``: run the engine's jobs until stopped."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from vertebro_clinic.runs.worker import run_one, worker_name


class Command(BaseCommand):
    """Take jobs one after the other; look for new ones every two seconds."""

    help = "Run the engine's jobs until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--once`` stops when nothing waits."""
        parser.add_argument("--once", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work."""
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        worker = worker_name()
        while not stop.is_set():
            close_old_connections()
            if not run_one(worker):
                if options["once"]:
                    return
                stop.wait(2)
