"""Seeking the straight path that keeps the most distance from everything that must not be touched.

A coarse sweep over lines through the pedicle's narrowest section, on a distance field, then a fine
descent on the exact distances to the bone's surface. The aim is the smallest margin; wishes (tip
near the midline in the anterior third, level with the body, comfortable angle) decide among paths
of equal safety and never buy a margin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from vertebro.case import Approach, Side
from vertebro.devices.cannulas import Cannula
from vertebro.geometry import apply_affine, invert_affine
from vertebro.planning.clearance import length_along
from vertebro.planning.judge import OUTSIDE_BONE_MM, Axis, quick_margins_mm, tip_margins_mm
from vertebro.planning.limits import tip_shortfall_mm
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import Pedicle, Site

N_REFINED = 3
"""Coarse candidates that are refined."""
SECOND_WEIGHT = 0.2
"""Share of the other margins in the aim: centres the path where the smallest alone leaves freedom."""
WISH_WEIGHT = 0.01
"""Cost of a millimetre or degree from a wish, in millimetres of margin."""
BEHIND_MM = 6.0
ACROSS_MM = 14.0
"""Surface further behind the pedicle, or further across the midline, is not looked at in a search."""
OTHER_BONE_WEIGHT = 0.25
"""Cost of a millimetre through another bone, in millimetres of margin (assumed)."""
TIP_RESERVE_MM = 2.0
"""A tip nearer than this to what it must stay off costs something: a path at a limit may not err at all."""
TIP_RESERVE_WEIGHT = 1.0
"""Cost of a millimetre of that, in millimetres of margin along the way: either keeps the path from erring."""
ENOUGH_MM = 6.0
"""A margin beyond this is worth nothing more (half a lumbar pedicle)."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where the tip may come to lie, vertebra frame."""

    side: Side
    lateral_from_mm: float
    lateral_to_mm: float
    """Range of the tip's distance from the midline towards the needle's own side; negative crosses it."""
    wished_lateral_mm: float
    approach: Approach = Approach.TRANSPEDICULAR


