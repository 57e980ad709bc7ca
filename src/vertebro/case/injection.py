"""What an injection of cement did, or is predicted to do, at each level.

World frame LPS, millimetres; sides are the patient's. Volumes are millilitres, pressures kilopascals,
times seconds from the first cement that enters the cannula unless a name says otherwise.

Every leak probability is relative: the model's permeability, marrow, veins and gaps are priors that
were not calibrated on patients. ``InjectionResult.NOTICE`` says so and goes wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vertebro.case.estimate import Estimate
from vertebro.findings import Finding
from vertebro.imaging import ScalarVolume

SERIES_UNITS: Mapping[str, str] = {
    "time_s": "s",
    "injected_ml": "mL",
    "inside_ml": "mL",
    "outside_ml": "mL",
    "rate_ml_min": "mL/min",
    "syringe_pressure_kpa": "kPa",
    "cannula_pressure_kpa": "kPa",
    "tissue_pressure_kpa": "kPa",
    "viscosity_pa_s": "Pa·s",
    "distance_to_posterior_wall_mm": "mm",
}
"""Names of the time courses of a level and their units."""


class Compartment(StrEnum):
    """Where cement came to lie."""

    INSIDE = "inside"
    """In the vertebra: body and pedicles."""
    CANAL = "canal"
    """In the spinal canal (epidural)."""
    FORAMEN = "foramen"
    """In a neural foramen."""
    DISC_ABOVE = "disc_above"
    """In the disc above, through the upper endplate."""
    DISC_BELOW = "disc_below"
    """In the disc below, through the lower endplate."""
    PARAVERTEBRAL = "paravertebral"
    """In the soft tissue beside or before the body."""
    VEIN = "vein"
    """In veins outside the bone, from where cement can travel."""


LEAKS = tuple(place for place in Compartment if place is not Compartment.INSIDE)
"""Every compartment outside the bone."""


class RouteKind(StrEnum):
    """What a way out of the bone is."""

    BASIVERTEBRAL_VEIN = "basivertebral_vein"
    """Leaves through the middle of the back wall into the canal's veins (Yeom's type B)."""
    SEGMENTAL_VEIN = "segmental_vein"
    """Leaves through the front or side wall into the veins around the body (type S)."""
    WALL_GAP = "wall_gap"
    """A gap in the body's wall (type C)."""
    ENDPLATE_FISSURE = "endplate_fissure"
    """A fissure or gap in an endplate (type D)."""
    NEEDLE_BREACH = "needle_breach"
    """The needle's own way through a wall."""


class RouteBasis(StrEnum):
    """How a way out came to be known."""

    SEEN = "seen"
    """The CT shows it."""
    PRIOR = "prior"
    """The CT cannot show it; drawn from what is published of such vertebrae."""


@dataclass(frozen=True, slots=True)
class LeakRoute:
    """One way by which cement can leave, and how much took it."""

    kind: RouteKind
    basis: RouteBasis
    compartment: Compartment
    exit_lps_mm: tuple[float, float, float]
    """Where it leaves the bone."""
    volume_ml: float
    """Cement that left this way in the run shown."""
    first_s: float | None
    """When the first of it left; None if none did."""
    width_mm: float
    """Bore of a vein, opening of a gap."""

    def to_json(self) -> dict[str, object]:
        """The route as JSON-ready data."""
        return {
            "kind": self.kind.value,
            "basis": self.basis.value,
            "compartment": self.compartment.value,
            "exit_lps_mm": [_round(x, 2) for x in self.exit_lps_mm],
            "volume_ml": _round(self.volume_ml, 4),
            "first_s": _maybe(self.first_s, 1),
            "width_mm": _round(self.width_mm, 2),
        }


@dataclass(frozen=True, eq=False, slots=True)
class NeedleDelivery:
    """What one needle delivered."""

    side: str
    """``"left"`` or ``"right"``."""
    device: str
    tip_lps_mm: NDArray[np.float64]
    injected_ml: float
    peak_syringe_pressure_kpa: float
    cannula_share: float
    """Share of the syringe's pressure that was lost before the bone, at the peak."""

    def to_json(self) -> dict[str, object]:
        """The delivery as JSON-ready data."""
        return {
            "side": self.side,
            "device": self.device,
            "tip_lps_mm": [_round(float(x), 2) for x in self.tip_lps_mm],
            "injected_ml": _round(self.injected_ml, 3),
            "peak_syringe_pressure_kpa": _round(self.peak_syringe_pressure_kpa, 1),
            "cannula_share": _round(self.cannula_share, 4),
        }


