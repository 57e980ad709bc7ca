"""Databases of their own for tests that write from several processes.

SQLite in a file, PostgreSQL on loopback.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Environment = dict[str, str]
_BIN = Path("/usr/lib/postgresql")


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """These tests bring their own databases."""


def _tool(name: str) -> Path:
    found = sorted(_BIN.glob(f"*/bin/{name}")) or [Path(p) for p in [shutil.which(name)] if p]
    if found:
        return found[-1]
    sentence = f"This test needs PostgreSQL's {name}; install it with: apt-get install postgresql"
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(sentence)
    pytest.fail(sentence)


def _as_who() -> dict[str, object]:
    """PostgreSQL refuses to run as root: then it runs as its own user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            return {"user": pwd.getpwnam(name).pw_uid, "group": pwd.getpwnam(name).pw_gid}
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no other user to run it as.")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, on loopback, with trust inside this machine."""
    initdb, pg_ctl = _tool("initdb"), _tool("pg_ctl")
    who = _as_who()
    folder = Path(tempfile.mkdtemp(prefix="vertebro-postgres-"))
    if who:
        os.chown(folder, int(str(who["user"])), int(str(who["group"])))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"

    def run(*command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False, **who
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run(initdb, "-D", data, "-A", "trust", "-U", "clinic", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=60"
    run(pg_ctl, "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        run(initdb.with_name("createdb"), "-h", "127.0.0.1", "-p", port, "-U", "clinic", "clinic")
        yield f"postgresql://clinic@127.0.0.1:{port}/clinic"
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What tells a process which database to use."""
    address = "" if request.param == "sqlite" else request.getfixturevalue("postgres")
    return {
        **os.environ,
        "VERTEBRO_CLINIC_HOME": str(tmp_path_factory.mktemp("home")),
        "VERTEBRO_CLINIC_DATABASE": address,
        "DJANGO_SETTINGS_MODULE": "vertebro_clinic.core.settings.local",
    }


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.Popen[str]]:
    """Start one of the scripts beside the tests."""

    def start(environment: Environment, *arguments: object) -> subprocess.Popen[str]:
        script = Path(__file__).with_name("write_many.py")
        return subprocess.Popen(
            [sys.executable, str(script), *(str(part) for part in arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
