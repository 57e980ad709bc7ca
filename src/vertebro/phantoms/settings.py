"""What a phantom patient is like: everything that can be asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vertebro.case import FractureShape
from vertebro.errors import SettingsError
from vertebro.phantoms.morphometry import morphometry
from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class Fracture:
    """One fractured level of a phantom.

    Examples
    --------
    >>> Fracture("L1", "wedge", 35.0).height_loss_percent
    35.0
    """

    level: str = setting("L1", "Level that is broken.")
    shape: str = setting("wedge", "Which height is reduced: wedge, biconcave or crush.")
    height_loss_percent: float = setting(
        35.0,
        "Loss of the shape's own height (anterior, middle or, for crush, every height).",
        lower=0.0,
        upper=70.0,
        unit="percent",
        source="assumed: beyond 70 % little body is left to measure",
    )
    cleft: bool = setting(False, "Whether there is a gas-filled cleft in the body.")
    cleft_ml: float = setting(
        1.0,
        "Volume asked for the cleft; it is made smaller where the body is too small.",
        lower=0.05,
        upper=4.0,
        unit="ml",
        source="assumed: clefts of about 0.5 to 3 ml are usual",
    )
    cleft_hu: float = setting(
        -850.0,
        "CT value of the gas.",
        lower=-1000.0,
        upper=-500.0,
        unit="hu",
        source="assumed: gas reads near −1000 HU before partial volume",
    )
    anterior_wall_gap_mm: float = setting(
        0.0,
        "Height of a slit through the front wall; 0 for none.",
        lower=0.0,
        upper=8.0,
        unit="mm",
        source="assumed",
    )
    posterior_wall_gap_mm: float = setting(
        0.0,
        "Height of a slit through the back wall; 0 for none.",
        lower=0.0,
        upper=8.0,
        unit="mm",
        source="assumed",
    )
    endplate_gap_mm: float = setting(
        0.0,
        "Width of a slit through the upper endplate; 0 for none.",
        lower=0.0,
        upper=8.0,
        unit="mm",
        source="assumed",
    )
    retropulsion_mm: float = setting(
        0.0,
        "How far the back wall bulges into the canal.",
        lower=0.0,
        upper=10.0,
        unit="mm",
        source="assumed: canals are 15 to 20 mm deep",
    )
    sclerosis_hu: float = setting(
        160.0,
        "Extra CT value of the compacted band under the broken endplate.",
        lower=0.0,
        upper=600.0,
        unit="hu",
        source="assumed: impacted trabeculae are seen as a bright band",
    )
    oedema: bool = setting(False, "Whether marrow oedema goes with it; CT does not show it, MR would.")

    def __post_init__(self) -> None:
        validate(self)
        if self.level not in morphometry() or self.level == "S1":
            raise SettingsError(
                "phantom.fracture_level",
                got=f"a fracture of {self.level[:20]!r}",
                needed="a level from T4 to L5",
                remedy="Choose one of the phantom's thoracic or lumbar levels.",
                fields=("level",),
            )
        if self.shape not in {shape.value for shape in FractureShape if shape is not FractureShape.NONE}:
            raise SettingsError(
                "phantom.fracture_shape",
                got=f"the fracture shape {self.shape[:20]!r}",
                needed="wedge, biconcave or crush",
                remedy="Choose one of the three shapes.",
                fields=("shape",),
            )


@dataclass(frozen=True, slots=True)
class PhantomSettings:
    """Everything that makes a phantom; the same settings give the same bytes.

    Examples
    --------
    >>> PhantomSettings(levels=("T12", "L1", "L2"), spacing_mm=(2.0, 2.0, 2.0)).seed
    0
    """

    levels: tuple[str, ...] = setting(
        ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"),
        "Vertebrae in the phantom: any unbroken run from T4 to S1.",
    )
    fractures: tuple[Fracture, ...] = setting((), "Broken levels; at most one fracture for each level.")
    spacing_mm: tuple[float, float, float] = setting(
        (0.8, 0.8, 1.0),
        "Voxel size left–right, front–back and along the spine.",
        lower=0.4,
        upper=5.0,
        unit="mm",
        source="assumed: usual spine CT reconstructions",
    )
    axis_codes: str = setting("LPS", "Directions that the array axes run towards, e.g. PIR.")
    grid_rotation_deg: tuple[float, float, float] = setting(
        (0.0, 0.0, 0.0),
        "Turn of the grid in the world about left, posterior and superior (oblique series).",
        lower=-45.0,
        upper=45.0,
        unit="deg",
        source="assumed",
    )
    patient_rotation_deg: tuple[float, float, float] = setting(
        (0.0, 0.0, 0.0),
        "Turn of the patient in the scanner about left, posterior and superior.",
        lower=-30.0,
        upper=30.0,
        unit="deg",
        source="assumed",
    )
    mirror: bool = setting(False, "Make the exact mirror image, right for left.")
    field_of_view_mm: tuple[float, float] | None = setting(
        None,
        "Width and depth of the field, centred on the spine; None for the whole trunk.",
        lower=60.0,
        upper=600.0,
        unit="mm",
        source="assumed",
    )
    margin_mm: float = setting(
        12.0,
        "Field beyond the first and last body; negative values cut them.",
        lower=-25.0,
        upper=80.0,
        unit="mm",
        source="assumed",
    )
    thoracic_kyphosis_deg: float = setting(
        40.0,
        "Kyphosis from the top of T4 to the bottom of T12.",
        lower=-10.0,
        upper=90.0,
        unit="deg",
        source="recalled: about 20 to 50 in adults (Fon et al., AJR 1980;134:979), unverified",
    )
    lumbar_lordosis_deg: float = setting(
        50.0,
        "Lordosis from the top of L1 to the top of S1.",
        lower=-10.0,
        upper=90.0,
        unit="deg",
        source="assumed: about 40 to 60 in adults, less when lying",
    )
    scoliosis_deg: float = setting(
        0.0,
        "Sideways curve over the whole run (Cobb angle); positive with its hump to the right.",
        lower=-40.0,
        upper=40.0,
        unit="deg",
        source="assumed",
    )
    body_scale: float = setting(
        1.0,
        "Size of the skeleton against the average of the sources.",
        lower=0.8,
        upper=1.25,
        source="assumed: about three standard deviations of vertebral size",
    )
    size_variation_percent: float = setting(
        2.0,
        "Standard deviation of each vertebra's own height, width and depth.",
        lower=0.0,
        upper=6.0,
        unit="percent",
        source="assumed: neighbours within one spine differ by few percent from the trend",
    )
    side_asymmetry_mm: float = setting(
        0.0,
        "How much lower the right edge of every upper endplate stands than the left.",
        lower=-4.0,
        upper=4.0,
        unit="mm",
        source="assumed",
    )
    trabecular_bmd_mg_cc: float = setting(
        90.0,
        "Mean mineral density of the trabecular core.",
        lower=0.0,
        upper=300.0,
        unit="mg/cc",
        source="recalled: under 80 osteoporosis, 80 to 120 low bone mass (ACR, QCT), unverified",
    )
    hu_per_mg_cc: float = setting(
        1.2,
        "CT value added by 1 mg/cc of mineral.",
        lower=0.5,
        upper=2.5,
        unit="hu",
        source="assumed: about 1.1 to 1.4 at 120 kVp, within the physical range 0.95 to 1.7 by beam hardness",
    )
    marrow_hu: float = setting(
        -10.0,
        "CT value of marrow without mineral.",
        lower=-100.0,
        upper=60.0,
        unit="hu",
        source="assumed: a mixture of fat (−100) and red marrow (+50)",
    )
    texture_percent: float = setting(
        18.0,
        "Standard deviation of the trabecular pattern, of the mean density.",
        lower=0.0,
        upper=60.0,
        unit="percent",
        source="assumed by looks",
    )
    cortex_mm: float = setting(
        0.7,
        "Thickness of cortical shell and endplates.",
        lower=0.3,
        upper=2.0,
        unit="mm",
        source="recalled: shell 0.3 to 0.6, endplate 0.4 to 0.9 (Edwards, Spine 2001;26:218), unverified",
    )
    cortex_hu: float = setting(
        1050.0,
        "CT value of solid cortical bone.",
        lower=300.0,
        upper=2200.0,
        unit="hu",
        source="assumed",
    )
    with_soft_tissue: bool = setting(True, "Muscles, fat, organs and skin; water without.")
    with_table: bool = setting(True, "The scanner's table under the patient.")
    with_contrast: bool = setting(False, "Intravenous contrast in vessels and kidneys.")
    fat_mm: float = setting(
        22.0,
        "Thickness of the fat under the skin at the flanks.",
        lower=5.0,
        upper=60.0,
        unit="mm",
        source="assumed",
    )
    trunk_width_mm: float = setting(
        330.0,
        "Width of the trunk.",
        lower=240.0,
        upper=520.0,
        unit="mm",
        source="assumed: slim to obese adult",
    )
    noise_hu: float = setting(
        18.0,
        "Standard deviation of the scanner's noise.",
        lower=0.0,
        upper=120.0,
        unit="hu",
        source="assumed: usual for thin slices with a soft to medium kernel",
    )
    blur_mm: float = setting(
        0.45,
        "Standard deviation of the scanner's point spread, each axis.",
        lower=0.0,
        upper=2.0,
        unit="mm",
        source="assumed: about 1 mm full width at half maximum",
    )
    seed: int = setting(0, "Seed of everything random.", lower=0, upper=2**31 - 1, source="any")

    def __post_init__(self) -> None:
        validate(self)
        _require_levels(self.levels)
        _require_axis_codes(self.axis_codes)
        broken = [fracture.level for fracture in self.fractures]
        if len(set(broken)) != len(broken) or not set(broken) <= set(self.levels):
            raise SettingsError(
                "phantom.fractures",
                got=f"fractures of {', '.join(broken)} in a phantom of {self.levels[0]} to {self.levels[-1]}",
                needed="at most one fracture for each level that the phantom has",
                remedy="Leave out the others, or add their levels.",
                fields=("fractures", "levels"),
            )

    @property
    def trabecular_hu(self) -> float:
        """Mean CT value of the trabecular core."""
        return self.marrow_hu + self.hu_per_mg_cc * self.trabecular_bmd_mg_cc


def _require_levels(levels: tuple[str, ...]) -> None:
    known = tuple(morphometry())
    first = known.index(levels[0]) if levels and levels[0] in known else -1
    if first < 0 or levels != known[first : first + len(levels)]:
        raise SettingsError(
            "phantom.levels",
            got=f"the levels {', '.join(str(level)[:8] for level in levels[:20]) or '(none)'}",
            needed="an unbroken run from cranial to caudal within T4 to S1",
            remedy="Name every level from the first to the last, e.g. T12, L1, L2.",
            fields=("levels",),
        )


def _require_axis_codes(axis_codes: str) -> None:
    if not re.fullmatch("[LRPASI]{3}", axis_codes) or len({"LRPASI".index(c) // 2 for c in axis_codes}) != 3:
        raise SettingsError(
            "phantom.axis_codes",
            got=f"the axis codes {axis_codes[:12]!r}",
            needed="three letters, one of L or R, one of P or A, one of S or I",
            remedy="For example LPS, RAS or PIR.",
            fields=("axis_codes",),
        )
