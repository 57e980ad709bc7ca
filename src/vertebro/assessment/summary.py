"""One plain sentence per level and per spine, as a clinician would write it.

A sentence names what was found with its interval, says what is uncertain, and does not claim what
could not be measured. Missing measurements are left to the table; a level that could not be
graded says so and why.
"""

from __future__ import annotations

from collections.abc import Iterable

from vertebro.assessment.density import patient_density
from vertebro.assessment.expected_heights import is_own_expectation
from vertebro.case import (
    Assessment,
    Cleft,
    Estimate,
    FractureShape,
    GenantGrade,
    LevelAssessment,
    PosteriorWall,
)

_GRADE_WORDS = {
    GenantGrade.MILD: "mild",
    GenantGrade.MODERATE: "moderate",
    GenantGrade.SEVERE: "severe",
}
_WALL_WORDS_FROM_MM = 2.0
_WALL_SURELY_MM = 1.0
"""Smaller bulges, or less sure ones, are within the outline's error (as for the finding)."""
_ENCROACHMENT_WORDS_FROM_PERCENT = 10.0


def summarise_level(level: LevelAssessment) -> str:
    """One plain sentence about a level.

    Parameters
    ----------
    level : LevelAssessment
        Its own ``summary`` is not read.

    Returns
    -------
    str
        Ends in a full stop and begins with the level's name.
    """
    parts = [_shape_words(level)]
    cleft = _cleft_words(level.cleft)
    if cleft:
        parts.append(cleft)
    parts.extend(_wall_words(level.posterior_wall))
    return f"{level.name}: {', '.join(parts)}."


def _shape_words(level: LevelAssessment) -> str:
    loss = level.height_loss_percent
    if not level.complete:
        return "cut by the field of view, not graded"
    if level.genant_grade is None or not loss.is_known:
        return f"not graded ({loss.basis})"
    if level.genant_grade is GenantGrade.NORMAL:
        if not level.grade_is_certain and is_own_expectation(level.expected_heights_mm):
            return (
                f"no clear height loss by its own proportions{_doubt(loss)}, no neighbour to compare it with"
            )
        if not level.grade_is_certain:
            return f"no clear height loss, though a mild fracture cannot be ruled out{_doubt(loss)}"
        return "no fracture deformity"
    grade = _GRADE_WORDS[level.genant_grade]
    shape = "" if level.genant_shape is FractureShape.NONE else f" {level.genant_shape.value}"
    article = f"{grade}{shape} fracture deformity"
    doubt = "" if level.grade_is_certain else ", grade uncertain"
    return f"{article}, {_percent(loss)} loss of {_lost_height(level)}{doubt}"


def _lost_height(level: LevelAssessment) -> str:
    """The height that has lost most: a crushed body's is often the anterior one, too."""
    shares = {
        name: height.require() / expected.require()
        for name in ("anterior", "middle", "posterior")
        if (height := getattr(level.heights_mm, name)).is_known
        and (expected := getattr(level.expected_heights_mm, name)).is_known
    }
    return f"{min(shares, key=lambda name: shares[name])} height" if shares else "height"


def _doubt(loss: Estimate) -> str:
    """What was measured, where it is a loss at all."""
    if loss.require() < 1.0:
        return ""
    return f" (loss {loss.require():.0f} %, at most {loss.upper or 0.0:.0f} %)"


def _percent(loss: Estimate) -> str:
    """``"43 % (38 to 47 %)"``: a loss with its interval, whole numbers."""
    lower, upper = loss.lower or 0.0, loss.upper or 0.0
    return f"{loss.require():.0f} % ({lower:.0f} to {upper:.0f} %)"


