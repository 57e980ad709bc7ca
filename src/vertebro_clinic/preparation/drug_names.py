"""From what a person writes to the ingredients of a medicine: brand or generic, strengths ignored."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "drugs.toml"
_STRENGTH = re.compile(
    r"\b\d+([.,]\d+)?\s*(mg|mcg|µg|g|ml|iu|units?|ui|%)?\b(/\s*\d*\s*(mg|ml|h|hr))?"
    r"|\b(tablets?|tabs?|caps(ules?)?|patch|daily|bid|tid|qd|xr|er|sr|oral|comprimidos?|diario)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Drug:
    """One ingredient."""

    name: str
    kind: str
    """``aspirin``, ``antiplatelet``, ``anticoagulant``, ``nsaid``, ``glp1``, ``diabetes``, ``opioid`` …"""
    rxnorm: str
    """RxNorm ingredient code, empty where not sure."""


@cache
def drugs() -> dict[str, Drug]:
    """Every known ingredient by name."""
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    rows.pop("combinations")
    return {name: Drug(name, row["class"], row.get("rxnorm", "")) for name, row in rows.items()}


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    """Every known spelling to the ingredients it stands for."""
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    packs = rows.pop("combinations")
    found = {
        plain(word): (name,) for name, row in rows.items() for word in (name, *row["generic"], *row["brands"])
    }
    return found | {plain(word): tuple(names) for word, names in packs.items()}


def plain(text: str) -> str:
    """Lower case, without accents, strengths and forms.

    >>> plain("Ácido acetilsalicílico 100 mg")
    'acido acetilsalicilico'
    """
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = _STRENGTH.sub(" ", text)
    return " ".join(re.sub(r"[^\w/+ .-]", " ", text).replace("_", " ").split()).strip(" .-/+")


def recognise(text: str) -> tuple[Drug, ...] | None:
    """The ingredients of a medicine as written; None where any part of it is not known: ask a person.

    A name in brackets or after a slash, a plus sign or "and" is another part of the same medicine.
    Nothing is guessed from a likeness: a misspelt blood thinner must be asked about, not taken for
    another.

    Examples
    --------
    >>> [drug.name for drug in recognise("Eliquis 5 mg")]
    ['apixaban']
    >>> [drug.name for drug in recognise("Aggrenox")]
    ['aspirin', 'dipyridamole']
    >>> recognise("Elikwis") is None
    True
    """
    whole = plain(text)
    if whole in _spellings():
        return tuple(drugs()[name] for name in _spellings()[whole])
    parts = [part for part in re.split(r"[()/+,;&]|\band\b|\by\b|\bwith\b|\bcon\b", text) if plain(part)]
    if len(parts) < 2:
        return None
    names: dict[str, None] = {}
    for part in parts:
        known = _spellings().get(plain(part))
        if known is None:
            return None
        names.update(dict.fromkeys(known))
    return tuple(drugs()[name] for name in names)
