"""Transport of a sharp front: planes inside mixed cells, and pistons where cells are full.

A cell that is partly filled holds its cement behind a plane, whose normal comes from the cells around;
through each face leaves what of the slab flowing out lies behind the plane. What exceeds a cell's (or
pipe node's) pores flows on at once, shared by the fluxes to neighbours of lower pressure. Visiting by
falling pressure makes that part implicit: no time step is too long, and volume is conserved to rounding.
Units: mm, s, MPa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics import front_kernels as kernels
from vertebro.numerics.darcy_assembly import FaceFlux
from vertebro.numerics.darcy_plan import PipeRows
from vertebro.numerics.front_planes_kernels import fit_planes

Floats = NDArray[np.float64]

_NEARLY = 1e-9  # a cell filled to within this of empty or full has no plane


@dataclass(frozen=True, slots=True)
class FlowField:
    """Where cement may go: capacities and pressures of all entities (cells, then nodes), and their fluxes.

    ``pipe_transmissibility`` is in the order of ``rows``.
    """

    capacity_mm3: Floats
    pressure_mpa: Floats
    flux: FaceFlux
    rows: PipeRows
    pipe_transmissibility: Floats


def fill_by_pistons(
    volume_mm3: Floats, added_mm3: Floats, field: FlowField, dt_s: float
) -> tuple[Floats, int]:
    """Move cement for a time; see the module's text.

    Parameters
    ----------
    volume_mm3, added_mm3 : (n,) arrays
        Cement in every entity, and what mouths add to it during the time.
    field : FlowField
    dt_s : float

    Returns
    -------
    volume_mm3 : (n,) array
    n_stuck : int
        Entities that kept an excess because no neighbour has a lower pressure.
    """
    shape, n_cells = field.flux.x.shape, field.flux.x.size
    capacity = field.capacity_mm3
    part = np.zeros(n_cells)
    np.divide(volume_mm3[:n_cells], capacity[:n_cells], out=part, where=capacity[:n_cells] > 0.0)
    np.minimum(part, 1.0, out=part)
    mixed = np.flatnonzero((part > _NEARLY) & (part < 1.0 - _NEARLY))
    planes = np.zeros((mixed.size, 4))
    fit_planes(part.reshape(shape), mixed, planes)
    has_plane = planes[:, 3] > 0.0
    plane_of = np.full(volume_mm3.size, -1, np.int32)
    plane_of[mixed[has_plane]] = np.flatnonzero(has_plane)
    out = volume_mm3 + added_mm3
    is_start = out > capacity
    is_start[mixed] = True
    fluxes = np.stack([field.flux.x.reshape(-1), field.flux.y.reshape(-1), field.flux.z.reshape(-1)])
    stuck = kernels.push_pistons(
        out, capacity, field.pressure_mpa, fluxes, (shape[1] * shape[2], shape[2]), field.rows.row_of,
        field.rows.start, field.rows.end, field.pipe_transmissibility, np.flatnonzero(is_start),
        np.empty(out.size), np.empty(out.size, np.int64), np.zeros(out.size, np.int32), dt_s,
        plane_of, planes,
    )  # fmt: skip
    return out, int(stuck)
