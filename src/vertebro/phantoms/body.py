"""Vertebral bodies: their shape from a level's sizes, their fractures, and their exact measurements.

A shape vector (:mod:`vertebro.phantoms.body_kernels`) is measured by :func:`measure_body` from its
formulas, never from voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from vertebro.geometry import compose, rigid_from_axes, rotation_about_axis
from vertebro.geometry.transforms import Affine
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.morphometry import Morphometry
from vertebro.phantoms.settings import Fracture, PhantomSettings

Shape = NDArray[np.float64]
"""A (bk.N_SHAPE,) shape vector."""

ANTERIOR_FRACTION = 0.95
POSTERIOR_FRACTION = 0.05
"""Places of the anterior and posterior height, of the depth at mid-height from the back wall."""


@dataclass(frozen=True, slots=True)
class BodyHeights:
    """Anterior, middle and posterior height of a body, mm."""

    anterior: float
    middle: float
    posterior: float


@dataclass(frozen=True, eq=False, slots=True)
class BodyMeasures:
    """What a body truly measures, from its formulas."""

    construction_from_vertebra: Affine
    """Vertebra frame: z along the bisector of the two robust endplate planes, origin midway between
    them at half the depth, x to the right."""
    heights: BodyHeights
    """Distance between the endplates' surfaces at 95 % (anterior) and 5 % (posterior) of the depth;
    middle: the median column within ±3 mm and ±8 % of the depth around the centre."""
    planes: BodyHeights
    """Distance between robust planes through the whole endplates at 95 and 5 % of the depth; middle as
    in ``heights``."""
    surfaces: BodyHeights
    """Distance between the endplates' surfaces at 95, 50 and 5 % of the depth."""
    wedge_angle_deg: float
    depth_mm: float
    """Mid-sagittal, at mid-height, bulges of a fracture (retropulsion, front buckle) left out: the
    endplates' corners, where heights are read, do not move with them."""


def make_shape(sizes: Morphometry, settings: PhantomSettings, generator: np.random.Generator) -> Shape:
    """The unbroken body of a level, with this patient's own variation."""
    spread = settings.size_variation_percent / 100.0
    height_scale, width_scale, depth_scale = settings.body_scale * (
        1.0 + spread * np.clip(generator.standard_normal(3), -2.0, 2.0)
    )
    height = sizes.posterior_height_mm * height_scale
    front = height * sizes.anterior_posterior_ratio
    shape = np.zeros(bk.N_SHAPE)
    shape[bk.HALF_WIDTH_SUPERIOR] = 0.5 * sizes.width_superior_mm * width_scale
    shape[bk.HALF_WIDTH_INFERIOR] = 0.5 * sizes.width_inferior_mm * width_scale
    shape[bk.DEPTH_SUPERIOR] = sizes.depth_superior_mm * depth_scale
    shape[bk.DEPTH_INFERIOR] = sizes.depth_inferior_mm * depth_scale
    depth = 0.5 * (shape[bk.DEPTH_SUPERIOR] + shape[bk.DEPTH_INFERIOR])
    shape[bk.BACK_Y] = -0.5 * depth
    shape[bk.WAIST_SIDE] = 0.055 * sizes.width_superior_mm * width_scale
    shape[bk.WAIST_FRONT] = 0.055 * depth
    shape[bk.WAIST_BACK] = 0.03 * depth
    shape[bk.LOBE] = 0.035 * depth
    shape[bk.Z_SUPERIOR] = 0.25 * (height + front)
    shape[bk.Z_INFERIOR] = -0.25 * (height + front)
    shape[bk.SLOPE_SUPERIOR] = 0.5 * (front - height) / depth
    shape[bk.SLOPE_INFERIOR] = -0.5 * (front - height) / depth
    shape[bk.TILT_SUPERIOR] = -settings.side_asymmetry_mm / (2.0 * shape[bk.HALF_WIDTH_SUPERIOR])
    is_thoracic = sizes.level[0] == "T"
    shape[bk.DISH_SUPERIOR] = (0.028 if is_thoracic else 0.035) * height
    shape[bk.DISH_INFERIOR] = (0.040 if is_thoracic else 0.050) * height
    return shape


def break_shape(shape: Shape, fracture: Fracture) -> Shape:
    """The body after a fracture, whose measured loss is the loss asked for.

    The amount of collapse is solved so that the height of the fracture's shape (anterior for wedge,
    middle for biconcave, posterior for crush), as :func:`measure_body` reads it, has lost exactly
    ``fracture.height_loss_percent``.
    """
    name = {"wedge": "anterior", "biconcave": "middle", "crush": "posterior"}[fracture.shape]
    whole = getattr(measure_body(shape).heights, name)
    wanted = whole * (1.0 - fracture.height_loss_percent / 100.0)

    def excess(amount: float) -> float:
        broken = _broken(shape, fracture, amount)
        return float(getattr(measure_body(broken).heights, name) - wanted)

    if fracture.height_loss_percent <= 0.0:
        return _broken(shape, fracture, 0.0)
    return _broken(shape, fracture, float(brentq(excess, -0.2, 1.1, xtol=1e-7)))


