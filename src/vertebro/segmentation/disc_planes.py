"""Where one vertebra ends and the next begins: a chain of disc planes along the column.

Two cues are read off the straightened CT at every millimetre. *Endplates*: the mean over the column's
section in planes of several sagittal tilts shows two bright bands with a dip between them, or one band
where the disc is thin. *Foramina*: beside the canal there is bone where pedicles stand and fat where
nerves leave. A chain of discs from end to end is then found exactly by dynamic programming over place
and spacing; spacing is expected in proportion to the column's width and to change little from one level
to the next, with a bounded penalty so that a collapsed vertebra stays possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.segmentation.chain_kernels import best_chain
from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.working_grid import WorkingImage

TILTS_RAD = np.radians(np.arange(-28.0, 28.1, 4.0))
"""Sagittal tilts against the column's curve; L5/S1 is the steepest (assumed)."""
BEYOND_MM = 24
"""How far past the curve's ends discs are still sought: the canal may end before the column does."""
SPACING_PER_WIDTH = 0.73
"""Distance from disc to disc over the column's full width (assumed: 0.70 to 0.76 from T4 to L4 in the
phantom's table of published sizes)."""
SPACINGS_MM = np.arange(9, 52)
FORAMEN_WEIGHT = 0.8
FORAMEN_ABOVE_SHARE = 0.2
"""A foramen's middle lies above the disc's middle by this share of the distance between discs (assumed)."""
GAS_HU = -200.0
HALF_GAPS_MM = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, eq=False, slots=True)
class DiscEvidence:
    """What speaks for a disc at every millimetre along the curve."""

    s_mm: NDArray[np.float64]
    endplates: NDArray[np.float64]
    """(n,) standardised: 0 is usual, above 1 is like a disc."""
    foramina: NDArray[np.float64]
    tilt_rad: NDArray[np.float64]
    """(n,): the tilt at which the endplates show best."""
    is_seen: NDArray[np.bool_]
    """Whether enough of the column's section lies in the image."""
    expected_mm: NDArray[np.float64]
    """(n,): usual distance between discs here."""


@dataclass(frozen=True, slots=True)
class DiscPlane:
    """One disc's plane across the column."""

    s_mm: float
    tilt_rad: float
    """Sagittal; positive where it rises to the front."""
    strength: float
    """Endplate cue, standardised."""
    foramen: float
    """Foramen cue, standardised."""
    is_given: bool = field(default=False)
    """Whether a person placed it."""


def disc_evidence(image: WorkingImage, column: Column) -> DiscEvidence:
    """Read both cues along a column.

    Parameters
    ----------
    image : WorkingImage
        On the fine grid.
    column : Column

    Returns
    -------
    DiscEvidence
    """
    length = len(column.curve)
    s_mm = np.arange(-float(BEYOND_MM), length - 1.0 + BEYOND_MM + 0.1, 1.0)
    at = np.arange(length, dtype=np.float64)
    half_width = np.interp(s_mm, at, column.half_width_mm)
    half_depth = np.interp(s_mm, at, column.half_depth_mm)
    canal_v = np.interp(s_mm, at, column.canal_v_mm)
    u_mm, v_mm = np.arange(-30.0, 30.1, 1.5), np.arange(-45.0, 25.6, 1.5)
    grid = column.curve.at(u_mm[:, None, None], v_mm[None, :, None], np.broadcast_to(s_mm, (1, 1, len(s_mm))))
    hu = image.sample(grid)
    seen = hu > -900.0
    solid = hu > GAS_HU
    hu = np.clip(hu, -100.0, 500.0)
    means = _plane_means(hu, (seen, solid), (u_mm, v_mm), half_width, half_depth)
    response = _endplate_response(means)
    is_seen = np.asarray(np.isfinite(response).any(axis=1), dtype=np.bool_)
    filled = np.where(np.isfinite(response), response, -1e3)
    best = np.where(is_seen, filled.max(axis=1), np.nan)
    foramen = _foramen_means(hu, seen, (u_mm, v_mm), half_width, canal_v)
    beside = -_standardised(foramen)
    expected = SPACING_PER_WIDTH * 2.0 * half_width
    return DiscEvidence(
        s_mm=s_mm,
        endplates=_standardised(best),
        foramina=np.interp(s_mm + FORAMEN_ABOVE_SHARE * expected, s_mm, beside),
        tilt_rad=TILTS_RAD[filled.argmax(axis=1)],
        is_seen=is_seen,
        expected_mm=expected,
    )


