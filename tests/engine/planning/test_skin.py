"""From the bone to the skin: found, outside the scan, behind lung, in front of a table."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.imaging import Volume, VolumeGeometry
from vertebro.planning.skin import find_skin

BONE = np.array([10.0, 0.0, 10.0])
BACKWARDS = np.array([0.0, 1.0, 0.0])
SOFT, AIR, CORTEX = 40.0, -1000.0, 900.0


def _volume(*layers: tuple[float, float]) -> Volume:
    """Layers along y of (thickness in mm, CT value), starting at the bone."""
    column = np.concatenate([np.full(int(thickness), hu) for thickness, hu in layers]).astype(np.float32)
    hu = np.broadcast_to(column[None, :, None], (20, len(column), 20)).copy()
    return Volume(hu, VolumeGeometry.from_spacing(hu.shape, (1.0, 1.0, 1.0)))


def test_the_skin_is_where_the_room_begins() -> None:
    found = find_skin(_volume((60, SOFT), (40, AIR)), BONE, BACKWARDS, 250.0)

    assert found.length_mm == pytest.approx(60.0, abs=1.0)
    assert found.entry_lps_mm == pytest.approx([10.0, found.length_mm, 10.0])
    assert found.air_mm == 0.0
    assert found.other_bone_mm == 0.0


def test_a_scan_that_ends_in_the_body_has_no_skin() -> None:
    found = find_skin(_volume((60, SOFT)), BONE, BACKWARDS, 250.0)

    assert found.entry_lps_mm is None
    assert found.length_mm is None


def test_lung_is_no_skin_and_is_measured() -> None:
    found = find_skin(_volume((20, SOFT), (15, -850.0), (40, SOFT), (40, AIR)), BONE, BACKWARDS, 250.0)

    assert found.length_mm == pytest.approx(75.0, abs=1.0)
    assert found.air_mm == pytest.approx(15.0, abs=1.5)


def test_a_table_behind_a_narrow_gap_is_not_the_body() -> None:
    layers = ((60, SOFT), (4, AIR), (3, 100.0), (25, -900.0), (3, 100.0), (40, AIR))

    found = find_skin(_volume(*layers), BONE, BACKWARDS, 250.0)

    assert found.length_mm == pytest.approx(60.0, abs=1.0)
    assert found.air_mm == 0.0


def test_another_bone_on_the_way_is_measured() -> None:
    found = find_skin(_volume((20, SOFT), (6, CORTEX), (34, SOFT), (40, AIR)), BONE, BACKWARDS, 250.0)

    assert found.other_bone_mm == pytest.approx(6.0, abs=1.0)
