"""The place of operation: one vertebra's bone surface, canal and pedicles on its own axes.

Frame: the vertebra's (x right, y anterior, z superior, mm, origin at the body's centre), suffix
``_v``. Everything a path is judged by is here; nothing here knows of paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from vertebro.case import Side
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop, coverage_on, patch_grid
from vertebro.planning.obstacles import (
    Endplates,
    Obstacle,
    find_endplates,
    find_foramina,
    find_surface,
    obstacle,
)

MASK_BLUR_VOXELS = 0.6
"""Blur of the mask in its own voxels, which turns its steps into a slope."""
MARGIN_MM = 4.0
"""Empty border around the bone on the patch."""
PEDICLE_SEARCH_MM = 14.0
"""How far behind the body's back wall a pedicle's narrowest section is sought."""
NEARLY_AS_NARROW = 1.1
"""Sections of up to this many times the smallest area count as narrowest together."""
WIDENED = 1.5
"""Where the section has grown to this many times the smallest area, the lamina begins (assumed)."""
MIN_PEDICLE_AREA_MM2 = 6.0
"""Smaller pieces beside the canal are no pedicle (assumed: 2.4 × 2.5 mm)."""
SURFACE_BEHIND_BODY_MM = 22.0
"""Bone further behind the body than this is lamina and processes; a pedicle's walls are not."""
CANAL_HALF_WIDTH_MM = 17.0
"""Canals are no wider than twice this (assumed: the widest, at L5, measure about 30 mm between pedicles)."""
CANAL_BEHIND_BODY_MM = 30.0
"""Canals reach no further behind the back wall than this."""


@dataclass(frozen=True, eq=False, slots=True)
class Pedicle:
    """One pedicle at its narrowest coronal section."""

    side: Side
    centre_v: NDArray[np.float64]
    width_mm: float
    height_mm: float
    axis_v: NDArray[np.float64]
    """Unit direction from behind to the front, through the sections' centres."""
    rear_mm: float
    """y of its rear end, where it widens into the lamina."""


