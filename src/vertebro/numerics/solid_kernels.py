"""Compiled lengths of rays in solids; see :mod:`vertebro.numerics.solid_chords`."""

from __future__ import annotations

import math

from numba import njit, types

_OPTIONS = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy"}
_IMAGE = types.Array(types.float32, 2, "C")
_POINT = types.float64[::1]
_VECTORS = types.float64[:, ::1]
_SIZES = types.UniTuple(types.float64, 3)


@njit([types.void(_POINT, _POINT, _VECTORS, _POINT, _POINT, _SIZES, _IMAGE, _IMAGE)], **_OPTIONS)
def tube_lengths(source, first_pixel, steps, start, axis, sizes, wall, whole):  # type: ignore[no-untyped-def]
    """Length of every ray in a straight tube's wall and in the whole tube.

    Parameters
    ----------
    source, first_pixel : (3,) float64
    steps : (2, 3) float64
        Per column and per row.
    start, axis : (3,) float64
        One end's middle, and the unit direction to the other end.
    sizes : three floats
        Length, outer radius, inner radius.
    wall, whole : (rows, columns) float32
        Written.
    """
    length, outer, inner = sizes
    ox, oy, oz = source[0] - start[0], source[1] - start[1], source[2] - start[2]
    along_o = ox * axis[0] + oy * axis[1] + oz * axis[2]
    px, py, pz = ox - along_o * axis[0], oy - along_o * axis[1], oz - along_o * axis[2]
    square = px * px + py * py + pz * pz
    for r in range(wall.shape[0]):
        for c in range(wall.shape[1]):
            dx = first_pixel[0] + c * steps[0, 0] + r * steps[1, 0] - source[0]
            dy = first_pixel[1] + c * steps[0, 1] + r * steps[1, 1] - source[1]
            dz = first_pixel[2] + c * steps[0, 2] + r * steps[1, 2] - source[2]
            scale = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
            dx, dy, dz = dx * scale, dy * scale, dz * scale
            along = dx * axis[0] + dy * axis[1] + dz * axis[2]
            a = max(1.0 - along * along, 1e-15)
            b = (dx - along * axis[0]) * px + (dy - along * axis[1]) * py + (dz - along * axis[2]) * pz
            wall[r, c] = 0.0
            whole[r, c] = 0.0
            root = b * b - a * (square - outer * outer)
            if root <= 0.0:
                continue
            if abs(along) > 1e-12:
                end_0, end_1 = -along_o / along, (length - along_o) / along
            elif 0.0 <= along_o <= length:
                end_0, end_1 = -1e30, 1e30
            else:
                continue
            low, high = min(end_0, end_1), max(end_0, end_1)
            half = math.sqrt(root) / a
            full = max(min(-b / a + half, high) - max(-b / a - half, low), 0.0)
            bore = 0.0
            root = b * b - a * (square - inner * inner)
            if inner > 0.0 and root > 0.0:
                half = math.sqrt(root) / a
                bore = max(min(-b / a + half, high) - max(-b / a - half, low), 0.0)
            whole[r, c] = full
            wall[r, c] = full - bore
