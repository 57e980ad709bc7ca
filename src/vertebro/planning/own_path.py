"""A path that a person proposes, judged like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Approach, Assessment, NeedlePath, Side
from vertebro.devices.cannulas import Cannula, cannula_named, load_cannulas
from vertebro.errors import InputError
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import LabelVolume, Volume
from vertebro.planning.access import beside_pedicle
from vertebro.planning.judge import Axis
from vertebro.planning.paths import choose_cannula, make_path, shortness
from vertebro.planning.plan import PlanSettings, make_level_site
from vertebro.planning.search import Aim, cost_of

if TYPE_CHECKING:
    from vertebro.planning.site import Pedicle, Site

CLEARLY_MM = 3.0
"""A path that passes the pedicles so far beyond the midline comes from the other side."""
LEAST_FORWARD = 0.2
"""Share of a path that must lead to anterior: others do not come from behind."""


def judge_path(  # noqa: PLR0913 - each argument is a thing that only the person knows
    volume: Volume | None,
    labels: LabelVolume,
    assessment: Assessment,
    level: str,
    *,
    side: Side | str,
    entry_lps_mm: NDArray[np.float64] | tuple[float, float, float],
    target_lps_mm: NDArray[np.float64] | tuple[float, float, float],
    device: str | None = None,
    settings: PlanSettings | None = None,
) -> NeedlePath:
    """Judge a person's own path by the same measures and limits as a planned one.

    Parameters
    ----------
    volume : Volume or None
        For the way from the skin; None leaves it unknown.
    labels : LabelVolume
        Of whole vertebrae.
    assessment : Assessment
        Made from the same labels.
    level : str
        The level to be reached.
    side : Side or str
        The patient's side from which the needle comes.
    entry_lps_mm : (3,) floats
        Any point of the needle's way behind the body: on the skin or on the bone.
    target_lps_mm : (3,) floats
        Where the tip comes to lie.
    device : str, optional
        Name or gauge of the cannula; the usual one for the pedicle without it.
    settings : PlanSettings, optional

    Returns
    -------
    NeedlePath
        ``broken_limits`` says which limits it breaks and by how much.

    Raises
    ------
    InputError
        If the level was not assessed (``plan.level``), has no pedicle on that side to judge by
        (``plan.pedicle``), the path passes on the other side (``plan.wrong_side``) or does not lead
        forwards (``plan.direction``), or there is no such cannula (``plan.device``).

    Examples
    --------
    >>> import vertebro as vb
    >>> patient = vb.make_phantom(vb.PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0)))
    >>> assessment = vb.assess_levels(patient.volume, patient.labels, levels=("L1",))
    >>> plan = vb.plan_treatment(patient.volume, patient.labels, assessment)
    >>> best = plan.levels["L1"].best("left")
    >>> through_the_canal = best.entry_bone_lps_mm - [12.0, 0.0, 0.0]
    >>> own = vb.judge_path(patient.volume, patient.labels, assessment, "L1", side="left",
    ...     entry_lps_mm=through_the_canal, target_lps_mm=best.target_lps_mm)
    >>> own.recommended
    False
    >>> any("canal" in text for text in own.broken_limits)
    True
    """
    settings = settings or PlanSettings()
    side = Side(side)
    site = _site(volume, labels, assessment, level, settings)
    pedicle = _pedicle(site, side)
    vertebra_from_lps = invert_affine(site.lps_from_vertebra)
    entry_v = apply_affine(vertebra_from_lps, np.asarray(entry_lps_mm, dtype=np.float64))
    tip_v = apply_affine(vertebra_from_lps, np.asarray(target_lps_mm, dtype=np.float64))
    _require_forwards(entry_v, tip_v)
    axis, passage = _axis(site, pedicle, entry_v, tip_v)
    cannula = _cannula(device, pedicle, level, settings)
    lateral = float(-axis.medial_sign * tip_v[0])
    is_single = not shortness(site, axis, settings.access)
    aim = Aim(side, -np.inf, np.inf, 0.0 if is_single else lateral, axis.approach)
    score = cost_of(site, passage, axis, aim, cannula, settings.access)
    return make_path(site, pedicle, (axis, score), cannula, settings.access, volume)


def _site(
    volume: Volume | None, labels: LabelVolume, assessment: Assessment, level: str, settings: PlanSettings
) -> Site:
    assessed = assessment.levels.get(level)
    site = (
        None if assessed is None else make_level_site(labels, assessment, assessed, settings.access, volume)
    )
    if site is None:
        raise InputError(
            "plan.level",
            got=f"the level {level[:20]!r}, which was not assessed",
            needed=f"one of {', '.join(assessment.levels) or 'no level at all'}",
            remedy="Name one of those.",
            fields=("level",),
        )
    return site


def _pedicle(site: Site, side: Side) -> Pedicle:
    if side not in site.pedicles:
        raise InputError(
            "plan.pedicle",
            got=f"{site.name}, whose {side.value} pedicle could not be followed in the labels",
            needed="labels of the whole vertebra, to judge a path by",
            remedy="Look at the labels there, or use others.",
            fields=("side",),
        )
    return site.pedicles[side]


def _require_forwards(entry_v: NDArray[np.float64], tip_v: NDArray[np.float64]) -> None:
    """Refuse a path that does not come from behind."""
    span = tip_v - entry_v
    length = float(np.linalg.norm(span))
    if not np.isfinite(span).all() or length < 1.0 or span[1] < LEAST_FORWARD * length:
        raise InputError(
            "plan.direction",
            got="an entry and a target between which the path does not lead forwards through the vertebra",
            needed="an entry behind the target, both in LPS millimetres (posterior is positive y)",
            remedy="Check the order of the two points and the signs of their coordinates.",
            fields=("entry", "target"),
        )


def _axis(
    site: Site, pedicle: Pedicle, entry_v: NDArray[np.float64], tip_v: NDArray[np.float64]
) -> tuple[Axis, Pedicle]:
    """The path as an axis: through the pedicle, or beside it where it passes lateral of its outer wall."""

    def at_depth(y_mm: float) -> NDArray[np.float64]:
        share = (y_mm - entry_v[1]) / (tip_v[1] - entry_v[1])
        return np.asarray(entry_v + share * (tip_v - entry_v))

    y_mm = min(float(pedicle.centre_v[1]), float(tip_v[1]) - 1.0)
    axis = Axis(pedicle.side, at_depth(y_mm), tip_v, pedicle.rear_mm)
    _require_side(axis)
    outwards = -axis.medial_sign * (axis.through_v[0] - pedicle.centre_v[0])
    beside = beside_pedicle(site, pedicle)
    if outwards <= 0.5 * pedicle.width_mm or beside.centre_v[1] >= tip_v[1]:
        return axis, pedicle
    passing = at_depth(float(beside.centre_v[1]))
    return Axis(pedicle.side, passing, tip_v, pedicle.rear_mm, Approach.PARAPEDICULAR), beside


def _require_side(axis: Axis) -> None:
    """Refuse a path that passes on the other side than the one named: one of the two is a mistake."""
    beyond_mm = axis.medial_sign * float(axis.through_v[0])
    if beyond_mm > CLEARLY_MM:
        raise InputError(
            "plan.wrong_side",
            got=f"a path for the {axis.side.value} that passes {beyond_mm:.0f} mm beyond the midline",
            needed="a path and the side it is on",
            remedy="Check the side, and the sign of x: in LPS, x grows to the patient's left.",
            fields=("side", "entry", "target"),
        )


def _cannula(device: str | None, pedicle: Pedicle, level: str, settings: PlanSettings) -> Cannula:
    if device is None:
        return choose_cannula(pedicle.width_mm, level, "vertebroplasty", settings.access)
    try:
        return cannula_named(device)
    except KeyError as unknown:
        raise InputError(
            "plan.device",
            got=f"the cannula {device[:20]!r}",
            needed=f"one of {', '.join(cannula.name for cannula in load_cannulas())}",
            remedy="Name one of those, or its gauge alone.",
            fields=("device",),
        ) from unknown
