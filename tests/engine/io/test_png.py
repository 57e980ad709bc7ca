"""PNG files that another program reads as the same picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vertebro.io.png import png_bytes, write_png


@pytest.mark.parametrize("channels", [None, 3, 4])
def test_another_program_reads_the_same_picture(tmp_path, channels):
    shape = (5, 7) if channels is None else (5, 7, channels)
    image = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    write_png(tmp_path / "x.png", image)
    with Image.open(tmp_path / "x.png") as read:
        np.testing.assert_array_equal(np.asarray(read), image)


def test_pixel_size_is_kept():
    content = png_bytes(np.zeros((2, 2), np.uint8), pixels_per_mm=(4.0, 2.0))
    with Image.open(io.BytesIO(content)) as read:
        read.load()
        assert read.info["dpi"] == pytest.approx((4.0 * 25.4, 2.0 * 25.4), rel=1e-3)


@pytest.mark.parametrize(
    "image", [np.zeros((2, 2)), np.zeros((2, 2, 2), np.uint8), np.zeros((0, 2), np.uint8)]
)
def test_what_is_no_picture_is_a_programmers_error(image):
    with pytest.raises(TypeError):
        png_bytes(image)
