"""Whole phantoms: labels and CT values agree with the truth, whatever the grid."""

from dataclasses import replace

import numpy as np
import pytest

from vertebro.errors import SettingsError
from vertebro.geometry import apply_affine, invert_affine, is_rigid
from vertebro.imaging import Interpolation, sample_at
from vertebro.phantoms import Fracture, Phantom, PhantomSettings, column_height_mm, make_phantom

BROKEN = Fracture(
    "L1",
    "wedge",
    35.0,
    cleft=True,
    cleft_ml=1.0,
    anterior_wall_gap_mm=3.0,
    posterior_wall_gap_mm=3.0,
    endplate_gap_mm=3.0,
    retropulsion_mm=5.0,
    oedema=True,
)
SMALL = PhantomSettings(
    levels=("T12", "L1", "L2"),
    fractures=(BROKEN,),
    spacing_mm=(1.0, 1.0, 1.0),
    field_of_view_mm=(100.0, 125.0),
    noise_hu=0.0,
    with_table=False,
)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(SMALL)


def local_points(patient: Phantom, level: str, mask: np.ndarray) -> np.ndarray:
    """Voxel centres of a mask in a level's vertebra frame."""
    world = apply_affine(patient.volume.lps_from_voxel, np.argwhere(mask))
    return apply_affine(invert_affine(patient.truth.levels[level].lps_from_vertebra), world)


def body_mask(patient: Phantom, level: str) -> np.ndarray:
    assert patient.labels.subregions is not None
    is_level = np.asarray(patient.labels.labels) == patient.labels.label_of(level)
    return is_level & (np.asarray(patient.labels.subregions) >= 49)


def label_height_mm(patient: Phantom, level: str, fraction: float) -> float:
    """Length of the label along z, mean over mid-sagittal columns near a place along the depth (0 middle)."""
    truth = patient.truth.levels[level]
    x, y, z = np.meshgrid(
        np.linspace(-3.0, 3.0, 7),
        fraction * truth.depth_mm + np.linspace(-0.5, 0.5, 4),
        np.arange(-20.0, 20.0, 0.05),
        indexing="ij",
    )
    points = apply_affine(truth.lps_from_vertebra, np.stack([x, y, z], axis=-1))
    mask = body_mask(patient, level).astype(np.float32)
    hits = sample_at(mask, patient.volume.geometry, points, interpolation=Interpolation.NEAREST, outside=0.0)
    return float(hits.sum(axis=2).mean()) * 0.05


@pytest.mark.parametrize("level", ["T12", "L1", "L2"])
def test_labels_measure_as_the_truth_says(phantom, level):
    truth = phantom.truth.levels[level]
    errors_mm = [
        label_height_mm(phantom, level, fraction - 0.5) - column_height_mm(truth, fraction)
        for fraction in (0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85)
    ]
    # each end of a column is off by up to half a voxel (1 mm), either way
    assert np.abs(errors_mm).max() <= 1.0
    assert abs(np.mean(errors_mm)) < 0.5
    assert column_height_mm(truth, 0.95) == pytest.approx(truth.heights_mm.anterior)
    assert column_height_mm(truth, 0.05) == pytest.approx(truth.heights_mm.posterior)


def test_truth_of_the_fracture_is_what_was_asked_for(phantom):
    truth = phantom.truth.levels["L1"]

    loss = 100.0 * (1.0 - truth.heights_mm.anterior / truth.unfractured_heights_mm.anterior)
    assert loss == pytest.approx(35.0, abs=0.01)
    assert truth.height_loss_percent == pytest.approx(35.0, abs=0.01)
    assert (truth.genant_grade, truth.genant_shape, truth.oedema) == (2, "wedge", True)
    assert truth.wedge_angle_deg > 12.0
    assert truth.kyphosis_deg is not None
    for level in ("T12", "L2"):
        other = phantom.truth.levels[level]
        assert (other.height_loss_percent, other.genant_grade, other.genant_shape) == (0.0, 0, "none")
        assert other.kyphosis_deg is None


