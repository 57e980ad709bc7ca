"""Small vertebrae for tests of cement: one made by hand without a CT, one of a phantom."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import ndimage

from small_patient import small_phantom
from vertebro.assessment import assess_levels
from vertebro.case import Approach, Assessment, NeedlePath, Side, TreatmentPlan
from vertebro.cement.regions import compartment_map
from vertebro.cement.surface import read_surface
from vertebro.cement.survey import LevelSurvey
from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry
from vertebro.planning import plan_treatment

SPACING_MM = 2.0
_LPS_FROM_VERTEBRA = np.diag([-1.0, -1.0, 1.0, 1.0])


@cache
def planned_phantom() -> tuple[Assessment, TreatmentPlan]:
    """Assessment and plan of the small phantom, whose L1 is broken."""
    patient = small_phantom()
    assessment = assess_levels(patient.volume, patient.labels, levels=("L1",))
    return assessment, plan_treatment(patient.volume, patient.labels, assessment)


@cache
def box_survey(*, with_void: bool = False, porosity: float = 0.9) -> LevelSurvey:
    """A body of 40 × 30 × 20 mm with an even inside, in a patch with room around."""
    shape, lower = (34, 31, 24), np.array([-34.0, -34.0, -24.0])
    vertebra_from_patch = np.diag([SPACING_MM] * 3 + [1.0])
    vertebra_from_patch[:3, 3] = lower
    x, y, z = (lower[a] + SPACING_MM * np.arange(shape[a]) for a in range(3))
    body = (
        (np.abs(x) < 20.0)[:, None, None]
        & ((y > -15.0) & (y < 15.0))[None, :, None]
        & (np.abs(z) < 10.0)[None, None, :]
    )
    void = np.zeros_like(body)
    if with_void:
        void[15:19, 16:22, 14:17] = True
        void &= body
    hu = np.where(body, 100.0, 20.0).astype(np.float32)
    shell = body & ~np.pad(body[1:-1, 1:-1, 1:-1] & _eroded(body)[1:-1, 1:-1, 1:-1], 1)
    hu[shell] = 500.0
    pores = np.where(body, porosity, 0.0).astype(np.float32)
    pores[void] = 1.0
    return LevelSurvey(
        name="L1",
        grid=VolumeGeometry(shape, _LPS_FROM_VERTEBRA @ vertebra_from_patch),
        vertebra_from_patch=vertebra_from_patch,
        spacing_mm=SPACING_MM,
        body=body,
        domain=body.copy(),
        mineral_mg_cc=np.where(body, 105.0, 0.0).astype(np.float32),
        porosity=pores,
        void=void,
        compartments=compartment_map(body, body, np.zeros_like(body), vertebra_from_patch, SPACING_MM),
        surface=read_surface(body, body, hu, vertebra_from_patch, SPACING_MM),
        openings=(),
        is_fractured=True,
        fractured_endplates=(True, False),
        cleft_touches=(False, False, False),
        body_ml=float(body.sum()) * SPACING_MM**3 / 1000.0,
    )


def needle(side: Side = Side.LEFT, tip_v: tuple[float, float, float] = (-4.0, 4.0, 0.0)) -> NeedlePath:
    """A path whose tip lies at a place of the vertebra's frame."""
    tip = apply_affine(_LPS_FROM_VERTEBRA, np.array(tip_v))
    entry = apply_affine(_LPS_FROM_VERTEBRA, np.array(tip_v) + np.array([0.0, -40.0, 0.0]))
    return NeedlePath(
        side=side,
        approach=Approach.TRANSPEDICULAR,
        device="11 G cannula",
        access="unipedicular",
        recommended=True,
        entry_skin_lps_mm=None,
        entry_bone_lps_mm=entry,
        isthmus_lps_mm=entry,
        target_lps_mm=tip,
        margins_mm={"medial": 2.0},
        tightest="medial",
        tightest_lps_mm=entry,
        gertzbein_robbins="A",
        axial_angle_deg=0.0,
        sagittal_angle_deg=0.0,
        end_on_view_deg=(0.0, 0.0),
        length_tissue_mm=50.0,
        length_bone_mm=40.0,
        tolerance_deg=2.0,
        tolerance_mm=2.0,
        pedicle_width_mm=8.0,
        pedicle_height_mm=14.0,
        score=0.0,
    )


def _eroded(mask: np.ndarray) -> np.ndarray:
    return ndimage.binary_erosion(mask)
