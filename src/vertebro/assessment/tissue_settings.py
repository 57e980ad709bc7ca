"""Every threshold of the tissue measurements: gas, canal, density, calibration, OF class."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.errors import SettingsError
from vertebro.settings import setting, validate

CONTRAST_PHASES = ("unknown", "none", "arterial", "portal")
INTERNAL_LAWS = ("water_mineral", "five_tissue")
_OF_CARD = "AO Spine-DGOU OF classification, AO pocket card; Schnake et al., Global Spine J 2018"


@dataclass(frozen=True, slots=True)
class TissueSettings:
    """How gas, posterior wall, canal, density and OF class are measured and judged.

    Examples
    --------
    >>> TissueSettings().of_severe_osteoporosis_hu
    90.0
    """

    # --- gas -----------------------------------------------------------------------------------
    gas_seed_hu: float = setting(
        -200.0,
        "A voxel below this holds gas, wholly or in part.",
        lower=-900.0,
        upper=-150.0,
        unit="hu",
        source="fat, the darkest solid tissue, reads -80 to -120 HU (ICRU-44 adipose at 60-80 keV: "
        "-88 to -65); the rest of the distance is room for noise",
    )
    gas_pure_hu: float = setting(
        -1000.0,
        "What a voxel full of gas reads.",
        lower=-1100.0,
        upper=-800.0,
        unit="hu",
        source="definition of the Hounsfield scale",
    )
    cleft_depth_mm: float = setting(
        1.5,
        "Gas must reach this deep below the body's surface to count as a cleft and not as gas in the disc.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="assumed: an endplate is under 1 mm thick and outlines are off by about a voxel",
    )
    cleft_min_volume_ml: float = setting(
        0.03,
        "Gas deep in the body below this volume is not called a cleft.",
        lower=0.0,
        upper=1.0,
        unit="ml",
        source="assumed: a ball of 4 mm, about the noise grain of a thin-slice CT",
    )
    cleft_inside_percent: float = setting(
        20.0,
        "Least share of a gas pocket that must lie inside the body; below it the pocket belongs to "
        "the disc or to the lung.",
        lower=0.0,
        upper=100.0,
        unit="percent",
        source="assumed: a body cleft that opens into a vacuum disc still holds a good part of the gas",
    )
    cleft_touch_mm: float = setting(
        3.0,
        "A cleft this near an endplate or the front wall touches it.",
        lower=0.5,
        upper=6.0,
        unit="mm",
        source="assumed: endplate thickness plus the blur of a clinical CT",
    )
    cleft_touch_area_mm2: float = setting(
        6.0,
        "Least area over which it must be that near.",
        lower=0.0,
        upper=100.0,
        unit="mm2",
        source="assumed: a few columns of a 1 mm patch, so that noise touches nothing",
    )
    dense_implant_hu: float = setting(
        1500.0,
        "Inside the spongy bone, a blob brighter than this is earlier cement or metal.",
        lower=800.0,
        upper=3000.0,
        unit="hu",
        source="bone cement with 20-30 % barium sulphate is far above it and scanners clip at 3071 HU; "
        "bone islands average about 1000 HU (Ulano 2016, AJR, recalled); between them: assumed",
    )
    dense_implant_min_ml: float = setting(
        0.3,
        "Least volume of such a blob.",
        lower=0.01,
        upper=5.0,
        unit="ml",
        source="assumed: under a tenth of the smallest usual fill",
    )
    # --- posterior wall and canal ----------------------------------------------------------------
    wall_half_width_mm: float = setting(
        5.0,
        "The wall is read in sagittal planes up to this far from the middle.",
        lower=0.0,
        upper=12.0,
        unit="mm",
        source="assumed: the canal is at least 20 mm wide and the pedicles start beyond",
    )
    wall_corner_percent: tuple[float, float] = setting(
        (8.0, 25.0),
        "Part of the wall's height, from either end, whose straight continuation gives the corner.",
        lower=2.0,
        upper=45.0,
        unit="percent",
        source="assumed: beyond the corner's rounding of about 2 mm, short of a fragment's crest",
    )
    wall_corner_reach_mm: float = setting(
        1.0,
        "How far that continuation may depart from the wall where it starts.",
        lower=0.0,
        upper=6.0,
        unit="mm",
        source="assumed: keeps an uneven outline from throwing the corner far",
    )
    wall_corner_slack_mm: float = setting(
        0.5,
        "A corner may stand this far (or half a voxel) behind the curve of the neighbours' walls and still "
        "count as it is.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="assumed: the outline's error on a fine CT",
    )
    wall_bulge_band_percent: float = setting(
        18.0,
        "The bulge is read between the corners, leaving out this share of the height at either end.",
        lower=5.0,
        upper=40.0,
        unit="percent",
        source="assumed: beyond the corners' own rounding",
    )
    wall_bulge_max_mm: float = setting(
        15.0,
        "A bulge beyond this is no back wall: the label lacks part of the vertebra.",
        lower=8.0,
        upper=30.0,
        unit="mm",
        source="assumed: the canal is 15-20 mm deep (Lee 1995) and no fragment fills all of it",
    )
    canal_half_width_mm: float = setting(
        3.0,
        "The canal's depth is read in sagittal planes up to this far from the middle.",
        lower=0.0,
        upper=8.0,
        unit="mm",
        source="assumed: the lamina meets the spinous process within the middle centimetre",
    )
    canal_min_mm: float = setting(
        3.0,
        "Bone nearer to the wall than this is taken for a spur of the wall itself, not the lamina.",
        lower=0.0,
        upper=8.0,
        unit="mm",
        source="assumed: no canal in use is that narrow",
    )
    canal_max_mm: float = setting(
        35.0,
        "No lamina is sought further back than this.",
        lower=20.0,
        upper=60.0,
        unit="mm",
        source="assumed: twice the usual lumbar canal depth of 15-20 mm",
    )
    canal_bone_hu: float = setting(
        200.0,
        "Bone of the lamina on CT where the labels cover bodies only.",
        lower=100.0,
        upper=600.0,
        unit="hu",
        source="assumed: above dural sac, ligament and contrast in veins, below a lamina blurred to 3 mm",
    )
    canal_min_rows_percent: float = setting(
        15.0,
        "Least share of the body's height at which a lamina must be seen.",
        lower=5.0,
        upper=90.0,
        unit="percent",
        source="assumed: the lamina covers about half the body's height",
    )
    corner_step_finding_mm: float = setting(
        3.0,
        "A corner behind the curve of the neighbours' walls by more than this is pointed out.",
        lower=0.5,
        upper=10.0,
        unit="mm",
        source="assumed: wedge fractures without a displaced corner reach 2 mm",
    )
    bulge_finding_mm: float = setting(
        2.0,
        "A bulge above this is pointed out.",
        lower=0.0,
        upper=10.0,
        unit="mm",
        source="assumed: twice the usual error of the outline",
    )
    bulge_surely_mm: float = setting(
        1.0,
        "And only where the lower end of its interval is above this.",
        lower=0.0,
        upper=10.0,
        unit="mm",
        source="assumed: the bulge is a largest value, which healthy walls read as about 1 mm on 1 mm scans",
    )
    # --- density ---------------------------------------------------------------------------------
    core_margin_mm: float = setting(
        4.0,
        "Distance of the spongy core from the body's surface.",
        lower=1.0,
        upper=10.0,
        unit="mm",
        source="assumed: clears cortex, endplate and their blur up to 3 mm voxels",
    )
    core_posterior_percent: float = setting(
        33.0,
        "Share of the depth, from the back, kept out of the core: the basivertebral vein's region.",
        lower=0.0,
        upper=60.0,
        unit="percent",
        source="usual practice of reading the front of the body (Pickhardt 2013); share: assumed",
    )
    core_min_ml: float = setting(
        1.0,
        "A core smaller than this gives no density.",
        lower=0.05,
        upper=5.0,
        unit="ml",
        source="assumed: a ball of 12 mm, the size of a usual region of interest",
    )
    sclerosis_above_core_hu: float = setting(
        150.0,
        "Local mean above the core's median by more than this is sclerosis, an island or endplate.",
        lower=50.0,
        upper=600.0,
        unit="hu",
        source="assumed: about three times the standard deviation of spongy bone between regions of one body",
    )
    sclerosis_finding_percent: float = setting(
        25.0,
        "Share of the core lost to sclerosis above which the density is pointed out as unreliable.",
        lower=1.0,
        upper=100.0,
        unit="percent",
        source="assumed",
    )
    scanner_accuracy_hu: float = setting(
        4.0,
        "Accuracy of the scanner's scale near water (95 %).",
        lower=0.0,
        upper=20.0,
        unit="hu",
        source="usual acceptance limit for water, 0 ± 4 HU (recalled; IEC 61223-3-5)",
    )
    of_severe_osteoporosis_hu: float = setting(
        90.0,
        "Core at or below this counts as severe osteoporosis in the OF score.",
        lower=0.0,
        upper=300.0,
        unit="hu",
        source=_OF_CARD,
    )
    osteoporosis_specific_hu: float = setting(
        110.0,
        "Core at or below this: osteoporosis likely (over 90 % specific at L1).",
        lower=0.0,
        upper=300.0,
        unit="hu",
        source="Pickhardt et al., Ann Intern Med 2013;158:588",
    )
    osteoporosis_sensitive_hu: float = setting(
        160.0,
        "Core above this: osteoporosis unlikely (90 % sensitive at L1).",
        lower=0.0,
        upper=400.0,
        unit="hu",
        source="Pickhardt et al., Ann Intern Med 2013;158:588",
    )
    contrast_phase: str = setting(
        "unknown",
        "Contrast phase of the scan: unknown, none, arterial or portal.",
        source="the person who knows the examination; unknown lets the aorta tell",
    )
    contrast_shift_arterial_hu: float = setting(
        20.0,
        "How much an arterial scan raises the core.",
        lower=0.0,
        upper=60.0,
        unit="hu",
        source="threshold shift of the TotalSegmentator 2.18 spine report",
    )
    contrast_shift_portal_hu: float = setting(
        14.75,
        "How much a portal-venous scan raises the core.",
        lower=0.0,
        upper=60.0,
        unit="hu",
        source="threshold shift of the TotalSegmentator 2.18 spine report",
    )
    # --- calibration -----------------------------------------------------------------------------
    phantom_slope_mg_cc_per_hu: float | None = setting(
        None,
        "Slope of a phantom calibration of this scanner: mg/cc for each HU.",
        lower=0.2,
        upper=3.0,
        unit="mg/cc/hu",
        source="the site's own phantom",
    )
    phantom_intercept_mg_cc: float = setting(
        0.0,
        "Its intercept: mg/cc at 0 HU.",
        lower=-200.0,
        upper=200.0,
        unit="mg/cc",
        source="the site's own phantom",
    )
    phantom_accuracy_percent: float = setting(
        8.0,
        "Standard deviation of density by a phantom scanned at another time.",
        lower=0.0,
        upper=30.0,
        unit="percent",
        source="Kaesmacher 2017: asynchronous calibration, root-mean-square deviation 8.0 %",
    )
    internal_accuracy_percent: float = setting(
        7.8,
        "Standard deviation of density by the patient's own tissues, beside the fit's own.",
        lower=0.0,
        upper=30.0,
        unit="percent",
        source="Kaesmacher 2017: internal calibration, root-mean-square deviation 7.8 %",
    )
    internal_law: str = setting(
        "water_mineral",
        "How tissues give density: water_mineral (scale check and tube voltage) or five_tissue (regression).",
        source="water_mineral: mineral displaces water; five_tissue: Michalski 2020, whose density "
        "moves by 30 mg/cc for 0.001 cm2/g in fat's attenuation, hence not the default",
    )
    cortical_bone_min_hu: float = setting(
        900.0,
        "Compact bone below this is blurred by its surroundings and calibrates nothing.",
        lower=500.0,
        upper=1500.0,
        unit="hu",
        source="ICRU-44 cortical bone reads about 1000 HU at 100 keV and 1650 at 70 keV",
    )
    blood_contrast_hu: float = setting(
        80.0,
        "An aorta above this holds contrast and calibrates nothing.",
        lower=55.0,
        upper=150.0,
        unit="hu",
        source="unenhanced blood reads 35-55 HU; portal-phase aortas exceed 100: assumed between",
    )
    blood_arterial_hu: float = setting(
        200.0,
        "An aorta above this is taken for an arterial phase.",
        lower=120.0,
        upper=400.0,
        unit="hu",
        source="assumed: arterial aortas read 200-400 HU, portal ones 100-180",
    )
    # --- OF class ----------------------------------------------------------------------------------
    endplate_deformed_percent: float = setting(
        10.0,
        "Share of the expected height that an endplate must have sunk to count as deformed.",
        lower=2.0,
        upper=40.0,
        unit="percent",
        source="assumed: half of Genant's smallest loss, so that a mild fracture of one endplate counts once",
    )
    endplate_depression_mm: float = setting(
        4.0,
        "A central depression below the rims deeper than this counts as a deformed endplate.",
        lower=1.0,
        upper=10.0,
        unit="mm",
        source="assumed: healthy lumbar endplates are 1-3 mm concave",
    )
    of_wall_fraction: float = setting(
        0.2,
        "Share of the posterior wall involved above which the class is OF 3 and not OF 2.",
        lower=0.0,
        upper=1.0,
        source=_OF_CARD,
    )
    of_wall_bulge_mm: float = setting(
        1.5,
        "Wall standing behind its corners' line by more than this is involved.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="assumed: above the error of the outline; healthy walls are concave",
    )

    def __post_init__(self) -> None:
        validate(self)
        _require_choice("contrast_phase", self.contrast_phase, CONTRAST_PHASES)
        _require_choice("internal_law", self.internal_law, INTERNAL_LAWS)


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingsError(
            "settings.range",
            got=f"{name} = {value[:20]!r}",
            needed=f"one of {', '.join(choices)}",
            remedy="Choose one of those words.",
            fields=(name,),
        )
