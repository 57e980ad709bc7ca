"""From axes to needle paths: device, angles, skin, tolerance, words.

C-arm angles are those of the detector above a patient in the scanner's own orientation: LAO positive
towards the patient's left, CRA positive towards the head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case import MARGINS_AROUND, NeedlePath
from vertebro.devices.cannulas import Cannula, load_cannulas
from vertebro.geometry import apply_affine, apply_direction
from vertebro.imaging import Volume
from vertebro.planning.judge import Axis, Judgement, judge, quick_margins_mm, tip_margins_mm
from vertebro.planning.limits import TipPlace, short_of_midline, tip_shortfall_mm
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import Pedicle, Site
from vertebro.planning.skin import find_skin

MAX_TOLERANCE_DEG = 15.0
MAX_TOLERANCE_MM = 8.0
UPPER_LEVELS = tuple(f"T{number}" for number in range(1, 10))
"""Levels where a thinner cannula is usual."""
_PLACES = {"canal": "the canal", "foramen": "the opening of a nerve"}
N_AROUND = 8
"""Directions in which a path is tried to err."""


def choose_cannula(pedicle_width_mm: float, level: str, use: str, settings: AccessSettings) -> Cannula:
    """The widest usual cannula that the pedicle takes; the thinnest there is where it takes none.

    Usual are 13 G above T10, 11 G below it, and 10 G for a balloon.

    Examples
    --------
    >>> choose_cannula(9.0, "L1", "vertebroplasty", AccessSettings()).gauge
    11
    >>> choose_cannula(4.2, "T5", "vertebroplasty", AccessSettings()).gauge
    13
    """
    usual = 10 if use == "kyphoplasty" else (13 if level in UPPER_LEVELS else 11)
    fitting = [
        cannula
        for cannula in load_cannulas()
        if cannula.gauge >= usual
        and cannula.outer_diameter_mm + settings.pedicle_reserve_mm <= pedicle_width_mm
    ]
    return fitting[-1] if fitting else load_cannulas()[0]


def make_path(
    site: Site,
    pedicle: Pedicle,
    found: tuple[Axis, float],
    cannula: Cannula,
    settings: AccessSettings,
    volume: Volume | None,
) -> NeedlePath:
    """Judge an axis and put everything that a person needs to know of it into a path.

    Parameters
    ----------
    site : Site
    pedicle : Pedicle
    found : (Axis, float)
        The axis and its cost.
    cannula : Cannula
    settings : AccessSettings
    volume : Volume or None
        For the way from the skin; None leaves it unknown.

    Returns
    -------
    NeedlePath
        ``recommended`` is set where no hard limit is broken; ``access`` says whether the tip fills a body
        alone: near the midline, in the anterior third.
    """
    axis, score = found
    verdict = judge(site, axis, cannula, settings)
    to_world = site.lps_from_vertebra
    entry_lps = apply_affine(to_world, verdict.entry_bone_v)
    direction_lps = apply_direction(to_world, axis.direction_v)
    passage = (
        None if volume is None else find_skin(volume, entry_lps, -direction_lps, settings.skin_search_mm)
    )
    direction = axis.direction_v
    traded = _traded(verdict, settings)
    if passage is not None and passage.other_bone_mm > 2.0:
        traded = (*traded, f"the way from the skin crosses {passage.other_bone_mm:.0f} mm of other bone")
    if passage is not None and passage.air_mm > 2.0:
        traded = (*traded, f"the way from the skin crosses {passage.air_mm:.0f} mm of air (lung or bowel)")
    tolerance_deg, tolerance_mm = tolerance(site, axis, verdict, cannula, settings)
    return NeedlePath(
        side=axis.side,
        approach=axis.approach,
        device=cannula.name,
        access="bipedicular" if shortness(site, axis, settings) else "unipedicular",
        recommended=not verdict.broken and not (passage is not None and passage.air_mm > 2.0),
        entry_skin_lps_mm=None if passage is None else passage.entry_lps_mm,
        entry_bone_lps_mm=entry_lps,
        isthmus_lps_mm=apply_affine(to_world, axis.through_v),
        target_lps_mm=apply_affine(to_world, axis.tip_v),
        margins_mm=verdict.margins_mm,
        tightest=verdict.tightest,
        tightest_lps_mm=apply_affine(to_world, verdict.tightest_v),
        gertzbein_robbins=verdict.gertzbein_robbins,
        axial_angle_deg=float(np.degrees(np.arctan2(axis.medial_sign * direction[0], direction[1]))),
        sagittal_angle_deg=float(np.degrees(np.arctan2(-direction[2], direction[1]))),
        end_on_view_deg=end_on_view_deg(direction_lps),
        length_tissue_mm=None if passage is None else passage.length_mm,
        length_bone_mm=verdict.length_bone_mm,
        tolerance_deg=tolerance_deg,
        tolerance_mm=tolerance_mm,
        pedicle_width_mm=pedicle.width_mm,
        pedicle_height_mm=pedicle.height_mm,
        score=score,
        traded=traded,
        broken_limits=verdict.broken,
    )


def shortness(site: Site, axis: Axis, settings: AccessSettings) -> str:
    """What keeps an axis' tip from filling the body alone; empty where one needle is enough."""
    lateral_mm = -axis.medial_sign * float(axis.tip_v[0])
    return short_of_midline(lateral_mm, TipPlace(axis.tip_v, site.back_mm, site.depth_mm), settings)


