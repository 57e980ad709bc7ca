"""Everything that shapes an injection and its ensemble, each value with its source."""

from __future__ import annotations

from dataclasses import dataclass, field

from vertebro.errors import SettingsError
from vertebro.materials.bone_flow import BoneFlowSettings
from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """The ways out of the bone: what counts as seen, and the priors of what CT cannot show.

    Examples
    --------
    >>> RouteSettings().gap_min_area_mm2
    10.0
    """

    gap_contrast: float = setting(
        0.25,
        "A wall is open where its brightest point rises above marrow by less than this share of the usual.",
        lower=0.0,
        upper=0.9,
        source="assumed: half a voxel of missing cortex takes away about half of its contrast",
    )
    gap_highest_hu: float = setting(
        150.0,
        "A wall is open only where its brightest point stays below this too.",
        lower=0.0,
        upper=1000.0,
        unit="hu",
        source="assumed: soft tissue, fluid and fatty marrow lie below; bone that is merely dense, without "
        "a visible shell, lies above",
    )
    gap_min_area_mm2: float = setting(
        10.0,
        "Smallest open patch of wall that counts as a gap seen in the CT.",
        lower=1.0,
        upper=200.0,
        unit="mm2",
        source="assumed: about 3 × 3 mm, what a 1 mm CT shows reliably",
    )
    gap_width_mm: float = setting(
        1.0,
        "Opening of a wall gap drawn from the prior (median).",
        lower=0.05,
        upper=5.0,
        unit="mm",
        source="assumed: fracture lines of the cortex are fractions of a millimetre to a few",
    )
    fissure_width_mm: float = setting(
        1.0,
        "Opening of an endplate fissure drawn from the prior (median).",
        lower=0.05,
        upper=5.0,
        unit="mm",
        source="assumed: as wall gaps",
    )
    width_log10_sd: float = setting(
        0.25,
        "Spread of gap and vein widths, in powers of ten.",
        lower=0.0,
        upper=1.0,
        source="assumed: from a third to three times in 95 of 100",
    )
    basivertebral_radius_mm: float = setting(
        0.8,
        "Radius of what is open of the basivertebral vein's trunk (median).",
        lower=0.1,
        upper=4.0,
        unit="mm",
        source="recalled: the foramen measures 2 to 5 mm, the vein in it about 2 mm across; thin-walled, "
        "it is partly collapsed (assumed)",
    )
    segmental_radius_mm: float = setting(
        0.45,
        "Radius of a segmental (external) vein where it passes the wall (median).",
        lower=0.1,
        upper=3.0,
        unit="mm",
        source="assumed: below a millimetre; such foramina are at the limit of a 1 mm CT",
    )
    n_segmental: float = setting(
        1.3,
        "Mean number of segmental veins that open into a body's front and side walls.",
        lower=0.0,
        upper=20.0,
        source="assumed: about one that is wide enough for cement",
    )
    fissure_chance: float = setting(
        0.7,
        "Chance that a fractured endplate has a fissure that the CT does not show.",
        lower=0.0,
        upper=1.0,
        source="calibrated on phantom cohorts to the order of leak routes in Martin et al., Acta Radiol 2012 "
        "(endplate 45, paravertebral 35, epidural 20, prevertebral vein 18 % of patients)",
    )
    unbroken_fissure_chance: float = setting(
        0.2,
        "The same for an endplate that is not fractured.",
        lower=0.0,
        upper=1.0,
        source="assumed: a quarter of it",
    )
    cleft_fissure_chance: float = setting(
        0.95,
        "The same for an endplate that a gas cleft touches; the fissure then starts at the cleft.",
        lower=0.0,
        upper=1.0,
        source="assumed, larger than without a cleft: with a cleft 16.5 against 6.5 % leak into the disc "
        "(PMC8449924)",
    )
    n_wall_gaps: float = setting(
        1.8,
        "Mean number of gaps that the CT does not show in the front and side walls of a fractured body.",
        lower=0.0,
        upper=10.0,
        source="calibrated with fissure_chance",
    )
    unbroken_wall_gaps: float = setting(
        0.2,
        "The same in a body that is not fractured.",
        lower=0.0,
        upper=10.0,
        source="assumed: a quarter of it",
    )
    back_wall_gap_chance: float = setting(
        0.10,
        "Chance of a gap that the CT does not show in a fractured body's back wall.",
        lower=0.0,
        upper=1.0,
        source="assumed: leaks through the back wall are rare (0.7 % of 3175 patients, Hsieh 2019)",
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class BackPressureSettings:
    """How hard what lies outside the bone pushes back.

    Examples
    --------
    >>> BackPressureSettings().disc_kpa_per_ml
    40.0
    """

    disc_kpa_per_ml: float = setting(
        40.0,
        "Rise of a disc's pressure with each mL of cement in it.",
        lower=0.0,
        upper=1000.0,
        unit="kpa/ml",
        source="assumed for a worn disc; healthy ones take 1 to 2 mL of contrast at 200 to 350 kPa (recalled "
        "from discography)",
    )
    epidural_kpa_per_ml: float = setting(
        8.0,
        "The same of the epidural space and the foramina.",
        lower=0.0,
        upper=1000.0,
        unit="kpa/ml",
        source="assumed: 10 mL given within a minute raise the epidural pressure by some kilopascals",
    )
    soft_tissue_kpa_per_ml: float = setting(
        10.0,
        "The same of muscle and ligament beside the body.",
        lower=0.0,
        upper=1000.0,
        unit="kpa/ml",
        source="assumed: muscle's modulus is about 10 kPa",
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class EnsembleSettings:
    """How the uncertainty is explored.

    Examples
    --------
    >>> EnsembleSettings().runs
    0
    """

    runs: int = setting(
        0,
        "Number of runs; 0 gives no probabilities.",
        lower=0,
        upper=5000,
        source="design: an ensemble is run when asked for",
    )
    spacing_mm: float = setting(
        1.5,
        "Voxel size of the runs.",
        lower=0.5,
        upper=3.0,
        unit="mm",
        source="assumed: four times as fast as 1 mm, with the same distributions within their intervals",
    )
    step_s: float = setting(
        4.0,
        "Time step of the runs.",
        lower=0.1,
        upper=20.0,
        unit="s",
        source="assumed: as for the voxel size",
    )
    needle_error_mm: float = setting(
        1.5,
        "Standard deviation of the tip's place, along and across the needle.",
        lower=0.0,
        upper=10.0,
        unit="mm",
        source="assumed: published placement errors are 2 to 4 mm at the tip (Vijayan 2019: 3.96 ± 2.19 mm)",
    )
    leak_threshold_ml: float = setting(
        0.03,
        "Cement outside the bone that counts as a leak.",
        lower=0.001,
        upper=1.0,
        unit="ml",
        source="assumed: a drop of 4 mm, which a 1 mm CT shows",
    )
    workers: int = setting(
        0, "Processes; 0 takes one for each core.", lower=0, upper=256, source="design: one for each core"
    )
    use_dask: bool = setting(
        False, "Spread the runs with Dask (needs vertebro[cohort]) instead of processes of this machine."
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class InjectionSettings:
    """What is injected, how, and how it is computed.

    Examples
    --------
    >>> InjectionSettings().product
    'generic'
    >>> InjectionSettings(volume_ml=-1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    vertebro.errors.SettingsError: Got volume_ml = -1.0 ml. Needed: ... Choose ...
    """

    product: str = setting("generic", "Key of the cement product.")
    levels: tuple[str, ...] = setting(
        (), "Levels to inject; without it those whose advice is a procedure and that have a needle."
    )
    volume_ml: float | None = setting(
        None,
        "Cement to inject at each level, both needles together; the plan's value without it.",
        lower=0.0,
        upper=40.0,
        unit="ml",
    )
    rate_ml_min: float = setting(
        2.0,
        "Rate at which it is injected, both needles together.",
        lower=0.05,
        upper=30.0,
        unit="ml/min",
        source="recalled: small portions at 1 to 4 mL/min; bench studies use 3 to 4 mL/min",
    )
    start_min: float | None = setting(
        None,
        "Minutes after the start of mixing at which the injection begins; the product's own without it.",
        lower=0.0,
        upper=120.0,
        unit="min",
    )
    needles: str = setting("planned", "planned, both, left or right.")
    pause_every_ml: float = setting(
        0.0,
        "Pause after each such portion; 0 for none.",
        lower=0.0,
        upper=10.0,
        unit="ml",
        source="design: a steady injection unless a person asks for pauses",
    )
    pause_s: float = setting(
        30.0,
        "Length of a pause.",
        lower=0.0,
        upper=600.0,
        unit="s",
        source="recalled: 30 to 60 s for the cement to stiffen",
    )
    stop_at_posterior_quarter: bool = setting(
        False, "End the injection when cement passes into the posterior quarter of the body, as operators do."
    )
    syringe: str = setting("syringe_1ml", "Key of the syringe.")
    room_c: float = setting(
        22.0,
        "Temperature of the room.",
        lower=10.0,
        upper=40.0,
        unit="degC",
        source="assumed: a procedure room at 20 to 23 °C",
    )
    body_c: float = setting(
        37.0,
        "Temperature of the body.",
        lower=30.0,
        upper=42.0,
        unit="degC",
        source="normal core temperature",
    )
    spacing_mm: float = setting(
        1.0,
        "Voxel size of the flow.",
        lower=0.4,
        upper=3.0,
        unit="mm",
        source="half of it changes a 2 mL fill by less than a Dice of 0.05 (own trial on a real L1)",
    )
    step_s: float = setting(
        1.0,
        "Time step.",
        lower=0.05,
        upper=20.0,
        unit="s",
        source="assumed: at 2 mL/min 33 mm³, a sphere of 2 mm radius",
    )
    peel_mm: float = setting(
        2.0,
        "Depth to which the shell is taken off before CT values become permeability.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="assumed: a 0.4 mm cortex blurs over about 2 mm in a 1 mm CT",
    )
    marrow_hu: float = setting(
        -30.0,
        "CT value of marrow without bone.",
        lower=-120.0,
        upper=80.0,
        unit="hu",
        source="recalled: half fat (−100 HU), half red marrow (+40 HU)",
    )
    n_frames: int = setting(
        12, "Moments kept for the animation.", lower=2, upper=60, source="design: a film of four seconds"
    )
    with_heat: bool = setting(True, "Whether to compute the cement's heat.")
    bone: BoneFlowSettings = field(default_factory=BoneFlowSettings)
    routes: RouteSettings = field(default_factory=RouteSettings)
    tissue: BackPressureSettings = field(default_factory=BackPressureSettings)
    ensemble: EnsembleSettings = field(default_factory=EnsembleSettings)

    def __post_init__(self) -> None:
        validate(self)
        if self.needles not in ("planned", "both", "left", "right"):
            raise SettingsError(
                "cement.needles",
                got=f"needles = {self.needles[:20]!r}",
                needed="planned, both, left or right",
                remedy="Choose one of those.",
                fields=("needles",),
            )
