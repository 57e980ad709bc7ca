"""A small wedge fracture with needle paths, made once for the tests of balloons."""

from __future__ import annotations

from functools import cache

import numpy as np

from small_patient import small_phantom
from vertebro.assessment import assess_levels
from vertebro.balloon.body import BodyField
from vertebro.case import Assessment, TreatmentPlan
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.planning import plan_treatment


@cache
def wedge_case() -> tuple[Volume, Assessment, TreatmentPlan]:
    """CT, assessment and plan of the small phantom: L1 a wedge of 40 %."""
    phantom = small_phantom()
    assessment = assess_levels(phantom.volume, phantom.labels)
    return phantom.volume, assessment, plan_treatment(phantom.volume, phantom.labels, assessment)


def block_body(
    half_mm: tuple[float, float, float] = (18.0, 15.0, 10.0), strength_mpa: float = 1.0
) -> BodyField:
    """A block of uniform bone, its frame that of the world turned to right, anterior, superior."""
    counts = tuple(int(2 * half + 1) for half in half_mm)
    frame = np.diag([-1.0, -1.0, 1.0, 1.0])
    vertebra_from_voxel = np.eye(4)
    vertebra_from_voxel[:3, 3] = [-half for half in half_mm]
    grid = VolumeGeometry(counts, frame @ vertebra_from_voxel)
    index = np.indices(counts).reshape(3, -1).T
    points = index + vertebra_from_voxel[:3, 3]
    size = len(points)
    edge = np.array(half_mm) - 2.0
    return BodyField(
        name="L1",
        geometry=grid,
        vertebra_from_voxel=vertebra_from_voxel,
        points_v=points,
        voxels=np.arange(size),
        room=np.ones(size),
        density_mg_cc=np.full(size, 80.0),
        strength_mpa=np.full(size, strength_mpa),
        is_wall=(np.abs(points[:, 0]) > edge[0]) | (np.abs(points[:, 1]) > edge[1]),
        is_endplate=np.abs(points[:, 2]) > edge[2],
        is_gap=np.zeros(size, dtype=bool),
        area_mm2=4.0 * half_mm[0] * half_mm[1],
        depth_mm=2.0 * half_mm[1],
        back_mm=-half_mm[1],
        is_calibrated=True,
    )
