"""Settings of the built-in segmentation."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """How vertebrae are found and outlined in a CT.

    Examples
    --------
    >>> SegmentationSettings().fine_step_mm
    1.5
    """

    fine_step_mm: float = setting(
        1.5,
        "Grid on which discs, outlines and processes are worked out; labels go back onto the CT's own grid.",
        lower=0.8,
        upper=3.0,
        unit="mm",
        source="assumed: endplates and pedicles stay apart, and a lumbar CT takes seconds",
    )
    name_at_least: float = setting(
        0.8,
        "Least probability at which a proposed numbering is used without asking for a name.",
        lower=0.5,
        upper=1.0,
        source="assumed: a wrong name is worse than a question",
    )
    ask_below: float = setting(
        0.6,
        "Confidence of a level below which a person is asked to look.",
        lower=0.0,
        upper=1.0,
        source="assumed; not yet calibrated",
    )
    least_canal_mm: float = setting(
        24.0,
        "Shortest stretch of spinal canal that counts as a spine.",
        lower=12.0,
        upper=200.0,
        unit="mm",
        source="assumed: about one lumbar level",
    )

    def __post_init__(self) -> None:
        validate(self)
