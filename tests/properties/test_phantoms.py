"""Phantoms over random shapes, poses, grids and fractures: labels, image and truth stay of one mind."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from vertebro.geometry import apply_affine, invert_affine, is_rigid
from vertebro.imaging import Interpolation, sample_at
from vertebro.phantoms import BoxSettings, PhantomSettings, column_height_mm, make_box_phantom, make_phantom
from vertebro.phantoms.strategies import box_settings, phantom_settings

QUICK = settings(
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def label_height_mm(mask: np.ndarray, geometry, lps_from_vertebra: np.ndarray, y_mm: float) -> float:
    """Mean length of a label along the vertebra's z near a mid-sagittal place."""
    x, y, z = np.meshgrid(
        np.linspace(-3.0, 3.0, 7),
        y_mm + np.linspace(-0.75, 0.75, 4),
        np.arange(-22.0, 22.0, 0.1),
        indexing="ij",
    )
    points = apply_affine(lps_from_vertebra, np.stack([x, y, z], axis=-1))
    hits = sample_at(mask, geometry, points, interpolation=Interpolation.NEAREST, outside=0.0)
    return float(hits.sum(axis=2).mean()) * 0.1


@given(phantom_settings(spacing_mm=(1.0, 2.5)))
@QUICK
def test_labels_agree_with_the_truth(chosen: PhantomSettings):
    phantom = make_phantom(chosen)

    assert phantom.volume.geometry.axis_codes == chosen.axis_codes
    assert phantom.labels.level_names == chosen.levels
    coarsest = max(chosen.spacing_mm)
    subregions = np.asarray(phantom.labels.subregions)
    for name, truth in phantom.truth.levels.items():
        assert is_rigid(truth.lps_from_vertebra)
        mask = ((np.asarray(phantom.labels.labels) == truth.label) & (subregions >= 49)).astype(np.float32)
        errors_mm = []
        for fraction in (0.2, 0.35, 0.5, 0.65, 0.8):
            y_mm = (fraction - 0.5) * truth.depth_mm
            height = label_height_mm(mask, phantom.volume.geometry, truth.lps_from_vertebra, y_mm)
            errors_mm.append(height - column_height_mm(truth, fraction))
        # each end of a column is off by up to half a voxel, either way
        assert np.abs(errors_mm).max() < coarsest + 0.1, name
        assert abs(np.mean(errors_mm)) < 0.7 * coarsest, name


@given(phantom_settings(spacing_mm=(1.5, 3.0)))
@QUICK
def test_fracture_loses_what_was_asked_for_and_others_nothing(chosen: PhantomSettings):
    phantom = make_phantom(chosen)

    asked = {fracture.level: fracture for fracture in chosen.fractures}
    for name, truth in phantom.truth.levels.items():
        if name not in asked:
            assert truth.height_loss_percent < 1e-9
            continue
        kind = {"wedge": "anterior", "biconcave": "middle", "crush": "posterior"}[asked[name].shape]
        before, after = getattr(truth.unfractured_heights_mm, kind), getattr(truth.heights_mm, kind)
        lost = 100.0 * (1.0 - after / before)
        if asked[name].height_loss_percent > 0.0:
            assert abs(lost - asked[name].height_loss_percent) < 0.05
        assert truth.height_loss_percent >= lost - 1e-9


@given(phantom_settings(spacing_mm=(1.5, 3.0)))
@QUICK
def test_image_and_masks_fit_together(chosen: PhantomSettings):
    phantom = make_phantom(chosen)

    hu, labels = np.asarray(phantom.volume.hu), np.asarray(phantom.labels.labels)
    subregions = np.asarray(phantom.labels.subregions)
    assert ((labels > 0) == (subregions > 0)).all()
    assert set(np.unique(subregions)) <= {0, *range(41, 51)}
    assert not ((phantom.canal > 0) & (labels > 0)).any()
    assert (phantom.skin[labels > 0] == 1).all()
    assert hu[(labels > 0) & (subregions < 50)].mean() > 220.0
    for truth in phantom.truth.levels.values():
        for side, sign in (("right", 1.0), ("left", -1.0)):
            local = apply_affine(invert_affine(truth.lps_from_vertebra), truth.pedicles[side].isthmus_lps_mm)
            assert sign * local[0] > 6.0
            assert local[1] < 0.0


@given(box_settings())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_boxes_count_to_their_volume(chosen: BoxSettings):
    phantom = make_box_phantom(chosen)

    truth = phantom.truth
    mask = np.asarray(phantom.labels.labels) > 0
    counted = float(mask.sum()) * phantom.volume.geometry.voxel_volume_mm3
    if chosen.shape == "biconcave":
        assert counted < truth.width_mm * truth.depth_mm * truth.edge_heights_mm.posterior * 1.12
        return
    edges = truth.edge_heights_mm
    volume = truth.width_mm * truth.depth_mm * 0.5 * (edges.anterior + edges.posterior)
    assert abs(counted - volume) / volume < 0.05 + 0.05 * max(chosen.spacing_mm)
