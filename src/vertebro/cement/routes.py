"""Ways out of a vertebra: veins, fissures and gaps; seen in the CT where it shows them, else drawn.

A route runs from inside the bone to where it leaves it. Frame: the vertebra's (x right, y anterior,
z superior, mm). Draws come from the generator passed in, in a fixed order.

References
----------
.. [1] Yeom et al., J Bone Joint Surg Br 2003;85:83: leaks by the basivertebral vein, by segmental veins
   and through cortical defects.
.. [2] Martin, Ehteshami Rad, Kallmes, Acta Radiol 2012;53:569: endplate 45 %, paravertebral 35 %,
   epidural 20 %, prevertebral venous 18 % of 181 patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Compartment, RouteBasis, RouteKind
from vertebro.cement.settings import RouteSettings
from vertebro.cement.surface import Opening, Part
from vertebro.cement.survey import LevelSurvey

TRUNK_DEPTH = (0.30, 0.60)
"""How far forward the basivertebral vein's trunk reaches, share of the body's depth (assumed: its
tributaries meet behind the middle of the body)."""
CRACK_MM = (2.0, 10.0)
"""How far into the bone the crack behind a gap that the CT does not show reaches (assumed: fracture lines
run from the wall into the body)."""
RIM_SHARE = 0.7
"""Fissures lie within this share of an endplate's half-widths (assumed)."""
SHELL_MM = 1.0
"""Thickness of wall that a gap passes (assumed: 0.4 mm of cortex and what is compacted behind it)."""
OUTSIDE_VEIN_MM = 15.0
"""Length of vein outside the bone until it joins a wide one (assumed)."""
SEEN_VEIN_CONTRAST = 0.6
"""The basivertebral foramen counts as seen where the back wall's brightness falls below this share."""
_FORAMEN_FROM_MM = 9.0
"""A back-wall gap farther to the side than this opens towards a foramen (assumed: beside the canal)."""


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """One way out."""

    kind: RouteKind
    basis: RouteBasis
    compartment: Compartment
    path_v: NDArray[np.float64]
    """(n, 3): from inside the bone to the exit; one point for a gap without a crack behind it."""
    normal_v: NDArray[np.float64]
    """Outward at the exit."""
    radius_mm: float
    """Of a vein; 0 for a gap."""
    width_mm: float
    """Opening of a gap; the bore of a vein."""
    breadth_mm: float
    """Length of a gap along the wall; 0 for a vein."""
    branches_v: tuple[NDArray[np.float64], ...] = ()
    """Tributaries of a vein, each (n, 3) ending on its path."""

    @property
    def exit_v(self) -> NDArray[np.float64]:
        """Where it leaves the bone."""
        return np.asarray(self.path_v[-1])


def seen_routes(survey: LevelSurvey) -> tuple[Route, ...]:
    """Routes that the CT shows: openings of the wall."""
    return tuple(_from_opening(survey, item) for item in survey.openings if not _is_basivertebral(item))


def draw_routes(survey: LevelSurvey, settings: RouteSettings, rng: np.random.Generator) -> tuple[Route, ...]:
    """Routes that the CT cannot show, from their priors; the basivertebral vein is always among them.

    Parameters
    ----------
    survey : LevelSurvey
    settings : RouteSettings
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Route
        The same generator state gives the same routes.
    """
    drawn = [_basivertebral(survey, settings, rng)]
    drawn += _segmental(survey, settings, rng)
    drawn += _fissures(survey, settings, rng)
    drawn += _wall_gaps(survey, settings, rng)
    return tuple(drawn)


def _from_opening(survey: LevelSurvey, item: Opening) -> Route:
    return Route(
        kind=RouteKind.ENDPLATE_FISSURE
        if item.part in (Part.SUPERIOR, Part.INFERIOR)
        else RouteKind.WALL_GAP,
        basis=RouteBasis.SEEN,
        compartment=_compartment(survey, item.part, item.centre_v),
        path_v=item.centre_v[None],
        normal_v=item.normal_v,
        radius_mm=0.0,
        width_mm=item.width_mm,
        breadth_mm=item.area_mm2 / max(item.width_mm, 0.1),
    )


def _is_basivertebral(item: Opening) -> bool:
    """Whether an open patch of the back wall is the vein's foramen: in the midline."""
    return item.part is Part.POSTERIOR and abs(float(item.centre_v[0])) < 6.0


