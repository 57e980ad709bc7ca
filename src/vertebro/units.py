"""The unit system and its conversions at the edge.

Inside: millimetre, second, newton, megapascal; hence mass in tonnes and viscosity in MPa·s.
Angles are degrees in settings and results (``_deg``) and radians in kernels (``_rad``).
"""

from __future__ import annotations

from typing import Final

MM3_PER_ML: Final = 1000.0
"""Cubic millimetres in one millilitre."""

MPA_S_PER_PA_S: Final = 1e-6
"""Megapascal-seconds in one pascal-second."""

KPA_PER_MPA: Final = 1000.0
"""Kilopascals in one megapascal."""


def ml_from_mm3(volume_mm3: float) -> float:
    """Millilitres from cubic millimetres.

    Examples
    --------
    >>> ml_from_mm3(2500.0)
    2.5
    """
    return volume_mm3 / MM3_PER_ML


def mm3_from_ml(volume_ml: float) -> float:
    """Cubic millimetres from millilitres.

    Examples
    --------
    >>> mm3_from_ml(2.5)
    2500.0
    """
    return volume_ml * MM3_PER_ML
