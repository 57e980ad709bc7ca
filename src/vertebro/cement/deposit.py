"""Where cement lies: the fill inside the bone, and what left it laid down in its compartments.

The flow ends where a route leaves the bone; beyond it cement is laid along the route's own way, nearest
place first: a vein as a string, a disc as a sheet, the canal along the back wall, soft tissue as a drop.
That is a picture of the place and the amount, not a computed shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import Compartment
from vertebro.cement.regions import OTHER_BONE, index_of
from vertebro.cement.site import InjectionSite
from vertebro.cement.state import InjectionState, outside_nodes_mm3

_STRETCH = {
    Compartment.DISC_ABOVE: (1.0, 1.0, 2.5),
    Compartment.DISC_BELOW: (1.0, 1.0, 2.5),
    Compartment.CANAL: (1.0, 2.5, 1.0),
    Compartment.FORAMEN: (1.0, 1.5, 1.0),
    Compartment.PARAVERTEBRAL: (1.0, 1.0, 1.0),
    Compartment.VEIN: (1.0, 1.0, 1.0),
}
"""How much harder cement goes in each direction than along the compartment (assumed: it follows
planes)."""
_VEIN_SIDEWAYS = 4.0
"""How much farther a place beside a vein counts than one along it (assumed)."""
_LEAST_MM3 = 1e-9


def route_volume_mm3(state: InjectionState, route: int) -> float:
    """Cement that left the bone by a route so far."""
    site = state.site
    outlet = int(site.network.outlet_of_route[route])
    return float(state.outlet_mm3[outlet]) + outside_nodes_mm3(site, state.flow, route)


def compartment_volumes_ml(state: InjectionState) -> dict[Compartment, float]:
    """Cement in each compartment, mL; adds up to what was injected.

    What is inside is counted, not inferred: pores, veins within the bone, and the trace that a void's
    vents let through.
    """
    site = state.site
    network = site.network
    volumes = dict.fromkeys(Compartment, 0.0)
    stored = float((site.medium.pore_volume_mm3 * state.flow.saturation).sum())
    for node, place in enumerate(network.compartment_of_node):
        if place is Compartment.INSIDE and np.isfinite(network.flow.volume_mm3[node]):
            stored += float(network.flow.volume_mm3[node] * state.flow.node_saturation[node])
    if network.vent >= 0:
        stored += float(state.outlet_mm3[network.vent])
    volumes[Compartment.INSIDE] = stored
    for number, route in enumerate(site.routes):
        volumes[route.compartment] += route_volume_mm3(state, number)
    for needle, amount in zip(site.needles, state.direct_mm3, strict=True):
        volumes[needle.outside or Compartment.INSIDE] += amount
    return {place: value / 1000.0 for place, value in volumes.items()}


def cement_fraction(state: InjectionState) -> NDArray[np.float32]:
    """(i, j, k) on the survey's patch: share of each voxel that is cement, inside and outside the bone.

    Its sum times the voxel's volume is what was injected, as far as the patch has room for it.
    """
    site = state.site
    survey = site.survey
    field = np.zeros(survey.body.shape)
    field[site.box] = site.medium.porosity * state.flow.saturation
    _add_nodes(field, state)
    free = (survey.compartments != OTHER_BONE) & ~survey.domain
    for number, route in enumerate(site.routes):
        volume = route_volume_mm3(state, number)
        if volume > _LEAST_MM3:
            _lay(field, volume, site, free, _Exit(route.compartment, route.exit_v, route.normal_v))
    for needle, amount in zip(site.needles, state.direct_mm3, strict=True):
        if amount > _LEAST_MM3 and needle.outside is not None:
            _lay(field, amount, site, free, _Exit(needle.outside, needle.tip_v, np.zeros(3)))
    return np.clip(field, 0.0, 1.0).astype(np.float32)


def _add_nodes(field: NDArray[np.float64], state: InjectionState) -> None:
    """Veins and gaps within the bone share the voxel that they pass; what does not fit goes around it."""
    site = state.site
    network, survey = site.network, site.survey
    extra = np.zeros_like(field)
    for node, place in enumerate(network.compartment_of_node):
        volume = network.flow.volume_mm3[node]
        if place is not Compartment.INSIDE or not np.isfinite(volume):
            continue
        amount = float(volume * state.flow.node_saturation[node])
        if amount > _LEAST_MM3:
            index = np.rint(survey.index_of(network.node_v[node])).astype(int)
            index = np.clip(index, 0, np.array(field.shape) - 1)
            extra[tuple(index)] += amount / survey.spacing_mm**3
    if network.vent >= 0 and state.outlet_mm3[network.vent] > 0.0:
        extra[survey.void] += state.outlet_mm3[network.vent] / survey.spacing_mm**3 / survey.void.sum()
    field += extra
    _spread_overflow(field, survey.domain)


def _spread_overflow(field: NDArray[np.float64], domain: NDArray[np.bool_]) -> None:
    """Move what exceeds a voxel to the nearest voxels of the bone with room."""
    surplus = np.argwhere(field > 1.0)
    for place in surplus:
        amount = float(field[tuple(place)] - 1.0)
        field[tuple(place)] = 1.0
        start, stop = np.maximum(place - 4, 0), np.minimum(place + 5, field.shape)
        box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        offsets = np.argwhere(domain[box]) + start
        order = np.argsort(((offsets - place) ** 2).sum(axis=1), kind="stable")
        for index in offsets[order]:
            room = 1.0 - field[tuple(index)]
            given = min(max(room, 0.0), amount)
            field[tuple(index)] += given
            amount -= given
            if amount <= 0.0:
                break


@dataclass(frozen=True, eq=False, slots=True)
class _Exit:
    """Where cement comes out."""

    place: Compartment
    start_v: NDArray[np.float64]
    normal_v: NDArray[np.float64]


def _lay(
    field: NDArray[np.float64],
    volume_mm3: float,
    site: InjectionSite,
    free: NDArray[np.bool_],
    way: _Exit,
) -> None:
    """Fill free voxels of a compartment, nearest to the exit first; then any free voxel."""
    survey, place, start, normal = site.survey, way.place, way.start_v, way.normal_v
    is_vein = place is Compartment.VEIN and bool(normal.any())
    h3 = survey.spacing_mm**3
    if is_vein:
        region = free & (survey.compartments != index_of(Compartment.CANAL))
    else:
        region = free & (survey.compartments == index_of(place))
    left = volume_mm3
    for candidates in (region, free):
        if left <= _LEAST_MM3:
            return
        index = np.argwhere(candidates & (field < 1.0))
        if not len(index):
            continue
        offset = index * survey.spacing_mm + survey.vertebra_from_patch[:3, 3] - start
        if is_vein:
            along = offset @ normal
            sideways = np.linalg.norm(offset - along[:, None] * normal, axis=1)
            distance = np.abs(along) + _VEIN_SIDEWAYS * sideways + 10.0 * (along < -1.0)
        else:
            distance = np.linalg.norm(offset * np.array(_STRETCH.get(place, (1.0, 1.0, 1.0))), axis=1)
        index = index[np.argsort(distance, kind="stable")]
        room = 1.0 - field[tuple(index.T)]
        filled = np.minimum(room, np.clip(left / h3 - (np.cumsum(room) - room), 0.0, None))
        field[tuple(index.T)] += filled
        left -= float(filled.sum()) * h3


def largest_mass(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part of a mask; empty where the mask is."""
    pieces, count = ndimage.label(mask)
    if count == 0:
        return np.zeros_like(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == int(np.argmax(sizes)), dtype=np.bool_)
