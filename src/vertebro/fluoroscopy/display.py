"""From the detector's signal to the picture on a monitor: logarithm, edge mask, window, shutters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.fluoroscopy.coarse_fields import bilinear_up, block_mean
from vertebro.fluoroscopy.settings import DisplaySettings
from vertebro.numerics import gaussian_blur

FAINTEST_SIGNAL = 1e-5
"""Signals below this read as this, as a detector's last bit does."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which span of −ln(signal) the grey scale covers."""

    low: float
    high: float


def depth(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """``−ln(signal)``: how much stands in the beam."""
    return np.asarray(-np.log(np.maximum(signal, np.float32(FAINTEST_SIGNAL))))


def automatic_window(
    image: NDArray[np.float32],
    body_depth: NDArray[np.float32],
    field: tuple[slice, slice],
    settings: DisplaySettings,
    covered: NDArray[np.bool_] | None = None,
) -> Window:
    """A window over the body in the middle of the open field, as brightness control would set it.

    Needles and cement do not count, so that the anatomy looks the same with and without them.

    Parameters
    ----------
    image : (rows, columns) array
        What will be shown.
    body_depth : (rows, columns) array
        −ln(signal), to tell the body from the open beam beside it.
    field : slices
        Of the open field.
    settings : DisplaySettings
    covered : (rows, columns) bool array, optional
        Where instruments are.
    """
    rows, columns = field
    height, width = rows.stop - rows.start, columns.stop - columns.start
    step = max(1, int(np.sqrt(height * width / 40_000)))
    middle = (
        slice(rows.start + height // 20, max(rows.stop - height // 20, rows.start + height // 20 + 1), step),
        slice(
            columns.start + width // 20,
            max(columns.stop - width // 20, columns.start + width // 20 + 1),
            step,
        ),
    )
    sample, thickness = image[middle], body_depth[middle]
    is_body = thickness > body_threshold(thickness)
    inner = ndimage.binary_erosion(is_body, iterations=max(1, min(is_body.shape) // 20), border_value=1)
    is_body = inner if inner.mean() > 0.05 else is_body
    if covered is not None:
        is_body &= ~covered[middle]
    chosen = sample[is_body] if is_body.mean() > 0.05 else sample
    low, high = np.percentile(
        chosen, [100.0 - settings.window_high_percentile, 100.0 - settings.window_low_percentile]
    )
    high = max(float(high), float(low) + 0.05)
    return Window(max(float(low), high - settings.widest_window), high)


def filtered_depth(
    signal: NDArray[np.float32], settings: DisplaySettings, pixel_mm: float
) -> NDArray[np.float32]:
    """−ln(signal) with slow changes flattened and edges raised."""
    image = depth(signal)
    flat = flattened(image, settings.flatten, settings.flatten_kernel_mm / pixel_mm)
    return edge_enhanced(flat, settings.edge_gain, settings.edge_kernel_mm / pixel_mm)


def flattened(image: NDArray[np.float32], share: float, sigma_px: float) -> NDArray[np.float32]:
    """Take out a share of the body's slow brightness changes."""
    return image if share <= 0.0 else image - slow_changes(image, share, sigma_px)


def slow_changes(image: NDArray[np.float32], share: float, sigma_px: float) -> NDArray[np.float32]:
    """``share·(slow − typical)``; the open beam beside the body does not count.

    ``slow`` is the wide average over the body around a pixel, ``typical`` the body's median.
    """
    step = max(1, int(sigma_px / 4.0))
    blocks = block_mean(image, step)
    body = (blocks > body_threshold(blocks)).astype(np.float32)
    width = sigma_px / step
    around = ndimage.gaussian_filter(body, width, mode="nearest")
    wide = ndimage.gaussian_filter(blocks * body, width, mode="nearest") / np.maximum(around, 1e-3)
    typical = float(np.median(blocks[body > 0.0])) if body.any() else 0.0
    excess = np.where(around > 1e-3, wide - typical, 0.0).astype(np.float32)
    return np.float32(share) * bilinear_up(excess, step, image.shape)


def body_threshold(thickness: NDArray[np.float32]) -> float:
    """Depth above which a pixel shows the body and not the open beam beside it."""
    return 0.5 * float(np.percentile(thickness, 90.0))


def edge_enhanced(image: NDArray[np.float32], gain: float, sigma_px: float) -> NDArray[np.float32]:
    """Unsharp mask: ``image + gain·(image − blurred)``."""
    if gain <= 0.0:
        return image
    smooth = gaussian_blur(image, sigma_px)
    return np.asarray(image + np.float32(gain) * (image - smooth))


def to_grey(image: NDArray[np.float32], window: Window, settings: DisplaySettings) -> NDArray[np.uint8]:
    """Depth to grey values; dense things dark unless the settings say otherwise."""
    share = (image - np.float32(window.low)) / np.float32(window.high - window.low)
    share = np.clip(share, 0.0, 1.0, out=share)
    if settings.bone_is_dark:
        share = np.float32(1.0) - share
    if settings.gamma != 1.0:
        share = share ** np.float32(settings.gamma)
    return (share * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)


def open_field(shape: tuple[int, int], collimation: tuple[float, float, float, float]) -> tuple[slice, slice]:
    """Rows and columns that the shutters leave open.

    Examples
    --------
    >>> open_field((100, 200), (0.25, 0.25, 0.0, 0.5))
    (slice(0, 50, None), slice(50, 150, None))
    """
    left, right, top, bottom = collimation
    rows, columns = shape
    first_row, last_row = round(top * rows), rows - round(bottom * rows)
    first_column, last_column = round(left * columns), columns - round(right * columns)
    return (
        slice(first_row, max(last_row, first_row + 1)),
        slice(first_column, max(last_column, first_column + 1)),
    )


def shuttered(pixels: NDArray[np.uint8], field: tuple[slice, slice]) -> NDArray[np.uint8]:
    """The picture with black shutters."""
    result = np.zeros_like(pixels)
    result[field] = pixels[field]
    return result
