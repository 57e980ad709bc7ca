"""Transport of a sharp front: cement fills the pores like a piston and what is too much moves on.

A cell (or pipe node) takes in cement until its pores are full and only then lets it flow on, shared by
the fluxes to its neighbours of lower pressure. Visiting by falling pressure makes the step implicit:
no time step is too long for it, and volume is conserved to rounding. Units: mm, s, MPa.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics import front_kernels as kernels
from vertebro.numerics.darcy_plan import PipeRows
from vertebro.numerics.darcy_pressure import FlowMatrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fill_by_pistons(
    volume_mm3: Floats,
    capacity_mm3: Floats,
    pressure_mpa: Floats,
    matrix: FlowMatrix,
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
    starts = np.flatnonzero(out > capacity_mm3)
    shape = matrix.is_active.shape
    strides = (shape[1] * shape[2], shape[2])
    keys, items = np.empty(out.size), np.empty(out.size, np.int64)
    stuck = kernels.push_pistons(
        out, capacity_mm3, pressure_mpa, matrix.tx.reshape(-1), matrix.ty.reshape(-1), matrix.tz.reshape(-1),
        strides, matrix.is_active.size, rows.row_of, rows.start, rows.end, row_transmissibility, starts,
        keys, items, np.zeros(out.size, np.int32),
    )  # fmt: skip
    return out, int(stuck)
