"""Routes as a pipe network on the flow grid: nodes along veins, a node for each gap, an outlet for each.

Connectivities are lengths cubed (mm³): ``πr⁴/(8L)`` for a tube, ``b w³/(12 t)`` for a slit of breadth
b, opening w, through a wall of thickness t, ``kA/(h/2)`` from a cell's centre to its face.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from vertebro.case import Compartment
from vertebro.cement.routes import OUTSIDE_VEIN_MM, SHELL_MM, Route
from vertebro.cement.survey import LevelSurvey
from vertebro.materials.bone_flow import BoneFlowSettings
from vertebro.numerics.darcy_medium import FlowNetwork
from vertebro.units import MPA_S_PER_PA_S

SPACING_MM = 2.0
"""Distance between nodes along a vein."""
VENT_MM3 = 2e-6
"""Connectivity by which a void's cell lets gas out: wide for gas, closed for cement (10 million times
as thick)."""
WIDEST_SLIT_MM = 2.5
"""Hydraulic opening of the widest gap; wider ones are bounded by the tissue before them (assumed)."""
GAS_PA_S = 0.01
"""Viscosity given to gas: far below marrow's, high enough to keep the equations well behaved (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class RouteNetwork:
    """The pipes of a level."""

    flow: FlowNetwork
    outlet_of_route: NDArray[np.int64]
    """(r,): node of each route's outlet."""
    nodes_of_route: tuple[NDArray[np.int64], ...]
    """Nodes inside the bone and on the way out, of each route, the outlet left out."""
    node_v: NDArray[np.float64]
    """(m, 3): place of each node."""
    compartment_of_node: tuple[Compartment, ...]
    """Where cement in a node counts: inside until the exit."""
    vent: int
    """Node by which voids let gas out; −1 without voids."""


@dataclass(slots=True)
class _Builder:
    size: int
    volume: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    place: list[NDArray[np.float64]] = field(default_factory=list)
    compartment: list[Compartment] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    second: list[int] = field(default_factory=list)
    connectivity: list[float] = field(default_factory=list)

    def node(
        self,
        place: NDArray[np.float64],
        volume: float,
        compartment: Compartment = Compartment.INSIDE,
        held: float = np.nan,
    ) -> int:
        self.volume.append(max(volume, 1e-6))
        self.held.append(held)
        self.place.append(np.asarray(place, dtype=np.float64))
        self.compartment.append(compartment)
        return len(self.volume) - 1

    def join(self, first: int, second: int, connectivity: float) -> None:
        self.first.append(first + self.size)
        self.second.append(second + self.size)
        self.connectivity.append(connectivity)

    def tap(self, cell: int, node: int, connectivity: float) -> None:
        self.first.append(cell)
        self.second.append(node + self.size)
        self.connectivity.append(connectivity)


@dataclass(frozen=True, eq=False, slots=True)
class FlowCells:
    """The flow grid's open cells, for finding them by place."""

    shape: tuple[int, int, int]
    spacing_mm: float
    origin_v: NDArray[np.float64]
    """Centre of cell (0, 0, 0)."""
    permeability_mm2: NDArray[np.float64]
    """(i, j, k): geometric mean of the directions; 0 where closed."""
    open_cells: NDArray[np.int64]
    """Flat indices."""
    tree: cKDTree

    @classmethod
    def of(
        cls, permeability_mm2: NDArray[np.float64], origin_v: NDArray[np.float64], spacing_mm: float
    ) -> FlowCells:
        """The cells of a grid in which something flows."""
        open_cells = np.flatnonzero(permeability_mm2.reshape(-1) > 0.0)
        index = np.stack(np.unravel_index(open_cells, permeability_mm2.shape), axis=1)
        tree = cKDTree(index * spacing_mm + origin_v)
        a, b, c = permeability_mm2.shape
        return cls((a, b, c), spacing_mm, origin_v, permeability_mm2, open_cells, tree)

    def nearest(self, point_v: NDArray[np.float64]) -> int:
        """Flat index of the open cell nearest to a point."""
        return int(self.open_cells[int(self.tree.query(point_v)[1])])

    def within(self, point_v: NDArray[np.float64], reach_mm: float) -> NDArray[np.int64]:
        """Flat indices of open cells within a reach, rising; the nearest one if none is."""
        found = self.tree.query_ball_point(point_v, reach_mm)
        if not found:
            return np.array([self.nearest(point_v)])
        return np.sort(self.open_cells[np.asarray(found, dtype=np.int64)])


