"""Transport of a sharp front: cement fills the pores like a piston and what is too much moves on.

A cell (or pipe node) takes in cement until its pores are full and only then lets it flow on, shared by
the fluxes to its neighbours of lower pressure. Visiting by falling pressure makes the step implicit:
no time step is too long for it, and volume is conserved to rounding. Units: mm, s, MPa.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics import front_kernels as kernels
from vertebro.numerics.front_planes_kernels import fit_planes
USE=True
from vertebro.numerics.darcy_plan import PipeRows
from vertebro.numerics.darcy_assembly import FaceFlux

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fill_by_pistons(
    volume_mm3: Floats,
    added_mm3: Floats,
    dt_s: float,
    capacity_mm3: Floats,
    pressure_mpa: Floats,
    flux: FaceFlux,
    rows: PipeRows,
    row_transmissibility: Floats,
) -> tuple[Floats, int]:
    """Let what exceeds the capacities flow on; see the module's text.

    Parameters
    ----------
    volume_mm3, capacity_mm3, pressure_mpa : (n,) arrays
        Of all entities, cells first. What an injection adds is in ``volume_mm3`` already.
    matrix : FlowMatrix
        Its ghosted transmissibilities.
    rows, row_transmissibility
        Pipes, from the plan, and their transmissibility in the rows' order.

    Returns
    -------
    volume_mm3 : (n,) array
    n_stuck : int
        Entities that kept an excess because no neighbour has a lower pressure.
    """
    out = volume_mm3.copy()
    shape = flux.x.shape
    n_cells = flux.x.size
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.nan_to_num(volume_mm3[:n_cells] / capacity_mm3[:n_cells])
    mixed = np.flatnonzero((saturation > 1e-9) & (saturation < 1.0 - 1e-9))
    planes = np.zeros((mixed.size, 4))
    plane_of = np.full(out.size, -1, np.int32)
    if USE:
        fit_planes(np.minimum(saturation, 1.0).reshape(shape), mixed, planes)
        good = np.abs(planes[:, :3]).sum(axis=1) > 0
        plane_of[mixed[good]] = np.flatnonzero(good)
    out = volume_mm3 + added_mm3
    starts = np.union1d(np.flatnonzero(out > capacity_mm3), mixed)
    strides = (shape[1] * shape[2], shape[2])
    keys, items = np.empty(out.size), np.empty(out.size, np.int64)
    stuck = kernels.push_pistons(
        out, capacity_mm3, pressure_mpa, flux.x.reshape(-1), flux.y.reshape(-1), flux.z.reshape(-1),
        strides, flux.x.size, rows.row_of, rows.start, rows.end, row_transmissibility, starts,
        keys, items, np.zeros(out.size, np.int32), dt_s, plane_of, planes,
    )  # fmt: skip
    return out, int(stuck)
