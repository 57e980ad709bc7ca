"""A clinic that is served and a browser to look at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from external_tools import require_tool

PASSWORD = "a-long-password-for-browsers"
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """These tests use a database of their own, behind the served clinic."""


@pytest.fixture(scope="session")
def axe_script() -> str:
    """axe-core's source."""
    if not AXE.is_file():
        sentence = "This test needs axe-core; install it with: npm ci --ignore-scripts"
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(sentence)
        pytest.fail(sentence)
    return AXE.read_text(encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a small clinic."""
    port = _free_port()
    home = tmp_path_factory.mktemp("clinic")
    environment = {**os.environ, "VERTEBRO_CLINIC_HOME": str(home), "VERTEBRO_CLINIC_REQUIRE_MFA": "false"}
    environment["DJANGO_SETTINGS_MODULE"] = "vertebro_clinic.core.settings.local"
    script = Path(__file__).with_name("serve_small_clinic.py")
    log = (home / "server.log").open("w", encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, str(script), str(port), PASSWORD], env=environment, stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            if server.poll() is not None:
                pytest.fail((home / "server.log").read_text(encoding="utf-8"))
            try:
                with urllib.request.urlopen(address, timeout=5):
                    break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's chromium, driven by playwright."""
    program = require_tool("chromium", "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()
