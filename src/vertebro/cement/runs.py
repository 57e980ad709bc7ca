"""Many independent runs, on the cores of this machine or on a Dask cluster, with progress and cancel."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any, TypeVar

from vertebro.errors import InputError
from vertebro.progress import Progress, silent

Result = TypeVar("Result")
FEW_RUNS = 4
"""Up to so many runs are done in this process: starting others takes longer."""

_job: Any = None


def _keep_job(job: Any) -> None:
    global _job  # noqa: PLW0603 - each worker process holds its one job
    _job = job


def _run_kept(work: Callable[[Any, int], Result], number: int) -> Result:
    return work(_job, number)


def run_all(
    work: Callable[[Any, int], Result],
    job: Any,
    count: int,
    workers: int = 0,
    *,
    use_dask: bool = False,
    progress: Progress = silent,
) -> list[Result]:
    """Do ``work(job, 0)`` … ``work(job, count − 1)``.

    Parameters
    ----------
    work : callable
        A function of a module, so that other processes find it.
    job : picklable
    count : int
    workers : int
        Processes; 0 takes one for each usable core.
    use_dask : bool
        Use the Dask client that is connected, or one on this machine.
    progress : Progress
        If it raises, no further run begins.

    Returns
    -------
    list
        In order, whatever ran where.

    Raises
    ------
    InputError
        If Dask is asked for and not installed (``cement.dask``).

    Notes
    -----
    Other processes are started afresh and import the program's main module: a script of your own needs
    ``if __name__ == "__main__":`` around its beginning, as with all of Python's process pools.
    """
    n_workers = min(workers or _usable_cores(), max(count, 1))
    if use_dask:
        return _with_dask(work, job, count, progress)
    if n_workers == 1 or count <= FEW_RUNS:
        results = []
        for number in range(count):
            progress(number / count, f"run {number + 1} of {count}")
            results.append(work(job, number))
        return results
    with ProcessPoolExecutor(
        n_workers, mp_context=get_context("spawn"), initializer=_keep_job, initargs=(job,)
    ) as pool:
        futures = [pool.submit(_run_kept, work, number) for number in range(count)]
        try:
            _follow(futures, count, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _follow(futures: list[Future[Result]], count: int, progress: Progress) -> None:
    """Tell how many runs are done until all are."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        progress((count - len(pending)) / count, f"{count - len(pending)} of {count} runs")


def _with_dask(work: Callable[[Any, int], Result], job: Any, count: int, progress: Progress) -> list[Result]:
    try:
        from distributed import Client, as_completed, get_client  # noqa: PLC0415 - an optional extra
    except ImportError as problem:
        raise InputError(
            "cement.dask",
            got="a run with Dask, which is not installed",
            needed="the extra vertebro[cohort]",
            remedy="Install it, or leave Dask off: processes of this machine are used then.",
            fields=("use_dask",),
        ) from problem
    try:
        client = get_client()
    except ValueError:
        client = Client(processes=True)
    kept = client.scatter(job, broadcast=True)
    futures = [client.submit(work, kept, number, pure=False) for number in range(count)]
    for done, _ in enumerate(as_completed(futures), start=1):
        progress(done / count, f"{done} of {count} runs")
    results: list[Result] = client.gather(futures)
    return results


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
