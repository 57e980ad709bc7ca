"""The order of things: which stages there are, running them over a case folder, keeping what is valid.

Only this package knows which stage follows which; the algorithm packages never import each other.
"""

from typing import TYPE_CHECKING

from vertebro.workflow.stages import STAGES, Stage, stage_named

if TYPE_CHECKING:
    from vertebro.workflow.pipeline import CaseRun, RunOptions, rerun_case, run_case, stored_options

__all__ = [
    "STAGES",
    "CaseRun",
    "RunOptions",
    "Stage",
    "rerun_case",
    "run_case",
    "stage_named",
    "stored_options",
]


def __getattr__(name: str) -> object:
    """Load the pipeline when it is first used: the list of stages alone must be instant."""
    if name in ("CaseRun", "RunOptions", "rerun_case", "run_case", "stored_options"):
        from vertebro.workflow import pipeline  # noqa: PLC0415 - the one place that keeps the registry light

        return getattr(pipeline, name)
    raise AttributeError(f"module 'vertebro.workflow' has no attribute {name!r}")
