"""From a medium and the fluids in it to the matrix of Darcy flow. Units: mm, s, MPa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from vertebro.numerics import darcy_assembly_kernels as kernels
from vertebro.numerics.darcy_multigrid import Bands, NodeLinks
from vertebro.numerics.darcy_plan import FlowPlan
from vertebro.numerics.darcy_pressure import FlowMatrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Connections:
    """Matrix of the free unknowns, what held pressures send in, and every pipe's transmissibility.

    ``edges`` joins ``plan.edge_cell`` and ``plan.edge_node``; ``pipes`` joins nodes; ``free`` lists the
    nodes whose pressure is unknown.
    """

    matrix: FlowMatrix
    held_cells: Floats
    held_nodes: Floats
    edges: Floats
    pipes: Floats
    free: Ints


def connect(plan: FlowPlan, viscosity: Floats, node_viscosity: Floats, bands: Bands) -> Connections:
    """Transmissibilities for the given viscosities (ghosted cells, all nodes).

    A pipe's viscosity is the mean of its two ends; an outlet or open side takes that of its other end
    where its own is not known (nan).
    """
    faces = []
    for axis in range(3):
        t = np.zeros_like(viscosity)
        arguments = (t, viscosity, plan.half[axis], plan.layer[axis], axis)
        bands.run(kernels.join_cells, arguments, t.shape[0] - 2, t.size)
        faces.append(t)
    at_cell, at_node = viscosity.reshape(-1)[plan.edge_cell], node_viscosity[plan.edge_node]
    edges = 1.0 / (0.5 * (at_cell + np.where(np.isnan(at_node), at_cell, at_node)) * plan.edge_resistance)
    ends = node_viscosity[plan.pipe_first], node_viscosity[plan.pipe_second]
    pipes = 1.0 / (0.5 * (ends[0] + ends[1]) * plan.pipe_resistance)
    is_held = np.isfinite(plan.node_pressure_mpa)
    free = np.flatnonzero(~is_held)
    number = np.full(is_held.size, -1, np.int64)
    number[free] = np.arange(free.size)
    to_held = is_held[plan.edge_node]
    sink, sent = np.zeros(viscosity.shape), np.zeros(viscosity.shape)
    np.add.at(sink.reshape(-1), plan.edge_cell[to_held], edges[to_held])
    pressure = plan.node_pressure_mpa[plan.edge_node[to_held]]
    np.add.at(sent.reshape(-1), plan.edge_cell[to_held], edges[to_held] * pressure)
    links = NodeLinks(plan.edge_cell[~to_held], number[plan.edge_node[~to_held]], edges[~to_held])
    node_matrix, held_nodes = _node_block(plan, pipes, links, number, free.size)
    matrix = FlowMatrix(faces[0], faces[1], faces[2], sink, links, node_matrix, plan.is_active)
    return Connections(matrix, sent, held_nodes, edges, pipes, free)


def _node_block(
    plan: FlowPlan, pipes: Floats, links: NodeLinks, number: Ints, n_free: int
) -> tuple[object, Floats]:
    a, b = number[plan.pipe_first], number[plan.pipe_second]
    diagonal = np.bincount(links.node, links.transmissibility, n_free)
    diagonal = diagonal + np.bincount(a[a >= 0], pipes[a >= 0], n_free)
    diagonal = diagonal + np.bincount(b[b >= 0], pipes[b >= 0], n_free)
    sent = np.zeros(n_free)
    for near, far_node, far in ((a, plan.pipe_second, b), (b, plan.pipe_first, a)):
        held = (near >= 0) & (far < 0)
        np.add.at(sent, near[held], pipes[held] * plan.node_pressure_mpa[far_node[held]])
    both = (a >= 0) & (b >= 0)
    lone = diagonal == 0.0  # a node with no connection at all: any pressure will do
    rows = np.concatenate([a[both], b[both], np.arange(n_free)])
    columns = np.concatenate([b[both], a[both], np.arange(n_free)])
    values = np.concatenate([-pipes[both], -pipes[both], np.where(lone, 1.0, diagonal)])
    return coo_matrix((values, (rows, columns)), shape=(n_free, n_free)).tocsc(), sent


@dataclass(frozen=True, slots=True)
class FaceFlux:
    """Volume rates through the faces of ghosted cells, mm³/s; positive towards the next along x, y, z."""

    x: Floats
    y: Floats
    z: Floats


def evening_flux(matrix: FlowMatrix, pressure: Floats, bands: Bands) -> FaceFlux:
    """What to add to two-point fluxes so that their error does not depend on direction; see the kernel."""
    parts = []
    for axis, t in enumerate((matrix.tx, matrix.ty, matrix.tz)):
        c = np.zeros_like(t)
        bands.run(kernels.even_out, (c, pressure, t, axis), c.shape[0] - 2, c.size)
        parts.append(c)
    return FaceFlux(*parts)


def inflow(q: Floats, flux: FaceFlux, bands: Bands) -> Floats:
    """``q`` with what face fluxes bring into every cell."""
    out = q.copy()
    bands.run(kernels.add_inflow, (out, flux.x, flux.y, flux.z), out.shape[0] - 2, out.size)
    return out


def face_flux(matrix: FlowMatrix, pressure: Floats, evening: FaceFlux, bands: Bands) -> FaceFlux:
    """Two-point fluxes plus the evening ones."""
    parts = [evening.x.copy(), evening.y.copy(), evening.z.copy()]
    for axis, (c, t) in enumerate(zip(parts, (matrix.tx, matrix.ty, matrix.tz), strict=True)):
        bands.run(kernels.add_flux, (c, pressure, t, axis), c.shape[0] - 2, c.size)
    return FaceFlux(*parts)


def cell_speeds(flux: FaceFlux, area_mm2: float, bands: Bands) -> Floats:
    """Superficial speed of every ghosted cell, mm/s."""
    speed = np.zeros_like(flux.x)
    arguments = (speed, flux.x, flux.y, flux.z, area_mm2)
    bands.run(kernels.flux_speeds, arguments, speed.shape[0] - 2, speed.size)
    return speed
