"""The clinic's own tests once more, on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
CLINIC = Path(__file__).resolve().parents[1]
PARTS = ("core", "pathway", "runs", "web/test_pages.py")


def test_the_clinic_s_tests_pass_on_postgresql(postgres: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"VERTEBRO_CLINIC_DATABASE": postgres}

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *(str(CLINIC / part) for part in PARTS),
        ],
        env=environment,
        cwd=CLINIC.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:]
