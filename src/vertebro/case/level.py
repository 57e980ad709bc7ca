"""Names of the spine's levels.

A level is a name, never an offset. Transitional and extra vertebrae have names of their own
(T13, L6); nothing here forces a vertebra into the usual seventeen.
"""

from __future__ import annotations

from enum import StrEnum

from vertebro.errors import SettingsError


class Level(StrEnum):
    """A vertebral level, cranial to caudal."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"
    C6 = "C6"
    C7 = "C7"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"
    L6 = "L6"
    S1 = "S1"
    COCCYX = "coccyx"

    @property
    def is_assessable(self) -> bool:
        """Whether a body of this level is measured: thoracic and lumbar levels (T1–L6)."""
        return self.value[0] in "TL"

    @property
    def is_treatable(self) -> bool:
        """Whether the level is within T1–L5, the range that coverage rules name for augmentation."""
        return self.is_assessable and self not in (Level.T13, Level.L6)


_ORDER = {level: index for index, level in enumerate(Level)}


def level_order(name: str) -> int:
    """Position of a level from cranial to caudal, for sorting; unknown names come last.

    Examples
    --------
    >>> sorted(["L1", "T12", "T13"], key=level_order)
    ['T12', 'T13', 'L1']
    """
    return _ORDER.get(Level(name), len(_ORDER)) if name in Level.__members__.values() else len(_ORDER)


def parse_level(text: str) -> Level:
    """A level from what a person typed (``"l1"``, ``"Th12"``, ``"D12"``).

    Raises
    ------
    SettingsError
        If the text names no level (``level.name``).

    Examples
    --------
    >>> parse_level("th12")
    <Level.T12: 'T12'>
    """
    cleaned = text.strip().upper().replace("TH", "T").replace("D", "T")
    for level in Level:
        if cleaned == level.value.upper():
            return level
    raise SettingsError(
        "level.name",
        got=f"the level name {text.strip()[:20]!r}",
        needed="a level such as T12 or L1",
        remedy="Name levels from C1 to L6, or S1.",
        fields=("level",),
    )
