"""Balloon inflation: exact cavities, a cadaver experiment, published height gains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from validation.balloon_cohort import SCORING_SEEDS, crushed_lumbar, inflated, make_case
from validation.study import Study
from vertebro.balloon import BalloonSettings
from vertebro.case import LevelInflation
from vertebro.numerics.cavity import (
    CavityMedium,
    cavity_pressures_mpa,
    crushable_limit_mpa,
    tresca_limit_mpa,
)

TITLE = "Balloon kyphoplasty"
SOURCE = (
    "the elastic and plastic cavity (Hill 1950); cadaver lumbar bodies crushed to 80 % (PMID 16762891: "
    "2.95 ± 0.18 mL at 0.85 ± 0.19 MPa); pooled height and angle (14 trials: anterior +3.48 mm, kyphosis "
    "2.85°; Xing 2013: +3.67 mm; Papanastassiou 2012: 4.8°)"
)
ACCEPTANCE = (
    "elastic cavity within 3 %, plastic limit within 10 %; mean pressure at 2.95 mL within two standard "
    "deviations; mean anterior gain 3 to 4 mm and mean angle 2.9 to 4.8° on spines not used in calibration"
)
METHOD = (
    "Cavities: the radial solver alone. Cadaver set-up: twelve made L1 to L3 bodies with a fresh crush "
    "fracture of 20 %, mineral 85 ± 15 mg/cc, 2.95 mL asked for in each of two balloons; pressures of "
    "balloons that reached it. Nothing was fitted to this pressure: bone strength is a published law of "
    "density, halved for damage. Cohort: 24 made spines (seeds 100 to 123; T11 to L3, wedge 60 %, "
    "biconcave 25 %, crush 15 %, loss 20 to 45 %, mineral 75 ± 15 mg/cc, fracture 14 days old), balloons "
    "filled until something says stop. Kyphosis is that of the body (wedge). The stiffness against "
    "lifting, 65 N/mm, was fitted to the mean of sixteen other spines (seeds 0 to 15), so the cohort's "
    "mean tests only that the fit carries over, not the model's spread between patients, for which there "
    "are no public data."
)
FIGURE = "balloon.png"
N_CRUSHED = 12
TARGET_ML, TARGET_MPA, TARGET_SD_MPA = 2.95, 0.846, 0.192
GAIN_MM, ANGLE_DEG = (3.0, 4.0), (2.9, 4.8)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one spine of the cohort regained."""

    lost_mm: float
    anterior_mm: float
    middle_mm: float
    angle_deg: float


def _exact() -> tuple[list[tuple[str, ...]], bool]:
    """Rows for the closed forms, and whether all are in their bands."""
    rows: list[tuple[str, ...]] = []
    fine = True
    shear = 100.0 / 2.6
    (pressure,) = cavity_pressures_mpa(CavityMedium(100.0), (1.002,))
    ratio = pressure / (4.0 * shear * 0.002)
    rows.append(("elastic cavity, p·a/(4G·u)", f"{ratio:.4f}", "1", "3 %"))
    fine &= abs(ratio - 1.0) <= 0.03
    for modulus, strength in ((100.0, 1.0), (150.0, 2.0), (300.0, 3.0)):
        limit = tresca_limit_mpa(modulus, 0.3, strength)
        (pressure,) = cavity_pressures_mpa(CavityMedium(modulus, 0.3, strength), (3.0,))
        rows.append(
            (
                f"plastic limit, E/Y = {modulus:g}/{strength:g} MPa",
                f"{pressure:.2f} MPa",
                f"{limit:.2f} MPa",
                "10 %",
            )
        )
        fine &= abs(pressure / limit - 1.0) <= 0.10
    limit = crushable_limit_mpa(1.0, 0.25)
    (pressure,) = cavity_pressures_mpa(CavityMedium(150.0, 0.3, 1.0, crushable=True), (4.0,))
    rows.append(
        ("crushable limit, Y = 1 MPa", f"{pressure:.2f} MPa", f"{limit:.2f} MPa (own derivation)", "10 %")
    )
    return rows, fine and abs(pressure / limit - 1.0) <= 0.10


def _crushed() -> tuple[list[float], list[LevelInflation]]:
    """Pressures at the experiment's volume, MPa, and the inflations."""
    pressures, runs = [], []
    for seed in range(N_CRUSHED):
        run = inflated(crushed_lumbar(seed), BalloonSettings(volume_ml=TARGET_ML))
        if run is None:
            continue
        runs.append(run)
        pressures += [b.pressure_kpa / 1000.0 for b in run.balloons if b.volume_ml > TARGET_ML - 0.2]
    return pressures, runs


