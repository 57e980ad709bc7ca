"""Finding reference tissues in a scan: air, fat, muscle, blood of the aorta, compact bone.

Regions are sought on a block-averaged copy of about 2.5 mm, eroded so that no border is mixed in,
beside the labelled spine. A region that is too small, or whose HU cannot be that tissue, is
reported and not used. World frame LPS, mm; values HU.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.geometry import apply_affine
from vertebro.imaging import LabelVolume, Volume, VolumeGeometry

_BLOCK_MM = 2.5
_MIN_REGION_ML = 1.0
_PADDING_HU = -1023.5
_MIN_PREVERTEBRAL_ML = 30.0
_MAX_BLOOD_SPREAD_HU = 50.0
"""Mixed blood is even but for noise and its wall's chalk; bone and bowel are not (assumed)."""
NO_ENHANCED_VESSEL = "no enhanced vessel in front of the spine; blood without contrast is not sampled"
"""The note of a scan that shows the vessels' place and no contrast in them."""


@dataclass(frozen=True, slots=True)
class TissueSample:
    """What one tissue reads in this scan."""

    tissue: str
    """A key of :func:`vertebro.materials.reference_tissues`."""
    mean_hu: float
    sd_hu: float
    n_voxels: int
    """Blocks (voxels for compact bone) sampled; 0 where the tissue was not found."""
    is_used: bool
    note: str = ""
    """Why it was not used."""


