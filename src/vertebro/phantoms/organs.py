"""Organs as a list of ellipsoids, placed by level: enough to make a trunk look like one.

One row per ellipsoid: centre x, y, z and half axes a, b, c (patient frame, mm), CT value, kind. Earlier
rows hide later ones. Places and sizes are assumed from everyday anatomy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

SOLID: Final = 0.0
FLUID: Final = 1.0
FAECES: Final = 2.0
GAS: Final = 3.0
SINUS: Final = 4.0

Row = tuple[float, ...]


def make_organs(
    heights: Mapping[str, float], half_width_mm: float, with_contrast: bool, generator: np.random.Generator
) -> NDArray[np.float64]:
    """All organs of the upper and lower abdomen.

    Parameters
    ----------
    heights : mapping of level name to patient z
    half_width_mm : float
        Of the trunk; organs at the flanks keep their distance from it.
    with_contrast : bool
    generator : numpy.random.Generator
        Places the bowel.
    """
    wide = half_width_mm / 165.0
    rows = [
        *_upper(heights, wide, with_contrast),
        *_colon(heights, wide),
        *_small_bowel(heights, wide, generator),
    ]
    return np.array(rows, dtype=np.float64)


def _upper(z: Mapping[str, float], wide: float, with_contrast: bool) -> list[Row]:
    kidney, liver, spleen = (170.0, 108.0, 118.0) if with_contrast else (33.0, 58.0, 48.0)
    rows: list[Row] = []
    for side, level in ((1.0, "L2"), (-1.0, "L1")):
        rise = 8.0 if side < 0.0 else 14.0
        rows.append((side * 55.0 * wide, -8.0, z[level] + rise, 13.0, 10.0, 27.0, -80.0, SINUS))
        rows.append((side * 63.0 * wide, -14.0, z[level] + rise, 28.0, 30.0, 54.0, kidney, SOLID))
    return [
        *rows,
        (56.0 * wide, 74.0, z["L1"] - 8.0, 14.0, 17.0, 24.0, 6.0, SOLID),
        (78.0 * wide, 34.0, z["T12"] + 6.0, 76.0 * wide, 80.0, 82.0, liver, SOLID),
        (8.0, 78.0, z["T11"], 70.0 * wide, 34.0, 46.0, liver, SOLID),
        (-104.0 * wide, -18.0, z["T11"] - 6.0, 26.0, 42.0, 50.0, spleen, SOLID),
        (-58.0 * wide, 88.0, z["T12"], 30.0, 18.0, 34.0, -930.0, GAS),
        (-58.0 * wide, 60.0, z["T12"] - 4.0, 42.0, 44.0, 52.0, 22.0, FLUID),
        (-12.0, 52.0, z["L1"], 56.0, 11.0, 13.0, 38.0, SOLID),
        (44.0, 44.0, z["L2"], 15.0, 14.0, 34.0, 24.0, FLUID),
    ]


def _colon(z: Mapping[str, float], wide: float) -> list[Row]:
    rows: list[Row] = []
    drop = z["L2"] - z["S1"]
    for step in range(6):
        height = z["L2"] - drop * step / 4.5
        rows.append((100.0 * wide, 22.0 + 3.0 * (step % 2), height, 23.0, 24.0, 19.0, 10.0, FAECES))
        rows.append((-106.0 * wide, 6.0 + 4.0 * (step % 2), height + 8.0, 15.0, 17.0, 19.0, 15.0, FAECES))
    for step in range(7):
        x = (-84.0 + 28.0 * step) * wide
        sag = 22.0 * (1.0 - (step - 3.0) ** 2 / 9.0)
        rows.append((x, 99.0, z["L2"] - sag, 18.0, 8.0, 17.0, -900.0, GAS))
        rows.append((x, 90.0, z["L2"] - sag, 20.0, 18.0, 20.0, 15.0, FAECES))
    return rows


def _small_bowel(z: Mapping[str, float], wide: float, generator: np.random.Generator) -> list[Row]:
    rows: list[Row] = []
    for _ in range(44):
        x, y, height = generator.uniform((-78.0, 48.0, z["S1"] - 20.0), (74.0, 98.0, z["L2"] + 8.0))
        a, b, c = generator.uniform((13.0, 10.0, 13.0), (25.0, 15.0, 30.0))
        tone = float(generator.uniform(8.0, 40.0))
        if generator.random() < 0.25:
            rows.append((x * wide, y + 0.45 * b, height, 0.7 * a, 0.45 * b, 0.7 * c, -900.0, GAS))
        rows.append((x * wide, y, height, a, b, c, tone, FLUID))
    return rows
