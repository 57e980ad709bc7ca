"""An independent check of needle paths: dense points on the cannula against the labels' own voxels.

Shares nothing with the planner: no lifting, no smoothing, no surfaces, no kernels. It asks of each point
how far it is from the nearest voxel of bone, and from the nearest voxel of the true canal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from vertebro.case import Approach, NeedlePath
from vertebro.phantoms import Fracture, Phantom, PhantomSettings

ALONG_MM = 0.25
N_AROUND = 36
AHEAD_MM = 12.0
BEHIND_ISTHMUS_MM = 2.0
BEFORE_ENTRY_MM = 30.0
TIP_REACH_MM = 12.0
INSIDE_WALL_MM = 5.0
THORACOLUMBAR = ("T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")


@dataclass(frozen=True, slots=True)
class Check:
    """What brute force finds of one path, mm."""

    breach_mm: float
    """The farthest that a point of the cannula's surface lies outside the nearest voxel of bone."""
    canal_mm: float
    """Least distance from the cannula's surface to a voxel of the true canal; negative inside."""
    ahead_mm: float
    """Way from the tip straight ahead to the end of the bone."""
    tip_mm: float
    """From the tip's surface to the nearest voxel that is no bone of the level: endplates come first."""
    neighbour_mm: float
    """Way of the axis through voxels of other labelled bones, over 30 mm before the entry."""
    aside_mm: float
    """Distance of the tip from the body's true midline."""


def random_settings(seed: int, *, spacing_mm: float = 1.25, is_broken: bool | None = None) -> PhantomSettings:
    """A small random patient of three levels; the middle one is to be planned."""
    rng = np.random.default_rng(seed)
    first = int(rng.integers(0, len(THORACOLUMBAR) - 2))
    levels = THORACOLUMBAR[first : first + 3]
    broken = bool(rng.random() < 0.6) if is_broken is None else is_broken
    turn = [float(angle) for angle in rng.uniform(-12.0, 12.0, 3)]
    shape = str(rng.choice(["wedge", "biconcave", "crush"]))
    fractures = (Fracture(levels[1], shape, float(rng.uniform(15.0, 55.0))),) if broken else ()
    return PhantomSettings(
        levels=levels,
        fractures=fractures,
        spacing_mm=(spacing_mm,) * 3,
        patient_rotation_deg=(turn[0], turn[1], turn[2]),
        mirror=bool(rng.random() < 0.5),
        field_of_view_mm=(110.0, 150.0),
        margin_mm=15.0,
        thoracic_kyphosis_deg=float(rng.uniform(25.0, 60.0)),
        lumbar_lordosis_deg=float(rng.uniform(20.0, 65.0)),
        scoliosis_deg=float(rng.choice([0.0, 0.0, 10.0, -15.0])),
        body_scale=float(rng.uniform(0.9, 1.12)),
        with_table=False,
        seed=seed,
    )


def check_path(patient: Phantom, level: str, path: NeedlePath, radius_mm: float) -> Check:
    """Check one path by brute force."""
    span = path.target_lps_mm - path.entry_bone_lps_mm
    length = float(np.linalg.norm(span))
    direction = span / length
    to_isthmus = float((path.target_lps_mm - path.isthmus_lps_mm) @ direction)
    beside = path.approach is Approach.PARAPEDICULAR
    watched = to_isthmus - INSIDE_WALL_MM if beside else to_isthmus + BEHIND_ISTHMUS_MM
    skin = _cannula(path.target_lps_mm, direction, watched, radius_mm)
    whole = _cannula(path.target_lps_mm, direction, length + (20.0 if beside else 0.0), radius_mm)
    return Check(
        breach_mm=float(_outside(patient, level, skin).max()),
        canal_mm=_canal_distance(patient, whole),
        ahead_mm=_ahead(patient, level, path.target_lps_mm, direction),
        tip_mm=_to_outside(patient, level, path.target_lps_mm) - radius_mm,
        neighbour_mm=_in_neighbours(patient, level, path.entry_bone_lps_mm, direction),
        aside_mm=_aside(patient, level, path.target_lps_mm),
    )