@dataclass(frozen=True, eq=False, slots=True)
class InjectionFrame:
    """The fill at one moment, for the animation."""

    time_s: float
    injected_ml: float
    fraction: ScalarVolume
    """Share of each voxel that is cement, inside and outside the bone."""


@dataclass(frozen=True, slots=True)
class LeakChance:
    """How often, and how much, cement reached one compartment over the ensemble."""

    probability: Estimate
    """Share of the runs in which at least ``threshold_ml`` arrived; unit ``"1"``."""
    median_ml: float
    """Over all runs."""
    upper_ml: float
    """The volume that 95 % of the runs stay below."""
    threshold_ml: float

    def to_json(self) -> dict[str, object]:
        """The chance as JSON-ready data."""
        return {
            "probability": self.probability.to_json(),
            "median_ml": _round(self.median_ml, 4),
            "upper_ml": _round(self.upper_ml, 4),
            "threshold_ml": self.threshold_ml,
        }


@dataclass(frozen=True, slots=True)
class RoutePlace:
    """A place of the vertebra from which leaks came, with how much of the risk is its."""

    kind: RouteKind
    basis: RouteBasis
    compartment: Compartment
    exit_lps_mm: tuple[float, float, float]
    share_of_runs: float
    """Share of the runs in which cement left here."""

    def to_json(self) -> dict[str, object]:
        """The place as JSON-ready data."""
        return {
            "kind": self.kind.value,
            "basis": self.basis.value,
            "compartment": self.compartment.value,
            "exit_lps_mm": [_round(x, 2) for x in self.exit_lps_mm],
            "share_of_runs": _round(self.share_of_runs, 3),
        }


@dataclass(frozen=True, slots=True)
class DosePoint:
    """The risk at one dose, from the ensemble."""

    volume_ml: float
    any_leak: Estimate
    """Share of runs with a leak by the time this much was injected."""
    canal_or_foramen: Estimate
    fill_percent: Estimate

    def to_json(self) -> dict[str, object]:
        """The point as JSON-ready data."""
        return {
            "volume_ml": _round(self.volume_ml, 3),
            "any_leak": self.any_leak.to_json(),
            "canal_or_foramen": self.canal_or_foramen.to_json(),
            "fill_percent": self.fill_percent.to_json(),
        }


@dataclass(frozen=True, eq=False, slots=True)
class LeakProbability:
    """What an ensemble of runs says of one level. Relative, not calibrated on patients."""

    n_runs: int
    chances: Mapping[str, LeakChance]
    """By :class:`Compartment` value, and ``"any"``."""
    places: tuple[RoutePlace, ...]
    """Most frequent first."""
    dose: tuple[DosePoint, ...]
    """Rising volume."""
    rising_dose_ml: float | None
    """The dose from which on the risk is clearly above that of the first portion; None where it is not."""
    map: ScalarVolume
    """Share of runs in which a voxel held cement."""
    estimates: Mapping[str, Estimate]
    """Fill percent, peak pressures, distance to the back wall, volumes: median with 95 % of the runs."""

    def to_json(self) -> dict[str, object]:
        """The probabilities as JSON-ready data, without the map."""
        return {
            "notice": InjectionResult.NOTICE,
            "n_runs": self.n_runs,
            "chances": {name: chance.to_json() for name, chance in self.chances.items()},
            "places": [place.to_json() for place in self.places],
            "dose": [point.to_json() for point in self.dose],
            "rising_dose_ml": _maybe(self.rising_dose_ml, 2),
            "estimates": {name: value.to_json() for name, value in self.estimates.items()},
        }


