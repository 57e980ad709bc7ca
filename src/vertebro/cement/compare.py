"""Compare ways to inject the same vertebra: cements, needles, rates, doses, on the same draws.

Run *i* draws the same bone, veins and gaps for every way, so that differences are those of the ways and
not of chance. Relative, not calibrated on patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vertebro.case import Compartment, Estimate, LevelPlan, NeedlePath
from vertebro.cement.ensemble import RunSummary, make_job, run_one, share_interval
from vertebro.cement.inject import wanted_paths
from vertebro.cement.runs import run_all
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.survey import LevelSurvey
from vertebro.errors import SettingsError
from vertebro.progress import Progress, scaled, silent

RATE_FACTORS = (0.5, 1.0, 2.0)
"""Rates compared, as multiples of the settings' rate."""


@dataclass(frozen=True, eq=False, slots=True)
class Way:
    """One way to inject."""

    name: str
    paths: tuple[NeedlePath, ...]
    settings: InjectionSettings


@dataclass(frozen=True, slots=True)
class WayResult:
    """What one way gave over the runs."""

    name: str
    any_leak: Estimate
    canal_or_foramen: Estimate
    leaked_ml: Estimate
    fill_percent: Estimate
    peak_syringe_kpa: Estimate
    fewer_than_first: Estimate
    """Share of the runs in which it leaked less than the first way did on the same draw."""


def ways_of(what: str, plan: LevelPlan, settings: InjectionSettings) -> tuple[Way, ...]:
    """The usual comparisons: ``"products"``, ``"needles"`` or ``"rates"``.

    Raises
    ------
    SettingsError
        For another name (``cement.compare``).
    """
    paths = wanted_paths(plan, settings)
    if what == "products":
        names = ("low_viscosity", "medium_viscosity", "high_viscosity")
        return tuple(Way(name, paths, replace(settings, product=name)) for name in names)
    if what == "needles":
        chosen = {
            name: wanted_paths(plan, replace(settings, needles=name)) for name in ("both", "left", "right")
        }
        return tuple(Way(name, found, settings) for name, found in chosen.items() if found)
    if what == "rates":
        rates = [settings.rate_ml_min * factor for factor in RATE_FACTORS]
        return tuple(Way(f"{rate:g} mL/min", paths, replace(settings, rate_ml_min=rate)) for rate in rates)
    raise SettingsError(
        "cement.compare",
        got=f"a comparison of {what[:20]!r}",
        needed="products, needles or rates",
        remedy="Choose one of those.",
        fields=("compare",),
    )


def compare_injections(
    survey: LevelSurvey,
    ways: Sequence[Way],
    volume_ml: float,
    *,
    runs: int = 20,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[WayResult, ...]:
    """Inject every way into the same draws.

    Parameters
    ----------
    survey : LevelSurvey
    ways : sequence of Way
        The first is what the others are held against.
    volume_ml : float
    runs : int
    seed : int
    progress : Progress

    Returns
    -------
    tuple of WayResult
        In the order of the ways.
    """
    every: list[list[RunSummary]] = []
    for number, way in enumerate(ways):
        part = scaled(progress, number / len(ways), (number + 1) / len(ways))
        job = make_job(survey, way.paths, way.settings, volume_ml, seed)
        every.append(run_all(run_one, job, runs, way.settings.ensemble.workers, progress=part))
    return tuple(_told(way, found, every[0]) for way, found in zip(ways, every, strict=True))


def _told(way: Way, runs: Sequence[RunSummary], first: Sequence[RunSummary]) -> WayResult:
    threshold = way.settings.ensemble.leak_threshold_ml
    basis = f"{len(runs)} simulated runs on the same draws; relative, not calibrated on patients"
    order = list(Compartment)
    grave = [order.index(Compartment.CANAL), order.index(Compartment.FORAMEN)]
    volumes = np.array([run.volumes_ml for run in runs])
    outside = volumes[:, 1:].sum(axis=1)
    other = np.array([run.volumes_ml[1:].sum() for run in first])
    return WayResult(
        name=way.name,
        any_leak=share_interval(int((volumes[:, 1:] >= threshold).any(axis=1).sum()), len(runs), basis),
        canal_or_foramen=share_interval(
            int((volumes[:, grave] >= threshold).any(axis=1).sum()), len(runs), basis
        ),
        leaked_ml=_median(outside, "ml", basis),
        fill_percent=_median(np.array([run.fill_percent for run in runs]), "percent", basis),
        peak_syringe_kpa=_median(np.array([run.peak_syringe_kpa for run in runs]), "kPa", basis),
        fewer_than_first=share_interval(int((outside < other - 1e-6).sum()), len(runs), basis),
    )


def _median(values: np.ndarray, unit: str, basis: str) -> Estimate:
    low, middle, high = (float(value) for value in np.quantile(values, [0.025, 0.5, 0.975]))
    return Estimate(middle, low, high, unit, basis)


def table_of(results: Mapping[str, Sequence[WayResult]]) -> list[tuple[str, ...]]:
    """Rows for a terminal: level, way, leak, canal, volume, fill, pressure."""
    rows: list[tuple[str, ...]] = []
    for level, ways in results.items():
        for way in ways:
            share, canal = way.any_leak, way.canal_or_foramen
            rows.append(
                (
                    level,
                    way.name,
                    _percent(share),
                    _percent(canal),
                    f"{way.leaked_ml.value or 0.0:.2f}",
                    f"{way.fill_percent.value or 0.0:.0f}",
                    f"{way.peak_syringe_kpa.value or 0.0:.0f}",
                )
            )
    return rows


def _percent(share: Estimate) -> str:
    value, low, high = (100.0 * (part or 0.0) for part in (share.value, share.lower, share.upper))
    return f"{value:.0f} ({low:.0f}–{high:.0f})"