@dataclass(frozen=True, eq=False, slots=True)
class Site:
    """A vertebra as planning sees it."""

    name: str
    lps_from_vertebra: NDArray[np.float64]
    grid: VolumeGeometry
    """Patch grid in the world."""
    vertebra_from_patch: NDArray[np.float64]
    coverage: NDArray[np.float32]
    """Share of bone in each patch voxel, 0 to 1; 0.5 is the surface."""
    bone: NDArray[np.bool_]
    """Patch voxels that are at least half bone."""
    depth_in_bone_mm: NDArray[np.float32]
    """Of each patch voxel in bone, the distance to the nearest voxel outside."""
    spacing_mm: float
    """Of the patch."""
    body: NDArray[np.bool_]
    """Patch voxels of the body."""
    other_bone: NDArray[np.bool_]
    """Patch voxels that are, or nearly touch, another labelled bone."""
    neighbour: NDArray[np.bool_]
    """Patch voxels that are another labelled bone."""
    surface_v: NDArray[np.float64]
    """(n, 3): points on the bone's outer surface, from just behind the pedicles forwards."""
    surface: cKDTree
    """All of the outer surface."""
    canal_region: Obstacle
    """The spinal canal; not there where the labels hold no arch around it."""
    canal_v: NDArray[np.float64]
    """(m, 3): outermost voxel centres of the spinal canal; a search keeps those near its needle."""
    foramina: Mapping[Side, Obstacle]
    """The nerves' openings above and below each pedicle."""
    endplates: Endplates
    cleft: Obstacle
    """Gas in the body; without voxels where there is none, or no CT was given."""
    pedicles: Mapping[Side, Pedicle]
    back_mm: float
    """y of the body's back wall at mid-height in the midline."""
    front_mm: float
    """y of its front wall there."""
    half_width_mm: float
    bottom_mm: float
    top_mm: float
    """z of the lower and upper endplate in the middle of the body."""

    @property
    def depth_mm(self) -> float:
        """Front-to-back depth of the body."""
        return self.front_mm - self.back_mm

    def coverage_at(self, points_v: NDArray[np.float64]) -> NDArray[np.float64]:
        """(...): bone coverage at points (..., 3); 0 outside the patch."""
        patch_from_vertebra = invert_affine(self.vertebra_from_patch)
        index = apply_affine(patch_from_vertebra, points_v.reshape(-1, 3)).T
        values = ndimage.map_coordinates(self.coverage, index, order=1, mode="constant", cval=0.0)
        return np.asarray(values, dtype=np.float64).reshape(points_v.shape[:-1])

    def is_bone(self, point_v: NDArray[np.float64]) -> bool:
        """Whether the voxel at a point (3,) is bone."""
        index = np.rint((point_v - self.vertebra_from_patch[:3, 3]) / self.spacing_mm).astype(int)
        if (index < 0).any() or (index >= self.bone.shape).any():
            return False
        return bool(self.bone[index[0], index[1], index[2]])

    def is_in(self, mask: NDArray[np.bool_], points_v: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,): whether points (n, 3) lie in a mask on the patch."""
        patch_from_vertebra = invert_affine(self.vertebra_from_patch)
        index = np.rint(apply_affine(patch_from_vertebra, points_v)).astype(int)
        inside = np.all((index >= 0) & (index < np.array(mask.shape)), axis=1)
        found = np.zeros(len(points_v), dtype=np.bool_)
        found[inside] = mask[tuple(index[inside].T)]
        return found


def make_site(
    name: str,
    vertebra: MaskCrop,
    body: MaskCrop,
    lps_from_vertebra: NDArray[np.float64],
    spacing_mm: float,
) -> Site | None:
    """Lift a vertebra onto its own axes and find its surface, canal and pedicles.

    Parameters
    ----------
    name : str
        The level.
    vertebra, body : MaskCrop
        The label's mask and that of its body, with empty borders.
    lps_from_vertebra : (4, 4) float array
    spacing_mm : float
        Of the patch.

    Returns
    -------
    Site or None
        None where the masks hold no bone.
    """
    inverse = invert_affine(lps_from_vertebra)
    index = np.argwhere(vertebra.mask)
    if len(index) == 0 or not body.mask.any():
        return None
    points = apply_affine(inverse @ vertebra.geometry.lps_from_voxel, index)
    reach = 0.5 * max(vertebra.geometry.spacing_mm) + MARGIN_MM
    grid = patch_grid(lps_from_vertebra, points.min(axis=0) - reach, points.max(axis=0) + reach, spacing_mm)
    coverage = coverage_on(vertebra, grid, MASK_BLUR_VOXELS, 0.0)
    solid = _without_holes(coverage)
    body_on_patch = coverage_on(body, grid, MASK_BLUR_VOXELS, 0.0) >= 0.5
    if not body_on_patch.any() or solid.max() <= 0.5:
        return None
    vertebra_from_patch = inverse @ grid.lps_from_voxel
    surface_v, normals_v = find_surface(solid, vertebra_from_patch)
    box = _body_box(body_on_patch, vertebra_from_patch)
    bone = solid >= 0.5
    canal = _canal(bone, vertebra_from_patch, box["back"])
    pedicles = _pedicles(bone, canal, vertebra_from_patch, box) if canal.any() else {}
    openings = {
        side: (pedicle.centre_v, pedicle.width_mm, pedicle.height_mm, pedicle.rear_mm)
        for side, pedicle in pedicles.items()
    }
    canal_region = obstacle(canal, vertebra_from_patch)
    nowhere = np.zeros(grid.shape, dtype=np.bool_)
    return Site(
        name=name,
        lps_from_vertebra=lps_from_vertebra,
        grid=grid,
        vertebra_from_patch=vertebra_from_patch,
        coverage=solid,
        bone=np.asarray(bone, dtype=np.bool_),
        depth_in_bone_mm=edt.edt(bone, anisotropy=(spacing_mm,) * 3, parallel=1),
        spacing_mm=spacing_mm,
        body=np.asarray(body_on_patch, dtype=np.bool_),
        other_bone=nowhere,
        neighbour=nowhere,
        surface_v=np.ascontiguousarray(surface_v[surface_v[:, 1] > box["back"] - SURFACE_BEHIND_BODY_MM]),
        surface=cKDTree(surface_v),
        canal_region=canal_region,
        canal_v=canal_region.rim_v,
        foramina=find_foramina(~bone & ~canal, vertebra_from_patch, openings, box["back"]),
        endplates=find_endplates(surface_v, normals_v, box),
        cleft=obstacle(nowhere, vertebra_from_patch),
        pedicles=pedicles,
        back_mm=box["back"],
        front_mm=box["front"],
        half_width_mm=box["half_width"],
        bottom_mm=box["bottom"],
        top_mm=box["top"],
    )


def _without_holes(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Coverage with cavities inside the bone (gas, vein) filled, so that only the outside is surface."""
    bone = coverage >= 0.5
    filled = ndimage.binary_fill_holes(bone)
    holes = filled & ~bone
    if not holes.any():
        return coverage
    return np.where(ndimage.binary_dilation(holes) & filled, np.float32(1.0), coverage).astype(np.float32)


