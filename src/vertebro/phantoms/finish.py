"""Tones, thicknesses, clefts and gaps of a vertebra: the finish vector of the painting kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms import bone_kernels as paint
from vertebro.phantoms.settings import PhantomSettings
from vertebro.phantoms.spine import PhantomVertebra

_CLEFT_WIDTH_BY_HEIGHT, _CLEFT_DEPTH_BY_HEIGHT = 3.2, 2.6
"""Proportions of a cleft; assumed: clefts are flat and lie along the broken endplate."""


def make_finish(vertebra: PhantomVertebra, settings: PhantomSettings) -> NDArray[np.float64]:
    """The (bone_kernels.N_FINISH,) finish vector of a vertebra."""
    p, fracture = vertebra.shape, vertebra.fracture
    finish = np.zeros(paint.N_FINISH)
    finish[paint.CORTEX_MM], finish[paint.CORTEX_HU] = settings.cortex_mm, settings.cortex_hu
    finish[paint.CORE_HU] = settings.trabecular_hu
    finish[paint.TEXTURE_HU] = settings.texture_percent / 100.0 * max(settings.trabecular_hu, 40.0)
    finish[paint.ARCH_CORTEX_MM] = 2.0 * settings.cortex_mm
    finish[paint.ARCH_CORE_HU] = settings.trabecular_hu + (30.0 if vertebra.name == "S1" else 130.0)
    finish[paint.GAP_HU] = 40.0
    back_top = p[bk.Z_SUPERIOR] + p[bk.SLOPE_SUPERIOR] * p[bk.BACK_Y]
    back_bottom = p[bk.Z_INFERIOR] + p[bk.SLOPE_INFERIOR] * p[bk.BACK_Y]
    finish[paint.VEIN_Z] = 0.5 * (back_top + back_bottom)
    if fracture is None:
        return finish
    finish[paint.SCLEROSIS_HU] = fracture.sclerosis_hu * min(fracture.height_loss_percent / 15.0, 1.0)
    front_y = p[bk.BACK_Y] + p[bk.DEPTH_SUPERIOR]
    front_top = p[bk.Z_SUPERIOR] + p[bk.SLOPE_SUPERIOR] * front_y
    front_bottom = p[bk.Z_INFERIOR] + p[bk.SLOPE_INFERIOR] * front_y
    finish[paint.FRONT_GAP_Z] = front_bottom + 0.65 * (front_top - front_bottom)
    finish[paint.FRONT_GAP_MM] = fracture.anterior_wall_gap_mm
    finish[paint.BACK_GAP_Z] = back_bottom + 0.70 * (back_top - back_bottom)
    finish[paint.BACK_GAP_MM] = fracture.posterior_wall_gap_mm
    finish[paint.PLATE_GAP_Y] = p[bk.BACK_Y] + 0.62 * p[bk.DEPTH_SUPERIOR]
    finish[paint.PLATE_GAP_MM] = fracture.endplate_gap_mm
    if fracture.cleft:
        _place_cleft(finish, p, fracture.cleft_ml, fracture.cleft_hu)
    return finish


def _place_cleft(
    finish: NDArray[np.float64], p: NDArray[np.float64], volume_ml: float, gas_hu: float
) -> None:
    """A flat ellipsoid below the upper endplate, in the front half of the body."""
    y = float(p[bk.BACK_Y] + 0.58 * p[bk.DEPTH_SUPERIOR])
    top = bk.superior_z(p, 0.0, y)
    bottom = bk.inferior_z(p, 0.0, y)
    cubed = volume_ml * 1000.0 * 3.0 / (4.0 * np.pi)
    high = min(
        (cubed / (_CLEFT_WIDTH_BY_HEIGHT * _CLEFT_DEPTH_BY_HEIGHT)) ** (1.0 / 3.0), 0.28 * (top - bottom)
    )
    wide = np.sqrt(cubed / high * _CLEFT_WIDTH_BY_HEIGHT / _CLEFT_DEPTH_BY_HEIGHT)
    wide = min(wide, 0.8 * p[bk.HALF_WIDTH_SUPERIOR])
    deep = min(wide * _CLEFT_DEPTH_BY_HEIGHT / _CLEFT_WIDTH_BY_HEIGHT, 0.36 * p[bk.DEPTH_SUPERIOR])
    finish[paint.CLEFT_X], finish[paint.CLEFT_Y] = 0.0, y
    finish[paint.CLEFT_Z] = top - 2.2 - high
    finish[paint.CLEFT_A], finish[paint.CLEFT_B], finish[paint.CLEFT_C] = wide, deep, high
    finish[paint.CLEFT_HU] = gas_hu
    finish[paint.CLEFT_SLOPE] = p[bk.SLOPE_SUPERIOR]
