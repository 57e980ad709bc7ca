"""Lifted vertebrae of known shape and grey values, made without any of the code that lifts real ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.case import EndplatePlane, Estimate, Heights
from vertebro.geometry import translation
from vertebro.imaging import VolumeGeometry

MARROW_HU = 120.0
Shape = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def known(value: float, unit: str = "mm") -> Estimate:
    return Estimate(value, value - 0.5, value + 0.5, unit, "given by the test")


def heights(anterior: float, middle: float, posterior: float) -> Heights:
    return Heights(known(anterior), known(middle), known(posterior))


def make_anatomy(
    *,
    name: str = "L1",
    height_mm: float = 27.0,
    depth_mm: float = 33.0,
    width_mm: float = 45.0,
    canal_mm: float = 16.0,
    voxel_mm: float = 1.0,
    centre_z_mm: float = 0.0,
    back_wall: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    top: Callable[[np.ndarray], np.ndarray] | None = None,
    bottom: Callable[[np.ndarray], np.ndarray] | None = None,
    paint: Callable[[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]], None] | None = None,
    with_lamina: bool = True,
    is_body_only: bool = False,
    complete: bool = True,
) -> LevelAnatomy:
    """A boxy body with a cortex of 700 HU, a canal behind it and a lamina behind that.

    Its faces lie between voxels of 1 mm.

    ``back_wall(x, z)`` moves the back wall to anterior (mm), ``top(y)`` and ``bottom(y)`` give the endplates'
    heights, ``paint(hu, (x, y, z))`` changes grey values last.
    """
    half = np.array([36.0, 44.0, 30.0])
    count = np.round(2.0 * half / voxel_mm).astype(int) + 1
    affine = np.diag([-voxel_mm, -voxel_mm, voxel_mm, 1.0])  # right and anterior are -x and -y of LPS
    shift = translation([0.0, 0.0, centre_z_mm])
    affine[:3, 3] = [half[0], half[1], -half[2]]
    patch = VolumeGeometry(tuple(int(n) for n in count), shift @ affine)
    axes = [np.arange(n) * voxel_mm - extent for n, extent in zip(count, half, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    front, back = depth_mm / 2.0, np.full_like(x, -depth_mm / 2.0)
    if back_wall is not None:
        back = back + back_wall(x, z)
    upper = np.full_like(y, height_mm / 2.0) if top is None else top(y)
    lower = np.full_like(y, -height_mm / 2.0) if bottom is None else bottom(y)
    body = (np.abs(x) < width_mm / 2.0) & (y < front) & (y > back) & (z < upper) & (z > lower)
    lamina_front = -depth_mm / 2.0 - canal_mm
    lamina = (
        (np.abs(x) < 12.0) & (y < lamina_front) & (y > lamina_front - 6.0) & (np.abs(z) < height_mm / 2.0)
    )
    hu = np.where(body, MARROW_HU, 40.0).astype(np.float32)
    inner = (
        (np.abs(x) < width_mm / 2.0 - 1.0)
        & (y < front - 1.0)
        & (y > back + 1.0)
        & (z < upper - 1.0)
        & (z > lower + 1.0)
    )
    hu[body & ~inner] = 700.0
    hu[lamina & with_lamina] = 800.0
    if paint is not None:
        paint(hu, (x, y, z))
    lps_from_vertebra = shift @ np.diag([-1.0, -1.0, 1.0, 1.0])
    vertebra = body if is_body_only else body | (lamina & with_lamina)
    plane = EndplatePlane(np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.1)
    own = heights(height_mm, height_mm, height_mm)
    return LevelAnatomy(
        name=name,
        label=20,
        complete=complete,
        is_body_only=is_body_only,
        lps_from_vertebra=lps_from_vertebra,
        patch=patch,
        hu=hu,
        vertebra=vertebra,
        body=body,
        other_bone=np.zeros_like(body),
        superior_endplate=plane,
        inferior_endplate=plane,
        height_lines_lps_mm={},
        heights_mm=own,
        heights_right_mm=own,
        heights_left_mm=own,
        depth_mm=known(depth_mm),
        source_spacing_mm=(voxel_mm, voxel_mm, voxel_mm),
    )


def ball(centre_mm: tuple[float, float, float], radius_mm: float, hu_inside: float, blur_mm: float = 0.5):
    """A painter of a ball with a soft edge."""

    def paint(hu: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        distance = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(axes, centre_mm, strict=True)))
        share = np.clip((radius_mm - distance) / (2.0 * blur_mm) + 0.5, 0.0, 1.0)
        hu[:] = hu * (1.0 - share) + hu_inside * share

    return paint
