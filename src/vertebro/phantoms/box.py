"""Single bodies of the simplest shapes, whose every measure is exact: boxes, wedges, hollowed boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vertebro.errors import SettingsError
from vertebro.geometry import compose, invert_affine, rotation_about_axis, translation
from vertebro.geometry.transforms import Affine
from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms import bone_kernels as paint
from vertebro.phantoms.body import BodyHeights, Shape, measure_body
from vertebro.phantoms.canvas import Canvas
from vertebro.phantoms.grid import make_turn
from vertebro.phantoms.morphometry import morphometry
from vertebro.phantoms.posterior import N_CAPSULE
from vertebro.phantoms.scanner import scan
from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """A single body in water."""

    shape: str = setting(
        "box", "box, wedge (upper face tilted, lower in front) or biconcave (both faces hollow)."
    )
    size_mm: tuple[float, float, float] = setting(
        (40.0, 30.0, 24.0),
        "Width, depth and posterior height.",
        lower=5.0,
        upper=80.0,
        unit="mm",
        source="assumed: the size of a lumbar body",
    )
    height_loss_percent: float = setting(
        0.0,
        "Loss of the front edge's height (wedge) or of the middle's (biconcave).",
        lower=0.0,
        upper=80.0,
        unit="percent",
        source="any",
    )
    spacing_mm: tuple[float, float, float] = setting(
        (1.0, 1.0, 1.0),
        "Voxel size to left, posterior and superior of the grid.",
        lower=0.3,
        upper=4.0,
        unit="mm",
        source="any",
    )
    rotation_deg: tuple[float, float, float] = setting(
        (0.0, 0.0, 0.0),
        "Turn of the body about left, posterior and superior.",
        lower=-45.0,
        upper=45.0,
        unit="deg",
        source="any",
    )
    margin_mm: float = setting(15.0, "Water round the body.", lower=2.0, upper=60.0, unit="mm", source="any")
    level: str = setting("L1", "Name that the body is labelled with.")
    core_hu: float = setting(150.0, "CT value inside.", lower=-100.0, upper=1000.0, unit="hu", source="any")
    shell_hu: float = setting(
        800.0, "CT value of the shell.", lower=0.0, upper=2000.0, unit="hu", source="any"
    )
    shell_mm: float = setting(1.0, "Thickness of the shell.", lower=0.3, upper=3.0, unit="mm", source="any")
    blur_mm: float = setting(
        0.0, "Point spread, standard deviation.", lower=0.0, upper=2.0, unit="mm", source="any"
    )
    noise_hu: float = setting(
        0.0, "Noise, standard deviation.", lower=0.0, upper=100.0, unit="hu", source="any"
    )
    seed: int = setting(0, "Seed of the noise.", lower=0, upper=2**31 - 1, source="any")

    def __post_init__(self) -> None:
        validate(self)
        if self.shape not in ("box", "wedge", "biconcave"):
            raise SettingsError(
                "phantom.box_shape",
                got=f"the shape {self.shape[:20]!r}",
                needed="box, wedge or biconcave",
                remedy="Choose one of the three.",
                fields=("shape",),
            )


@dataclass(frozen=True, eq=False, slots=True)
class BoxTruth:
    """Exact measures of a box phantom."""

    lps_from_body: Affine
    """Frame of the shape's faces (x right, y anterior, z superior, the box's lower face normal to z for
    box and biconcave) to world; origin at the middle of the unbroken box."""
    lps_from_vertebra: Affine
    """Frame whose z bisects the endplate planes, as :class:`~vertebro.phantoms.truth.LevelTruth` has it."""
    edge_heights_mm: BodyHeights
    """Along the body frame's z at the very front edge, the middle and the very back edge."""
    heights_mm: BodyHeights
    """Between the faces at 95 and 5 % of the depth along the vertebra frame's z; middle: median column."""
    plane_heights_mm: BodyHeights
    """As ``heights_mm``, anterior and posterior between robust planes through the whole faces."""
    surface_heights_mm: BodyHeights
    """As ``heights_mm``, the middle at the very centre."""
    wedge_angle_deg: float
    depth_mm: float
    width_mm: float


@dataclass(frozen=True, eq=False, slots=True)
class BoxPhantom:
    """A single simple body: image, label (body only), and exact truth."""

    volume: Volume
    labels: LabelVolume
    truth: BoxTruth