@dataclass(frozen=True, eq=False, slots=True)
class LevelInjection:
    """The injection of one level."""

    name: str
    product: str
    """Key of the cement product."""
    asked_ml: float
    rate_ml_min: float
    start_min: float
    """Minutes after the start of mixing at which the injection begins."""
    injected_ml: float
    """Less than asked where the pressure's limit, a rule or setting cement ended it."""
    volumes_ml: Mapping[Compartment, float]
    """Adds up to ``injected_ml``."""
    fill_percent: float
    """Of the body's volume, cement inside over bone and marrow together."""
    symmetry_percent: float
    """The lesser half's cement over the greater half's, right against left."""
    endplate_to_endplate: bool
    """Whether one connected mass of cement touches both endplates."""
    peak_syringe_pressure_kpa: float
    peak_tissue_pressure_kpa: float
    cannula_share: float
    """Share of the syringe's pressure lost before the bone when it peaked."""
    distance_to_posterior_wall_mm: float | None
    """From the foremost-to-back extent of the cement in the body to the back wall; None without cement."""
    posterior_quarter_s: float | None
    """When cement passed into the posterior quarter of the body; None if it did not."""
    temperature: Mapping[str, float | None]
    """Peaks (°C), seconds above 45 and 50 °C and thermal dose; see ``docs/reference/injection-json.md``."""
    needles: tuple[NeedleDelivery, ...]
    routes: tuple[LeakRoute, ...]
    series: Mapping[str, NDArray[np.float64]]
    """Time courses, names and units in :data:`SERIES_UNITS`."""
    cement_fraction: ScalarVolume
    """Share 0–1 of the voxel's total volume that is cement, outside the bone too."""
    frames: tuple[InjectionFrame, ...]
    peak_temperature: ScalarVolume | None
    """Highest temperature of each voxel, °C; None where heat was not computed."""
    leak_probability: LeakProbability | None
    status: str
    """How the injection ended: a value of ``vertebro.cement.Ending``."""
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The level's injection as JSON-ready data (``docs/reference/injection-json.md``)."""
        return {
            "product": self.product,
            "asked_ml": _round(self.asked_ml, 3),
            "rate_ml_min": _round(self.rate_ml_min, 3),
            "start_min": _round(self.start_min, 3),
            "injected_ml": _round(self.injected_ml, 4),
            "volumes_ml": {place.value: _round(self.volumes_ml[place], 4) for place in Compartment},
            "fill_percent": _round(self.fill_percent, 2),
            "symmetry_percent": _round(self.symmetry_percent, 1),
            "endplate_to_endplate": self.endplate_to_endplate,
            "peak_syringe_pressure_kpa": _round(self.peak_syringe_pressure_kpa, 1),
            "peak_tissue_pressure_kpa": _round(self.peak_tissue_pressure_kpa, 2),
            "cannula_share": _round(self.cannula_share, 4),
            "distance_to_posterior_wall_mm": _maybe(self.distance_to_posterior_wall_mm, 2),
            "posterior_quarter_s": _maybe(self.posterior_quarter_s, 1),
            "temperature": {name: _maybe(value, 2) for name, value in self.temperature.items()},
            "needles": [needle.to_json() for needle in self.needles],
            "routes": [route.to_json() for route in self.routes],
            "series": {name: [_round(float(x), 3) for x in values] for name, values in self.series.items()},
            "leak_probability": None if self.leak_probability is None else self.leak_probability.to_json(),
            "status": self.status,
            "findings": [item.to_json() for item in self.findings],
        }


@dataclass(frozen=True, eq=False, slots=True)
class InjectionResult:
    """The injections of a case."""

    NOTICE: ClassVar[str] = (
        "Relative, not calibrated on patients: good for comparing needles, doses and cements on the same "
        "vertebra, not for telling a patient's own risk."
    )
    levels: Mapping[str, LevelInjection]
    findings: tuple[Finding, ...] = ()
    schema_version: int = field(default=1)

    def to_json(self) -> dict[str, object]:
        """The injections as JSON-ready data (``docs/reference/injection-json.md``)."""
        return {
            "schema_version": self.schema_version,
            "notice": self.NOTICE,
            "levels": {name: level.to_json() for name, level in self.levels.items()},
            "findings": [item.to_json() for item in self.findings],
        }


def _round(value: float, decimals: int) -> float:
    return round(float(value), decimals) + 0.0


def _maybe(value: float | None, decimals: int) -> float | None:
    return None if value is None else _round(value, decimals)
