"""Where the C-arm stands to see a level or a planned needle, and the needle as it lies in the beam."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.case import (
    Assessment,
    CArmPose,
    GenantGrade,
    LevelAssessment,
    NeedlePath,
    Side,
    TreatmentPlan,
    parse_level,
)
from vertebro.devices.cannulas import cannula_named
from vertebro.errors import SettingsError
from vertebro.fluoroscopy import Rod

GRIP_MM = 20.0
"""Part of a needle that stays outside the skin, for the hand (assumed)."""


def target_levels(assessment: Assessment, named: tuple[str, ...] = ()) -> tuple[LevelAssessment, ...]:
    """Levels that may be treated, the worst first: graded, with a gas cleft, or named by a person."""
    chosen = [
        level
        for level in assessment.levels.values()
        if level.name in named or (level.genant_grade or 0) >= GenantGrade.MILD or level.cleft.present
    ]
    return tuple(sorted(chosen, key=_badness, reverse=True))


def _badness(level: LevelAssessment) -> tuple[int, float, bool]:
    return int(level.genant_grade or 0), level.height_loss_percent.value or 0.0, bool(level.cleft.present)


def level_to_view(assessment: Assessment, name: str | None) -> LevelAssessment:
    """The level of that name; the worst one without a name, or the middle one where none is abnormal.

    Raises
    ------
    SettingsError
        If the case has no such level (``view.level``).
    """
    if not assessment.levels:
        raise _no_level("a case without any level", "none")
    if name is None:
        worst = target_levels(assessment)
        levels = list(assessment.levels.values())
        return worst[0] if worst else levels[len(levels) // 2]
    wanted = parse_level(name).value
    if wanted not in assessment.levels:
        raise _no_level(f"the level {wanted}", ", ".join(assessment.levels))
    return assessment.levels[wanted]


def _no_level(got: str, known: str) -> SettingsError:
    return SettingsError(
        "view.level",
        got=got,
        needed=f"a level of this case ({known})",
        remedy="Name one of the case's levels after --level.",
        fields=("level",),
    )


def frontal_pose(level: LevelAssessment) -> CArmPose:
    """AP, square to the level: the detector behind the patient, along the level's own axis."""
    linear = level.lps_from_vertebra[:3, :3]
    return CArmPose.looking_along(-linear[:, 1], level.lps_from_vertebra[:3, 3])


def lateral_pose(level: LevelAssessment) -> CArmPose:
    """Lateral, square to the level: the detector on the patient's left."""
    linear = level.lps_from_vertebra[:3, :3]
    return CArmPose.looking_along(-linear[:, 0], level.lps_from_vertebra[:3, 3])


def barrel_pose(path: NeedlePath) -> CArmPose:
    """Looking down a needle, with the pedicle in the middle."""
    return CArmPose.looking_along(path.entry_bone_lps_mm - path.target_lps_mm, path.isthmus_lps_mm)


def is_barrel(text: str) -> bool:
    """Whether a pose asks for a view down a needle.

    Examples
    --------
    >>> is_barrel("barrel:L1:left"), is_barrel("LAO 20")
    (True, False)
    """
    return text.strip().lower().startswith("barrel")


def parse_barrel(text: str) -> tuple[str | None, Side]:
    """Level (None where not said) and side of ``"barrel:left"`` or ``"barrel:L1:left"``.

    Raises
    ------
    SettingsError
        If the text names no side, or more than a level and a side (``view.pose``).

    Examples
    --------
    >>> parse_barrel("barrel:th12:RIGHT")
    ('T12', <Side.RIGHT: 'right'>)
    """
    parts = [part.strip().lower() for part in text.split(":")]
    if parts[0] != "barrel" or not 2 <= len(parts) <= 3 or parts[-1] not in ("left", "right"):
        raise SettingsError(
            "view.pose",
            got=f"the pose {text.strip()[:40]!r}",
            needed="barrel:left, barrel:right, or with a level such as barrel:L1:left",
            remedy="Name the patient's side of the needle to look down.",
            fields=("pose",),
        )
    return (parse_level(parts[1]).value if len(parts) == 3 else None), Side(parts[-1])


def recommended_path(plan: TreatmentPlan, level: str, side: Side) -> NeedlePath:
    """The recommended needle of a side.

    Raises
    ------
    SettingsError
        If the plan recommends none there (``view.no_needle``).
    """
    planned = plan.levels.get(level)
    path = None if planned is None else planned.best(side)
    if path is None:
        known = [
            f"{name} {other.value}"
            for name, entry in plan.levels.items()
            for other in Side
            if entry.best(other) is not None
        ]
        raise SettingsError(
            "view.no_needle",
            got=f"the {side.value} needle of {level}, which the plan does not recommend",
            needed=f"one of {', '.join(known)}" if known else "a recommended needle; the plan has none",
            remedy="Look at 'vertebro plan' for the needles there are and for what speaks against this one.",
            fields=("pose",),
        )
    return path


def needle_rod(path: NeedlePath, tip_lps_mm: NDArray[np.float64] | None = None) -> Rod:
    """The path's cannula with its stylet in, its tip at the target or at a point on the way."""
    tip = path.target_lps_mm if tip_lps_mm is None else np.asarray(tip_lps_mm, dtype=np.float64)
    entry = path.entry_bone_lps_mm if path.entry_skin_lps_mm is None else path.entry_skin_lps_mm
    cannula = cannula_named(path.device)
    depth_mm = float(np.linalg.norm(path.target_lps_mm - entry))
    length_mm = cannula.length_for(depth_mm, GRIP_MM) or max(cannula.lengths_mm)
    backwards = entry - path.target_lps_mm
    hub = tip + backwards / np.linalg.norm(backwards) * length_mm
    return Rod(_triple(hub), _triple(tip), cannula.outer_diameter_mm)


def _triple(point: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(number) for number in point)
    return x, y, z