def _cohort() -> list[Outcome]:
    outcomes = []
    for seed in SCORING_SEEDS:
        case = make_case(seed)
        run = inflated(case)
        if run is None:
            continue
        level = case.assessment.levels[case.level]
        gains = {
            name: getattr(run.heights_after_mm, name).require() - getattr(level.heights_mm, name).require()
            for name in ("anterior", "middle")
        }
        lost = level.expected_heights_mm.anterior.require() - level.heights_mm.anterior.require()
        outcomes.append(Outcome(lost, gains["anterior"], gains["middle"], -run.wedge_change_deg.require()))
    return outcomes


def validate(folder: Path) -> Study:
    """Run all three comparisons; the figure goes into ``folder``."""
    rows, is_exact = _exact()
    pressures, runs = _crushed()
    outcomes = _cohort()
    pressure, spread = float(np.mean(pressures)), float(np.std(pressures, ddof=1))
    gain = float(np.mean([item.anterior_mm for item in outcomes]))
    middle = float(np.mean([item.middle_mm for item in outcomes]))
    angle = float(np.mean([item.angle_deg for item in outcomes]))
    volume_error = max(
        abs(run.cavity_ml - sum(b.volume_ml for b in run.balloons)) / run.cavity_ml for run in runs
    )
    sd_gain = float(np.std([item.anterior_mm for item in outcomes], ddof=1))
    sd_angle = float(np.std([item.angle_deg for item in outcomes], ddof=1))
    rows += [
        ("cavity against balloon volume", f"{volume_error:.1e}", "0", "1e-6"),
        (
            f"pressure at 2.95 mL, {len(pressures)} balloons",
            f"{pressure:.2f} ± {spread:.2f} MPa",
            "0.85 ± 0.19 MPa",
            "2 SD",
        ),
        (
            f"anterior gain, {len(outcomes)} spines",
            f"{gain:.2f} ± {sd_gain:.2f} mm",
            "3.5 to 3.7 mm",
            "3 to 4 mm",
        ),
        ("middle gain", f"{middle:.2f} mm", "4.4 mm", "not judged"),
        ("kyphosis of the body", f"{angle:.2f} ± {sd_angle:.2f}°", "2.9 to 4.8°", "2.9 to 4.8°"),
    ]
    _draw(folder / FIGURE, runs, outcomes)
    accepted = (
        is_exact
        and volume_error <= 1e-6
        and abs(pressure - TARGET_MPA) <= 2.0 * TARGET_SD_MPA
        and GAIN_MM[0] <= gain <= GAIN_MM[1]
        and ANGLE_DEG[0] <= angle <= ANGLE_DEG[1]
    )
    verdict = (
        "The closed forms are met, and the pressure agrees with the experiment without fitting. Mean height "
        "and angle agree because one constant was fitted to such a mean on other made spines. Single "
        "patients are not validated: most made fractures here come back wholly and then lose a third "
        "again, while real ones scatter more; the interval of each prediction is wide for that reason."
    )
    caption = (
        "Left: pressure against volume in the crushed lumbar bodies, with the experiment. Right: anterior "
        "height lost and regained in the scoring cohort."
    )
    return Study(
        ("quantity", "ours", "reference", "band"), rows, accepted, verdict, ((FIGURE, caption),), METHOD
    )


def _draw(path: Path, runs: list[LevelInflation], outcomes: list[Outcome]) -> None:
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for run in runs:
        for balloon in run.balloons:
            left.plot(
                [step.volume_ml for step in balloon.steps],
                [step.pressure_kpa / 1000.0 for step in balloon.steps],
                color="#2f7f86",
                alpha=0.45,
                linewidth=1.0,
            )
    left.errorbar(
        [TARGET_ML], [TARGET_MPA], xerr=[0.18], yerr=[TARGET_SD_MPA], fmt="o", color="#b3202c", capsize=3
    )
    left.annotate("cadaver, mean ± SD", (TARGET_ML, TARGET_MPA), (1.55, 0.28), color="#b3202c")
    left.set(xlabel="volume of a balloon, mL", ylabel="pressure, MPa", xlim=(0, 3.3), ylim=(0, None))
    lost = [item.lost_mm for item in outcomes]
    right.scatter(lost, [item.anterior_mm for item in outcomes], color="#2f7f86", s=18)
    top = max(lost) + 1.0
    right.plot([0, top], [0, top], color="#5b6875", linewidth=0.8, linestyle="--")
    right.axhspan(*GAIN_MM, color="#d8e6ea", zorder=0)
    right.annotate("all of it", (0.62 * top, 0.68 * top), color="#5b6875")
    right.annotate("published mean", (0.1, GAIN_MM[1] + 0.1), color="#5b6875")
    right.set(
        xlabel="anterior height lost, mm",
        ylabel="regained, balloons let down, mm",
        xlim=(0, top),
        ylim=(-0.2, top),
    )
    figure.savefig(path, dpi=130)
