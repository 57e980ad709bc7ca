"""Judging one straight path, whoever proposed it: margins, limits, grade.

Frame: the vertebra's (right, anterior, superior), mm, suffix ``_v``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import MARGINS_AROUND, Approach, Side
from vertebro.devices.cannulas import Cannula
from vertebro.planning.clearance import (
    AHEAD,
    INFERIOR,
    LATERAL,
    MEDIAL,
    SUPERIOR,
    clearance,
    length_along,
    nearest_to_segment,
)
from vertebro.planning.limits import TipPlace, broken_limits
from vertebro.planning.obstacles import Obstacle
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import Site

INSIDE_WALL_MM = 4.0
"""Beside a pedicle, walls are watched from this far inside the body."""
ENTRY_MM = 20.0
"""Usual way from a pedicle's narrowest section back to the bone entry."""
OUTSIDE_BONE_MM = 30.0
"""Beside a pedicle, the canal is watched over this much way before the bone as well."""
STEP_MM = 0.25
"""Sampling along an axis."""
BEFORE_ISTHMUS_MM = 3.0
"""The pedicle is watched from this far behind its narrowest section."""
_ROWS = {"medial": MEDIAL, "lateral": LATERAL, "superior": SUPERIOR, "inferior": INFERIOR}
_BREACH_GRADES = ((0.0, "A"), (2.0, "B"), (4.0, "C"), (6.0, "D"))


@dataclass(frozen=True, eq=False, slots=True)
class Axis:
    """A straight needle axis by a point on the way and the tip.

    The point lies in the pedicle's narrowest section, or, beside the pedicle, where the body is entered.
    """

    side: Side
    through_v: NDArray[np.float64]
    tip_v: NDArray[np.float64]
    rear_mm: float
    """y from which the pedicle's walls are watched."""
    approach: Approach = Approach.TRANSPEDICULAR

    @property
    def direction_v(self) -> NDArray[np.float64]:
        """Unit direction from entry to tip."""
        span = self.tip_v - self.through_v
        return np.asarray(span / np.linalg.norm(span))

    @property
    def medial_sign(self) -> float:
        """Sign of x that leads to the midline."""
        return -1.0 if self.side is Side.RIGHT else 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Judgement:
    """What a path is worth."""

    axis: Axis
    entry_bone_v: NDArray[np.float64]
    length_bone_mm: float
    margins_mm: Mapping[str, float | None]
    tightest: str
    tightest_v: NDArray[np.float64]
    gertzbein_robbins: str
    broken: tuple[str, ...]

    @property
    def smallest_margin_mm(self) -> float:
        """The smallest of the margins around the cannula (not those of the tip alone)."""
        return min(v for k, v in self.margins_mm.items() if v is not None and k in MARGINS_AROUND)


def watched_length_mm(axis: Axis) -> float:
    """Length of axis behind the tip along which walls are watched.

    Through a pedicle that begins at its rear end, or a little behind its narrowest section at least;
    beside it, just inside the body, since the wall must be crossed somewhere.
    """
    length = float(np.linalg.norm(axis.tip_v - axis.through_v))
    if axis.approach is Approach.PARAPEDICULAR:
        return max(length - INSIDE_WALL_MM, 1.0)
    to_rear = (axis.tip_v[1] - axis.rear_mm) / max(float(axis.direction_v[1]), 0.2)
    return float(max(length + BEFORE_ISTHMUS_MM, to_rear))


def wall_margins_mm(site: Site, axis: Axis, radius_mm: float) -> dict[str, float]:
    """Bone between cannula and surface in each direction; negative where the axis runs outside."""
    table = clearance(site.surface_v, axis.tip_v, axis.direction_v, watched_length_mm(axis), axis.medial_sign)
    margins = {name: float(table[row, 0]) - radius_mm for name, row in _ROWS.items()}
    for name, depth in _excursions(site, axis).items():
        margins[name] = min(margins[name], -depth - radius_mm)
    return margins


def _excursions(site: Site, axis: Axis) -> dict[str, float]:
    """How far the axis itself leaves the bone, by the wall it leaves through."""
    points = _samples(axis, watched_length_mm(axis))
    outside = points[site.coverage_at(points) < 0.5]
    found: dict[str, float] = {}
    if len(outside) == 0:
        return found
    distances, nearest = site.surface.query(outside)
    back = np.asarray(site.surface.data)[nearest] - outside
    for depth, (x, _, z) in zip(distances, back, strict=True):
        to_midline = -axis.medial_sign * x
        if abs(to_midline) >= abs(z):
            name = "medial" if to_midline > 0.0 else "lateral"
        else:
            name = "superior" if z < 0.0 else "inferior"
        found[name] = max(found.get(name, 0.0), float(depth))
    return found