def test_fracture_adds_its_wedge_to_the_kyphosis_across_it():
    whole = make_phantom(replace(SMALL, fractures=(), spacing_mm=(3.0, 3.0, 3.0))).truth
    broken = make_phantom(
        replace(SMALL, fractures=(Fracture("L1", "wedge", 35.0),), spacing_mm=(3.0, 3.0, 3.0))
    ).truth

    added = broken.levels["L1"].wedge_angle_deg - whole.levels["L1"].wedge_angle_deg
    assert added > 10.0
    assert broken.cobb_deg("T12", "L2") - whole.cobb_deg("T12", "L2") == pytest.approx(added, abs=0.3)


def test_frames_are_rigid_and_point_to_the_patients_right_front_and_top(phantom):
    for truth in phantom.truth.levels.values():
        assert is_rigid(truth.lps_from_vertebra)
        assert truth.lps_from_vertebra[0, 0] < -0.9  # right is −L
        assert truth.lps_from_vertebra[1, 1] < -0.8  # anterior is −P
        assert truth.lps_from_vertebra[2, 2] > 0.8


def test_labelled_voxels_are_bone_and_the_rest_of_the_canal_is_not(phantom):
    hu = np.asarray(phantom.volume.hu)
    is_level = np.asarray(phantom.labels.labels) > 0

    # a body's core may hold fat, the basivertebral vein and gas; everything else is well above muscle
    is_core = np.asarray(phantom.labels.subregions) == 50
    gap = np.zeros_like(is_level)
    assert np.mean(hu[is_level & ~is_core & ~gap] > 100) > 0.93
    assert hu[is_level & ~is_core].mean() > 300.0
    assert -120 < hu[phantom.canal > 0].mean() < 150
    assert not (is_level & (phantom.canal > 0)).any()


def test_core_has_the_density_that_was_asked_for(phantom):
    truth = phantom.truth.levels["L2"]
    points = local_points(phantom, "L2", body_mask(phantom, "L2"))
    index = np.argwhere(body_mask(phantom, "L2"))
    inner = (np.abs(points[:, 2]) < 5.0) & (np.abs(points[:, 0]) < 11.0) & (np.abs(points[:, 1] - 4.0) < 6.0)

    values = np.asarray(phantom.volume.hu)[tuple(index[inner].T)]

    assert truth.core_hu == pytest.approx(SMALL.trabecular_hu)
    assert np.median(values) == pytest.approx(truth.core_hu, abs=12.0)


def test_cleft_is_gas_inside_body_and_label(phantom):
    truth = phantom.truth.levels["L1"].cleft
    hu = np.asarray(phantom.volume.hu)
    is_gas = body_mask(phantom, "L1") & (hu < -500)

    assert truth.present
    assert truth.volume_ml == pytest.approx(1.0, rel=0.25)
    assert is_gas.sum() / 1000.0 == pytest.approx(truth.volume_ml, rel=0.35)
    assert float(sample_at(hu, phantom.volume.geometry, truth.centre_lps_mm)) < -700.0
    centre = apply_affine(phantom.volume.lps_from_voxel, np.argwhere(is_gas).mean(axis=0))
    assert np.linalg.norm(centre - truth.centre_lps_mm) < 0.8
    assert not (body_mask(phantom, "L2") & (hu < -300)).any()


def test_retropulsion_narrows_the_canal(phantom):
    whole = make_phantom(replace(SMALL, fractures=(replace(BROKEN, retropulsion_mm=0.0),)))

    lost_ml = (int((whole.canal > 0).sum()) - int((phantom.canal > 0).sum())) / 1000.0

    assert lost_ml > 0.25
    before, after = whole.truth.levels["L1"], phantom.truth.levels["L1"]
    assert before.canal_depth_mm - after.canal_depth_mm == pytest.approx(5.0)


