"""The solid of one vertebral body as formulas: the one place that images, labels and truth share.

Frame: the body's construction frame (x right, y anterior, z superior; mm), origin midway between
the unbroken endplates on the midline, at half the mean depth. The back wall stands at ``y = -depth / 2``.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vertebro.phantoms.compiled import compiled

HALF_WIDTH_SUPERIOR: Final = 0
HALF_WIDTH_INFERIOR: Final = 1
DEPTH_SUPERIOR: Final = 2
DEPTH_INFERIOR: Final = 3
BACK_Y: Final = 4
WAIST_SIDE: Final = 5
WAIST_FRONT: Final = 6
WAIST_BACK: Final = 7
LOBE: Final = 8
Z_SUPERIOR: Final = 9
SLOPE_SUPERIOR: Final = 10
TILT_SUPERIOR: Final = 11
DISH_SUPERIOR: Final = 12
BUMP_SUPERIOR: Final = 13
Z_INFERIOR: Final = 14
SLOPE_INFERIOR: Final = 15
TILT_INFERIOR: Final = 16
DISH_INFERIOR: Final = 17
BUMP_INFERIOR: Final = 18
RETROPULSION: Final = 19
RETROPULSION_Z: Final = 20
IS_BOX: Final = 21
FRONT_BUCKLE: Final = 22
FRONT_BUCKLE_Z: Final = 23
N_SHAPE: Final = 24
"""Length of a shape vector; the names above are its entries."""

CENTRE_FRACTION: Final = 0.45
"""Where the widest place of the cross-section lies, of the depth from the back wall."""
RING_NATURAL: Final = 0.62
RING_COLLAPSE: Final = 0.58
"""Where an endplate's hollow begins: squared share of the half width or depth. Outside stands the ring
apophysis, 3 to 4 mm wide, which a central collapse leaves standing; assumed."""
RIM_ROUNDING_MM: Final = 2.2
CORNER_ROUNDING_MM: Final = 2.0
RETROPULSION_HALF_WIDTH_MM: Final = 8.0
RETROPULSION_HALF_HEIGHT_MM: Final = 6.0


@compiled
def smooth_max(a: float, b: float, rounding: float) -> float:
    """Maximum with its edge rounded over ``rounding``; exact where they differ by more."""
    h = max(rounding - abs(a - b), 0.0)
    return max(a, b) + h * h / (4.0 * rounding)


@compiled
def _dish(p: NDArray[np.float64], x: float, y: float) -> tuple[float, float]:
    """Profiles of an endplate's natural hollow and of a central collapse, 1 at the middle, 0 at the rim."""
    depth = 0.5 * (p[DEPTH_SUPERIOR] + p[DEPTH_INFERIOR])
    half_width = 0.5 * (p[HALF_WIDTH_SUPERIOR] + p[HALF_WIDTH_INFERIOR])
    u = x / half_width
    v = (y - p[BACK_Y] - 0.5 * depth) / (0.5 * depth)
    rho2 = u * u + v * v
    natural = max(1.0 - rho2 / RING_NATURAL, 0.0)
    collapse = max(1.0 - rho2 / RING_COLLAPSE, 0.0)
    return natural * natural * (3.0 - 2.0 * natural), collapse * collapse * (3.0 - 2.0 * collapse)


@compiled
def superior_z(p: NDArray[np.float64], x: float, y: float) -> float:
    """Height of the upper endplate's surface over ``(x, y)``."""
    plane = p[Z_SUPERIOR] + p[SLOPE_SUPERIOR] * y + p[TILT_SUPERIOR] * x
    if p[IS_BOX] > 0.0 and p[BUMP_SUPERIOR] == 0.0:
        return float(plane)
    natural, collapse = _dish(p, x, y)
    return float(plane - p[DISH_SUPERIOR] * natural - p[BUMP_SUPERIOR] * collapse)


@compiled
def inferior_z(p: NDArray[np.float64], x: float, y: float) -> float:
    """Height of the lower endplate's surface over ``(x, y)``."""
    plane = p[Z_INFERIOR] + p[SLOPE_INFERIOR] * y + p[TILT_INFERIOR] * x
    if p[IS_BOX] > 0.0 and p[BUMP_INFERIOR] == 0.0:
        return float(plane)
    natural, collapse = _dish(p, x, y)
    return float(plane + p[DISH_INFERIOR] * natural + p[BUMP_INFERIOR] * collapse)


@compiled
def height_fraction(p: NDArray[np.float64], y: float, z: float) -> float:
    """Where ``z`` lies between the endplates' planes over ``y``: 0 at the lower, 1 at the upper."""
    lower = p[Z_INFERIOR] + p[SLOPE_INFERIOR] * y
    upper = p[Z_SUPERIOR] + p[SLOPE_SUPERIOR] * y
    return float(min(max((z - lower) / max(upper - lower, 1e-6), 0.0), 1.0))


@compiled
def _waist(t: float) -> float:
    """Profile of the waist: 0 at both rims, 1 at mid-height, flat between."""
    s = 2.0 * t - 1.0
    s2 = s * s
    return (1.0 - s2) * (1.0 + 0.6 * s2)


