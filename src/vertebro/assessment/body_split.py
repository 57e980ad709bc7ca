"""Separating the vertebral body from the posterior elements.

Two steps. *Roughly*, without knowing directions: the body is the thickest part of a vertebra, so an
opening by a large ball keeps it and drops pedicles and processes. *Exactly*, on the vertebra's own
axes: the back wall is seen directly beside the canal and below the pedicles; where a pedicle joins,
the wall is continued across it from its surroundings (harmonic filling), so the cut follows a bulging
or caved-in wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop

CORE_SHARE = 0.6
"""Bone at least this share as thick as the thickest belongs to a core (assumed)."""
PEDICLE_DEPTH_MM = 4.0
"""Bone this far behind the midline wall is a pedicle: healthy walls are concave by 1–3 mm (assumed)."""
CANAL_HALF_WIDTH_MM = 5.0
"""The wall is looked at directly this far to either side: the narrowest canals are 13 mm wide
(Zindrick 1987 [recall])."""
PROCESS_RADIUS_MM = 4.0
"""Spikes thinner than twice this beside the body are processes or ribs, not body (assumed)."""


HARMONIC_SWEEPS = 150
"""Sweeps of the harmonic filling: gaps are a pedicle wide, some ten to twenty voxels (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class RoughBody:
    """A first guess of where the body is."""

    centre_lps_mm: NDArray[np.float64]
    rest_centre_lps_mm: NDArray[np.float64]
    """Centre of what is not body; the body's own centre where there is next to nothing else."""
    rest_fraction: float
    radius_mm: float
    """Radius of the largest ball inside."""


@dataclass(frozen=True, eq=False, slots=True)
class BodySplit:
    """The body on a patch along the vertebra's axes (right, anterior, superior)."""

    body: NDArray[np.bool_]
    vertebra: NDArray[np.bool_]
    posterior_fraction: float
    """Share of the vertebra's volume behind the body."""


def rough_body(crop: MaskCrop, anterior_lps: NDArray[np.float64]) -> RoughBody | None:
    """The largest thick part of a label, sought in its front 60 %; None for an empty mask.

    Parameters
    ----------
    crop : MaskCrop
        The label with an empty border.
    anterior_lps : (3,) float array
        Roughly to anterior, world frame; 30 degrees off do no harm.
    """
    index = np.argwhere(crop.mask)
    if len(index) == 0:
        return None
    points = apply_affine(crop.geometry.lps_from_voxel, index)
    depth_mm = points @ anterior_lps
    in_front = depth_mm >= depth_mm.min() + 0.4 * np.ptp(depth_mm)
    spacing = crop.geometry.spacing_mm
    inside_mm = edt.edt(crop.mask, anisotropy=spacing, parallel=1)
    thickness = inside_mm[tuple(index.T)]
    thickest = float(thickness[in_front].max())
    # a crushed body is thinner than its own lamina, but never smaller: the largest thick piece counts
    pieces, _ = ndimage.label(inside_mm >= max(CORE_SHARE * thickest, 1e-6))
    piece = pieces[tuple(index.T)]
    largest = int(np.bincount(piece[in_front & (piece > 0)]).argmax())
    seed = int(np.argmax(np.where(in_front & (piece == largest), thickness, 0.0)))
    radius = float(thickness[seed])
    core, _ = ndimage.label(inside_mm >= max(CORE_SHARE * radius, 1e-6))
    core = core == core[tuple(index[seed])]
    reach_mm = CORE_SHARE * radius + 0.5 * max(spacing)
    near = edt.edt(~core, anisotropy=spacing, parallel=1)[tuple(index.T)] <= reach_mm
    body, rest = points[near], points[~near]
    centre = body.mean(axis=0)
    return RoughBody(
        centre_lps_mm=centre,
        rest_centre_lps_mm=rest.mean(axis=0) if len(rest) else centre,
        rest_fraction=len(rest) / len(points),
        radius_mm=radius,
    )


def split_body(
    vertebra: NDArray[np.bool_], patch: VolumeGeometry, origin_index: NDArray[np.float64]
) -> BodySplit | None:
    """Cut the body off a vertebra lifted onto its own axes.

    Parameters
    ----------
    vertebra : (i, j, k) bool array
        The vertebra on an isotropic patch; axes to right, anterior, superior.
    patch : VolumeGeometry
    origin_index : (3,) float array
        Patch index of the local frame's origin, near the body's centre.

    Returns
    -------
    BodySplit or None
        None where there is no bone near the origin.
    """
    step = patch.spacing_mm[0]
    if not vertebra.any():
        return None
    solid = ndimage.binary_fill_holes(
        ndimage.binary_closing(np.pad(vertebra, 2), iterations=2)[2:-2, 2:-2, 2:-2]
    )
    solid = np.asarray(solid | vertebra)
    wall_index = back_wall(solid, origin_index, step)
    if wall_index is None:
        return None
    behind = np.arange(vertebra.shape[1])[None, :, None] < wall_index[:, None, :]
    body = solid & ~behind
    body = _without_spikes(body, origin_index, step)
    if not body.any():
        return None
    total = int(vertebra.sum())
    outside = int((vertebra & ~body).sum())
    return BodySplit(body, np.asarray(vertebra | body), outside / max(total, 1))


def given_body(body: NDArray[np.bool_], vertebra: NDArray[np.bool_]) -> BodySplit | None:
    """A body that the label's source marks itself; its inner gaps are filled. None where it is empty."""
    if not body.any():
        return None
    filled = ndimage.binary_fill_holes(body)
    whole = np.asarray(vertebra | filled)
    return BodySplit(np.asarray(filled), whole, float((whole & ~filled).sum()) / float(whole.sum()))


def back_wall(
    solid: NDArray[np.bool_], origin_index: NDArray[np.float64], step_mm: float
) -> NDArray[np.float64] | None:
    """(i, k): first index along the anterior axis that belongs to the body."""
    wall = _run_to_back(solid, round(origin_index[1]))
    if not np.isfinite(wall).any():
        return None
    # level with a hollow endplate the body is met only near its back rim
    usual = float(np.nanmedian(wall))
    for ahead_mm in (6.0, 3.0):
        wall = np.fmin(wall, _run_to_back(solid, round(usual + ahead_mm / step_mm)))
    middle = int(np.clip(round(origin_index[0]), 0, solid.shape[0] - 1))
    half = max(round(CANAL_HALF_WIDTH_MM / step_mm), 1)
    strip = slice(max(middle - half, 0), middle + half + 1)
    valid = np.isfinite(wall[strip]).any(axis=0)
    if not valid.any():
        return None
    midline = np.full(wall.shape[1], np.nan)
    midline[valid] = np.nanmedian(wall[strip][:, valid], axis=0)
    midline = _extended(_median_of_three(midline))
    depth = PEDICLE_DEPTH_MM / step_mm
    is_pedicle = np.isfinite(wall) & (wall < midline[None, :] - depth)
    grown = max(round(2.0 / step_mm), 1)
    is_pedicle = ndimage.binary_dilation(is_pedicle, np.ones((2 * grown + 1, 2 * grown + 1), dtype=bool))
    is_pedicle[strip] = wall[strip] < midline[None, :] - depth
    # outside a pedicle the wall has turned to the side and says nothing of where it runs across it
    beside = np.zeros_like(is_pedicle)
    beside[middle:] = np.logical_or.accumulate(is_pedicle[middle:], axis=0)
    beside[: middle + 1] |= np.logical_or.accumulate(is_pedicle[middle::-1], axis=0)[::-1]
    return _filled(np.where(beside, np.nan, wall), midline)


def _run_to_back(solid: NDArray[np.bool_], start: int) -> NDArray[np.float64]:
    """(i, k): last index reached from ``start`` backwards inside bone; NaN where it starts outside."""
    start = int(np.clip(start, 0, solid.shape[1] - 1))
    backwards = solid[:, start::-1, :]
    run = np.where(backwards.all(axis=1), start + 1, np.argmin(backwards, axis=1))
    return np.where(backwards[:, 0, :], start - run + 1.0, np.nan)


def _median_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    stacked = np.stack([np.roll(values, 1), values, np.roll(values, -1)])
    stacked[0, 0] = stacked[2, -1] = np.nan
    known = np.isfinite(values)
    result = values.copy()
    result[known] = np.nanmedian(stacked[:, known], axis=0)
    return result


def _extended(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill gaps linearly and carry the end values outward."""
    known = np.flatnonzero(np.isfinite(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))


def _filled(wall: NDArray[np.float64], midline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Continue a wall over unknown columns: harmonic, from the midline where nothing else is near."""
    known = np.isfinite(wall)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = wall[tuple(nearest)] if known.any() else np.broadcast_to(midline, wall.shape).copy()
    for _ in range(HARMONIC_SWEEPS):
        edge = np.pad(filled, 1, mode="edge")
        around = 0.25 * (edge[2:, 1:-1] + edge[:-2, 1:-1] + edge[1:-1, 2:] + edge[1:-1, :-2])
        filled = np.where(known, wall, around)
    return filled


def _without_spikes(
    body: NDArray[np.bool_], origin_index: NDArray[np.float64], step_mm: float
) -> NDArray[np.bool_]:
    """Drop processes beside the body: open in axial slices, keep the piece at the origin, close back."""
    padded = np.pad(body, 1)
    labelled, count = ndimage.label(padded)
    if count == 0:
        return body
    inside = np.asarray(edt.edt(padded.any(axis=2).astype(np.uint8), parallel=1)) * step_mm
    radius = min(PROCESS_RADIUS_MM, 0.5 * float(inside.max()))
    core_2d = inside > radius
    near_2d = np.asarray(edt.edt(~core_2d, parallel=1)) * step_mm <= radius + step_mm
    kept = padded & near_2d[:, :, None]
    labelled, count = ndimage.label(kept)
    if count == 0:
        return np.zeros_like(body)
    if count > 1:
        sizes = np.bincount(labelled.ravel())
        sizes[0] = 0
        home = labelled[tuple(np.clip(np.round(origin_index).astype(int) + 1, 0, np.array(kept.shape) - 1))]
        kept = labelled == (home if home else int(sizes.argmax()))
    return np.asarray(kept[1:-1, 1:-1, 1:-1])
