"""Ensembles: what they sum up, that they repeat, and that runs do not depend on one another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cement_case import box_survey, needle
from vertebro.case import Compartment, InjectionResult
from vertebro.cement import EnsembleSettings, InjectionSettings
from vertebro.cement.ensemble import Job, leak_probability, make_job, run_one, share_interval
from vertebro.cement.runs import run_all
from vertebro.errors import Cancelled

SETTINGS = InjectionSettings(
    volume_ml=1.5, with_heat=False, ensemble=EnsembleSettings(runs=3, step_s=10.0, workers=1)
)


def a_job(seed: int = 5) -> Job:
    return make_job(box_survey(), [needle()], SETTINGS, 1.5, seed)


def test_a_run_is_the_same_whenever_it_is_done() -> None:
    job = a_job()

    first, again, other = run_one(job, 2), run_one(job, 2), run_one(job, 1)

    assert first.volumes_ml.tobytes() == again.volumes_ml.tobytes()
    assert first.reached.tobytes() == again.reached.tobytes()
    assert first.peak_tissue_kpa != other.peak_tissue_kpa


def test_an_ensemble_sums_up_its_runs() -> None:
    job = a_job()

    told = leak_probability(job)

    runs = [run_one(job, number) for number in range(3)]
    disc = [run.volumes_ml[list(Compartment).index(Compartment.DISC_ABOVE)] for run in runs]
    threshold = SETTINGS.ensemble.leak_threshold_ml
    assert told.n_runs == 3
    assert told.chances["disc_above"].probability.value == pytest.approx(np.mean(np.array(disc) >= threshold))
    assert set(told.chances) == {place.value for place in Compartment if place.value != "inside"} | {"any"}
    assert told.dose[-1].volume_ml == pytest.approx(1.5)
    assert 0.0 <= float(told.map.values.min()) <= float(told.map.values.max()) <= 1.0
    assert told.to_json()["notice"] == InjectionResult.NOTICE
    shares = [point.any_leak.value for point in told.dose]
    assert all(a is not None and b is not None and a <= b for a, b in pairwise(shares))


def _square(job: int, number: int) -> int:
    return job * number**2


@pytest.mark.slow
def test_runs_come_back_in_order_from_other_processes() -> None:
    assert run_all(_square, 2, 6, workers=2) == [0, 2, 8, 18, 32, 50]


def test_a_cancelled_ensemble_stops() -> None:
    seen: list[float] = []

    def stop(fraction: float, text: str) -> None:
        seen.append(fraction)
        if len(seen) == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run_all(_square, 1, 10, workers=1, progress=stop)
    assert len(seen) == 2


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (10, 10), (3, 10), (0, 1)])
def test_a_share_lies_within_its_interval(hits: int, count: int) -> None:
    share = share_interval(hits, count, "runs")

    assert share.value == hits / count
    assert 0.0 <= (share.lower or 0.0) <= (share.value or 0.0) <= (share.upper or 1.0) <= 1.0
    assert not share_interval(0, 0, "runs").is_known
