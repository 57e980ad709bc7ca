"""Everything round the spine: canal, discs, muscle, fat, skin, air.

Patient frame: x right, y anterior, z superior (mm). The centreline table gives the bodies' centres by
height; tissues are placed against it, so that they follow the spine's curves.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vertebro.phantoms.bone_kernels import ramp
from vertebro.phantoms.compiled import compiled, compiled_parallel
from vertebro.phantoms.noise import value_noise

AIR_HU = -1000.0
FAT_HU = -105.0
MUSCLE_HU = 55.0
WATER_HU = 0.0


@compiled
def _centre(table: NDArray[np.float64], z: float) -> tuple[float, float, float]:
    """x, y of the bodies' centres and the canal's y at a height, from rows (z, x, y, canal y)."""
    last = table.shape[0] - 1
    position = (z - table[0, 0]) / (table[1, 0] - table[0, 0])
    position = min(max(position, 0.0), float(last) - 1e-6)
    index = int(position)
    t = position - index
    a, b = table[index], table[index + 1]
    return a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t, a[3] + (b[3] - a[3]) * t


@compiled_parallel
def paint_trunk(
    hu: NDArray[np.float32],
    patient_from_voxel: NDArray[np.float64],
    table: NDArray[np.float64],
    trunk: NDArray[np.float64],
    seed: int,
) -> None:
    """Fill the image with air, skin, fat and muscle.

    Parameters
    ----------
    trunk : (5,)
        Half width, half depth, centre y, fat thickness, skin thickness (mm).
    """
    m = patient_from_voxel
    for i in prange(hu.shape[0]):
        for j in range(hu.shape[1]):
            for k in range(hu.shape[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                cx, cy, _ = _centre(table, z)
                u, v = x / trunk[0], (y - trunk[2]) / trunk[1]
                skin = (math.sqrt(u * u + v * v) - 1.0) * min(trunk[0], trunk[1])
                if skin > 0.0:
                    hu[i, j, k] = -1000.0
                elif skin > -trunk[4]:
                    hu[i, j, k] = 20.0
                elif skin > -trunk[3]:
                    hu[i, j, k] = FAT_HU
                else:
                    fat = value_noise((x - cx) / 9.0, (y - cy) / 9.0, z / 30.0, seed)
                    hu[i, j, k] = MUSCLE_HU + (-60.0 if fat > 0.45 else 0.0)


@compiled_parallel
def paint_canal(
    hu: NDArray[np.float32],
    canal: NDArray[np.uint8],
    patient_from_voxel: NDArray[np.float64],
    points: NDArray[np.float64],
    cord_end_z: float,
) -> None:
    """Paint epidural fat, the dural sac and cord along a chain of elliptic segments.

    Parameters
    ----------
    canal : uint8 array, set to 1 inside
    points : (n, 5), ascending z
        Patient x, y, z of the canal's centres, half width and half depth there.
    """
    m = patient_from_voxel
    for i in prange(hu.shape[0]):
        for j in range(hu.shape[1]):
            for k in range(hu.shape[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                if z < points[0, 2] or z >= points[-1, 2]:
                    continue
                index = np.searchsorted(points[:, 2], z, side="right") - 1
                a, b = points[index], points[index + 1]
                t = (z - a[2]) / (b[2] - a[2])
                u = (x - a[0] - (b[0] - a[0]) * t) / (a[3] + (b[3] - a[3]) * t)
                v = (y - a[1] - (b[1] - a[1]) * t) / (a[4] + (b[4] - a[4]) * t)
                size = math.sqrt(u * u + v * v)
                if size > 1.0:
                    continue
                canal[i, j, k] = 1
                sac = math.sqrt(u * u + (v - 0.12) ** 2)
                if sac > 0.80:
                    hu[i, j, k] = -70.0
                elif z > cord_end_z and sac < 0.48:
                    hu[i, j, k] = 38.0
                else:
                    hu[i, j, k] = 16.0


@compiled_parallel
def paint_disc(
    hu: NDArray[np.float32],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    disc_from_voxel: NDArray[np.float64],
    half_width: float,
    half_depth: float,
    half_height: float,
) -> None:
    """Paint one disc: an elliptic slab; vertebrae are painted over it afterwards."""
    m = disc_from_voxel
    for i in prange(start[0], stop[0]):
        for j in range(start[1], stop[1]):
            for k in range(start[2], stop[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                if abs(z) > half_height:
                    continue
                u, v = x / half_width, y / half_depth
                size = math.sqrt(u * u + v * v)
                share = ramp((size - 1.0) * half_depth, 1.0)
                if share > 0.0:
                    tone = 75.0 + 35.0 * min(size, 1.0) ** 4
                    hu[i, j, k] = hu[i, j, k] * (1.0 - share) + tone * share
