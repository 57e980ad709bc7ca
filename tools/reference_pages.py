"""Reference pages that are made from the code, so that they cannot fall behind it.

``docs/conf.py`` calls :func:`write_pages` before each build; nothing of it is committed. Each
function returns one page as Markdown.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import vertebro
from vertebro.findings import registry
from vertebro.workflow.stages import STAGES

MADE_BY = "<!-- Made by tools/reference_pages.py from the code; change the code instead. -->\n"


def write_pages(docs: Path) -> list[Path]:
    """Write every made page below ``docs`` (only where its text changed); returns their paths."""
    pages = {
        "reference/findings.md": findings_page(),
        "reference/settings.md": settings_page(),
        "reference/cli.md": cli_page(),
        "reference/stages.md": stages_page(),
        **{f"reference/api/{name}": text for name, text in api_pages().items()},
    }
    for name, text in pages.items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for stale in set((docs / "reference" / "api").glob("*.md")) - {docs / name for name in pages}:
        stale.unlink()
    return [docs / name for name in pages]


def engine_modules() -> Iterator[ModuleType]:
    """Every module of the engine, imported, in alphabetical order."""
    yield vertebro
    for found in sorted(pkgutil.walk_packages(vertebro.__path__, "vertebro."), key=lambda entry: entry.name):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def findings_page() -> str:
    """Every finding code: severity, meaning, remedy, source."""
    parts = [
        MADE_BY,
        "# Findings\n",
        "What vertebro may notice about an image, a label file or a patient, by code. A finding is data and "
        "travels with the result; [errors and findings](../explanation/errors-and-findings.md) says why. "
        "`info`: results stand; `warn`: results are less certain; `block`: the thing concerned must not be "
        "used until a person has looked.\n",
    ]
    area = ""
    for code, kind in sorted(registry().items()):
        if code.split(".")[0] != area:
            area = code.split(".")[0]
            parts.append(f"## {area}\n")
        parts.append(f"### `{code}`\n\n**{kind.title}** ({kind.severity.value})\n")
        parts.append(f"{kind.meaning}\n\n*What to do:* {kind.remedy}\n")
        if kind.source:
            parts.append(f"*Source:* {kind.source}\n")
    return "\n".join(parts)


def settings_classes() -> list[type]:
    """Every dataclass of the engine whose fields were declared with :func:`vertebro.settings.setting`."""
    found: dict[str, type] = {}
    for module in engine_modules():
        for _, candidate in inspect.getmembers(module, inspect.isclass):
            if (
                candidate.__module__ == module.__name__
                and is_dataclass(candidate)
                and own_settings(candidate)
            ):
                found[f"{candidate.__module__}.{candidate.__qualname__}"] = candidate
    return [found[name] for name in sorted(found)]


def settings_page() -> str:
    """Every setting: default, allowed range, unit, meaning, source."""
    parts = [
        MADE_BY,
        "# Settings\n",
        "Every number that a result depends on and that somebody may want to change. The values in force are "
        "written whole into the case folder's `manifest.json`.\n",
    ]
    for settings in settings_classes():
        parts.append(f"## {settings.__qualname__}\n")
        parts.append(f"`{settings.__module__}.{settings.__qualname__}`. {_first_sentence(settings)}\n")
        parts.append("| setting | default | allowed | meaning | source |\n|---|---|---|---|---|")
        parts.extend(_setting_row(item) for item in own_settings(settings))
        parts.append("")
    return "\n".join(parts)


def own_settings(settings: Any) -> list[Field[Any]]:
    """The fields of a settings class that were declared with :func:`vertebro.settings.setting`."""
    return [item for item in fields(settings) if "doc" in item.metadata]


def _setting_row(item: Field[Any]) -> str:
    lower, upper = item.metadata["lower"], item.metadata["upper"]
    unit = item.metadata["unit"]
    if lower is None and upper is None:
        allowed = ""
    elif upper is None:
        allowed = f"≥ {lower:g}"
    elif lower is None:
        allowed = f"≤ {upper:g}"
    else:
        allowed = f"{lower:g} to {upper:g}"
    default = "" if item.default is MISSING else f"`{_plain(item.default)}`"
    cells = (
        f"`{item.name}`",
        f"{default} {unit}".strip(),
        allowed,
        item.metadata["doc"],
        item.metadata["source"],
    )
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _plain(value: object) -> str:
    """A default as a person would write it."""
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value):
        return f"{type(value).__name__}()"
    return str(value)


def _first_sentence(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def cli_page() -> str:
    """Every command with its arguments and options, as the shell itself would tell."""
    import typer.main  # noqa: PLC0415 - the terminal's libraries are needed for this page alone

    from vertebro.cli.main import app  # noqa: PLC0415

    command = typer.main.get_command(app)
    parts = [
        MADE_BY,
        "# Commands\n",
        "`vertebro COMMAND --help` says the same on a terminal.\n",
    ]
    parts.extend(_command_section(command, "vertebro"))
    return "\n".join(parts)


def _command_section(command: Any, path: str) -> Iterator[str]:
    members: dict[str, Any] = getattr(command, "commands", {})
    if path != "vertebro" or not members:
        yield f"## `{path}`\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    rows = [row for row in map(_parameter_row, command.params) if row]
    if rows:
        yield "| argument or option | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"
    for name, member in sorted(members.items()):
        if not member.hidden:
            yield from _command_section(member, f"{path} {name}")


def _parameter_row(parameter: Any) -> str:
    if getattr(parameter, "hidden", False) or parameter.name in ("install_completion", "show_completion"):
        return ""
    is_option = parameter.param_type_name == "option"
    spelling = ", ".join([*parameter.opts, *parameter.secondary_opts])
    name = spelling if is_option else parameter.metavar or parameter.name.upper()
    meaning = str(getattr(parameter, "help", "") or "").replace("|", "\\|").replace("\n", " ")
    if is_option and parameter.default not in (None, False, (), []) and not callable(parameter.default):
        meaning = f"{meaning} (default: `{_plain(parameter.default)}`)".strip()
    shown = f"{name} {parameter.metavar}" if is_option and parameter.metavar else name
    return f"| `{shown}` | {meaning}{' (required)' if parameter.required else ''} |"


def stages_page() -> str:
    """Every stage of a case: what it needs, what it leaves behind."""
    rows = [
        "| "
        + " | ".join(
            [
                f"`{stage.name}`",
                stage.title,
                ", ".join(f"`{name}`" for name in stage.needs),
                ", ".join(f"`{name}`" for name in stage.options),
                f"`{stage.settings.replace(':', '.')}`" if stage.settings else "",
                ", ".join(f"`{name}`" for name in stage.writes),
            ]
        )
        + " |"
        for stage in STAGES
    ]
    return "\n".join(
        [
            MADE_BY,
            "# Stages\n",
            "The steps of a case, in order, as `vertebro run` takes them. A stage runs again only when "
            "something it depends on has changed.\n",
            "| stage | what it does | needs | options | settings | writes |\n|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def api_pages() -> dict[str, str]:
    """One page for the public names and one for each package or module under ``vertebro``."""
    names = sorted(
        entry.name
        for entry in pkgutil.iter_modules(vertebro.__path__, "vertebro.")
        if not entry.name.endswith((".cli", ".__main__"))
    )
    listing = "\n".join(
        f"| [`{name}`]({name}.md) | {_first_sentence(importlib.import_module(name))} |" for name in names
    )
    public = "\n".join(
        f"| `vertebro.{name}` | [`{home}`]({home}.md) | {_first_sentence(getattr(vertebro, name))} |"
        for name, home in sorted(vertebro._HOME.items())
    )
    toctree = "```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"
    index = "\n".join(
        [
            MADE_BY,
            "# Python\n",
            "```python\nimport vertebro as vb\n```\n",
            "Public names, loaded when first used:\n",
            f"| name | from | what it is |\n|---|---|---|\n{public}\n",
            "Packages of the engine:\n",
            f"| package | what it holds |\n|---|---|\n{listing}\n",
            toctree,
        ]
    )
    return {"index.md": index, **{f"{name}.md": _api_page(name) for name in names}}


def _api_page(name: str) -> str:
    module = importlib.import_module(name)
    options = [":members:", ":member-order: bysource"]
    if name.endswith(".errors"):
        options.append(":show-inheritance:")
    if hasattr(module, "__all__"):
        options.append(":imported-members:")
    body = "\n".join([f".. automodule:: {name}", *(f"   {option}" for option in options)])
    return f"{MADE_BY}\n# {name}\n\n```{{eval-rst}}\n{body}\n```\n"