def build_network(
    survey: LevelSurvey,
    routes: tuple[Route, ...],
    cells: FlowCells,
    void_cells: NDArray[np.int64],
    bone: BoneFlowSettings,
) -> RouteNetwork:
    """Embed routes in a flow grid.

    Parameters
    ----------
    survey : LevelSurvey
    routes : tuple of Route
    cells : FlowCells
    void_cells : (n,) int array
        Flat indices of cells that hold gas.
    bone : BoneFlowSettings

    Returns
    -------
    RouteNetwork
        Every route ends at an outlet held at the pressure of the veins, which all pressures are above.
    """
    builder = _Builder(int(np.prod(cells.shape)))
    outlets, inner = [], []
    for route in routes:
        before = len(builder.volume)
        outlets.append(_vein(builder, route, cells) if route.radius_mm > 0.0 else _gap(builder, route, cells))
        inner.append(np.array([n for n in range(before, len(builder.volume)) if n != outlets[-1]], np.int64))
    vent = -1
    if len(void_cells):
        middle = survey.vertebra_from_patch[:3, 3]
        vent = builder.node(middle, np.inf, Compartment.INSIDE, 0.0)
        for cell in void_cells:
            builder.tap(int(cell), vent, VENT_MM3)
    blood = bone.vein_blood_pa_s * MPA_S_PER_PA_S
    flow = FlowNetwork(
        volume_mm3=np.array(builder.volume),
        held_pressure_mpa=np.array(builder.held),
        resident_viscosity_mpa_s=np.full(len(builder.volume), blood),
        first=np.array(builder.first, np.int64),
        second=np.array(builder.second, np.int64),
        connectivity_mm3=np.array(builder.connectivity),
    )
    return RouteNetwork(
        flow=flow,
        outlet_of_route=np.array(outlets, np.int64),
        nodes_of_route=tuple(inner),
        node_v=np.array(builder.place).reshape(-1, 3),
        compartment_of_node=tuple(builder.compartment),
        vent=vent,
    )


def _vein(builder: _Builder, route: Route, cells: FlowCells) -> int:
    """Nodes along trunk and tributaries, each open to the bone around it; returns the outlet."""
    trunk = _string(builder, route.path_v, route.radius_mm, cells)
    for branch in route.branches_v:
        nodes = _string(builder, branch, 0.7 * route.radius_mm, cells)
        start = builder.place[trunk[0]]
        gap = max(float(np.linalg.norm(builder.place[nodes[-1]] - start)), 0.5 * SPACING_MM)
        builder.join(nodes[-1], trunk[0], _tube(0.7 * route.radius_mm, gap))
    outside_mm3 = np.pi * route.radius_mm**2 * OUTSIDE_VEIN_MM
    way = builder.node(route.exit_v + route.normal_v, outside_mm3, route.compartment)
    outlet = builder.node(route.exit_v + OUTSIDE_VEIN_MM * route.normal_v, np.inf, route.compartment, 0.0)
    builder.join(trunk[-1], way, _tube(route.radius_mm, 0.5 * OUTSIDE_VEIN_MM))
    builder.join(way, outlet, _tube(route.radius_mm, 0.5 * OUTSIDE_VEIN_MM))
    return outlet


def _string(builder: _Builder, path_v: NDArray[np.float64], radius: float, cells: FlowCells) -> list[int]:
    """Nodes along a line, from its inner end to its exit, joined with each other and with the bone."""
    start, end = path_v[0], path_v[-1]
    length = float(np.linalg.norm(end - start))
    count = max(int(np.ceil(length / SPACING_MM)), 1) + 1
    step = length / max(count - 1, 1)
    nodes: list[int] = []
    for share in np.linspace(0.0, 1.0, count):
        place = start + share * (end - start)
        node = builder.node(place, np.pi * radius**2 * max(step, 0.5))
        cell = cells.nearest(place)
        builder.tap(cell, node, _wall_tap(cells, cell, radius, max(step, 0.5)))
        if nodes:
            builder.join(nodes[-1], node, _tube(radius, max(step, 0.5)))
        nodes.append(node)
    return nodes


def _wall_tap(cells: FlowCells, cell: int, radius: float, step: float) -> float:
    """From the bone around a vein into it: a line well in a cell, ``2πk·ds/ln(0.2 h/r)``, bounded below."""
    k = float(cells.permeability_mm2.reshape(-1)[cell])
    drop = max(np.log(max(0.2 * cells.spacing_mm / radius, 1.0)), 0.5)
    return float(2.0 * np.pi * k * step / drop)


def _tube(radius: float, length: float) -> float:
    return float(np.pi * radius**4 / (8.0 * length))


def _gap(builder: _Builder, route: Route, cells: FlowCells) -> int:
    """A node in the wall, open to the cells behind it, and a slit to the outlet; returns the outlet."""
    width = min(route.width_mm, WIDEST_SLIT_MM)
    breadth = max(route.breadth_mm, width)
    node = builder.node(route.exit_v, width * breadth * SHELL_MM)
    behind = cells.within(route.exit_v, max(0.5 * breadth, 0.75 * cells.spacing_mm))
    inner = route.path_v[0]
    depth = float(np.linalg.norm(route.exit_v - inner))
    for part in np.arange(SPACING_MM, depth + 0.5 * SPACING_MM, SPACING_MM):
        place = route.exit_v + (inner - route.exit_v) * min(part / depth, 1.0)
        behind = np.union1d(behind, cells.within(place, 0.75 * cells.spacing_mm))
    share = min(1.0, width * breadth / (len(behind) * cells.spacing_mm**2))
    flat = cells.permeability_mm2.reshape(-1)
    for cell in behind:
        builder.tap(int(cell), node, float(flat[cell]) * 2.0 * cells.spacing_mm * share)
    outlet = builder.node(route.exit_v + 2.0 * route.normal_v, np.inf, route.compartment, 0.0)
    builder.join(node, outlet, breadth * width**3 / (12.0 * SHELL_MM))
    return outlet