def _cannula(
    tip: NDArray[np.float64], direction: NDArray[np.float64], length_mm: float, radius_mm: float
) -> NDArray[np.float64]:
    """(n, 3): points on a cannula's mantle and on the disc of its tip."""
    first = np.linalg.svd(direction[None, :])[2][1]
    second = np.cross(direction, first)
    angle = 2.0 * np.pi * np.arange(N_AROUND) / N_AROUND
    ring = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
    behind = np.arange(0.0, length_mm, ALONG_MM)
    mantle = tip - behind[:, None, None] * direction + radius_mm * ring
    disc = tip + np.linspace(0.0, radius_mm, 5)[:, None, None] * ring
    return np.vstack([mantle.reshape(-1, 3), disc.reshape(-1, 3)])


def _label(patient: Phantom, level: str) -> int:
    return next(number for number, name in patient.labels.names.items() if name == level)


def _index(patient: Phantom, points: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.linalg.inv(patient.labels.geometry.lps_from_voxel)
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _outside(patient: Phantom, level: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,): distance of each point from the nearest voxel of the level, as a box; 0 inside one."""
    label = _label(patient, level)
    spacing = np.array(patient.labels.geometry.spacing_mm)
    at = _index(patient, points) * spacing
    voxels = np.argwhere(patient.labels.labels == label) * spacing
    _, nearest = cKDTree(voxels).query(at, k=8)
    gap = np.maximum(np.abs(at[:, None, :] - voxels[nearest]) - 0.5 * spacing, 0.0)
    return np.asarray(np.linalg.norm(gap, axis=2).min(axis=1))


def _canal_distance(patient: Phantom, points: NDArray[np.float64]) -> float:
    """Least distance of points from the canal's voxels; inside, minus the way out of them.

    Points in the canal's outermost voxels count as half a voxel inside.
    """
    spacing = np.array(patient.labels.geometry.spacing_mm)
    canal = patient.canal != 0
    index = _index(patient, points)
    distance, _ = cKDTree(np.argwhere(canal) * spacing).query(index * spacing)
    nearest = np.clip(np.rint(index).astype(int), 0, np.array(canal.shape) - 1)
    depth = ndimage.distance_transform_edt(canal, sampling=spacing)[tuple(nearest.T)]
    half_voxel = 0.5 * spacing.min()
    return float(np.where(depth > 0.0, half_voxel - depth, np.maximum(distance - half_voxel, 0.0)).min())


def _ahead(patient: Phantom, level: str, tip: NDArray[np.float64], direction: NDArray[np.float64]) -> float:
    way = np.arange(0.0, AHEAD_MM, ALONG_MM)
    outside = _outside(patient, level, tip + way[:, None] * direction) > 0.0
    return float(way[int(np.argmax(outside))]) if outside.any() else AHEAD_MM


def _to_outside(patient: Phantom, level: str, tip: NDArray[np.float64]) -> float:
    """Distance of a tip from the nearest voxel, as a box, that is no bone of the level; at most 12 mm."""
    spacing = np.array(patient.labels.geometry.spacing_mm)
    middle = _index(patient, tip[None, :])[0]
    reach = np.ceil(TIP_REACH_MM / spacing).astype(int)
    low = np.maximum(np.rint(middle).astype(int) - reach, 0)
    high = np.minimum(np.rint(middle).astype(int) + reach + 1, patient.labels.labels.shape)
    part = patient.labels.labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    outside = np.argwhere(part != _label(patient, level)) + low
    gap = np.maximum(np.abs(outside - middle) * spacing - 0.5 * spacing, 0.0)
    return float(np.linalg.norm(gap, axis=1).min(initial=TIP_REACH_MM))


def _in_neighbours(
    patient: Phantom, level: str, entry: NDArray[np.float64], direction: NDArray[np.float64]
) -> float:
    way = np.arange(0.0, BEFORE_ENTRY_MM, ALONG_MM)
    index = np.rint(_index(patient, entry - way[:, None] * direction)).astype(int)
    inside = np.all((index >= 0) & (index < patient.labels.labels.shape), axis=1)
    found = patient.labels.labels[tuple(index[inside].T)]
    return float(((found != 0) & (found != _label(patient, level))).sum()) * ALONG_MM


def _aside(patient: Phantom, level: str, tip: NDArray[np.float64]) -> float:
    vertebra_from_lps = np.linalg.inv(patient.truth.levels[level].lps_from_vertebra)
    return abs(float(vertebra_from_lps[0, :3] @ tip + vertebra_from_lps[0, 3]))
