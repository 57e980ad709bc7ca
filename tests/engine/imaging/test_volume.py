"""CT volumes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vertebro.errors import GeometryError
from vertebro.findings import finding
from vertebro.geometry import apply_affine
from vertebro.imaging import ImageFacts, Volume, VolumeGeometry

GRID = VolumeGeometry.from_spacing((3, 4, 5), (1.0, 1.5, 2.0), (10.0, 20.0, 30.0))
HU = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


def test_a_volume_shows_its_grid() -> None:
    volume = Volume(HU, GRID)

    assert volume.shape == (3, 4, 5)
    assert volume.spacing_mm == (1.0, 1.5, 2.0)
    assert volume.lps_from_voxel is GRID.lps_from_voxel
    assert volume.facts == ImageFacts()


def test_values_cannot_be_changed_through_the_volume() -> None:
    volume = Volume(HU.copy(), GRID)

    with pytest.raises(ValueError, match="read-only"):
        volume.hu[0, 0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        volume.hu = HU  # type: ignore[misc]


def test_the_caller_s_own_array_stays_writable_and_is_not_copied() -> None:
    array = HU.copy()

    volume = Volume(array, GRID)

    assert array.flags.writeable
    assert np.shares_memory(array, volume.hu)


def test_a_shape_that_is_not_the_grid_s_is_refused() -> None:
    with pytest.raises(GeometryError) as caught:
        Volume(HU.transpose(2, 1, 0), GRID)

    assert caught.value.code == "volume.shape"
    assert "(5, 4, 3)" in str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64, bool])
def test_other_types_than_int16_and_float32_are_a_programmer_s_error(dtype: type) -> None:
    with pytest.raises(TypeError, match="hu must be int16 or float32"):
        Volume(HU.astype(dtype), GRID)  # type: ignore[arg-type]


def test_further_findings_are_added_to_a_new_volume() -> None:
    first = Volume(HU, GRID, findings=(finding("image.metal", "Metal at the left hip."),))

    second = first.with_findings(finding("image.metal", "Metal at L4."))

    assert [item.message for item in second.findings] == ["Metal at the left hip.", "Metal at L4."]
    assert len(first.findings) == 1


def test_crop_keeps_values_where_they_were_in_the_world() -> None:
    volume = Volume(HU, GRID)

    part = volume.crop((1, 0, 2), (3, 3, 4))

    assert part.hu.tolist() == HU[1:3, 0:3, 2:4].tolist()
    assert apply_affine(part.lps_from_voxel, [0, 0, 0]).tolist() == [11.0, 20.0, 34.0]
    assert not part.hu.flags.writeable


@pytest.mark.parametrize(("axis", "expected"), [(2, ("s2", "s3")), (0, ("s1",)), (1, ("s0", "s1", "s2"))])
def test_crop_keeps_the_identifiers_of_the_remaining_slices(axis: int, expected: tuple[str, ...]) -> None:
    uids = tuple(f"s{number}" for number in range(GRID.shape[axis]))
    volume = Volume(HU, GRID, ImageFacts(sop_instance_uids=uids, slice_axis=axis))

    part = volume.crop((1, 0, 2), (2, 3, 4))

    assert part.facts.sop_instance_uids == expected


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ((0, 0, 0), (3, 4, 6)),
        ((-1, 0, 0), (3, 4, 5)),
        ((-2, 0, 0), (-1, 4, 5)),
        ((2, 0, 0), (2, 4, 5)),
        ((2, 0, 0), (1, 4, 5)),
    ],
)
def test_crop_beyond_the_volume_or_of_nothing_is_refused(
    start: tuple[int, int, int], stop: tuple[int, int, int]
) -> None:
    with pytest.raises(GeometryError) as caught:
        Volume(HU, GRID).crop(start, stop)

    assert caught.value.code == "volume.crop"
