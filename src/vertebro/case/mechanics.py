"""How stiff and strong a vertebra is, as predicted, before and after cement.

Fields lie on the level's own grid (right, anterior, superior). Newtons, millimetres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vertebro.case.estimate import Estimate
from vertebro.findings import Finding
from vertebro.imaging import ScalarVolume


class StrengthMethod(StrEnum):
    """What a strength rests on."""

    NONLINEAR = "nonlinear"
    """The highest load of a model whose bone yields and breaks."""
    STIFFNESS = "stiffness"
    """A fixed overall strain: 0.0068 × stiffness × height."""
    NEIGHBOURS = "neighbours"
    """The neighbours' strength, less what breaking costs."""
    NONE = "none"
    """No strength could be had."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One point of a load-displacement curve."""

    displacement_mm: float
    force_n: float

    def to_json(self) -> dict[str, float]:
        """The point as JSON-ready data."""
        return {"displacement_mm": round(self.displacement_mm, 5), "force_n": round(self.force_n, 2)}


@dataclass(frozen=True, eq=False, slots=True)
class LoadState:
    """A level in one state: as it is, or with cement."""

    stiffness_n_per_mm: Estimate
    height_mm: float
    """Mean height of the body between the pressed endplates."""
    strength_n: Estimate
    strength_method: StrengthMethod
    crawford_n: Estimate
    """0.0068 × stiffness × height; missing for a broken body, whose stiffness says nothing of strength."""
    pistoia_n: Estimate
    """Load at which 2 % of the bone strains beyond 0.7 %; missing for a broken body."""
    reaction_n: float
    """Reaction of the linear model at ``displacement_mm``."""
    displacement_mm: float
    strain_energy_mj: float
    flexion_stiffness_nm_per_deg: Estimate
    """Moment for a forward tilt of one degree without net force."""
    factor_of_risk: Mapping[str, Estimate]
    """Activity to load over strength; above 1 the load exceeds what the bone is thought to carry."""
    curve: tuple[CurvePoint, ...]
    """Load against displacement until failure; empty where only the linear model was run."""
    failure_site: str
    """Where most bone broke, in words; empty without a curve."""
    solver: str
    """How the solver ended, in words."""
    n_elements: int
    strain: ScalarVolume
    """Effective strain, percent, under 1000 N."""
    damage: ScalarVolume | None
    """Share of stiffness lost at the end of the curve, 0 to 1; None without a curve."""

    def to_json(self) -> dict[str, object]:
        """The state as JSON-ready data; fields are in their own files."""
        return {
            "stiffness_n_per_mm": self.stiffness_n_per_mm.to_json(1),
            "height_mm": round(self.height_mm, 3),
            "strength_n": self.strength_n.to_json(1),
            "strength_method": self.strength_method.value,
            "crawford_n": self.crawford_n.to_json(1),
            "pistoia_n": self.pistoia_n.to_json(1),
            "reaction_n": round(self.reaction_n, 3),
            "displacement_mm": round(self.displacement_mm, 6),
            "strain_energy_mj": round(self.strain_energy_mj, 4),
            "flexion_stiffness_nm_per_deg": self.flexion_stiffness_nm_per_deg.to_json(),
            "factor_of_risk": {name: item.to_json() for name, item in self.factor_of_risk.items()},
            "curve": [point.to_json() for point in self.curve],
            "failure_site": self.failure_site,
            "solver": self.solver,
            "n_elements": self.n_elements,
        }


@dataclass(frozen=True, slots=True)
class AugmentationGain:
    """What cement changed."""

    cement_ml: float
    """Inside the body."""
    fill_percent: float
    """Of the body's volume."""
    stiffness_ratio: Estimate
    """After over before."""
    strength_ratio: Estimate
    stiffness_of_intact: Estimate
    """After, over the body as it would be unbroken."""
    strength_of_intact: Estimate
    stiffness_gain_per_ml: Estimate
    """N/mm for each millilitre."""

    def to_json(self) -> dict[str, object]:
        """The gain as JSON-ready data."""
        return {
            "cement_ml": round(self.cement_ml, 4),
            "fill_percent": round(self.fill_percent, 3),
            "stiffness_ratio": self.stiffness_ratio.to_json(),
            "strength_ratio": self.strength_ratio.to_json(),
            "stiffness_of_intact": self.stiffness_of_intact.to_json(),
            "strength_of_intact": self.strength_of_intact.to_json(),
            "stiffness_gain_per_ml": self.stiffness_gain_per_ml.to_json(1),
        }


@dataclass(frozen=True, eq=False, slots=True)
class NeighbourEffect:
    """What a treated level does to a neighbour."""

    name: str
    stiffness_jump: Estimate
    """Stiffness of the treated level over the neighbour's."""
    disc_pressure_change_percent: Estimate
    """Of the disc between, under the same force."""

    def to_json(self) -> dict[str, object]:
        """The effect as JSON-ready data."""
        return {
            "stiffness_jump": self.stiffness_jump.to_json(),
            "disc_pressure_change_percent": self.disc_pressure_change_percent.to_json(),
        }


@dataclass(frozen=True, eq=False, slots=True)
class LevelMechanics:
    """One level: its bone, its states, what cement adds, what its neighbours feel."""

    name: str
    density_mg_cc: Estimate
    """Mean over the body's spongy inside, K2HPO4 equivalent."""
    calibration: str
    """How density was had: ``"phantom"``, ``"internal"``, ``"scanner_default"`` or ``"given"``."""
    is_broken: bool
    body_ml: float
    before: LoadState
    after: LoadState | None
    intact_stiffness_n_per_mm: Estimate
    """As the neighbours suggest the unbroken body would be."""
    intact_strength_n: Estimate
    gain: AugmentationGain | None
    neighbours: tuple[NeighbourEffect, ...]
    cement: ScalarVolume | None
    """Share of the cube that is cement, as it was modelled."""
    density: ScalarVolume
    """mg/cc on the level's grid; 0 outside the bone."""
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The level as JSON-ready data (``docs/reference/mechanics-json.md``)."""
        return {
            "density_mg_cc": self.density_mg_cc.to_json(),
            "calibration": self.calibration,
            "is_broken": self.is_broken,
            "body_ml": round(self.body_ml, 4),
            "states": {
                "before": self.before.to_json(),
                "after": None if self.after is None else self.after.to_json(),
            },
            "intact_stiffness_n_per_mm": self.intact_stiffness_n_per_mm.to_json(1),
            "intact_strength_n": self.intact_strength_n.to_json(1),
            "gain": None if self.gain is None else self.gain.to_json(),
            "neighbours": {item.name: item.to_json() for item in self.neighbours},
            "findings": [item.to_json() for item in self.findings],
        }


@dataclass(frozen=True, eq=False, slots=True)
class MechanicsResult:
    """The mechanics of a case's levels, cranial to caudal."""

    levels: Mapping[str, LevelMechanics]
    loads_n: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    """Level to activity to compressive load."""
    findings: tuple[Finding, ...] = ()
    schema_version: int = 1

    def to_json(self) -> dict[str, object]:
        """The result as JSON-ready data (``docs/reference/mechanics-json.md``)."""
        return {
            "schema_version": self.schema_version,
            "levels": {name: level.to_json() for name, level in self.levels.items()},
            "loads_n": {
                level: {name: load.to_json(1) for name, load in loads.items()}
                for level, loads in self.loads_n.items()
            },
            "findings": [item.to_json() for item in self.findings],
        }
