"""One level in one state: pressed, bent, and put against everyday loads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from vertebro.case import Estimate, LevelAssessment
from vertebro.case.mechanics import CurvePoint, LoadState, StrengthMethod
from vertebro.findings import Finding
from vertebro.imaging import ScalarVolume
from vertebro.materials.bone_density import DensityCalibration
from vertebro.mechanics.activity_loads import factor_of_risk
from vertebro.mechanics.fracture import stiffness_sd_ratio
from vertebro.mechanics.loading import BendingResponse, LinearResponse
from vertebro.mechanics.mesh import VertebraMesh
from vertebro.mechanics.model import SOUND, BoneCondition, VertebraModel
from vertebro.mechanics.settings import MechanicsSettings

SHOWN_FORCE_N = 1000.0
"""Strain fields are shown under this force: about standing with a light load."""
STIFFNESS_SD_PERCENT = 12.0
"""Standard deviation of a model's stiffness against a test's, density exact (assumed from r² ≈ 0.7 to 0.85
of the published series over a spread of 30 %, e.g. Pahr 2014)."""
STRENGTH_SD_PERCENT = 16.0
"""The same of strength (r² 0.77, Pahr 2014; standard error near 1 kN of 5 to 6 kN, Crawford 2003)."""
LAW_EXPONENT = 1.05
"""By which relative errors of density become relative errors of stiffness (Kopperdahl 2002)."""
_DEG = math.pi / 180.0


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """A load raised until failure."""

    points: tuple[CurvePoint, ...]
    strength_n: float
    """Highest force."""
    damage: ScalarVolume
    site: str
    status: str
    is_limited: bool = False
    """Whether bone between cement and endplate ended it, not the model's own highest load."""


@dataclass(frozen=True, eq=False, slots=True)
class Pressed:
    """What was computed of one state."""

    model: VertebraModel
    axial: LinearResponse
    bending: BendingResponse | None
    curve: Curve | None = None
    condition: BoneCondition = SOUND


@dataclass(eq=False, slots=True)
class WorkedLevel:
    """One level while it is worked on."""

    level: LevelAssessment
    mesh: VertebraMesh
    condition: BoneCondition
    broken: bool
    before: Pressed
    after: Pressed | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def density_mg_cc(self) -> float:
        """Mean of the body 4 mm and more from its surface, of the whole body where that is little."""
        steps = max(1, round(4.0 / self.mesh.spacing_mm))
        deep = ndimage.binary_erosion(self.mesh.body, iterations=steps)
        inside = deep if deep.sum() >= 50 else self.mesh.body
        return float(self.mesh.density_mg_cc[inside].mean())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a state's numbers are judged by."""

    calibration: DensityCalibration
    density_mg_cc: float
    loads_n: Mapping[str, Estimate]
    settings: MechanicsSettings
    given_strength_n: Estimate | None = None
    """Of a broken body before treatment, from its neighbours."""
    cemented_share: float = 0.0
    """Share of the stiffness that is cement's, whose modulus does not hang on the scan's density."""


def relative_density_sd(around: Surroundings) -> float:
    """Relative standard deviation of stiffness that the density's brings."""
    density = max(around.density_mg_cc, 20.0)
    spread = around.calibration.sd_at_mg_cc(density) / density
    return min(0.6, LAW_EXPONENT * spread) * (1.0 - around.cemented_share)


def spread_about(value: float, relative_sd: float, unit: str, basis: str) -> Estimate:
    """An estimate whose interval is log-normal, so that it never crosses 0.

    Examples
    --------
    >>> spread_about(100.0, 0.1, "N", "").upper > 120.0
    True
    """
    factor = math.exp(1.96 * relative_sd)
    return Estimate(value, value / factor, value * factor, unit, basis)


