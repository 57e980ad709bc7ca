"""Numerical kernels without anatomy: ray casting, transmission. NumPy references beside compiled versions.

World frame LPS, millimetres; arrays in, arrays out.
"""

from vertebro.numerics.beams import Beam, ConeBeam, FanBeam
from vertebro.numerics.image_filters import gaussian_blur, with_grain
from vertebro.numerics.ray_casting import Backend, line_integrals, usable_threads
from vertebro.numerics.ray_volume import RayVolume
from vertebro.numerics.solid_chords import ellipsoid_lengths_mm, tube_lengths_mm
from vertebro.numerics.transmission import transmitted
from vertebro.numerics.value_ramps import ValueRamps
from vertebro.numerics.warm_up import warm_up, warm_up_in_background

__all__ = [
    "Backend",
    "Beam",
    "ConeBeam",
    "FanBeam",
    "RayVolume",
    "ValueRamps",
    "ellipsoid_lengths_mm",
    "gaussian_blur",
    "line_integrals",
    "transmitted",
    "tube_lengths_mm",
    "usable_threads",
    "warm_up",
    "warm_up_in_background",
    "with_grain",
]
