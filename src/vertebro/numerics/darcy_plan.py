"""What the flow solver needs of a porous medium: its active box, connections and resistances.

Units: mm, s, MPa; resistances are per unit of viscosity (1/mm³).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from vertebro.numerics.darcy_medium import DarcyMedium

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PipeRows:
    """Connections of every entity that has pipes, both ways, as rows.

    Entity: ghosted flat cell, or number of cells + node. ``order`` sorts the doubled list of
    connections (cell–node, then node–node, then the same reversed) into rows.
    """

    row_of: NDArray[np.int32]
    start: Ints
    end: Ints
    order: Ints


@dataclass(frozen=True, slots=True, eq=False)
class FlowPlan:
    """What the solver needs of a medium, on the box of its active cells with one layer of ghosts.

    Connection resistances are per unit of viscosity (1/mm³): half a cell along each axis, and the
    layers on faces. Outside nodes are the network's nodes followed by the six sides of the grid.
    """

    box: tuple[slice, slice, slice]
    is_active: NDArray[np.bool_]
    half: tuple[Floats, Floats, Floats]
    layer: tuple[Floats, Floats, Floats]
    pore_volume_mm3: Floats
    node_volume_mm3: Floats
    node_pressure_mpa: Floats
    node_viscosity_mpa_s: Floats
    edge_cell: Ints
    edge_node: Ints
    edge_resistance: Floats
    pipe_first: Ints
    pipe_second: Ints
    pipe_resistance: Floats
    rows: PipeRows
    permeability_mm2: Floats
    porosity: Floats


def ghosted(values: NDArray, box: tuple[slice, slice, slice]) -> NDArray:  # type: ignore[type-arg]
    """The box of an array with one layer of zeros around it."""
    return np.pad(values[box], 1)


def make_plan(medium: DarcyMedium) -> FlowPlan:
    """Crop a medium to its active cells and find all its connections."""
    k = np.broadcast_to(medium.permeability_mm2, (3, *medium.shape))
    can_flow = _joined_to_outlets(medium, (medium.porosity > 0.0) & np.all(k > 0.0, axis=0))
    where = [np.flatnonzero(can_flow.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(int(w[0]), int(w[-1]) + 1) if w.size else slice(0, 1) for w in where)
    assert len(box) == 3
    active = ghosted(can_flow, box)
    with np.errstate(divide="ignore"):
        half = [np.where(active, 0.5 / (medium.spacing_mm * ghosted(values, box)), np.inf) for values in k]
    if medium.permeability_mm2.ndim == 3:
        half = [half[0]] * 3
    layers = medium.face_resistance_per_mm
    none = np.zeros((1, 1, 1))
    layer = [none] * 3 if layers is None else [ghosted(r, box) / medium.spacing_mm**2 for r in layers]
    edges = _edges(medium, active, box, half)
    network, n_sides = medium.network, 6
    held = [np.nan if value is None else value for value in medium.border_pressure_mpa]
    node_volume = np.concatenate([network.volume_mm3, np.full(n_sides, np.inf)])
    mean_k = np.exp(np.mean([np.log(np.where(active, ghosted(values, box), 1.0)) for values in k], axis=0))
    return FlowPlan(
        box,
        active,
        (half[0], half[1], half[2]),
        (layer[0], layer[1], layer[2]),
        ghosted(medium.pore_volume_mm3, box) * active,
        node_volume,
        np.concatenate([network.held_pressure_mpa, [0.0 if np.isnan(value) else value for value in held]]),
        np.concatenate([network.resident_viscosity_mpa_s, np.full(n_sides, np.nan)]),
        *edges,
        _pipe_rows(edges, active.size, node_volume.size),
        mean_k,
        np.where(active, ghosted(medium.porosity, box), 1.0),
    )


def _edges(
    medium: DarcyMedium, active: NDArray[np.bool_], box: tuple[slice, ...], half: list[Floats]
) -> tuple[Ints, Ints, Floats, Ints, Ints, Floats]:
    """Connections of cells with nodes and open sides, and of nodes with nodes."""
    network, size = medium.network, medium.porosity.size
    number = np.full(medium.shape, -1, np.int64)
    number[box] = np.arange(active.size).reshape(active.shape)[1:-1, 1:-1, 1:-1]
    flat, is_open = number.reshape(-1), active.reshape(-1)
    kept = network.connectivity_mm3 > 0.0
    a, b = network.first[kept], network.second[kept]
    resistance = 1.0 / network.connectivity_mm3[kept]
    a, b = np.minimum(a, b), np.maximum(a, b)  # a cell's number is always below a node's
    between_nodes, to_node = (a >= size) & (a != b), (a < size) & (b >= size)
    inside = to_node.copy()
    inside[to_node] = flat[a[to_node]] >= 0
    inside[inside] = is_open[flat[a[inside]]]
    cells, nodes, values = [flat[a[inside]]], [b[inside] - size], [resistance[inside]]
    for side, pressure in enumerate(medium.border_pressure_mpa):
        axis, end = divmod(side, 2)
        if pressure is None or (box[axis].start > 0 if end == 0 else box[axis].stop < medium.shape[axis]):
            continue
        plane = [slice(None)] * 3
        plane[axis] = slice(1, 2) if end == 0 else slice(-2, -1)
        near = np.arange(active.size).reshape(active.shape)[tuple(plane)].reshape(-1)
        near = near[is_open[near]]
        cells.append(near)
        nodes.append(np.full(near.size, network.n_nodes + side))
        values.append(half[axis].reshape(-1)[near])
    return (
        np.concatenate(cells),
        np.concatenate(nodes),
        np.concatenate(values),
        a[between_nodes] - size,
        b[between_nodes] - size,
        resistance[between_nodes],
    )


def _pipe_rows(edges: tuple[Ints, Ints, Floats, Ints, Ints, Floats], n_cells: int, n_nodes: int) -> PipeRows:
    """Rows of a plan's connections."""
    edge_cell, edge_node, _, pipe_first, pipe_second, _ = edges
    a = np.concatenate([edge_cell, pipe_first + n_cells])
    b = np.concatenate([edge_node + n_cells, pipe_second + n_cells])
    origin, end = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.argsort(origin, kind="stable")
    entities, counts = np.unique(origin, return_counts=True)
    row_of = np.full(n_cells + n_nodes, -1, np.int32)
    row_of[entities] = np.arange(entities.size)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return PipeRows(row_of, start, end[order].astype(np.int64), order)


