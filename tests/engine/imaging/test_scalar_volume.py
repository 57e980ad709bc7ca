"""Scalar fields: their shape, their type, their volume, and that nobody can change them."""

import numpy as np
import pytest

from vertebro.errors import GeometryError
from vertebro.imaging import ScalarVolume, VolumeGeometry

GRID = VolumeGeometry.from_spacing((3, 4, 5), (0.5, 1.0, 2.0))


def test_scalar_volume_holds_read_only_values():
    field = ScalarVolume(np.ones((3, 4, 5), np.float32), GRID, "cement share of the voxel")

    with pytest.raises(ValueError, match="read-only"):
        field.values[0, 0, 0] = 2.0


def test_integral_is_the_sum_times_the_voxel_volume():
    values = np.zeros((3, 4, 5), np.float32)
    values[1, 2, 3] = 0.25

    assert ScalarVolume(values, GRID, "cement share of the voxel").integral_ml() == pytest.approx(0.00025)


def test_wrong_shape_says_what_was_got_and_needed():
    with pytest.raises(GeometryError, match=r"\(2, 2, 2\).*\(3, 4, 5\)"):
        ScalarVolume(np.zeros((2, 2, 2), np.float32), GRID, "temperature", "degC")


def test_double_precision_is_refused():
    with pytest.raises(TypeError, match="float32"):
        ScalarVolume(np.zeros((3, 4, 5)), GRID, "temperature", "degC")
