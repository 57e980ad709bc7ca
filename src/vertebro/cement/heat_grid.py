"""The box of cells around the cement in which its heat is followed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.imaging import ScalarVolume
from vertebro.materials.thermal import THERMAL_TISSUES, CementHeat, ThermalTissue
from vertebro.numerics.heat import HeatProblem, heat_problem

_ROOM_FOR_CEMENT = 0.85
"""Pore space of cancellous bone: voxels filled to this have no marrow, hence no blood, left (assumed)."""
_LEAST_FRACTION = 1e-4
"""Less cement than this in a voxel is left out (assumed: below float32's own rounding of a fill)."""


@dataclass(frozen=True, eq=False, slots=True)
class HeatGrid:
    """Cells around the cement, each a whole number of voxels wide."""

    problem: HeatProblem
    box: tuple[slice, slice, slice]
    """Part of the cement's grid that is covered."""
    factor: tuple[int, int, int]
    """Voxels in a cell along each axis."""
    fraction: NDArray[np.float64]
    """(i, j, k): cement share of each cell."""
    cement_cells: NDArray[np.int64]
    """Flat indices of the cells with cement."""
    cement_cm3: NDArray[np.float64]
    """Volume of cement in each of them."""
    cell_cm3: float

    def start_theta(self, cement_kelvin: float, cement: CementHeat) -> NDArray[np.float64]:
        """Temperature above the body's after cement and tissue of a cell have shared their heat."""
        theta = np.zeros(self.fraction.shape)
        share = (
            cement.heat_capacity_j_cm3k * self.cement_cm3 / self.problem.capacity.ravel()[self.cement_cells]
        )
        theta.ravel()[self.cement_cells] = cement_kelvin * share
        return theta

    def joined(self, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Cells of which at least one voxel is in a mask of the whole grid."""
        return np.asarray(_joined(values[self.box].astype(np.float64), self.factor) > 0.0)

    def spread(
        self, values: NDArray[np.float64], shape: tuple[int, ...], outside: float
    ) -> NDArray[np.float32]:
        """Cell values as a field on the whole grid; ``outside`` where no cell is."""
        field = np.full(shape, outside, dtype=np.float32)
        fine = values
        for axis, count in enumerate(self.factor):
            fine = np.repeat(fine, count, axis=axis)
        room = field[self.box].shape
        field[self.box] = fine[: room[0], : room[1], : room[2]]
        return field


def heat_grid(
    cement_fraction: ScalarVolume,
    tissue: NDArray[np.uint8],
    cement: CementHeat,
    *,
    margin_mm: float,
    cell_mm: float,
    perfusion: float,
) -> HeatGrid | None:
    """Cells around the cement; None where there is no cement.

    Conductivities mix as a random composite (geometric mean), heat capacities by volume.
    """
    share = np.clip(cement_fraction.values, 0.0, 1.0).astype(np.float64)
    share[share < _LEAST_FRACTION] = 0.0
    if not share.any():
        return None
    spacing = cement_fraction.geometry.spacing_mm
    factor = tuple(max(1, round(cell_mm / step)) for step in spacing)
    box = _box(share > 0.0, spacing, margin_mm)
    fields = _tissue_fields(tissue[box], share[box], cement, perfusion)
    conductivity, capacity, loss, fraction = (_joined(item, factor) for item in (*fields, share[box]))
    cell = tuple(step * count for step, count in zip(spacing, factor, strict=True))
    cell_cm3 = cell[0] * cell[1] * cell[2] / 1000.0
    problem = heat_problem(conductivity, capacity, loss, (cell[0], cell[1], cell[2]), faces_held=True)
    cells = np.flatnonzero(fraction > 0.0)
    return HeatGrid(
        problem,
        box,
        (factor[0], factor[1], factor[2]),
        fraction,
        cells.astype(np.int64),
        fraction.ravel()[cells] * cell_cm3,
        cell_cm3,
    )


def _tissue_fields(
    tissue: NDArray[np.uint8], share: NDArray[np.float64], cement: CementHeat, perfusion: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Conductivity, heat capacity and loss of each voxel, its cement mixed in."""
    rows = [THERMAL_TISSUES[kind] for kind in ThermalTissue]
    index = np.minimum(tissue, len(rows) - 1)
    conductivity = np.array([row.conductivity_w_mk for row in rows])[index]
    capacity = np.array([row.heat_capacity_j_cm3k for row in rows])[index]
    flow = [row.loss_w_m3k for row in rows]
    blood = np.array(
        [
            loss if kind is ThermalTissue.BATH else perfusion * loss
            for kind, loss in zip(ThermalTissue, flow, strict=True)
        ]
    )[index]
    mixed = np.exp((1.0 - share) * np.log(conductivity) + share * np.log(cement.conductivity_w_mk))
    return (
        mixed,
        (1.0 - share) * capacity + share * cement.heat_capacity_j_cm3k,
        blood * np.clip(1.0 - share / _ROOM_FOR_CEMENT, 0.0, 1.0),
    )


def _box(
    mask: NDArray[np.bool_], spacing: tuple[float, float, float], margin_mm: float
) -> tuple[slice, slice, slice]:
    parts = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        border = int(np.ceil(margin_mm / spacing[axis]))
        parts.append(slice(max(int(hit[0]) - border, 0), min(int(hit[-1]) + border + 1, mask.shape[axis])))
    return parts[0], parts[1], parts[2]


def _joined(values: NDArray[np.float64], factor: tuple[int, ...]) -> NDArray[np.float64]:
    """Mean over blocks of voxels; the last block of an axis is filled up with its own edge."""
    if factor == (1, 1, 1):
        return np.ascontiguousarray(values)
    short = [(0, -size % count) for size, count in zip(values.shape, factor, strict=True)]
    padded = np.pad(values, short, mode="edge")
    shape = [
        part for size, count in zip(padded.shape, factor, strict=True) for part in (size // count, count)
    ]
    return np.ascontiguousarray(padded.reshape(shape).mean(axis=(1, 3, 5)))