def _joined_to_outlets(medium: DarcyMedium, has_pores: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells from which a held pressure can be reached; others could not take in an incompressible fluid."""
    network, size = medium.network, medium.porosity.size
    ends = [np.stack([network.first, network.second])[:, network.connectivity_mm3 > 0.0]]
    number = np.arange(size).reshape(medium.shape)
    ground = size + network.n_nodes
    held = np.flatnonzero(np.isfinite(network.held_pressure_mpa)) + size
    ends.append(np.stack([held, np.full(held.size, ground)]))
    for axis in range(3):
        low, high = np.moveaxis(number, axis, 0)[:-1], np.moveaxis(number, axis, 0)[1:]
        pores = np.moveaxis(has_pores, axis, 0)
        joined = pores[:-1] & pores[1:]
        if medium.face_resistance_per_mm is not None:
            joined = joined & np.isfinite(np.moveaxis(medium.face_resistance_per_mm[axis], axis, 0)[:-1])
        ends.append(np.stack([low[joined], high[joined]]))
        for side, plane in ((2 * axis, number.take(0, axis)), (2 * axis + 1, number.take(-1, axis))):
            if medium.border_pressure_mpa[side] is not None:
                near = plane.reshape(-1)
                ends.append(np.stack([near, np.full(near.size, ground)]))
    both = np.concatenate(ends, axis=1)
    is_open = np.concatenate([has_pores.reshape(-1), np.ones(network.n_nodes + 1, bool)])
    both = both[:, is_open[both[0]] & is_open[both[1]]]
    graph = coo_matrix((np.ones(both.shape[1], bool), (both[0], both[1])), shape=(ground + 1, ground + 1))
    _, label = connected_components(graph, directed=False)
    joined_cells: NDArray[np.bool_] = has_pores & (label[:size] == label[ground]).reshape(medium.shape)
    return joined_cells
