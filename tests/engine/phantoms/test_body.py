"""Bodies: the formulas' measures against hand arithmetic, and fractures against what was asked for."""

import numpy as np
import pytest

from vertebro.phantoms import Fracture, PhantomSettings
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.body import break_shape, huber_plane, make_shape, measure_body
from vertebro.phantoms.morphometry import morphometry

SETTINGS = PhantomSettings(levels=("L1",), size_variation_percent=0.0)


def unbroken(level: str = "L1") -> np.ndarray:
    return make_shape(morphometry()[level], SETTINGS, np.random.Generator(np.random.PCG64(0)))


def test_unbroken_body_has_the_heights_of_the_table():
    row = morphometry()["L1"]

    measures = measure_body(unbroken())

    # 5 % of the depth from the back wall at mid-height, and a little waist: the rim's height within 0.2 mm
    assert measures.heights.posterior == pytest.approx(row.posterior_height_mm, abs=0.2)
    assert measures.heights.anterior == pytest.approx(
        row.posterior_height_mm * row.anterior_posterior_ratio, abs=0.2
    )
    assert measures.heights.middle < measures.heights.anterior


def test_wedge_angle_is_that_of_the_two_slopes():
    shape = unbroken()
    shape[bk.SLOPE_SUPERIOR], shape[bk.SLOPE_INFERIOR] = -np.tan(np.radians(12.0)), np.tan(np.radians(3.0))

    measures = measure_body(shape)

    assert measures.wedge_angle_deg == pytest.approx(15.0, abs=0.02)
    # the vertebra's vertical bisects the planes: turned by half the difference from the construction frame
    turned_deg = np.degrees(np.arcsin(measures.construction_from_vertebra[2, 1]))
    assert turned_deg == pytest.approx(-4.5, abs=0.02)


@pytest.mark.parametrize("level", ["T4", "T9", "T12", "L3", "L5"])
@pytest.mark.parametrize(
    ("shape", "name"), [("wedge", "anterior"), ("biconcave", "middle"), ("crush", "posterior")]
)
@pytest.mark.parametrize("loss", [0.0, 12.5, 40.0, 65.0])
def test_fracture_loses_the_height_that_was_asked_for(level, shape, name, loss):
    whole = unbroken(level)

    broken = break_shape(whole, Fracture(level, shape, loss))

    before, after = measure_body(whole).heights, measure_body(broken).heights
    assert 100.0 * (1.0 - getattr(after, name) / getattr(before, name)) == pytest.approx(
        loss, abs=0.01 if loss else 1.5
    )


@pytest.mark.parametrize("loss", [25.0, 45.0])
def test_each_shape_loses_most_where_its_name_says(loss):
    whole = unbroken()
    before = measure_body(whole).heights
    lost = {}
    for shape in ("wedge", "biconcave", "crush"):
        after = measure_body(break_shape(whole, Fracture("L1", shape, loss))).heights
        lost[shape] = {
            name: 100.0 * (1.0 - getattr(after, name) / getattr(before, name))
            for name in ("anterior", "middle", "posterior")
        }

    assert lost["wedge"]["anterior"] > lost["wedge"]["middle"] > lost["wedge"]["posterior"]
    assert (
        lost["biconcave"]["middle"]
        > max(lost["biconcave"]["anterior"], lost["biconcave"]["posterior"]) + 15.0
    )
    assert max(lost["crush"].values()) - min(lost["crush"].values()) < 1.5


def test_retropulsion_pushes_the_back_wall_by_its_size():
    broken = break_shape(unbroken(), Fracture("L1", "crush", 30.0, retropulsion_mm=6.0))
    flat = broken.copy()
    flat[bk.RETROPULSION] = 0.0
    z = np.linspace(-12.0, 12.0, 481)

    pushed = bk.wall_profiles(flat, z)[0] - bk.wall_profiles(broken, z)[0]

    assert pushed.max() == pytest.approx(6.0, abs=0.01)
    assert z[pushed.argmax()] == pytest.approx(broken[bk.RETROPULSION_Z], abs=0.06)


def test_signed_distance_is_zero_on_the_surfaces_and_true_in_size_near_them():
    shape = unbroken()
    for y in (-12.0, -4.0, 3.0, 11.0):
        top = bk.superior_z(shape, 2.0, y)
        for offset in (-1.0, -0.3, 0.0, 0.4, 1.2):
            assert bk.body_distance(shape, 2.0, y, top + offset)[0] == pytest.approx(offset, abs=0.1)
    for z in (-6.0, 0.0, 7.0):
        front = bk.front_wall_y(shape, z)
        back = bk.back_wall_y(shape, 0.0, z)
        for offset in (-1.0, 0.0, 0.7):
            assert bk.body_distance(shape, 0.0, front + offset, z)[0] == pytest.approx(offset, abs=0.12)
            assert bk.body_distance(shape, 0.0, back - offset, z)[0] == pytest.approx(offset, abs=0.12)


def test_normals_point_out_of_the_body():
    shape = unbroken()
    for x, y, z in (
        (0.0, 16.5, 0.0),
        (19.0, 0.0, 0.0),
        (-19.0, 0.0, 0.0),
        (0.0, -16.5, 0.0),
        (3.0, 2.0, 11.0),
    ):
        distance, nx, ny, nz, _ = bk.body_distance(shape, x, y, z)
        further = bk.body_distance(shape, x + 0.1 * nx, y + 0.1 * ny, z + 0.1 * nz)[0]
        assert further - distance == pytest.approx(0.1, abs=0.02)


def test_robust_plane_ignores_a_hollow_that_least_squares_follows():
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-20, 20, 41), np.linspace(-15, 15, 31)))
    z = 3.0 + 0.02 * x - 0.1 * y
    is_hollow = (x / 8.0) ** 2 + (y / 6.0) ** 2 < 1.0

    plane = huber_plane(x, y, z - 5.0 * is_hollow)

    assert plane == pytest.approx([3.0, 0.02, -0.1], abs=0.02)


@pytest.mark.parametrize("side", [-0.5, 0.5])
def test_side_asymmetry_shows_in_the_parasagittal_planes(side):
    settings = PhantomSettings(levels=("L1",), size_variation_percent=0.0, side_asymmetry_mm=3.0)
    shape = make_shape(morphometry()["L1"], settings, np.random.Generator(np.random.PCG64(0)))

    middle, beside = measure_body(shape).heights, measure_body(shape, side).heights

    # the right edge stands 3 mm lower than the left; half way to the edge, a quarter of that either way
    assert beside.posterior - middle.posterior == pytest.approx(-np.sign(side) * 0.75, abs=0.1)
