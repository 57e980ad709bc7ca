"""Painting vertebrae into an image: CT values, labels and subregions, voxel by voxel.

Partial volume is taken from the signed distance: the share of a voxel behind a plane at distance d is
a ramp as wide as the voxel is thick along the surface's normal.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.body_kernels import back_wall_y, body_distance, front_wall_y, inferior_z, superior_z
from vertebro.phantoms.compiled import compiled, compiled_parallel
from vertebro.phantoms.noise import value_noise

CORTEX_MM: Final = 0
CORTEX_HU: Final = 1
CORE_HU: Final = 2
TEXTURE_HU: Final = 3
CLEFT_X: Final = 4
CLEFT_Y: Final = 5
CLEFT_Z: Final = 6
CLEFT_A: Final = 7
CLEFT_B: Final = 8
CLEFT_C: Final = 9
CLEFT_HU: Final = 10
SCLEROSIS_HU: Final = 11
FRONT_GAP_Z: Final = 12
FRONT_GAP_MM: Final = 13
BACK_GAP_Z: Final = 14
BACK_GAP_MM: Final = 15
PLATE_GAP_Y: Final = 16
PLATE_GAP_MM: Final = 17
ARCH_CORTEX_MM: Final = 18
ARCH_CORE_HU: Final = 19
VEIN_Z: Final = 20
CLEFT_SLOPE: Final = 21
GAP_HU: Final = 22
N_FINISH: Final = 23
"""Length of a finish vector; the names above are its entries."""

GAP_HALF_WIDTH_MM: Final = 9.0
GAP_DEPTH_MM: Final = 3.0
SUBCHONDRAL_HU: Final = 150.0
"""Extra CT value right under an endplate, falling off within 2 to 3 mm; assumed by looks."""
JOINT_GAP_MM: Final = 1.0
CLEFT_COVER_MM: Final = 1.2
"""Bone left between a cleft and the body's surface."""
CORE_DEPTH_MM: Final = 2.0
"""Thickness of the body's rim subregion (49) around its core (50)."""


@compiled
def capsule_distance(
    row: NDArray[np.float64], x: float, y: float, z: float
) -> tuple[float, float, float, float]:
    """Signed distance (near the surface) from one tapered elliptic capsule, and its normal."""
    ax, ay, az = row[3] - row[0], row[4] - row[1], row[5] - row[2]
    px, py, pz = x - row[0], y - row[1], z - row[2]
    t = (px * ax + py * ay + pz * az) / (ax * ax + ay * ay + az * az)
    t = min(max(t, 0.0), 1.0)
    qx, qy, qz = px - t * ax, py - t * ay, pz - t * az
    along = qx * row[8] + qy * row[9] + qz * row[10]
    s1 = 1.0 - 1.0 / row[11]
    sx, sy, sz = qx - s1 * along * row[8], qy - s1 * along * row[9], qz - s1 * along * row[10]
    size = math.sqrt(sx * sx + sy * sy + sz * sz)
    s2 = 1.0 - 1.0 / (row[11] * row[11])
    gx, gy, gz = qx - s2 * along * row[8], qy - s2 * along * row[9], qz - s2 * along * row[10]
    slope = math.sqrt(gx * gx + gy * gy + gz * gz)
    radius = row[6] + (row[7] - row[6]) * t
    if slope < 1e-9:
        return -radius, 0.0, 0.0, 1.0
    distance = (size - radius) * size / slope
    return distance, gx / slope, gy / slope, gz / slope


@compiled
def posterior_distance(
    capsules: NDArray[np.float64], x: float, y: float, z: float, rounding: float
) -> tuple[float, float, float, float, int]:
    """Signed distance from the union of capsules with rounded joins, normal, and nearest subregion."""
    best, smooth, region = 1e9, 1e9, 0
    nx, ny, nz = 0.0, 0.0, 1.0
    for index in range(capsules.shape[0]):
        row = capsules[index]
        reach = max(row[6], row[7]) * max(row[11], 1.0) + 4.0
        if (
            x < min(row[0], row[3]) - reach
            or x > max(row[0], row[3]) + reach
            or y < min(row[1], row[4]) - reach
            or y > max(row[1], row[4]) + reach
            or z < min(row[2], row[5]) - reach
            or z > max(row[2], row[5]) + reach
        ):
            continue
        distance, gx, gy, gz = capsule_distance(row, x, y, z)
        if distance < best:
            best, region = distance, int(row[12])
            nx, ny, nz = gx, gy, gz
        h = max(rounding - abs(smooth - distance), 0.0)
        smooth = min(smooth, distance) - h * h / (4.0 * rounding)
    return smooth, nx, ny, nz, region


@compiled
def ramp(distance: float, width: float) -> float:
    """Share of a voxel of thickness ``width`` that lies on the inside (distance < 0)."""
    return min(max(0.5 - distance / width, 0.0), 1.0)