@compiled
def back_wall_y(p: NDArray[np.float64], x: float, z: float) -> float:
    """Position of the back wall at ``(x, z)``."""
    if p[IS_BOX] > 0.0:
        return float(p[BACK_Y])
    t = height_fraction(p, p[BACK_Y], z)
    u = x / (0.55 * 0.5 * (p[HALF_WIDTH_SUPERIOR] + p[HALF_WIDTH_INFERIOR]))
    wall = p[BACK_Y] + p[WAIST_BACK] * _waist(t) - p[LOBE] * min(u * u, 1.5)
    if p[RETROPULSION] > 0.0:
        a = x / RETROPULSION_HALF_WIDTH_MM
        b = (z - p[RETROPULSION_Z]) / RETROPULSION_HALF_HEIGHT_MM
        wall -= p[RETROPULSION] * math.exp(-a * a - b * b)
    return float(wall)


@compiled
def front_wall_y(p: NDArray[np.float64], z: float) -> float:
    """Position of the front wall on the midline at ``z``."""
    front_y = p[BACK_Y] + 0.5 * (p[DEPTH_SUPERIOR] + p[DEPTH_INFERIOR])
    t = height_fraction(p, front_y, z)
    depth = p[DEPTH_INFERIOR] + (p[DEPTH_SUPERIOR] - p[DEPTH_INFERIOR]) * t
    wall = p[BACK_Y] + depth - p[WAIST_FRONT] * _waist(t)
    if p[FRONT_BUCKLE] > 0.0:
        b = (z - p[FRONT_BUCKLE_Z]) / 2.5
        wall += p[FRONT_BUCKLE] * math.exp(-b * b)
    return float(wall)


@compiled
def _side_distance(p: NDArray[np.float64], x: float, y: float, z: float) -> tuple[float, float, float]:
    """Signed distance (mm, negative inside) from the side walls and the outward normal's x and y."""
    if p[IS_BOX] > 0.0:
        dx = abs(x) - p[HALF_WIDTH_SUPERIOR]
        dy = abs(y - p[BACK_Y] - 0.5 * p[DEPTH_SUPERIOR]) - 0.5 * p[DEPTH_SUPERIOR]
        return (dx, 1.0, 0.0) if dx > dy else (dy, 0.0, 1.0)
    t = height_fraction(p, y, z)
    width = p[HALF_WIDTH_INFERIOR] + (p[HALF_WIDTH_SUPERIOR] - p[HALF_WIDTH_INFERIOR]) * t
    width -= p[WAIST_SIDE] * _waist(t)
    front = front_wall_y(p, z)
    centre = p[BACK_Y] + CENTRE_FRACTION * (front - p[BACK_Y])
    half = front - centre if y > centre else 1.25 * (centre - p[BACK_Y]) + 1.3 * p[RETROPULSION]
    u, v = abs(x) / width, (y - centre) / half
    w = abs(v)
    value = u * u * math.sqrt(u) + w * w * math.sqrt(w) - 1.0
    gx = 2.5 * u * math.sqrt(u) / width
    gy = 2.5 * w * math.sqrt(w) / half
    norm = max(math.sqrt(gx * gx + gy * gy), 1e-3)
    oval = value / norm
    back = back_wall_y(p, x, z) - y
    side = smooth_max(oval, back, CORNER_ROUNDING_MM)
    if back > oval:
        return side, 0.0, -1.0
    return side, math.copysign(gx / norm, x), math.copysign(gy / norm, v)


@compiled
def body_distance(
    p: NDArray[np.float64], x: float, y: float, z: float
) -> tuple[float, float, float, float, float]:
    """Signed distance from the body's surface (mm, negative inside), outward normal, and endplate flag.

    Exact in sign; near the surface within a few percent in size. The last number is 1 where the
    nearest surface is an endplate, 0 for a wall.
    """
    side, nx, ny = _side_distance(p, x, y, z)
    upper = (z - superior_z(p, x, y)) / math.sqrt(1.0 + p[SLOPE_SUPERIOR] ** 2 + p[TILT_SUPERIOR] ** 2)
    lower = (inferior_z(p, x, y) - z) / math.sqrt(1.0 + p[SLOPE_INFERIOR] ** 2 + p[TILT_INFERIOR] ** 2)
    plate = max(upper, lower)
    distance = max(side, plate) if p[IS_BOX] > 0.0 else smooth_max(side, plate, RIM_ROUNDING_MM)
    if plate > side:
        return distance, 0.0, 0.0, 1.0 if upper > lower else -1.0, 1.0
    return distance, nx, ny, 0.0, 0.0


@compiled
def endplate_grids(
    p: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper and lower endplate heights at n points ``(x, y)``."""
    upper, lower = np.empty(x.size), np.empty(x.size)
    for i in range(x.size):
        upper[i] = superior_z(p, x[i], y[i])
        lower[i] = inferior_z(p, x[i], y[i])
    return upper, lower


@compiled
def wall_profiles(
    p: NDArray[np.float64], z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mid-sagittal back and front wall positions at n heights ``z``."""
    back, front = np.empty(z.size), np.empty(z.size)
    for i in range(z.size):
        back[i] = back_wall_y(p, 0.0, z[i])
        front[i] = p[BACK_Y] + p[DEPTH_SUPERIOR] if p[IS_BOX] > 0.0 else front_wall_y(p, z[i])
    return back, front
