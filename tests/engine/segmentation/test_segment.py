"""The built-in segmentation: found levels against known truth, and silence where there is no spine."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from real_data import real_data
from vertebro.imaging import ImageFacts, Volume, VolumeGeometry
from vertebro.io import read_ct, read_labels
from vertebro.phantoms import Fracture, PhantomSettings, make_phantom
from vertebro.segmentation import segment_spine

GRID = VolumeGeometry.from_spacing((90, 90, 60), (2.0, 2.0, 2.0))
BODY_PARTS = (49, 50)


def dice(one, other):
    return 2.0 * (one & other).sum() / (one.sum() + other.sum())


@cache
def patient():
    return make_phantom(
        PhantomSettings(
            levels=("T11", "T12", "L1", "L2"),
            fractures=(Fracture("L1", "wedge", 35.0),),
            spacing_mm=(1.5, 1.5, 1.5),
            field_of_view_mm=(140.0, 160.0),
            margin_mm=15.0,
            seed=3,
        )
    )


@cache
def found():
    return segment_spine(patient().volume)


def body_of(labels, name):
    return (labels.labels == labels.label_of(name)) & np.isin(labels.subregions, BODY_PARTS)


@pytest.mark.slow
def test_every_level_of_a_phantom_is_found_once():
    truth = patient().labels

    overlaps = [
        max(dice(body_of(truth, name), body_of(found().labels, other)) for other in found().levels)
        for name in truth.level_names
    ]

    assert len(found().levels) == len(truth.level_names)
    assert min(overlaps) > 0.82


@pytest.mark.slow
def test_canal_lies_where_the_phantom_has_it():
    truth = patient().canal.astype(bool)
    line = found().canal_line_lps_mm
    geometry = patient().volume.geometry
    index = np.rint((line @ geometry.voxel_from_lps[:3, :3].T) + geometry.voxel_from_lps[:3, 3]).astype(int)
    inside = np.all((index >= 0) & (index < np.array(truth.shape)), axis=1)

    share = truth[tuple(index[inside].T)].mean()

    assert share > 0.9
    assert dice(truth, found().canal.astype(bool)) > 0.6


@pytest.mark.slow
def test_same_volume_gives_the_same_labels():
    again = segment_spine(patient().volume)

    np.testing.assert_array_equal(again.labels.labels, found().labels.labels)


@pytest.mark.slow
def test_axis_order_of_the_file_changes_next_to_nothing():
    volume = patient().volume
    affine = volume.lps_from_voxel[:, [2, 0, 1, 3]]
    turned = Volume(
        np.ascontiguousarray(volume.hu.transpose(2, 0, 1)),
        VolumeGeometry((volume.shape[2], volume.shape[0], volume.shape[1]), affine),
        volume.facts,
    )

    other = segment_spine(turned)

    assert dice(other.labels.labels.transpose(1, 2, 0) > 0, found().labels.labels > 0) > 0.999


def quiet(values, facts=None):
    noise = np.random.default_rng(0).normal(0.0, 15.0, values.shape)
    return segment_spine(Volume((values + noise).astype(np.float32), GRID, facts or ImageFacts()))


def round_body(fill_hu):
    i, j, _ = np.indices(GRID.shape)
    return np.where(np.hypot(i - 45, j - 45) < 38, fill_hu, -1000.0)


def thighs():
    i, j, _ = np.indices(GRID.shape)
    values = round_body(-80.0)
    for centre in (25, 65):
        bone = np.hypot(i - centre, j - 48)
        values[bone < 13] = 250.0
        values[bone < 10] = 60.0
    return values


def head():
    distance = np.sqrt(
        sum((axis - middle) ** 2 for axis, middle in zip(np.indices(GRID.shape), (45, 45, 30), strict=True))
    )
    return np.where(distance < 36, np.where(distance < 33, 40.0, 900.0), -1000.0)


@pytest.mark.parametrize("values", [round_body(0.0), thighs(), head()], ids=["water", "thighs", "head"])
def test_no_labels_without_a_spine(values):
    result = quiet(values)

    assert not result.labels.labels.any()
    assert [entry.code for entry in result.findings] == ["segment.no_spine"]


def test_an_mr_is_refused():
    result = quiet(np.clip(round_body(300.0), 0.0, None) + 100.0, ImageFacts(modality="MR"))

    assert not result.levels
    assert "MR" in result.findings[0].message


REAL = {
    "verse012-L1-fracture": ("ct.nii.gz", "vertebrae.nii.gz", ("T10", "T11", "T12", "L1", "L2", "L3"), 0.85),
    "abdomen-3mm": ("ct.nii.gz", "totalsegmentator_labels.nii.gz", ("L1", "L2", "L3", "L4", "L5"), 0.80),
}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("folder", list(REAL))
def test_whole_vertebrae_of_real_scans(folder):
    ct, labels, uncut, least = REAL[folder]
    volume = read_ct(real_data(folder, ct))
    truth = read_labels(real_data(folder, labels), volume)

    mine = segment_spine(volume).labels

    overlap = {
        name: dice(truth.labels == truth.label_of(name), mine.labels == mine.label_of(name)) for name in uncut
    }
    assert min(overlap.values()) > least
    assert np.mean(list(overlap.values())) > 0.86


@pytest.mark.slow
@pytest.mark.real_data
def test_crop_without_ribs_or_sacrum_asks_for_a_name():
    volume = read_ct(real_data("lumbar-crop-subregions", "ct.nii.gz"))

    result = segment_spine(replace(volume, findings=()))

    assert list(result.levels) == ["unnamed 1", "unnamed 2"]
    assert "segment.name_one_level" in [entry.code for entry in result.findings]
