"""Cement injected into a leak model: mass leaked by viscosity and delay, pressures of the syringe."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from validation.cement_bench_model import BenchRun, inject_bench
from validation.study import Study

TITLE = "Cement leaking from a bench model"
SOURCE = (
    "Habib, Serhan, Marchek, Baroud, Int J Spine Surg 2010;4:26: leaked mass of a low-viscosity "
    "cement injected 3.5 and 9.5 minutes after mixing and of a high-viscosity one at 3.5 and 6.5 "
    "minutes. Pressure: Krebs et al., Spine 2005;30:E118 (peaks 1693 ± 653 kPa)."
)
ACCEPTANCE = (
    "means in the published strict order, each within two published standard deviations; peak "
    "pressure of late medium-viscosity cement within one standard deviation of Krebs' mean"
)
GROUPS = (
    ("low", 3.5, 4.0, 1.2),
    ("low", 9.5, 2.6, 1.2),
    ("high", 3.5, 1.5, 1.2),
    ("high", 6.5, 0.92, 0.6),
)
SEEDS = range(100, 112)
"""Those that score; the model's two fitted numbers were chosen on seeds 0 to 2."""
KREBS_KPA, KREBS_SD_KPA = 1693.0, 653.0
LATE_MIN = 9.0
FIGURE = "cement-bench.png"
METHOD = (
    "An ellipsoid of 42 × 30 × 24 mm in a closed shell with one tube of 3 mm through its front; "
    "porosity 0.90, permeability 3e-8 m², marrow substitute of 60 Pa·s (effective), 6 mL at 3 mL/min "
    "through an 11 G cannula of 125 mm, 2 mm voxels. In each of 12 specimens the viscosity of the "
    "cement, that of the marrow and the place of the tip vary; the four groups use the same specimens. "
    "Assumed, because they could not be read: the model's dimensions, dose and rate. **Chosen** "
    "by hand among a few values, on other seeds and with all four groups in view: the tip's distance "
    "from the path and the dose. "
    "Calibrated before, and part of the engine: the effective viscosity of marrow, and that the "
    "viscosity of cement stays level below 1/s. The share lost in the cannula is told, not judged: "
    "with a single way out, cement that plugs it raises the pressure inside as it would not in a "
    "vertebra, where tests judge it."
)


def validate(folder: Path) -> Study:
    """Inject every specimen of every group."""
    groups = {
        (product, start): [inject_bench(product, start, np.random.default_rng(seed)) for seed in SEEDS]
        for product, start, _, _ in GROUPS
    }
    late = [inject_bench("medium", LATE_MIN, np.random.default_rng(seed)) for seed in SEEDS]
    rows: list[tuple[str, ...]] = []
    means: list[float] = []
    all_near = True
    for product, start, published, sd in GROUPS:
        leaked = np.array([run.leaked_g for run in groups[product, start]])
        means.append(float(leaked.mean()))
        near = bool(abs(leaked.mean() - published) <= 2.0 * sd)
        all_near = all_near and near
        name = f"leaked mass, {product} viscosity at {start:g} min"
        ours = f"{leaked.mean():.2f} ± {leaked.std(ddof=1):.2f} g"
        rows.append((name, ours, f"{published:g} ± {sd:g} g", said(near)))
    pressures = np.array([run.peak_syringe_kpa for run in late])
    share = min(run.cannula_share for group in [*groups.values(), late] for run in group)
    in_band = bool(abs(pressures.mean() - KREBS_KPA) <= KREBS_SD_KPA)
    is_ordered = all(a > b for a, b in pairwise(means))
    rows.append(("strict order of the four means", said(is_ordered), "yes", said(is_ordered)))
    name = f"peak syringe pressure, medium viscosity at {LATE_MIN:g} min"
    ours = f"{pressures.mean():.0f} ± {pressures.std(ddof=1):.0f} kPa"
    rows.append((name, ours, "1693 ± 653 kPa", said(in_band)))
    rows.append(("least share lost in the cannula", f"{100 * share:.0f} %", "told, not judged", ""))
    _plot(folder / FIGURE, groups)
    ratio = means[2] / means[0]
    return Study(
        columns=("quantity", "ours", "published", "within"),
        rows=rows,
        is_accepted=all_near and is_ordered and in_band,
        verdict="Thicker and later cement leaks less, in the published order. High against low viscosity at "
        f"the same delay leaks {ratio:.2f} times as much; the bench gave 0.38, patients 0.38 (0.29 to 0.51).",
        figures=((FIGURE, "Leaked mass of each specimen; red: published mean and standard deviation."),),
        method=METHOD,
    )


def said(is_so: bool) -> str:
    """A word for the table."""
    return "yes" if is_so else "NO"


def _plot(path: Path, groups: dict[tuple[str, float], list[BenchRun]]) -> None:
    figure = Figure(figsize=(6.0, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for place, (product, start, published, sd) in enumerate(GROUPS):
        leaked = [run.leaked_g for run in groups[product, start]]
        axes.plot([place - 0.1] * len(leaked), leaked, "o", color="#2f7f86", alpha=0.6)
        axes.errorbar(place + 0.1, published, yerr=sd, fmt="s", color="#b3202c", capsize=4)
    axes.set_xticks(range(len(GROUPS)), [f"{product}\n{start:g} min" for product, start, _, _ in GROUPS])
    axes.set_ylabel("leaked mass, g")
    axes.set_ylim(bottom=0.0)
    figure.savefig(path, dpi=130, metadata={"Software": None})
