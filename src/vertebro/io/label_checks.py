"""Whether named labels look like a spine: order, gaps, doubled and broken labels, distances, extent.

What looks wrong becomes a finding; only regions that cannot be vertebrae at all are refused.
World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from vertebro.case import Level, level_order
from vertebro.errors import ReadError
from vertebro.findings import Finding, Severity, finding
from vertebro.imaging import VolumeGeometry
from vertebro.io.label_conventions import SPACING_RATIO_LIMITS, expected_spacing_mm
from vertebro.io.label_grid import LabelArray, LabelRegion

TALLEST_VERTEBRA_MM = 120.0
"""assumed: a thoracic vertebra with its spinous process spans up to about 80 mm head to foot."""
PIECE_FRACTION = 0.05
"""assumed: smaller loose parts of a label are crumbs of a segmentation, not a second vertebra."""
MAX_PIECE_BOX = 2**26
"""Voxels of a bounding box up to which separate pieces are looked for (0.5 GB of working memory)."""
FRAGMENT_MM3 = 500.0
"""assumed: the body of a cervical vertebra, the smallest there is, has about 3000 mm³."""
BODY_SOLIDITY = 0.64
VERTEBRA_SOLIDITY = 0.58
"""Share of its convex hull that a label fills. Measured on CTs at 1 to 3 mm: bodies 0.70–0.79, whole
vertebrae 0.31–0.52; between the two limits nothing is said."""

_UNSTACKED = {"S1", "sacrum", "coccyx"}
_EXTRA = {"T13", "L6"}


def require_vertebrae(
    names: Mapping[int, str], regions: Mapping[int, LabelRegion], geometry: VolumeGeometry, name: str
) -> None:
    """Refuse labels whose places cannot be those of vertebrae.

    Raises
    ------
    ReadError
        If one region spans several vertebrae, or if regions lie beside or inside one another
        instead of one above the other (``labels.not_vertebrae``).
    """
    for value, level in names.items():
        height_mm = _height_mm(regions[value], geometry)
        if level not in _UNSTACKED and height_mm > TALLEST_VERTEBRA_MM:
            raise _not_vertebrae(
                name,
                f"a region (value {value}) of {height_mm:.0f} mm from head to foot, taller than a vertebra",
            )
    ratios = [ratio for *_, ratio in _spacing_ratios(names, regions)]
    low, high = SPACING_RATIO_LIMITS
    if ratios and not any(low <= ratio <= high for ratio in ratios) and min(ratios) < low:
        raise _not_vertebrae(
            name, f"{len(names)} regions that lie beside or inside one another, not one above the other"
        )


def _not_vertebrae(name: str, got: str) -> ReadError:
    return ReadError(
        "labels.not_vertebrae",
        got=f"{got}, in {name!r}",
        needed="one label for each vertebra, such as VerSe's or TotalSegmentator's",
        remedy="Give the file with the vertebra labels. If this is it, name its numbering by convention.",
    )


def anatomy_findings(
    labels: LabelArray,
    geometry: VolumeGeometry,
    names: Mapping[int, str],
    regions: Mapping[int, LabelRegion],
) -> list[Finding]:
    """What does not look like a spine, or deserves a word.

    Parameters
    ----------
    labels : (i, j, k) array
    geometry : VolumeGeometry
    names : mapping of value to level name
    regions : mapping of value to LabelRegion

    Returns
    -------
    list of Finding
    """
    notes = _order_findings(names, regions)
    notes += _gap_findings(names)
    notes += _spacing_findings(names, regions, geometry)
    for value, level in names.items():
        notes += _piece_findings(labels, geometry, regions[value], level)
        if level in _EXTRA:
            notes.append(
                finding(
                    "labels.extra_vertebra",
                    f"The labels name an extra vertebra, {level}. It stays as named; count the levels from a "
                    "fixed point before any treatment, since others may count differently.",
                    where=level,
                )
            )
    return notes


def _order_findings(names: Mapping[int, str], regions: Mapping[int, LabelRegion]) -> list[Finding]:
    known = [(level, regions[value]) for value, level in names.items() if _is_level(level)]
    known.sort(key=lambda item: level_order(item[0]))
    inverted = [
        (upper, lower)
        for (upper, a), (lower, b) in pairwise(known)
        if a.centre_lps_mm[2] <= b.centre_lps_mm[2]
    ]
    if not inverted:
        return []
    pairs = ", ".join(f"{lower} above {upper}" for upper, lower in inverted[:6])
    is_all = len(inverted) == len(known) - 1 and len(inverted) > 1
    text = "The whole column stands on its head" if is_all else "Levels stand in the wrong order"
    return [
        finding(
            "labels.order",
            f"{text}: {pairs}. Names or the orientation of the labels are wrong.",
            where=inverted[0][1],
            evidence={"n_inverted": len(inverted)},
            severity=Severity.BLOCK if is_all else None,
        )
    ]


def _gap_findings(names: Mapping[int, str]) -> list[Finding]:
    usual = [level.value for level in Level if level.value not in _EXTRA]
    present = [index for index, level in enumerate(usual) if level in names.values()]
    missing = [usual[i] for a, b in pairwise(present) for i in range(a + 1, b)]
    if not missing:
        return []
    return [
        finding(
            "labels.gap",
            f"No label for {', '.join(missing)} between labelled levels: left out, or the names skip one.",
            where=missing[0],
            evidence={"n_missing": len(missing)},
        )
    ]


def _spacing_ratios(
    names: Mapping[int, str], regions: Mapping[int, LabelRegion]
) -> list[tuple[str, str, float, float]]:
    """(upper, lower, distance in mm, distance over the usual one) of neighbours in the labels."""
    known = sorted(
        ((level, regions[value]) for value, level in names.items() if _is_level(level)),
        key=lambda item: level_order(item[0]),
    )
    ratios = []
    for (upper, a), (lower, b) in pairwise(known):
        usual_mm = expected_spacing_mm(upper, lower)
        if usual_mm and lower not in _UNSTACKED:
            seen_mm = math.dist(a.centre_lps_mm, b.centre_lps_mm)
            ratios.append((upper, lower, seen_mm, seen_mm / usual_mm))
    return ratios


def _spacing_findings(
    names: Mapping[int, str], regions: Mapping[int, LabelRegion], geometry: VolumeGeometry
) -> list[Finding]:
    low, high = SPACING_RATIO_LIMITS
    by_name = {level: regions[value] for value, level in names.items()}
    notes = []
    for upper, lower, seen_mm, ratio in _spacing_ratios(names, regions):
        is_cut = any(by_name[level].is_at_border(geometry.shape) for level in (upper, lower))
        if is_cut or low <= ratio <= high:
            continue
        notes.append(
            finding(
                "labels.spacing",
                f"The centres of {upper} and {lower} lie {seen_mm:.0f} mm apart, {ratio:.1f} times the usual "
                "distance: a name may be wrong, or a label covers something else.",
                where=lower,
                evidence={"distance_mm": round(seen_mm, 1), "ratio": round(ratio, 2)},
            )
        )
    return notes


def _piece_findings(
    labels: LabelArray, geometry: VolumeGeometry, region: LabelRegion, level: str
) -> list[Finding]:
    volume_mm3 = region.n_voxels * geometry.voxel_volume_mm3
    if volume_mm3 < FRAGMENT_MM3:
        return [
            finding(
                "labels.fragment",
                f"The label of {level} covers only {volume_mm3:.0f} mm³: a crumb, not a vertebra.",
                where=level,
                evidence={"volume_mm3": round(volume_mm3, 1)},
            )
        ]
    box_voxels = math.prod(b - a for a, b in zip(region.start, region.stop, strict=True))
    if box_voxels > MAX_PIECE_BOX:
        return []
    pieces, n_pieces = ndimage.label(labels[region.box] == region.value, structure=np.ones((3, 3, 3)))
    if n_pieces < 2 or region.is_at_border(geometry.shape):
        return []
    sizes = np.bincount(pieces.ravel())[1:]
    large = np.flatnonzero(sizes >= PIECE_FRACTION * region.n_voxels) + 1
    if len(large) < 2:
        return []
    centres = np.array(ndimage.center_of_mass(pieces > 0, pieces, large))
    offsets_mm = (centres - centres[0]) @ geometry.lps_from_voxel[:3, :3].T
    farthest_mm = float(np.linalg.norm(offsets_mm, axis=1).max())
    return [
        finding(
            "labels.pieces",
            f"The label of {level} is in {len(large)} separate pieces, their centres up to "
            f"{farthest_mm:.0f} mm apart: two vertebrae may share one label, or a part is missing.",
            where=level,
            evidence={"n_pieces": len(large), "distance_mm": round(farthest_mm, 1)},
        )
    ]


def find_extent(
    labels: LabelArray,
    geometry: VolumeGeometry,
    names: Mapping[int, str],
    regions: Mapping[int, LabelRegion],
) -> tuple[str, float]:
    """Whether labels cover whole vertebrae or only bodies, from how much of their hull they fill.

    Parameters
    ----------
    labels, geometry, names, regions : as for :func:`anatomy_findings`

    Returns
    -------
    extent : str
        ``"vertebra"``, ``"body"`` or ``"unknown"``.
    solidity : float
        Median share of the convex hull over the labels; 0 where none could be judged.

    Notes
    -----
    A whole vertebra has a canal and processes, so that its convex hull is mostly empty; a body is
    nearly convex, collapsed or not. Labels at the border of the grid count only if no other does.
    """
    usable = {v: regions[v] for v, level in names.items() if level not in _UNSTACKED and level != "C1"}
    whole = [region for region in usable.values() if not region.is_at_border(geometry.shape)]
    shares = []
    for region in whole or usable.values():
        share = _solidity(labels[region.box] == region.value)
        if share is not None and region.n_voxels * geometry.voxel_volume_mm3 >= FRAGMENT_MM3:
            shares.append(share)
    if not shares:
        return "unknown", 0.0
    middle = float(np.median(shares))
    if middle >= BODY_SOLIDITY:
        return "body", middle
    return ("vertebra" if middle <= VERTEBRA_SOLIDITY else "unknown"), middle


def _solidity(mask: NDArray[np.bool_]) -> float | None:
    """Voxels of a mask over the volume of its convex hull, both in voxels; None for flat masks."""
    columns = mask.any(axis=2)
    if columns.sum() < 4:
        return None
    first = mask.argmax(axis=2)[columns]
    last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)[columns]
    ij = np.argwhere(columns)
    ends = np.vstack([np.column_stack([ij, first]), np.column_stack([ij, last])]).astype(np.float64)
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
    try:
        hull = ConvexHull((ends[:, None, :] + corners).reshape(-1, 3))
    except QhullError:
        return None
    return float(mask.sum() / hull.volume)


def _height_mm(region: LabelRegion, geometry: VolumeGeometry) -> float:
    """Extent from foot to head of a region's bounding box, exact where an array axis runs that way."""
    last = np.array(region.stop) - np.array(region.start)
    axis = int(np.argmax(np.abs(geometry.axis_directions_lps[:, 2])))
    return float(last[axis] * geometry.spacing_mm[axis])


def _is_level(name: str) -> bool:
    return name in {level.value for level in Level}
