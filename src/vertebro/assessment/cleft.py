"""Gas in a vertebral body: is there a vacuum cleft, how large, what does it touch.

Gas in a neighbouring disc is common and is not a cleft; a pocket counts only where it reaches
below the body's surface. A cleft filled with fluid looks like marrow on CT and cannot be judged.
Volumes are partial-volume sums on the isotropic patch in the local frame, ml.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.tissue_regions import (
    dense_implant,
    depth_inside_mm,
    near_body,
    outside_scan,
    spacing_mm,
)
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import Cleft, Estimate
from vertebro.findings import Finding, finding

_FLUID = "A fluid-filled cleft cannot be seen on CT; MRI (STIR) shows it."


@dataclass(frozen=True, eq=False, slots=True)
class GasPockets:
    """Gas near a body, sorted: in the body, and outside it in the same pocket."""

    inside: NDArray[np.bool_]
    """Gas voxels of clefts that lie in the body."""
    outside: NDArray[np.bool_]
    """Gas voxels of the same pockets that lie beyond the body's surface."""
    beside_ml: float
    """Gas within the body's outline that was not counted: it belongs to a disc or the lung."""


def gas_pockets(anatomy: LevelAnatomy, settings: TissueSettings) -> GasPockets:
    """Find gas pockets that reach into the body.

    A pocket is a face-connected set of voxels below ``gas_seed_hu`` in the scan. It is a cleft where
    its part deeper than ``cleft_depth_mm`` below the body's surface has at least
    ``cleft_min_volume_ml``, and at least ``cleft_inside_percent`` of it lies in the body.
    """
    voxel_mm = spacing_mm(anatomy)
    voxel_ml = voxel_mm**3 / 1000.0
    gas = (anatomy.hu < settings.gas_seed_hu) & ~outside_scan(anatomy.hu)
    labels, count = ndimage.label(gas)
    if count == 0:
        empty = np.zeros_like(gas)
        return GasPockets(empty, empty, 0.0)
    depth = depth_inside_mm(anatomy.body, voxel_mm)
    flat = labels.ravel()
    total = np.bincount(flat, minlength=count + 1) * voxel_ml
    inside = np.bincount(flat, weights=anatomy.body.ravel(), minlength=count + 1) * voxel_ml
    is_deep = (depth >= settings.cleft_depth_mm).ravel()
    deep = np.bincount(flat, weights=is_deep, minlength=count + 1) * voxel_ml
    is_cleft = (deep >= settings.cleft_min_volume_ml) & (
        inside >= settings.cleft_inside_percent / 100.0 * total
    )
    is_cleft[0] = False
    inside[0] = 0.0
    pockets = is_cleft[labels]
    beside_ml = float(inside[~is_cleft].sum())
    return GasPockets(pockets & anatomy.body, pockets & ~anatomy.body, beside_ml)


def gas_volume_ml(anatomy: LevelAnatomy, inside: NDArray[np.bool_], settings: TissueSettings) -> Estimate:
    """Volume of gas in the body, from how far each voxel has fallen from marrow towards gas.

    Value: sum over the pocket and 2 mm around it of (marrow − HU)/(marrow − gas), which is right
    whatever the blur as long as marrow is even. Interval: the same sum with marrow 50 HU brighter and
    darker and over 1 and 3 mm, and the count of voxels that have fallen at least half-way.
    """
    voxel_mm = spacing_mm(anatomy)
    marrow_hu = _marrow_hu(anatomy, inside, voxel_mm)
    gas_hu = _gas_hu(anatomy, inside, voxel_mm, settings)
    sums = {
        (reach_mm, shift_hu): _fallen_ml(anatomy, inside, reach_mm, marrow_hu + shift_hu, gas_hu)
        for reach_mm in (1.0, 2.0, 3.0)
        for shift_hu in (-50.0, 0.0, 50.0)
    }
    value = max(sums[2.0, 0.0], 0.0)
    half_way = (marrow_hu + gas_hu) / 2.0
    count = float((anatomy.hu[inside] < half_way).sum()) * voxel_mm**3 / 1000.0
    return Estimate(
        value,
        max(min(value, count, *sums.values()), 0.0),
        max(value, count, *sums.values()),
        "ml",
        f"partial-volume sum of gas ({gas_hu:.0f} HU) in marrow ({marrow_hu:.0f} HU); "
        "interval from marrow ± 50 HU, reach 1 to 3 mm and the half-way count",
    )


