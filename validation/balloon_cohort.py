"""A cohort of made spines with one recent fracture each, on which balloons are judged.

Calibration uses seeds 0 to 15, scoring seeds 100 to 123: no spine is in both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vertebro.assessment import assess_levels
from vertebro.balloon import BalloonSettings, inflate_balloons
from vertebro.case import Assessment, ClinicalContext, LevelInflation, TreatmentPlan
from vertebro.imaging import Volume
from vertebro.phantoms import Fracture, PhantomSettings, make_phantom
from vertebro.planning import plan_treatment

CALIBRATION_SEEDS = range(16)
SCORING_SEEDS = range(100, 124)
RECENT = ClinicalContext(fracture_age_days=14.0)
_NEIGHBOURS = {
    "T11": ("T10", "T11", "T12"),
    "T12": ("T11", "T12", "L1"),
    "L1": ("T12", "L1", "L2"),
    "L2": ("L1", "L2", "L3"),
    "L3": ("L2", "L3", "L4"),
}
SHAPES = (("wedge", 0.6), ("biconcave", 0.25), ("crush", 0.15))


@dataclass(frozen=True, eq=False)
class CohortCase:
    """One spine, assessed and planned at its broken level."""

    level: str
    volume: Volume
    assessment: Assessment
    plan: TreatmentPlan


def make_case(seed: int) -> CohortCase:
    """The spine of a seed: level, shape and depth of the fracture, size and density drawn from it.

    A wedge of 20 to 45 %, a biconcave or crush fracture of 20 to 40 %; mineral 75 ± 15 mg/cc.
    """
    random = np.random.default_rng(seed)
    level = str(random.choice(list(_NEIGHBOURS), p=[0.1, 0.3, 0.35, 0.15, 0.1]))
    shape = str(random.choice([name for name, _ in SHAPES], p=[share for _, share in SHAPES]))
    loss = float(random.uniform(20.0, 45.0 if shape == "wedge" else 40.0))
    settings = PhantomSettings(
        levels=_NEIGHBOURS[level],
        fractures=(Fracture(level, shape, loss, sclerosis_hu=float(random.uniform(0.0, 120.0))),),
        spacing_mm=(1.2, 1.2, 1.2),
        field_of_view_mm=(150.0, 170.0),
        body_scale=float(np.clip(random.normal(1.0, 0.05), 0.88, 1.12)),
        trabecular_bmd_mg_cc=float(np.clip(random.normal(75.0, 15.0), 45.0, 110.0)),
        seed=seed,
    )
    phantom = make_phantom(settings)
    assessment = assess_levels(phantom.volume, phantom.labels)
    only = replace(assessment, levels={level: assessment.levels[level]})
    plan = plan_treatment(phantom.volume, phantom.labels, only, context=RECENT)
    return CohortCase(level, phantom.volume, only, plan)


def crushed_lumbar(seed: int) -> CohortCase:
    """A lumbar body crushed to 80 % of its height, as in the cadaver experiment; no healing, no sclerosis."""
    random = np.random.default_rng(10_000 + seed)
    level = ("L1", "L2", "L3")[seed % 3]
    settings = PhantomSettings(
        levels=_NEIGHBOURS[level],
        fractures=(Fracture(level, "crush", 20.0, sclerosis_hu=0.0),),
        spacing_mm=(1.2, 1.2, 1.2),
        field_of_view_mm=(150.0, 170.0),
        trabecular_bmd_mg_cc=float(np.clip(random.normal(85.0, 15.0), 50.0, 120.0)),
        seed=seed,
    )
    phantom = make_phantom(settings)
    assessment = assess_levels(phantom.volume, phantom.labels)
    only = replace(assessment, levels={level: assessment.levels[level]})
    plan = plan_treatment(phantom.volume, phantom.labels, only, context=RECENT)
    return CohortCase(level, phantom.volume, only, plan)


def inflated(case: CohortCase, settings: BalloonSettings | None = None) -> LevelInflation | None:
    """The balloons of a case; None where no needle path is recommended."""
    asked = replace(settings or BalloonSettings(), levels=(case.level,))
    result = inflate_balloons(case.volume, case.assessment, case.plan, asked, context=RECENT)
    return result.levels.get(case.level)