def _body_box(body: NDArray[np.bool_], vertebra_from_patch: NDArray[np.float64]) -> dict[str, float]:
    """Extent of the body through its middle."""
    points = apply_affine(vertebra_from_patch, np.argwhere(body))
    middle = np.median(points, axis=0)
    near = np.abs(points - middle)
    along_y = points[(near[:, 0] < 3.0) & (near[:, 2] < 3.0)]
    along_z = points[(near[:, 0] < 3.0) & (near[:, 1] < 3.0)]
    along_x = points[(near[:, 1] < 3.0) & (near[:, 2] < 3.0)]
    half = 0.5 * float(np.abs(vertebra_from_patch[0, 0]))
    along_y, along_z, along_x = (rows if len(rows) else points for rows in (along_y, along_z, along_x))
    return {
        "back": float(along_y[:, 1].min()) - half,
        "front": float(along_y[:, 1].max()) + half,
        "bottom": float(along_z[:, 2].min()) - half,
        "top": float(along_z[:, 2].max()) + half,
        "half_width": 0.5 * float(np.ptp(along_x[:, 0])) + half,
    }


def _canal(
    bone: NDArray[np.bool_], vertebra_from_patch: NDArray[np.float64], back_mm: float
) -> NDArray[np.bool_]:
    """The canal: soft tissue behind the body with bone before and behind it, as wide as the arch shows."""
    free = ~bone
    before = _seen(bone, axis=1, forward=True)
    behind = _seen(bone, axis=1, forward=False)
    beside = _seen(bone, axis=0, forward=True) & _seen(bone, axis=0, forward=False)
    y = vertebra_from_patch[1, 3] + vertebra_from_patch[1, 1] * np.arange(bone.shape[1])
    x = vertebra_from_patch[0, 3] + vertebra_from_patch[0, 0] * np.arange(bone.shape[0])
    in_reach = ((y < back_mm + 3.0) & (y > back_mm - CANAL_BEHIND_BODY_MM))[None, :, None]
    in_reach = in_reach & (np.abs(x) <= CANAL_HALF_WIDTH_MM)[:, None, None]
    ring = free & before & behind & beside & in_reach
    pieces, n_pieces = ndimage.label(ring)
    if n_pieces == 0:
        return np.zeros_like(bone)
    nearness = np.exp(-((x / 8.0) ** 2))[:, None, None] * np.ones_like(ring, dtype=np.float64)
    weight = ndimage.sum_labels(nearness, pieces, np.arange(1, n_pieces + 1))
    ring = pieces == 1 + int(np.argmax(weight))
    columns = np.flatnonzero(ring.any(axis=(1, 2)))
    width = np.zeros(bone.shape[0], dtype=bool)
    width[columns[0] : columns[-1] + 1] = True
    open_above_and_below = free & before & behind & in_reach & width[:, None, None]
    pieces, _ = ndimage.label(ring | open_above_and_below | (free & _between_pedicles(ring, y <= back_mm)))
    return np.asarray(np.isin(pieces, np.unique(pieces[ring])) & (pieces > 0), dtype=np.bool_)