def _joined(words: list[str]) -> str:
    """``"a"``, ``"a and b"``, ``"a, b and c"``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _cleft_words(cleft: Cleft) -> str:
    if not cleft.present:
        return ""
    volume = cleft.volume_ml
    size = f" of {volume.require():.1f} mL" if volume.is_known and volume.require() >= 0.05 else ""
    if volume.is_known and volume.require() < 0.05:
        size = " of less than 0.1 mL"
    endplates = [
        name
        for name, touches in (
            ("superior", cleft.touches_superior_endplate),
            ("inferior", cleft.touches_inferior_endplate),
        )
        if touches
    ]
    walls = []
    if len(endplates) == 2:
        walls.append("both endplates")
    elif endplates:
        walls.append(f"the {endplates[0]} endplate")
    if cleft.touches_anterior_wall:
        walls.append("the anterior wall")
    touching = f" touching {_joined(walls)}" if walls else ""
    return f"gas cleft{size}{touching}"


def _wall_words(wall: PosteriorWall) -> list[str]:
    words = []
    bulge, loss = wall.bulge_mm, wall.canal_encroachment_percent
    if bulge.is_known and bulge.require() >= _WALL_WORDS_FROM_MM and (bulge.lower or 0.0) > _WALL_SURELY_MM:
        words.append(f"posterior wall bulges {bulge.require():.1f} mm into the canal")
    if loss.is_known and loss.require() >= _ENCROACHMENT_WORDS_FROM_PERCENT and (loss.lower or 0.0) > 0.0:
        words.append(f"canal {loss.require():.0f} % narrower than at the neighbouring levels")
    return words


def summarise_spine(assessment: Assessment) -> str:
    """One or two plain sentences about all levels together: fractures, worst first, and bone density."""
    return summarise_levels(assessment.levels.values())


def summarise_levels(levels: Iterable[LevelAssessment]) -> str:
    """As :func:`summarise_spine`, for levels that are not yet in an assessment.

    Examples
    --------
    >>> summarise_levels([])
    'No level was assessed.'
    """
    listed = list(levels)
    if not listed:
        return "No level was assessed."
    graded = [level for level in listed if level.genant_grade is not None]
    broken = sorted(
        (level for level in graded if level.genant_grade),
        key=lambda level: (-(level.genant_grade or 0), -(level.height_loss_percent.value or 0.0)),
    )
    return " ".join(
        sentence
        for sentence in (
            _fracture_sentence(graded, broken),
            _ungraded_sentence(listed),
            _density_sentence(listed),
        )
        if sentence
    )


def _fracture_sentence(graded: list[LevelAssessment], broken: list[LevelAssessment]) -> str:
    if not graded:
        return "No level could be graded."
    if not broken:
        count = len(graded)
        return f"No fracture deformity in the {count} graded level{'s' if count > 1 else ''}."
    named = [_named_fracture(level) for level in broken]
    noun = "Fracture deformity" if len(broken) == 1 else f"{len(broken)} fracture deformities"
    return f"{noun}: {_joined(named)}."


def _named_fracture(level: LevelAssessment) -> str:
    grade = _GRADE_WORDS[level.genant_grade or GenantGrade.MILD]
    shape = "" if level.genant_shape is FractureShape.NONE else f" {level.genant_shape.value}"
    gas = " with gas cleft" if level.cleft.present else ""
    return f"{level.name} ({grade}{shape}{gas})"


def _ungraded_sentence(levels: list[LevelAssessment]) -> str:
    names = [level.name for level in levels if level.genant_grade is None]
    return f"Not graded: {_joined(names)}." if names else ""


def _density_sentence(levels: list[LevelAssessment]) -> str:
    core_hu, bmd, names = patient_density(levels)
    if not core_hu.is_known:
        return ""
    calibrated = ""
    if bmd.is_known:
        calibrated = f", about {bmd.require():.0f} mg/cc ({bmd.lower:.0f} to {bmd.upper:.0f} mg/cc)"
    plural = "level" if len(names) == 1 else "levels"
    where = f"the unfractured {plural} {_joined(list(names))}"
    return f"Spongy bone of {where}: {core_hu.require():.0f} HU{calibrated}."
