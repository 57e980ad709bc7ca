"""The pages that explain, from the data file of the reader's language."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

from vertebro_clinic import pathway

_FOLDER = Path(pathway.__file__).parent / "rules_data" / "education"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its paragraphs and points."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of explanation."""

    slug: str
    title: str
    lead: str
    sections: tuple[Section, ...]


@cache
def _pages(language: str) -> tuple[Page, ...]:
    path = _FOLDER / f"{language}.toml"
    content = tomllib.loads((path if path.is_file() else _FOLDER / "en.toml").read_text(encoding="utf-8"))
    return tuple(
        Page(
            slug,
            page["title"],
            page["lead"],
            tuple(
                Section(part["heading"], tuple(part.get("paragraphs", ())), tuple(part.get("points", ())))
                for part in page["sections"]
            ),
        )
        for slug, page in content.items()
    )


def pages() -> tuple[Page, ...]:
    """Every page in the reader's language."""
    return _pages((get_language() or "en")[:2])
