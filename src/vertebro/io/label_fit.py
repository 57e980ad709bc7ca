"""Whether labels belong to a CT: identity, overlap, and bone where bone should be.

World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.errors import MismatchError
from vertebro.findings import Finding, Severity, finding
from vertebro.geometry import apply_affine, compose
from vertebro.imaging import LabelVolume, Volume

RING_MM = (3.0, 12.0)
"""Distance from the labels of the tissue that bone is compared with (assumed: past the cortex's blur,
before the next organ)."""
NOT_BONE_HU = 15.0
FAINT_BONE_HU = 40.0
"""Mean of the labelled tissue over its surroundings. Measured on CTs at 1 to 3 mm: 130 to 317 HU where
labels fit, about 0 to 40 where they lie in soft tissue; osteoporotic bodies in enhanced scans come down
to about 40, so that only less than 15 blocks."""
BETTER_FLIP_RATIO = 1.25
BETTER_FLIP_HU = 20.0
"""A mirrored placement is reported when its contrast exceeds the given one's by this factor and amount.
Measured: true placements beat their mirror images by 1.4 to 10 times."""
CLIP_HU = (-200.0, 600.0)
"""Values are clipped to this range, so that metal, cement and gas do not carry the mean."""
WHOLLY_INSIDE_FRACTION = 0.99
MAX_BOX_VOXELS = 2**23
"""The labels' surroundings are sampled more coarsely than every 2 mm where they would exceed this."""
_SAMPLES = 20_000
_SIDES = ("left and right", "front and back", "head and foot")


@dataclass(frozen=True, slots=True)
class BoneFit:
    """How well labels sit on bone."""

    contrast_hu: float
    """Mean inside minus mean of the surroundings."""
    flips_hu: Mapping[tuple[bool, ...], float]
    """The same for labels mirrored along combinations of array axes, where these lie inside the CT."""


def require_same_patient(source: Mapping[str, str], patient_id: str, volume: Volume) -> None:
    """Refuse labels that name another patient or another frame of reference than the CT.

    Parameters
    ----------
    source : mapping
        Facts of the label file; only ``frame_of_reference_uid`` is looked at.
    patient_id : str
        Of the label file; empty where it has none. It is compared and not shown.
    volume : Volume

    Raises
    ------
    MismatchError
        ``labels.other_patient`` or ``labels.other_frame``.
    """
    if patient_id and volume.facts.patient_id and patient_id.strip() != volume.facts.patient_id.strip():
        raise MismatchError(
            "labels.other_patient",
            got="labels whose patient identifier is not the CT's",
            needed="labels and CT of the same patient",
            remedy="Check which patient each file belongs to; do not go on until that is clear.",
        )
    frame = source.get("frame_of_reference_uid", "")
    if frame and volume.facts.frame_of_reference_uid and frame != volume.facts.frame_of_reference_uid:
        raise MismatchError(
            "labels.other_frame",
            got="labels drawn in another frame of reference than the CT's",
            needed="labels drawn on this very scan",
            remedy="Give the CT series that was segmented, or segment this one.",
        )


def overlap_findings(labels: LabelVolume, volume: Volume) -> list[Finding]:
    """How much of the labels lies inside the CT.

    Raises
    ------
    MismatchError
        If nothing does (``labels.outside``).
    """
    index = _labelled_sample(labels)
    _, is_inside = _ct_voxels(index, labels, volume)
    if not is_inside.any():
        centre = np.round(apply_affine(labels.geometry.lps_from_voxel, index.mean(axis=0))).astype(int)
        raise MismatchError(
            "labels.outside",
            got=f"labels around {centre.tolist()} mm (LPS) that lie wholly outside the CT",
            needed="labels that overlap the CT in the world",
            remedy="Check that both come from the same scan and that neither was moved or re-centred.",
        )
    values = labels.labels[tuple(index.T)]
    notes = []
    for value, name in labels.names.items():
        inside = is_inside[values == value]
        if len(inside) and inside.mean() < WHOLLY_INSIDE_FRACTION:
            notes.append(
                finding(
                    "labels.partly_outside",
                    f"{100 * (1 - inside.mean()):.0f} % of the label of {name} lies outside the CT.",
                    where=name,
                    evidence={"inside_fraction": round(float(inside.mean()), 3)},
                )
            )
    return notes


