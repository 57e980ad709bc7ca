"""Everything an injection needs, put together once: bone, veins, needles, cement; then it only flows.

An :class:`InjectionSite` is one possible truth: a survey of the CT plus one :class:`Variation` of what the
CT does not tell. Inside units mm, s, MPa; settings and results carry theirs in their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case import Compartment, NeedlePath
from vertebro.cement.network import GAS_PA_S, FlowCells, RouteNetwork, build_network
from vertebro.cement.regions import ORDER, OTHER_BONE
from vertebro.cement.routes import Route, draw_routes, seen_routes
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.survey import LevelSurvey
from vertebro.devices.cannulas import cannula_named
from vertebro.devices.cements import CementProduct, load_cement
from vertebro.devices.syringes import Syringe, syringe_named
from vertebro.geometry import apply_affine, invert_affine
from vertebro.materials.bone_flow import permeability_mm2
from vertebro.materials.cement_pipe import Tube
from vertebro.materials.cement_rheology import CementRheology, RheologyPoint
from vertebro.numerics.darcy_medium import DarcyMedium
from vertebro.units import MPA_S_PER_PA_S

VOID_PERMEABILITY_MM2 = 1.0
"""Permeability given to a cleft or cavity: far above bone's (a slit of 3.5 mm has 1 mm²)."""
SNAP_MM = 5.0
"""A tip in bone without pores is moved to the nearest open bone within this (assumed: the stylet makes
its own way)."""
GRIP_MM = 20.0
"""Part of a cannula that stays outside the skin (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class Variation:
    """One draw of what the CT does not tell."""

    permeability_factor: float
    permeability_ratio: float
    marrow_pa_s: float
    viscosity_factor: float
    needle_shift_v: NDArray[np.float64]
    """(needles, 3) mm."""
    routes: tuple[Route, ...]
    """Those that the CT does not show."""


@dataclass(frozen=True, eq=False, slots=True)
class NeedleSite:
    """One needle in place."""

    side: str
    device: str
    tip_v: NDArray[np.float64]
    tubes: tuple[Tube, ...]
    """What the cement passes from the syringe to the tip."""
    bore_radius_mm: float
    cell: tuple[float, float, float] | None
    """Continuous index of the tip on the flow grid; None where it does not lie in open bone."""
    outside: Compartment | None
    """Where the tip lies if that is not in this bone."""


@dataclass(frozen=True, eq=False, slots=True)
class InjectionSite:
    """A vertebra with needles in, ready to inject into."""

    survey: LevelSurvey
    settings: InjectionSettings
    product: CementProduct
    rheology: CementRheology
    syringe: Syringe
    needles: tuple[NeedleSite, ...]
    routes: tuple[Route, ...]
    network: RouteNetwork
    medium: DarcyMedium
    resident_mpa_s: NDArray[np.float64]
    """Viscosity of what fills each flow cell before cement: marrow, or gas."""
    box: tuple[slice, slice, slice]
    """The flow grid's part of the survey's patch."""
    back_mm: NDArray[np.float64]
    """Of each flow cell, the distance before the back wall at its height."""
    depth_share: NDArray[np.float64]
    """The same as a share of the body's depth there: 0 back, 1 front."""
    in_body: NDArray[np.bool_]
    """Flow cells of the body (the rest is pedicle)."""


def rheology_of(product: CementProduct) -> CementRheology:
    """The law of a product's flow.

    Examples
    --------
    >>> round(float(rheology_of(load_cement("generic")).viscosity_pa_s(240.0, 1.0)))
    100
    """
    points = tuple(
        RheologyPoint(row.age_min * 60.0, row.consistency_pa_s, row.index, row.yield_pa)
        for row in product.flow_rows
    )
    return CementRheology(
        points, product.reference_c.value, product.activation_kj_mol.value, product.set_min.value * 60.0
    )


