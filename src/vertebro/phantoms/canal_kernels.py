"""Painting what fills the spine's gaps: canal with cord, dural sac and fat; foramina; discs."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vertebro.phantoms.bone_kernels import ramp
from vertebro.phantoms.compiled import compiled_parallel
from vertebro.phantoms.noise import value_noise

EPIDURAL_FAT_HU: Final = -80.0
SAC_HU: Final = 17.0
CORD_HU: Final = 40.0
NERVE_HU: Final = 35.0
FORAMEN_REACH_MM: Final = 11.0


@compiled_parallel
def paint_canal(
    hu: NDArray[np.float32],
    canal: NDArray[np.uint8],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    patient_from_voxel: NDArray[np.float64],
    points: NDArray[np.float64],
    cord_end_z: float,
) -> None:
    """Paint the canal along a chain of elliptic segments, with fat and nerve roots to both sides.

    Parameters
    ----------
    canal : uint8 array, set to 1 inside
    points : (n, 5), ascending z
        Patient x, y, z of the canal's centres, half width and half depth there.
    cord_end_z : float
        Height above which there is a cord.
    """
    m = patient_from_voxel
    n = points.shape[0]
    for i in prange(start[0], stop[0]):
        for j in range(start[1], stop[1]):
            for k in range(start[2], stop[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                if z < points[0, 2] or z >= points[n - 1, 2]:
                    continue
                index = 0
                while points[index + 1, 2] <= z:
                    index += 1
                a, b = points[index], points[index + 1]
                t = (z - a[2]) / (b[2] - a[2])
                half_width, half_depth = a[3] + (b[3] - a[3]) * t, a[4] + (b[4] - a[4]) * t
                dx, dy = x - a[0] - (b[0] - a[0]) * t, y - a[1] - (b[1] - a[1]) * t
                u, v = dx / half_width, dy / half_depth
                size = math.sqrt(u * u + v * v)
                if size > 1.0:
                    if abs(dx) < half_width + FORAMEN_REACH_MM and -0.9 < v < 0.9:
                        root = math.sqrt((abs(dx) - half_width - 3.0) ** 2 + (dy - 1.0) ** 2)
                        hu[i, j, k] = NERVE_HU if root < 2.8 else EPIDURAL_FAT_HU
                    continue
                canal[i, j, k] = 1
                w = v - 0.14
                sac = math.sqrt(u * u + w * w)
                if sac > 0.80:
                    hu[i, j, k] = EPIDURAL_FAT_HU
                elif z > cord_end_z and sac < 0.48:
                    hu[i, j, k] = CORD_HU
                else:
                    hu[i, j, k] = SAC_HU + 10.0 * value_noise(x / 2.0, y / 2.0, z / 20.0, 5)


@compiled_parallel
def paint_disc(
    hu: NDArray[np.float32],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    disc_from_voxel: NDArray[np.float64],
    reach: NDArray[np.float64],
) -> None:
    """Paint one disc: an oval slab, flat behind; vertebrae are painted over it afterwards.

    Parameters
    ----------
    reach : (3,)
        Half width, half depth and half height, mm.
    """
    m = disc_from_voxel
    for i in prange(start[0], stop[0]):
        for j in range(start[1], stop[1]):
            for k in range(start[2], stop[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                if abs(z) > reach[2]:
                    continue
                u, v = abs(x) / reach[0], y / reach[1]
                v = 0.86 * v if v < 0.0 else v
                w = abs(v)
                size = u * u * math.sqrt(u) + w * w * math.sqrt(w)
                size = max(size, -y / reach[1]) if y < 0.0 else size
                share = ramp((size - 1.0) * 0.4 * reach[1], 1.0)
                if share > 0.0:
                    tone = (
                        78.0 + 34.0 * min(size, 1.0) ** 2 + 10.0 * value_noise(x / 5.0, y / 5.0, z / 5.0, 9)
                    )
                    hu[i, j, k] = hu[i, j, k] * (1.0 - share) + tone * share
