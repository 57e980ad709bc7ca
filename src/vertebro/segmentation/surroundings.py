"""What stands beside a level: ribs, the sacrum's wings, the border of the scan, metal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry
from vertebro.segmentation.body_surface import BodySurface, mesh
from vertebro.segmentation.level_frame import LevelFrame
from vertebro.segmentation.working_grid import WorkingImage

RIB_HU = 200.0
PADDING_HU = -1010.0
"""Air and lung read higher on average; −1024 is what was never measured."""
METAL_HU = 2000.0
"""Cement reads up to about 1500 to 3000 HU, metal beyond (assumed)."""


def _box(
    frame: LevelFrame, x_mm: tuple[float, float], y_mm: tuple[float, float], z_share: tuple[float, float]
) -> NDArray[np.float64]:
    """(a, b, c, 3) world positions of a box; y from the origin, z in half heights."""
    x = np.arange(x_mm[0], x_mm[1] + 0.1, 1.5)
    y = np.arange(y_mm[0], y_mm[1] + 0.1, 1.5)
    z = np.linspace(*z_share, 12) * frame.half_height_mm
    return apply_affine(frame.lps_from_level, np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1))


def rib_evidence(image: WorkingImage, frame: LevelFrame) -> float:
    """0 to 1: how much the places of the two rib heads beside a body are filled with bone."""
    a, b = frame.half_width_mm, frame.half_depth_mm
    found = []
    for side in (-1.0, 1.0):
        reach = sorted((side * (a + 3.0), side * (a + 14.0)))
        values = image.sample(_box(frame, (reach[0], reach[1]), (-b - 4.0, -b + 9.0), (-0.1, 1.15)))
        if (values > -900.0).mean() < 0.6:
            continue
        # the best slab of a third of the height: a rib is flat
        filled = (values >= RIB_HU).mean(axis=(0, 1))
        found.append(float(np.convolve(filled, np.full(4, 0.25), mode="valid").max()))
    if not found:
        return 0.5
    return float(np.clip((np.mean(found) - 0.10) / 0.25, 0.0, 1.0))


def sacrum_evidence(image: WorkingImage, frame: LevelFrame) -> float:
    """0 to 1: how much a level looks like S1, with wings of bone to both sides of its body."""
    a, b = frame.half_width_mm, frame.half_depth_mm
    found = []
    for side in (-1.0, 1.0):
        reach = sorted((side * (a + 2.0), side * (a + 20.0)))
        values = image.sample(_box(frame, (reach[0], reach[1]), (-b - 6.0, 0.3 * b), (-0.6, 0.6)))
        if (values > -900.0).mean() < 0.5:
            continue
        found.append(
            float(((values > 60.0) & (values < 1500.0)).mean() * (values[values > -900.0] > 130).mean())
        )
    if len(found) < 2:
        return 0.0
    return float(np.clip((min(found) - 0.12) / 0.2, 0.0, 1.0))


def is_cut(image: WorkingImage, body: BodySurface, geometry: VolumeGeometry) -> bool:
    """Whether a body's surface reaches the border of the scan, or padding within it."""
    surface = body.frame.lps_from_box(mesh().unit * body.radius[:, None])
    beyond = body.frame.lps_from_box(mesh().unit * (1.08 * body.radius)[:, None])
    if (image.sample(np.stack([surface, beyond])).mean(axis=0) < PADDING_HU).mean() > 0.01:
        return True
    index = apply_affine(geometry.voxel_from_lps, surface)
    limit = np.array(geometry.shape) - 0.5
    outside = np.any((index < -0.5 + 0.25) | (index > limit - 0.25), axis=1)
    return bool(outside.mean() > 0.01)


def metal_share(image: WorkingImage, body: BodySurface) -> float:
    """Share of a body and its nearest surroundings that is as bright as metal or cement."""
    unit = mesh().unit[::3]
    shares = np.linspace(0.2, 1.3, 12)
    values = image.sample(
        body.frame.lps_from_box(unit[:, None] * (body.radius[::3, None] * shares)[..., None])
    )
    return float((values >= METAL_HU).mean())
