"""Needle paths on 200 random patients, checked by brute force on the labels' own voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from validation.needle_checks import Check, check_path, random_settings
from validation.study import Study
from vertebro.assessment import assess_levels
from vertebro.case import NeedlePath, Side
from vertebro.devices.cannulas import cannula_named
from vertebro.phantoms import make_phantom
from vertebro.planning import plan_treatment

TITLE = "Needle paths against brute force"
SOURCE = (
    "dense points on each recommended cannula against the voxels of the labels and of the phantom's true "
    "canal: a test that shares no code with the planner. Grades: Gertzbein and Robbins, Spine 1990;15:11."
)
ACCEPTANCE = (
    "No recommended path outside the bone or in the canal by more than half a voxel, no tip nearer than 3 mm "
    "(less half a voxel) to the bone's end ahead of it, and at least 98 % grade A."
)
N_PATIENTS = 200
SPACING_MM = 1.25
HALF_VOXEL_MM = 0.5 * SPACING_MM


def validate(folder: Path) -> Study:  # noqa: ARG001 - no figures
    """Plan the middle level of every patient and check what is recommended."""
    checks: list[Check] = []
    paths: list[NeedlePath] = []
    n_sides_without = 0
    for seed in range(N_PATIENTS):
        settings = random_settings(seed, spacing_mm=SPACING_MM)
        level = settings.levels[1]
        patient = make_phantom(settings)
        assessment = assess_levels(patient.volume, patient.labels, levels=(level,))
        plan = plan_treatment(patient.volume, patient.labels, assessment).levels[level]
        for side in Side:
            path = plan.best(side)
            if path is None:
                n_sides_without += 1
                continue
            paths.append(path)
            checks.append(check_path(patient, level, path, cannula_named(path.device).radius_mm))
    return _study(checks, paths, n_sides_without)


def _study(checks: list[Check], paths: list[NeedlePath], n_sides_without: int) -> Study:
    breach = np.array([check.breach_mm for check in checks])
    canal = np.array([check.canal_mm for check in checks])
    ahead = np.array([check.ahead_mm for check in checks])
    share = float(np.mean([path.gertzbein_robbins == "A" for path in paths]))
    is_accepted = bool(
        breach.max() <= HALF_VOXEL_MM
        and canal.min() >= -HALF_VOXEL_MM
        and ahead.min() >= 3.0 - HALF_VOXEL_MM
        and share >= 0.98
    )
    rows = [
        ("patients, paths recommended", f"{N_PATIENTS}, {len(paths)}"),
        ("sides without a recommended path", str(n_sides_without)),
        ("farthest outside the bone", f"{breach.max():.2f} mm"),
        ("least distance to the true canal", f"{canal.min():.2f} mm"),
        ("least way from the tip to the bone's end", f"{ahead.min():.2f} mm"),
        ("grade A", f"{100.0 * share:.1f} %"),
    ]
    return Study(
        columns=("quantity", "found"),
        rows=rows,
        is_accepted=is_accepted,
        verdict=(
            f"{len(paths)} recommended paths; the farthest point outside a voxel of bone lies "
            f"{breach.max():.2f} mm outside, on voxels of {SPACING_MM:g} mm."
        ),
        method=(
            f"{N_PATIENTS} random patients of three levels between T6 and L5 (seeds 0 to {N_PATIENTS - 1}), "
            "six in ten with a fracture of the middle level, random curves, turn, size and side. The middle "
            "level is planned; every recommended path is checked. Sides without a recommended path are "
            "counted, not judged."
        ),
    )
