"""The clinic as a process: it answers, and when it is asked to end nothing of it goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_asked_to_end_the_worker_ends_too(tmp_path: Path) -> None:
    port = _free_port()
    command = Path(sys.executable).with_name("vertebro")
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("DJANGO_")}
    clinic = subprocess.Popen(
        [command, "clinic", "--home", tmp_path / "home", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=surroundings,
    )
    try:
        assert clinic.stdout is not None
        said = []
        for line in clinic.stdout:
            said.append(line)
            if "The clinic is at" in line:
                break
        assert any("First administrator" in line for line in said)
        deadline = time.monotonic() + 60.0
        workers: list[psutil.Process] = []
        answered = False
        while time.monotonic() < deadline and not (answered and workers):
            workers = psutil.Process(clinic.pid).children(recursive=True)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                    answered = answer.status == 200
            except OSError:
                time.sleep(0.2)
        assert answered
        assert workers

        clinic.send_signal(signal.SIGTERM)
        clinic.wait(timeout=60)

        gone, alive = psutil.wait_procs(workers, timeout=30)
        assert alive == []
        assert len(gone) == len(workers)
    finally:
        if clinic.poll() is None:
            clinic.kill()
            clinic.wait()
        if clinic.stdout is not None:
            clinic.stdout.close()