def make_box_phantom(settings: BoxSettings = BoxSettings()) -> BoxPhantom:
    """Make a single box, wedge or hollowed box in water.

    Without rotation the body's faces lie on voxel faces wherever its size is a multiple of the spacing,
    so that counting voxels gives the exact size.

    Examples
    --------
    >>> phantom = make_box_phantom(BoxSettings(size_mm=(40.0, 30.0, 24.0)))
    >>> int((np.asarray(phantom.labels.labels) > 0).sum()), phantom.truth.heights_mm.anterior
    (28800, 24.0)
    """
    shape = _box_shape(settings)
    geometry, lps_from_body = _place(settings)
    canvas = Canvas.empty(geometry.shape, compose(invert_affine(lps_from_body), geometry.lps_from_voxel))
    finish = np.zeros(paint.N_FINISH)
    finish[paint.CORTEX_MM], finish[paint.CORTEX_HU] = settings.shell_mm, settings.shell_hu
    finish[paint.CORE_HU] = settings.core_hu
    finish[paint.VEIN_Z] = 1e6
    label = morphometry()[settings.level].verse_label
    none = np.zeros((0, N_CAPSULE))
    paint.paint_vertebra(
        canvas.hu,
        canvas.labels,
        canvas.subregions,
        np.zeros(3, np.int64),
        np.array(geometry.shape),
        canvas.patient_from_voxel,
        shape,
        finish,
        none,
        none,
        np.array([0.0, -1e3, 1.0, 1.0, 1.0]),
        label,
        0,
    )
    generator = np.random.Generator(np.random.PCG64(settings.seed))
    scan(canvas.hu, settings.spacing_mm, settings.blur_mm, settings.noise_hu, generator)
    measures = measure_body(shape)
    truth = BoxTruth(
        lps_from_body=lps_from_body,
        lps_from_vertebra=compose(lps_from_body, measures.construction_from_vertebra),
        edge_heights_mm=_edge_heights(shape),
        heights_mm=measures.heights,
        plane_heights_mm=measures.planes,
        surface_heights_mm=measures.surfaces,
        wedge_angle_deg=measures.wedge_angle_deg,
        depth_mm=settings.size_mm[1],
        width_mm=settings.size_mm[0],
    )
    labels = LabelVolume(
        canvas.labels,
        geometry,
        {label: settings.level},
        convention="verse",
        extent="body",
        subregions=canvas.subregions,
    )
    facts = ImageFacts(source_kind="phantom", patient_id="PHANTOM-BOX", series_description=settings.shape)
    return BoxPhantom(Volume(canvas.hu.astype(np.int16), geometry, facts), labels, truth)


def _box_shape(settings: BoxSettings) -> Shape:
    width, depth, height = settings.size_mm
    shape = np.zeros(bk.N_SHAPE)
    shape[bk.HALF_WIDTH_SUPERIOR] = shape[bk.HALF_WIDTH_INFERIOR] = 0.5 * width
    shape[bk.DEPTH_SUPERIOR] = shape[bk.DEPTH_INFERIOR] = depth
    shape[bk.BACK_Y] = -0.5 * depth
    shape[bk.Z_SUPERIOR], shape[bk.Z_INFERIOR] = 0.5 * height, -0.5 * height
    shape[bk.IS_BOX] = 1.0
    lost_mm = height * settings.height_loss_percent / 100.0
    if settings.shape == "wedge":
        shape[bk.SLOPE_SUPERIOR] = -lost_mm / depth
        shape[bk.Z_SUPERIOR] -= 0.5 * lost_mm
    elif settings.shape == "biconcave":
        shape[bk.BUMP_SUPERIOR] = shape[bk.BUMP_INFERIOR] = 0.5 * lost_mm
    return shape


def _edge_heights(shape: Shape) -> BodyHeights:
    back = shape[bk.BACK_Y]
    y = np.array([back + shape[bk.DEPTH_SUPERIOR], back + 0.5 * shape[bk.DEPTH_SUPERIOR], back])
    upper, lower = bk.endplate_grids(shape, np.zeros(3), y)
    return BodyHeights(*(float(gap) for gap in upper - lower))


def _place(settings: BoxSettings) -> tuple[VolumeGeometry, Affine]:
    """A grid with a voxel face at the body's centre, off the world's origin."""
    turn = make_turn(settings.rotation_deg)
    reach = 0.5 * np.array(settings.size_mm) + settings.margin_mm
    if any(settings.rotation_deg):
        reach = np.abs(turn[:3, :3]) @ reach
    spacing = np.array(settings.spacing_mm)
    half = np.ceil(reach / spacing).astype(int)
    # a face of the grid on the body's faces: an odd number of voxels across needs a voxel at the centre
    across = np.round(np.array(settings.size_mm) / spacing).astype(int)
    shape = 2 * half + across % 2
    centre = np.array([12.0, -35.0, 140.0])
    first = centre - 0.5 * (shape - 1) * spacing
    affine = compose(translation(first), np.diag([*spacing, 1.0]))
    lps_from_body = compose(translation(centre), turn, rotation_about_axis((0.0, 0.0, 1.0), np.pi))
    lps_from_body = np.where(np.abs(lps_from_body) < 1e-15, 0.0, lps_from_body)
    return VolumeGeometry((int(shape[0]), int(shape[1]), int(shape[2])), affine), lps_from_body