@pytest.mark.parametrize(("gap", "place"), [("anterior_wall_gap_mm", 1), ("posterior_wall_gap_mm", -1)])
def test_gap_leaves_the_wall_without_bright_cortex(gap, place):
    base = replace(
        SMALL,
        levels=("L1",),
        spacing_mm=(1.0, 0.7, 0.7),
        blur_mm=0.2,
        field_of_view_mm=(70.0, 90.0),
        with_soft_tissue=False,
    )
    brightest = {}
    for width in (0.0, 4.0):
        fracture = replace(Fracture("L1", "crush", 20.0), **{gap: width})
        patient = make_phantom(replace(base, fractures=(fracture,)))
        points = local_points(patient, "L1", body_mask(patient, "L1"))
        index = np.argwhere(body_mask(patient, "L1"))
        depth = patient.truth.levels["L1"].depth_mm
        wall = (np.abs(points[:, 0]) < 5.0) & (place * points[:, 1] > 0.5 * depth - 2.0)
        rows = np.round(points[wall][:, 2]).astype(int)
        values = np.asarray(patient.volume.hu)[tuple(index[wall].T)]
        brightest[width] = min(values[rows == row].max() for row in range(-5, 6))

    assert brightest[0.0] > 350.0
    assert brightest[4.0] < 200.0


def test_pedicle_axis_runs_through_bone_and_has_the_isthmus_width(phantom):
    is_bone = (np.asarray(phantom.labels.labels) > 0).astype(np.float32)
    truth = phantom.truth.levels["L2"]
    for side, sign in (("right", 1.0), ("left", -1.0)):
        pedicle = truth.pedicles[side]
        local = apply_affine(invert_affine(truth.lps_from_vertebra), pedicle.isthmus_lps_mm)
        assert sign * local[0] > 10.0
        along = pedicle.isthmus_lps_mm + np.linspace(-6.0, 20.0, 27)[:, None] * pedicle.direction_lps
        assert sample_at(is_bone, phantom.volume.geometry, along).min() > 0.5
        up = truth.lps_from_vertebra[:3, 2]
        across = np.cross(up, pedicle.direction_lps)
        across = across / np.linalg.norm(across)
        line = pedicle.isthmus_lps_mm + np.linspace(-10.0, 10.0, 401)[:, None] * across
        width = float((sample_at(is_bone, phantom.volume.geometry, line) > 0.5).mean() * 20.0)
        assert width == pytest.approx(pedicle.width_mm, abs=1.0)


def test_same_settings_same_bytes_and_other_seed_other_noise():
    settings = replace(SMALL, spacing_mm=(3.0, 3.0, 3.0), noise_hu=20.0)

    first, second = make_phantom(settings), make_phantom(settings)
    other = make_phantom(replace(settings, seed=1))

    assert np.asarray(first.volume.hu).tobytes() == np.asarray(second.volume.hu).tobytes()
    assert np.asarray(first.labels.labels).tobytes() == np.asarray(second.labels.labels).tobytes()
    assert np.asarray(first.volume.hu).tobytes() != np.asarray(other.volume.hu).tobytes()


@pytest.mark.parametrize("rotation", [(0.0, 0.0, 0.0), (8.0, -5.0, 10.0)])
def test_mirror_is_the_exact_mirror_image(rotation):
    settings = replace(
        SMALL, spacing_mm=(2.0, 2.0, 2.0), noise_hu=15.0, grid_rotation_deg=rotation, scoliosis_deg=12.0
    )

    plain, mirrored = make_phantom(settings), make_phantom(replace(settings, mirror=True))

    assert mirrored.volume.geometry.axis_codes == "LPS"
    assert np.array_equal(np.flip(plain.volume.hu, 0), mirrored.volume.hu)
    assert np.array_equal(np.flip(plain.labels.labels, 0), mirrored.labels.labels)
    index = np.array([3.0, 7.0, 11.0])
    partner = np.array([plain.volume.shape[0] - 1 - 3.0, 7.0, 11.0])
    here = apply_affine(plain.volume.lps_from_voxel, index)
    there = apply_affine(mirrored.volume.lps_from_voxel, partner)
    assert there == pytest.approx(here * [-1.0, 1.0, 1.0], abs=1e-9)
    before, after = plain.truth.levels["L2"], mirrored.truth.levels["L2"]
    assert is_rigid(after.lps_from_vertebra)
    assert after.pedicles["left"].isthmus_lps_mm == pytest.approx(
        before.pedicles["right"].isthmus_lps_mm * [-1.0, 1.0, 1.0], abs=1e-9
    )
    assert after.heights_mm == before.heights_mm
    left_transverse = np.asarray(mirrored.labels.subregions) == 43
    assert (
        local_points(mirrored, "L2", left_transverse & (np.asarray(mirrored.labels.labels) == 21))[:, 0].max()
        < 0
    )


