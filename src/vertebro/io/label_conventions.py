"""Which number means which vertebra: the conventions of label files, and telling them apart.

Numbers alone do not decide: 20 is L1 to VerSe and L3 to version 1 of TotalSegmentator. What decides
is the set of values together with the order of their centres along the patient: VerSe counts from
the head down, TotalSegmentator from the sacrum up. What remains open is settled by how far apart
neighbours lie, and where that cannot settle it either, the choice is stated as a choice.
World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from types import MappingProxyType

from vertebro.case import level_order
from vertebro.errors import SettingsError

SUBREGIONS = "subregions"
"""Convention of a file that tells parts of vertebrae apart, not vertebrae."""

DICOM_SEG = "dicom-seg"
"""Convention of a DICOM segmentation, which names its segments itself."""

_NUMBERED = ("verse", "totalsegmentator", "totalsegmentator-v1")
_ALIASES = {"totalsegmentator-v2": "totalsegmentator"}

SPACING_RATIO_LIMITS = (0.5, 1.7)
"""Neighbours closer or wider than this share of the usual distance are remarked on.

assumed: beyond what collapse, disc loss and body size explain together (a crushed body with a narrow
disc still keeps about 0.55; a patient of 2.1 m reaches about 1.25).
"""


RIVAL_SCORE_RATIO = 0.8
"""A convention that explains the labels nearly as well as the best one makes the choice uncertain
(assumed; distances alone, off by a quarter, halve the score)."""
IN_LINE_MM = 45.0
"""assumed: neighbouring vertebrae lie closer than this; no organ numbered next to a vertebra does."""


@dataclass(frozen=True, slots=True)
class LabelConvention:
    """One numbering of vertebrae."""

    name: str
    title: str
    source: str
    labels: Mapping[int, str]
    """Value to level name."""
    last_class: int = 0
    """Highest value that names some structure, where other organs share the file."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """Which convention a set of labels follows, and why."""

    convention: LabelConvention
    is_certain: bool
    reason: str
    """One plain sentence."""
    alternatives: tuple[str, ...] = ()
    """Names of the conventions that fit as well."""


@cache
def _document() -> Mapping[str, Mapping[str, object]]:
    text = resources.files("vertebro.io").joinpath("label_conventions.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


@cache
def conventions() -> Mapping[str, LabelConvention]:
    """Every known numbering by name.

    Examples
    --------
    >>> conventions()["verse"].labels[20], conventions()["totalsegmentator"].labels[31]
    ('L1', 'L1')
    """
    rows: dict[str, LabelConvention] = {}
    for name, row in _document().items():
        if "labels" not in row:
            continue
        labels = row["labels"]
        last_class = row.get("last_class", 0)
        assert isinstance(labels, dict)
        assert isinstance(last_class, int)
        rows[name] = LabelConvention(
            name=name,
            title=str(row["title"]),
            source=str(row["source"]),
            labels=MappingProxyType({int(value): str(level) for value, level in labels.items()}),
            last_class=last_class,
        )
    return MappingProxyType(rows)


@cache
def snomed_codes() -> Mapping[str, str]:
    """SNOMED CT code of each level that has one (DICOM CID 7603).

    Examples
    --------
    >>> snomed_codes()["L1"]
    '66794005'
    """
    return MappingProxyType({name: str(code) for name, code in _document()["snomed"].items()})


@cache
def _spacing_to_next_mm() -> Mapping[str, float]:
    rows = _document()["spacing_to_next_mm"]
    return MappingProxyType({name: float(str(value)) for name, value in rows.items()})


@cache
def verse_numbers() -> Mapping[str, int]:
    """VerSe's number of each level name, for writing.

    Examples
    --------
    >>> verse_numbers()["T13"]
    28
    """
    return MappingProxyType({level: value for value, level in conventions()["verse"].labels.items()})


def convention_names() -> tuple[str, ...]:
    """What ``convention=`` accepts.

    Examples
    --------
    >>> convention_names()
    ('verse', 'totalsegmentator', 'totalsegmentator-v1', 'subregions', 'dicom-seg', 'totalsegmentator-v2')
    """
    return (*_NUMBERED, SUBREGIONS, DICOM_SEG, *_ALIASES)


def parse_convention(text: str) -> str:
    """The canonical name of a convention that a person typed.

    Raises
    ------
    SettingsError
        If there is no such convention (``labels.convention_name``).

    Examples
    --------
    >>> parse_convention("TotalSegmentator-v2")
    'totalsegmentator'
    """
    cleaned = text.strip().lower().replace("_", "-")
    if cleaned not in convention_names():
        raise SettingsError(
            "labels.convention_name",
            got=f"the label convention {text.strip()[:30]!r}",
            needed="one of " + ", ".join(convention_names()),
            remedy="Choose one of them, or leave it out and let it be recognised.",
            fields=("convention",),
        )
    return _ALIASES.get(cleaned, cleaned)


def expected_spacing_mm(upper: str, lower: str) -> float | None:
    """Usual distance between the centres of two levels, mm; None where it is not known.

    Extra vertebrae (T13, L6) are counted only when they are one of the two.

    Examples
    --------
    >>> expected_spacing_mm("L1", "L3")
    68.5
    """
    table = _spacing_to_next_mm()
    usual = [name for name in table if name not in ("T13", "L6") or name in (upper, lower)]
    usual.append("S1")
    if upper not in usual or lower not in usual:
        return None
    start, stop = usual.index(upper), usual.index(lower)
    return sum(table[name] for name in usual[start:stop]) if start < stop else None


def recognise(centres_lps_mm: Mapping[int, tuple[float, float, float]]) -> Recognition | None:
    """Find the convention of a set of labels from their values and where their centres lie.

    Parameters
    ----------
    centres_lps_mm : mapping of int to (x, y, z)
        Centre of every label value that occurs, background left out.

    Returns
    -------
    Recognition or None
        None where no convention knows any of the values.

    Notes
    -----
    Each convention is scored by how many values it explains less those it cannot, times how well their
    order along the patient fits, over how far the distances between neighbours are off. Among equals
    the first of VerSe, TotalSegmentator 2 and 1 is taken, as a stated guess.

    Examples
    --------
    >>> recognise({20: (0.0, 0.0, 35.0), 21: (0.0, 0.0, 0.0)}).convention.name
    'verse'
    >>> recognise({20: (0.0, 0.0, 0.0), 21: (0.0, 0.0, 35.0)}).convention.name
    'totalsegmentator-v1'
    """
    values = set(centres_lps_mm)
    known = conventions()
    if values and values <= set(known[SUBREGIONS].labels) and values & {49, 50}:
        parts = _recognise_subregions(centres_lps_mm)
        if parts is not None:
            return parts
    fits = [_fit(known[name], centres_lps_mm) for name in _NUMBERED]
    fits = [fit for fit in fits if fit.n_known]
    if not fits:
        return None
    fits.sort(key=lambda fit: -fit.score)  # stable: the order of _NUMBERED settles ties
    best = fits[0]
    rivals = [fit.convention.name for fit in fits[1:] if fit.score >= RIVAL_SCORE_RATIO * best.score]
    inverted = next((fit for fit in fits if fit.is_whole_but_inverted), None)
    if inverted is not None and inverted is not best:
        if best.n_foreign:
            best, rivals = inverted, [best.convention.name]
        else:
            rivals.append(f"{inverted.convention.name}, turned upside down")
    return Recognition(
        convention=best.convention,
        is_certain=not rivals,
        reason=best.reason(),
        alternatives=tuple(rivals),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a convention explains the values and their places."""

    convention: LabelConvention
    n_known: int
    n_foreign: int
    """Values that the convention does not know at all."""
    n_ordered: int
    n_inverted: int
    spacing_misfit: float
    """Mean squared log ratio of seen to usual distances, in units of (log 1.25)²; 0 where unknown."""

    @property
    def inverted_fraction(self) -> float:
        return self.n_inverted / max(1, self.n_ordered + self.n_inverted)

    @property
    def is_in_order(self) -> bool:
        return self.inverted_fraction < 0.5

    @property
    def score(self) -> float:
        """Values explained less values not, by how far their order and distances fit; below 0 for bad."""
        explained = self.n_known - self.n_foreign
        misfit = self.spacing_misfit if self.spacing_misfit > 1.0 else 0.0
        ordered = 1.0 - 2.0 * self.inverted_fraction
        return explained * ordered / (1.0 + misfit) if explained > 0 else float(explained)

    @property
    def is_whole_but_inverted(self) -> bool:
        """Whether VerSe explains every value, were the patient not standing on the head."""
        is_verse = self.convention.name == "verse"
        return is_verse and not self.n_foreign and self.n_inverted > 1 and not self.n_ordered

    def reason(self) -> str:
        order = {"verse": "from the head down"}.get(self.convention.name, "from the sacrum up")
        if self.n_ordered + self.n_inverted == 0:
            return "the value is among its numbers, and a single label shows no order"
        if not self.is_in_order:
            return f"the values are among its numbers, although not counted {order}, as it does"
        return f"{self.n_known} values are among its numbers and are counted {order}, as it does"


