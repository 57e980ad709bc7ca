"""How tissues and cement store, conduct and lose heat.

Conductivity in W/(m·K), volumetric heat capacity in J/(cm³·K), loss to the blood in W/(m³·K).

References
----------
Numbers are recalled from tables of tissue properties (Hasgall et al., IT'IS database; Duck, Physical
Properties of Tissue, 1990) and were not read there; each says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vertebro.materials.curing import CuringLaw
from vertebro.settings import setting, validate


class ThermalTissue(IntEnum):
    """What fills a voxel, as far as heat is concerned."""

    SOFT = 0
    """Muscle, fat, vessels: whatever is not named below."""
    CANCELLOUS = 1
    """Trabecular bone with its marrow."""
    CORTICAL = 2
    """Cortex and endplates."""
    DISC = 3
    CANAL = 4
    """Spinal canal and foramina: fluid, fat and veins that carry heat away."""
    BATH = 5
    """A stirred water bath around a bone outside the body."""


@dataclass(frozen=True, slots=True)
class ThermalProperties:
    """Heat properties of one tissue."""

    conductivity_w_mk: float
    heat_capacity_j_cm3k: float
    loss_w_m3k: float
    """Heat that flowing blood or fluid carries away for each kelvin above body temperature."""
    source: str


THERMAL_TISSUES = {
    ThermalTissue.SOFT: ThermalProperties(
        0.45, 3.7, 2_000.0, "recalled: muscle 0.49 and fat 0.21 W/mK; muscle at rest 3 mL/100 g/min of blood"
    ),
    ThermalTissue.CANCELLOUS: ThermalProperties(
        0.38, 2.4, 4_000.0, "recalled: 0.30 to 0.55 W/mK; assumed 6 mL/100 mL/min of blood in marrow"
    ),
    ThermalTissue.CORTICAL: ThermalProperties(
        0.40, 2.4, 500.0, "recalled: 0.3 to 0.6 W/mK, 1.3 J/gK at 1.9 g/cm³; hardly any blood"
    ),
    ThermalTissue.DISC: ThermalProperties(
        0.49, 3.8, 0.0, "recalled: cartilage 0.49 W/mK; discs have no vessels"
    ),
    ThermalTissue.CANAL: ThermalProperties(
        0.57, 4.1, 40_000.0, "recalled: fluid 0.57 W/mK; loss assumed, a time constant of 100 s"
    ),
    ThermalTissue.BATH: ThermalProperties(
        0.62, 4.15, 400_000.0, "water 0.62 W/mK; loss assumed, a well stirred bath (time constant 10 s)"
    ),
}
"""Properties by tissue."""


@dataclass(frozen=True, slots=True)
class CementHeat:
    """What a cement does with heat.

    Examples
    --------
    >>> round(CementHeat().heat_j_cm3, 1)
    198.5
    """

    curing: CuringLaw = setting(CuringLaw(), "How it cures.")
    heat_j_g: float = setting(
        130.0,
        "Heat of full conversion for each gram of cement.",
        lower=0.0,
        upper=250.0,
        unit="J/g",
        source="57.8 kJ/mol of monomer (recalled) is 577 J/g; at 9.4 g of liquid to 26 g of powder 153 J/g; "
        "published values are 110 to 195 J/g; 170 J/g exceeds the temperatures that Belkoff and Molloy 2003 "
        "measured, 130 J/g lies in their band",
    )
    density_g_cm3: float = setting(
        1.527,
        "Density.",
        lower=0.8,
        upper=3.0,
        unit="g/cm3",
        source="30 % barium sulphate (4.5 g/cm³) in PMMA (1.19 g/cm³), by mass",
    )
    conductivity_w_mk: float = setting(
        0.20, "Conductivity.", lower=0.01, upper=5.0, unit="W/mK", source="recalled: 0.16 to 0.25 for PMMA"
    )
    heat_capacity_j_gk: float = setting(
        1.46,
        "Heat capacity, mean from body temperature to the peak.",
        lower=0.3,
        upper=4.5,
        unit="J/gK",
        source="recalled: 1.25 to 1.7 for bone cement (PMMA 1.4 at 25 °C and 1.9 at 100 °C, barium sulphate "
        "0.5); the middle is taken, after 1.25 made the middle of a 6 mL bolus hotter than was measured",
    )

    def __post_init__(self) -> None:
        validate(self)

    @property
    def heat_j_cm3(self) -> float:
        """Heat of full conversion for each cubic centimetre."""
        return self.heat_j_g * self.density_g_cm3

    @property
    def heat_capacity_j_cm3k(self) -> float:
        """Volumetric heat capacity."""
        return self.heat_capacity_j_gk * self.density_g_cm3