def _broken(shape: Shape, fracture: Fracture, amount: float) -> Shape:
    """The body collapsed by ``amount``, with the fracture's bulges of back and front wall."""
    broken = _collapse(shape, fracture.shape, amount)
    broken[bk.RETROPULSION] = fracture.retropulsion_mm
    top = broken[bk.Z_SUPERIOR] + broken[bk.SLOPE_SUPERIOR] * broken[bk.BACK_Y]
    bottom = broken[bk.Z_INFERIOR] + broken[bk.SLOPE_INFERIOR] * broken[bk.BACK_Y]
    broken[bk.RETROPULSION_Z] = bottom + 0.62 * (top - bottom)
    if fracture.shape != "biconcave":
        front_y = broken[bk.BACK_Y] + broken[bk.DEPTH_SUPERIOR]
        front_top = broken[bk.Z_SUPERIOR] + broken[bk.SLOPE_SUPERIOR] * front_y
        broken[bk.FRONT_BUCKLE] = min(fracture.height_loss_percent / 25.0, 1.6)
        broken[bk.FRONT_BUCKLE_Z] = front_top - 3.0
    return broken


def _collapse(shape: Shape, kind: str, amount: float) -> Shape:
    """Collapse by a fraction of about the body's height: 0 none, 1 flat."""
    broken = shape.copy()
    depth = 0.5 * (shape[bk.DEPTH_SUPERIOR] + shape[bk.DEPTH_INFERIOR])
    height = shape[bk.Z_SUPERIOR] - shape[bk.Z_INFERIOR]
    if kind == "wedge":
        slope = amount * height / depth
        pivot_y = shape[bk.BACK_Y] + POSTERIOR_FRACTION * depth
        broken[bk.SLOPE_SUPERIOR] -= slope
        broken[bk.Z_SUPERIOR] += slope * pivot_y
    elif kind == "biconcave":
        broken[bk.BUMP_SUPERIOR] += 0.6 * amount * height
        broken[bk.BUMP_INFERIOR] += 0.4 * amount * height
    else:
        for upper, lower in (
            (bk.Z_SUPERIOR, bk.Z_INFERIOR),
            (bk.SLOPE_SUPERIOR, bk.SLOPE_INFERIOR),
            (bk.TILT_SUPERIOR, bk.TILT_INFERIOR),
        ):
            gap = shape[upper] - shape[lower]
            broken[upper] -= 0.6 * amount * gap
            broken[lower] += 0.4 * amount * gap
        broken[bk.DISH_SUPERIOR] *= 1.0 - amount
        broken[bk.DISH_INFERIOR] *= 1.0 - amount
    return broken