@compiled
def _core_hu(
    p: NDArray[np.float64], f: NDArray[np.float64], x: float, y: float, z: float, seed: int
) -> float:
    """CT value of the body's trabecular core at a place."""
    coarse = value_noise(x / 4.5, y / 4.5, z / 7.0, seed)
    fine = value_noise(x / 1.3, y / 1.3, z / 2.6, seed + 1)
    value = f[CORE_HU] + f[TEXTURE_HU] * (1.9 * coarse + 2.1 * fine)
    back = back_wall_y(p, x, z)
    vein_x = x / (1.5 + 0.28 * max(y - back, 0.0))
    vein_z = (z - f[VEIN_Z]) / 1.7
    inward = (y - back) / 11.0
    value -= 0.75 * f[CORE_HU] * math.exp(-vein_x * vein_x - vein_z * vein_z - inward * inward)
    below = superior_z(p, x, y) - z
    above = z - inferior_z(p, x, y)
    value += SUBCHONDRAL_HU * math.exp(-max(min(below, above) - f[CORTEX_MM], 0.0) / 0.9)
    if f[SCLEROSIS_HU] > 0.0:
        band = math.exp(-(((below - 3.2) / 2.4) ** 2))
        if p[bk.BUMP_INFERIOR] > 0.0:
            band = max(band, math.exp(-(((above - 3.0) / 2.2) ** 2)))
        front = (y - p[bk.BACK_Y]) / p[bk.DEPTH_SUPERIOR]
        share = 1.0 if p[bk.BUMP_INFERIOR] > 0.0 else min(max(1.3 * front, 0.15), 1.0)
        value += f[SCLEROSIS_HU] * band * share * (0.8 + 0.6 * coarse)
    return float(value)


@compiled
def _is_gap(p: NDArray[np.float64], f: NDArray[np.float64], x: float, y: float, z: float) -> bool:
    """Whether a place lies in a slit through a wall or the upper endplate, up to 3 mm deep."""
    if abs(x) > GAP_HALF_WIDTH_MM:
        return False
    in_front = f[FRONT_GAP_MM] > 0.0 and abs(z - f[FRONT_GAP_Z]) < 0.5 * f[FRONT_GAP_MM]
    if in_front and y > front_wall_y(p, z) - GAP_DEPTH_MM:
        return True
    in_back = f[BACK_GAP_MM] > 0.0 and abs(z - f[BACK_GAP_Z]) < 0.5 * f[BACK_GAP_MM]
    if in_back and y < back_wall_y(p, x, z) + GAP_DEPTH_MM:
        return True
    in_plate = f[PLATE_GAP_MM] > 0.0 and abs(y - f[PLATE_GAP_Y]) < 0.5 * f[PLATE_GAP_MM]
    return bool(in_plate and z > superior_z(p, x, y) - GAP_DEPTH_MM)


@compiled
def cleft_distance(f: NDArray[np.float64], x: float, y: float, z: float, body: float) -> float:
    """Signed distance from the gas-filled cleft (a flat ellipsoid kept inside the body); 1e9 without."""
    if f[CLEFT_A] <= 0.0:
        return 1e9
    u = (x - f[CLEFT_X]) / f[CLEFT_A]
    v = (y - f[CLEFT_Y]) / f[CLEFT_B]
    w = (z - f[CLEFT_Z] - f[CLEFT_SLOPE] * (y - f[CLEFT_Y])) / f[CLEFT_C]
    size = math.sqrt(u * u + v * v + w * w)
    gx, gy, gz = u / f[CLEFT_A], v / f[CLEFT_B], w / f[CLEFT_C]
    slope = math.sqrt(gx * gx + gy * gy + gz * gz)
    if slope < 1e-9:
        return float(-f[CLEFT_C])
    return max(size * (size - 1.0) / slope, body + CLEFT_COVER_MM)


@compiled
def _voxel_width(m: NDArray[np.float64], nx: float, ny: float, nz: float) -> float:
    """How thick a voxel is along a local direction, mm; ``m`` is the local frame from voxels."""
    first = abs(nx * m[0, 0] + ny * m[1, 0] + nz * m[2, 0])
    second = abs(nx * m[0, 1] + ny * m[1, 1] + nz * m[2, 1])
    third = abs(nx * m[0, 2] + ny * m[1, 2] + nz * m[2, 2])
    return float(max(first + second + third, 1e-3))


@compiled
def _behind(
    p: NDArray[np.float64],
    capsules: NDArray[np.float64],
    above: NDArray[np.float64],
    canal: NDArray[np.float64],
    place: tuple[float, float, float, float],
) -> tuple[float, float, float, float, int]:
    """Signed distance from everything but the body, its normal and subregion.

    The canal is cut out, and so is what would stand through an endplate or into the joints with the
    vertebra above. The last number of ``place`` is the distance from the body.
    """
    x, y, z, body = place
    back, bx, by, bz, region = posterior_distance(capsules, x, y, z, 2.0)
    if back >= 6.0 or body <= 0.0:
        return back, bx, by, bz, region
    u, v = (x - canal[0]) / canal[2], (y - canal[1]) / canal[3]
    inside = (1.0 - math.sqrt(u * u + v * v)) * min(canal[2], canal[3])
    if inside > back:
        back, bx, by, bz = inside, -u, -v, 0.0
    if y > p[bk.BACK_Y] + 1.0 and canal[4] > 0.0:
        back = max(back, z - superior_z(p, x, y), inferior_z(p, x, y) - z)
    if above.shape[0] > 0:
        back = max(back, JOINT_GAP_MM - posterior_distance(above, x, y, z, 2.0)[0])
    return back, bx, by, bz, region