def bone_findings(labels: LabelVolume, volume: Volume) -> list[Finding]:
    """Findings where labels sit on something else than bone, or would fit much better mirrored."""
    fit = bone_fit(labels, volume)
    if fit is None:
        return []
    notes = []
    best_flip, best_hu = max(
        fit.flips_hu.items(), key=lambda item: item[1], default=((False, False, False), -np.inf)
    )
    evidence: dict[str, str | int | float | bool | None] = {"contrast_hu": round(fit.contrast_hu, 1)}
    if best_hu > BETTER_FLIP_RATIO * max(fit.contrast_hu, 0.0) + BETTER_FLIP_HU:
        sides = " and ".join(_axis_words(labels)[axis] for axis in range(3) if best_flip[axis])
        notes.append(
            finding(
                "labels.mirrored",
                f"The labels would fit the bone much better with {sides} exchanged "
                f"({best_hu:.0f} against {fit.contrast_hu:.0f} HU over their surroundings): the file was "
                "probably written with the wrong orientation.",
                evidence={**evidence, "mirrored_contrast_hu": round(best_hu, 1), "exchanged": sides},
            )
        )
    if fit.contrast_hu < FAINT_BONE_HU:
        is_off = fit.contrast_hu < NOT_BONE_HU
        text = "do not sit on bone" if is_off else "hardly stand out from their surroundings"
        notes.append(
            finding(
                "labels.not_on_bone",
                f"The labels {text} (mean {fit.contrast_hu:.0f} HU over the tissue around them): "
                "another patient, another scan, or labels moved or mirrored.",
                evidence=evidence,
                severity=Severity.BLOCK if is_off else Severity.WARN,
            )
        )
    return notes


def bone_fit(labels: LabelVolume, volume: Volume) -> BoneFit | None:
    """Contrast of the labels with their surroundings, as placed and mirrored.

    Parameters
    ----------
    labels : LabelVolume
    volume : Volume

    Returns
    -------
    BoneFit or None
        None where too little of the labels or their surroundings lies inside the CT.

    Notes
    -----
    Voxels are drawn regularly, at most 20 000 inside and as many outside: the same every time.
    """
    inside, ring = _inside_and_ring(labels)
    contrasts: dict[tuple[bool, ...], float] = {}
    for flip in itertools.product((False, True), repeat=3):
        inner = _mean_hu(inside, flip, labels, volume)
        outer = _mean_hu(ring, flip, labels, volume)
        if inner is not None and outer is not None:
            contrasts[flip] = inner - outer
    as_placed = contrasts.pop((False, False, False), None)
    if as_placed is None:
        return None
    return BoneFit(as_placed, contrasts)


def _inside_and_ring(labels: LabelVolume) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Voxel indices of labelled voxels, and of those around them, thinned."""
    start, stop, step = _sampled_box(labels, RING_MM[1])
    spacing = np.array(labels.geometry.spacing_mm)
    box = tuple(slice(a, b, int(s)) for a, b, s in zip(start, stop, step, strict=True))
    mask = labels.labels[box] > 0
    distance_mm = ndimage.distance_transform_edt(~mask, sampling=spacing * step)
    ring = (distance_mm > RING_MM[0]) & (distance_mm <= RING_MM[1])
    return (_thinned(mask) * step + start, _thinned(ring) * step + start)


def _thinned(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    index = np.argwhere(mask)
    return index[:: max(1, len(index) // _SAMPLES)]


def _sampled_box(
    labels: LabelVolume, margin_mm: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, stop and step of the labels' bounding box with a margin, sampled every 2 mm or voxel."""
    spacing = np.array(labels.geometry.spacing_mm)
    margin = np.ceil(margin_mm / spacing).astype(np.int64)
    start, stop = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(labels.labels.any(axis=others))
        start[axis] = max(0, int(filled[0]) - margin[axis])
        stop[axis] = min(labels.labels.shape[axis], int(filled[-1]) + 1 + margin[axis])
    step = np.maximum(1, np.floor(2.0 / spacing).astype(np.int64))
    while np.prod((stop - start) / step) > MAX_BOX_VOXELS:
        step *= 2
    return start, stop, step


def _mean_hu(
    index: NDArray[np.int64], flip: tuple[bool, ...], labels: LabelVolume, volume: Volume
) -> float | None:
    """Clipped mean at voxels of the labels' grid, mirrored along array axes; None for too few."""
    last = np.array(labels.geometry.shape) - 1
    voxels, is_inside = _ct_voxels(np.where(np.array(flip), last - index, index), labels, volume)
    if is_inside.sum() < max(20, len(index) // 4):
        return None
    values = volume.hu[tuple(voxels[is_inside].T)].astype(np.float64)
    return float(np.clip(values, *CLIP_HU).mean())


def _ct_voxels(
    index: NDArray[np.int64], labels: LabelVolume, volume: Volume
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The CT voxel in which each voxel of the labels has its centre, and whether there is one."""
    ct_from_labels = compose(volume.geometry.voxel_from_lps, labels.geometry.lps_from_voxel)
    voxels = np.floor(apply_affine(ct_from_labels, index) + 0.5 + 1e-6).astype(np.int64)
    is_inside = np.all((voxels >= 0) & (voxels < np.array(volume.geometry.shape)), axis=1)
    return voxels, is_inside


def _labelled_sample(labels: LabelVolume) -> NDArray[np.int64]:
    """(n, 3): indices of labelled voxels, thinned to about 2 mm."""
    start, stop, step = _sampled_box(labels, 0.0)
    box = tuple(slice(a, b, int(s)) for a, b, s in zip(start, stop, step, strict=True))
    return np.asarray(np.argwhere(labels.labels[box] > 0) * step + start)


def _axis_words(labels: LabelVolume) -> tuple[str, ...]:
    """What each array axis runs between."""
    pairs = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
    return tuple(_SIDES[pairs[letter]] for letter in labels.geometry.axis_codes)