def huber_plane(
    x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coefficients ``(c, sx, sy)`` of the robust plane ``z = c + sx x + sy y`` through n points.

    Iteratively reweighted least squares with Huber weights at 1.345 robust standard deviations
    (Huber 1964); points in a hollow weigh less than the rim's.
    """
    design = np.column_stack([np.ones_like(x), x, y])
    weight = np.ones_like(x)
    plane = np.zeros(3)
    for _ in range(60):
        root = np.sqrt(weight)[:, None]
        new = np.linalg.lstsq(design * root, z * root[:, 0], rcond=None)[0]
        residual = np.abs(z - design @ new)
        scale = max(1.345 * 1.4826 * float(np.median(residual)), 1e-6)
        weight = np.minimum(1.0, scale / np.maximum(residual, 1e-12))
        if np.abs(new - plane).max() < 1e-9:
            break
        plane = new
    return np.asarray(new)


def endplate_points(shape: Shape) -> tuple[NDArray[np.float64], ...]:
    """Points over a body's cross-section with both endplates' heights: x, y, upper z, lower z."""
    depth = min(shape[bk.DEPTH_SUPERIOR], shape[bk.DEPTH_INFERIOR])
    half_width = min(shape[bk.HALF_WIDTH_SUPERIOR], shape[bk.HALF_WIDTH_INFERIOR])
    u, v = np.meshgrid(np.linspace(-1.0, 1.0, 29), np.linspace(-1.0, 1.0, 29), indexing="ij")
    is_inside = (u * u + v * v < 0.9) if shape[bk.IS_BOX] == 0.0 else np.ones_like(u, dtype=bool)
    x = half_width * u[is_inside]
    middle = shape[bk.BACK_Y] + 0.25 * (shape[bk.DEPTH_SUPERIOR] + shape[bk.DEPTH_INFERIOR])
    y = middle + 0.5 * depth * v[is_inside]
    upper, lower = bk.endplate_grids(shape, x, y)
    return x, y, upper, lower


def measure_body(shape: Shape, x_fraction: float = 0.0) -> BodyMeasures:
    """Frame, heights and wedge angle of a body, from its formulas.

    Heights are read at shares of the depth at mid-height, with a fracture's bulges left out.

    Parameters
    ----------
    shape : Shape
    x_fraction : float in [-1, 1]
        Sagittal plane of the heights, of the half width; 0 mid-sagittal, positive to the right.
    """
    x, y, upper_z, lower_z = endplate_points(shape)
    upper, lower = huber_plane(x, y, upper_z), huber_plane(x, y, lower_z)
    frame = _bisector_frame(shape, upper, lower)
    axis_y, axis_z, origin = frame[:3, 1], frame[:3, 2], frame[:3, 3]
    smooth = shape.copy()
    smooth[[bk.RETROPULSION, bk.FRONT_BUCKLE]] = 0.0
    back, front = (_wall_along(smooth, origin, axis_y, side) for side in (0, 1))
    origin = origin + axis_y * 0.5 * (back + front)
    frame[:3, 3] = origin
    depth = front - back
    offset_mm = x_fraction * 0.5 * (shape[bk.HALF_WIDTH_SUPERIOR] + shape[bk.HALF_WIDTH_INFERIOR])

    def at(fraction: float, across_mm: float) -> NDArray[np.float64]:
        return np.asarray(origin + frame[:3, 0] * across_mm + axis_y * (fraction - 0.5) * depth)

    def plane_height(fraction: float) -> float:
        point = at(fraction, offset_mm)
        return _plane_along(upper, point, axis_z) - _plane_along(lower, point, axis_z)

    def surface_height(fraction: float, across_mm: float) -> float:
        return surface_height_mm(shape, at(fraction, across_mm), axis_z)

    middle = [
        surface_height(0.5 + along, offset_mm + across)
        for along in (-0.08, -0.04, 0.0, 0.04, 0.08)
        for across in (-3.0, -1.5, 0.0, 1.5, 3.0)
    ]
    column = float(np.median(middle))
    anterior, centre, posterior = (
        surface_height(fraction, offset_mm) for fraction in (ANTERIOR_FRACTION, 0.5, POSTERIOR_FRACTION)
    )
    return BodyMeasures(
        frame,
        BodyHeights(anterior, column, posterior),
        BodyHeights(plane_height(ANTERIOR_FRACTION), column, plane_height(POSTERIOR_FRACTION)),
        BodyHeights(anterior, centre, posterior),
        float(np.degrees(np.arctan(lower[2]) - np.arctan(upper[2]))),
        float(depth),
    )


def _bisector_frame(shape: Shape, upper: NDArray[np.float64], lower: NDArray[np.float64]) -> Affine:
    """Frame whose z runs along the bisector of two planes, origin midway between them at ``y = mid``."""
    sagittal = 0.5 * (np.arctan(upper[2]) + np.arctan(lower[2]))
    coronal = 0.5 * (np.arctan(upper[1]) + np.arctan(lower[1]))
    turn = compose(
        rotation_about_axis((0.0, 1.0, 0.0), -float(coronal)),
        rotation_about_axis((1.0, 0.0, 0.0), float(sagittal)),
    )
    mid_y = shape[bk.BACK_Y] + 0.25 * (shape[bk.DEPTH_SUPERIOR] + shape[bk.DEPTH_INFERIOR])
    z = 0.5 * (upper[0] + lower[0] + (upper[2] + lower[2]) * mid_y)
    return rigid_from_axes((0.0, mid_y, z), turn[:3, :3].T)


def _wall_along(shape: Shape, origin: NDArray[np.float64], axis_y: NDArray[np.float64], side: int) -> float:
    """Distance along ``axis_y`` from the origin to the back (0) or front (1) wall, mid-sagittal."""
    along = 0.0
    for _ in range(12):
        z = np.array([origin[2] + along * axis_y[2]])
        along = float((bk.wall_profiles(shape, z)[side][0] - origin[1]) / axis_y[1])
    return along


def _plane_along(
    plane: NDArray[np.float64], point: NDArray[np.float64], axis_z: NDArray[np.float64]
) -> float:
    """How far along ``axis_z`` from ``point`` a plane lies."""
    gap = plane[0] + plane[1] * point[0] + plane[2] * point[1] - point[2]
    return float(gap / (axis_z[2] - plane[1] * axis_z[0] - plane[2] * axis_z[1]))


def surface_height_mm(shape: Shape, point: NDArray[np.float64], axis_z: NDArray[np.float64]) -> float:
    """Distance between the endplates' surfaces along ``axis_z`` through ``point``."""
    along = np.zeros(2)
    for _ in range(25):
        at = point[None] + along[:, None] * axis_z[None]
        upper, _ = bk.endplate_grids(shape, at[:1, 0], at[:1, 1])
        _, lower = bk.endplate_grids(shape, at[1:, 0], at[1:, 1])
        along = (np.array([upper[0], lower[0]]) - point[2]) / axis_z[2]
    return float(along[0] - along[1])