@pytest.mark.parametrize("codes", ["RAS", "PIR", "SAL", "ILP"])
def test_axis_order_changes_the_array_but_not_the_world(codes):
    settings = replace(SMALL, spacing_mm=(2.0, 2.5, 3.0), noise_hu=15.0)
    plain, turned = make_phantom(settings), make_phantom(replace(settings, axis_codes=codes))

    assert turned.volume.geometry.axis_codes == codes
    generator = np.random.Generator(np.random.PCG64(1))
    index = generator.integers(0, plain.volume.shape, (200, 3))
    world = apply_affine(plain.volume.lps_from_voxel, index)
    other = np.round(apply_affine(turned.volume.geometry.voxel_from_lps, world)).astype(int)
    assert np.array_equal(plain.volume.hu[tuple(index.T)], turned.volume.hu[tuple(other.T)])
    assert np.array_equal(plain.labels.labels[tuple(index.T)], turned.labels.labels[tuple(other.T)])
    assert np.array_equal(plain.skin[tuple(index.T)], turned.skin[tuple(other.T)])
    assert turned.truth.levels["L1"].lps_from_vertebra == pytest.approx(
        plain.truth.levels["L1"].lps_from_vertebra
    )


def test_turned_patient_and_oblique_grid_keep_heights_and_volume():
    plain = make_phantom(replace(SMALL, spacing_mm=(1.5, 1.5, 1.5)))
    for changed in (
        replace(SMALL, spacing_mm=(1.5, 1.5, 1.5), patient_rotation_deg=(10.0, -8.0, 12.0)),
        replace(SMALL, spacing_mm=(1.5, 1.5, 1.5), grid_rotation_deg=(10.0, -8.0, 12.0)),
    ):
        patient = make_phantom(changed)
        for level in ("T12", "L1", "L2"):
            before, after = plain.truth.levels[level], patient.truth.levels[level]
            assert after.heights_mm == before.heights_mm
            assert after.body_volume_ml == pytest.approx(before.body_volume_ml, rel=0.02)
            assert label_height_mm(patient, level, 0.0) == pytest.approx(after.heights_mm.middle, abs=0.5)


def test_body_volumes_are_plausible_and_grow_downwards():
    patient = make_phantom(
        PhantomSettings(spacing_mm=(2.0, 2.0, 2.0), with_soft_tissue=False, size_variation_percent=0.0)
    )

    volumes = [patient.truth.levels[level].body_volume_ml for level in ("T10", "T12", "L2", "L4")]

    assert volumes == sorted(volumes)
    assert 10.0 < volumes[0] < 25.0
    assert 25.0 < volumes[-1] < 45.0
    assert patient.labels.level_names == ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")


def test_curves_are_as_asked_for():
    patient = make_phantom(
        PhantomSettings(
            levels=(
                "T4",
                "T5",
                "T6",
                "T7",
                "T8",
                "T9",
                "T10",
                "T11",
                "T12",
                "L1",
                "L2",
                "L3",
                "L4",
                "L5",
                "S1",
            ),
            spacing_mm=(4.0, 4.0, 4.0),
            with_soft_tissue=False,
            size_variation_percent=0.0,
            thoracic_kyphosis_deg=45.0,
            lumbar_lordosis_deg=55.0,
        )
    )

    assert patient.truth.cobb_deg("T4", "T12") == pytest.approx(45.0, abs=2.0)
    first, last = patient.truth.levels["L1"].superior_plane, patient.truth.levels["S1"].superior_plane
    lordosis = np.degrees(np.arccos(np.clip(first.normal_lps @ last.normal_lps, -1.0, 1.0)))
    assert lordosis == pytest.approx(55.0, abs=2.0)


