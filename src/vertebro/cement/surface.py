"""The body's surface and how sound its wall is on the CT: where the shell is open.

At points of the surface the CT is read along the outward normal; the brightest value just inside and
outside is the shell. A connected patch where that hardly rises above the bone inside is an opening.
Frame: the vertebra's, mm. Array axes run to right, anterior, superior.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from vertebro.cement.settings import RouteSettings

INSIDE_MM, OUTSIDE_MM = 2.5, 2.0
"""Range along the normal in which the shell is sought."""
RESOLVED_VOXELS = 2.5
"""An opening seen is at least so many of the CT's voxels wide."""
CALM_MM = 0.6
"""Blur against noise before the shell is read."""
CORE_MM = (4.0, 7.0)
"""Range along the inward normal that stands for the bone inside."""


class Part(StrEnum):
    """Part of a body's surface."""

    SUPERIOR = "superior"
    INFERIOR = "inferior"
    ANTERIOR = "anterior"
    LEFT = "left"
    RIGHT = "right"
    POSTERIOR = "posterior"


@dataclass(frozen=True, eq=False, slots=True)
class BodySurface:
    """Points of a body's surface with what the CT shows there."""

    points_v: NDArray[np.float64]
    """(n, 3), about a voxel apart."""
    normals_v: NDArray[np.float64]
    """(n, 3), outwards."""
    parts: NDArray[np.str_]
    """(n,): values of :class:`Part`."""
    contrast: NDArray[np.float64]
    """(n,): shell above core, in units of the part's usual; 0 is open, 1 usual."""
    peak_hu: NDArray[np.float64]
    """(n,): brightest value of the shell."""
    is_joined: NDArray[np.bool_]
    """(n,): whether the bone goes on outside (pedicles)."""
    area_mm2: float
    """That one point stands for."""


@dataclass(frozen=True, eq=False, slots=True)
class Opening:
    """An open patch of wall that the CT shows."""

    part: Part
    centre_v: NDArray[np.float64]
    normal_v: NDArray[np.float64]
    points_v: NDArray[np.float64]
    area_mm2: float
    width_mm: float
    """Its smaller extent."""


def read_surface(
    body: NDArray[np.bool_],
    vertebra: NDArray[np.bool_],
    hu: NDArray[np.float32],
    vertebra_from_patch: NDArray[np.float64],
    spacing_mm: float,
) -> BodySurface:
    """Points on a body's surface, one for each outermost voxel, and the CT along their normals."""
    soft = ndimage.gaussian_filter(body.astype(np.float32), 2.0 / spacing_mm)
    gradient = np.stack(np.gradient(soft), axis=-1)
    shell = body & ~ndimage.binary_erosion(body)
    index = np.argwhere(shell).astype(np.float64)
    outward = -gradient[shell]
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    calm = ndimage.gaussian_filter(hu, CALM_MM / spacing_mm)
    peak = _along(calm, index, outward, (-INSIDE_MM, OUTSIDE_MM), spacing_mm).max(axis=1)
    inner = np.median(_along(calm, index, -outward, CORE_MM, spacing_mm), axis=1)
    parts = _parts(outward)
    contrast = np.ones(len(index))
    core = float(np.median(inner))
    for part in Part:
        here = parts == part.value
        if here.any():
            usual = max(float(np.median(peak[here])) - core, 40.0)
            contrast[here] = (peak[here] - core) / usual
    ahead = np.rint(index + outward * 2.5 / spacing_mm).astype(int)
    ahead = np.clip(ahead, 0, np.array(body.shape) - 1)
    joined = (vertebra & ~body)[tuple(ahead.T)]
    joined_near = ndimage.binary_dilation(
        _scatter(index[joined], body.shape), iterations=max(1, round(2.5 / spacing_mm))
    )
    return BodySurface(
        points_v=index * spacing_mm + vertebra_from_patch[:3, 3],
        normals_v=outward,
        parts=parts,
        contrast=contrast,
        peak_hu=peak,
        is_joined=joined_near[tuple(index.astype(int).T)],
        area_mm2=spacing_mm**2,
    )


def seen_openings(
    surface: BodySurface, settings: RouteSettings, source_spacing_mm: float = 1.0
) -> tuple[Opening, ...]:
    """Connected patches of wall that the CT shows open, the largest first.

    Parameters
    ----------
    surface : BodySurface
    settings : RouteSettings
    source_spacing_mm : float
        Largest voxel size of the CT: smaller patches than a few of its voxels cannot be seen.
    """
    is_open = (surface.contrast < settings.gap_contrast) & (surface.peak_hu < settings.gap_highest_hu)
    is_open &= ~surface.is_joined
    least_mm2 = max(settings.gap_min_area_mm2, (RESOLVED_VOXELS * source_spacing_mm) ** 2)
    points = surface.points_v[is_open]
    if not len(points):
        return ()
    pairs = cKDTree(points).query_pairs(1.8 * np.sqrt(surface.area_mm2), output_type="ndarray")
    joined = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    count, piece = connected_components(joined, directed=False)
    found = []
    for number in range(count):
        mine = piece == number
        area = float(mine.sum()) * surface.area_mm2
        if area < least_mm2:
            continue
        patch = points[mine]
        normal = surface.normals_v[is_open][mine].mean(axis=0)
        normal /= max(float(np.linalg.norm(normal)), 1e-9)
        values, counts = np.unique(surface.parts[is_open][mine], return_counts=True)
        found.append(
            Opening(
                part=Part(str(values[int(np.argmax(counts))])),
                centre_v=patch[int(np.argmin(np.linalg.norm(patch - patch.mean(axis=0), axis=1)))],
                normal_v=normal,
                points_v=patch,
                area_mm2=area,
                width_mm=_smaller_extent(patch, area),
            )
        )
    return tuple(sorted(found, key=lambda item: -item.area_mm2))


def _smaller_extent(points: NDArray[np.float64], area_mm2: float) -> float:
    """Area over the longest extent: the width of a slit, the diameter of a hole times 0.8."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[0] / np.sqrt(len(points))
    length = max(float(spread) * np.sqrt(12.0), 1e-3)
    return float(min(area_mm2 / length, np.sqrt(area_mm2)))


def _along(
    hu: NDArray[np.float32],
    index: NDArray[np.float64],
    direction: NDArray[np.float64],
    reach_mm: tuple[float, float],
    spacing_mm: float,
) -> NDArray[np.float64]:
    """(n, m): CT at steps of half a millimetre along directions."""
    steps = np.arange(reach_mm[0], reach_mm[1] + 0.25, 0.5) / spacing_mm
    places = index[:, None, :] + steps[None, :, None] * direction[:, None, :]
    flat = places.reshape(-1, 3).T
    values = ndimage.map_coordinates(hu, flat, order=1, mode="nearest", output=np.float64)
    return np.asarray(values.reshape(len(index), len(steps)))


def _parts(outward: NDArray[np.float64]) -> NDArray[np.str_]:
    axis = np.argmax(np.abs(outward), axis=1)
    sign = outward[np.arange(len(outward)), axis] > 0.0
    names = np.array(
        [
            [Part.LEFT.value, Part.RIGHT.value],
            [Part.POSTERIOR.value, Part.ANTERIOR.value],
            [Part.INFERIOR.value, Part.SUPERIOR.value],
        ]
    )
    return np.asarray(names[axis, sign.astype(int)])


def _scatter(index: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.bool_)
    mask[tuple(index.astype(int).T)] = True
    return mask
