"""Naming from what is in view."""

from __future__ import annotations

import pytest

from vertebro.case.segmentation import NameAnchor
from vertebro.segmentation.level_names import LevelEvidence, names_from, propose_names

LUMBAR = [LevelEvidence(0.0, width) for width in (22.5, 23.2, 24.0, 25.0, 26.0)]


def test_sacrum_names_the_lumbar_spine():
    levels = [*LUMBAR[:-1], LevelEvidence(0.0, 26.0, is_sacrum_below=True)]

    naming = propose_names(levels, 0.8)

    assert naming.anchor is NameAnchor.SACRUM
    assert naming.is_proposed
    assert naming.best_guess == ("L1", "L2", "L3", "L4", "L5")


def test_end_of_the_ribs_names_the_junction():
    levels = [LevelEvidence(1.0, width) for width in (19.0, 20.0, 21.5)] + LUMBAR[:2]

    naming = propose_names(levels, 0.7)

    assert naming.anchor is NameAnchor.RIBS
    assert naming.best_guess == ("T10", "T11", "T12", "L1", "L2")


def test_nothing_is_invented_from_sizes_alone():
    naming = propose_names(LUMBAR[1:3], 0.5)

    assert naming.anchor is NameAnchor.SIZES
    assert not naming.is_proposed


@pytest.mark.parametrize("rib", [0.0, 1.0])
def test_ribs_everywhere_or_nowhere_do_not_anchor(rib):
    naming = propose_names([LevelEvidence(rib, 18.0)] * 4, 0.5)

    assert naming.anchor is NameAnchor.SIZES


def test_one_answer_names_all_and_leaves_room_for_an_extra_level():
    assert names_from([(2, "L1")], 4) == ("T11", "T12", "L1", "L2")
    assert names_from([(1, "T13"), (2, "L1")], 3) == ("T12", "T13", "L1")
    assert names_from([(0, "L5"), (1, "L6")], 3) == ("L5", "L6", "S1")