def find_discs(evidence: DiscEvidence) -> tuple[DiscPlane, ...]:
    """The best chain of discs, from caudal to cranial.

    Parameters
    ----------
    evidence : DiscEvidence

    Returns
    -------
    tuple of DiscPlane
        Empty where less than one level is in view.
    """
    seen = np.flatnonzero(evidence.is_seen)
    if len(seen) < int(SPACINGS_MM[0]) + 1:
        return ()
    score = evidence.endplates + FORAMEN_WEIGHT * evidence.foramina
    chain = best_chain(
        score.astype(np.float64),
        evidence.expected_mm,
        SPACINGS_MM.astype(np.int64),
        int(seen[0]),
        int(seen[-1]),
    )
    return tuple(
        DiscPlane(
            float(evidence.s_mm[k]),
            float(evidence.tilt_rad[k]),
            float(evidence.endplates[k]),
            float(evidence.foramina[k]),
        )
        for k in chain
    )


def _plane_means(
    hu: NDArray[np.float32],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    axes_mm: tuple[NDArray[np.float64], NDArray[np.float64]],
    half_width: NDArray[np.float64],
    half_depth: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, n_tilts): mean over the column's section in tilted planes; NaN where too little is seen.

    Gas does not count: it fills clefts inside bodies as well as worn discs.
    """
    u_mm, v_mm = axes_mm
    seen, solid = masks
    chosen = np.abs(u_mm)[:, None, None] < 0.7 * half_width
    inside = chosen & solid
    count = inside.sum(axis=0)
    rows = (hu * inside).sum(axis=0) / np.maximum(count, 1)
    overall = float(rows[count > 3].mean()) if (count > 3).any() else 0.0
    rows = np.where(count > 3, rows, overall)
    known = ((chosen & seen).sum(axis=0) > 3).astype(np.float64)
    chord = np.abs(v_mm)[:, None] < 0.75 * half_depth
    n = len(half_width)
    at = np.arange(n, dtype=np.float64)
    result = np.full((n, len(TILTS_RAD)), np.nan)
    for column, tilt in enumerate(TILTS_RAD):
        total, weight = np.zeros(n), np.zeros(n)
        for row, v in enumerate(v_mm):
            if abs(v) > 25.0:
                continue
            place = at + v * np.tan(tilt)
            share = chord[row] * (np.interp(place, at, known[row], left=0.0, right=0.0) > 0.99)
            total += share * np.interp(place, at, rows[row])
            weight += share
        enough = weight > 0.6 * chord.sum(axis=0)
        result[:, column] = np.where(enough, total / np.maximum(weight, 1e-9), np.nan)
    return result


def _endplate_response(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much a place looks like the middle between two endplates, over several gaps."""
    known = np.isfinite(means)
    filled = np.where(known, means, np.nanmedian(means) if known.any() else 0.0)
    smooth = ndimage.gaussian_filter1d(filled, 0.8, axis=0)
    padded = np.pad(smooth, ((16, 16), (0, 0)), mode="edge")

    def shifted(steps: int) -> NDArray[np.float64]:
        return padded[16 + steps : 16 + steps + len(smooth)]

    best = np.full(means.shape, -np.inf)
    for gap in HALF_GAPS_MM:
        pair = np.stack([shifted(gap), shifted(-gap)])
        weaker, mean = pair.min(axis=0), pair.mean(axis=0)
        bodies = 0.25 * (shifted(gap + 4) + shifted(-gap - 4) + shifted(gap + 7) + shifted(-gap - 7))
        dip = np.clip(weaker - smooth, -20.0, 150.0) if gap > 1 else 0.0
        best = np.maximum(best, 0.5 * (mean + weaker) - bodies + 1.2 * dip)
    return np.where(known, best, np.nan)


def _foramen_means(
    hu: NDArray[np.float32],
    seen: NDArray[np.bool_],
    axes_mm: tuple[NDArray[np.float64], NDArray[np.float64]],
    half_width: NDArray[np.float64],
    canal_v: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n,): mean beside the canal, where pedicles and foramina take turns; NaN where unseen."""
    u, v = axes_mm[0][:, None, None], axes_mm[1][None, :, None]
    place = (np.abs(np.abs(u) - 0.68 * half_width) < 5.0) & (np.abs(v - canal_v - 1.0) < 5.0) & seen
    count = place.sum(axis=(0, 1))
    mean = (hu * place).sum(axis=(0, 1)) / np.maximum(count, 1)
    known = count > 8
    filled = np.where(known, mean, np.median(mean[known]) if known.any() else 0.0)
    return np.where(known, ndimage.gaussian_filter1d(filled, 2.0), np.nan)


def _standardised(values: NDArray[np.float64], window: int = 70) -> NDArray[np.float64]:
    """Values against the running median, in units of half the running 10–90 % range; 0 where unknown."""
    known = np.isfinite(values)
    filled = np.where(known, values, np.median(values[known]) if known.any() else 0.0)
    low, middle, high = (
        ndimage.percentile_filter(filled, percent, size=window, mode="nearest") for percent in (10, 50, 90)
    )
    return np.where(known, (filled - middle) / np.maximum(0.5 * (high - low), 15.0), 0.0)