def _marrow_hu(anatomy: LevelAnatomy, inside: NDArray[np.bool_], voxel_mm: float) -> float:
    """Median of the bone 2 to 5 mm from the gas."""
    near = ndimage.binary_dilation(inside, iterations=max(1, round(2.0 / voxel_mm)))
    ring = ndimage.binary_dilation(near, iterations=max(1, round(3.0 / voxel_mm))) & anatomy.body & ~near
    return max(float(np.median(anatomy.hu[ring])), -100.0) if ring.any() else 50.0


def _gas_hu(
    anatomy: LevelAnatomy, inside: NDArray[np.bool_], voxel_mm: float, settings: TissueSettings
) -> float:
    """What pure gas reads here: the middle of a pocket wide enough to have one, else the scale's own."""
    middle = ndimage.binary_erosion(inside, iterations=max(1, round(2.0 / voxel_mm)))
    if middle.sum() * voxel_mm**3 < 20.0:
        return settings.gas_pure_hu
    return float(np.clip(np.median(anatomy.hu[middle]), settings.gas_pure_hu, -600.0))


def _fallen_ml(
    anatomy: LevelAnatomy,
    inside: NDArray[np.bool_],
    reach_mm: float,
    marrow_hu: float,
    gas_hu: float,
) -> float:
    voxel_mm = spacing_mm(anatomy)
    near = ndimage.binary_dilation(inside, iterations=max(1, round(reach_mm / voxel_mm))) & anatomy.body
    fall = (marrow_hu - anatomy.hu[near]) / (marrow_hu - gas_hu)
    return float(np.clip(fall, None, 1.0).sum()) * voxel_mm**3 / 1000.0


def find_cleft(anatomy: LevelAnatomy, settings: TissueSettings) -> tuple[Cleft, tuple[Finding, ...]]:
    """Whether the body holds a gas cleft, its volume and what it touches.

    Parameters
    ----------
    anatomy : LevelAnatomy
    settings : TissueSettings

    Returns
    -------
    Cleft
        ``present`` is None where it cannot be judged: earlier cement or metal in the body, or a
        body cut by the field of view in whose visible part there is no gas.
    findings : tuple of Finding
        ``tissue.gas_cleft``, ``tissue.cleft_opens``, ``tissue.earlier_cement``.

    Examples
    --------
    ``find_cleft(anatomy, TissueSettings())[0].present`` for an anatomy lifted by the assessment.
    """
    anatomy = near_body(anatomy, 10.0)
    depth = depth_inside_mm(anatomy.body, spacing_mm(anatomy))
    implant = dense_implant(anatomy, depth, settings.dense_implant_hu, settings.dense_implant_min_ml)
    if implant.any():
        return _unjudged_by_implant(anatomy, implant)
    pockets = gas_pockets(anatomy, settings)
    if not pockets.inside.any():
        return _no_gas(anatomy, pockets), ()
    volume = gas_volume_ml(anatomy, pockets.inside, settings)
    touches = _touches(anatomy, pockets.inside, settings)
    ways_out = _ways_out(anatomy, pockets, settings)
    notes = [f"Gas continues {way}." for way in ways_out]
    if not anatomy.complete:
        notes.append("The level is cut by the field of view: the cleft may be larger.")
    found = [
        finding(
            "tissue.gas_cleft",
            f"Gas cleft of {volume.require():.1f} ml in the body.",
            where=anatomy.name,
            evidence={"volume_ml": round(volume.require(), 3)},
        )
    ]
    if ways_out:
        found.append(
            finding(
                "tissue.cleft_opens",
                f"The gas cleft continues {' and '.join(ways_out)}: the wall between is open there.",
                where=anatomy.name,
                evidence={
                    "outside_ml": round(float(pockets.outside.sum()) * spacing_mm(anatomy) ** 3 / 1e3, 3)
                },
            )
        )
    cleft = Cleft(
        present=True,
        volume_ml=volume,
        touches_superior_endplate=touches["superior"],
        touches_inferior_endplate=touches["inferior"],
        touches_anterior_wall=touches["anterior"],
        note=" ".join(notes),
    )
    return cleft, tuple(found)