def _compartment(survey: LevelSurvey, part: Part, point_v: NDArray[np.float64]) -> Compartment:
    if part is Part.SUPERIOR:
        return Compartment.DISC_ABOVE
    if part is Part.INFERIOR:
        return Compartment.DISC_BELOW
    if part is Part.POSTERIOR:
        aside = abs(float(point_v[0]) - _centre(survey)[0])
        return Compartment.FORAMEN if aside > _FORAMEN_FROM_MM else Compartment.CANAL
    return Compartment.PARAVERTEBRAL


def _centre(survey: LevelSurvey) -> NDArray[np.float64]:
    points = survey.surface.points_v
    return np.asarray(0.5 * (points.min(axis=0) + points.max(axis=0)))


def _width(median: float, settings: RouteSettings, rng: np.random.Generator) -> float:
    return float(median * 10.0 ** (settings.width_log10_sd * rng.standard_normal()))


def _basivertebral(survey: LevelSurvey, settings: RouteSettings, rng: np.random.Generator) -> Route:
    """The vein of the back wall: at the darkest place of the wall's middle, else at its centre."""
    surface = survey.surface
    centre, low, high = _centre(survey), surface.points_v.min(axis=0), surface.points_v.max(axis=0)
    height = high[2] - low[2]
    near = (
        (surface.parts == Part.POSTERIOR.value)
        & (np.abs(surface.points_v[:, 0] - centre[0]) < 5.0)
        & (np.abs(surface.points_v[:, 2] - centre[2]) < 0.25 * height)
    )
    jitter = rng.normal(0.0, 1.0, 3)
    radius = _width(settings.basivertebral_radius_mm, settings, rng)
    depth = (high[1] - low[1]) * rng.uniform(*TRUNK_DEPTH)
    turn = rng.uniform(25.0, 50.0, 2)
    seen = near.any() and float(surface.contrast[near].min()) < SEEN_VEIN_CONTRAST
    if seen:
        place = surface.points_v[near][int(np.argmin(surface.contrast[near]))]
    else:
        wanted = np.array([centre[0] + jitter[0], low[1], centre[2] + jitter[2]])
        back = surface.points_v[surface.parts == Part.POSTERIOR.value]
        candidates = back if len(back) else surface.points_v
        place = candidates[int(np.argmin(np.linalg.norm(candidates - wanted, axis=1)))]
    inner = place + np.array([0.0, depth, 0.0])
    branches = []
    for sign, angle in zip((1.0, -1.0), np.radians(turn), strict=True):
        tip = inner + 0.4 * depth * np.array([sign * np.sin(angle), np.cos(angle), 0.0])
        branches.append(np.stack([tip, inner]))
    return Route(
        kind=RouteKind.BASIVERTEBRAL_VEIN,
        basis=RouteBasis.SEEN if seen else RouteBasis.PRIOR,
        compartment=Compartment.CANAL,
        path_v=np.stack([inner, place]),
        normal_v=np.array([0.0, -1.0, 0.0]),
        radius_mm=radius,
        width_mm=2.0 * radius,
        breadth_mm=0.0,
        branches_v=tuple(branches),
    )


def _segmental(survey: LevelSurvey, settings: RouteSettings, rng: np.random.Generator) -> list[Route]:
    """Veins through the front and side walls at mid-height."""
    count = int(rng.poisson(settings.n_segmental))
    surface, centre = survey.surface, _centre(survey)
    height = float(np.ptp(surface.points_v[:, 2]))
    is_wall = np.isin(surface.parts, [Part.ANTERIOR.value, Part.LEFT.value, Part.RIGHT.value])
    walls = np.flatnonzero(is_wall & (np.abs(surface.points_v[:, 2] - centre[2]) < 0.3 * height))
    veins = []
    for _ in range(count):
        radius, length = _width(settings.segmental_radius_mm, settings, rng), rng.uniform(4.0, 12.0)
        pick = int(rng.integers(0, max(len(walls), 1)))
        if not len(walls):
            continue
        place, normal = surface.points_v[walls[pick]], surface.normals_v[walls[pick]]
        veins.append(
            Route(
                kind=RouteKind.SEGMENTAL_VEIN,
                basis=RouteBasis.PRIOR,
                compartment=Compartment.VEIN,
                path_v=np.stack([place - normal * length, place]),
                normal_v=normal,
                radius_mm=radius,
                width_mm=2.0 * radius,
                breadth_mm=0.0,
            )
        )
    return veins


