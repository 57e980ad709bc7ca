"""What the package promises to whoever installs it."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import vertebro

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
ADDRESS = re.compile(r"https?://|file:/|git\+|@ ?[a-z]+:|--(extra-)?index-url|--find-links", re.IGNORECASE)


@pytest.mark.parametrize("name", [*LOCKS, "pyproject.toml"])
def test_package_files_hold_no_addresses(name: str) -> None:
    assert ADDRESS.findall((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_has_an_exact_version_and_a_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]

    assert len(lines) > 20
    assert [
        line[:60] for line in lines if not re.match(r"^[\w.\-]+(\[[\w,]+\])?==\S+ .*--hash=sha256:", line)
    ] == []


def _locked_names(name: str) -> set[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {found.lower() for found in re.findall(r"^([\w.\-]+)(?:\[[\w,]+\])?==", text, re.MULTILINE)}


def _declared_names(entries: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ;]", entry)[0].lower() for entry in entries}


def test_locks_hold_every_declared_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    runtime = _declared_names(project["project"]["dependencies"]) | _declared_names(groups["build"])
    development = runtime | _declared_names(groups["dev"]) | _declared_names(groups["docs"])

    assert runtime - _locked_names("requirements.lock") == set()
    assert development - _locked_names("requirements-dev.lock") == set()


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    assert _locked_names("requirements.lock") - _locked_names("requirements-dev.lock") == set()


def test_no_lock_of_another_tool_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")

    assert [path for path in listed.stdout.splitlines() if path.endswith("uv.lock")] == []


def test_versions_agree() -> None:
    assert version("vertebro") == vertebro.__version__


def test_the_clinic_has_no_version_of_its_own() -> None:
    assert not hasattr(importlib.import_module("vertebro_clinic"), "__version__")


def test_public_names_are_the_lazy_table() -> None:
    assert sorted(vertebro.__all__) == sorted([*vertebro._HOME, "__version__"])
    assert vertebro.__all__ == sorted(vertebro.__all__)


@pytest.mark.parametrize("name", sorted(vertebro._HOME))
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(vertebro, name)

    assert value is getattr(importlib.import_module(vertebro._HOME[name]), name)
    assert value.__doc__
    assert name in dir(vertebro)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'read_mri'"):
        _ = vertebro.read_mri  # type: ignore[attr-defined]


def _modules_after(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_vertebro_loads_nothing_heavy() -> None:
    loaded = _modules_after("import vertebro")

    heavy = {"numpy", "scipy", "numba", "pydicom", "matplotlib", "skimage", "nibabel", "typer", "rich"}
    assert heavy & loaded == set()
    assert {name for name in loaded if name.startswith("vertebro.")} == set()


def test_the_shell_starts_without_numerical_libraries() -> None:
    loaded = _modules_after("import vertebro.cli.main")

    heavy = {"scipy", "numba", "pydicom", "matplotlib", "skimage", "nibabel", "highdicom"}
    assert heavy & loaded == set()


def test_contributing_is_short() -> None:
    lines = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()

    assert 10 < len(lines) < 60


def test_every_ruff_exception_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("\nignore = [") : text.index("[tool.ruff.lint.per-file-ignores]")]
    codes = [line for line in block.splitlines() if re.match(r'\s+"[A-Z]+\d+"', line)]

    assert codes
    assert [line for line in codes if not re.search(r"#\s+\S+ \S+", line)] == []


def test_noqa_names_its_rule() -> None:
    blanket = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "src").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*noqa(?!:)", line) or re.search(r"#\s*type:\s*ignore(?!\[)", line)
    ]

    assert blanket == []
