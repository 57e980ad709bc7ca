"""Pedicles, arch and processes of a vertebra as a list of tapered elliptic capsules.

One row per capsule, columns as named below, in the body's construction frame (x right, y anterior,
z superior; mm). Sizes follow the level's morphometry; shapes are assumed, chosen to look right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.body import Shape
from vertebro.phantoms.morphometry import Morphometry

START: Final = slice(0, 3)
END: Final = slice(3, 6)
RADIUS_START: Final = 6
RADIUS_END: Final = 7
LONG_AXIS: Final = slice(8, 11)
ASPECT: Final = 11
REGION: Final = 12
N_CAPSULE: Final = 13

ARCH, SPINOUS, TRANSVERSE_LEFT, TRANSVERSE_RIGHT = 41, 42, 43, 44
SUPERIOR_ARTICULAR_LEFT, SUPERIOR_ARTICULAR_RIGHT = 45, 46
INFERIOR_ARTICULAR_LEFT, INFERIOR_ARTICULAR_RIGHT = 47, 48
BODY_SHELL, BODY_CORE = 49, 50

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class PedicleShape:
    """One pedicle in the construction frame."""

    isthmus: Vector
    direction: Vector
    """Unit, to anterior."""
    width_mm: float
    height_mm: float


@dataclass(frozen=True, eq=False, slots=True)
class Posterior:
    """Everything of a vertebra behind its body, and the canal."""

    capsules: NDArray[np.float64]
    """(n, N_CAPSULE)."""
    right: PedicleShape
    left: PedicleShape
    canal_centre: Vector
    canal_half_width_mm: float
    canal_half_depth_mm: float


class _Builder:
    def __init__(self) -> None:
        self.rows: list[NDArray[np.float64]] = []

    def add(
        self,
        start: Vector,
        end: Vector,
        radii: tuple[float, float],
        long_axis: Vector,
        aspect: float,
        region: int,
    ) -> None:
        row = np.zeros(N_CAPSULE)
        row[START], row[END] = start, end
        row[RADIUS_START], row[RADIUS_END] = radii
        row[LONG_AXIS] = long_axis / np.linalg.norm(long_axis)
        row[ASPECT], row[REGION] = aspect, region
        self.rows.append(row)


def make_posterior(sizes: Morphometry, shape: Shape, scale: float) -> Posterior:
    """Posterior elements that fit a body.

    Parameters
    ----------
    sizes : Morphometry
    shape : Shape
        The unbroken body: posterior elements keep their place when it collapses.
    scale : float
        The patient's skeletal size.
    """
    back = float(shape[bk.BACK_Y])
    half_depth = 0.5 * sizes.canal_depth_mm * scale
    half_width = 0.5 * sizes.canal_width_mm * scale
    canal = np.array([0.0, back - half_depth, 0.0])
    build = _Builder()
    pedicles = []
    for side in (1.0, -1.0):
        pedicles.append(_pedicle(build, sizes, shape, scale, side))
        _arch_side(build, sizes, shape, scale, side)
    _spinous(build, sizes, shape, scale)
    if sizes.level == "S1":
        _sacrum(build, shape, scale)
    return Posterior(np.array(build.rows), pedicles[0], pedicles[1], canal, half_width, half_depth)


def _height(shape: Shape) -> float:
    return float(shape[bk.Z_SUPERIOR] - shape[bk.Z_INFERIOR])


def _pedicle_z(sizes: Morphometry, shape: Shape) -> float:
    """Height of the pedicles' axis: their upper edge stands a little below the upper endplate."""
    top = shape[bk.Z_SUPERIOR] + shape[bk.SLOPE_SUPERIOR] * shape[bk.BACK_Y]
    return float(min(top - 0.5 * sizes.pedicle_height_mm - 0.5, 0.2 * _height(shape)))


def _pedicle(build: _Builder, sizes: Morphometry, shape: Shape, scale: float, side: float) -> PedicleShape:
    width, height = sizes.pedicle_width_mm * scale, sizes.pedicle_height_mm * scale
    angle = np.radians(sizes.pedicle_angle_deg)
    back = float(shape[bk.BACK_Y])
    direction = np.array([-side * np.sin(angle), np.cos(angle), 0.0])
    lateral = 0.5 * sizes.canal_width_mm * scale + 0.5 * width / np.cos(angle)
    isthmus = np.array([side * lateral, back - 4.0 * scale, _pedicle_z(sizes, shape)])
    up = np.array([0.0, 0.0, 1.0])
    start, end = isthmus - direction * 7.0 * scale, isthmus + direction * 9.0 * scale
    radius = 0.5 * width
    flare = 1.12 * radius
    build.add(isthmus, end, (radius, flare), up, height / width, ARCH)
    build.add(start, isthmus, (flare, radius), up, height / width, ARCH)
    return PedicleShape(isthmus, direction, width, height)


