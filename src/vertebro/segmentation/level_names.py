"""Proposing names for the levels that were found, and saying what the proposal rests on.

For every possible numbering the evidence of all levels is added up: ribs at the level or none, the
sacrum below the last one, and the bodies' widths. Where neither sacrum nor the end of the ribs is in
view nothing is named: sizes alone differ too much between people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vertebro.case.segmentation import NameAnchor, Naming

PRESACRAL = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
)
"""The usual twenty-four levels, from cranial to caudal."""
VERSE_NUMBERS = {
    **{name: number for number, name in enumerate(PRESACRAL, start=1)},
    "L6": 25,
    "S1": 26,
    "coccyx": 27,
    "T13": 28,
}
"""Sekuboyina et al., Medical Image Analysis 2021;73:102166, table of label values."""
USUAL_HALF_WIDTH_MM = {"C7": 13.5, "T1": 15.0, "T4": 14.0, "T8": 16.5, "T12": 21.5, "L1": 22.5, "L5": 26.0}
"""Recalled from Panjabi et al., Spine 1991;16:861 and 1992;17:299, with the cortex; between them linear."""
WIDTH_SPREAD = 0.10
RIB_ERROR = 0.06
"""Chance that a rib is missed or a process taken for one at a level (assumed)."""
SACRUM_ERROR = 0.02
TRANSITION_CHANCE = 0.08
"""About one person in ten has a transitional lumbosacral or an odd thoracolumbar level
(Konin & Walz, AJNR 2010;31:1778 [recall])."""


@dataclass(frozen=True, slots=True)
class LevelEvidence:
    """What one level looks like, for naming."""

    rib: float
    """0 (no rib) to 1 (ribs on both sides)."""
    half_width_mm: float
    is_sacrum_below: bool = False
    given: str = ""
    """The name that a person gave it."""


def propose_names(levels: list[LevelEvidence], name_at_least: float) -> Naming:
    """Name levels from cranial to caudal.

    Parameters
    ----------
    levels : list of LevelEvidence
        From cranial to caudal.
    name_at_least : float
        Least probability at which the proposal is used.

    Returns
    -------
    Naming

    Examples
    --------
    >>> two = [LevelEvidence(0.0, 24.0), LevelEvidence(0.0, 25.0, is_sacrum_below=True)]
    >>> propose_names(two, 0.8).best_guess
    ('L4', 'L5')
    """
    given = [(index, level.given) for index, level in enumerate(levels) if level.given]
    if given:
        return Naming(NameAnchor.GIVEN, 1.0, True, names_from(given, len(levels)))
    starts = list(range(len(PRESACRAL) - len(levels) + 1))
    if not levels or not starts:
        return Naming(NameAnchor.NONE, 0.0, False, ())
    score = np.array([_log_likelihood(levels, start) for start in starts])
    share = np.exp(score - score.max())
    share /= share.sum()
    best = int(share.argmax())
    anchor = _anchor(levels)
    probability = float(share[best]) * (1.0 - TRANSITION_CHANCE)
    names = PRESACRAL[starts[best] : starts[best] + len(levels)]
    is_anchored = anchor in (NameAnchor.SACRUM, NameAnchor.RIBS)
    return Naming(anchor, probability, is_anchored and probability >= name_at_least, names)


def names_from(given: list[tuple[int, str]], count: int) -> tuple[str, ...]:
    """Names of all levels from those that a person gave; between two answers the first one counts on.

    Extra levels (T13, L6) and missing ones (no T12) follow from two answers: names are counted
    downwards from the nearest answer above, and upwards above the first.

    Examples
    --------
    >>> names_from([(1, "L1")], 3)
    ('T12', 'L1', 'L2')
    >>> names_from([(0, "T13"), (2, "L2")], 3)
    ('T13', 'L1', 'L2')
    """
    answers = dict(given)
    first = min(answers)
    names: list[str] = [""] * count
    names[first] = answers[first]
    for index in range(first + 1, count):
        names[index] = answers.get(index, "") or _below(names[index - 1])
    for index in range(first - 1, -1, -1):
        names[index] = _above(names[index + 1])
    return tuple(names)


def _below(name: str) -> str:
    if name == "T13":
        return "L1"
    if name in ("L5", "L6"):
        return "S1"
    if name in PRESACRAL:
        return PRESACRAL[PRESACRAL.index(name) + 1]
    return ""


def _above(name: str) -> str:
    if name == "T13":
        return "T12"
    if name == "L6":
        return "L5"
    if name == "S1":
        return "L5"
    if name in PRESACRAL and name != "C1":
        return PRESACRAL[PRESACRAL.index(name) - 1]
    return ""


def _anchor(levels: list[LevelEvidence]) -> NameAnchor:
    if levels[-1].is_sacrum_below:
        return NameAnchor.SACRUM
    ribs = np.array([level.rib for level in levels])
    for index in range(1, len(ribs)):
        if ribs[index - 1] > 0.6 and ribs[index] < 0.25 and ribs[index:].max() < 0.6:
            return NameAnchor.RIBS
    return NameAnchor.SIZES


def _log_likelihood(levels: list[LevelEvidence], start: int) -> float:
    total = 0.0
    ratio: list[float] = []
    for index, level in enumerate(levels):
        name = PRESACRAL[start + index]
        chance = RIB_ERROR + (1.0 - 2.0 * RIB_ERROR) * level.rib
        total += float(np.log(chance if name[0] == "T" else 1.0 - chance))
        ratio.append(float(np.log(level.half_width_mm / _usual(name))))
    # one size of person for all levels, then each level's own departure from it
    common = float(np.mean(ratio)) * len(ratio) / (len(ratio) + 0.5)
    total -= 0.5 * float(np.sum((np.array(ratio) - common) ** 2)) / 0.06**2 / max(len(ratio), 4) * 4.0
    total -= 0.5 * (common / WIDTH_SPREAD) ** 2
    is_last = PRESACRAL[start + len(levels) - 1] == "L5"
    below = levels[-1].is_sacrum_below
    total += float(np.log(1.0 - SACRUM_ERROR if is_last == below else (SACRUM_ERROR if below else 0.3)))
    return total


def _usual(name: str) -> float:
    at = [PRESACRAL.index(known) for known in USUAL_HALF_WIDTH_MM]
    return float(np.interp(PRESACRAL.index(name), at, list(USUAL_HALF_WIDTH_MM.values())))
