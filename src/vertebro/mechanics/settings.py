"""What a mechanical model is made of and how it is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from vertebro.errors import SettingsError
from vertebro.materials.bone_elasticity import DEFAULT_LAW, bone_law
from vertebro.settings import setting, validate

ENDS = ("caps", "layers")
COMPAT = ("", "walle2025")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Mesh, materials and end conditions of a vertebra's model.

    Examples
    --------
    >>> ModelSettings().spacing_mm
    1.0
    """

    spacing_mm: float = setting(
        1.0,
        "Edge of the cubic elements.",
        lower=0.3,
        upper=2.0,
        unit="mm",
        source="1 to 2 mm elements are accepted for whole vertebrae (Imai, Aging Dis 2015;6:180)",
    )
    bone_law: str = setting(
        DEFAULT_LAW,
        "Law from density to modulus and yield stress, a row of bone_elasticity.toml.",
        source="vertebral bone: Kopperdahl et al., J Orthop Res 2002;20:801",
    )
    poisson_ratio: float = setting(
        0.3,
        "Poisson's ratio of bone, cement and caps.",
        lower=0.0,
        upper=0.45,
        source="usual in models from CT (Crawford et al., Bone 2003;33:744)",
    )
    is_transversely_isotropic: bool = setting(
        False,
        "Whether bone is softer across than along the vertebra's height.",
        source="design: the laws give the axial modulus; isotropic bone is what most strengths were "
        "validated with",
    )
    keeps_posterior: bool = setting(
        True,
        "Whether arch and processes stay in the model.",
        source="the published vertebra of reference keeps them (Walle, Matheson, Boyd 2025)",
    )
    ends: str = setting(
        "caps",
        "What lies on the endplates: caps of PMMA as in a laboratory, or soft layers as discs.",
        source="design: caps for comparison with tests, layers for the living spine",
    )
    cap_thickness_mm: float = setting(
        3.0,
        "Thickness of a cap beyond the endplate's outermost point.",
        lower=1.0,
        upper=12.0,
        unit="mm",
        source="as in the published model of reference (Walle, Matheson, Boyd 2025: 3 mm outside)",
    )
    cap_intrusion_mm: float = setting(
        5.0,
        "How far behind the endplate's own plane bone may lie and still be reached by the cap.",
        lower=1.0,
        upper=15.0,
        unit="mm",
        source="as in the published model of reference (5 mm); moulded PMMA fills the hollow",
    )
    cap_modulus_mpa: float = setting(
        2500.0,
        "Modulus of the caps, and of cement.",
        lower=100.0,
        upper=10000.0,
        unit="MPa",
        source="PMMA caps of published models (Ogo); cement 1.9 to 3 GPa",
    )
    layer_modulus_mpa: float = setting(
        8.0,
        "Modulus of a soft layer on the endplate.",
        lower=0.5,
        upper=500.0,
        unit="MPa",
        source="disc of Yang et al., J Biomech 2012;45:2142",
    )
    cement_modulus_mpa: float = setting(
        2500.0,
        "Modulus of set bone cement.",
        lower=100.0,
        upper=10000.0,
        unit="MPa",
        source="2.45 GPa in the Leeds models, 1.9 ± 0.5 GPa measured (PMC3698342)",
    )
    floor_modulus_mpa: float = setting(
        1.0,
        "Modulus of bone without mineral: marrow and fat, so that no voxel of the mask falls out.",
        lower=0.0,
        upper=50.0,
        unit="MPa",
        source="assumed: far below any bone; the stiffness changes by less than 0.1 %",
    )
    metal_density_mg_cc: float = setting(
        2500.0,
        "Density above which a voxel is metal, not bone or cement.",
        lower=1500.0,
        upper=5000.0,
        unit="mg/cc",
        source="assumed: cortical bone ends near 1500 mg/cc, cement with barium near 2300 mg/cc",
    )
    gas_density_mg_cc: float = setting(
        -250.0,
        "Density below which a voxel of the body is a gas-filled gap that carries nothing.",
        lower=-900.0,
        upper=-120.0,
        unit="mg/cc",
        source="assumed: pure fat is near -120 mg/cc, gas near -800 mg/cc",
    )
    compat: str = setting(
        "",
        "Empty, or 'walle2025' to repeat that study's modulus bins, which lie one bin too high.",
        source="data behind Walle, Matheson, Boyd, GigaScience 2025, giaf094",
    )

    def __post_init__(self) -> None:
        validate(self)
        bone_law(self.bone_law)
        for name, allowed in (("ends", ENDS), ("compat", COMPAT)):
            value = getattr(self, name)
            if value not in allowed:
                raise SettingsError(
                    "mechanics.choice",
                    got=f"{name} = {value!r}",
                    needed=f"one of {', '.join(repr(item) for item in allowed)}",
                    remedy="Choose one of those.",
                    fields=(name,),
                )


