"""Rules and limits as data: each with version, source and whether the source was confirmed.

The files stand in ``rules_data/``. A site approves a rule, and may give a limit its own value
(:mod:`vertebro_clinic.pathway.domain.policies`). Here nothing knows the database.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language

from vertebro_clinic.pathway.enums import Severity

_FOLDER = Path(__file__).parent / "rules_data"


def in_language(words: Mapping[str, str]) -> str:
    """The words in the reader's language, in English where there are none."""
    return words.get((get_language() or "en")[:2], words["en"])


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of eligibility."""

    name: str
    version: str
    severity: Severity
    words: Mapping[str, str]
    source: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """One number by which guards judge."""

    name: str
    version: str
    value: float
    unit: str
    words: Mapping[str, str]
    source: str
    confirmed: bool


def _rows(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


@cache
def eligibility_rules() -> dict[str, Rule]:
    """Every rule of eligibility by name, in the file's order."""
    return {
        name: Rule(name=name, **(row | {"severity": Severity(row["severity"])}))
        for name, row in _rows("eligibility.toml").items()
    }


@cache
def limits() -> dict[str, Limit]:
    """Every limit by name.

    >>> limits()["platelets_least"].unit
    '10⁹/L'
    """
    return {name: Limit(name=name, **row) for name, row in _rows("limits.toml").items()}