def _fissures(survey: LevelSurvey, settings: RouteSettings, rng: np.random.Generator) -> list[Route]:
    """Fissures of the endplates; one that a cleft touches starts at the cleft."""
    found = []
    seen = {item.part for item in survey.openings}
    for order, part in enumerate((Part.SUPERIOR, Part.INFERIOR)):
        chance = settings.unbroken_fissure_chance
        if survey.fractured_endplates[order]:
            chance = settings.fissure_chance
        if survey.cleft_touches[order]:
            chance = settings.cleft_fissure_chance
        is_there = rng.random() < chance
        width, breadth = _width(settings.fissure_width_mm, settings, rng), rng.uniform(4.0, 14.0)
        pick, crack = rng.random(), float(rng.uniform(*CRACK_MM))
        points = _inner_points(survey, part)
        if not is_there or part in seen or not len(points):
            continue
        place = points[min(int(pick * len(points)), len(points) - 1)]
        if survey.cleft_touches[order] and survey.void.any():
            place = points[_nearest_to_void(survey, points)]
        found.append(_gap(survey, part, int(place), (width, breadth, crack)))
    return found


def _inner_points(survey: LevelSurvey, part: Part) -> NDArray[np.intp]:
    """Points of an endplate away from its rim: the ring is stronger than what it holds."""
    surface = survey.surface
    points = np.flatnonzero(surface.parts == part.value)
    if not len(points):
        return points
    places = surface.points_v[points][:, :2]
    middle = 0.5 * (places.min(axis=0) + places.max(axis=0))
    reach = np.maximum(0.5 * np.ptp(places, axis=0), 1.0)
    inner = (((places - middle) / reach) ** 2).sum(axis=1) <= RIM_SHARE**2
    return points[inner] if inner.any() else points


def _wall_gaps(survey: LevelSurvey, settings: RouteSettings, rng: np.random.Generator) -> list[Route]:
    """Gaps of the front, side and back walls."""
    mean = settings.n_wall_gaps if survey.is_fractured else settings.unbroken_wall_gaps
    count = int(rng.poisson(mean))
    has_back_gap = rng.random() < (settings.back_wall_gap_chance if survey.is_fractured else 0.02)
    surface = survey.surface
    front = np.isin(surface.parts, [Part.ANTERIOR.value, Part.LEFT.value, Part.RIGHT.value])
    back = surface.parts == Part.POSTERIOR.value
    gaps = []
    for where in [front] * count + [back] * int(has_back_gap):
        width, breadth = _width(settings.gap_width_mm, settings, rng), rng.uniform(3.0, 10.0)
        pick, crack = rng.random(), float(rng.uniform(*CRACK_MM))
        places = np.flatnonzero(where & ~surface.is_joined)
        if len(places):
            place = int(places[min(int(pick * len(places)), len(places) - 1)])
            gaps.append(_gap(survey, Part(str(surface.parts[place])), place, (width, breadth, crack)))
    return gaps


def _gap(survey: LevelSurvey, part: Part, place: int, size: tuple[float, float, float]) -> Route:
    """A gap of some width and breadth, with a crack of some depth behind it."""
    point, normal = survey.surface.points_v[place], survey.surface.normals_v[place]
    is_endplate = part in (Part.SUPERIOR, Part.INFERIOR)
    return Route(
        kind=RouteKind.ENDPLATE_FISSURE if is_endplate else RouteKind.WALL_GAP,
        basis=RouteBasis.PRIOR,
        compartment=_compartment(survey, part, point),
        path_v=np.stack([point - normal * size[2], point]),
        normal_v=normal,
        radius_mm=0.0,
        width_mm=size[0],
        breadth_mm=size[1],
    )


def _nearest_to_void(survey: LevelSurvey, points: NDArray[np.intp]) -> int:
    index = np.argwhere(survey.void) * survey.spacing_mm + survey.vertebra_from_patch[:3, 3]
    surface = survey.surface.points_v[points]
    least = [float(np.min(np.sum((index - point) ** 2, axis=1))) for point in surface]
    return int(np.argmin(least))
