"""Agreement of two label volumes: by overlap, whatever the levels are called."""

import numpy as np
import pytest

from vertebro.imaging import LabelVolume, VolumeGeometry
from vertebro.segmentation import agreement

GRID = VolumeGeometry.from_spacing((4, 4, 8), (1.0, 1.0, 1.0))


def labels(**spans: tuple[int, int, int]) -> LabelVolume:
    array = np.zeros(GRID.shape, np.uint8)
    for number, start, stop in spans.values():
        array[:, :, start:stop] = number
    return LabelVolume(array, GRID, {number: name for name, (number, _, _) in spans.items()})


def test_levels_are_paired_by_overlap_not_by_name():
    (first, second) = agreement(labels(L1=(20, 0, 4), L2=(21, 4, 8)), labels(T12=(19, 0, 4), L1=(20, 4, 8)))

    assert (first.name, first.other_name, first.dice) == ("L1", "T12", 1.0)
    assert (second.name, second.other_name) == ("L2", "L1")


def test_half_an_overlap_gives_its_dice():
    (only,) = agreement(labels(L1=(20, 0, 4)), labels(L1=(20, 2, 6)))

    assert only.dice == pytest.approx(0.5)


def test_levels_of_one_side_only_are_told():
    found = agreement(labels(L1=(20, 0, 2)), labels(L3=(22, 4, 8)))

    assert [(item.name, item.other_name) for item in found] == [("L1", ""), ("", "L3")]


def test_other_grids_are_brought_onto_the_first():
    fine = VolumeGeometry.from_spacing((8, 8, 16), (0.5, 0.5, 0.5))
    array = np.zeros(fine.shape, np.uint8)
    array[:, :, :8] = 20

    (only,) = agreement(labels(L1=(20, 0, 4)), LabelVolume(array, fine, {20: "L1"}))

    assert only.dice > 0.85