def test_scoliosis_bends_to_the_side_asked_for():
    patient = make_phantom(
        PhantomSettings(spacing_mm=(4.0, 4.0, 4.0), with_soft_tissue=False, scoliosis_deg=20.0)
    )

    right_mm = [-level.lps_from_vertebra[0, 3] for level in patient.truth.levels.values()]

    assert max(right_mm) == pytest.approx(max(right_mm[3:6]))
    assert max(right_mm) > right_mm[0] + 5.0
    assert max(right_mm) > right_mm[-1] + 5.0


def test_negative_margin_cuts_the_outer_levels():
    whole = make_phantom(replace(SMALL, spacing_mm=(2.0, 2.0, 2.0)))
    cut = make_phantom(replace(SMALL, spacing_mm=(2.0, 2.0, 2.0), margin_mm=-10.0))

    first = cut.labels.label_of("T12")
    assert (np.asarray(cut.labels.labels) == first)[:, :, -1].sum() > 20
    assert cut.truth.levels["T12"].body_volume_ml < 0.75 * whole.truth.levels["T12"].body_volume_ml
    assert cut.truth.levels["T12"].heights_mm == whole.truth.levels["T12"].heights_mm


def test_organs_lie_on_their_sides():
    patient = make_phantom(PhantomSettings(spacing_mm=(4.0, 4.0, 4.0), noise_hu=0.0))
    l1 = patient.truth.levels["L1"].lps_from_vertebra[:3, 3]
    hu = np.asarray(patient.volume.hu)

    liver = sample_at(hu, patient.volume.geometry, l1 + np.array([-85.0, -40.0, 25.0]))
    mirrored = sample_at(hu, patient.volume.geometry, l1 + np.array([85.0, -40.0, 25.0]))
    aorta = sample_at(hu, patient.volume.geometry, l1 + np.array([9.0, -30.0, -45.0]))

    assert 40.0 < float(liver) < 75.0
    assert abs(float(mirrored) - 58.0) > 15.0
    assert 20.0 < float(aorta) < 120.0
    assert float(hu[0, 0, 0]) < -900.0
    assert patient.skin[0, 0, 0] == 0


def test_contrast_brightens_vessels():
    plain = PhantomSettings(levels=("L2", "L3"), spacing_mm=(3.0, 3.0, 3.0), noise_hu=0.0)
    counts = [
        int(((np.asarray(p.volume.hu) > 150) & (np.asarray(p.volume.hu) < 200)).sum())
        for p in (make_phantom(plain), make_phantom(replace(plain, with_contrast=True)))
    ]

    assert counts[1] > counts[0] + 500


def test_noise_has_the_size_asked_for():
    quiet = replace(SMALL, spacing_mm=(2.0, 2.0, 2.0), levels=("L1",))
    difference = np.asarray(make_phantom(replace(quiet, noise_hu=25.0)).volume.hu, np.float64) - np.asarray(
        make_phantom(quiet).volume.hu
    )

    inside = np.asarray(make_phantom(quiet).volume.hu) > -900
    assert difference[inside].std() == pytest.approx(25.0, rel=0.05)
    assert difference[inside].mean() == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"levels": ("L1", "L3")}, "phantom.levels"),
        ({"levels": ()}, "phantom.levels"),
        ({"levels": ("C7", "T1")}, "phantom.levels"),
        ({"axis_codes": "LLS"}, "phantom.axis_codes"),
        ({"fractures": (Fracture("L4"),)}, "phantom.fractures"),
        ({"fractures": (Fracture("L1"), Fracture("L1"))}, "phantom.fractures"),
        ({"spacing_mm": (0.0, 1.0, 1.0)}, "settings.range"),
    ],
)
def test_impossible_settings_are_refused(change, code):
    with pytest.raises(SettingsError) as caught:
        replace(SMALL, **change)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [({"level": "S1"}, "phantom.fracture_level"), ({"shape": "burst"}, "phantom.fracture_shape")],
)
def test_impossible_fractures_are_refused(change, code):
    with pytest.raises(SettingsError) as caught:
        Fracture(**change)
    assert caught.value.code == code


def test_progress_runs_from_nothing_to_done():
    seen: list[float] = []

    make_phantom(
        replace(SMALL, spacing_mm=(4.0, 4.0, 4.0)), progress=lambda fraction, text: seen.append(fraction)
    )

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