def _samples(axis: Axis, length_mm: float) -> NDArray[np.float64]:
    n = max(int(np.ceil(length_mm / STEP_MM)), 1)
    behind = np.linspace(0.0, length_mm, n + 1)
    return np.asarray(axis.tip_v - behind[:, None] * axis.direction_v)


def bone_entry_v(site: Site, axis: Axis) -> NDArray[np.float64]:
    """Where the axis, followed backwards from the pedicle, leaves the bone.

    An axis that is outside the bone there already (beside the pedicle, or in the canal) enters where it
    meets bone at last, at the lamina; at the pedicle where it meets none.
    """
    reach = np.arange(0.0, 60.0, STEP_MM)
    points = axis.through_v - reach[:, None] * axis.direction_v
    values = site.coverage_at(points)
    left = np.flatnonzero(values < 0.5)
    if len(left) == 0:
        return np.asarray(points[-1])
    first = int(left[0])
    if first == 0:
        within = np.flatnonzero(values >= 0.5)
        if axis.approach is Approach.PARAPEDICULAR or len(within) == 0:
            return np.asarray(points[0])
        return np.asarray(points[int(within[-1])])
    share = (values[first - 1] - 0.5) / max(values[first - 1] - values[first], 1e-9)
    return np.asarray(points[first - 1] + share * (points[first] - points[first - 1]))


def _length_near_canal_mm(axis: Axis, entry_v: NDArray[np.float64]) -> float:
    length = float(np.linalg.norm(axis.tip_v - entry_v))
    return length + (OUTSIDE_BONE_MM if axis.approach is Approach.PARAPEDICULAR else 0.0)


def way_margin_mm(
    site: Site, region: Obstacle, axis: Axis, entry_v: NDArray[np.float64], radius_mm: float
) -> float | None:
    """Distance from the cannula's surface to a region, over all of its way in bone; None without one.

    Negative where it enters: by how far the axis lies inside, and the cannula's radius.
    """
    if region.rim is None:
        return None
    points = _samples(axis, _length_near_canal_mm(axis, entry_v))
    distance, _ = region.rim.query(points)
    half_voxel = 0.5 * site.spacing_mm
    signed = np.where(site.is_in(region.mask, points), -(distance + half_voxel), distance - half_voxel)
    return float(signed.min()) - radius_mm


def tip_margins_mm(site: Site, tip_v: NDArray[np.float64], radius_mm: float) -> dict[str, float | None]:
    """Distance from the tip's surface to both endplates and to the walls of a gas cleft.

    An endplate's is negative where the tip has passed it. A cleft's counts from either side: a tip may
    lie in a cleft or in bone, but not in the wall between them.
    """
    is_outside = not site.is_bone(tip_v)
    margins: dict[str, float | None] = {}
    plates = {"superior_endplate": site.endplates.superior, "inferior_endplate": site.endplates.inferior}
    nearest = {name: np.inf if tree is None else float(tree.query(tip_v)[0]) for name, tree in plates.items()}
    for name, distance in nearest.items():
        is_passed = is_outside and distance == min(nearest.values())
        margins[name] = (-distance if is_passed else distance) - radius_mm if np.isfinite(distance) else None
    margins["cleft"] = None
    if site.cleft.rim is not None:
        # voxel centres of the rim lie half a voxel inside the wall
        half_voxel = 0.5 * site.spacing_mm
        distance = float(site.cleft.rim.query(tip_v)[0])
        is_inside = bool(site.is_in(site.cleft.mask, tip_v[None, :])[0])
        margins["cleft"] = distance + (half_voxel if is_inside else -half_voxel) - radius_mm
    return margins


