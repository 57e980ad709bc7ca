"""Needle paths on 200 random patients, checked by brute force on the labels' own voxels."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation.needle_checks import Check, check_path, random_settings
from validation.study import Study
from vertebro.assessment import assess_levels
from vertebro.case import Approach, Side
from vertebro.devices.cannulas import cannula_named
from vertebro.phantoms import make_phantom
from vertebro.planning import AccessSettings, plan_treatment

TITLE = "Needle paths against brute force"
SOURCE = (
    "dense points on each recommended cannula against the voxels of the labels and of the phantom's true "
    "canal: a test that shares no code with the planner. Grades: Gertzbein and Robbins, Spine 1990;15:11."
)
ACCEPTANCE = (
    "For every recommended path, less half a voxel: no point outside the bone or in the canal, 3 mm from the "
    "tip to the bone's end ahead of it, 1 mm from the tip's surface to any end of the bone (the endplates "
    "come first), no more than 1 mm of way through a neighbouring bone; a single needle's tip within 4 mm of "
    "the true midline; at least 98 % grade A on levels of normal anatomy."
)
N_PATIENTS = 200
SPACING_MM = 1.25
HALF_VOXEL_MM = 0.5 * SPACING_MM
FIGURE = "needle-paths.png"
LIMITS = AccessSettings()


@dataclass(frozen=True, slots=True)
class Found:
    """One recommended path and what brute force says of it."""

    check: Check
    grade: str
    is_parapedicular: bool
    is_single: bool
    """Whether the plan is for this needle alone."""
    is_broken: bool
    """Whether the level is fractured."""
    margin_mm: float


def validate(folder: Path) -> Study:
    """Plan the middle level of every patient and check what is recommended."""
    # started anew: a forked process inherits threads of the numerical libraries half-way
    with multiprocessing.get_context("spawn").Pool() as workers:
        of_patients = workers.map(_of_patient, range(N_PATIENTS), chunksize=4)
    found = [entry for entries, _ in of_patients for entry in entries]
    missing = [reason for _, reasons in of_patients for reason in reasons]
    _draw(found, folder / FIGURE)
    return _study(found, missing)


def _of_patient(seed: int) -> tuple[list[Found], list[str]]:
    """The recommended paths of one patient, and why sides have none."""
    settings = random_settings(seed, spacing_mm=SPACING_MM)
    level = settings.levels[1]
    patient = make_phantom(settings)
    assessment = assess_levels(patient.volume, patient.labels, levels=(level,))
    plan = plan_treatment(patient.volume, patient.labels, assessment).levels[level]
    found, missing = [], []
    for side in Side:
        path = plan.best(side)
        if path is None:
            said = [item.message for item in plan.findings if item.code.startswith("plan.no_")]
            missing.append(f"patient {seed}: {'; '.join(said)}")
            continue
        found.append(
            Found(
                check=check_path(patient, level, path, cannula_named(path.device).radius_mm),
                grade=path.gertzbein_robbins,
                is_parapedicular=path.approach is Approach.PARAPEDICULAR,
                is_single=len(plan.needles) == 1 and path in plan.needles,
                is_broken=bool(settings.fractures),
                margin_mm=path.least_margin_mm,
            )
        )
    return found, missing


def _values(found: list[Found], name: str) -> NDArray[np.float64]:
    return np.array([getattr(entry.check, name) for entry in found])


def _study(found: list[Found], missing: list[str]) -> Study:
    normal = [entry for entry in found if not entry.is_broken]
    single = [entry for entry in found if entry.is_single]
    share = float(np.mean([entry.grade == "A" for entry in normal]))
    share_broken = float(np.mean([entry.grade == "A" for entry in found if entry.is_broken]))
    breach, canal = _values(found, "breach_mm"), _values(found, "canal_mm")
    ahead, tip = _values(found, "ahead_mm"), _values(found, "tip_mm")
    neighbour, aside = _values(found, "neighbour_mm"), _values(single, "aside_mm")
    holds = (
        breach.max() <= HALF_VOXEL_MM,
        canal.min() >= -HALF_VOXEL_MM,
        ahead.min() >= LIMITS.anterior_wall_margin_mm - HALF_VOXEL_MM,
        tip.min() >= LIMITS.endplate_margin_mm - HALF_VOXEL_MM,
        neighbour.max() <= LIMITS.neighbour_crossing_mm + HALF_VOXEL_MM,
        aside.max(initial=0.0) <= LIMITS.unipedicular_offset_mm + HALF_VOXEL_MM,
        share >= 0.98,
    )
    n_beside = sum(entry.is_parapedicular for entry in found)
    rows = [
        ("patients, of them with a fracture", f"{N_PATIENTS}, {_n_broken()}", ""),
        ("paths recommended, of them beside the pedicle", f"{len(found)}, {n_beside}", ""),
        ("sides without a recommended path", str(len(missing)), "told why"),
        ("farthest outside the bone", f"{breach.max():.2f} mm", f"≤ {HALF_VOXEL_MM:.2f} mm"),
        ("least distance to the true canal", f"{canal.min():.2f} mm", f"≥ −{HALF_VOXEL_MM:.2f} mm"),
        ("least way from the tip to the bone's end ahead", f"{ahead.min():.2f} mm", "≥ 2.38 mm"),
        ("least distance from the tip's surface to any end of the bone", f"{tip.min():.2f} mm", "≥ 0.38 mm"),
        ("longest way through a neighbouring bone", f"{neighbour.max():.2f} mm", "≤ 1.62 mm"),
        (
            f"farthest tip from the true midline, of {len(single)} single needles",
            f"{aside.max(initial=0.0):.2f} mm",
            "≤ 4.62 mm",
        ),
        ("grade A on levels of normal anatomy", f"{100.0 * share:.1f} %", "≥ 98 %"),
        ("grade A on fractured levels", f"{100.0 * share_broken:.1f} %", ""),
        ("smallest margin that the planner reports", f"{min(e.margin_mm for e in found):.2f} mm", ""),
    ]
    return Study(
        columns=("quantity", "found", "band"),
        rows=rows,
        is_accepted=bool(all(holds)),
        verdict=(
            f"{len(found)} recommended paths; the farthest point outside a voxel of bone lies "
            f"{breach.max():.2f} mm outside, on voxels of {SPACING_MM:g} mm."
            + (f" Without a path: {' | '.join(missing)}." if missing else " Every side has a path.")
        ),
        figures=((FIGURE, "What brute force finds on every recommended path; the band's limit in red."),),
        method=(
            f"{N_PATIENTS} random patients of three levels between T6 and L5 (seeds 0 to {N_PATIENTS - 1}), "
            "six in ten with a fracture of the middle level, random curves, turn, size and side. The middle "
            "level is planned; every recommended path is checked. Sides without a recommended path are "
            "counted, not judged. Phantoms are regular in shape and their labels exact: this shows that the "
            "planner keeps its own limits, not that a real label is right."
        ),
    )


def _n_broken() -> int:
    return sum(bool(random_settings(seed, spacing_mm=SPACING_MM).fractures) for seed in range(N_PATIENTS))


def _draw(found: list[Found], path: Path) -> None:
    single = [entry for entry in found if entry.is_single]
    panels = (
        (_values(found, "canal_mm"), "cannula to true canal, mm", 0.0),
        (_values(found, "ahead_mm"), "tip to the bone's end ahead, mm (12: farther)", 3.0),
        (_values(found, "tip_mm"), "tip's surface to any end of the bone, mm", 1.0),
        (_values(single, "aside_mm"), "single needle: tip to true midline, mm", 4.0),
    )
    figure = Figure(figsize=(10.0, 2.8), layout="constrained")
    for place, (values, name, limit) in zip(figure.subplots(1, 4), panels, strict=True):
        place.hist(values, bins=24, color="#1f4e79")
        place.axvline(limit, color="#b03a2e", linewidth=1.2)
        place.set(xlabel=name, ylabel="paths")
        place.xaxis.label.set_size(8)
    figure.savefig(path, dpi=120, metadata={"Software": None})
