"""The report's fixed words, and the small grammar of levels, grades and lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from vertebro.case import GenantGrade, Level, LevelAssessment
from vertebro.errors import InputError

Words = Mapping[str, Any]
"""Section to key to text."""

_TONES = {
    GenantGrade.NORMAL: "normal",
    GenantGrade.MILD: "mild",
    GenantGrade.MODERATE: "moderate",
    GenantGrade.SEVERE: "severe",
}


@cache
def load_words(language: str = "en") -> Words:
    """The report's fixed words in one language.

    Raises
    ------
    InputError
        If there is no such language (``report.language``).

    Examples
    --------
    >>> load_words()["grade"]["severe"]
    'severe'
    """
    folder = resources.files("vertebro.reporting").joinpath("words")
    known = sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name[-5:] == ".toml"
    )
    if language not in known:
        raise InputError(
            "report.language",
            got=f"the language {language[:20]!r}",
            needed=f"one of {', '.join(known)}",
            remedy="Choose a language that the report is written in.",
            fields=("language",),
        )
    return tomllib.loads(folder.joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def tone_of(level: LevelAssessment) -> str:
    """The word that a level's colour goes by."""
    return "ungraded" if level.genant_grade is None else _TONES[level.genant_grade]


def is_abnormal(level: LevelAssessment) -> bool:
    """Whether a level has a graded height loss or a gas cleft, and hence gets pictures of its own."""
    has_loss = level.genant_grade is not None and level.genant_grade > GenantGrade.NORMAL
    return has_loss or level.cleft.present is True


def grade_text(level: LevelAssessment, words: Words) -> str:
    """The grade in words, with the reason where there is none and a warning where it is borderline."""
    grade = words["grade"]
    if level.genant_grade is None:
        return str(grade["ungraded"] if level.complete else grade["cut"])
    plain = str(grade[tone_of(level)])
    return plain if level.grade_is_certain else str(grade["uncertain"]).format(grade=plain)


def shape_text(level: LevelAssessment, words: Words) -> str:
    """The shape in words."""
    return str(words["shape"][level.genant_shape.value])


def joined(parts: Sequence[str], words: Words) -> str:
    """Parts as a list a person would say.

    Examples
    --------
    >>> joined(["a", "b", "c"], load_words())
    'a, b and c'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {words['measures']['and']} {parts[-1]}"


def level_ranges(names: Iterable[str]) -> str:
    """Names of levels, neighbours drawn together.

    Examples
    --------
    >>> level_ranges(["T10", "T11", "T12", "L1", "L3", "extra"])
    'T10–L1, L3, extra'
    """
    usual = [level.value for level in Level if level not in (Level.T13, Level.L6)]
    runs: list[list[str]] = []
    for name in names:
        last = runs[-1][-1] if runs else None
        follows = last in usual and name in usual and usual.index(name) == usual.index(last) + 1
        if follows:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)
