"""The documentation covers what the code offers."""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

import vertebro.case
import vertebro.findings
from tools import reference_pages
from vertebro.cli.main import app
from vertebro.findings import registry
from vertebro.workflow.stages import STAGES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SHORT_FORMS = ["hu", "lps", "drr", "sid", "sdd", "fe", "pmma", "bmd", "mdt", "vas", "odi"]


@pytest.fixture(scope="module")
def findings_page() -> str:
    return reference_pages.findings_page()


@pytest.fixture(scope="module")
def settings_page() -> str:
    return reference_pages.settings_page()


@pytest.fixture(scope="module")
def cli_page() -> str:
    return reference_pages.cli_page()


@pytest.mark.parametrize("code", sorted(registry()))
def test_every_finding_code_is_documented_with_meaning_and_remedy(findings_page: str, code: str) -> None:
    entry = findings_page.split(f"### `{code}`")[1].split("\n###", maxsplit=1)[0]

    kind = registry()[code]
    assert kind.title in entry
    assert kind.meaning in entry
    assert kind.remedy in entry
    assert kind.source in entry


@pytest.mark.parametrize("code", sorted(registry()))
def test_every_finding_code_is_made_somewhere(code: str) -> None:
    """A registered code that nothing can make is a promise not kept."""
    area, name = code.split(".")
    spellings = (f'"{code}"', f'"{area}.{{', f'f"{area}.')
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]

    assert any(spelling in text for text in sources for spelling in spellings), name


def _declared_settings() -> Iterator[tuple[str, str]]:
    """(class, field) of every field declared by ``setting(...)``, found in the source text."""
    for path in sorted((ROOT / "src" / "vertebro").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            for item in node.body:
                if not (isinstance(item, ast.AnnAssign) and isinstance(item.value, ast.Call)):
                    continue
                if ast.unparse(item.value.func).split(".")[-1] == "setting":
                    yield node.name, ast.unparse(item.target)


@pytest.mark.parametrize(("owner", "name"), list(_declared_settings()))
def test_every_setting_is_documented(settings_page: str, owner: str, name: str) -> None:
    block = settings_page.split(f"## {owner}\n")[1].split("\n## ", maxsplit=1)[0]

    assert f"| `{name}` |" in block


@pytest.mark.parametrize("settings", reference_pages.settings_classes(), ids=lambda entry: entry.__name__)
def test_every_number_among_the_settings_has_a_source(settings: type) -> None:
    def is_number(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    bare = [
        item.name
        for item in reference_pages.own_settings(settings)
        if is_number(item.default) and not item.metadata["source"]
    ]

    assert bare == []


@pytest.mark.parametrize("settings", reference_pages.settings_classes(), ids=lambda entry: entry.__name__)
def test_default_settings_are_within_their_own_ranges(settings: type) -> None:
    assert settings() is not None


def _commands(command: object, path: str = "vertebro") -> Iterator[tuple[str, object]]:
    for name, member in getattr(command, "commands", {}).items():
        yield f"{path} {name}", member
        yield from _commands(member, f"{path} {name}")


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_is_documented(cli_page: str, path: str) -> None:
    entry = cli_page.split(f"## `{path}`\n")[1].split("\n## ", maxsplit=1)[0]

    help_text = str(getattr(COMMANDS[path], "help", ""))
    options = [spelling for entry in getattr(COMMANDS[path], "params", []) for spelling in entry.opts]
    assert help_text.splitlines()[0] in entry
    assert [spelling for spelling in options if spelling.startswith("-") and spelling not in entry] == []


@pytest.mark.parametrize("stage", STAGES, ids=lambda entry: entry.name)
def test_every_stage_is_documented(stage: object) -> None:
    page = reference_pages.stages_page()

    assert f"| `{getattr(stage, 'name', '')}` | {getattr(stage, 'title', '')} |" in page


@pytest.mark.parametrize("name", sorted(vertebro._HOME))
def test_every_public_name_is_listed(name: str) -> None:
    pages = reference_pages.api_pages()

    assert f"`vertebro.{name}`" in pages["index.md"]
    assert f"{vertebro._HOME[name]}.md" in pages


def _glossary_terms() -> set[str]:
    lines = (DOCS / "glossary.md").read_text(encoding="utf-8").splitlines()
    heads = [lines[number - 1] for number, line in enumerate(lines) if line.startswith(": ")]
    return {term for head in heads for term in (head, *re.findall(r"`([^`]+)`", head))}


def _enum_members() -> list[str]:
    members = {}
    for module in (vertebro.case, vertebro.findings):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, enum.Enum) and kind.__module__.startswith("vertebro."):
                members[kind] = [m.name if issubclass(kind, enum.IntEnum) else str(m.value) for m in kind]
    return sorted({name for names in members.values() for name in names})


@pytest.mark.parametrize("term", [*_enum_members(), *SHORT_FORMS])
def test_the_glossary_explains_every_enum_member_and_short_form(term: str) -> None:
    assert term in _glossary_terms()


def _links(path: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)#\s]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "changelog.d/README.md"])
def test_links_of_the_top_pages_lead_somewhere(name: str) -> None:
    path = ROOT / name
    made = {DOCS / "reference" / page for page in ("findings.md", "settings.md", "cli.md", "stages.md")}
    targets = [(path.parent / target).resolve() for target in _links(path)]

    assert [str(target) for target in targets if not target.exists() and target not in made] == []


def test_every_decision_is_numbered_once_and_says_its_state() -> None:
    pages = sorted(path for path in (DOCS / "adr").glob("*.md") if path.name != "index.md")
    index = (DOCS / "adr" / "index.md").read_text(encoding="utf-8")

    assert [int(path.name[:4]) for path in pages] == list(range(1, len(pages) + 1))
    for path in pages:
        assert "**State:**" in path.read_text(encoding="utf-8"), path.name
        assert path.stem in index


def test_every_module_of_the_engine_can_be_imported() -> None:
    names = [module.__name__ for module in reference_pages.engine_modules()]

    assert "vertebro.workflow.stages" in names
    assert all(importlib.import_module(name) for name in names)
