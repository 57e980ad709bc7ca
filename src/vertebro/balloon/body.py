"""The body of one vertebra as a balloon meets it: room, bone, walls.

Frame: the vertebra's own (x right, y anterior, z superior; mm), suffix ``_v``; grids along it.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.balloon.settings import BalloonSettings
from vertebro.case import Assessment, LevelAssessment
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.imaging.lift import coverage_on, crop_mask, hu_on, patch_grid
from vertebro.materials.bone_crushing import crushing_strength_mpa
from vertebro.materials.bone_density import scanner_default

Field = NDArray[np.float64]
_BORDER_MM = 6.0
_MASK_BLUR_VOXELS = 0.6
_SMOOTHING_MM = 1.5
"""Blur of the density: single voxels are noise, a balloon feels several trabeculae at once (assumed)."""
_SHELL_BLUR_MM = 2.0
"""The shell's brightness blurs so far into the body (assumed: a CT's point spread and the shell itself)."""
_GAS_HU = -200.0
"""Darker voxels in a body are gas (as in the assessment: fat, the darkest tissue, reads about −100)."""
_BARREL_MM = 4.0
"""The walls are waisted by no more than this; edges further inwards, seen from above, are endplate."""
_CONTACT_MM = 1.0
"""Nearer to the shell than this is contact (assumed: a balloon's own wall and one voxel)."""


@dataclass(frozen=True, eq=False, slots=True)
class BodyField:
    """One body on a grid along its own axes."""

    name: str
    geometry: VolumeGeometry
    vertebra_from_voxel: NDArray[np.float64]
    points_v: Field
    """(n, 3): centres of the voxels with room, mm."""
    voxels: NDArray[np.int64]
    """(n,): their flat indices in the grid."""
    room: Field
    """(n,): share of each that a balloon may take."""
    density_mg_cc: Field
    """(n,): mineral, smoothed; at least a little everywhere but in gas."""
    strength_mpa: Field
    """(n,): crushing strength of unbroken bone of that density; 0 in gas."""
    is_wall: NDArray[np.bool_]
    """(n,): within reach of the side, front or back wall."""
    is_endplate: NDArray[np.bool_]
    """(n,): within reach of an endplate."""
    is_gap: NDArray[np.bool_]
    """(n,): beside a place where the shell seems to be missing."""
    area_mm2: float
    """Of the body seen from above."""
    depth_mm: float
    back_mm: float
    """y of the back wall at mid-height, in the midline."""
    is_calibrated: bool
    """Whether the density rests on a calibration of this scan."""

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel."""
        return self.geometry.voxel_volume_mm3

    @property
    def room_ml(self) -> float:
        """All the room there is."""
        return float(self.room.sum()) * self.voxel_mm3 / 1000.0

    def on_grid(self, values: Field, outside: float) -> NDArray[np.float32]:
        """Values at the voxels with room as a field on the whole grid."""
        field = np.full(self.geometry.shape, outside, dtype=np.float32)
        field.ravel()[self.voxels] = values
        return field

    def to_vertebra(self, points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """World points in the vertebra's frame."""
        return apply_affine(self.vertebra_from_voxel @ self.geometry.voxel_from_lps, points_lps_mm)


def make_body(
    volume: Volume, assessment: Assessment, level: LevelAssessment, settings: BalloonSettings
) -> BodyField | None:
    """Lift a body and its CT onto the vertebra's axes.

    Returns
    -------
    BodyField or None
        None where the body has no voxel or no room inside its shell.
    """
    mask = assessment.bodies == level.label
    boxes = ndimage.find_objects(mask.astype(np.uint8), max_label=1)
    if not boxes or boxes[0] is None:
        return None
    crop = crop_mask(assessment.bodies, level.label, boxes[0], assessment.geometry)
    inverse = invert_affine(level.lps_from_vertebra)
    corners = apply_affine(inverse @ crop.geometry.lps_from_voxel, np.argwhere(crop.mask))
    grid = patch_grid(
        level.lps_from_vertebra,
        corners.min(axis=0) - _BORDER_MM,
        corners.max(axis=0) + _BORDER_MM,
        settings.spacing_mm,
    )
    coverage = coverage_on(crop, grid, _MASK_BLUR_VOXELS, 0.0)
    body = coverage >= 0.5
    if not body.any():
        return None
    hu = hu_on(volume.hu, volume.geometry, grid)
    depth = edt.edt(body, anisotropy=grid.spacing_mm, parallel=1).astype(np.float64)
    room = np.clip((depth - settings.cortex_mm) / settings.spacing_mm + 0.5, 0.0, 1.0)
    if not (room > 0.0).any():
        return None
    return _assembled(level, assessment, settings, grid, inverse, (body, room, hu))


def _assembled(
    level: LevelAssessment,
    assessment: Assessment,
    settings: BalloonSettings,
    grid: VolumeGeometry,
    inverse: NDArray[np.float64],
    fields: tuple[NDArray[np.bool_], Field, NDArray[np.float32]],
) -> BodyField:
    body, room, hu = fields
    law = assessment.calibration or scanner_default(None)
    gas = body & (hu < _GAS_HU)
    density = np.maximum(law.density_mg_cc(hu), 0.0) * body
    inner = ndimage.binary_erosion(body, iterations=round(_SHELL_BLUR_MM / settings.spacing_mm)) & ~gas
    density = np.where(gas, 0.0, _smoothed(density, inner if inner.any() else body, settings.spacing_mm))
    wall, endplate = _shell_contact(body, settings)
    voxels = np.flatnonzero(room > 0.0)
    vertebra_from_voxel = inverse @ grid.lps_from_voxel
    points = apply_affine(vertebra_from_voxel, np.argwhere(room > 0.0))
    middle = np.abs(points[:, 2]) < 4.0
    line = points[middle & (np.abs(points[:, 0]) < 3.0)] if middle.any() else points
    line = line if len(line) else points
    edge = settings.cortex_mm
    return BodyField(
        name=level.name,
        geometry=grid,
        vertebra_from_voxel=vertebra_from_voxel,
        points_v=points,
        voxels=voxels,
        room=room.ravel()[voxels],
        density_mg_cc=density.ravel()[voxels],
        strength_mpa=(crushing_strength_mpa(density) * ~gas).ravel()[voxels],
        is_wall=wall.ravel()[voxels],
        is_endplate=endplate.ravel()[voxels],
        is_gap=_near_gaps(body, hu, settings).ravel()[voxels],
        area_mm2=float(body.any(axis=2).sum()) * settings.spacing_mm**2,
        depth_mm=float(np.ptp(line[:, 1])) + 2.0 * edge,
        back_mm=float(line[:, 1].min()) - edge,
        is_calibrated=assessment.calibration is not None
        and assessment.calibration.method != "scanner_default",
    )


def _smoothed(values: Field, trusted: NDArray[np.bool_], spacing_mm: float) -> Field:
    """Values smoothed over trusted voxels only, and carried on outwards from them."""
    sigma = _SMOOTHING_MM / spacing_mm
    weight = ndimage.gaussian_filter(trusted.astype(np.float64), sigma)
    smooth = ndimage.gaussian_filter(values * trusted, sigma) / np.maximum(weight, 1e-6)
    far = weight < 0.05
    nearest = ndimage.distance_transform_edt(far, return_distances=False, return_indices=True)
    return np.asarray(smooth[tuple(nearest)])


def _shell_contact(
    body: NDArray[np.bool_], settings: BalloonSettings
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Voxels near the walls, and those near the endplates: by the distance across and along the spine."""
    reach = settings.cortex_mm + _CONTACT_MM
    step = settings.spacing_mm
    across = np.stack(
        [edt.edt(body[:, :, k], anisotropy=(step, step), parallel=1) for k in range(body.shape[2])], axis=2
    )
    seen = edt.edt(body.any(axis=2), anisotropy=(step, step), parallel=1)[:, :, None]
    wall = body & (across <= reach) & (seen <= reach + _BARREL_MM)
    count = int(np.ceil(reach / step))
    column = np.zeros((1, 1, 2 * count + 1), dtype=np.bool_)
    column[...] = True
    inside = ndimage.binary_erosion(body, structure=column)
    return wall, body & ~inside & ~wall


def _near_gaps(
    body: NDArray[np.bool_], hu: NDArray[np.float32], settings: BalloonSettings
) -> NDArray[np.bool_]:
    """Voxels near the shell beside which it is nowhere bright: a hole in wall or endplate."""
    size = 2 * int(np.ceil(1.5 / settings.spacing_mm)) + 1
    brightest = ndimage.maximum_filter(hu, size=size)
    skin = body & ~ndimage.binary_erosion(body)
    missing = skin & (brightest < settings.gap_hu) & (ndimage.minimum_filter(hu, size=size) > _GAS_HU)
    pieces, count = ndimage.label(missing, structure=np.ones((3, 3, 3)))
    if not count:
        return np.asarray(missing)
    sizes = np.bincount(pieces.ravel())
    large = sizes * settings.spacing_mm**2 >= 4.0
    large[0] = False
    reach = int(np.ceil((settings.cortex_mm + _CONTACT_MM) / settings.spacing_mm))
    return np.asarray(body & ndimage.binary_dilation(large[pieces], iterations=reach))
