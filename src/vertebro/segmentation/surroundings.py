"""What stands beside a level: ribs, the sacrum's wings, the border of the scan, metal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry
from vertebro.segmentation.body_surface import BodySurface, mesh
from vertebro.segmentation.working_grid import WorkingImage

RIB_HU = 180.0
RIB_BANDS_MM = (4.0, 10.0, 16.0, 22.0)
HEIGHTS = np.linspace(-2.0, 2.0, 17)
LEAST_SACRUM_HALF_WIDTH_MM = 19.0
PADDING_HU = -1010.0
"""Air and lung read higher on average; −1024 is what was never measured."""
WING_HU = 130.0
"""The wings' marrow is thin; muscle reads 50 to 70."""
METAL_HU = 2000.0
"""Cement reads up to about 1500 to 3000 HU, metal beyond (assumed)."""


def _bone_beside(
    image: WorkingImage, body: BodySurface, side: float, bands_mm: tuple[float, ...], bone_hu: float
) -> NDArray[np.float64]:
    """(n_bands, 17): millimetres of bone, front to back, in 6 mm bands beside a body.

    Rows: bands that begin so far beside the body. Columns: heights from −2 to 2 half level heights.
    NaN where too little is in the image.
    """
    width, back, _ = body.waist_mm
    depth = np.arange(back - 45.0, back + 6.0, 1.5)
    height = HEIGHTS * body.frame.half_height_mm
    rows = []
    for start in bands_mm:
        across = side * np.arange(width + start, width + start + 6.0, 1.5)
        place = np.stack(np.meshgrid(across, depth, height, indexing="ij"), axis=-1)
        values = image.sample(apply_affine(body.frame.lps_from_level, place))
        seen = (values > -1000.0).mean(axis=(0, 1))
        bone = ((values > bone_hu) & (values < METAL_HU)).mean(axis=(0, 1)) * 51.0
        rows.append(np.where(seen > 0.5, bone, np.nan))
    return np.array(rows)


def rib_evidence(image: WorkingImage, body: BodySurface) -> float:
    """0 to 1: whether a rib leaves the level, followed from beside the body outward for 24 mm.

    Transverse processes are thinner and end sooner; a rib of the level above passes higher up.
    """
    found = []
    for side in (-1.0, 1.0):
        bone = _bone_beside(image, body, side, RIB_BANDS_MM, RIB_HU)
        if np.isnan(bone[:2]).mean() > 0.5:
            continue
        # a band that lies outside a narrow field of view does not speak
        bands = [np.nan_to_num(row) for row in bone if not np.isnan(row).all()]
        through = np.where(np.abs(HEIGHTS) < 0.8, bands[0], 0.0)
        for band in bands[1:]:
            through = np.minimum(ndimage.maximum_filter1d(through, 5, mode="constant"), band)
        found.append(float(through.max()))
    if not found:
        return 0.5
    return float(np.clip((max(found) - 3.0) / 2.5, 0.0, 1.0))


def sacrum_evidence(image: WorkingImage, body: BodySurface) -> float:
    """0 to 1: how much a level looks like S1, with wings of bone to both sides of its body."""
    found = []
    for side in (-1.0, 1.0):
        bone = _bone_beside(image, body, side, (10.0, 16.0, 22.0), WING_HU)
        wings = bone[:, (HEIGHTS > -1.8) & (HEIGHTS < 0.3)]
        if np.isnan(wings).mean() < 0.5:
            found.append(float(np.nanmean(wings)))
    if len(found) < 2 or body.waist_mm[0] < LEAST_SACRUM_HALF_WIDTH_MM:
        return 0.0
    return float(np.clip((min(found) - 4.0) / 4.0, 0.0, 1.0))


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
