"""From an assessed spine to a treatment plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import Assessment, ClinicalContext, LevelAssessment, LevelPlan, TreatmentPlan
from vertebro.findings import Finding, finding
from vertebro.imaging import LabelVolume, Volume
from vertebro.imaging.lift import MaskCrop, crop_mask, hu_on, nearest_on
from vertebro.planning.access import AccessPlan, plan_access
from vertebro.planning.cement_volume import CementVolumeSettings, plan_cement_ml
from vertebro.planning.obstacles import find_cleft
from vertebro.planning.procedure import ProcedureSettings, choose_procedure
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import Site, make_site
from vertebro.progress import Progress, silent

CLEFT_HU = -200.0
"""Darker voxels in a body that the assessment found a cleft in are its gas (as the assessment's own limit:
fat, the darkest solid tissue, reads about -100)."""
OTHER_BONE_CLEARANCE_MM = 1.5
"""A needle's axis keeps this far from other bones where it can: about its radius."""


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """All settings of planning."""

    access: AccessSettings = field(default_factory=AccessSettings)
    procedure: ProcedureSettings = field(default_factory=ProcedureSettings)
    cement: CementVolumeSettings = field(default_factory=CementVolumeSettings)


def plan_treatment(
    volume: Volume,
    labels: LabelVolume,
    assessment: Assessment,
    settings: PlanSettings | None = None,
    *,
    context: ClinicalContext | None = None,
    progress: Progress = silent,
) -> TreatmentPlan:
    """Choose procedure, needle paths and cement range for every assessed level.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
        Of whole vertebrae; bodies alone have no pedicles to plan through.
    assessment : Assessment
        Made from the same labels.
    settings : PlanSettings, optional
    context : ClinicalContext, optional
        What a clinician knows that the images do not show.
    progress : Progress

    Returns
    -------
    TreatmentPlan

    Examples
    --------
    >>> import vertebro as vb
    >>> patient = vb.make_phantom(vb.PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0)))
    >>> assessment = vb.assess_levels(patient.volume, patient.labels, levels=("L1",))
    >>> plan = vb.plan_treatment(patient.volume, patient.labels, assessment)
    >>> plan.levels["L1"].best("left").gertzbein_robbins
    'A'
    >>> plan.levels["L1"].procedure.advice.value  # an unbroken level
    'neither'
    """
    settings = settings or PlanSettings()
    context = context or ClinicalContext()
    levels: dict[str, LevelPlan] = {}
    for index, (name, level) in enumerate(assessment.levels.items()):
        progress(index / len(assessment.levels), f"planning {name}")
        levels[name] = _plan_level(volume, labels, assessment, level, settings, context)
    progress(1.0, "planned")
    return TreatmentPlan(levels, context)


def _plan_level(
    volume: Volume,
    labels: LabelVolume,
    assessment: Assessment,
    level: LevelAssessment,
    settings: PlanSettings,
    context: ClinicalContext,
) -> LevelPlan:
    findings: list[Finding] = []
    site = make_level_site(labels, assessment, level, settings.access, volume) if level.complete else None
    widths = [pedicle.width_mm for pedicle in site.pedicles.values()] if site else []
    advice = choose_procedure(level, context, max(widths, default=None), settings.procedure)
    if site is None:
        message = f"{level.name}: no path planned, because the level is cut by the field of view."
        findings.append(finding("plan.level_cut", message, where=level.name))
        reached = AccessPlan((), "none", "the level is not wholly in the scan", ())
    else:
        reached = plan_access(site, advice.advice.value, volume, settings.access)
    cement_ml, cement_findings = plan_cement_ml(level, settings.cement)
    return LevelPlan(
        name=level.name,
        procedure=advice,
        cement_ml=cement_ml,
        paths=reached.paths,
        access=reached.access,
        access_reason=reached.reason,
        findings=(*findings, *reached.findings, *cement_findings),
    )


def make_level_site(
    labels: LabelVolume,
    assessment: Assessment,
    level: LevelAssessment,
    settings: AccessSettings,
    volume: Volume | None = None,
) -> Site | None:
    """The place of operation of one level, from the labels and the assessment's body and frame.

    The CT, where it is given, shows where a gas cleft lies that the assessment has found.
    """
    vertebra = _crop(labels.labels, level.label, labels)
    body = _crop(assessment.bodies, level.label, labels)
    if vertebra is None or body is None:
        return None
    frame = np.asarray(level.lps_from_vertebra, dtype=np.float64)
    site = make_site(level.name, vertebra, body, frame, settings.patch_spacing_mm)
    if site is None:
        return None
    site = _with_neighbours(site, labels, level.label)
    if volume is None or not level.cleft.present:
        return site
    is_gas = hu_on(volume.hu, volume.geometry, site.grid) < CLEFT_HU
    return replace(site, cleft=find_cleft(is_gas, site.body, site.vertebra_from_patch))


def _with_neighbours(site: Site, labels: LabelVolume, label: int) -> Site:
    """The site with other labelled bones: where they are, and where a needle's axis would touch them."""
    on_patch = nearest_on(labels.labels, labels.geometry, site.grid)
    is_other = np.asarray((on_patch != 0) & (on_patch != label) & ~site.bone, dtype=np.bool_)
    if not is_other.any():
        return site
    distance_mm = edt.edt(~is_other, anisotropy=site.grid.spacing_mm, parallel=1)
    is_near = ~site.bone & np.asarray(distance_mm <= OTHER_BONE_CLEARANCE_MM, dtype=np.bool_)
    return replace(site, other_bone=is_near, neighbour=is_other)


def _crop(array: NDArray[np.uint8] | NDArray[np.int16], label: int, labels: LabelVolume) -> MaskCrop | None:
    mask = array == label
    boxes = ndimage.find_objects(mask.astype(np.uint8), max_label=1)
    if not boxes or boxes[0] is None:
        return None
    return crop_mask(array, label, boxes[0], labels.geometry)
