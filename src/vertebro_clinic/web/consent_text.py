"""The consent text in the patient's language, with its version."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vertebro_clinic import pathway
from vertebro_clinic.pathway.models import Case

_FILE = Path(pathway.__file__).parent / "rules_data" / "consent.toml"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What the patient reads before signing."""

    version: str
    language: str
    what: tuple[str, ...]
    risks: tuple[str, ...]
    alternatives: tuple[str, ...]
    evidence: tuple[str, ...]


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def consent_text(case: Case) -> ConsentText:
    """The text in the patient's own language, in English where there is none."""
    content = _read()
    language = case.patient.language if case.patient.language in content else "en"
    parts = {name: tuple(lines) for name, lines in content[language].items()}
    return ConsentText(version=content["version"], language=language, **parts)