@dataclass(frozen=True, slots=True)
class FractureSettings:
    """What a break does to the bone that is left, before treatment."""

    fresh_stiffness_ratio: float = setting(
        0.47,
        "Stiffness of a freshly crushed body against its own before.",
        lower=0.05,
        upper=1.0,
        source="53 ± 18 % lower after 25 % deformity (Wegrzyn et al., JBMR 2011;26:739; 21 L3)",
    )
    fresh_stiffness_sd: float = setting(
        0.18, "Its standard deviation between spines.", lower=0.0, upper=0.5, source="Wegrzyn 2011, as above"
    )
    fresh_strength_ratio: float = setting(
        0.89,
        "Strength of a freshly crushed body against its own before.",
        lower=0.05,
        upper=1.0,
        source="11 ± 19 % lower after 25 % deformity (Wegrzyn 2011, as above)",
    )
    fresh_strength_sd: float = setting(
        0.19, "Its standard deviation between spines.", lower=0.0, upper=0.5, source="Wegrzyn 2011, as above"
    )
    healed_stiffness_ratio: float = setting(
        0.9,
        "Stiffness ratio of a healed body of the same density.",
        lower=0.05,
        upper=1.2,
        source="assumed: callus bridges the cracks; no series measured it",
    )
    cleft_extra_ratio: float = setting(
        0.6,
        "Further factor on stiffness where a gap in the body has not healed.",
        lower=0.05,
        upper=1.0,
        source="assumed: the gap lets the body move under load, besides carrying nothing itself",
    )
    fresh_days: float = setting(
        42.0,
        "Age up to which a fracture counts as fresh.",
        lower=7.0,
        upper=120.0,
        unit="days",
        source="six weeks, the usual bound of acute fractures in the trials",
    )
    healed_days: float = setting(
        180.0,
        "Age from which a fracture without cleft and without oedema counts as healed.",
        lower=60.0,
        upper=730.0,
        unit="days",
        source="assumed: marrow oedema is mostly gone after half a year",
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """Who carries the load. None where nobody has said: a usual value with a wide interval is taken."""

    weight_kg: float | None = setting(
        None, "Body weight.", lower=25.0, upper=250.0, unit="kg", source="the person; 70 kg where unknown"
    )
    height_cm: float | None = setting(
        None, "Body height.", lower=100.0, upper=220.0, unit="cm", source="the person; 165 cm where unknown"
    )
    sex: str = setting("", "F or M; empty takes that of the CT.", source="the person")
    extra_stoop_deg: float = setting(
        0.0,
        "How far the person leans forwards when upright, as with a bent back.",
        lower=0.0,
        upper=45.0,
        unit="deg",
        source="the person; posture raises the load on every level (Bruno et al., JBMR 2012;27:2144)",
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class MechanicsSettings:
    """Everything that changes the mechanical results.

    Examples
    --------
    >>> MechanicsSettings().nonlinear
    'treated'
    """

    model: ModelSettings = field(default_factory=ModelSettings)
    fracture: FractureSettings = field(default_factory=FractureSettings)
    person: PersonSettings = field(default_factory=PersonSettings)
    nonlinear: str = setting(
        "treated",
        "For which levels the load is raised until failure: 'none', 'treated' or 'all'.",
        source="design: a curve takes most of a minute, a stiffness a second",
    )
    bends: bool = setting(
        True,
        "Whether each level is bent forwards too.",
        source="design: the flexion stiffness costs as much again as the axial one",
    )
    end_strain_percent: float = setting(
        3.0,
        "Overall strain at which the load-displacement curve ends.",
        lower=0.5,
        upper=10.0,
        unit="percent",
        source="strength is read at or before 2 % (Walle 2025); a little more shows the softening",
    )
    curve_spacing_mm: float = setting(
        2.0,
        "Edge of the cubes on which the load is raised until failure; never finer than the model's.",
        lower=0.3,
        upper=3.0,
        unit="mm",
        source="2 mm elements gave the best strengths (Imai, Aging Dis 2015;6:180); a curve at 1 mm takes "
        "ten times as long",
    )
    crawford_coefficient: float = setting(
        0.0068,
        "Failure load of the linear model over stiffness times height.",
        lower=0.001,
        upper=0.02,
        source="Crawford 2003 and Kopperdahl; 0.68 % strain",
    )
    pistoia_volume_percent: float = setting(
        2.0,
        "Share of the bone that must exceed the critical strain at failure.",
        lower=0.1,
        upper=20.0,
        unit="percent",
        source="Pistoia et al., Bone 2002;30:842",
    )
    pistoia_strain: float = setting(
        0.007,
        "Critical effective strain.",
        lower=0.001,
        upper=0.03,
        source="Pistoia et al., Bone 2002;30:842",
    )
    tolerance: float = setting(
        1e-6,
        "Residual of the linear solver against the load's.",
        lower=1e-12,
        upper=1e-3,
        source="numerical choice: stiffness to 1e-6 or better",
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.nonlinear not in ("none", "treated", "all"):
            raise SettingsError(
                "mechanics.choice",
                got=f"nonlinear = {self.nonlinear!r}",
                needed="'none', 'treated' or 'all'",
                remedy="Choose one of those.",
                fields=("nonlinear",),
            )
