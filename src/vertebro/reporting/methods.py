"""How a case was made: settings with their sources, inputs by hash, stages, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from vertebro.case import Manifest
from vertebro.reporting.content import Fact, InputText, SettingsTable, SettingText, StageText
from vertebro.reporting.wording import Words


def settings_tables(methods: Mapping[str, Any]) -> tuple[SettingsTable, ...]:
    """One table for each stage's settings.

    Examples
    --------
    >>> settings_tables({"Assessment": {"mild_percent": 20.0}})[0].settings[0].value
    '20'
    """
    tables = []
    for title, settings in methods.items():
        rows = tuple(_rows(settings))
        if rows:
            tables.append(SettingsTable(title, rows))
    return tuple(tables)


def _rows(settings: Any, prefix: str = "") -> list[SettingText]:
    rows: list[SettingText] = []
    if is_dataclass(settings) and not isinstance(settings, type):
        for item in fields(settings):
            value = getattr(settings, item.name)
            if is_dataclass(value):
                rows += _rows(value, f"{prefix}{item.name}.")
                continue
            unit = str(item.metadata.get("unit", ""))
            said = _plain(value) + (f" {_UNIT.get(unit, unit)}" if unit else "")
            meaning, source = str(item.metadata.get("doc", "")), str(item.metadata.get("source", ""))
            rows.append(SettingText(prefix + item.name, said, meaning, source))
        return rows
    for name, value in dict(settings).items():
        if isinstance(value, Mapping):
            rows += _rows(value, f"{prefix}{name}.")
        else:
            rows.append(SettingText(prefix + str(name), _plain(value), "", ""))
    return rows


_UNIT = {"deg": "°", "percent": "%", "hu": "HU"}


def _plain(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, float):
        return f"{value:g}".replace("-", "\u2212")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(entry)}" for key, entry in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(_plain(entry) for entry in value)
    return str(value)


def input_texts(manifest: Manifest | None) -> tuple[InputText, ...]:
    """The inputs by role, path and hash."""
    if manifest is None:
        return ()
    return tuple(
        InputText(
            role=item.role,
            path=item.path,
            n_files=str(item.n_files),
            sha256=item.sha256,
        )
        for item in manifest.inputs
    )


def option_facts(manifest: Manifest | None) -> tuple[Fact, ...]:
    """What the person asked for."""
    if manifest is None:
        return ()
    return tuple(Fact(name, _plain(value)) for name, value in manifest.options.items() if value)


def stage_texts(manifest: Manifest | None) -> tuple[StageText, ...]:
    """The stages as they were run."""
    if manifest is None:
        return ()
    return tuple(
        StageText(
            name=stage.name,
            key=stage.key,
            seed=str(stage.seed),
            backend=stage.backend,
        )
        for stage in manifest.stages
    )


def software_facts(manifest: Manifest | None, words: Words) -> tuple[Fact, ...]:
    """Versions of what made the case."""
    if manifest is None:
        return ()
    text = words["software"]
    facts = [
        Fact(text["version"], manifest.vertebro_version),
        Fact(text["schema"], str(manifest.schema_version)),
    ]
    return (*facts, *(Fact(name, value) for name, value in manifest.platform.items()))
