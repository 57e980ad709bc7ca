"""Boxes: every measure by hand, and voxel counts equal to it."""

import numpy as np
import pytest

from vertebro.errors import SettingsError
from vertebro.geometry import apply_affine, invert_affine
from vertebro.phantoms import BoxSettings, make_box_phantom


def columns_mm(phantom) -> np.ndarray:
    """(i, j) heights along the third array axis."""
    return (np.asarray(phantom.labels.labels) > 0).sum(axis=2) * phantom.volume.spacing_mm[2]


def test_box_counts_to_its_size_in_voxels():
    phantom = make_box_phantom(BoxSettings(size_mm=(40.0, 30.0, 24.0), spacing_mm=(0.5, 1.0, 2.0)))

    mask = np.asarray(phantom.labels.labels) > 0

    assert [
        int(mask.any(axis=(1, 2)).sum()),
        int(mask.any(axis=(0, 2)).sum()),
        int(mask.any(axis=(0, 1)).sum()),
    ] == [80, 30, 12]
    assert int(mask.sum()) == 80 * 30 * 12
    assert phantom.labels.names == {20: "L1"}
    assert phantom.truth.heights_mm.anterior == pytest.approx(24.0, abs=1e-9)


def test_odd_number_of_voxels_is_exact_too():
    phantom = make_box_phantom(BoxSettings(size_mm=(41.0, 31.0, 23.0)))

    assert int((np.asarray(phantom.labels.labels) > 0).sum()) == 41 * 31 * 23


def test_wedge_columns_fall_linearly_to_the_front():
    phantom = make_box_phantom(
        BoxSettings(shape="wedge", height_loss_percent=50.0, spacing_mm=(1.0, 1.0, 0.5))
    )

    heights = columns_mm(phantom)[columns_mm(phantom).shape[0] // 2]
    heights = heights[heights > 0]  # from front to back: the second axis runs to posterior

    expected = 12.0 + (np.arange(30) + 0.5) / 30.0 * 12.0
    assert np.abs(heights - expected).max() <= 0.5
    assert phantom.truth.wedge_angle_deg == pytest.approx(np.degrees(np.arctan(12.0 / 30.0)), abs=1e-6)
    assert phantom.truth.edge_heights_mm.anterior == pytest.approx(12.0)
    assert phantom.truth.edge_heights_mm.posterior == pytest.approx(24.0)


def test_biconcave_box_loses_its_middle_alone():
    phantom = make_box_phantom(
        BoxSettings(shape="biconcave", height_loss_percent=40.0, spacing_mm=(1.0, 1.0, 0.5))
    )

    heights = columns_mm(phantom)
    middle = heights[heights.shape[0] // 2, heights.shape[1] // 2]

    assert middle == pytest.approx(24.0 * 0.6, abs=0.5)
    assert heights.max() == 24.0
    assert phantom.truth.surface_heights_mm.middle == pytest.approx(14.4)
    assert phantom.truth.heights_mm.anterior == pytest.approx(24.0)


def test_turned_box_keeps_its_volume_and_truth():
    settings = BoxSettings(size_mm=(40.0, 30.0, 24.0), rotation_deg=(10.0, -15.0, 20.0))

    phantom = make_box_phantom(settings)

    count = int((np.asarray(phantom.labels.labels) > 0).sum())
    assert count == pytest.approx(28800, rel=0.01)
    assert phantom.truth.heights_mm.posterior == pytest.approx(24.0, abs=1e-9)
    index = np.argwhere(np.asarray(phantom.labels.labels) > 0)
    local = apply_affine(
        invert_affine(phantom.truth.lps_from_body), apply_affine(phantom.volume.lps_from_voxel, index)
    )
    assert (np.abs(local).max(axis=0) <= np.array([20.0, 15.0, 12.0])).all()
    assert (np.abs(local).max(axis=0) >= np.array([19.0, 14.0, 11.0])).all()


def test_front_is_anterior_in_the_world():
    phantom = make_box_phantom(BoxSettings(shape="wedge", height_loss_percent=40.0))

    axes = phantom.truth.lps_from_body[:3, :3]

    assert axes[:, 0].tolist() == [-1.0, 0.0, 0.0]
    assert axes[:, 1].tolist() == [0.0, -1.0, 0.0]
    heights = columns_mm(phantom)
    row = heights[heights.shape[0] // 2]
    assert row[row > 0][0] < row[row > 0][-1]  # low in front, the array runs to posterior


def test_unknown_shape_is_refused():
    with pytest.raises(SettingsError, match="box, wedge or biconcave"):
        BoxSettings(shape="sphere")