def end_on_view_deg(direction_lps: NDArray[np.float64]) -> tuple[float, float]:
    """C-arm angles that look down a needle: LAO (+) / RAO (−), then CRA (+) / CAU (−).

    With the detector in front of the patient, at the far end of the needle's line.

    Examples
    --------
    >>> end_on_view_deg(np.array([0.0, -1.0, 0.0]))
    (0.0, 0.0)
    >>> angles = end_on_view_deg(np.array([0.5, -np.sqrt(0.75), 0.0]))
    >>> round(angles[0], 6)
    30.0
    """
    left, posterior, superior = (float(part) for part in direction_lps)
    lao = float(np.degrees(np.arctan2(left, -posterior)))
    cra = float(np.degrees(np.arcsin(np.clip(superior, -1.0, 1.0))))
    return lao + 0.0, cra + 0.0


def tolerance(
    site: Site, axis: Axis, verdict: Judgement, cannula: Cannula, settings: AccessSettings
) -> tuple[float, float]:
    """How far a path may err before a hard limit is broken.

    Returns
    -------
    (float, float)
        Degrees about the bone entry, and millimetres sideways, in the worst of eight directions;
        0 where the path itself breaks a limit.
    """
    if verdict.broken:
        return 0.0, 0.0
    entry, direction = verdict.entry_bone_v, axis.direction_v
    first = np.cross(direction, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    angles = 2.0 * np.pi * np.arange(N_AROUND) / N_AROUND
    sideways = [np.cos(angle) * first + np.sin(angle) * second for angle in angles]

    def turned(aside: NDArray[np.float64]) -> Callable[[float], Axis]:
        def at(degrees: float) -> Axis:
            bent = np.cos(np.radians(degrees)) * direction + np.sin(np.radians(degrees)) * aside

            def carried(point: NDArray[np.float64]) -> NDArray[np.float64]:
                return np.asarray(entry + float(np.linalg.norm(point - entry)) * bent)

            return replace(axis, through_v=carried(axis.through_v), tip_v=carried(axis.tip_v))

        return at

    def shifted(aside: NDArray[np.float64]) -> Callable[[float], Axis]:
        return lambda mm: replace(axis, through_v=axis.through_v + mm * aside, tip_v=axis.tip_v + mm * aside)

    def holds(erring: Axis) -> bool:
        margins, ahead, outside_mm = quick_margins_mm(site, erring, cannula.radius_mm)
        tip = tip_margins_mm(site, erring.tip_v, cannula.radius_mm)
        return (
            min(margins.values()) >= 0.0
            and ahead >= settings.anterior_wall_margin_mm
            and outside_mm == 0.0
            and not tip_shortfall_mm(tip, settings)
        )

    return (
        min(_largest(turned(aside), holds, MAX_TOLERANCE_DEG) for aside in sideways),
        min(_largest(shifted(aside), holds, MAX_TOLERANCE_MM) for aside in sideways),
    )


def _largest(erring: Callable[[float], Axis], holds: Callable[[Axis], bool], limit: float) -> float:
    """By bisection, the largest error up to ``limit`` for which the path still holds."""
    if holds(erring(limit)):
        return limit
    low, high = 0.0, limit
    for _ in range(6):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(erring(middle)) else (low, middle)
    return low


def _traded(verdict: Judgement, settings: AccessSettings) -> tuple[str, ...]:
    """Wishes that the path does not meet, in words."""
    texts = []
    for name in MARGINS_AROUND:
        value = verdict.margins_mm[name]
        if value is not None and 0.0 <= value < settings.wall_margin_mm:
            place = _PLACES.get(name, f"the {name} wall")
            texts.append(f"only {value:.1f} mm of bone to {place}, {settings.wall_margin_mm:g} mm wanted")
    direction = verdict.axis.direction_v
    inclination = float(np.degrees(np.arctan2(verdict.axis.medial_sign * direction[0], direction[1])))
    if inclination > settings.comfortable_axial_deg:
        texts.append(
            f"an inclination of {inclination:.0f}°, steeper than {settings.comfortable_axial_deg:g}°"
        )
    return tuple(texts)
