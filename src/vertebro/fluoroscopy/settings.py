"""Settings of simulated fluoroscopy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vertebro.settings import setting, validate


class BeamModel(StrEnum):
    """How the X-ray beam is modelled."""

    POLYENERGETIC = "polyenergetic"
    """A tube spectrum in energy bins; bone, cement and metal harden it."""
    MONOENERGETIC = "monoenergetic"
    """One energy; faster, and exact where contrasts are small."""


@dataclass(frozen=True, slots=True)
class BeamSettings:
    """The beam and what the detector makes of it."""

    model: BeamModel = setting(
        BeamModel.POLYENERGETIC, "Whether the beam has a spectrum or one energy.", source="choice"
    )
    tube_voltage_kv: float = setting(
        80.0, "Tube voltage.", lower=50.0, upper=125.0, unit="kV",
        source="assumed: 70-100 kV is usual for AP and lateral fluoroscopy of the lumbar spine",
    )  # fmt: skip
    n_energy_bins: int = setting(
        12, "Energy bins of the spectrum.", lower=8, upper=60,
        source="12 bins keep a 1 keV computation's signal within 1.5 % (3 % with cement) to 40 cm (tests)",
    )  # fmt: skip
    single_energy_kev: float = setting(
        60.0, "Photon energy of the monoenergetic model.", lower=30.0, upper=120.0, unit="keV",
        source="50-65 keV is the mean behind 20 cm of water at 70-100 kV, computed with SpekPy 2.5",
    )  # fmt: skip
    scatter: bool = setting(True, "Whether scattered radiation is added.", source="choice")
    scatter_to_primary: float = setting(
        3.0, "Scatter-to-primary ratio before the grid behind 20 cm of tissue in a wide field.",
        lower=0.0, upper=10.0,
        source="assumed: 2-4 for a 30 cm field and 20 cm of soft tissue, textbook range",
    )  # fmt: skip
    noise: bool = setting(True, "Whether quantum noise is added (needs a generator).", source="choice")
    detector_air_kerma_ngy: float = setting(
        30.0, "Mean air kerma behind patient and grid that the automatic exposure control asks for, a pulse.",
        lower=1.0, upper=5000.0, unit="nGy",
        source="assumed: within the 9-44 nGy (1-5 uR) a frame usual in fluoroscopy, textbook range",
    )  # fmt: skip
    n_pulses: int = setting(
        8, "Pulses that are averaged into the image, as a held image is.", lower=1, upper=64,
        source="assumed: recursive filters of fluoroscopes average 2-16 frames",
    )  # fmt: skip
    electronic_noise_photons: float = setting(
        5.0, "Read-out noise as the standard deviation of this many mean photons a detector pixel.",
        lower=0.0, upper=1000.0, source="assumed: below quantum noise at fluoroscopic dose",
    )  # fmt: skip
    pulse_rate_hz: float = setting(
        7.5, "Pulses a second.", lower=0.5, upper=30.0, unit="Hz",
        source="assumed: 7.5 pulses/s is a usual low-dose programme",
    )  # fmt: skip
    soft_tissue_limit_hu: float = setting(
        100.0, "Above this value a voxel is soft tissue and bone mineral mixed, below it soft tissue alone.",
        lower=0.0, upper=400.0, unit="hu",
        source="assumed: bounds of 100-350 HU are in use; attenuation at 70 keV is the same for any",
    )  # fmt: skip
    metal_from_hu: float = setting(
        2400.0, "Above this value a voxel is partly metal.", lower=1500.0, upper=30000.0, unit="hu",
        source="assumed: cortical bone stays below 2000 HU, 12-bit scanners clip at 3071 HU",
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """From the detector's signal to the picture on the monitor."""

    bone_is_dark: bool = setting(
        True, "Whether dense things are dark, as on a fluoroscope's monitor.", source="choice"
    )
    window_low_percentile: float = setting(
        0.2, "Share of the body's pixels that may saturate at the dense end.", lower=0.0, upper=20.0,
        unit="percent", source="assumed: keeps detail of bone and metal",
    )  # fmt: skip
    window_high_percentile: float = setting(
        99.5, "Pixels above this share of the body saturate at the thin end.", lower=50.0, upper=100.0,
        unit="percent", source="assumed: keeps a few bright pixels from using up the window",
    )  # fmt: skip
    widest_window: float = setting(
        3.5, "Widest window, in units of -ln(signal).", lower=0.2, upper=20.0,
        source="assumed: a factor 33 of signal; wider windows flatten the spine",
    )  # fmt: skip
    gamma: float = setting(
        1.0, "Exponent of the grey scale.", lower=0.2, upper=5.0, source="linear in -ln(signal)"
    )
    flatten: float = setting(
        0.6, "Share of slow brightness changes that is taken out, so that thin and thick parts both show.",
        lower=0.0, upper=1.0, source="assumed: dynamic-range compression of fluoroscopy programmes",
    )  # fmt: skip
    flatten_kernel_mm: float = setting(
        25.0, "Width (sigma, on the detector) of what counts as slow.", lower=5.0, upper=200.0, unit="mm",
        source="assumed: wider than a vertebra's pedicle, narrower than a body",
    )  # fmt: skip
    edge_gain: float = setting(
        0.6, "Strength of the edge mask: detail finer than its kernel is raised by this share.",
        lower=0.0, upper=5.0, source="assumed: moderate edge enhancement of fluoroscopy programmes",
    )  # fmt: skip
    edge_kernel_mm: float = setting(
        1.5, "Width (sigma, on the detector) of the edge mask's blur.", lower=0.1, upper=20.0, unit="mm",
        source="assumed: a few detector pixels",
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class FluoroscopySettings:
    """Everything that decides a simulated image, apart from patient, pose and machine."""

    n_rows: int = setting(1024, "Image rows.", lower=16, upper=4096, source="choice")
    n_columns: int = setting(1024, "Image columns.", lower=16, upper=4096, source="choice")
    collimation: tuple[float, float, float, float] = setting(
        (0.0, 0.0, 0.0, 0.0), "Share of the field that each shutter covers: left, right, top, bottom.",
        lower=0.0, upper=0.95, source="choice",
    )  # fmt: skip
    c_arm: str = setting("mobile_c_arm", "Key of the C-arm's data file.", source="choice")
    plane: str = setting("main", "Which of the C-arm's planes takes the image.", source="choice")
    beam: BeamSettings = BeamSettings()
    display: DisplaySettings = DisplaySettings()

    def __post_init__(self) -> None:
        validate(self)