def _arch_side(build: _Builder, sizes: Morphometry, shape: Shape, scale: float, side: float) -> None:
    """Pars, lamina, articular and transverse processes of one side."""
    is_lumbar = sizes.level[0] in "LS"
    back, height = float(shape[bk.BACK_Y]), _height(shape)
    half_width = 0.5 * sizes.canal_width_mm * scale
    depth = sizes.canal_depth_mm * scale
    z = _pedicle_z(sizes, shape)
    is_right = side > 0.0
    up = np.array([0.0, 0.0, 1.0])
    reach = height + sizes.disc_below_mm * scale
    pars = np.array([side * (half_width + 2.5), back - 0.85 * depth, z - 3.0])
    midline = np.array([side * 1.5, back - depth - 4.5 * scale, z - 0.42 * height])
    thick = (3.2 if is_lumbar else 2.6) * scale
    build.add(pars, midline, (thick, thick), np.array([0.0, -0.35, 1.0]), 2.9, ARCH)

    region = SUPERIOR_ARTICULAR_RIGHT if is_right else SUPERIOR_ARTICULAR_LEFT
    spread = half_width + (5.0 if is_lumbar else 1.5)
    low = np.array([side * (half_width + 4.0), back - 0.75 * depth, z])
    top = np.array([side * spread, back - (0.72 if is_lumbar else 0.80) * depth, z + 0.45 * height + 4.0])
    build.add(low, top, (4.6 * scale, 3.4 * scale), np.array([side * 0.5, -0.8, 0.3]), 1.35, region)

    region = INFERIOR_ARTICULAR_RIGHT if is_right else INFERIOR_ARTICULAR_LEFT
    narrow = half_width - (1.0 if is_lumbar else 3.5)
    start = np.array([side * (half_width + 0.5), back - depth - 1.0, z - 0.35 * height])
    tip = np.array([side * narrow, back - depth - 2.0 * scale, z - reach + 0.30 * height])
    build.add(start, tip, (4.0 * scale, 3.6 * scale), np.array([side * 0.6, -0.8, 0.0]), 1.35, region)

    region = TRANSVERSE_RIGHT if is_right else TRANSVERSE_LEFT
    span = sizes.transverse_half_span_mm * scale
    if is_lumbar:
        root = np.array([side * (half_width + sizes.pedicle_width_mm * 0.8), back - 0.45 * depth, z - 1.0])
        end = np.array([side * span, back - 0.75 * depth, z + 1.0])
        build.add(root, end, (3.2 * scale, 2.4 * scale), up, 1.9, region)
    else:
        root = np.array([side * (half_width + 3.0), back - 0.85 * depth, z])
        end = np.array([side * span, back - 1.55 * depth, z + 2.5])
        build.add(root, end, (4.2 * scale, 4.6 * scale), up, 1.25, region)


def _spinous(build: _Builder, sizes: Morphometry, shape: Shape, scale: float) -> None:
    is_lumbar = sizes.level[0] in "LS"
    back, height = float(shape[bk.BACK_Y]), _height(shape)
    depth = sizes.canal_depth_mm * scale
    z = _pedicle_z(sizes, shape) - 0.42 * height
    drop = np.radians(sizes.spinous_drop_deg)
    direction = np.array([0.0, -np.cos(drop), -np.sin(drop)])
    across = np.array([0.0, -np.sin(drop), np.cos(drop)])
    root = np.array([0.0, back - depth - 4.0 * scale, z])
    reach = (sizes.spinous_length_mm - 6.0) * scale
    tip = root + direction * reach
    thick = (2.5 if is_lumbar else 2.6) * scale
    if is_lumbar:
        build.add(root, root + direction * 0.95 * reach, (thick, thick * 1.15), across, 2.8, SPINOUS)
        top, bottom = (
            tip + across * 3.0 * scale - direction * 2.0,
            tip - across * 8.0 * scale - direction * 1.0,
        )
        build.add(top, bottom, (2.8 * scale, 4.4 * scale), np.array([0.0, 1.0, 0.0]), 1.35, SPINOUS)
        flange = -across * 4.0 * scale
        build.add(root + flange, bottom + across * 3.0, (2.4 * scale, 3.0 * scale), across, 2.2, SPINOUS)
    else:
        build.add(root, tip, (thick * 1.1, thick), across, 1.9, SPINOUS)
        build.add(root + across * 2.0, root + direction * 0.5 * reach, (2.4, 2.0), across, 2.4, SPINOUS)
        build.add(tip - direction * 2.0, tip, (3.0 * scale, 3.6 * scale), across, 1.2, SPINOUS)


def _sacrum(build: _Builder, shape: Shape, scale: float) -> None:
    """What makes S1 a sacrum: wings, the fused bodies below, and the crest."""
    low = float(shape[bk.Z_INFERIOR])
    wide = np.array([1.0, 0.0, 0.0])
    up = np.array([0.0, 0.0, 1.0])
    back = float(shape[bk.BACK_Y])
    build.add(
        np.array([0.0, -3.0, low + 1.0]),
        np.array([0.0, -13.0 * scale, low - 32.0 * scale]),
        (11.5 * scale, 10.0 * scale),
        wide,
        1.55,
        ARCH,
    )
    for side in (1.0, -1.0):
        ala = np.array([side * 15.0 * scale, back + 13.0, 0.0])
        rim = np.array([side * 42.0 * scale, back - 9.0, -7.0])
        build.add(ala, rim, (11.0 * scale, 14.0 * scale), up, 1.05, ARCH)
        tail = np.array([side * 22.0 * scale, back - 20.0, low - 32.0 * scale])
        build.add(rim, tail, (13.5 * scale, 7.0 * scale), np.array([0.0, 1.0, 0.0]), 1.1, ARCH)
        build.add(
            np.array([side * 9.0, back - 24.0 * scale, 0.0]),
            np.array([side * 7.0, back - 30.0, low - 26.0]),
            (3.6, 3.0),
            wide,
            2.2,
            ARCH,
        )