def nominal_variation(
    survey: LevelSurvey, settings: InjectionSettings, n_needles: int, seed: int
) -> Variation:
    """The priors' middle, with one draw of the routes that the CT does not show."""
    routes = draw_routes(survey, settings.routes, np.random.default_rng((seed, 7)))
    return Variation(
        permeability_factor=1.0,
        permeability_ratio=settings.bone.permeability_ratio,
        marrow_pa_s=settings.bone.marrow_pa_s,
        viscosity_factor=1.0,
        needle_shift_v=np.zeros((n_needles, 3)),
        routes=routes,
    )


def draw_variation(
    survey: LevelSurvey,
    settings: InjectionSettings,
    product: CementProduct,
    n_needles: int,
    rng: np.random.Generator,
) -> Variation:
    """One draw from the priors, in a fixed order.

    The product's spread is its factor at 95 %, taken as two standard deviations of a log-normal.
    """
    bone = settings.bone
    z = rng.standard_normal(4)
    shift = rng.standard_normal((n_needles, 3)) * settings.ensemble.needle_error_mm
    return Variation(
        permeability_factor=float(10.0 ** (bone.permeability_log10_sd * z[0])),
        permeability_ratio=float(bone.permeability_ratio * 10.0 ** (bone.permeability_ratio_log10_sd * z[1])),
        marrow_pa_s=float(bone.marrow_pa_s * 10.0 ** (bone.marrow_log10_sd * z[2])),
        viscosity_factor=float(product.viscosity_spread.value ** (0.5 * z[3])),
        needle_shift_v=shift,
        routes=draw_routes(survey, settings.routes, rng),
    )


def make_site(
    survey: LevelSurvey,
    paths: Sequence[NeedlePath],
    settings: InjectionSettings,
    variation: Variation,
    *,
    product: CementProduct | None = None,
) -> InjectionSite:
    """Put survey, needles, routes and cement together.

    Parameters
    ----------
    survey : LevelSurvey
    paths : sequence of NeedlePath
        One or two; their targets are the tips.
    settings : InjectionSettings
    variation : Variation
    product : CementProduct, optional
        The settings' product without it.

    Returns
    -------
    InjectionSite
    """
    chosen = product or load_cement(settings.product)
    box = _box(survey.domain)
    porosity = survey.porosity[box].astype(np.float64)
    permeability = _permeability(survey, settings, variation, box)
    origin_v = survey.vertebra_from_patch[:3, 3] + survey.spacing_mm * np.array([part.start for part in box])
    cells = FlowCells.of(np.cbrt(permeability.prod(axis=0)), origin_v, survey.spacing_mm)
    routes = (*seen_routes(survey), *variation.routes)
    void = survey.void[box]
    network = build_network(survey, routes, cells, np.flatnonzero(void.reshape(-1)), settings.bone)
    medium = DarcyMedium(
        spacing_mm=survey.spacing_mm,
        porosity=porosity,
        permeability_mm2=permeability,
        border_pressure_mpa=(None,) * 6,
        network=network.flow,
    )
    resident = np.where(void, GAS_PA_S, variation.marrow_pa_s) * MPA_S_PER_PA_S
    syringe = syringe_named(settings.syringe)
    needles = tuple(
        _needle(survey, path, variation.needle_shift_v[number], cells, syringe)
        for number, path in enumerate(paths)
    )
    back_mm, depth_share = _depths(survey, box)
    return InjectionSite(
        survey=survey,
        settings=settings,
        product=chosen,
        rheology=rheology_of(chosen).scaled(variation.viscosity_factor),
        syringe=syringe,
        needles=needles,
        routes=routes,
        network=network,
        medium=medium,
        resident_mpa_s=resident,
        box=box,
        back_mm=back_mm,
        depth_share=depth_share,
        in_body=survey.body[box],
    )


def with_needles(site: InjectionSite, needles: tuple[NeedleSite, ...]) -> InjectionSite:
    """The same bone with other needles."""
    return replace(site, needles=needles)


def _box(domain: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    found = []
    for axis in range(3):
        where = np.flatnonzero(domain.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(where[0]), int(where[-1]) + 1))
    return found[0], found[1], found[2]


