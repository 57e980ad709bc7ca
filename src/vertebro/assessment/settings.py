"""Every threshold of the assessment, with its source."""

from __future__ import annotations

from dataclasses import dataclass, field

from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class AssessmentSettings:
    """How levels are lifted, split, measured and graded.

    Examples
    --------
    >>> AssessmentSettings().genant_moderate_percent
    25.0
    """

    patch_spacing_min_mm: float = setting(
        0.7,
        "Finest spacing of the isotropic patch that a level is lifted into.",
        lower=0.3,
        upper=2.0,
        unit="mm",
        source="assumed: a third of the endplate's and cortex's blur on a fine clinical CT",
    )
    patch_spacing_max_mm: float = setting(
        1.0,
        "Coarsest spacing of that patch, for coarse images.",
        lower=0.3,
        upper=3.0,
        unit="mm",
        source="assumed: sub-voxel surfaces need no more than a millimetre between columns",
    )
    patch_margin_mm: float = setting(
        12.0,
        "Bone and soft tissue kept around the body in the patch, to the sides, front, top and bottom.",
        lower=4.0,
        upper=40.0,
        unit="mm",
        source="assumed: holds the disc halves that the endplates border on",
    )
    patch_posterior_margin_mm: float = setting(
        36.0,
        "What the patch holds behind the body: the canal and the lamina.",
        lower=10.0,
        upper=80.0,
        unit="mm",
        source="assumed: canal depths reach 25 mm (Lee 1995) and the lamina must be behind it",
    )
    mask_blur_voxels: float = setting(
        0.8,
        "Gaussian blur of a label before its 0.5 surface is read, in its own voxels.",
        lower=0.0,
        upper=2.0,
        source="assumed: turns voxel steps into a smooth surface and moves no flat one",
    )
    mask_blur_fine_mm: float = setting(
        1.0,
        "Labels finer than this are blurred by as much, up to one of their voxels.",
        lower=0.0,
        upper=3.0,
        unit="mm",
        source="chosen so that heights of a real CT repeat within 0.3 mm when it is turned by 10 degrees",
    )
    frame_iterations: int = setting(
        4,
        "How often frame and endplates are refined against each other.",
        lower=1,
        upper=20,
        source="assumed: changes fall under 0.2 degrees after three",
    )
    rim_margin_mm: float = setting(
        1.2,
        "Outermost columns of an endplate kept out of every fit.",
        lower=0.0,
        upper=8.0,
        unit="mm",
        source="assumed: rims are rounded by the label's own voxels; heights read at the rim itself "
        "scattered by up to 6.7 mm in a trial",
    )
    anterior_read_percent: float = setting(
        95.0,
        "Where along the depth, from the back, the anterior height is read.",
        lower=75.0,
        upper=100.0,
        unit="percent",
        source="trial on real CTs: read at 5 and 95 % repeats within 0.2 mm under 10 degrees of rotation",
    )
    posterior_read_percent: float = setting(
        5.0,
        "Where along the depth, from the back, the posterior height is read.",
        lower=0.0,
        upper=25.0,
        unit="percent",
        source="the same trial",
    )
    middle_window_percent: float = setting(
        30.0,
        "Depth over which the middle height is a robust mean of columns.",
        lower=5.0,
        upper=40.0,
        unit="percent",
        source="assumed: centred on the middle of six-point morphometry",
    )
    strip_half_width_percent: float = setting(
        12.0,
        "Half width of the sagittal strip that a height rests on, as a share of the body's width.",
        lower=3.0,
        upper=30.0,
        unit="percent",
        source="assumed: about 5 mm either side, as thick as a sagittal reading slab",
    )
    para_sagittal_percent: float = setting(
        25.0,
        "Distance of the para-sagittal planes from the middle, as a share of the body's width.",
        lower=10.0,
        upper=40.0,
        unit="percent",
        source="assumed: half-way to the side wall",
    )
    huber_threshold: float = setting(
        1.345,
        "Huber's threshold, in robust standard deviations.",
        lower=0.5,
        upper=5.0,
        source="Huber, Robust Statistics, 1981: 95 % efficiency for normal errors",
    )
    body_only_posterior_fraction: float = setting(
        0.12,
        "Share of a label behind the body under which it is taken for a body-only label.",
        lower=0.0,
        upper=0.5,
        source="assumed: posterior elements are 35–50 % of a whole vertebra's volume",
    )
    cut_area_mm2: float = setting(
        20.0,
        "Area of the body on the scan's border above which the level counts as cut.",
        lower=0.0,
        upper=2000.0,
        unit="mm2",
        source="assumed: under 2 % of an endplate",
    )
    min_body_height_mm: float = setting(
        3.0,
        "A body lower than this is taken for a stray label, not measured.",
        lower=0.5,
        upper=10.0,
        unit="mm",
        source="assumed: vertebra plana keeps 3–5 mm",
    )
    min_body_volume_ml: float = setting(
        1.0,
        "A label smaller than this is not measured.",
        lower=0.0,
        upper=10.0,
        unit="ml",
        source="assumed: the smallest adult thoracic bodies hold about 6 ml; plana leaves a quarter",
    )
    genant_mild_percent: float = setting(
        20.0,
        "Height loss from which a level is at least mild.",
        lower=5.0,
        upper=50.0,
        unit="percent",
        source="Genant 1993; Wang 2019 QIMS",
    )
    genant_moderate_percent: float = setting(
        25.0,
        "Height loss from which a level is at least moderate: 25 itself is moderate.",
        lower=5.0,
        upper=60.0,
        unit="percent",
        source="Genant 1993; Wang 2019 QIMS; printed classes share the value 25, taken here as moderate",
    )
    crush_share: float = setting(
        0.6,
        "A crush is a body whose back has lost at least this share of its largest loss.",
        lower=0.0,
        upper=1.0,
        source="assumed: Genant's crush is a loss of the whole body's height",
    )
    genant_severe_percent: float = setting(
        40.0,
        "Height loss above which a level is severe: 40 itself is moderate.",
        lower=10.0,
        upper=90.0,
        unit="percent",
        source="Genant 1993; Wang 2019 QIMS; printed classes share the value 40, taken here as moderate",
    )
    use_subregions: bool = setting(
        True,
        "Take the body from subregion labels (49 and 50) where the label source gives them.",
    )
    neighbour_reach: int = setting(
        4,
        "How many levels up and down are used to predict a level's unfractured heights.",
        lower=1,
        upper=20,
        source="assumed: body size drifts along the spine, so far levels say little",
    )
    neighbour_spread_percent: float = setting(
        3.5,
        "Standard deviation of a height predicted from one adjacent level, after level ratios.",
        lower=0.5,
        upper=20.0,
        unit="percent",
        source="assumed from standard deviations of posterior ratios Hp/Hp(±1) of 4–6 % in normal women "
        "(Black 1991; McCloskey 1993), which hold the reading error of radiographs too",
    )
    shape_spread_percent: float = setting(
        6.0,
        "Standard deviation of a height predicted from the same body's posterior height and level ratios.",
        lower=0.5,
        upper=20.0,
        unit="percent",
        source="standard deviations of Ha/Hp and Hm/Hp of 4–7 % in normal women "
        "(Black 1991; McCloskey 1993; Eastell 1991)",
    )

    posterior_intact_percent: float = setting(
        12.0,
        "Loss of posterior height under which it may stand for the body's unfractured size.",
        lower=0.0,
        upper=30.0,
        unit="percent",
        source="assumed: two standard deviations of a height predicted from both neighbours",
    )
    lone_posterior_percent: float = setting(
        12.0,
        "Standard deviation of the posterior height expected where no neighbour can be compared with.",
        lower=2.0,
        upper=40.0,
        unit="percent",
        source="assumed: standard deviation of vertebral heights between adults is 7–9 % (Panjabi 1992 "
        "[recall]); widened because the body itself may be crushed",
    )
    coarse_voxel_mm: float = setting(
        5.0,
        "Label voxels longer than this along the body's vertical make heights too coarse to grade firmly.",
        lower=1.0,
        upper=20.0,
        unit="mm",
        source="assumed: half a voxel is then a tenth of a body's height",
    )

    tissue: TissueSettings = field(default_factory=TissueSettings)
    """Cleft, posterior wall, canal, density and class: :class:`TissueSettings`."""

    def __post_init__(self) -> None:
        validate(self)
