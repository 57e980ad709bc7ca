"""Corrections of a segmented phantom: they do what they say, and a careless click costs nothing."""

from functools import cache

import numpy as np
import pytest

from small_patient import small_phantom
from vertebro.case import (
    AddLevel,
    MergeLevels,
    MoveDisc,
    NameAnchor,
    NameEnd,
    NameLevel,
    Paint,
    RemoveLevel,
    SplitLevel,
)
from vertebro.errors import InputError
from vertebro.segmentation import correct, segment_spine

pytestmark = pytest.mark.slow


@cache
def found():
    """The small phantom segmented and named once for all tests here."""
    volume = small_phantom().volume
    return correct(volume, segment_spine(volume), [NameEnd("lowest", "L2")])


def place(name):
    return tuple(float(value) for value in found().levels[name].centre_lps_mm)


def corrected(*corrections):
    return correct(small_phantom().volume, found(), corrections)


def mask(segmentation, name):
    return segmentation.labels.labels == segmentation.levels[name].label


def dice(a, b):
    return 2.0 * (a & b).sum() / (a.sum() + b.sum())


def test_one_answer_names_all_levels():
    assert list(found().levels) == ["T12", "L1", "L2"]
    assert found().naming.anchor is NameAnchor.GIVEN


def test_a_later_name_counts():
    renamed = corrected(NameLevel(place("L1"), "L3"))

    assert list(renamed.levels) == ["L2", "L3", "L4"]


def test_a_removed_level_is_gone_and_comes_back():
    without = corrected(RemoveLevel(place("T12")))
    volume = small_phantom().volume
    again = correct(volume, without, [AddLevel(place("T12"))])

    assert list(without.levels) == ["L1", "L2"]
    assert list(again.levels) == ["T12", "L1", "L2"]
    np.testing.assert_array_equal(again.labels.labels, found().labels.labels)


def test_merged_levels_become_one_and_others_stay():
    merged = corrected(MergeLevels(place("T12"), place("L1")))

    assert len(merged.levels) == 2
    assert dice(mask(merged, "L2"), mask(found(), "L2")) > 0.97


@pytest.mark.parametrize("seed", range(4))
def test_a_split_5_mm_off_finds_the_disc_all_the_same(seed):
    merged = corrected(MergeLevels(place("T12"), place("L1")))
    away = np.random.default_rng(seed).normal(size=3)
    away *= 5.0 / np.linalg.norm(away)
    middle = 0.5 * (np.array(place("T12")) + np.array(place("L1"))) + away

    split = correct(small_phantom().volume, merged, [SplitLevel(tuple(middle))])

    assert list(split.levels) == ["T12", "L1", "L2"]
    truth = small_phantom().labels
    for name in ("T12", "L1"):
        real = truth.labels == truth.label_of(name)
        assert dice(mask(split, name), real) > dice(mask(found(), name), real) - 0.03


def test_a_disc_moved_to_where_it_is_changes_little():
    middle = tuple(0.5 * (np.array(place("L1")) + np.array(place("L2"))))

    moved = corrected(MoveDisc(middle, middle))

    for name in found().levels:
        assert dice(mask(moved, name), mask(found(), name)) > 0.95


def test_paint_and_erase_change_what_lies_under_them_and_nothing_else():
    at = place("L1")

    painted = corrected(Paint(at, 6.0, ""), Paint(at, 3.0, "L2"))

    changed = painted.labels.labels != found().labels.labels
    geometry = painted.labels.geometry
    index = np.argwhere(changed)
    world = index @ geometry.lps_from_voxel[:3, :3].T + geometry.lps_from_voxel[:3, 3]
    assert np.linalg.norm(world - at, axis=1).max() <= 6.0
    near = np.rint(np.linalg.solve(geometry.lps_from_voxel, [*at, 1.0])[:3]).astype(int)
    assert painted.labels.labels[tuple(near)] == painted.levels["L2"].label


def test_paint_for_a_level_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="T12, L1, L2"):
        corrected(Paint(place("L1"), 3.0, "L5"))


def test_a_click_in_the_air_is_refused():
    with pytest.raises(InputError, match="vertebra that was found"):
        corrected(RemoveLevel((0.0, 0.0, 5000.0)))


def test_the_first_segmentation_is_left_as_it_was():
    before = found().labels.labels.copy()

    corrected(RemoveLevel(place("L1")), Paint(place("L2"), 5.0, ""))

    np.testing.assert_array_equal(found().labels.labels, before)
