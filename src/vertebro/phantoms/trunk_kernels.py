"""Painting a trunk: skin, fat, muscle, vessels, organs, lungs, air and the scanner's table.

Patient frame: x right, y anterior, z superior (mm). Muscles and vessels are placed against the spine's
centreline, so they follow its curves; organs stand in the trunk. All shapes are assumed, by looks.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vertebro.phantoms.compiled import compiled, compiled_parallel
from vertebro.phantoms.noise import value_noise

AIR_HU: Final = -1000.0
FAT_HU: Final = -105.0
MUSCLE_HU: Final = 55.0
SKIN_HU: Final = 10.0
LUNG_HU: Final = -860.0
SKIN_MM: Final = 2.0

HALF_WIDTH: Final = 0
HALF_DEPTH: Final = 1
CENTRE_Y: Final = 2
BACK_Y: Final = 3
FAT_MM: Final = 4
T9_Z: Final = 5
L1_Z: Final = 6
L4_Z: Final = 7
S1_Z: Final = 8
VESSEL_HU: Final = 9
HAS_TABLE: Final = 10
SCALE: Final = 11
N_TRUNK: Final = 12
"""Length of a trunk vector; the names above are its entries."""


@compiled
def _ease(value: float, zero: float, one: float) -> float:
    """0 at ``zero``, 1 at ``one``, smooth between."""
    t = min(max((value - zero) / (one - zero), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@compiled
def _oval(x: float, y: float, half_x: float, half_y: float) -> float:
    """Below 1 inside an ellipse about the origin."""
    return (x / half_x) ** 2 + (y / half_y) ** 2


@compiled
def skin_depth(trunk: NDArray[np.float64], x: float, y: float, z: float) -> float:
    """Depth below the skin (mm), negative outside."""
    half_width = trunk[HALF_WIDTH] * (1.0 - 0.05 * math.exp(-(((z - trunk[L4_Z] - 20.0) / 60.0) ** 2)))
    dy = y - trunk[CENTRE_Y]
    u, v = abs(x) / half_width, abs(dy) / trunk[HALF_DEPTH]
    power = u * u * math.sqrt(u) + v * v * math.sqrt(v)
    if power > 1.3:
        return -50.0
    size = max(power, 1e-9) ** 0.4
    depth = (1.0 / size - 1.0) * math.sqrt(x * x + dy * dy)
    if dy < 0.0:
        depth -= 8.0 * math.exp(-((x / 20.0) ** 2))
    return float(depth)


@compiled
def _muscle(x: float, y: float, z: float, streaks: float, seed: int) -> float:
    """Muscle with streaks of fat: more of them with larger ``streaks``."""
    grain = value_noise(x / 6.5, y / 5.0, z / 30.0, seed)
    edge = abs(grain) / max(streaks, 1e-3)
    if edge < 1.0:
        return MUSCLE_HU - 115.0 * (1.0 - edge * edge)
    return MUSCLE_HU + 14.0 * grain


@compiled
def _back_muscles(
    trunk: NDArray[np.float64], row: NDArray[np.float64], x: float, y: float, z: float, seed: int
) -> float:
    """CT value behind and beside the spine, or 1e9 where there is no muscle of the back."""
    scale = trunk[SCALE]
    ax, thorax = abs(x - row[1]), _ease(z, trunk[L1_Z], trunk[T9_Z])
    dy = y - row[3]
    half_x, half_y = (31.0 - 7.0 * thorax) * scale, (25.0 - 7.0 * thorax) * scale
    erector = _oval(ax - (37.0 - 9.0 * thorax) * scale, dy + (40.0 - 6.0 * thorax) * scale, half_x, half_y)
    if erector < 1.3:
        erector += 0.30 * value_noise(x / 14.0, y / 14.0, z / 40.0, seed + 11)
    if erector < 1.0:
        return FAT_HU + 40.0 if erector > 0.95 else _muscle(ax, y, z, 0.07, seed)
    multifidus = _oval(ax - 13.0 * scale, dy + 31.0 * scale, 12.0 * scale, 22.0 * scale)
    if multifidus < 1.0:
        return _muscle(ax, y, z, 0.13, seed + 1)
    if ax < 5.0 and -62.0 * scale < dy < -8.0:
        return 20.0 + 60.0 * value_noise(x / 3.0, y / 4.0, z / 4.0, seed)
    lumbar = _ease(z, trunk[L1_Z] + 26.0, trunk[L1_Z] - 50.0)
    if lumbar > 0.0:
        grow = 0.35 + 0.65 * _ease(z, trunk[L1_Z], trunk[L4_Z])
        away = row[5] + (2.0 + 15.0 * grow) * scale
        psoas = _oval(ax - away, y - row[2] + 4.0, 17.0 * grow * scale, 22.0 * grow * scale)
        if psoas < 1.0:
            return _muscle(ax, y, z, 0.02, seed + 2)
        side = 62.0 * scale
        if z > trunk[S1_Z] + 25.0 and _oval(ax - side, dy + 14.0, 20.0 * lumbar, 12.0 * lumbar) < 1.0:
            return _muscle(ax, y, z, 0.04, seed + 3)
    return 1e9


@compiled
def _vessels(
    trunk: NDArray[np.float64], row: NDArray[np.float64], x: float, y: float, z: float, seed: int
) -> float:
    """Aorta (calcified in places), vena cava and crura, or 1e9."""
    dx, dy = x - row[1], y - row[2] - row[4]
    thorax = _ease(z, trunk[L1_Z] + 20.0, trunk[T9_Z])
    if z > trunk[L4_Z] - 6.0:
        ex, ey = dx + 8.0 + 9.0 * thorax, dy - 12.0 + 5.0 * thorax
        radius = math.sqrt(ex * ex + ey * ey)
        wall = 9.6 + 1.6 * thorax
    else:
        spread = 8.0 + 0.42 * (trunk[L4_Z] - z)
        ex, ey = abs(dx + 2.0) - spread + 5.0, dy - 11.0 + 0.10 * (trunk[L4_Z] - z)
        radius, wall = math.sqrt(ex * ex + ey * ey), 6.2
    if radius < wall + 1.4:
        if radius > wall - 0.8 and value_noise(x / 8.0, y / 8.0, z / 11.0, seed + 4) > 0.42:
            return 520.0
        return trunk[VESSEL_HU] if radius < wall else MUSCLE_HU - 10.0
    if z > trunk[L4_Z] - 12.0 and _oval(dx - 15.0, dy - 9.0, 11.0, 8.5) < 1.0:
        return float(trunk[VESSEL_HU] - 0.2 * (trunk[VESSEL_HU] - 40.0))
    if z > trunk[L1_Z] - 40.0 and _oval(abs(dx + 1.0) - 12.0, dy - 5.0, 5.0, 9.0) < 1.0:
        return MUSCLE_HU
    return 1e9


@compiled
def _organ(organs: NDArray[np.float64], x: float, y: float, z: float, seed: int) -> float:
    """CT value of the first organ that holds a place, or 1e9."""
    for index in range(organs.shape[0]):
        row = organs[index]
        w = (z - row[2]) / row[5]
        if w * w >= 1.0:
            continue
        u, v = (x - row[0]) / row[3], (y - row[1]) / row[4]
        size = u * u + v * v + w * w
        if size >= 1.12:
            continue
        ripple = value_noise(x / 13.0, y / 13.0, z / 13.0, seed + index)
        size += 0.14 * ripple
        if size >= 1.0:
            continue
        kind, tone = row[7], row[6]
        if kind == 0.0:
            return float(tone + 5.0 * ripple)
        if kind == 1.0:
            return 44.0 if size > 0.72 else tone
        if kind == 2.0:
            if size > 0.80:
                return 42.0
            grain = value_noise(x / 4.0, y / 4.0, z / 4.0, seed + 7)
            return tone - 70.0 + 90.0 * grain if grain < 0.30 else -620.0
        return float(tone)
    return 1e9


@compiled
def _thorax(
    trunk: NDArray[np.float64], row: NDArray[np.float64], x: float, y: float, z: float, seed: int
) -> float:
    """Lung, heart and mediastinum above the diaphragm, or 1e9 below it."""
    apex = trunk[T9_Z] - (4.0 if x > 0.0 else 18.0)
    u, v = (abs(x) - 0.42 * trunk[HALF_WIDTH]) / 70.0, (y - trunk[CENTRE_Y] - 18.0) / 88.0
    dome = max(apex - 78.0 * (u * u + v * v), trunk[L1_Z] + 14.0)
    if z < dome:
        return 1e9
    chest_wall = row[3] - 2.0 - 0.45 * max(abs(x - row[1]) - 18.0, 0.0)
    if y < chest_wall:
        return _muscle(x, y, z, 0.04, seed)
    if z < dome + 3.0:
        return MUSCLE_HU
    dx, dy = x - row[1], y - row[2]
    beside = row[5] + 4.0
    heart = _oval(x + 20.0, y - trunk[CENTRE_Y] - 48.0, 64.0, 46.0) + ((z - trunk[T9_Z] - 12.0) / 72.0) ** 2
    if heart < 1.3:
        heart += 0.25 * value_noise(x / 22.0, y / 22.0, z / 22.0, seed + 12)
        if heart < 1.0:
            return float(trunk[VESSEL_HU])
    is_lung = abs(dx) > (
        beside if dy < row[4] + 4.0 else 19.0 + 5.0 * value_noise(y / 15.0, z / 20.0, 0.5, seed)
    )
    if not is_lung:
        return FAT_HU + 25.0
    vessel = value_noise(x / 7.0, y / 7.0, z / 9.0, seed + 5)
    if vessel > 0.60:
        return 20.0
    return LUNG_HU + 45.0 * vessel


@compiled
def tissue_hu(
    trunk: NDArray[np.float64],
    row: NDArray[np.float64],
    organs: NDArray[np.float64],
    place: tuple[float, float, float],
    depth: float,
    seed: int,
) -> float:
    """CT value at a place ``depth`` mm below the skin."""
    x, y, z = place
    if depth < SKIN_MM:
        return SKIN_HU
    u, v = x / trunk[HALF_WIDTH], (y - trunk[CENTRE_Y]) / trunk[HALF_DEPTH]
    flank = u * u / (u * u + v * v + 1e-9)
    fat = trunk[FAT_MM] * (0.62 + 0.38 * flank + 0.12 * value_noise(x / 40.0, y / 40.0, z / 60.0, seed + 6))
    if depth < fat:
        strand = value_noise(x / 11.0, y / 11.0, z / 24.0, seed + 8)
        return FAT_HU + (38.0 if abs(strand) < 0.012 else 6.0 * strand)
    back = _back_muscles(trunk, row, x, y, z, seed)
    if back < 1e8:
        return back
    thorax = _ease(z, trunk[L1_Z] + 10.0, trunk[T9_Z])
    wall = (9.0 + 8.0 * flank) * (1.0 - 0.25 * thorax)
    inside = depth - fat
    if inside < wall:
        layer = 3.0 * inside / wall
        is_line = layer - math.floor(layer) < 0.16 and flank > 0.35
        is_alba = v > 0.0 and abs(x) < 5.0
        return FAT_HU + 25.0 if (is_line or is_alba) else _muscle(x, y, z, 0.02, seed + 9)
    vessel = _vessels(trunk, row, x, y, z, seed)
    if vessel < 1e8:
        return vessel
    chest = _thorax(trunk, row, x, y, z, seed)
    if chest < 1e8:
        return chest
    if inside > wall + 4.0:
        organ = _organ(organs, x, y, z, seed)
        if organ < 1e8:
            return organ
    return FAT_HU + 14.0 * value_noise(x / 8.0, y / 8.0, z / 12.0, seed + 10)


@compiled
def _table_hu(trunk: NDArray[np.float64], x: float, y: float) -> float:
    """The table's thin shells with foam between, below the back; air elsewhere."""
    top = trunk[BACK_Y] - 3.0 + 7.0 * (x / 100.0) ** 2
    bottom = trunk[BACK_Y] - 30.0 + 3.0 * (x / 100.0) ** 2
    if abs(y - top) < 1.1 or (abs(y - bottom) < 1.1 and abs(x) < 190.0):
        return 60.0
    if bottom < y < top:
        return -965.0
    return AIR_HU


