"""Density of a body's spongy core, in HU and, where the scan is calibrated, in mg/cc.

The core is the body without its outer 4 mm, without its back third (basivertebral vein), without
gas, earlier cement and sclerosis. A collapsed body's density is that of its compacted rubble, not
of the patient's bone: for the patient, :func:`patient_density` takes the unfractured levels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.calibration import Calibration
from vertebro.assessment.tissue_regions import (
    dense_implant,
    depth_inside_mm,
    local_axes_mm,
    near_body,
    outside_scan,
    smoothed_hu,
    spacing_mm,
)
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.case import BoneDensity, Estimate, GenantGrade, LevelAssessment
from vertebro.findings import Finding, finding


@dataclass(frozen=True, eq=False, slots=True)
class Core:
    """The spongy core on the patch and what was kept out of it."""

    mask: NDArray[np.bool_]
    sclerosis_percent: float
    """Share of the core's place taken by sclerosis, islands or endplate."""
    has_implant: bool


def core_region(anatomy: LevelAnatomy, settings: TissueSettings, margin_mm: float | None = None) -> Core:
    """Where a body's spongy density is read.

    Parameters
    ----------
    anatomy : LevelAnatomy
    settings : TissueSettings
    margin_mm : float, optional
        Distance from the surface, ``core_margin_mm`` unless given.

    Returns
    -------
    Core
    """
    voxel_mm = spacing_mm(anatomy)
    depth = depth_inside_mm(anatomy.body, voxel_mm)
    place = (depth >= (settings.core_margin_mm if margin_mm is None else margin_mm)) & _front_part(
        anatomy, settings
    )
    place &= ~outside_scan(anatomy.hu)
    steps = max(1, round(2.0 / voxel_mm))
    gas = (anatomy.hu < settings.gas_seed_hu) & anatomy.body
    if gas.any():
        place &= ~ndimage.binary_dilation(gas, iterations=steps)
    implant = dense_implant(anatomy, depth, settings.dense_implant_hu, settings.dense_implant_min_ml)
    if implant.any():
        place &= ~ndimage.binary_dilation(implant, iterations=2 * steps)
    if not place.any():
        return Core(place, 0.0, bool(implant.any()))
    local = smoothed_hu(anatomy, 1.5)
    dense = np.zeros_like(place)
    for _ in range(2):  # the median is taken again without the first pass's sclerosis
        clean = place & ~dense
        middle = float(np.median(anatomy.hu[clean if clean.any() else place]))
        dense = place & (local > middle + settings.sclerosis_above_core_hu)
    grown = ndimage.binary_dilation(dense, iterations=max(1, steps // 2)) & place if dense.any() else dense
    return Core(place & ~grown, 100.0 * float(dense.sum()) / float(place.sum()), bool(implant.any()))


def _front_part(anatomy: LevelAnatomy, settings: TissueSettings) -> NDArray[np.bool_]:
    """The patch in front of the back third of the body's depth, plane by plane of height."""
    _, anterior, _ = local_axes_mm(anatomy)
    rows = np.asarray(anatomy.body.any(axis=0))
    has = rows.any(axis=0)
    first = anterior[np.argmax(rows, axis=0)]
    last = anterior[rows.shape[0] - 1 - np.argmax(rows[::-1], axis=0)]
    limit = np.where(has, first + settings.core_posterior_percent / 100.0 * (last - first), np.inf)
    return np.asarray(anterior[None, :, None] >= limit[None, None, :])


def measure_density(
    anatomy: LevelAnatomy, calibration: Calibration, settings: TissueSettings
) -> tuple[BoneDensity, tuple[Finding, ...]]:
    """Density of the spongy core of one level.

    Parameters
    ----------
    anatomy : LevelAnatomy
    calibration : Calibration
        From :func:`~vertebro.assessment.calibration.calibrate`.
    settings : TissueSettings

    Returns
    -------
    BoneDensity
    findings : tuple of Finding
        ``tissue.core_sclerosis``. What density says of the patient comes from :func:`density_findings`.

    Notes
    -----
    The interval of the core's mean holds its standard error over eight-millimetre blocks, the change
    when the margin is 1 mm wider or narrower, and the scanner's own accuracy.
    """
    anatomy = near_body(anatomy, 2.0)
    core = core_region(anatomy, settings)
    voxel_ml = spacing_mm(anatomy) ** 3 / 1000.0
    volume_ml = float(core.mask.sum()) * voxel_ml
    if volume_ml < settings.core_min_ml:
        reason = f"only {volume_ml:.1f} ml of spongy core is left, {settings.core_min_ml:.1f} ml is needed"
        return BoneDensity(
            Estimate.missing("hu", reason), Estimate.missing("mg/cc", reason), calibration.kind
        ), ()
    core_hu = _core_estimate(anatomy, core, volume_ml, settings)
    density = BoneDensity(core_hu, calibration.bmd(core_hu), calibration.kind)
    if core.sclerosis_percent <= settings.sclerosis_finding_percent:
        return density, ()
    found = finding(
        "tissue.core_sclerosis",
        f"{core.sclerosis_percent:.0f} % of the core is sclerotic and was left out: "
        "the density is that of the rest.",
        where=anatomy.name,
        evidence={"sclerosis_percent": round(core.sclerosis_percent, 1)},
    )
    return density, (found,)


def _core_estimate(anatomy: LevelAnatomy, core: Core, volume_ml: float, settings: TissueSettings) -> Estimate:
    values = anatomy.hu[core.mask]
    mean = float(values.mean(dtype=np.float64))
    sampling = 1.96 * _block_error_hu(anatomy, core.mask)
    shifts = []
    for change_mm in (-1.0, 1.0):
        other = core_region(anatomy, settings, settings.core_margin_mm + change_mm).mask
        if other.sum() >= 0.25 * core.mask.sum():
            shifts.append(abs(float(anatomy.hu[other].mean(dtype=np.float64)) - mean))
    half = math.sqrt(sampling**2 + max(shifts, default=0.0) ** 2 + settings.scanner_accuracy_hu**2)
    return Estimate.symmetric(
        mean,
        half,
        "hu",
        f"mean of {volume_ml:.1f} ml spongy core (median {float(np.median(values)):.0f} HU), "
        f"{settings.core_margin_mm:.0f} mm from the surface, front "
        f"{100.0 - settings.core_posterior_percent:.0f} % of the depth, without gas, cement and sclerosis",
    )


def _block_error_hu(anatomy: LevelAnatomy, mask: NDArray[np.bool_], block_mm: float = 8.0) -> float:
    """Standard error of the mean from blocks large against the noise's grain and the trabeculae."""
    size = max(1, round(block_mm / spacing_mm(anatomy)))
    index = np.argwhere(mask)
    block = index // size
    keys = np.ravel_multi_index(block.T, tuple(block.max(axis=0) + 1))
    counts = np.bincount(keys)
    sums = np.bincount(keys, weights=anatomy.hu[mask])
    full = counts >= 0.25 * size**3
    if full.sum() < 2:
        return float(np.std(anatomy.hu[mask]) / math.sqrt(max(1.0, mask.sum() / size**3)))
    means = sums[full] / counts[full]
    return float(means.std(ddof=1) / math.sqrt(full.sum()))


def density_findings(
    levels: Iterable[LevelAssessment], calibration: Calibration, settings: TissueSettings
) -> tuple[Finding, ...]:
    """What the levels' densities together say of the patient.

    Parameters
    ----------
    levels : iterable of LevelAssessment
    calibration : Calibration
        Tells how much contrast raises the core; thresholds are applied after that is taken off.
    settings : TissueSettings

    Returns
    -------
    tuple of Finding
        ``tissue.severe_osteoporosis`` or ``tissue.low_density`` from the unfractured levels, and
        ``tissue.rubble_density`` for each surely fractured level whose density was measured.
    """
    listed = list(levels)
    core_hu, _, names = patient_density(listed)
    found = [
        _rubble(level, core_hu, names)
        for level in listed
        if _is_surely_broken(level) and level.density.core_hu.is_known
    ]
    if not core_hu.is_known:
        return tuple(found)
    native = core_hu.require() - calibration.contrast_shift_hu
    if native <= settings.of_severe_osteoporosis_hu:
        code, limit = "tissue.severe_osteoporosis", settings.of_severe_osteoporosis_hu
    elif native <= settings.osteoporosis_specific_hu:
        code, limit = "tissue.low_density", settings.osteoporosis_specific_hu
    else:
        return tuple(found)
    shift = calibration.contrast_shift_hu
    words = f" after taking off {shift:.0f} HU for contrast" if shift else ""
    found.append(
        finding(
            code,
            f"Spongy bone of {', '.join(names)} reads {native:.0f} HU{words}: at or below {limit:.0f} HU.",
            evidence={"core_hu": round(core_hu.require(), 1), "contrast_shift_hu": round(shift, 2)},
        )
    )
    return tuple(found)


def _is_surely_broken(level: LevelAssessment) -> bool:
    """Whether the body is broken beyond doubt: a cleft, or a loss whose whole interval is graded."""
    return bool(
        level.cleft.present
        or (level.genant_grade and level.grade_is_certain)
        or (level.genant_grade is not None and level.genant_grade >= GenantGrade.MODERATE)
    )


def _rubble(level: LevelAssessment, core_hu: Estimate, names: tuple[str, ...]) -> Finding:
    own = level.density.core_hu.require()
    other = f" Unfractured levels ({', '.join(names)}) read {core_hu.require():.0f} HU." if names else ""
    return finding(
        "tissue.rubble_density",
        f"{own:.0f} HU in {level.name} is the density of a fractured body, not of the patient's bone.{other}",
        where=level.name,
        evidence={"core_hu": round(own, 1)},
    )


def patient_density(
    levels: Iterable[LevelAssessment],
) -> tuple[Estimate, Estimate, tuple[str, ...]]:
    """The patient's spongy density from the levels that are whole and not fractured.

    Parameters
    ----------
    levels : iterable of LevelAssessment

    Returns
    -------
    core_hu, bmd_mg_cc : Estimate
        Median over the usable levels; the interval is the widest of their own intervals and their
        spread. Missing where no level is usable.
    names : tuple of str
        The levels used.
    """
    usable = [
        level
        for level in levels
        if level.complete
        and level.genant_grade is GenantGrade.NORMAL
        and level.cleft.present is not True
        and level.density.core_hu.is_known
    ]
    names = tuple(level.name for level in usable)
    basis = f"median of the unfractured levels {', '.join(names)}"
    if not usable:
        reason = "no complete level without a fracture"
        return Estimate.missing("hu", reason), Estimate.missing("mg/cc", reason), ()
    hu = _median_of([level.density.core_hu for level in usable], "hu", basis)
    calibrated = [level.density.bmd_mg_cc for level in usable if level.density.bmd_mg_cc.is_known]
    if not calibrated:
        return hu, Estimate.missing("mg/cc", usable[0].density.bmd_mg_cc.basis), names
    return hu, _median_of(calibrated, "mg/cc", basis), names


def _median_of(items: list[Estimate], unit: str, basis: str) -> Estimate:
    """Median, with the median interval widened to the items' spread over root n."""
    values = np.array([item.require() for item in items])
    value = float(np.median(values))
    halves = [((item.upper or 0.0) - (item.lower or 0.0)) / 2.0 for item in items]
    spread = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return Estimate.symmetric(value, max(float(np.median(halves)), spread), unit, basis)
