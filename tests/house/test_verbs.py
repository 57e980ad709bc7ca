"""The make verbs, CI and the set-up script."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from external_tools import require_tool

ROOT = Path(__file__).resolve().parents[2]
VERBS = ["demo", "test", "check", "bench", "validate", "docs", "lock", "clean"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_promised_verb_is_listed_by_make_help(verb: str) -> None:
    make = require_tool("make", "apt-get install make")

    done = subprocess.run([make, "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert re.search(rf"^ *make {verb} ", done.stdout, re.MULTILINE)


def test_ci_runs_check_and_test_and_stops_at_the_first_failure() -> None:
    script = ROOT / ".ci" / "run"
    lines = script.read_text(encoding="utf-8").splitlines()

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in lines
    assert lines[-2:] == ["make check", "make test"]


def test_pre_commit_runs_what_ci_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: make (\w+)", hooks)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = re.search(r"^check: ([\w ]+?) *##", makefile, re.MULTILINE)

    assert check is not None
    assert set(entries) <= set(check.group(1).split())
    assert "repo: local" in hooks
    assert "http" not in hooks


def _set_up(folder: Path, kind: str, path: str) -> subprocess.CompletedProcess[str]:
    (folder / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "ensure_venv.sh", folder / "tools")
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    bash = require_tool("bash", "apt-get install bash")
    return subprocess.run(
        [bash, folder / "tools" / "ensure_venv.sh", kind],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def _bin_without_python(folder: Path) -> Path:
    place = folder / "bin"
    place.mkdir()
    for name in ("bash", "cat", "cksum", "dirname", "rm"):
        (place / name).symlink_to(require_tool(name, "apt-get install coreutils bash"))
    return place


def test_set_up_without_python_says_what_is_needed(tmp_path: Path) -> None:
    place = _bin_without_python(tmp_path)

    done = _set_up(tmp_path, "dev", str(place))

    assert done.returncode == 1
    assert "vertebro needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_set_up_passes_over_an_old_python(tmp_path: Path) -> None:
    place = _bin_without_python(tmp_path)
    old = place / "python3"
    old.write_text("#!/bin/bash\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)

    done = _set_up(tmp_path, "runtime", str(place))

    assert done.returncode == 1
    assert "none was found" in done.stderr


def test_set_up_refuses_an_unknown_kind(tmp_path: Path) -> None:
    done = _set_up(tmp_path, "everything", os.environ["PATH"])

    assert done.returncode == 2
    assert "neither runtime nor dev" in done.stderr


def test_set_up_does_nothing_when_the_stamp_matches(tmp_path: Path) -> None:
    place = _bin_without_python(tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    joined = (ROOT / "requirements-dev.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    stamp = subprocess.run(["cksum"], input=joined, capture_output=True, check=True).stdout
    (tmp_path / ".venv" / ".made-dev").write_bytes(stamp)

    done = _set_up(tmp_path, "runtime", str(place))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