def _between_pedicles(ring: NDArray[np.bool_], is_behind_body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The box between the pedicles where the arch is open behind, above the laminae."""
    lows, highs = [], []
    for k in np.flatnonzero(ring.any(axis=(0, 1))):
        columns = np.flatnonzero(ring[:, :, k].any(axis=1))
        lows.append(columns[0])
        highs.append(columns[-1])
    rows = np.flatnonzero(ring.any(axis=(0, 2)))
    slices = np.flatnonzero(ring.any(axis=(0, 1)))
    box = np.zeros_like(ring)
    box[
        int(np.median(lows)) : int(np.median(highs)) + 1, rows[0] : rows[-1] + 1, slices[0] : slices[-1] + 1
    ] = True
    return np.asarray(box & is_behind_body[None, :, None], dtype=np.bool_)


def _seen(bone: NDArray[np.bool_], axis: int, *, forward: bool) -> NDArray[np.bool_]:
    """Whether there is bone further along an axis (forward) or before it."""
    flipped = np.flip(bone, axis) if forward else bone
    found = np.logical_or.accumulate(flipped, axis=axis)
    return np.flip(found, axis) if forward else found


def _pedicles(
    bone: NDArray[np.bool_],
    canal: NDArray[np.bool_],
    vertebra_from_patch: NDArray[np.float64],
    box: Mapping[str, float],
) -> dict[Side, Pedicle]:
    """Both pedicles, where their sections beside the canal can be followed."""
    found: dict[Side, Pedicle] = {}
    for side, sign in ((Side.RIGHT, 1.0), (Side.LEFT, -1.0)):
        pedicle = _pedicle(bone, canal, vertebra_from_patch, box, (side, sign))
        if pedicle is not None:
            found[side] = pedicle
    return found


def _pedicle(
    bone: NDArray[np.bool_],
    canal: NDArray[np.bool_],
    vertebra_from_patch: NDArray[np.float64],
    box: Mapping[str, float],
    which: tuple[Side, float],
) -> Pedicle | None:
    """One pedicle: the narrowest of the coronal sections between the body and the lamina."""
    side, sign = which
    step = float(vertebra_from_patch[0, 0])
    x, y, z = (vertebra_from_patch[a, 3] + step * np.arange(bone.shape[a]) for a in range(3))
    canal_columns = x[canal.any(axis=(1, 2))]
    middle_x = 0.5 * (canal_columns.min() + canal_columns.max())
    beside = sign * (x - middle_x) > 0.0
    in_body = (z > box["bottom"] - 6.0) & (z < box["top"] + 8.0)
    window = beside[:, None] & in_body[None, :]
    sections: list[tuple[float, NDArray[np.bool_], float]] = []
    earlier: NDArray[np.bool_] | None = None
    for j in np.flatnonzero((y < box["back"] - 0.5) & (y > box["back"] - PEDICLE_SEARCH_MM))[::-1]:
        if not canal[:, j, :].any():
            continue
        pieces, n_pieces = ndimage.label(bone[:, j, :] & window)
        if n_pieces == 0:
            break
        overlap = pieces[earlier] if earlier is not None else pieces[window]
        counts = np.bincount(overlap[overlap > 0], minlength=n_pieces + 1)
        if counts.max(initial=0) == 0:
            break
        section = pieces == int(np.argmax(counts))
        area = float(section.sum()) * step * step
        if area < MIN_PEDICLE_AREA_MM2:
            break
        sections.append((float(y[j]), section, area))
        earlier = section
    if len(sections) < 3:
        return None
    areas = ndimage.uniform_filter1d([area for *_, area in sections], 3, mode="nearest")
    narrowest, rear = _narrowest(areas)
    y_mm, section, _ = sections[narrowest]
    centres = np.array([[*_centre(part, x, z), at] for at, part, _ in sections])
    near = np.abs(centres[:, 2] - y_mm) <= 4.0
    slope_x = np.polyfit(centres[near, 2], centres[near, 0], 1)[0] if near.sum() > 2 else 0.0
    slope_z = np.polyfit(centres[near, 2], centres[near, 1], 1)[0] if near.sum() > 2 else 0.0
    axis = np.array([slope_x, 1.0, slope_z])
    centre_x, centre_z = _centre(section, x, z)
    return Pedicle(
        side=side,
        centre_v=np.array([centre_x, y_mm, centre_z]),
        width_mm=float(np.median(section.sum(axis=0)[section.any(axis=0)])) * step,
        height_mm=float(np.median(section.sum(axis=1)[section.any(axis=1)])) * step,
        axis_v=axis / np.linalg.norm(axis),
        rear_mm=sections[rear][0],
    )


def _narrowest(areas: NDArray[np.float64]) -> tuple[int, int]:
    """Middle of the narrow stretch around the smallest section, and the rearmost section of the pedicle.

    Sections run from the body backwards. A tube has no narrowest place, so the middle of all that is
    nearly as narrow is taken.
    """
    smallest = int(np.argmin(areas))

    def stretch(limit: float) -> tuple[int, int]:
        first = last = smallest
        while first > 0 and areas[first - 1] <= limit * areas[smallest]:
            first -= 1
        while last + 1 < len(areas) and areas[last + 1] <= limit * areas[smallest]:
            last += 1
        return first, last

    first, last = stretch(NEARLY_AS_NARROW)
    return (first + last) // 2, stretch(WIDENED)[1]


def _centre(
    section: NDArray[np.bool_], x: NDArray[np.float64], z: NDArray[np.float64]
) -> tuple[float, float]:
    """Centre of a coronal section (x, z)."""
    i, k = np.nonzero(section)
    return float(x[i].mean()), float(z[k].mean())