def find_axis(
    site: Site, pedicle: Pedicle, aim: Aim, cannula: Cannula, settings: AccessSettings
) -> tuple[Axis, float] | None:
    """The best axis through a pedicle, and its cost.

    Parameters
    ----------
    site : Site
    pedicle : Pedicle
    aim : Aim
    cannula : Cannula
    settings : AccessSettings

    Returns
    -------
    (Axis, float) or None
        The cost is in mm: minus the smallest margin, plus what the wishes cost. None where no line
        through the pedicle stays in the bone at all.
    """
    starts = _coarse(site, pedicle, aim, cannula.radius_mm, settings)
    if not starts:
        return None

    near = _near(site, pedicle, aim)
    sparse = replace(
        near, surface_v=np.ascontiguousarray(near.surface_v[::4]), canal_v=near.canal_v[::2].copy()
    )

    def rough(free: NDArray[np.float64]) -> float:
        return cost_of(sparse, pedicle, _axis(site, pedicle, aim, settings, free), aim, cannula, settings)

    def cost(free: NDArray[np.float64]) -> float:
        return cost_of(near, pedicle, _axis(site, pedicle, aim, settings, free), aim, cannula, settings)

    found = [
        optimize.minimize(
            rough,
            start,
            method="Nelder-Mead",
            options={"xatol": 0.01, "fatol": 0.002, "maxfev": 160, "initial_simplex": _simplex(start)},
        )
        for start in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    best = optimize.minimize(
        cost,
        best.x,
        method="Nelder-Mead",
        options={"xatol": 0.002, "fatol": 0.0005, "maxfev": 260, "initial_simplex": _simplex(best.x, 0.4)},
    )
    return _axis(site, pedicle, aim, settings, best.x), float(best.fun)


def _near(site: Site, pedicle: Pedicle, aim: Aim) -> Site:
    """The site with the surface and canal of the needle's own side only."""
    sign = 1.0 if aim.side is Side.RIGHT else -1.0
    behind = min(pedicle.centre_v[1], pedicle.rear_mm) - BEHIND_MM
    surface, canal = (
        np.ascontiguousarray(points[(sign * points[:, 0] > -ACROSS_MM) & (points[:, 1] > behind - more)])
        for points, more in ((site.surface_v, 0.0), (site.canal_v, 20.0))
    )
    return replace(site, surface_v=surface, canal_v=canal)


def cost_of(
    site: Site, pedicle: Pedicle, axis: Axis, aim: Aim, cannula: Cannula, settings: AccessSettings
) -> float:
    """What a path costs, in mm: minus its smallest margin, its centring, and its wishes."""
    margins, ahead, outside_mm = quick_margins_mm(site, axis, cannula.radius_mm)
    smallest = min(margins.values()) - 2.0 * outside_mm
    too_near = max(settings.anterior_wall_margin_mm - ahead, 0.0)
    tip = tip_margins_mm(site, axis.tip_v, cannula.radius_mm)
    too_near += sum(tip_shortfall_mm(tip, settings).values())
    near = sum(tip_shortfall_mm(tip, settings, TIP_RESERVE_MM).values())
    across = min(margins["medial"], margins["lateral"], ENOUGH_MM)
    upright = min(margins["superior"], margins["inferior"], ENOUGH_MM)
    lateral = -axis.medial_sign * axis.tip_v[0]
    outside = max(aim.lateral_from_mm - lateral, lateral - aim.lateral_to_mm, 0.0)
    direction = axis.direction_v
    inclination = np.degrees(np.arctan2(axis.medial_sign * direction[0], direction[1]))
    tilt = np.degrees(np.arctan2(-direction[2], direction[1]))
    pedicle_tilt_deg = np.degrees(np.arctan2(-pedicle.axis_v[2], pedicle.axis_v[1]))
    wishes = (
        abs(lateral - aim.wished_lateral_mm)
        + 0.5 * abs(axis.tip_v[2] - 0.5 * (site.top_mm + site.bottom_mm))
        + abs(tilt - pedicle_tilt_deg)
        + 10.0 * abs(axis.through_v[2] - pedicle.centre_v[2])
        + 0.3 * max(inclination - settings.comfortable_axial_deg, 0.0)
    )
    first = np.ascontiguousarray(site.vertebra_from_patch[:3, 3])
    other_mm, _ = length_along(
        site.other_bone, first, site.spacing_mm, axis.through_v, direction, OUTSIDE_BONE_MM
    )
    return float(
        -min(smallest, ENOUGH_MM)
        - SECOND_WEIGHT * (across + upright)
        + WISH_WEIGHT * wishes
        + OTHER_BONE_WEIGHT * other_mm
        + 4.0 * outside
        + 2.0 * too_near
        + TIP_RESERVE_WEIGHT * near
    )


def _axis(
    site: Site, pedicle: Pedicle, aim: Aim, settings: AccessSettings, free: NDArray[np.float64]
) -> Axis:
    """An axis from four free numbers: where it crosses the isthmus (x, z), where the tip lies (x, z)."""
    tip_y = tip_depth_mm(site, settings)
    through = np.array([free[0], pedicle.centre_v[1], free[1]])
    return Axis(aim.side, through, np.array([free[2], tip_y, free[3]]), pedicle.rear_mm, aim.approach)


def tip_depth_mm(site: Site, settings: AccessSettings) -> float:
    """Position of the tip along y: the wished depth, held back from the anterior wall."""
    wished_fraction = min(settings.target_depth_fraction, settings.deepest_fraction)
    wished = site.back_mm + wished_fraction * site.depth_mm
    return float(min(wished, site.front_mm - settings.anterior_wall_margin_mm - 1.0))


def _coarse(
    site: Site, pedicle: Pedicle, aim: Aim, radius_mm: float, settings: AccessSettings
) -> list[NDArray[np.float64]]:
    """The best few of a sweep over isthmus crossings and tips, well apart, as starting points."""
    tip_y = tip_depth_mm(site, settings)
    sign = 1.0 if aim.side is Side.RIGHT else -1.0
    cross_x = pedicle.centre_v[0] + np.linspace(-0.35, 0.35, 5) * pedicle.width_mm
    cross_z = pedicle.centre_v[2] + np.linspace(-0.3, 0.3, 5) * pedicle.height_mm
    tip_x = sign * np.linspace(aim.lateral_from_mm, aim.lateral_to_mm, 6)
    tip_z = site.bottom_mm + np.linspace(0.2, 0.8, 7) * (site.top_mm - site.bottom_mm)
    free = np.array(np.meshgrid(cross_x, cross_z, tip_x, tip_z, indexing="ij")).reshape(4, -1).T
    through = np.stack([free[:, 0], np.full(len(free), pedicle.centre_v[1]), free[:, 1]], axis=1)
    tips = np.stack([free[:, 2], np.full(len(free), tip_y), free[:, 3]], axis=1)
    share = np.linspace(-0.1 if aim.approach is Approach.TRANSPEDICULAR else 0.2, 1.0, 24)
    points = through[:, None, :] + share[None, :, None] * (tips - through)[:, None, :]
    index = apply_affine(invert_affine(site.vertebra_from_patch), points.reshape(-1, 3)).T
    depth = ndimage.map_coordinates(site.depth_in_bone_mm, index, order=1, mode="constant", cval=0.0)
    smallest = depth.reshape(points.shape[:2]).min(axis=1) - _cleft_cost(site, tips, radius_mm, settings)
    order = np.argsort(-smallest)
    chosen: list[NDArray[np.float64]] = []
    for candidate in free[order[:200]]:
        if all(np.linalg.norm(candidate - other) > 3.0 for other in chosen):
            chosen.append(candidate)
        if len(chosen) == N_REFINED:
            break
    return chosen if smallest.max(initial=0.0) > 0.0 else []


def _cleft_cost(
    site: Site, tips_v: NDArray[np.float64], radius_mm: float, settings: AccessSettings
) -> NDArray[np.float64] | float:
    """What tips (n, 3) near a cleft's wall cost, as in :func:`cost_of`: a descent does not cross the wall."""
    if site.cleft.rim is None:
        return 0.0
    half_voxel = 0.5 * site.spacing_mm
    distance, _ = site.cleft.rim.query(tips_v)
    margin = distance + np.where(site.is_in(site.cleft.mask, tips_v), half_voxel, -half_voxel) - radius_mm
    limit = settings.cleft_margin_mm
    return np.asarray(
        2.0 * np.maximum(limit - margin, 0.0)
        + TIP_RESERVE_WEIGHT * np.maximum(limit + TIP_RESERVE_MM - margin, 0.0)
    )


def _simplex(start: NDArray[np.float64], size_mm: float = 1.5) -> NDArray[np.float64]:
    return np.vstack([start, start + size_mm * np.eye(len(start))])
