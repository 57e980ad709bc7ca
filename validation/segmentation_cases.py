"""Cases for judging the built-in segmentation: random phantoms, and scores of labels against labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case.segmentation import SpineSegmentation
from vertebro.geometry import apply_affine
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.phantoms import Fracture, Phantom, PhantomSettings, make_phantom

BODY_PARTS = (49, 50)
LEVELS = ("T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")
LOSS_PERCENT = {1: (20.0, 25.0), 2: (26.0, 40.0), 3: (41.0, 60.0)}
"""Height loss of each Genant grade."""
BRIDGE_HU = 450.0


@dataclass(frozen=True, slots=True)
class LevelScore:
    """How well one level was found."""

    case: str
    level: str
    found: str
    """The name that it was given; empty where it was missed."""
    body_dice: float
    whole_dice: float
    centroid_mm: float
    """Distance of the bodies' centroids."""
    volume_ratio: float
    """Body found over true body."""
    is_cut: bool
    confidence: float
    is_broken: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """True bodies and whole vertebrae on a grid, by name."""

    geometry: VolumeGeometry
    whole: dict[str, NDArray[np.bool_]]
    body: dict[str, NDArray[np.bool_]]
    cut: frozenset[str]
    """Levels that the scan cuts."""


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Twice the common voxels over all voxels.

    >>> dice(np.array([True, True, False]), np.array([True, False, False])) == 2 / 3
    True
    """
    return 2.0 * float((one & other).sum()) / max(float(one.sum() + other.sum()), 1.0)


def score(case: str, truth: Truth, found: SpineSegmentation, broken: frozenset[str]) -> list[LevelScore]:
    """Score every true level; the label that covers most of it is held against it."""
    labels = found.labels.labels
    parts = found.labels.subregions
    assert parts is not None
    is_body = np.isin(parts, BODY_PARTS)
    rows = []
    for name, whole in truth.whole.items():
        counts = np.bincount(labels[whole], minlength=2)
        counts[0] = 0
        value = int(counts.argmax())
        body = truth.body.get(name)
        if counts[value] < 0.3 * whole.sum():
            rows.append(
                LevelScore(case, name, "", 0.0, 0.0, np.inf, 0.0, name in truth.cut, 0.0, name in broken)
            )
            continue
        mine = labels == value
        level = found.labels.names[value]
        away, body_dice, ratio = 0.0, np.nan, np.nan
        if body is not None:
            my_body = mine & is_body
            centres = [np.argwhere(mask).mean(axis=0) for mask in (my_body, body)]
            lps = apply_affine(truth.geometry.lps_from_voxel, np.array(centres))
            away = float(np.linalg.norm(lps[0] - lps[1]))
            body_dice = dice(my_body, body)
            ratio = float(my_body.sum() / body.sum())
        rows.append(
            LevelScore(
                case,
                name,
                level,
                body_dice,
                dice(mine, whole),
                away,
                ratio,
                name in truth.cut,
                found.levels[level].confidence,
                name in broken,
            )
        )
    return rows


def n_spurious(truth: Truth, found: SpineSegmentation, *, is_truth_partial: bool = False) -> int:
    """Labels of which next to nothing lies in any true vertebra, and that no border cuts.

    Where the truth leaves out vertebrae at the scan's ends, labels above or below the
    middles of all true ones do not count.
    """
    anything = np.zeros(truth.geometry.shape, dtype=bool)
    for whole in truth.whole.values():
        anything |= whole
    labels = found.labels.labels
    middles = np.array([np.argwhere(whole).mean(axis=0) for whole in truth.whole.values()])
    height = apply_affine(truth.geometry.lps_from_voxel, middles)[:, 2]
    ends = (float(height.min()), float(height.max())) if is_truth_partial else (-np.inf, np.inf)
    return sum(
        1
        for value, name in found.labels.names.items()
        if not found.levels[name].is_cut
        and ends[0] < found.levels[name].centre_lps_mm[2] < ends[1]
        and (anything & (labels == value)).sum() < 0.2 * (labels == value).sum()
    )


def random_settings(seed: int) -> PhantomSettings:
    """A random patient and scan: spacing, noise, curves, fractures, contrast, cut fields."""
    random = np.random.default_rng(seed)
    count = int(random.integers(3, 10))
    first = int(random.integers(0, len(LEVELS) - count + 1))
    levels = LEVELS[first : first + count]
    fractures: tuple[Fracture, ...] = ()
    if random.random() < 0.6:
        grade = int(random.integers(1, 4))
        breakable = [name for name in levels[1:-1] if name != "S1"] or [levels[1]]
        fractures = (
            Fracture(
                str(random.choice(breakable)),
                str(random.choice(["wedge", "biconcave", "crush"])),
                round(float(random.uniform(*LOSS_PERCENT[grade])), 1),
                cleft=bool(random.random() < 0.3),
            ),
        )
    plane = round(float(random.uniform(0.6, 2.0)), 2)
    narrow = random.random() < 0.35
    return PhantomSettings(
        levels=levels,
        fractures=fractures,
        spacing_mm=(plane, plane, round(float(random.uniform(0.6, 4.0)), 2)),
        field_of_view_mm=(float(random.uniform(100, 180)), float(random.uniform(120, 180)))
        if narrow
        else None,
        margin_mm=round(float(random.uniform(-20.0, 40.0)), 1),
        thoracic_kyphosis_deg=round(float(random.uniform(15.0, 60.0)), 1),
        lumbar_lordosis_deg=round(float(random.uniform(20.0, 65.0)), 1),
        scoliosis_deg=round(float(random.uniform(-20.0, 20.0)), 1),
        body_scale=round(float(random.uniform(0.85, 1.15)), 2),
        trabecular_bmd_mg_cc=round(float(random.uniform(40.0, 170.0)), 1),
        with_contrast=bool(random.random() < 0.4),
        with_table=bool(random.random() < 0.5),
        noise_hu=round(float(random.uniform(5.0, 60.0)), 1),
        seed=seed,
    )


def phantom_case(seed: int) -> tuple[Phantom, Truth, frozenset[str]]:
    """A random phantom, some with bony bridges between two bodies, and its truth."""
    settings = random_settings(seed)
    phantom = make_phantom(settings)
    random = np.random.default_rng(seed + 100_000)
    if random.random() < 0.3:
        phantom = replace(phantom, volume=_bridged(phantom, random))
    labels, parts = phantom.labels.labels, phantom.labels.subregions
    assert parts is not None
    whole = {name: labels == value for value, name in phantom.labels.names.items() if name != "S1"}
    body = {name: mask & np.isin(parts, BODY_PARTS) for name, mask in whole.items()}
    cut = frozenset(name for name, mask in body.items() if _touches_border(mask))
    broken = frozenset(fracture.level for fracture in settings.fractures)
    return phantom, Truth(phantom.labels.geometry, whole, body, cut), broken


def _touches_border(mask: NDArray[np.bool_]) -> bool:
    return any(bool(np.take(mask, end, axis=axis).any()) for axis in range(3) for end in (0, -1))


def _bridged(phantom: Phantom, random: np.random.Generator) -> Volume:
    """The CT with a rod of bone in front of one disc, from body to body."""
    names = [name for name in phantom.labels.names.values() if name != "S1"]
    if len(names) < 2:
        return phantom.volume
    index = int(random.integers(0, len(names) - 1))
    ends, side = [], float(random.uniform(-8.0, 8.0))
    labels = phantom.labels.labels
    parts = phantom.labels.subregions
    assert parts is not None
    for name in names[index : index + 2]:
        body = (labels == phantom.labels.label_of(name)) & np.isin(parts, BODY_PARTS)
        points = apply_affine(phantom.volume.lps_from_voxel, np.argwhere(body))
        centre = points.mean(axis=0)
        front = np.percentile(points[:, 1], 4)
        ends.append(np.array([centre[0] + side, front, centre[2]]))
    hu = np.array(phantom.volume.hu, dtype=np.float32)
    grid = np.indices(hu.shape).reshape(3, -1).T
    points = apply_affine(phantom.volume.lps_from_voxel, grid)
    axis = ends[1] - ends[0]
    share = np.clip((points - ends[0]) @ axis / float(axis @ axis), 0.0, 1.0)
    away = np.linalg.norm(points - ends[0] - share[:, None] * axis, axis=1)
    inside = (away < 4.0).reshape(hu.shape)
    hu[inside] = np.maximum(hu[inside], BRIDGE_HU)
    return replace(phantom.volume, hu=hu)
