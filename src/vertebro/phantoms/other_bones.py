"""Bones that carry no label: ribs and the wings of the pelvis, as chains of elliptic capsules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.grid import Trunk
from vertebro.phantoms.posterior import ASPECT, END, LONG_AXIS, N_CAPSULE, RADIUS_END, RADIUS_START, START
from vertebro.phantoms.settings import PhantomSettings
from vertebro.phantoms.spine import PhantomVertebra

_RIB_END_DEG = {"T11": 100.0, "T12": 62.0}
"""How far round the trunk the floating ribs reach from the back's midline; assumed."""
_FULL_RIB_END_DEG = 140.0


def make_ribs(
    spine: tuple[PhantomVertebra, ...], settings: PhantomSettings, trunk: Trunk
) -> list[NDArray[np.float64]]:
    """One (n, N_CAPSULE) chain in the patient frame for each rib of the run's thoracic levels."""
    chains: list[NDArray[np.float64]] = []
    for vertebra in spine:
        if vertebra.name[0] == "T":
            paths = [_rib_path(vertebra, settings, trunk, side) for side in (1.0, -1.0)]
            chains.extend(_chain(path, settings.body_scale) for path in paths)
    return chains


def _rib_path(
    vertebra: PhantomVertebra, settings: PhantomSettings, trunk: Trunk, side: float
) -> NDArray[np.float64]:
    """Points from a rib's head, past the transverse process, round the chest and downwards."""
    p, scale = vertebra.shape, settings.body_scale
    back = p[bk.BACK_Y]
    is_low = vertebra.name in ("T11", "T12")
    head_z = 1.0 if is_low or vertebra.name == "T10" else 0.40 * (p[bk.Z_SUPERIOR] - p[bk.Z_INFERIOR])
    span = vertebra.sizes.transverse_half_span_mm * scale
    depth = vertebra.sizes.canal_depth_mm * scale
    local = [
        (side * 0.93 * p[bk.HALF_WIDTH_INFERIOR], back + 5.0, head_z),
        (side * (span - 5.0), back - 1.0 * depth, head_z * 0.5 + 1.0),
        (side * (span + 7.0), back - 1.35 * depth, head_z * 0.3 - 1.0),
    ]
    start = apply_affine(vertebra.patient_from_body, np.array(local))
    inset = 0.95 * settings.fat_mm + 9.0
    a, b = trunk.half_width_mm - inset, trunk.half_depth_mm - inset
    end = _RIB_END_DEG.get(vertebra.name, _FULL_RIB_END_DEG)
    angles = np.radians(np.linspace(32.0, end, 9))
    drop = np.array([0.55 * (angle - angles[0]) * 62.0 for angle in angles])
    round_chest = np.column_stack(
        [
            side * a * np.abs(np.sin(angles)) ** 0.8,
            trunk.centre_y_mm - b * np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.8,
            start[-1, 2] - 6.0 - drop,
        ]
    )
    return np.vstack([start, round_chest])


def _chain(points: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Rib segments: flat, their long axis downwards."""
    rows = np.zeros((len(points) - 1, N_CAPSULE))
    for index, row in enumerate(rows):
        row[START], row[END] = points[index], points[index + 1]
        row[RADIUS_START] = row[RADIUS_END] = (4.0 if index < 2 else 3.3) * scale
        row[LONG_AXIS] = (0.0, 0.0, 1.0)
        row[ASPECT] = 1.25 if index < 2 else 1.75
        row[-1] = index
    return rows


def make_pelvis(
    heights: Mapping[str, float], settings: PhantomSettings, s1_y: float
) -> list[NDArray[np.float64]]:
    """The two iliac wings, placed by the height of S1 and its body's y."""
    scale = settings.body_scale
    z = heights["S1"] - 4.0
    chains = []
    for side in (1.0, -1.0):
        points = np.array(
            [
                (side * 50.0, s1_y - 52.0, z - 4.0),
                (side * 66.0, s1_y - 34.0, z + 2.0),
                (side * 92.0, s1_y - 4.0, z + 6.0),
                (side * 116.0, s1_y + 34.0, z + 2.0),
            ]
        ) * (scale, 1.0, 1.0)
        chain = np.zeros((3, N_CAPSULE))
        radii = (7.5, 5.5, 3.6, 4.2)
        for index, row in enumerate(chain):
            row[START], row[END] = points[index], points[index + 1]
            row[RADIUS_START], row[RADIUS_END] = radii[index] * scale, radii[index + 1] * scale
            row[LONG_AXIS] = np.array([side * 0.28, 0.0, 1.0]) / np.hypot(0.28, 1.0)
            row[ASPECT] = (5.5, 7.5, 8.5)[index]
            row[-1] = index
        chains.append(chain)
    return chains