def _fit(convention: LabelConvention, centres: Mapping[int, tuple[float, float, float]]) -> _Fit:
    placed = {
        convention.labels[value]: centre for value, centre in centres.items() if value in convention.labels
    }
    names = sorted(placed, key=level_order)
    foreign = [value for value in centres if _is_foreign(value, convention, centres)]
    n_ordered = n_inverted = 0
    misfits: list[float] = []
    for upper, lower in pairwise(names):
        drop_mm = placed[upper][2] - placed[lower][2]
        n_ordered += drop_mm > 0.0
        n_inverted += drop_mm <= 0.0
        usual_mm = expected_spacing_mm(upper, lower)
        if usual_mm:
            seen_mm = max(math.dist(placed[upper], placed[lower]), 1.0)
            misfits.append((math.log(seen_mm / usual_mm) / math.log(1.25)) ** 2)
    return _Fit(
        convention=convention,
        n_known=len(placed),
        n_foreign=len(foreign),
        n_ordered=n_ordered,
        n_inverted=n_inverted,
        spacing_misfit=sum(misfits) / len(misfits) if misfits else 0.0,
    )


def _is_foreign(
    value: int, convention: LabelConvention, centres: Mapping[int, tuple[float, float, float]]
) -> bool:
    """Whether the convention cannot explain a value.

    The number of an organ is explained, unless its label stands in line with the vertebra whose number
    is next to it: then it is rather a vertebra of another convention.
    """
    if value in convention.labels:
        return False
    if convention.name == "verse" and value - 100 * (value // 100) in centres and value < 300:
        return False  # discs (100 and up) and endplates (200 and up) of numbered vertebrae, as SPINEPS has it
    if not 0 < value <= convention.last_class:
        return True
    neighbours = [v for v in (value - 1, value + 1) if v in convention.labels and v in centres]
    return any(math.dist(centres[value], centres[v]) < IN_LINE_MM for v in neighbours)


def _recognise_subregions(centres: Mapping[int, tuple[float, float, float]]) -> Recognition | None:
    """Subregions, unless the values are vertebrae one above the other (C1 to T3 in TotalSegmentator)."""
    heights = sorted(centre[2] for centre in centres.values())
    if len(heights) > 1 and min(b - a for a, b in pairwise(heights)) > 8.0:
        return None
    return Recognition(
        convention=conventions()[SUBREGIONS],
        is_certain=len(heights) > 1,
        reason="the values are those of vertebral subregions and their centres lie side by side",
        alternatives=() if len(heights) > 1 else ("totalsegmentator",),
    )