def load_state(pressed: Pressed, around: Surroundings) -> LoadState:
    """Everything that is told of a state.

    A broken body's strength is never read off its stiffness: it comes from its curve, or from its
    neighbours less what the break costs, or is missing.
    """
    model, axial, settings = pressed.model, pressed.axial, around.settings
    height = model.mesh.height_mm
    density_sd = relative_density_sd(around)
    broken_sd = stiffness_sd_ratio(pressed.condition, settings.fracture)
    stiffness_sd = math.hypot(STIFFNESS_SD_PERCENT / 100.0, density_sd, broken_sd)
    basis = f"linear model of {model.mesh.spacing_mm:g} mm cubes, plates sliding freely"
    if not pressed.condition.is_sound:
        basis += f"; damaged bone ({pressed.condition.note})"
    strength_sd = math.hypot(STRENGTH_SD_PERCENT / 100.0, density_sd)
    crawford, pistoia = _linear_strengths(pressed, around, strength_sd)
    strength, method = _strength(pressed, around, crawford, strength_sd)
    strain = axial.effective_strain * (100.0 * SHOWN_FORCE_N / axial.reaction_n)
    return LoadState(
        stiffness_n_per_mm=spread_about(axial.stiffness_n_per_mm, stiffness_sd, "N/mm", basis),
        height_mm=height,
        strength_n=strength,
        strength_method=method,
        crawford_n=crawford,
        pistoia_n=pistoia,
        reaction_n=axial.reaction_n,
        displacement_mm=axial.displacement_mm,
        strain_energy_mj=axial.strain_energy_mj,
        flexion_stiffness_nm_per_deg=_flexion(pressed.bending, stiffness_sd),
        factor_of_risk=factor_of_risk(around.loads_n, strength),
        curve=pressed.curve.points if pressed.curve else (),
        failure_site=pressed.curve.site if pressed.curve else "",
        solver=f"{axial.status} Reactions balance to {axial.balance:.0e}.",
        n_elements=int((model.young_mpa > 0.0).sum()),
        strain=ScalarVolume(
            strain.astype(np.float32), model.mesh.geometry, "effective strain under 1000 N", "percent"
        ),
        damage=pressed.curve.damage if pressed.curve else None,
    )


def _linear_strengths(
    pressed: Pressed, around: Surroundings, strength_sd: float
) -> tuple[Estimate, Estimate]:
    settings, mesh = around.settings, pressed.model.mesh
    if not pressed.condition.is_sound:
        reason = "a broken body's stiffness says nothing of its strength"
        return Estimate.missing("N", reason), Estimate.missing("N", reason)
    crawford = pressed.axial.crawford_n(mesh.height_mm, settings.crawford_coefficient)
    pistoia = pressed.axial.pistoia_n(mesh.body, settings.pistoia_volume_percent, settings.pistoia_strain)
    return (
        spread_about(
            crawford,
            strength_sd,
            "N",
            f"{settings.crawford_coefficient:g} × stiffness × height (Crawford 2003)",
        ),
        spread_about(
            pistoia,
            2.0 * strength_sd,
            "N",
            f"load at which {settings.pistoia_volume_percent:g} % of the body strains beyond "
            f"{100.0 * settings.pistoia_strain:g} % (Pistoia 2002, a rule for the forearm)",
        )
        if pistoia > 0.0
        else Estimate.missing("N", "no strained bone"),
    )


def _strength(
    pressed: Pressed, around: Surroundings, crawford: Estimate, strength_sd: float
) -> tuple[Estimate, StrengthMethod]:
    if pressed.curve is not None and pressed.curve.strength_n > 0.0:
        basis = "highest load of a model whose bone yields and breaks"
        if pressed.curve.is_limited:
            basis = "load at which the bone that no cement reaches crushes, column by column"
        fracture = around.settings.fracture
        broken_sd = (
            0.0 if pressed.condition.is_sound else fracture.fresh_strength_sd / fracture.fresh_strength_ratio
        )
        spread = math.hypot(strength_sd, broken_sd)
        return spread_about(pressed.curve.strength_n, spread, "N", basis), StrengthMethod.NONLINEAR
    if pressed.condition.is_sound:
        return crawford, StrengthMethod.STIFFNESS
    given = around.given_strength_n
    if given is not None and given.is_known:
        return given, StrengthMethod.NEIGHBOURS
    reason = given.basis if given is not None else "a broken body without a curve and without neighbours"
    return Estimate.missing("N", reason), StrengthMethod.NONE


def _flexion(bending: BendingResponse | None, relative_sd: float) -> Estimate:
    if bending is None or bending.flexion_nmm_per_rad <= 0.0:
        return Estimate.missing("N·m/deg", "not computed")
    value = bending.flexion_nmm_per_rad * _DEG / 1000.0
    return spread_about(value, relative_sd, "N·m/deg", "linear model, forward tilt without net force")
