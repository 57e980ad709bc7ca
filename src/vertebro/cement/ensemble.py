"""Many possible truths of one vertebra, injected the same way: how often, and where, cement leaks.

Each run draws permeability, marrow, cement, needle error and the routes that the CT does not show. Run
``i`` of a seed is the same whatever the number of runs or processes, so that protocols can be compared
on the same draws. All chances are relative: the priors were not calibrated on patients.

References
----------
.. [1] Wilson, J Am Stat Assoc 1927;22:209: interval of a share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebro.case import (
    Compartment,
    DosePoint,
    Estimate,
    LeakChance,
    LeakProbability,
    NeedlePath,
    RouteBasis,
    RouteKind,
    RoutePlace,
)
from vertebro.case.injection import LEAKS
from vertebro.cement.deposit import cement_fraction, compartment_volumes_ml, route_volume_mm3
from vertebro.cement.inject import drive
from vertebro.cement.measure import distance_to_posterior_wall_mm, fill_percent
from vertebro.cement.runs import run_all
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.site import draw_variation, make_site
from vertebro.cement.state import InjectionState
from vertebro.cement.survey import LevelSurvey
from vertebro.devices.cements import load_cement
from vertebro.geometry import apply_affine, compose, invert_affine
from vertebro.imaging import ScalarVolume
from vertebro.progress import Progress, silent

N_DOSES = 12
"""Doses at which the risk is told."""
SHOWN_SHARE = 0.2
"""Share of a voxel that is cement from which it counts in the map of chances (assumed)."""
_BASIS = "{n} simulated runs; relative, not calibrated on patients"


@dataclass(frozen=True, eq=False, slots=True)
class Job:
    """What every run of an ensemble shares; goes to other processes."""

    survey: LevelSurvey
    paths: tuple[NeedlePath, ...]
    settings: InjectionSettings
    volume_ml: float
    seed: int


@dataclass(frozen=True, eq=False, slots=True)
class RunSummary:
    """What is kept of one run."""

    volumes_ml: NDArray[np.float64]
    """(7,) by compartment."""
    dose_ml: NDArray[np.float64]
    """(d, 7) by compartment when each dose was reached; of the end where it was not."""
    dose_fill: NDArray[np.float64]
    """(d,) fill percent then."""
    injected_ml: float
    fill_percent: float
    peak_syringe_kpa: float
    peak_tissue_kpa: float
    distance_mm: float
    exits: tuple[tuple[RouteKind, RouteBasis, Compartment, tuple[float, float, float], float], ...]
    """Kind, basis, compartment, place (vertebra frame) and mL of each route that let cement out."""
    reached: NDArray[np.uint8]
    """Packed bits: patch voxels that hold cement."""


def make_job(
    survey: LevelSurvey,
    paths: Sequence[NeedlePath],
    settings: InjectionSettings,
    volume_ml: float,
    seed: int,
) -> Job:
    """A job that can be sent to other processes."""
    plain = tuple(replace(path, margins_mm=dict(path.margins_mm)) for path in paths)
    return Job(survey, plain, settings, volume_ml, seed)


def run_one(job: Job, number: int) -> RunSummary:
    """Run ``number`` of an ensemble: always the same for a job."""
    settings = job.settings
    rng = np.random.default_rng((job.seed, 1000 + number))
    product = load_cement(settings.product)
    variation = draw_variation(job.survey, settings, product, len(job.paths), rng)
    site = make_site(job.survey, job.paths, settings, variation, product=product)
    doses = dose_grid(job.volume_ml)
    at_dose: list[tuple[NDArray[np.float64], float]] = []

    def observe(state: InjectionState) -> None:
        while len(at_dose) < len(doses) and state.injected_ml >= doses[len(at_dose)] - 1e-6:
            at_dose.append((_volumes(state), fill_percent(state)))

    run = drive(
        site,
        job.volume_ml,
        step_s=settings.ensemble.step_s,
        keep_frames=False,
        n_threads=1,
        observe=observe,
    )
    volumes = _volumes(run.state)
    fill = fill_percent(run.state)
    at_dose += [(volumes, fill)] * (len(doses) - len(at_dose))
    exits = []
    for index, route in enumerate(site.routes):
        amount = route_volume_mm3(run.state, index) / 1000.0
        if amount > 1e-4:
            x, y, z = (float(value) for value in route.exit_v)
            exits.append((route.kind, route.basis, route.compartment, (x, y, z), amount))
    distance = distance_to_posterior_wall_mm(run.state)
    return RunSummary(
        volumes_ml=volumes,
        dose_ml=np.array([entry for entry, _ in at_dose]),
        dose_fill=np.array([entry for _, entry in at_dose]),
        injected_ml=run.state.injected_ml,
        fill_percent=fill,
        peak_syringe_kpa=max((peak for peak, _ in run.peak), default=0.0),
        peak_tissue_kpa=run.peak_tissue_kpa,
        distance_mm=np.nan if distance is None else distance,
        exits=tuple(exits),
        reached=np.packbits(cement_fraction(run.state) >= SHOWN_SHARE),
    )


def dose_grid(volume_ml: float) -> NDArray[np.float64]:
    """Doses at which the risk is told, up to the whole."""
    return np.linspace(volume_ml / N_DOSES, volume_ml, N_DOSES)


def leak_probability(job: Job, progress: Progress = silent) -> LeakProbability:
    """Run the ensemble of a job and sum it up.

    Parameters
    ----------
    job : Job
        Its settings say how many runs, and on how many processes.
    progress : Progress
        May raise :class:`~vertebro.errors.Cancelled`; what is running is then stopped.

    Returns
    -------
    LeakProbability
    """
    ensemble = job.settings.ensemble
    runs = run_all(
        run_one, job, ensemble.runs, ensemble.workers, use_dask=ensemble.use_dask, progress=progress
    )
    return sum_up(job, runs)


def sum_up(job: Job, runs: Sequence[RunSummary]) -> LeakProbability:
    """Probabilities, places and intervals from runs."""
    threshold = job.settings.ensemble.leak_threshold_ml
    volumes = np.array([run.volumes_ml for run in runs])
    chances = {place.value: _chance(volumes[:, list(Compartment).index(place)], threshold) for place in LEAKS}
    outside = volumes[:, 1:]
    any_volume = np.where((outside >= threshold).any(axis=1), np.maximum(outside.sum(axis=1), threshold), 0.0)
    chances["any"] = _chance(any_volume, threshold)
    doses = _dose_points(job, runs, threshold)
    bits = [np.unpackbits(run.reached, count=job.survey.body.size) for run in runs]
    reached = np.asarray(np.mean(bits, axis=0), dtype=np.float32).reshape(job.survey.body.shape)
    return LeakProbability(
        n_runs=len(runs),
        chances=chances,
        places=_places(job, runs, threshold),
        dose=doses,
        rising_dose_ml=_rising_dose(doses),
        map=ScalarVolume(reached, job.survey.grid, "share of runs with cement here"),
        estimates=_estimates(runs),
    )


def share_interval(hits: int, count: int, basis: str) -> Estimate:
    """A share with Wilson's 95 % interval.

    Examples
    --------
    >>> share = share_interval(10, 40, "runs")
    >>> share.value, round(share.lower, 2), round(share.upper, 2)
    (0.25, 0.14, 0.4)
    """
    if count <= 0:
        return Estimate.missing("1", "no runs")
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Estimate(
        share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share), "1", basis
    )


def _volumes(state: InjectionState) -> NDArray[np.float64]:
    volumes = compartment_volumes_ml(state)
    return np.array([volumes[place] for place in Compartment])


def _chance(volumes_ml: NDArray[np.float64], threshold_ml: float) -> LeakChance:
    hits = int((volumes_ml >= threshold_ml).sum())
    return LeakChance(
        probability=share_interval(hits, len(volumes_ml), _BASIS.format(n=len(volumes_ml))),
        median_ml=float(np.median(volumes_ml)),
        upper_ml=float(np.quantile(volumes_ml, 0.95)),
        threshold_ml=threshold_ml,
    )


def _dose_points(job: Job, runs: Sequence[RunSummary], threshold: float) -> tuple[DosePoint, ...]:
    basis = _BASIS.format(n=len(runs))
    order = list(Compartment)
    grave = [order.index(Compartment.CANAL), order.index(Compartment.FORAMEN)]
    points = []
    for index, dose in enumerate(dose_grid(job.volume_ml)):
        leaked = np.array([run.dose_ml[index] for run in runs]) >= threshold
        fills = np.array([run.dose_fill[index] for run in runs])
        points.append(
            DosePoint(
                volume_ml=float(dose),
                any_leak=share_interval(int(leaked[:, 1:].any(axis=1).sum()), len(runs), basis),
                canal_or_foramen=share_interval(int(leaked[:, grave].any(axis=1).sum()), len(runs), basis),
                fill_percent=_spread(fills, "percent", len(runs)),
            )
        )
    return tuple(points)


def _rising_dose(points: Sequence[DosePoint]) -> float | None:
    """The first dose whose risk is surely above that of the first portion."""
    first = points[0].any_leak.upper
    for point in points[1:]:
        if first is not None and point.any_leak.lower is not None and point.any_leak.lower > first:
            return point.volume_ml
    return None


def _places(job: Job, runs: Sequence[RunSummary], threshold: float) -> tuple[RoutePlace, ...]:
    """Where leaks came from: a seen place by itself, unseen ones of a kind and side together."""
    survey = job.survey
    lps_from_v = compose(survey.grid.lps_from_voxel, invert_affine(survey.vertebra_from_patch))
    groups: dict[tuple[Any, ...], list[tuple[int, tuple[float, float, float]]]] = {}
    for number, run in enumerate(runs):
        for kind, basis, place, exit_v, amount in run.exits:
            if amount < threshold:
                continue
            where: tuple[float, ...] = (float(np.sign(round(exit_v[0] / 6.0))),)
            if basis is RouteBasis.SEEN:
                where = tuple(round(value) for value in exit_v)
            groups.setdefault((kind, basis, place, where), []).append((number, exit_v))
    found = []
    for (kind, basis, place, _), hits in groups.items():
        middle = np.median(np.array([exit_v for _, exit_v in hits]), axis=0)
        x, y, z = (float(value) for value in apply_affine(lps_from_v, middle))
        share = len({number for number, _ in hits}) / len(runs)
        found.append(RoutePlace(kind, basis, place, (x, y, z), share))
    return tuple(sorted(found, key=lambda item: (-item.share_of_runs, item.kind.value, item.exit_lps_mm)))


def _estimates(runs: Sequence[RunSummary]) -> dict[str, Estimate]:
    count = len(runs)
    told = {
        "injected_ml": _spread((run.injected_ml for run in runs), "ml", count),
        "fill_percent": _spread((run.fill_percent for run in runs), "percent", count),
        "peak_syringe_pressure_kpa": _spread((run.peak_syringe_kpa for run in runs), "kPa", count),
        "peak_tissue_pressure_kpa": _spread((run.peak_tissue_kpa for run in runs), "kPa", count),
        "distance_to_posterior_wall_mm": _spread((run.distance_mm for run in runs), "mm", count),
    }
    for index, place in enumerate(Compartment):
        told[f"{place.value}_ml"] = _spread((float(run.volumes_ml[index]) for run in runs), "ml", count)
    return told


def _spread(values: Iterable[float], unit: str, count: int) -> Estimate:
    """Median with the range of 95 % of the runs."""
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return Estimate.missing(unit, "no run gave it")
    low, middle, high = (float(value) for value in np.quantile(known, [0.025, 0.5, 0.975]))
    return Estimate(middle, low, high, unit, "median and 95 % of " + _BASIS.format(n=count))