@compiled_parallel
def paint_trunk(
    hu: NDArray[np.float32],
    skin: NDArray[np.uint8],
    patient_from_voxel: NDArray[np.float64],
    line: NDArray[np.float64],
    trunk: NDArray[np.float64],
    organs: NDArray[np.float64],
    seed: int,
) -> None:
    """Fill the image with a trunk.

    Parameters
    ----------
    hu : float32 array, overwritten
    skin : uint8 array, set to 1 inside the skin, 0 outside
    line : (n, 6)
        :func:`vertebro.phantoms.landmarks.centreline`.
    trunk : (N_TRUNK,)
    organs : (m, 8)
    """
    m = patient_from_voxel
    last = line.shape[0] - 1
    step = line[1, 0] - line[0, 0]
    for i in prange(hu.shape[0]):
        row = np.empty(6)
        for j in range(hu.shape[1]):
            for k in range(hu.shape[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                depth = skin_depth(trunk, x, y, z)
                if depth < 0.0:
                    skin[i, j, k] = 0
                    hu[i, j, k] = _table_hu(trunk, x, y) if trunk[HAS_TABLE] > 0.0 else AIR_HU
                    continue
                skin[i, j, k] = 1
                position = min(max((z - line[0, 0]) / step, 0.0), last - 1e-6)
                index = int(position)
                t = position - index
                for column in range(1, 6):
                    row[column] = line[index, column] + (line[index + 1, column] - line[index, column]) * t
                hu[i, j, k] = tissue_hu(trunk, row, organs, (x, y, z), depth, seed)