def quick_margins_mm(site: Site, axis: Axis, radius_mm: float) -> tuple[dict[str, float], float, float]:
    """Margins for a search: walls and canal, the distance ahead of the tip, and the length outside bone.

    As :func:`judge` measures them, but that an axis outside the bone is told by its length alone and
    the way between bone entry and pedicle is taken as 20 mm. Openings of nerves count beside a pedicle
    alone: through it, the walls guard them.
    """
    direction = axis.direction_v
    length = watched_length_mm(axis)
    table = clearance(site.surface_v, axis.tip_v, direction, length, axis.medial_sign)
    margins = {name: float(table[row, 0]) - radius_mm for name, row in _ROWS.items()}
    reach = float(np.linalg.norm(axis.tip_v - axis.through_v)) + ENTRY_MM
    half_voxel = 0.5 * site.spacing_mm
    margins["canal"] = nearest_to_segment(site.canal_v, axis.tip_v, direction, reach) - half_voxel - radius_mm
    if axis.approach is Approach.PARAPEDICULAR and axis.side in site.foramina:
        openings = site.foramina[axis.side].rim_v
        margins["foramen"] = (
            nearest_to_segment(openings, axis.tip_v, direction, reach) - half_voxel - radius_mm
        )
    first = np.ascontiguousarray(site.vertebra_from_patch[:3, 3])
    _, outside = length_along(site.bone, first, site.spacing_mm, axis.tip_v, direction, length)
    return margins, float(table[AHEAD, 0]), float(outside)


def judge(site: Site, axis: Axis, cannula: Cannula, settings: AccessSettings) -> Judgement:
    """Judge a path.

    Parameters
    ----------
    site : Site
    axis : Axis
    cannula : Cannula
    settings : AccessSettings

    Returns
    -------
    Judgement
        With every hard limit that is broken, and by how much.
    """
    radius = cannula.radius_mm
    table = clearance(site.surface_v, axis.tip_v, axis.direction_v, watched_length_mm(axis), axis.medial_sign)
    entry_v = bone_entry_v(site, axis)
    regions: dict[str, Obstacle | None] = {
        "canal": site.canal_region,
        "foramen": site.foramina.get(axis.side),
    }
    margins: dict[str, float | None] = dict(wall_margins_mm(site, axis, radius))
    for name, region in regions.items():
        margins[name] = None if region is None else way_margin_mm(site, region, axis, entry_v, radius)
    ahead = float(table[AHEAD, 0])
    if float(site.coverage_at(axis.tip_v[None, :])[0]) < 0.5:
        ahead = -float(site.surface.query(axis.tip_v)[0])
    margins["anterior_wall"] = ahead if np.isfinite(ahead) else None
    margins.update(tip_margins_mm(site, axis.tip_v, radius))
    around = {name: value for name in MARGINS_AROUND if (value := margins[name]) is not None}
    tightest = min(around, key=lambda name: around[name])
    near = regions.get(tightest)
    behind = float(table[_ROWS[tightest], 1]) if near is None else _nearest_depth(near, axis, entry_v)
    breach = -min(value for name, value in around.items() if name in _ROWS)
    place = TipPlace(axis.tip_v, site.back_mm, site.depth_mm)
    return Judgement(
        axis=axis,
        entry_bone_v=entry_v,
        length_bone_mm=float(np.linalg.norm(axis.tip_v - entry_v)),
        margins_mm=margins,
        tightest=tightest,
        tightest_v=np.asarray(axis.tip_v - (behind if np.isfinite(behind) else 0.0) * axis.direction_v),
        gertzbein_robbins=grade_of_breach(breach),
        broken=broken_limits(margins, place, neighbour_mm(site, axis, entry_v), settings),
    )


def neighbour_mm(site: Site, axis: Axis, entry_v: NDArray[np.float64]) -> float:
    """Way of the axis through other labelled bones, over the last stretch before it enters its own."""
    first = np.ascontiguousarray(site.vertebra_from_patch[:3, 3])
    inside, _ = length_along(
        site.neighbour, first, site.spacing_mm, entry_v, axis.direction_v, OUTSIDE_BONE_MM
    )
    return float(inside)


def _nearest_depth(region: Obstacle, axis: Axis, entry_v: NDArray[np.float64]) -> float:
    """How far behind the tip the way comes nearest to a region."""
    assert region.rim is not None, "only a region that is there can be the tightest"
    samples = _samples(axis, _length_near_canal_mm(axis, entry_v))
    distances, _ = region.rim.query(samples)
    return float(np.linalg.norm(samples[int(np.argmin(distances))] - axis.tip_v))


def grade_of_breach(breach_mm: float) -> str:
    """Gertzbein–Robbins grade of the largest breach of the bone's surface by the cannula.

    Examples
    --------
    >>> [grade_of_breach(mm) for mm in (-1.0, 0.5, 3.0, 5.0, 6.0)]
    ['A', 'B', 'C', 'D', 'E']
    """
    for limit, grade in _BREACH_GRADES:
        if breach_mm <= limit and (grade == "A" or breach_mm < limit):
            return grade
    return "E"