def _unjudged_by_implant(
    anatomy: LevelAnatomy, implant: NDArray[np.bool_]
) -> tuple[Cleft, tuple[Finding, ...]]:
    volume_ml = float(implant.sum()) * spacing_mm(anatomy) ** 3 / 1000.0
    reason = "earlier cement or metal in the body: its streaks look like gas"
    cleft = Cleft(present=None, volume_ml=Estimate.missing("ml", reason), note=reason.capitalize() + ".")
    found = finding(
        "tissue.earlier_cement",
        f"About {volume_ml:.1f} ml in the body is as bright as bone cement or metal.",
        where=anatomy.name,
        evidence={
            "volume_ml": round(volume_ml, 2),
            "median_hu": round(float(np.median(anatomy.hu[implant]))),
        },
    )
    return cleft, (found,)


def _no_gas(anatomy: LevelAnatomy, pockets: GasPockets) -> Cleft:
    aside = ""
    if pockets.beside_ml >= 0.01:
        aside = (
            " Gas at the body's surface belongs to the disc or to what lies beside it and was not counted."
        )
    if not anatomy.complete:
        reason = "no gas in the visible part; the level is cut by the field of view"
        return Cleft(present=None, volume_ml=Estimate.missing("ml", reason), note=f"{_FLUID}{aside}")
    zero = Estimate(0.0, 0.0, 0.0, "ml", "no gas found in the body")
    return Cleft(present=False, volume_ml=zero, note=f"{_FLUID}{aside}")


def _surface_gap(
    mask: NDArray[np.bool_], body: NDArray[np.bool_], axis: int, voxel_mm: float
) -> NDArray[np.float64]:
    """Gap between the last voxel of ``mask`` and the last of ``body`` along +axis, mm; inf without."""
    count = mask.shape[axis]
    last_mask = count - 1 - np.argmax(np.flip(mask, axis), axis=axis)
    last_body = count - 1 - np.argmax(np.flip(body, axis), axis=axis)
    gap = (last_body - last_mask) * voxel_mm
    return np.where(mask.any(axis=axis), gap, np.inf)


def _touches(anatomy: LevelAnatomy, inside: NDArray[np.bool_], settings: TissueSettings) -> dict[str, bool]:
    voxel_mm = spacing_mm(anatomy)
    flipped = (inside[:, :, ::-1], anatomy.body[:, :, ::-1])
    gaps = {
        "superior": _surface_gap(inside, anatomy.body, 2, voxel_mm),
        "inferior": _surface_gap(*flipped, 2, voxel_mm),
        "anterior": _surface_gap(inside, anatomy.body, 1, voxel_mm),
    }
    return {
        name: bool((gap <= settings.cleft_touch_mm).sum() * voxel_mm**2 >= settings.cleft_touch_area_mm2)
        for name, gap in gaps.items()
    }


def _ways_out(anatomy: LevelAnatomy, pockets: GasPockets, settings: TissueSettings) -> list[str]:
    """In words, where the pocket goes on outside the body."""
    voxel_ml = spacing_mm(anatomy) ** 3 / 1000.0
    if pockets.outside.sum() * voxel_ml < settings.cleft_min_volume_ml:
        return []
    body = anatomy.body
    has_body = np.asarray(body.any(axis=2))[:, :, None]
    above = ~np.flip(np.maximum.accumulate(np.flip(body, 2), axis=2), 2) & has_body
    below = ~np.maximum.accumulate(body, axis=2) & has_body
    ways = []
    for words, region in (("into the disc above", above), ("into the disc below", below)):
        if (pockets.outside & region).sum() * voxel_ml >= settings.cleft_min_volume_ml:
            ways.append(words)
    beside = pockets.outside & ~above & ~below
    if beside.sum() * voxel_ml >= settings.cleft_min_volume_ml:
        ways.append("beyond the body's front or side wall")
    return ways
