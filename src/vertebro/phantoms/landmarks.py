"""Heights of all levels in the patient frame, also of those that a phantom leaves out.

Organs and ribs are placed by level. Where a level is not in the run, its place is found by stacking
average vertebrae onto the run's ends.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.morphometry import morphometry
from vertebro.phantoms.spine import PhantomVertebra

_BEYOND_MM = 60.0


def level_heights_mm(spine: tuple[PhantomVertebra, ...], body_scale: float) -> Mapping[str, float]:
    """Patient z of every level's body centre, T4 to S1."""
    table = morphometry()
    names = list(table)
    heights = {vertebra.name: float(vertebra.patient_from_body[2, 3]) for vertebra in spine}
    first, last = names.index(spine[0].name), names.index(spine[-1].name)
    for index in range(first - 1, -1, -1):
        heights[names[index]] = heights[names[index + 1]] + _step_mm(names, index, body_scale)
    for index in range(last + 1, len(names)):
        heights[names[index]] = heights[names[index - 1]] - _step_mm(names, index - 1, body_scale)
    return {name: heights[name] for name in names}


def _step_mm(names: list[str], upper: int, body_scale: float) -> float:
    """Distance between the centres of a level and the one below it; both about upright."""
    above, below = morphometry()[names[upper]], morphometry()[names[upper + 1]]
    bodies = 0.5 * (above.posterior_height_mm + below.posterior_height_mm)
    return 0.96 * body_scale * (bodies + above.disc_below_mm)


def centreline(spine: tuple[PhantomVertebra, ...]) -> NDArray[np.float64]:
    """(n, 6) rows of z, body x, body y, canal y, body half depth, body half width; even, ascending z.

    Run on straight beyond both ends.
    """
    rows = []
    for vertebra in spine[::-1]:
        p = vertebra.shape
        centre = vertebra.patient_from_body[:3, 3]
        canal = apply_affine(vertebra.patient_from_body, vertebra.posterior.canal_centre)
        half_depth = 0.25 * (p[bk.DEPTH_SUPERIOR] + p[bk.DEPTH_INFERIOR])
        half_width = 0.5 * (p[bk.HALF_WIDTH_SUPERIOR] + p[bk.HALF_WIDTH_INFERIOR])
        rows.append([centre[2], centre[0], centre[1], canal[1], half_depth, half_width])
    table = np.array(rows)
    first, last = table[0].copy(), table[-1].copy()
    first[0] -= _BEYOND_MM
    last[0] += _BEYOND_MM
    table = np.vstack([first, table, last])
    z = np.linspace(table[0, 0], table[-1, 0], 256)
    return np.column_stack([z, *(np.interp(z, table[:, 0], table[:, column]) for column in range(1, 6))])


def canal_points(spine: tuple[PhantomVertebra, ...]) -> NDArray[np.float64]:
    """(n, 5) rows of patient x, y, z, half width, half depth of the canal, ascending z, run on beyond."""
    rows = []
    for vertebra in spine:
        part = vertebra.posterior
        for z in (vertebra.shape[bk.Z_SUPERIOR], 0.0, vertebra.shape[bk.Z_INFERIOR]):
            centre = apply_affine(vertebra.patient_from_body, part.canal_centre + np.array([0.0, 0.0, z]))
            rows.append([*centre, part.canal_half_width_mm, part.canal_half_depth_mm])
    ends = []
    for row, vertebra, sign in ((rows[0], spine[0], 1.0), (rows[-1], spine[-1], -1.0)):
        axis = vertebra.patient_from_body[:3, 2]
        ends.append([*(np.array(row[:3]) + sign * 80.0 * axis), row[3], row[4]])
    points = np.array([ends[1], *rows[::-1], ends[0]])
    ordered = points[np.argsort(points[:, 2], kind="stable")]
    keep = np.concatenate([[True], np.diff(ordered[:, 2]) > 1e-3])
    return np.asarray(ordered[keep])