def _permeability(
    survey: LevelSurvey,
    settings: InjectionSettings,
    variation: Variation,
    box: tuple[slice, slice, slice],
) -> NDArray[np.float64]:
    """(3, i, j, k): along right, anterior, superior."""
    bone = replace(
        settings.bone,
        permeability_ratio=float(np.clip(variation.permeability_ratio, 0.5, 5.0)),
    )
    porosity = survey.porosity[box].astype(np.float64)
    inside = survey.domain[box]
    safe = np.where(inside, np.minimum(porosity, settings.bone.highest_porosity), 0.5)
    across, along = permeability_mm2(safe, bone)
    factor = variation.permeability_factor
    fields = np.stack([across, across, along]) * factor * inside
    fields[:, survey.void[box]] = VOID_PERMEABILITY_MM2
    return np.asarray(fields)


def _needle(
    survey: LevelSurvey,
    path: NeedlePath,
    shift_v: NDArray[np.float64],
    cells: FlowCells,
    syringe: Syringe,
) -> NeedleSite:
    vertebra_from_lps = invert_affine(np.asarray(survey.grid.lps_from_voxel))
    index = apply_affine(vertebra_from_lps, np.asarray(path.target_lps_mm))
    tip = index * survey.spacing_mm + survey.vertebra_from_patch[:3, 3] + shift_v
    cannula = cannula_named(path.device)
    depth = path.length_bone_mm + (path.length_tissue_mm or 60.0)
    length = cannula.length_for(depth, GRIP_MM) or max(cannula.lengths_mm)
    tubes = (
        Tube(syringe.outlet_length_mm, syringe.outlet_diameter_mm),
        Tube(length, cannula.inner_diameter_mm),
    )
    patch_index = np.rint(survey.index_of(tip)).astype(int)
    in_patch = bool(np.all((patch_index >= 0) & (patch_index < np.array(survey.body.shape))))
    cell, outside = None, Compartment.PARAVERTEBRAL
    if in_patch:
        region = int(survey.compartments[tuple(patch_index)])
        outside = Compartment.PARAVERTEBRAL if region == OTHER_BONE else ORDER[region]
        if survey.domain[tuple(patch_index)]:
            cell = (tip - cells.origin_v) / cells.spacing_mm
        elif outside is Compartment.INSIDE:
            cell = _snapped(tip, cells)
    place = None if cell is None else (float(cell[0]), float(cell[1]), float(cell[2]))
    return NeedleSite(
        side=path.side.value,
        device=path.device,
        tip_v=tip,
        tubes=tubes,
        bore_radius_mm=cannula.inner_diameter_mm / 2.0,
        cell=place,
        outside=None if outside is Compartment.INSIDE else outside,
    )


def _snapped(tip_v: NDArray[np.float64], cells: FlowCells) -> NDArray[np.float64] | None:
    index = np.array(np.unravel_index(cells.nearest(tip_v), cells.shape), dtype=np.float64)
    gap = float(np.linalg.norm(index * cells.spacing_mm + cells.origin_v - tip_v))
    return index if gap <= SNAP_MM else None


def _depths(
    survey: LevelSurvey, box: tuple[slice, slice, slice]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance before the back wall at each cell's height, and its share of the body's depth there."""
    body = survey.body[box]
    width = np.flatnonzero(body.any(axis=(1, 2)))
    third = max((int(width[-1]) - int(width[0])) // 3, 1)
    middle = np.asarray(body[width[0] + third : width[-1] - third + 1].any(axis=0))
    heights = np.flatnonzero(middle.any(axis=0))
    rear = np.argmax(middle, axis=0).astype(np.float64)
    front = middle.shape[0] - 1 - np.argmax(middle[::-1], axis=0).astype(np.float64)
    nearest = np.clip(np.arange(body.shape[2]), heights[0], heights[-1])
    rows = np.arange(body.shape[1], dtype=np.float64)[None, :, None]
    before = (rows - rear[nearest][None, None, :]) * survey.spacing_mm
    depth = np.maximum(front[nearest] - rear[nearest], 1.0) * survey.spacing_mm
    shape = body.shape
    return np.broadcast_to(before, shape).copy(), np.broadcast_to(before / depth, shape).copy()


def syringe_limit_mpa(site: InjectionSite) -> float:
    """The highest pressure in the syringe."""
    return site.syringe.limit_kpa / 1000.0