@dataclass(frozen=True, eq=False, slots=True)
class CoarseScan:
    """A block-averaged copy of the scan and where the spine runs in it."""

    hu: NDArray[np.float32]
    smooth_hu: NDArray[np.float32]
    """The same after a blur of one block: regions are chosen on it, so that no window cuts off noise."""
    geometry: VolumeGeometry
    is_measured: NDArray[np.bool_]
    """Blocks without padding."""
    spine_lps_mm: NDArray[np.float64]
    """(n, 3): centre of each labelled level."""
    near_spine: NDArray[np.bool_]
    """Blocks within 4 mm of a label."""

    def offsets_mm(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Of each block from the spine at its own height: to left, to posterior; and its height."""
        index = np.indices(self.hu.shape, dtype=np.float64).reshape(3, -1).T
        world = apply_affine(self.geometry.lps_from_voxel, index)
        order = np.argsort(self.spine_lps_mm[:, 2])
        spine = self.spine_lps_mm[order]
        left = world[:, 0] - np.interp(world[:, 2], spine[:, 2], spine[:, 0])
        posterior = world[:, 1] - np.interp(world[:, 2], spine[:, 2], spine[:, 1])
        shape = self.hu.shape
        return (
            left.reshape(shape).astype(np.float32),
            posterior.reshape(shape).astype(np.float32),
            world[:, 2].reshape(shape).astype(np.float32),
        )


def sample_tissues(volume: Volume, labels: LabelVolume, settings: TissueSettings) -> tuple[TissueSample, ...]:
    """What each reference tissue reads in a scan, found without a person's help.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
        Any of its labels tell where the spine is.
    settings : TissueSettings

    Returns
    -------
    tuple of TissueSample, in the order air, adipose, skeletal muscle, blood, cortical bone.
    """
    scan = coarse_scan(volume, labels)
    if scan is None:
        return tuple(
            TissueSample(name, 0.0, 0.0, 0, False, "no labels tell where the spine is")
            for name in ("air", "adipose", "skeletal_muscle", "blood", "cortical_bone")
        )
    left, posterior, height = scan.offsets_mm()
    return (
        _air(scan),
        _adipose(scan),
        _muscle(scan, left, posterior, height),
        _blood(scan, left, posterior, height, settings),
        _cortical_bone(volume, settings),
    )


def coarse_scan(volume: Volume, labels: LabelVolume) -> CoarseScan | None:
    """Average the scan in blocks of about 2.5 mm; None where the labels are empty."""
    points, values = _labelled_points(labels)
    if values.size == 0:
        return None
    centres = _level_centres(points, values)
    blocks = [max(1, round(_BLOCK_MM / edge)) for edge in volume.spacing_mm]
    blocks = [min(block, count) for block, count in zip(blocks, volume.shape, strict=True)]
    shape = [count // block for count, block in zip(volume.shape, blocks, strict=True)]
    cut = volume.hu[tuple(slice(0, n * b) for n, b in zip(shape, blocks, strict=True))]
    split = cut.reshape(shape[0], blocks[0], shape[1], blocks[1], shape[2], blocks[2])
    hu = np.asarray(split.mean(axis=(1, 3, 5), dtype=np.float32))
    measured = split.min(axis=(1, 3, 5)) > _PADDING_HU
    affine = volume.lps_from_voxel.copy()
    affine[:3, 3] = apply_affine(affine, [(block - 1) / 2.0 for block in blocks])
    affine[:3, :3] = affine[:3, :3] * np.array(blocks, dtype=np.float64)
    geometry = VolumeGeometry((shape[0], shape[1], shape[2]), affine)
    near = _near_labels(points, geometry)
    smooth = ndimage.gaussian_filter(hu, 1.0)
    return CoarseScan(hu, smooth, geometry, measured | (hu > -1000.0), centres, near)


def _labelled_points(labels: LabelVolume) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, 3) world positions of all named voxels, and the label of each."""
    flat = labels.labels.reshape(-1)
    at = np.flatnonzero(flat)
    values = flat[at].astype(np.int64)
    known = np.isin(values, [value for value in labels.names if value > 0])
    index = np.stack(np.unravel_index(at[known], labels.labels.shape), axis=1)
    return apply_affine(labels.geometry.lps_from_voxel, index), values[known]


def _level_centres(points: NDArray[np.float64], values: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 3): mean position of each label."""
    present, level = np.unique(values, return_inverse=True)
    counts = np.bincount(level, minlength=present.size)
    sums = [np.bincount(level, weights=axis, minlength=present.size) for axis in points.T]
    return np.stack(sums, axis=1) / counts[:, None]


def _near_labels(points: NDArray[np.float64], target: VolumeGeometry) -> NDArray[np.bool_]:
    """Blocks that hold or neighbour a labelled voxel."""
    at = np.rint(apply_affine(target.voxel_from_lps, points)).astype(int)
    inside = np.all((at >= 0) & (at < np.array(target.shape)), axis=1)
    mask = np.zeros(target.shape, dtype=bool)
    mask[tuple(at[inside].T)] = True
    return np.asarray(ndimage.binary_dilation(mask, iterations=2), dtype=bool)


def _sample(
    tissue: str,
    values: NDArray[np.float32],
    block_mm3: float,
    bounds_hu: tuple[float, float],
) -> TissueSample:
    """A tissue's sample by median and robust spread; not used where small or out of bounds."""
    if values.size * block_mm3 < _MIN_REGION_ML * 1000.0:
        return TissueSample(tissue, 0.0, 0.0, 0, False, "no region large enough")
    middle = float(np.median(values))
    spread = float(1.4826 * np.median(np.abs(values - middle)))
    if not bounds_hu[0] <= middle <= bounds_hu[1]:
        note = f"{middle:.0f} HU is outside {bounds_hu[0]:.0f} to {bounds_hu[1]:.0f} HU"
        return TissueSample(tissue, middle, spread, int(values.size), False, note)
    return TissueSample(tissue, middle, spread, int(values.size), True)


def _eroded(scan: CoarseScan, low_hu: float, high_hu: float, steps: int) -> NDArray[np.bool_]:
    mask = (scan.smooth_hu >= low_hu) & (scan.smooth_hu <= high_hu) & scan.is_measured
    return np.asarray(ndimage.binary_erosion(mask, iterations=steps), dtype=bool)


def _air(scan: CoarseScan) -> TissueSample:
    """Air around or in the patient; a foam mattress reads -950 to -900 HU and is kept out."""
    region = _eroded(scan, -1100.0, -950.0, 2)
    return _sample("air", scan.hu[region], scan.geometry.voxel_volume_mm3, (-1040.0, -960.0))


def _adipose(scan: CoarseScan) -> TissueSample:
    region = _eroded(scan, -150.0, -50.0, 1)
    return _sample("adipose", scan.hu[region], scan.geometry.voxel_volume_mm3, (-125.0, -75.0))


def _muscle(
    scan: CoarseScan,
    left: NDArray[np.float32],
    posterior: NDArray[np.float32],
    height: NDArray[np.float32],
) -> TissueSample:
    """Muscle beside and behind the spine: up to 55 mm to the side, 10 to 70 mm behind the labels' centre."""
    span = (scan.spine_lps_mm[:, 2].min() - 15.0, scan.spine_lps_mm[:, 2].max() + 15.0)
    place = (np.abs(left) <= 55.0) & (posterior >= -10.0) & (posterior <= 60.0)
    place &= (height >= span[0]) & (height <= span[1]) & ~scan.near_spine
    region = _eroded(scan, 25.0, 110.0, 1) & place
    return _sample("skeletal_muscle", scan.hu[region], scan.geometry.voxel_volume_mm3, (25.0, 80.0))


def _blood(
    scan: CoarseScan,
    left: NDArray[np.float32],
    posterior: NDArray[np.float32],
    height: NDArray[np.float32],
    settings: TissueSettings,
) -> TissueSample:
    """Enhanced blood of the vessels in front of the spine.

    Sought are parts brighter than ``blood_contrast_hu`` whose inner radius is 5 to 18 mm, 15 to 65 mm
    in front of the labels' centre, over at least 15 mm of height. Blood without contrast cannot be told
    from the crura and bowel around it; it is not sampled, and muscle serves in its place.
    """
    span = (scan.spine_lps_mm[:, 2].min() - 25.0, scan.spine_lps_mm[:, 2].max() + 25.0)
    place = (left >= -30.0) & (left <= 45.0) & (posterior <= -15.0) & (posterior >= -65.0)
    place &= (height >= span[0]) & (height <= span[1]) & scan.is_measured & ~scan.near_spine
    soft_ml = float((place & (scan.hu > -150.0)).sum()) * scan.geometry.voxel_volume_mm3 / 1000.0
    if soft_ml < _MIN_PREVERTEBRAL_ML:
        return TissueSample("blood", 0.0, 0.0, 0, False, "the space in front of the spine is not in the scan")
    bright = place & (scan.smooth_hu >= settings.blood_contrast_hu) & (scan.smooth_hu <= 700.0)
    radius = edt.edt(bright, anisotropy=scan.geometry.spacing_mm, black_border=True)
    lumen = _tall_components((radius >= 5.0) & (radius <= 18.0), height, 15.0)
    if not lumen.any():
        return TissueSample("blood", 0.0, 0.0, 0, False, NO_ENHANCED_VESSEL)
    values = scan.hu[lumen]
    middle = float(np.median(values))
    spread = float(1.4826 * np.median(np.abs(values - middle)))
    if spread > _MAX_BLOOD_SPREAD_HU:
        return TissueSample("blood", 0.0, 0.0, 0, False, "what is bright in front of the spine is uneven")
    return TissueSample("blood", middle, spread, int(values.size), False, "holds contrast")


def _tall_components(
    mask: NDArray[np.bool_], height: NDArray[np.float32], least_mm: float
) -> NDArray[np.bool_]:
    """The parts of a mask that run up or down by at least ``least_mm``: vessels, not calcifications."""
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    if count == 0:
        return np.zeros_like(mask)
    index = np.arange(1, count + 1)
    extent = ndimage.maximum(height, labels, index) - ndimage.minimum(height, labels, index)
    return np.isin(labels, index[extent >= least_mm])


def _cortical_bone(volume: Volume, settings: TissueSettings) -> TissueSample:
    """Compact bone whose six neighbours are compact bone too, away from metal."""
    bone = volume.hu > settings.cortical_bone_min_hu
    if not bone.any():
        return TissueSample("cortical_bone", 0.0, 0.0, 0, False, "none above the blur")
    box = ndimage.find_objects(bone.astype(np.uint8))[0]
    hu = volume.hu[box]
    inner = ndimage.binary_erosion(bone[box])
    metal = hu > 2400.0
    if metal.any():
        steps = max(1, round(15.0 / min(volume.spacing_mm)))
        inner &= ~ndimage.binary_dilation(metal, iterations=steps)
    values = hu[inner].astype(np.float32)
    if values.size < 30:
        return TissueSample("cortical_bone", 0.0, 0.0, 0, False, "none above the blur of this scan")
    return TissueSample("cortical_bone", float(values.mean()), float(values.std()), int(values.size), True)
