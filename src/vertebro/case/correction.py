"""What a person corrects in a segmentation: each a place in the world and what is to be there.

Positions are LPS, millimetres. A position is a soft hint: it says which level or disc is meant, and
need not lie in its exact middle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vertebro.errors import InputError

Position = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class NameLevel:
    """The level at a place is called so; all others follow from it."""

    at_lps_mm: Position
    name: str

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"name {self.name} {_text(self.at_lps_mm)}"


@dataclass(frozen=True, slots=True)
class NameEnd:
    """The highest or lowest level in view is called so."""

    end: str
    """``"highest"`` or ``"lowest"``."""
    name: str

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"{self.end} {self.name}"


@dataclass(frozen=True, slots=True)
class AddLevel:
    """There is a vertebral body here."""

    at_lps_mm: Position

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"add {_text(self.at_lps_mm)}"


@dataclass(frozen=True, slots=True)
class RemoveLevel:
    """What was found here is no vertebra."""

    at_lps_mm: Position

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"remove {_text(self.at_lps_mm)}"


@dataclass(frozen=True, slots=True)
class MergeLevels:
    """Two places belong to one vertebra."""

    at_lps_mm: Position
    with_lps_mm: Position

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"merge {_text(self.at_lps_mm)} {_text(self.with_lps_mm)}"


@dataclass(frozen=True, slots=True)
class SplitLevel:
    """There is a disc here, in what was taken for one vertebra."""

    at_lps_mm: Position

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"split {_text(self.at_lps_mm)}"


@dataclass(frozen=True, slots=True)
class MoveDisc:
    """The disc that was found near the first place lies at the second."""

    at_lps_mm: Position
    to_lps_mm: Position

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        return f"disc {_text(self.at_lps_mm)} {_text(self.to_lps_mm)}"


@dataclass(frozen=True, slots=True)
class Paint:
    """Everything within a radius belongs to the level of that name, or to none where it is empty."""

    at_lps_mm: Position
    radius_mm: float
    level: str

    def to_text(self) -> str:
        """The correction in the words that :func:`read_correction` reads."""
        what = f"paint {self.level}" if self.level else "erase"
        return f"{what} {_text(self.at_lps_mm)} {self.radius_mm:g}"


Correction = NameLevel | NameEnd | AddLevel | RemoveLevel | MergeLevels | SplitLevel | MoveDisc | Paint

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_PLACE = re.compile(rf"({_NUMBER}),({_NUMBER}),({_NUMBER})")
FORMS = (
    "name L1 x,y,z",
    "lowest L5",
    "highest T10",
    "add x,y,z",
    "remove x,y,z",
    "merge x,y,z x,y,z",
    "split x,y,z",
    "disc x,y,z x,y,z",
    "paint L1 x,y,z radius",
    "erase x,y,z radius",
)
"""What can be said, for help and errors."""


def read_correction(text: str) -> Correction:
    """A correction from the words of a command line or an action list.

    Parameters
    ----------
    text : str
        One of :data:`FORMS`; positions are LPS, millimetres, without blanks.

    Raises
    ------
    InputError
        If the words are no correction (``segment.click``).

    Examples
    --------
    >>> read_correction("name L1 12.5,-30,400")
    NameLevel(at_lps_mm=(12.5, -30.0, 400.0), name='L1')
    >>> read_correction("disc 0,0,10 0,0,14").to_text()
    'disc 0,0,10 0,0,14'
    """
    words = text.split()
    places = [_place(word) for word in words if _PLACE.fullmatch(word)]
    others = [word for word in words if not _PLACE.fullmatch(word)]
    match (others, places):
        case (["name", name], [at]):
            return NameLevel(at, name)
        case ([("lowest" | "highest") as end, name], []):
            return NameEnd(end, name)
        case (["add"], [at]):
            return AddLevel(at)
        case (["remove"], [at]):
            return RemoveLevel(at)
        case (["merge"], [at, other]):
            return MergeLevels(at, other)
        case (["split"], [at]):
            return SplitLevel(at)
        case (["disc"], [at, to]):
            return MoveDisc(at, to)
        case (["paint", name, radius], [at]) if re.fullmatch(_NUMBER, radius) and float(radius) > 0:
            return Paint(at, float(radius), name)
        case (["erase", radius], [at]) if re.fullmatch(_NUMBER, radius) and float(radius) > 0:
            return Paint(at, float(radius), "")
    raise InputError(
        "segment.click",
        got=f"the correction '{text}'",
        needed="one of: " + "; ".join(FORMS),
        remedy="Give positions in LPS millimetres with commas and no blanks, such as 12.5,-30,400.",
        fields=("click",),
    )


def _place(word: str) -> Position:
    x, y, z = (float(part) for part in word.split(","))
    return (x, y, z)


def _text(position: Position) -> str:
    return ",".join(f"{value:g}" for value in position)