@compiled_parallel
def paint_vertebra(
    hu: NDArray[np.float32],
    labels: NDArray[np.uint8],
    subregions: NDArray[np.uint8],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    body_from_voxel: NDArray[np.float64],
    p: NDArray[np.float64],
    f: NDArray[np.float64],
    capsules: NDArray[np.float64],
    above: NDArray[np.float64],
    canal: NDArray[np.float64],
    label: int,
    seed: int,
) -> None:
    """Paint one vertebra over what is there, within ``[start, stop)``.

    Parameters
    ----------
    hu, labels, subregions : (i, j, k) arrays, changed in place
    start, stop : (3,)
    body_from_voxel : (4, 4)
    p : shape vector
    f : finish vector
    capsules : (n, N_CAPSULE) of this vertebra, may be empty
    above : (m, N_CAPSULE) of the vertebra above, in this one's frame: joints are kept open to it
    canal : (5,) canal centre x and y, half width, half depth, and 1 where nothing may stand through the
        endplates (0 for the sacrum, whose wings do)
    label, seed : int
    """
    m = body_from_voxel
    for i in prange(start[0], stop[0]):
        for j in range(start[1], stop[1]):
            for k in range(start[2], stop[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                body, nx, ny, nz, plate = body_distance(p, x, y, z)
                back, bx, by, bz, region = _behind(p, capsules, above, canal, (x, y, z, body))
                distance = min(body, back)
                if distance > 6.0:
                    continue
                if back < body:
                    nx, ny, nz = bx, by, bz
                width = _voxel_width(m, nx, ny, nz)
                outer = ramp(distance, width)
                if outer <= 0.0:
                    continue
                is_body = body <= 0.0
                near_body = body < back
                cortex = f[CORTEX_MM] * (1.0 + 0.25 * plate) if near_body else f[ARCH_CORTEX_MM]
                inner = ramp(distance + cortex, width)
                core = f[ARCH_CORE_HU]
                if near_body or is_body:
                    core = _core_hu(p, f, x, y, z, seed)
                shell = f[CORTEX_HU]
                if near_body and _is_gap(p, f, x, y, z):
                    shell, core = f[GAP_HU], f[GAP_HU]
                value = shell * (outer - inner) + core * inner
                gas = ramp(cleft_distance(f, x, y, z, body), width)
                value = value * (1.0 - gas) + f[CLEFT_HU] * gas * outer
                hu[i, j, k] = hu[i, j, k] * (1.0 - outer) + value
                if distance <= 0.0 and labels[i, j, k] == 0:
                    labels[i, j, k] = label
                    if is_body:
                        subregions[i, j, k] = 49 if body > -CORE_DEPTH_MM else 50
                    else:
                        subregions[i, j, k] = region


@compiled
def cleft_mask(
    p: NDArray[np.float64], f: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which of (n, 3) places in the construction frame lie in the gas."""
    mask = np.zeros(points.shape[0], dtype=np.bool_)
    for index in range(points.shape[0]):
        x, y, z = points[index, 0], points[index, 1], points[index, 2]
        body = body_distance(p, x, y, z)[0]
        mask[index] = cleft_distance(f, x, y, z, body) <= 0.0
    return mask


@compiled_parallel
def paint_capsules(
    hu: NDArray[np.float32],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    local_from_voxel: NDArray[np.float64],
    capsules: NDArray[np.float64],
    tones: NDArray[np.float64],
    owner: int,
) -> None:
    """Paint one piece of a chain of capsules: the voxels nearest to the capsule ``owner``.

    Parameters
    ----------
    capsules : (n, N_CAPSULE)
        The chain; the last column numbers its pieces from 0.
    tones : (3,)
        Thickness of the cortex (mm), CT values of cortex and core.
    owner : int
    """
    m = local_from_voxel
    for i in prange(start[0], stop[0]):
        for j in range(start[1], stop[1]):
            for k in range(start[2], stop[2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                distance, nx, ny, nz, piece = posterior_distance(capsules, x, y, z, 1.5)
                if piece != owner or distance > 4.0:
                    continue
                width = _voxel_width(m, nx, ny, nz)
                outer = ramp(distance, width)
                inner = ramp(distance + tones[0], width)
                hu[i, j, k] = hu[i, j, k] * (1.0 - outer) + tones[1] * (outer - inner) + tones[2] * inner
