"""Images as PNG files without a plotting library: 8-bit grey, colour, or colour with transparency.

References
----------
.. [1] Portable Network Graphics (PNG) Specification, W3C Recommendation, third edition.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}


def png_bytes(image: NDArray[np.uint8], *, pixels_per_mm: tuple[float, float] | None = None) -> bytes:
    r"""An image as PNG; the same image gives the same bytes.

    Parameters
    ----------
    image : (rows, columns) or (rows, columns, 3 or 4) uint8 array
    pixels_per_mm : (across, down), optional
        Written into the file, so that pixels which are not square are shown with the right shape.

    Raises
    ------
    TypeError
        If the array has another shape or type (a programmer's error).

    Examples
    --------
    >>> png_bytes(np.zeros((2, 3), np.uint8))[:4]
    b'\x89PNG'
    """
    n_channels = 1 if image.ndim == 2 else image.shape[-1]
    if (
        image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or n_channels not in _COLOUR_TYPE
        or not image.size
    ):
        raise TypeError(f"a PNG needs 8-bit grey or colour, not {image.dtype} of shape {image.shape}")
    rows, columns = image.shape[:2]
    lines = np.zeros((rows, 1 + columns * n_channels), np.uint8)  # each line begins with "no filter"
    lines[:, 1:] = image.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, _COLOUR_TYPE[n_channels], 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if pixels_per_mm is not None:
        across, down = (round(1000.0 * number) for number in pixels_per_mm)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", across, down, 1)))
    chunks += [_chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def write_png(
    path: str | Path, image: NDArray[np.uint8], *, pixels_per_mm: tuple[float, float] | None = None
) -> None:
    """Write an image as a PNG file.

    Parameters
    ----------
    path : path
    image, pixels_per_mm : as for :func:`png_bytes`

    Examples
    --------
    >>> import tempfile
    >>> write_png(Path(tempfile.mkdtemp()) / "black.png", np.zeros((2, 3), np.uint8))
    """
    Path(path).write_bytes(png_bytes(image, pixels_per_mm=pixels_per_mm))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
