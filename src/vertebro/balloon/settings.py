"""Settings of balloon inflation: every number with its range and source."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class BalloonSettings:
    """Which levels get balloons, how they are blown up, and how bone and fracture answer.

    Examples
    --------
    >>> BalloonSettings().step_ml
    0.5
    """

    levels: tuple[str, ...] = setting((), "Levels asked for; empty for those where kyphoplasty is advised.")
    device: str = setting("", "Balloon by name or length; empty for the longest that fits.")
    volume_ml: float | None = setting(
        None,
        "Volume at which to stop each balloon; None to go on until the height is back or something stops it.",
        lower=0.1,
        upper=12.0,
        unit="ml",
        source="the person's",
    )
    step_ml: float = setting(
        0.5,
        "Volume of one step.",
        lower=0.05,
        upper=1.0,
        unit="ml",
        source="recalled: balloons are filled in steps of 0.5 mL with a look after each",
    )
    spacing_mm: float = setting(
        1.0, "Voxel of the simulation.", lower=0.4, upper=2.0, unit="mm", source="assumed: that of the CT"
    )
    cortex_mm: float = setting(
        1.0,
        "Shell of the body that the balloon does not enter.",
        lower=0.2,
        upper=3.0,
        unit="mm",
        source="assumed: cortex and endplates are 0.4 to 1 mm thick and blur to about 1 mm on CT",
    )
    gap_hu: float = setting(
        60.0,
        "Where the shell is nowhere brighter than this, it is taken to be missing.",
        lower=-200.0,
        upper=400.0,
        unit="hu",
        source="assumed: soft tissue and blood read below 60 to 80 HU",
    )
    damage_ratio: float = setting(
        0.5,
        "Strength of the broken body's bone against unbroken bone of its density.",
        lower=0.05,
        upper=1.0,
        source="recalled: overloaded trabecular bone loses half its strength (Keaveny 1999); not fitted",
    )
    hardening: float = setting(
        0.25,
        "How fast crushed bone gains strength as it is compacted (exponent).",
        lower=0.05,
        upper=0.6,
        source="assumed: the plateau of trabecular bone climbs by about a fifth up to half strain",
    )
    compaction_ratio: float = setting(
        2.5,
        "Density of the compacted rim against that before.",
        lower=1.2,
        upper=6.0,
        source="assumed: rims of one to three millimetres are seen around kyphoplasty cavities",
    )
    preload_n: float = setting(
        100.0,
        "Force along the spine while the balloon lifts.",
        lower=0.0,
        upper=1000.0,
        unit="N",
        source="cadaver kyphoplasty under 100 N (Spine J 2022, PMID 35753638)",
    )
    lift_stiffness_n_mm: float = setting(
        65.0,
        "How strongly discs and ligaments resist the lifting of the endplates.",
        lower=1.0,
        upper=5000.0,
        unit="N/mm",
        source="calibrated: the one constant fitted to outcomes, so that sixteen made spines (seeds 0 to 15 "
        "of the validation) regain 3.5 mm in front, the mean of fourteen trials (with it 4.0°; published "
        "2.9 to 4.8°)",
    )
    deflation_loss: float = setting(
        1.0 / 3.0,
        "Share of the regained height that is lost when the balloons are let down.",
        lower=0.0,
        upper=1.0,
        source="recalled: about a third to a half is lost under load (Voggenreiter, Spine 2005)",
    )
    mobile_days: float = setting(
        42.0,
        "Age up to which a fracture is taken to be mobile.",
        lower=0.0,
        upper=365.0,
        unit="days",
        source="recent, as guidance puts it: six weeks (NICE TA279, draft)",
    )
    healed_days: float = setting(
        90.0,
        "Age from which it is taken to be healed, unless a cleft shows that it is not.",
        lower=1.0,
        upper=1000.0,
        unit="days",
        source="kyphoplasty up to three months: J Orthop Surg Res 2011;6:43, table 1",
    )

    def __post_init__(self) -> None:
        validate(self)
